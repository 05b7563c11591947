"""The errors of statistics that have no value."""

import pytest

import headtests as ht
from headtests import key, query
from headtests.errors import NoEligibleRowError
from tests.fakes import FakeEvidence, figures


def one(call, measured):
    """Return the head of which one call measures this."""
    return FakeEvidence({f"L0H0.{call}": measured}).head("L0H0")


@pytest.mark.parametrize(
    ("call", "ask", "missing"),
    [
        (
            'mass(key.is_(" Zyzzyva"))',
            lambda head: head.mass(key.is_(" Zyzzyva")),
            'rows with keys whose token is " Zyzzyva" to attend to. Check the tokens that the '
            "expression names, or measure on a corpus where they occur. Position 0, where BOS "
            "stands, is excluded: use ht.first for it, or include it with "
            "suppress_first_token=False on the head marker.",
        ),
        (
            "mass(ht.induction, when=query.repeats)",
            lambda head: head.mass(ht.induction, when=query.repeats),
            "rows whose query token occurred earlier with keys that follow an earlier occurrence "
            "of the query's token to attend to. Check the tokens that the expression names, or "
            "measure on a corpus where they occur.",
        ),
        (
            "lift(ht.duplicate)",
            lambda head: head.lift(ht.duplicate),
            "rows with keys that are earlier occurrences of the query's token to attend to. Check "
            "the tokens that the expression names, or measure on a corpus where they occur.",
        ),
        (
            "exceed_rate(1000, ht.duplicate)",
            lambda head: head.exceed_rate(1000, ht.duplicate),
            "rows with keys that are earlier occurrences of the query's token among at least 1000, "
            "without which no multiple is as high. Check the tokens that the expression names, or "
            "measure on a corpus where they occur.",
        ),
        (
            "precision(ht.duplicate, above=1000)",
            lambda head: head.precision(ht.duplicate, above=1000),
            "rows of at least 1000 keys, without which no multiple is as high. Lower above=, or "
            "measure on longer documents.",
        ),
        (
            "entropy()",
            lambda head: head.entropy(),
            "rows of at least 2 keys. Choose another when=, or measure on longer documents.",
        ),
        (
            "peak(when=query.position > 5)",
            lambda head: head.peak(when=query.position > 5),
            "rows whose query position is above 5. Choose another when=, or measure on longer "
            "documents.",
        ),
    ],
)
def test_a_statistic_without_an_eligible_row_is_an_error_that_says_what_is_missing(
    call, ask, missing
):
    head = one(call, figures([]))
    with pytest.raises(NoEligibleRowError) as raised:
        bool(ask(head) >= 0.4)
    assert str(raised.value) == (
        f"L0H0.{call} has no eligible row: no document of a model over all 4 documents of a "
        f"corpus has {missing}"
    )
    with pytest.raises(NoEligibleRowError):
        _ = ask(head).value


@pytest.mark.parametrize(
    ("call", "ask", "reason"),
    [
        (
            "precision(ht.previous, above=10)",
            lambda head: head.precision(ht.previous, above=10),
            "no pair has a multiple of 10 or more. Lower above=.",
        ),
        (
            "mass(ht.previous, of=ht.duplicate)",
            lambda head: head.mass(ht.previous, of=ht.duplicate),
            "no attention falls on keys that are earlier occurrences of the query's token. Choose "
            "another of=.",
        ),
        (
            'mass(ht.previous, of=ht.duplicate, weights="value")',
            lambda head: head.mass(ht.previous, of=ht.duplicate, weights="value"),
            "no value-weighted attention falls on keys that are earlier occurrences of the query's "
            "token. Choose another of=.",
        ),
        (
            "lift(ht.previous)",
            lambda head: head.lift(ht.previous),
            "uniform attention would put nothing there. Claim a mass instead.",
        ),
    ],
)
def test_a_ratio_over_nothing_is_an_error_that_says_why(call, ask, reason):
    head = one(call, figures([0.0, 0.0], [0.0, 0.0], base_rates=[0.0, 0.0]))
    with pytest.raises(NoEligibleRowError) as raised:
        bool(ask(head) >= 0.4)
    assert str(raised.value) == f"L0H0.{call} divides by zero: {reason}"


def test_what_only_the_budget_says_is_not_said_of_the_corpus():
    call = "precision(ht.previous, above=10)"
    evidence = FakeEvidence({f"L0H0.{call}": figures([0.0] * 10, [0.0] * 9 + [0.1])}, steps=(5,))
    with pytest.raises(NoEligibleRowError) as raised:
        bool(evidence.head("L0H0").precision(ht.previous, above=10) >= 0.4)
    assert str(raised.value) == (
        f"L0H0.{call} divides by zero: no pair has a multiple of 10 or more. Lower above= in the "
        "first 5 documents of the pass, or raise headtests_max_documents."
    )


def test_a_budget_without_an_eligible_document_says_how_many_there_are():
    evidence = FakeEvidence(
        {"L0H0.mass(ht.previous)": figures([0.5, 0.5], documents=[8, 9])}, steps=(5,)
    )
    with pytest.raises(NoEligibleRowError, match="2 eligible documents") as raised:
        bool(evidence.head("L0H0").mass(ht.previous) >= 0.4)
    assert "Raise headtests_max_documents" in str(raised.value)
