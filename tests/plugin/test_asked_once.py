"""A test's body runs once, and each claim is decided and recorded once."""

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["rewrite", "plain"])
def test_the_body_runs_once(run_claims, pytester, mode):
    run = run_claims(
        """
@pytest.mark.head("L0H2", "L1H2")
def test_it(head):
    with open("ran.txt", "a") as file:
        print(head, file=file)
    assert head.mass(ht.previous) >= 0.1
""",
        f"--assert={mode}",
    )
    assert run.outcomes == {"passed": 1, "failed": 1}
    assert (pytester.path / "ran.txt").read_text().split() == ["L0H2", "L1H2"]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["rewrite", "plain"])
@pytest.mark.parametrize(
    ("body", "claims"),
    [
        # A failed assertion asks again, to explain itself.
        ("assert head.mass(ht.previous) <= 0.1", 1),
        ("assert 0.1 <= head.mass(ht.previous) <= 0.2", 2),
        ("assert head.mass(ht.previous) >= 0.1 and head.mass(ht.previous) <= 0.1", 2),
        ("claim = head.mass(ht.previous) >= 0.1\n    assert claim and claim and bool(claim)", 1),
        ("assert all(head.mass(ht.previous) >= t for t in (0.1, 0.2, 0.3))", 3),
        ("head.mass(ht.previous) >= 0.1", 0),
    ],
)
def test_each_comparison_is_recorded_once(run_claims, body, claims, mode):
    run = run_claims(
        f"""
@pytest.mark.head("L0H2")
def test_it(head):
    {body}
""",
        f"--assert={mode}",
    )
    assert len(run.record["claims"]) == claims


def test_the_answer_is_remembered(run_claims):
    run = run_claims(
        """
from headtests.measurement.readers.document_figures import FigureReader

@pytest.mark.head("L0H2")
def test_it(head, monkeypatch):
    claim = head.mass(ht.previous) >= 0.1
    assert claim
    monkeypatch.setattr(FigureReader, "read", None)
    assert claim
    assert head.mass(ht.previous) >= 0.2
"""
    )
    assert run.outcomes == {"passed": 1}, run.text


def test_assertions_need_no_rewriting(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L1H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1
""",
        "--assert=plain",
    )
    assert run.outcomes == {"failed": 1}
    assert run.claims == [("test_it[L1H2]", "refuted", "failed")]
