"""Runs that are killed while they write: the next says the same, and clears what they left."""

import pytest

from tests.plugin.conftest import run_in_folder

KILLS = """
import os
from pathlib import Path

replace = Path.replace

def killed(part, target):
    # Once, and then the run is as any other.
    armed = Path(os.environ["ARMED"])
    if armed.exists() and str(target).endswith(armed.read_text()):
        armed.unlink()
        os.kill(os.getpid(), 9)
    return replace(part, target)

Path.replace = killed
"""
TESTS = """
@pytest.mark.head("L0H2", "L0H1")
def test_previous(head):
    assert head.mass(ht.previous) >= 0.1
"""


def left(folder):
    """Return how many parts, locks and temporary folders there are."""
    patterns = ("cache/*.part", "*s/*.part", "*s/*.lock", "tmp/headtests-*")
    return {pattern: len(found) for pattern in patterns if (found := [*folder.glob(pattern)])}


@pytest.mark.slow
def test_the_run_after_a_kill_gives_the_same_record_and_leaves_nothing(tmp_path):
    def run(*arguments, kill=""):
        armed = tmp_path / "armed"
        if kill:
            armed.write_text(kill)
        environment = {"ARMED": str(armed), "TMPDIR": str(tmp_path / "tmp")}
        ran = run_in_folder(
            tmp_path, TESTS, "-p", "no:cacheprovider", "--headtests-cache=cache", *arguments,
            **environment,
        )  # fmt: skip
        assert not armed.exists()
        return ran

    # The controller of pytest-xdist imports no tests.
    (tmp_path / "conftest.py").write_text(KILLS)
    (tmp_path / "tmp").mkdir()
    # Fresh and recording, while the baselines are written.
    assert run("--headtests-record", kill="baselines/test_inside.json").exit_code == -9
    assert left(tmp_path) == {"*s/*.part": 1, "*s/*.lock": 1}
    (tmp_path / "cache" / ".headtests-killed.part").touch()
    before = {path.name for path in (tmp_path / "cache").glob("*.result")}
    # Warm and with workers, while the controller writes the report.
    assert run("-n", "2", kill="headtests.json").exit_code == -9
    found = left(tmp_path)
    assert found.pop("tmp/headtests-*") == 1
    assert found == {"*s/*.part": 2}
    last = run("--headtests-record")
    assert last.exit_code == 0
    assert left(tmp_path) == {}
    assert before <= {path.name for path in (tmp_path / "cache").iterdir()}
    assert [claim["verdict"] for claim in last.record["claims"]] == ["holds", "holds"]
    assert (tmp_path / "baselines" / "test_inside.json").exists()
