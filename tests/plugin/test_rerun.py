"""A test that a plugin runs again: its last run counts, and only that."""

from types import SimpleNamespace

import pytest

AGAIN = """
import pytest
from _pytest.runner import runtestprotocol

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for again in (True, False):
        reports = runtestprotocol(item, nextitem=None if again else nextitem, log=False)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
"""
TESTS = """
runs = []

@pytest.mark.head("L0H2")
def test_it(head):
    runs.append(head)
    assert head.mass(ht.previous) >= 0.1
    assert len(runs) == 2
    assert head.mass(ht.current) <= 0.9
"""


def test_the_last_run_counts(run_claims, pytester):
    pytester.makeconftest(AGAIN)
    run = run_claims(TESTS, "--junitxml=junit.xml")
    assert [(claim["expression"], claim["outcome"]) for claim in run.record["claims"]] == [
        ("L0H2.mass(ht.previous) >= 0.1", "passed"),
        ("L0H2.mass(ht.current) <= 0.9", "passed"),
    ]
    assert "2 claims: 2 held" in run.lines


def test_it_counts_in_whichever_process(monkeypatch):
    from headtests.plugin.run_report import RunReport
    from headtests.plugin.worker_output import CARRIED

    run_report = RunReport(config=None)
    for outcome in ("failed", "passed"):
        carried = {"outcome": outcome, "reason": "", "message": "", "claims": [outcome]}
        report = SimpleNamespace(nodeid="t", when="call", failed=False, **{CARRIED: carried})
        run_report.pytest_runtest_logreport(report)
    assert run_report._tests["t"]["claims"] == ["passed"]


def test_with_the_plugin_that_most_use(run_claims):
    pytest.importorskip("pytest_rerunfailures")
    run = run_claims(TESTS, "-p", "rerunfailures", "--reruns=1")
    assert run.outcomes == {"passed": 1, "rerun": 1}
    assert len(run.record["claims"]) == 2
    assert {claim["outcome"] for claim in run.record["claims"]} == {"passed"}
