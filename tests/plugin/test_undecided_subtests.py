"""Subtests: each has an outcome of its own, and its claims have that outcome."""

import pytest

from tests.plugin.conftest import FEW

TEST = """
@pytest.mark.head("L0H1")
def test_it(head, subtests):
    assert head.mass(ht.previous) >= 0.01
    with subtests.test("held"):
        assert head.mass(ht.previous) >= 0.02
    with subtests.test("open"):
        assert head.mass(ht.previous) >= 0.158
    {more}
    assert head.mass(ht.previous) >= 0.03
"""
REFUTED = """with subtests.test("refuted"):
        assert head.mass(ht.previous) >= 0.9"""
SKIP = "--headtests-undecided=skip"

pytestmark = pytest.mark.skipif(
    not hasattr(pytest, "Subtests"), reason="subtests came with pytest 9"
)


def test_an_open_one_is_undecided_and_so_is_its_test(run_claims):
    run = run_claims(TEST.format(more=""), FEW)
    assert run.outcomes == {"undecided": 2}
    assert run.claims == [
        ("test_it[L0H1]", "holds", "undecided"),
        ("test_it[L0H1]", "holds", "passed"),
        ("test_it[L0H1]", "undecided", "undecided"),
        ("test_it[L0H1]", "holds", "undecided"),
    ]
    assert run.exit_code == 10


@pytest.mark.slow
def test_a_refuted_one_fails_the_test(run_claims):
    run = run_claims(TEST.format(more=REFUTED), FEW)
    assert (run.outcomes["failed"], run.outcomes["undecided"]) == (2, 1)
    assert [outcome for _, _, outcome in run.claims] == [
        "failed",
        "passed",
        "undecided",
        "failed",
        "failed",
    ]
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED


def test_a_failure_of_the_test_itself_is_that(run_claims):
    run = run_claims(TEST.format(more="").replace("0.03", "0.9"), FEW)
    assert (run.outcomes["failed"], run.outcomes["undecided"]) == (1, 1)
    assert [outcome for _, _, outcome in run.claims] == ["failed", "passed", "undecided", "failed"]


def test_a_skipped_one_leaves_its_test_passed(run_claims):
    run = run_claims(TEST.format(more=""), FEW, SKIP)
    assert (run.outcomes["passed"], run.outcomes["undecided"]) == (1, 1)
    assert [outcome for _, _, outcome in run.claims] == ["passed", "passed", "undecided", "passed"]
    assert run.exit_code == pytest.ExitCode.OK


def test_it_is_shown_by_its_name(run_claims):
    run = run_claims(TEST.format(more=""), FEW, "-v")
    assert any("SUBUNDECIDED[open] " in line for line in run.lines)
    assert run.section("test_it[L0H1]") == ["contains 1 undecided subtest"]
    assert run.section("short test summary info") == [
        "SUBUNDECIDED[open] test_inside.py::test_it[L0H1] - L0H1.mass(ht.previous) >= ...",
        "UNDECIDED test_inside.py::test_it[L0H1] - contains 1 undecided subtest",
    ]


@pytest.mark.slow
def test_two_of_them_say_so_once_in_junit_xml(run_claims, pytester):
    again = """with subtests.test("again"):
        assert head.mass(ht.previous) >= 0.159"""
    run = run_claims(TEST.format(more=again), FEW, "--junitxml=junit.xml")
    assert run.outcomes == {"undecided": 3}
    xml = (pytester.path / "junit.xml").read_text()
    assert xml.count('name="outcome" value="undecided"') == 1


@pytest.mark.slow
def test_those_that_follow_it_run(run_claims):
    run = run_claims(TEST.format(more=REFUTED), FEW)
    assert len(run.claims) == 5


@pytest.mark.slow
def test_x_stops_at_it(run_claims):
    run = run_claims(TEST.format(more=REFUTED), FEW, "-x")
    assert len(run.claims) == 3
    assert run.exit_code == 10


def test_one_within_another_has_its_own_outcome(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L0H1")
def test_it(head, subtests):
    with subtests.test("outer"):
        assert head.mass(ht.previous) >= 0.01
        with subtests.test("inner"):
            assert head.mass(ht.previous) >= 0.158
        assert head.mass(ht.previous) >= 0.9
""",
        FEW,
    )
    assert [outcome for _, _, outcome in run.claims] == ["failed", "undecided", "failed"]


def test_a_mark_does_not_hide_it(run_claims):
    run = run_claims("\n@pytest.mark.xfail" + TEST.format(more=""), FEW)
    assert ("test_it[L0H1]", "undecided", "undecided") in run.claims
    assert run.outcomes["undecided"] >= 1
