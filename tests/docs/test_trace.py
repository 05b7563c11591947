"""The commands of docs/trace.md can be given, and its claims are Python."""

import shlex

import pytest

from headtests.cli import trace
from headtests.cli.parsing import Parser
from tests.docs import along_training
from tests.docs.pages import blocks

TEXT = along_training.DOC.read_text("utf-8")
LINES = [
    line.removeprefix("$ ")
    for block in blocks(along_training.DOC, "console")
    for line in block.text.splitlines()
]
TRACES = [line for line in LINES if line.startswith("headtests ")]


def test_the_claims_are_python():
    compile(along_training.source(), along_training.CLAIMS, "exec")


def test_every_line_of_its_blocks_is_a_command():
    # A page whose commands were not found would leave the next test without cases.
    assert len(LINES) == 5
    assert len(TRACES) == 4


@pytest.mark.parametrize("line", TRACES)
def test_the_program_can_read_its_lines(line):
    parser = Parser(prog="headtests")
    trace.add(parser.add_subparsers())
    arguments = parser.parse_args(shlex.split(line)[1:])
    assert arguments.hypotheses
    assert arguments.models or arguments.revisions


def test_the_training_is_the_one_that_was_run():
    command = f"python -m headtests.demo.train --steps {along_training.STEPS} --checkpoints"
    assert any(command in line for line in LINES)


def test_the_picture_is_there():
    assert "](trace.png)" in TEXT
    assert (along_training.DOC.parent / "trace.png").exists()
