"""Contrasts: the scores of the formulas, fair bets for every kind of comparison, exact figures."""

import math
from collections import Counter
from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.statistics import (
    QUANTA,
    BoundedRatio,
    Mean,
    MeanDifference,
    Ratio,
    ScaledMean,
    log_wealth,
    quantise,
)
from tests.by_hand import CASES, KINDS, wealth

FIXED = settings(derandomize=True, deadline=None, max_examples=40)
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
every_case = pytest.mark.parametrize(("kind", "beyond"), CASES.values(), ids=CASES)
two_thirds = Fraction(2, 3)

PARTS = st.sampled_from([0, QUANTA // 4, 429496730, QUANTA // 2, QUANTA]) | st.integers(0, QUANTA)
DOCUMENTS = st.lists(st.tuples(PARTS, PARTS), min_size=1, max_size=9)
SHARES = st.integers(0, 40).map(lambda number: Fraction(number, 41))

# Figures of four and six documents; no column is constant, no ratio divides by 0.
FOUR = [(0, QUANTA), (429496730, QUANTA // 4), (QUANTA, QUANTA // 2), (429496730, QUANTA // 4)]
SIX = [*FOUR, (QUANTA // 8, 0), (QUANTA, QUANTA)]


# Scores.


@pytest.mark.slow
@every_case
@FIXED
@given(documents=DOCUMENTS, share=SHARES, unread=st.integers(0, 3))
def test_scores_are_those_of_the_formula(kind, beyond, documents, share, unread):
    (threshold,) = kind.thresholds([share])
    population = None if beyond else len(documents) + unread
    found = kind.make(documents, population).scores(threshold)
    expected, null = kind.scores(documents, threshold)
    assert [Fraction(int(value), found.unit) for value in found.values] == expected
    assert found.boundary / found.unit / (population or 1) == null
    assert found.population == population
    assert all(0 <= value <= found.unit for value in found.values)


@pytest.mark.slow
@every_case
@FIXED
@given(documents=DOCUMENTS, share=SHARES)
def test_approximate_scores_are_near_enough(kind, beyond, documents, share):
    (threshold,) = kind.thresholds([share])
    contrast = kind.make(documents, None if beyond else len(documents) + 2)
    exact = contrast.scores(Fraction(float(threshold)))
    near = contrast.approximate(float(threshold))
    assert (near.values * float(exact.unit)).tolist() == pytest.approx(
        exact.values.astype(float).tolist(), abs=1e-12 * exact.unit
    )
    assert float(near.boundary) == pytest.approx(float(exact.boundary / exact.unit), abs=1e-12)
    assert (near.unit, near.population) == (1, exact.population)


@pytest.mark.slow
@every_case
@FIXED
@given(documents=DOCUMENTS, shares=st.lists(SHARES, max_size=4))
def test_scores_at_several_thresholds_are_those_at_each(kind, beyond, documents, shares):
    thresholds = [float(threshold) for threshold in kind.thresholds(shares)]
    contrast = kind.make(documents, None if beyond else len(documents) + 2)
    values, boundaries = contrast.approximate_each(np.array(thresholds))
    assert values.shape == (len(thresholds), len(documents))
    for row, boundary, threshold in zip(values, boundaries, thresholds, strict=True):
        one = contrast.approximate(threshold)
        assert row.tolist() == pytest.approx(one.values.tolist(), abs=1e-12)
        assert boundary == pytest.approx(float(one.boundary), abs=1e-12)


@pytest.mark.slow
@every_case
@FIXED
@given(documents=DOCUMENTS, share=SHARES, unread=st.integers(1, 3))
def test_bets_are_those_of_the_formula(kind, beyond, documents, share, unread):
    (threshold,) = kind.thresholds([share])
    population = None if beyond else len(documents) + unread
    found = log_wealth(kind.make(documents, population).scores(threshold))
    by_hand = zip(*wealth(*kind.scores(documents, threshold), population), strict=True)
    for side, expected in zip(found, by_hand, strict=True):
        assert np.exp(side).tolist() == pytest.approx(list(expected), rel=1e-9)


@pytest.mark.slow
@every_case
def test_over_every_sequence_or_order_bets_on_the_exact_figure_are_worth_1(kind, beyond):
    if beyond:
        length, threshold = 6, kind.value(FOUR)
        counted = Counter(FOUR)
        samples = [
            (documents, math.prod(counted[one] for one in documents) / len(FOUR) ** length)
            for documents in product(counted, repeat=length)
        ]
        contrasts = [(kind.make(documents, None), chance) for documents, chance in samples]
    else:
        length, threshold = len(SIX), kind.value(SIX)
        orders = list(permutations(SIX))
        contrasts = [(kind.make(order, length), 1 / len(orders)) for order in orders]
    expected = np.zeros((2, length))
    for contrast, chance in contrasts:
        expected += chance * np.exp(log_wealth(contrast.scores(threshold)))
    assert np.abs(expected - 1).max() < 1e-12


@every_kind
def test_numbers_past_64_bits_are_exact(kind):
    documents = SIX * 300
    (threshold,) = kind.thresholds([Fraction(123456789012345, 10**15)])
    found = kind.make(documents, len(documents)).scores(threshold)
    expected, null = kind.scores(documents, threshold)
    assert Fraction(int(found.sums[-1]), found.unit) == sum(expected)
    assert found.boundary / found.unit == null * len(documents)


def test_a_population_of_ten_thousand_averages_fits_64_bits():
    assert Mean(quantise([0.4]), 10_000).scores(Fraction("0.7")).values.dtype == np.int64
    ratio = Ratio(quantise([0.4]), quantise([0.5]), Fraction(1), 10_000)
    assert ratio.scores(Fraction("0.7")).values.dtype == np.int64
    assert ratio.scores(Fraction("0.70000000001")).values.dtype == object


# Figures.


@pytest.mark.slow
@every_kind
@FIXED
@given(documents=DOCUMENTS, units=st.integers(0, 10))
def test_figures_are_exact_of_any_prefix(kind, documents, units):
    part = kind.make(documents, 20).first(units)
    assert len(part) == min(units, len(documents))
    assert part.population == 20
    value = kind.value(documents[:units]) if units else None
    if value is None:
        with pytest.raises(ValueError, match="divides by 0"):
            _ = part.value
    else:
        assert part.value == value


def test_a_figure_past_64_bits_is_exact():
    ones = np.full(3, QUANTA)
    assert Mean(ones, 3).value == 1
    scale = Fraction(3, 10**30)
    assert MeanDifference(ones, ones, Fraction(0), 3, scale).value == scale


def test_thresholds_that_are_possible():
    half = quantise([0.5])
    assert Mean(half, None).span == (0, 1)
    assert ScaledMean(half, 4, QUANTA).span == (0, 4)
    assert Ratio(half, half, Fraction(1), None).span == (0, 1)
    assert BoundedRatio(half, half, None).span == (0, math.inf)
    assert MeanDifference(half, half, Fraction(3), None).span == (-3, 1)
    lifts = MeanDifference(half, half, Fraction(3), 4, Fraction(5), Fraction(7))
    assert lifts.span == (-21, 5)


def test_a_lift_divides_by_the_base_rate_of_the_whole_population():
    # Of ten documents, a base rate of a quarter, whichever are read.
    lift = ScaledMean(quantise([1.0, 0.5]), 10, 10 * QUANTA // 4)
    assert lift.base_rate == Fraction(1, 4)
    assert lift.value == 3
    assert lift.first(1).value == 4


# What is refused.


@pytest.mark.parametrize("wrong", [-1, QUANTA + 1])
@pytest.mark.parametrize(
    "make",
    [
        lambda found: Mean(found, 9),
        lambda found: ScaledMean(found, 9, QUANTA),
        lambda found: Ratio(np.full(2, 0), found, Fraction(1), 9),
        lambda found: BoundedRatio(found, np.full(2, 1), 9),
        lambda found: BoundedRatio(np.full(2, 1), found, 9),
        lambda found: MeanDifference(found, np.full(2, 1), Fraction(1), 9),
        lambda found: MeanDifference(np.full(2, 1), found, Fraction(1), 9),
    ],
)
def test_figures_outside_0_to_1_are_refused(make, wrong):
    make(np.array([0, QUANTA]))
    with pytest.raises(ValueError, match="1 of 2 outside"):
        make(np.array([0, wrong]))


def test_numerators_over_their_denominators_are_refused():
    with pytest.raises(ValueError, match=r"numerators .* 1 of 2 outside"):
        Ratio(np.array([1, 3]), np.array([1, 2]), Fraction(1), 9)


def test_denominators_over_their_largest_are_refused_but_not_for_being_rounded():
    third = quantise([1 / 3, two_thirds / 2])
    Ratio(third, third, Fraction(1, 3), 9)
    sixth = quantise([1 / 6])
    assert sixth[0] > Fraction(QUANTA, 6)
    assert Ratio(sixth, sixth, Fraction(1, 6), 9).scores(Fraction(1)).values.tolist() == sixth
    with pytest.raises(ValueError, match=r"denominators .* 1 of 1 outside"):
        Ratio(sixth, sixth + 1, Fraction(1, 6), 9)


@pytest.mark.parametrize("largest", ["0", "-1", "1.1"])
def test_a_largest_denominator_that_cannot_be_is_refused(largest):
    with pytest.raises(ValueError, match="largest denominator"):
        Ratio(np.array([0]), np.array([0]), Fraction(largest), 9)


def test_thresholds_that_scores_cannot_tell_are_refused():
    zeros = np.zeros(1, np.int64)
    for threshold in ("-0.1", "1.1"):
        with pytest.raises(ValueError, match="from 0 to 1"):
            Ratio(zeros, zeros, Fraction(1), None).scores(Fraction(threshold))
    with pytest.raises(ValueError, match="0 or more"):
        BoundedRatio(zeros, zeros, None).scores(Fraction("-0.1"))


def test_a_lift_over_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing is a multiple"):
        ScaledMean(np.array([0]), 9, 0)


@pytest.mark.parametrize("numbers", [("-1", "1", "1"), ("1", "0", "1"), ("1", "1", "-2")])
def test_factors_and_scales_that_turn_a_difference_round_are_refused(numbers):
    factor, left, right = map(Fraction, numbers)
    with pytest.raises(ValueError, match="factor"):
        MeanDifference(np.array([0]), np.array([0]), factor, 9, left, right)
