"""A claim that claims nothing: one clear error, at the line that makes it, without our frames."""

import pytest

BAD = {
    "a word that is no token": (
        'assert head.mass(key.is_(" Zyzzyva")) >= 0.1',
        "ExpressionError",
        ['" Zyzzyva" is not one token', "splits into"],
    ),
    "on= of the query": (
        "assert head.mass(query.repeats) >= 0.1",
        "ExpressionError",
        ["on=query.repeats", "when=query.repeats"],
    ),
    "when= of the key": (
        "assert head.mass(ht.previous, when=key.repeats) >= 0.1",
        "ExpressionError",
        ["when=key.repeats", "on=key.repeats"],
    ),
    "a figure as a truth value": (
        "if head.mass(ht.previous): pass",
        "ClaimError",
        ["has no truth value", "L0H2.mass(ht.previous) >= 0.4"],
    ),
    "a threshold that is out of range": (
        "assert head.mass(ht.previous) >= 1.5",
        "ClaimError",
        ["mass", "from 0 to 1", "1.5"],
    ),
    "no eligible row": (
        'assert head.mass(key.matches("no such token")) >= 0.1',
        "NoEligibleRowError",
        ["has no eligible row", "8 documents of repeated-random"],
    ),
}
TEST = """
@pytest.mark.head("L0H2")
def test_it(head):
    {statement}

@pytest.mark.head("L0H2")
def test_beside_it(head):
    assert head.mass(ht.previous) >= 0.1
"""


@pytest.mark.slow
@pytest.mark.parametrize("case", BAD)
def test_it_is_one_clear_error_at_the_users_line(run_claims, case):
    statement, kind, said = BAD[case]
    run = run_claims(TEST.format(statement=statement))
    assert run.outcomes == {"passed": 1, "failed": 1}
    shown = run.section("test_it[L0H2]")
    assert shown[1].strip() == statement
    assert [line for line in shown if ": in " in line] == [shown[0]]
    (error,) = (line for line in shown if line.startswith("E "))
    assert error.startswith(f"E   headtests.errors.{kind}: ")
    assert all(words in error for words in said), error
    assert shown[-1] == error
    outcome, message = run.unmeasured["test_it[L0H2]"]
    assert outcome == "failed"
    assert message == error.partition(": ")[2]


@pytest.mark.slow
def test_a_librarys_frames_are_not_the_users(run_claims):
    """An environment inside the project, as `.venv` often is, holds no lines of the user's."""
    run = run_claims(
        """
import contextlib

@pytest.mark.head("L0H2")
def test_it(head):
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: head.mass(ht.previous) >= 1.5)
""",
        "--rootdir=/",
        "--headtests-report=none",
    )
    assert run.outcomes == {"failed": 1}
    frames = [line for line in run.lines if ": in " in line]
    assert [line.partition(": in ")[2] for line in frames] == ["test_it", "<lambda>"]


def test_a_test_that_is_installed_is_still_the_users(run_claims, pytester, monkeypatch):
    """As `pytest --pyargs` runs it."""
    from headtests.plugin import outcomes

    monkeypatch.setattr(outcomes, "_LIBRARIES", (*outcomes._LIBRARIES, pytester.path))
    run = run_claims(TEST.format(statement="assert head.mass(ht.previous) >= 1.5"))
    assert ": in test_it" in run.section("test_it[L0H2]")[0]


@pytest.mark.slow
@pytest.mark.parametrize("style", ["long", "short", "line", "no"])
def test_every_style_of_traceback_is_without_our_frames(run_claims, style):
    run = run_claims(TEST.format(statement="assert head.mass(ht.previous) >= 1.5"), f"--tb={style}")
    assert run.outcomes == {"passed": 1, "failed": 1}
    assert "quantities.py" not in run.text
