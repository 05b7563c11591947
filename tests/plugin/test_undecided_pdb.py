"""`--pdb` stops at an undecided claim as at a failure, and not where it is skipped."""

import sys

import pytest

from tests.plugin.conftest import FEW, HEADER

OPEN = """
@pytest.mark.head("L0H1")
def test_open(head):
    mine = "a name of the body"
    assert head.mass(ht.previous) >= 0.158
"""
DEBUGGER = """
import bdb

class Debugger:
    def __init__(self, *args, **kwargs):
        pass

    def reset(self):
        pass

    quitting = False

    def interaction(self, frame, traceback):
        print("\\nENTERED")

    def __getattr__(self, name):
        return lambda *args, **kwargs: None
"""
PDB = ("--pdb", "--pdbcls=debugger:Debugger")


@pytest.fixture
def run_pdb(run_claims, pytester):
    pytester.makepyfile(debugger=DEBUGGER)
    pytester.syspathinsert()
    return lambda *arguments: run_claims(OPEN, FEW, *PDB, *arguments)


def test_it_stops_there(run_pdb):
    run = run_pdb()
    assert "ENTERED" in run.lines
    assert run.outcomes == {"undecided": 1}
    # Shown when the debugger was entered.
    assert "UNDECIDED" not in run.sections


@pytest.mark.slow
def test_it_stops_in_the_body_of_the_test(pytester, plain_terminal, monkeypatch):
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    pytester.makepyfile(test_inside=f"{HEADER}\n{OPEN}")
    ran = pytester.run(
        sys.executable, "-m", "pytest", FEW, "--pdb", stdin=b"p mine\nq\n", timeout=120
    )
    ran.stdout.fnmatch_lines(["-> assert head.mass(ht.previous) >= 0.158", "*'a name of the body'"])


def test_it_does_not_stop_where_it_is_skipped(run_pdb):
    run = run_pdb("--headtests-undecided=skip")
    assert "ENTERED" not in run.lines
    assert run.outcomes == {"undecided": 1}


def test_a_mark_does_not_keep_it_from_stopping(run_claims, pytester):
    pytester.makepyfile(debugger=DEBUGGER)
    pytester.syspathinsert()
    run = run_claims(f"@pytest.mark.xfail{OPEN}", FEW, *PDB)
    assert "ENTERED" in run.lines
