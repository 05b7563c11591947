"""Estimates: averages, ratios and lifts, and the errors of those that cannot be had."""

from fractions import Fraction

import pytest
from fakes import FakeEvidence, figures, pair

import headtests as ht
from headtests import key, query
from headtests.errors import ClaimError, NoEligibleRowError


def one(call, measured):
    """Return the head of which one call measures this."""
    return FakeEvidence({f"L0H0.{call}": measured}).head("L0H0")


def test_an_estimate_has_its_value_size_and_controls():
    measured = figures([0.25, 0.75], rows=[3, 9], base_rates=[0.125, 0.375], resting=[0.5, 0.0])
    found = one("mass(ht.previous)", measured).mass(ht.previous)
    assert found.value == found.low == found.high == 0.5
    assert (found.documents, found.rows) == (2, 12)
    assert (found.base_rate, found.resting_mass) == (0.25, 0.25)
    assert found.kind == "mass"
    assert type(found.rows) is int


def test_a_verdict_on_an_estimate_is_about_these_documents():
    found = one("mass(ht.previous)", figures([0.5])).mass(ht.previous)
    assert found.basis == "exact average of a model over all 4 documents of a corpus"


def test_a_mass_of_another_divides_two_averages():
    measured = figures(
        [0.25, 0.25], [0.5, 0.25], base_rates=[0.1, 0.1], base_denominators=[0.5, 0.5]
    )
    found = one("mass(ht.induction, of=~ht.first)", measured).mass(ht.induction, of=~ht.first)
    assert found.exact == Fraction(2, 3)
    assert found.base_rate == pytest.approx(0.2)
    assert found >= 0.6666
    assert not found > 2 / 3


def test_a_lift_is_told_in_multiples():
    measured = figures([0.5], [0.125], base_rates=[0.125], base_denominators=[0.125])
    claim = one("lift(ht.previous)", measured).lift(ht.previous) >= 4
    assert claim.explanation()[:3] == [
        "holds: 4x over 1 document (10 rows),",
        "  as >= 4 was claimed",
        "  uniform attention would give 1x",
    ]


def test_a_lift_beyond_what_all_of_the_attention_would_be_is_refused():
    measured = figures([0.5], [0.125], base_rates=[0.125], base_denominators=[0.125])
    found = one("lift(ht.previous)", measured).lift(ht.previous)
    assert not found >= 8
    with pytest.raises(ClaimError) as raised:
        bool(found >= 9)
    assert str(raised.value) == (
        "L0H0.lift(ht.previous) can never reach 9: uniform attention gives 0.125 there, so that "
        "all of the attention is a lift of 8. Lower the threshold, or claim a mass."
    )


def test_no_other_statistic_is_refused_for_its_base_rate():
    found = one("mass(ht.previous)", figures([0.5], base_rates=[1.0])).mass(ht.previous)
    assert not found >= 1


# Without an eligible row.


@pytest.mark.parametrize(
    ("call", "ask", "missing"),
    [
        (
            'mass(key.is_(" Zyzzyva"))',
            lambda head: head.mass(key.is_(" Zyzzyva")),
            'rows with keys whose token is " Zyzzyva" to attend to. Check the tokens that the '
            "expression names, or measure on a corpus where they occur. Position 0, where BOS "
            "stands, is taken out: ht.first asks for it, and suppress_first_token=False on the "
            "head marker puts it back.",
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


def test_without_documents_there_are_no_controls():
    found = one("mass(ht.previous)", figures([])).mass(ht.previous)
    assert (found.documents, found.rows) == (0, 0)
    assert (found.base_rate, found.resting_mass) == (None, None)
    assert found.controls() == []


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


# Two estimates.


def two(left, right):
    evidence = FakeEvidence({"L0H0.mass(ht.previous)": left, "L1H1.mass(ht.induction)": right})
    return evidence.head("L0H0").mass(ht.previous), evidence.head("L1H1").mass(ht.induction)


def test_two_estimates_are_compared_on_the_documents_that_are_eligible_for_both():
    left, right = two(
        figures([1.0, 0.25, 0.25], documents=[0, 1, 2], rows=[100, 1, 2]),
        figures([0.5, 0.5, 0.0], documents=[1, 2, 3]),
    )
    claim = left >= right
    assert not claim
    assert (claim.left.value, claim.right.value) == (0.25, 0.5)
    assert claim.left.documents == claim.right.documents == 2
    assert claim.explanation()[0] == "refuted: 0.25 over 2 documents (3 rows),"
    assert claim.explanation()[2] == "  which is 0.5 over 2 documents (20 rows)"


def test_a_comparison_leaves_the_figures_that_were_compared_as_they_were():
    left, right = two(figures([1.0, 0.25], documents=[0, 1]), figures([0.5, 0.0], documents=[1, 2]))
    assert not left >= right
    assert left.value == 0.625
    assert left.documents == 2


def test_estimates_with_no_document_in_common_cannot_be_compared():
    left, right = two(figures([0.5], documents=[0]), figures([0.5], documents=[1]))
    with pytest.raises(NoEligibleRowError) as raised:
        bool(left >= right)
    assert str(raised.value) == (
        "no document is eligible for both L0H0.mass(ht.previous) and L1H1.mass(ht.induction), so "
        "they cannot be compared on the same documents. Give both the same when=."
    )


@pytest.mark.parametrize("empty", ["left", "right"])
def test_a_side_without_an_eligible_row_has_its_own_error(empty):
    none, some = figures([]), figures([0.5])
    left, right = two(none, some) if empty == "left" else two(some, none)
    with pytest.raises(NoEligibleRowError, match="has no eligible row"):
        bool(left >= right)


def test_estimates_of_two_models_or_corpora_are_not_compared():
    here = one("mass(ht.previous)", figures([0.5])).mass(ht.previous)
    there = one("mass(ht.previous)", figures([0.5])).mass(ht.previous)
    with pytest.raises(ClaimError) as raised:
        _ = here >= there
    assert str(raised.value) == (
        "L0H0.mass(ht.previous) and L0H0.mass(ht.previous) were measured on different documents or "
        "models. Compare two heads of one model over one corpus."
    )


# Figures of pairs.


def fractions_of(inside, of, *, relation=ht.previous, kind="ranked"):
    """Return the fraction of a sample of which so many pairs lie in a relation."""
    pairs = [pair(key=place) for place in range(of)]
    evidence = FakeEvidence(ranked=pairs, random=pairs, inside={relation: lambda p: p.key < inside})
    head = evidence.head("L0H0")
    found = head.ranked_multiples(50) if kind == "ranked" else head.random_multiples(50)
    return found.fraction(relation)


@pytest.mark.parametrize(
    ("inside", "of", "threshold"), [(3, 10, 0.3), (7, 10, 0.7), (6, 10, 0.6), (1, 3, 1 / 3)]
)
def test_a_fraction_of_pairs_ties_with_the_decimal_that_it_is(inside, of, threshold):
    found = fractions_of(inside, of)
    assert found >= threshold
    assert found <= threshold
    assert not found > threshold
    assert not found < threshold


def test_a_fraction_of_pairs_is_exact():
    assert fractions_of(1, 3).exact == Fraction(1, 3)
    assert fractions_of(3, 10).value == 0.3


def test_the_number_of_pairs_stands_behind_a_fraction():
    claim = fractions_of(3, 10) >= 0.5
    assert claim.explanation() == [
        "refuted: 0.3 of 10 pairs,",
        "  where >= 0.5 was claimed",
        "  a model over all 4 documents of a corpus",
    ]
    assert fractions_of(1, 1).summary() == "1 of 1 pair"


def test_fractions_of_two_samples_compare_exactly():
    evidence = FakeEvidence(
        ranked=[pair(key=place) for place in range(10)],
        random=[pair(key=place) for place in range(30)],
        inside={ht.previous: lambda found: found.key < 3},
    )
    head = evidence.head("L0H0")
    top, control = head.ranked_multiples(10), head.random_multiples(30)
    assert top.fraction(ht.previous) >= 3 * control.fraction(ht.previous)
    assert not top.fraction(ht.previous) > 3 * control.fraction(ht.previous)


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        (
            50,
            "fraction is a figure from 0 to 1, so comparing it with 50 claims nothing. Choose a "
            "threshold in that range; 50 percent is 0.5.",
        ),
        (
            -1,
            "fraction is a figure from 0 to 1, so comparing it with -1 claims nothing. Choose a "
            "threshold in that range.",
        ),
    ],
)
def test_a_fraction_is_from_0_to_1(threshold, message):
    with pytest.raises(ClaimError) as raised:
        _ = fractions_of(3, 10) >= threshold
    assert str(raised.value) == message


@pytest.mark.parametrize("kind", ["median", "mean"])
def test_a_median_or_mean_of_multiples_has_no_upper_end(kind):
    found = getattr(FakeEvidence(ranked=[pair()]).head("L0H0").ranked_multiples(), kind)
    assert found <= 1e6
    with pytest.raises(
        ClaimError, match=f"{kind} is a figure of 0 or more, so comparing it with -1"
    ):
        _ = found >= -1


def test_figures_of_no_pairs_are_an_error():
    head = FakeEvidence(inside={ht.previous: lambda found: True}).head("L0H0")
    none = head.ranked_multiples(5)
    for found in (none.fraction(ht.previous), none.median, none.mean):
        with pytest.raises(NoEligibleRowError) as raised:
            bool(found >= 0.5)
        assert str(raised.value) == (
            f"{found!r} has no pairs to be a figure of: the head has none of that kind in a model "
            "over all 4 documents of a corpus. Drop on=, or measure on more documents."
        )


def test_a_figure_of_pairs_and_an_average_over_documents_are_not_compared():
    evidence = FakeEvidence(
        {"L0H0.mass(ht.previous)": figures([0.5])},
        ranked=[pair()],
        inside={ht.previous: lambda found: True},
    )
    head = evidence.head("L0H0")
    average, share = head.mass(ht.previous), head.ranked_multiples().fraction(ht.previous)
    with pytest.raises(ClaimError) as raised:
        _ = average >= share
    assert str(raised.value) == (
        f"{average!r} is an average over documents and {share!r} a figure of a sample of pairs. "
        "Compare an average with an average, a fraction with a fraction."
    )
    with pytest.raises(ClaimError) as raised:
        _ = share >= 2 * average
    assert str(raised.value) == (
        f"{share!r} is a figure of a sample of pairs and {average!r} an average over documents. "
        "Compare a fraction with a fraction, an average with an average."
    )
