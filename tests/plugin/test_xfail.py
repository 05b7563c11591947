"""`xfail(strict=True)` excuses a claim that fails, and nothing else."""

import pytest

TEST = """
@pytest.mark.xfail(strict=True, reason="known")
@pytest.mark.head("L0H2")
def test_it(head):
    {body}
"""
NOTE = "xfail excuses a claim that fails, and nothing else; this is another failure."

EXCUSED = {
    "a refuted comparison": "assert head.mass(ht.previous) <= 0.1",
    "a held one, denied": "assert not (head.mass(ht.previous) >= 0.1)",
    "one kept in a name": "claim = head.mass(ht.previous) <= 0.1\n    assert claim",
    "one asked before it is asserted": (
        "claim = head.mass(ht.previous) <= 0.1\n    if claim: pass\n    assert claim, 'why'"
    ),
    "one of several": ("assert head.mass(ht.previous) >= 0.1 and head.mass(ht.previous) <= 0.1"),
    "one within a function": (
        "def low(head): return bool(head.mass(ht.previous) <= 0.1)\n    assert low(head)"
    ),
    "one over lines": "assert head.mass(\n        ht.previous,\n    ) <= 0.1",
    "one asserted by unittest": (
        "from unittest import TestCase\n    TestCase().assertTrue(head.mass(ht.previous) <= 0.1)"
    ),
    "a figure that is not about a number": (
        "assert head.mass(ht.previous) == ht.approx(0.5, abs=0.1)"
    ),
    "one of those, asked before it is asserted": (
        "claim = head.mass(ht.previous) == ht.approx(0.5, abs=0.1)\n    if claim: pass\n"
        "    assert claim, 'why'"
    ),
    "how many hold": "assert sum(bool(head.mass(ht.previous) >= t) for t in (0.1, 0.999)) == 2",
}
NOT_EXCUSED = {
    "a crash": ("raise ValueError('oh')", "failed"),
    "another assertion": ("assert 1 == 2", "failed"),
    "another assertion after a claim that holds": (
        "assert head.mass(ht.previous) >= 0.1\n    assert 1 == 2",
        "failed",
    ),
    "another assertion after a refuted comparison": (
        "if head.mass(ht.previous) <= 0.1: pass\n    assert 1 == 2",
        "failed",
    ),
    "a claim that claims nothing": ("assert head.mass(ht.previous) >= 1.5", "failed"),
    "a statistic without a row": ("assert head.mass(key.matches('no such')) >= 0.5", "failed"),
    "a comparison that was never asked": (
        "claim = head.mass(ht.previous) <= 0.1\n    assert 1 == 2",
        "failed",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", EXCUSED)
@pytest.mark.parametrize("mode", ["rewrite", "plain"])
def test_a_claim_that_fails_is_excused(run_claims, case, mode):
    run = run_claims(TEST.format(body=EXCUSED[case]), f"--assert={mode}")
    assert run.outcomes == {"xfailed": 1}, run.text
    assert {outcome for _, _, outcome in run.claims} == {"xfailed"}
    assert {claim["reason"] for claim in run.record["claims"]} == {"known"}
    assert run.exit_code == pytest.ExitCode.OK


@pytest.mark.slow
@pytest.mark.parametrize("case", NOT_EXCUSED)
def test_another_failure_is_not_excused(run_claims, case):
    body, outcome = NOT_EXCUSED[case]
    run = run_claims(TEST.format(body=body))
    assert run.outcomes == {outcome: 1}
    assert NOTE in run.section("test_it[L0H2]")
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED


def test_a_claim_that_holds_fails_the_strict_test(run_claims):
    run = run_claims(TEST.format(body="assert head.mass(ht.previous) >= 0.1"))
    assert run.outcomes == {"failed": 1}
    assert run.claims == [("test_it[L0H2]", "holds", "failed")]
    assert run.section("test_it[L0H2]")[0] == "[XPASS(strict)] known"


def test_a_claim_that_holds_passes_where_xfail_is_not_strict(run_claims):
    body = TEST.replace("strict=True", "strict=False")
    run = run_claims(body.format(body="assert head.mass(ht.previous) >= 0.1"))
    assert run.outcomes == {"xpassed": 1}
    assert run.claims == [("test_it[L0H2]", "holds", "xpassed")]


def test_a_model_that_cannot_be_loaded_stays_an_error(run_claims):
    run = run_claims(
        '@pytest.mark.model("./no-such-folder")'
        + TEST.format(body="assert head.mass(ht.previous) >= 0.1")
    )
    assert run.outcomes == {"errors": 1}
    assert run.unmeasured["test_it[L0H2]"][0] == "error"
    assert NOTE in run.section("ERROR at setup of test_it[L0H2]")


def test_a_bad_marker_stays_an_error(run_claims):
    run = run_claims(TEST.format(body="pass").replace("L0H2", "L9H2"))
    assert run.outcomes == {"errors": 1}


def test_xfail_called_in_the_body_keeps_its_meaning(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L0H2")
def test_it(head):
    if head.mass(ht.previous) <= 0.1:
        assert False
    pytest.xfail("one day")
"""
    )
    assert run.outcomes == {"xfailed": 1}
    assert run.claims == [("test_it[L0H2]", "refuted", "xfailed")]
    assert run.record["claims"][0]["reason"] == "one day"


def test_a_test_that_is_not_to_run_does_not_run(run_claims):
    run = run_claims(
        """
@pytest.mark.xfail(run=False, reason="takes an hour")
@pytest.mark.head("L0H2")
def test_it(head):
    raise SystemExit("ran")
"""
    )
    assert run.outcomes == {"xfailed": 1}
    assert run.unmeasured["test_it[L0H2]"][0] == "xfailed"


def test_tests_without_a_head_are_excused_as_ever(run_claims):
    run = run_claims(
        """
@pytest.mark.xfail(strict=True)
def test_it():
    raise ValueError
"""
    )
    assert run.outcomes == {"xfailed": 1}
