"""A claim that its documents leave open makes its test undecided: an outcome of its own."""

from types import SimpleNamespace

import pytest

from headtests.plugin.undecided import MARK, is_undecided
from tests.plugin.conftest import FEW

OPEN = """
@pytest.mark.head("L0H1")
def test_open(head):
    assert head.mass(ht.previous) >= 0.158
"""
HELD = """
@pytest.mark.head("L0H2")
def test_held(head):
    assert head.mass(ht.previous) >= 0.1
"""
REFUTED = """
@pytest.mark.head("L1H2")
def test_refuted(head):
    assert head.mass(ht.previous) >= 0.9
"""
SKIP = "--headtests-undecided=skip"


def test_it_is_an_outcome_of_its_own(run_claims):
    run = run_claims(OPEN + HELD + REFUTED, FEW)
    assert run.outcomes == {"undecided": 1, "passed": 1, "failed": 1}
    assert run.claims == [
        ("test_open[L0H1]", "undecided", "undecided"),
        ("test_held[L0H2]", "holds", "passed"),
        ("test_refuted[L1H2]", "refuted", "failed"),
    ]


def test_with_more_documents_it_is_decided(run_claims):
    assert run_claims(OPEN).outcomes == {"passed": 1}


def test_it_may_skip_and_is_undecided_still(run_claims):
    run = run_claims(OPEN + HELD, FEW, SKIP)
    assert run.outcomes == {"undecided": 1, "passed": 1}
    assert run.claims[0] == ("test_open[L0H1]", "undecided", "undecided")


def test_the_ini_file_may_say_so(run_claims):
    run = run_claims(OPEN, FEW, ini="headtests_undecided = skip")
    assert run.exit_code == pytest.ExitCode.OK
    assert run.outcomes == {"undecided": 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tests", "arguments", "code"),
    [
        (OPEN + HELD, (), 10),
        (OPEN + HELD, ("-x",), 10),
        (OPEN + HELD + REFUTED, (), 1),
        (OPEN + HELD + "\ndef test_beside_it():\n    assert False\n", (), 1),
        (OPEN + HELD + "\n@pytest.fixture\ndef no(): raise OSError\ndef test_no(no): pass", (), 1),
        (HELD, (), 0),
        (OPEN + HELD, (SKIP,), 0),
        (OPEN + REFUTED, (SKIP,), 1),
    ],
    ids=["alone", "-x", "refuted", "failed", "error", "held", "skip", "skip, refuted"],
)
def test_the_exit_code(run_claims, tests, arguments, code):
    assert run_claims(tests, FEW, *arguments).exit_code == code


def test_a_failure_that_another_plugin_counts_keeps_its_exit_code(run_claims, pytester):
    """As those for coverage do, when too little of it is found."""
    pytester.makeconftest(
        """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session):
    result = yield
    session.testsfailed += 1
    return result
"""
    )
    assert run_claims(OPEN, FEW).exit_code == pytest.ExitCode.TESTS_FAILED


def test_an_interrupted_run_keeps_its_exit_code(run_claims):
    run = run_claims(OPEN + "\ndef test_stop(): raise KeyboardInterrupt", FEW)
    assert run.exit_code == pytest.ExitCode.INTERRUPTED


def test_x_stops_at_it(run_claims):
    run = run_claims(OPEN + HELD, FEW, "-x")
    assert run.outcomes == {"undecided": 1}
    assert run.record["incomplete_reason"] == "stopping after 1 failures"


def test_x_does_not_stop_where_it_skips(run_claims):
    assert run_claims(OPEN + HELD, FEW, SKIP, "-x").outcomes == {"undecided": 1, "passed": 1}


def test_each_parameter_is_decided_for_itself(run_claims):
    run = run_claims(
        """
@pytest.mark.parametrize("threshold", [0.01, 0.158, 0.9])
@pytest.mark.head("L0H1")
def test_it(head, threshold):
    assert head.mass(ht.previous) >= threshold
""",
        FEW,
    )
    assert [verdict for _, verdict, _ in run.claims] == ["holds", "undecided", "refuted"]
    assert run.outcomes == {"passed": 1, "undecided": 1, "failed": 1}


@pytest.mark.parametrize("arguments", [(), (SKIP,)], ids=["fail", "skip"])
def test_a_fixtures_claim_leaves_its_test_undecided(run_claims, arguments):
    run = run_claims(
        """
@pytest.fixture
def checked(head):
    assert head.mass(ht.previous) >= 0.158

@pytest.mark.head("L0H1")
def test_it(checked):
    raise SystemExit
""",
        FEW,
        *arguments,
    )
    assert run.outcomes == {"undecided": 1}
    assert run.claims == [("test_it[L0H1]", "undecided", "undecided")]
    assert run.exit_code == (0 if arguments else 10)


def test_a_claim_after_the_test_is_told_too(run_claims):
    run = run_claims(
        """
@pytest.fixture
def checked(head):
    yield head
    assert head.mass(ht.previous) >= 0.158

@pytest.mark.head("L0H1")
def test_it(checked):
    assert checked.mass(ht.previous) >= 0.01
""",
        FEW,
    )
    assert run.outcomes == {"passed": 1, "undecided": 1}
    assert [verdict for _, verdict, _ in run.claims] == ["holds", "undecided"]
    assert {outcome for _, _, outcome in run.claims} == {"undecided"}
    assert run.exit_code == 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("after", "body", "outcome"),
    [
        ("assert head.mass(ht.previous) >= 0.01", "pass", "passed"),
        ("assert head.mass(ht.previous) >= 0.01", "assert False", "failed"),
        ("assert head.mass(ht.previous) >= 0.158", "assert False", "failed"),
        ("assert head.mass(ht.previous) >= 0.9", "pass", "error"),
    ],
)
def test_a_claim_after_the_test_hides_no_failure(run_claims, after, body, outcome):
    run = run_claims(
        f"""
@pytest.fixture
def checked(head):
    yield head
    {after}

@pytest.mark.head("L0H1")
def test_it(checked):
    {body}
""",
        FEW,
    )
    ((_, _, found),) = run.claims
    assert found == outcome


@pytest.mark.slow
@pytest.mark.parametrize("caught", ["Exception", "ht.UndecidedError"])
def test_a_body_that_catches_it_goes_on(run_claims, caught):
    run = run_claims(
        f"""
from headtests import errors
ht.UndecidedError = errors.UndecidedError

@pytest.mark.head("L0H1")
def test_it(head):
    try:
        assert head.mass(ht.previous) >= 0.158
    except {caught}:
        pass
    assert head.mass(ht.previous) >= 0.01
""",
        FEW,
    )
    assert run.outcomes == {"passed": 1}
    assert run.claims == [
        ("test_it[L0H1]", "undecided", "passed"),
        ("test_it[L0H1]", "holds", "passed"),
    ]
    assert run.exit_code == pytest.ExitCode.OK
    assert "passed with an undecided claim: test_inside.py::test_it[L0H1]" in run.lines


def test_a_failure_that_it_led_to_is_a_failure(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L0H1")
def test_it(head):
    try:
        assert head.mass(ht.previous) >= 0.158
    except Exception as error:
        raise ValueError("no answer") from error
""",
        FEW,
    )
    assert run.outcomes == {"failed": 1}
    assert run.claims == [("test_it[L0H1]", "undecided", "failed")]


@pytest.mark.parametrize("arguments", [(), (SKIP,)], ids=["fail", "skip"])
def test_a_session_of_ones_own_makes_its_test_undecided_too(run_claims, pytester, arguments):
    run = run_claims(
        """
from headtests.settings import Settings

def test_it():
    settings = Settings(max_documents=4)
    session = ht.Session("demo", "repeated-random", documents=8, period=6, settings=settings)
    assert session.head("L0H1").mass(ht.previous) >= 0.158
""",
        *arguments,
    )
    assert run.outcomes == {"undecided": 1}
    assert run.exit_code == (0 if arguments else 10)
    assert not (pytester.path / "reports").exists()


@pytest.mark.slow
def test_a_unittest_is_undecided_too(run_claims):
    test = """
import unittest

class TestIt(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _head(self, head):
        self.head = head

    @pytest.mark.head("L0H1")
    def test_it(self):
        self.assertTrue(self.head.mass(ht.previous) >= 0.158)
"""
    assert run_claims(test, FEW).outcomes == {"undecided": 1}
    run = run_claims(test, FEW, SKIP)
    assert run.outcomes == {"undecided": 1}
    assert run.exit_code == pytest.ExitCode.OK


@pytest.mark.parametrize("mode", ["rewrite", "plain"])
def test_the_answer_is_remembered(run_claims, mode):
    run = run_claims(
        """
@pytest.mark.head("L0H1")
def test_it(head):
    claim = head.mass(ht.previous) >= 0.158
    for _ in range(2):
        with pytest.raises(Exception, match="^undecided: "):
            assert claim
""",
        FEW,
        f"--assert={mode}",
    )
    assert run.outcomes == {"passed": 1}, run.text
    assert run.claims == [("test_it[L0H1]", "undecided", "passed")]


def test_a_test_that_passed_is_not_undecided_whatever_its_subtests_were():
    """Before pytest fails it for them, or where nothing does."""
    assert is_undecided(SimpleNamespace(passed=False, **{MARK: True}))
    assert not is_undecided(SimpleNamespace(passed=True, **{MARK: True}))
    assert not is_undecided(SimpleNamespace(passed=False, **{MARK: False}))
    assert not is_undecided(SimpleNamespace(passed=False))
