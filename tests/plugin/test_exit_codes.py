"""Exit codes, `-x` and what a run that stopped early says of itself."""

import pytest

TESTS = """
@pytest.mark.head("L0H2", "L1H2", "L0H1")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1
"""


def test_inside_that_hold_exit_0(run_claims):
    assert run_claims(TESTS, "-k", "L0").exit_code == pytest.ExitCode.OK


def test_a_refuted_claim_exits_1(run_claims):
    assert run_claims(TESTS).exit_code == pytest.ExitCode.TESTS_FAILED


def test_x_stops_and_the_report_says_so(run_claims):
    run = run_claims(TESTS, "-x")
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED
    assert run.outcomes == {"passed": 1, "failed": 1}
    assert run.claims == [
        ("test_it[L0H2]", "holds", "passed"),
        ("test_it[L1H2]", "refuted", "failed"),
    ]
    assert run.unmeasured == {"test_it[L0H1]": ("not run", "The run ended before this test did.")}
    assert not run.record["complete"]
    assert run.record["incomplete_reason"] == "stopping after 1 failures"
    assert "incomplete: stopping after 1 failures" in run.section("claims")
    assert "not run: test_inside.py::test_it[L0H1]" in run.section("claims")


def test_x_on_the_last_test_has_told_all(run_claims):
    run = run_claims(TESTS, "-x", "-k", "L0H2 or L1H2")
    assert run.outcomes == {"passed": 1, "failed": 1, "deselected": 1}
    assert run.record["complete"]


def test_a_run_that_a_plugin_stops_is_incomplete(run_claims):
    run = run_claims(TESTS, "--stepwise")
    assert run.exit_code == pytest.ExitCode.INTERRUPTED
    assert not run.record["complete"]
    assert "continuing from this test" in run.record["incomplete_reason"]


@pytest.mark.slow
def test_a_test_that_leaves_pytest_is_said(run_claims):
    run = run_claims(
        f"""
{TESTS}
@pytest.mark.head("L0H3")
def test_leaves(head):
    assert head.mass(ht.previous) <= 0.9
    pytest.exit("enough")

@pytest.mark.head("L0H3")
def test_after_it(head):
    pass
"""
    )
    assert run.exit_code == pytest.ExitCode.INTERRUPTED
    assert run.claims[-1] == ("test_leaves[L0H3]", "holds", "interrupted")
    assert run.unmeasured["test_after_it[L0H3]"][0] == "not run"
    assert not run.record["complete"]
