"""What docs/trace.md tells to type can be typed, and its claims are claims."""

import shlex

import pytest

from headtests.cli import main
from tests.docs import along_training

TEXT = along_training.DOC.read_text("utf-8")
LINES = [
    line.removeprefix("$ ")
    for block in TEXT.split("```console\n")[1:]
    for line in block.split("```")[0].replace("\\\n", " ").splitlines()
    if line.startswith("$ ")
]


def test_the_claims_are_python():
    compile(along_training.source(), along_training.CLAIMS, "exec")


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("headtests ")])
def test_the_program_can_read_its_lines(line, monkeypatch, capsys):
    given = []
    monkeypatch.setattr("headtests.cli.trace._trace", lambda found: given.append(found) or 0)
    assert main(shlex.split(line)[1:]) == 0
    assert given[0].models or given[0].revisions


def test_the_training_is_the_one_that_was_run():
    command = f"python -m headtests.demo.train --steps {along_training.STEPS} --checkpoints"
    assert any(command in line for line in LINES)


def test_the_picture_is_there():
    assert "](trace.png)" in TEXT
    assert (along_training.DOC.parent / "trace.png").exists()
