"""`xfail` never hides that a claim is undecided."""

import pytest

from tests.plugin.conftest import FEW

MARKS = [
    "strict=True",
    "strict=False",
    "strict=False, raises=AssertionError",
    "strict=True, raises=AssertionError",
    "raises=Exception",
    "raises=(AssertionError, errors.UndecidedError)",
    "True, reason='known'",
]
TEST = """
from headtests import errors

{mark}
@pytest.mark.head("L0H1")
def test_it(head):
    {body}
"""
OPEN = "assert head.mass(ht.previous) >= 0.158"
NOTE = "xfail excuses a claim that fails, and nothing else; this one is undecided."


@pytest.mark.slow
@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("undecided", ["fail", "skip"])
def test_it_is_undecided_all_the_same(run_claims, mark, undecided):
    test = TEST.format(mark=f"@pytest.mark.xfail({mark})", body=OPEN)
    run = run_claims(test, FEW, f"--headtests-undecided={undecided}")
    assert run.outcomes == {"undecided": 1}, run.text
    assert run.claims == [("test_it[L0H1]", "undecided", "undecided")]
    assert run.exit_code == (10 if undecided == "fail" else 0)


def test_it_says_why(run_claims):
    run = run_claims(TEST.format(mark="@pytest.mark.xfail(strict=True)", body=OPEN), FEW)
    assert NOTE in run.section("test_it[L0H1]")


def test_a_mark_that_a_body_adds_does_not_hide_it(run_claims):
    test = TEST.replace("head):", "head, request):").format(
        mark="", body=f"request.applymarker(pytest.mark.xfail)\n    {OPEN}"
    )
    assert run_claims(test, FEW).outcomes == {"undecided": 1}


def test_a_fixtures_claim_is_not_hidden(run_claims):
    run = run_claims(
        f"""
@pytest.fixture
def checked(head):
    {OPEN}

@pytest.mark.xfail(strict=True)
@pytest.mark.head("L0H1")
def test_it(checked):
    pass
""",
        FEW,
    )
    assert run.outcomes == {"undecided": 1}


@pytest.mark.slow
def test_an_assertion_that_swallowed_it_is_another_failure(run_claims):
    """A function that takes an open claim for a false one decides nothing."""
    body = """assert holds(head.mass(ht.previous) >= 0.158)

def holds(claim):
    try:
        return bool(claim)
    except errors.UndecidedError:
        return False
"""
    run = run_claims(TEST.format(mark="@pytest.mark.xfail(strict=True)", body=body), FEW)
    assert run.outcomes == {"failed": 1}
    named = "claim = head.mass(ht.previous) >= 0.158\n    try: bool(claim)\n    except Exception: "
    named += "pass\n    assert claim is None"
    run = run_claims(TEST.format(mark="@pytest.mark.xfail(strict=True)", body=named), FEW)
    assert run.outcomes == {"failed": 1}


def test_runxfail_changes_nothing(run_claims):
    test = TEST.format(mark="@pytest.mark.xfail(strict=True)", body=OPEN)
    assert run_claims(test, FEW, "--runxfail").outcomes == {"undecided": 1}


def test_tests_that_are_not_run_stay_so(run_claims):
    test = TEST.format(mark="@pytest.mark.xfail(run=False)", body="raise SystemExit")
    assert run_claims(test, FEW).outcomes == {"xfailed": 1}
