"""Figures of ranked or random pairs: exact, and compared only with figures of pairs."""

from fractions import Fraction

import pytest

import headtests as ht
from headtests.errors import ClaimError, NoEligibleRowError
from tests.fakes import FakeEvidence, figures, pair


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
        "  exact for those pairs, of a model over all 4 documents of a corpus",
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
    claim = top.fraction(ht.previous) > 3 * control.fraction(ht.previous)
    assert not claim
    assert claim.basis == (
        "exact for those pairs, of a model over all 4 documents of a corpus; about this seeded "
        "sample of pairs, of a model over all 4 documents of a corpus"
    )


@pytest.mark.parametrize(
    ("threshold", "message"),
    [(50, "from 0 to 1.* with 50 .*; 50 percent is 0.5"), (-1, "from 0 to 1.* with -1 ")],
)
def test_a_fraction_is_from_0_to_1(threshold, message):
    with pytest.raises(ClaimError, match=message):
        _ = fractions_of(3, 10) >= threshold


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
        with pytest.raises(NoEligibleRowError, match=r"no such pairs in a model over.*Drop on="):
            bool(found >= 0.5)


def test_a_figure_of_pairs_and_an_average_over_documents_are_not_compared():
    evidence = FakeEvidence(
        {"L0H0.mass(ht.previous)": figures([0.5])},
        ranked=[pair()],
        inside={ht.previous: lambda found: True},
    )
    head = evidence.head("L0H0")
    average, share = head.mass(ht.previous), head.ranked_multiples().fraction(ht.previous)
    with pytest.raises(ClaimError, match="Compare an average with an average") as raised:
        _ = average >= share
    assert f"{average!r} is an average over documents and {share!r}" in str(raised.value)
    with pytest.raises(ClaimError, match="Compare a fraction with a fraction") as raised:
        _ = share >= 2 * average
    assert f"{average!r} is an average over documents" in str(raised.value)
