"""Ctrl-C in the middle of a pass: a report of what is known, marked incomplete, exit code 2."""

import signal
import sys

import pytest

from headtests.models.loaded import LoadedModel
from headtests.records import read_record

TESTS = """
pytestmark = []
few = pytest.mark.corpus("repeated-random", documents=8, period=6)
many = pytest.mark.corpus("repeated-random", documents=80, period=6)

@few
@pytest.mark.head("L0H2")
def test_before(head):
    assert head.mass(ht.previous) >= 0.1

@many
@pytest.mark.head("L0H2")
def test_during(head):
    assert head.mass(ht.previous) >= 0.1

@few
@pytest.mark.head("L0H2")
def test_after(head):
    assert head.mass(ht.previous) >= 0.1
"""


@pytest.fixture
def interrupted(monkeypatch):
    """Return a function that has a run interrupted at a batch of the model, by its number."""

    def at(number):
        batches = []

        def stopping(self, batch, heads, portions, give):
            batches.append(batch)
            if len(batches) == number:
                raise KeyboardInterrupt
            return read(self, batch, heads, portions, give)

        read = LoadedModel.read
        monkeypatch.setattr(LoadedModel, "read", stopping)

    return at


def check(run):
    assert run.exit_code == pytest.ExitCode.INTERRUPTED
    assert run.claims == [("test_before[L0H2]", "holds", "passed")]
    assert {name: outcome for name, (outcome, _) in run.unmeasured.items()} == {
        "test_during[L0H2]": "interrupted",
        "test_after[L0H2]": "not run",
    }
    assert not run.record["complete"]
    assert run.record["incomplete_reason"] == "The run was interrupted."
    cut, whole = sorted(run.record["sessions"], key=lambda one: -one["corpus"]["documents"])
    assert 0 < cut["documents_run"] < cut["budget"] == 80
    assert whole["documents_run"] == whole["budget"] == 8
    # Multiples are of no use to someone who wants the run to end.
    assert run.record["heads"] == []
    page = (run.folder / "reports" / "headtests.html").read_text(encoding="utf-8")
    assert "The run was interrupted." in page


@pytest.mark.slow
def test_the_report_tells_what_is_known(run_claims, interrupted):
    interrupted(3)
    run = run_claims(TESTS)
    check(run)
    shown = run.section("claims")
    assert "incomplete: The run was interrupted." in shown
    assert "interrupted: test_inside.py::test_during[L0H2]" in shown
    assert "not run: test_inside.py::test_after[L0H2]" in shown


@pytest.mark.slow
def test_in_the_first_pass_there_is_a_report_too(run_claims, interrupted):
    interrupted(2)
    run = run_claims(TESTS, "-k", "test_during")
    assert run.exit_code == pytest.ExitCode.INTERRUPTED
    assert run.claims == []
    assert run.unmeasured["test_during[L0H2]"][0] == "interrupted"
    assert not run.record["complete"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_signal_does_the_same(claims_process):
    run = claims_process(
        f"""
import os
import signal
from headtests.models.loaded import LoadedModel

read, batches = LoadedModel.read, []
# A run that was started in the background has inherited that the signal is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

def slow(self, batch, heads, portions, give):
    batches.append(batch)
    if len(batches) == 3:
        os.kill(os.getpid(), signal.{signal.SIGINT.name})
    return read(self, batch, heads, portions, give)

LoadedModel.read = slow
{TESTS}
"""
    )
    check(run)


@pytest.mark.slow
def test_a_claim_that_was_decided_before_it_in_the_same_test_is_kept(run_claims, pytester):
    run_claims(
        """
@pytest.mark.head("L0H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1
    raise KeyboardInterrupt
"""
    )
    record = read_record(pytester.path / "reports" / "headtests.json")
    assert [(claim["verdict"], claim["outcome"]) for claim in record["claims"]] == [
        ("holds", "interrupted")
    ]
