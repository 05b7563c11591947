"""Intervals: the thresholds that are not decided, no more and no fewer."""

import math
from fractions import Fraction

import numpy as np
import pytest

from headtests.statistics import QUANTA, BoundedRatio, Mean, bounds, narrowing, quantise, settle
from tests.by_hand import CASES, KINDS, most_false

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
every_case = pytest.mark.parametrize(("kind", "beyond"), CASES.values(), ids=CASES)


def documents_of(seed, count=60):
    """Return documents with two figures each, of which the second tends to be larger."""
    random = np.random.default_rng(seed)
    columns = random.beta(2, 3, count), random.beta(3, 2, count)
    return [(int(left), int(right)) for left, right in quantise(np.transpose(columns))]


def steps_of(contrast, threshold, steps):
    """Return a threshold a few steps further along the span."""
    low, high = contrast.span
    if high < math.inf:
        return Fraction(threshold) + Fraction(high - low) * steps / 2**20
    share = Fraction(threshold) / (1 + Fraction(threshold)) + Fraction(steps, 2**20)
    return share / (1 - share)


@pytest.mark.slow
@every_case
@pytest.mark.parametrize("alpha", [0.05, 0.001])
@pytest.mark.parametrize("seed", range(3))
def test_the_ends_are_where_thresholds_stop_being_decided(kind, beyond, alpha, seed):
    contrast = kind.make(documents_of(seed), None if beyond else 90)

    def over(threshold):
        return settle(contrast.scores(threshold), alpha, ties=True).over

    low, high = bounds(contrast, alpha)
    assert contrast.span[0] < low < contrast.value < high < contrast.span[1]
    assert over(Fraction(low)) is True
    assert over(steps_of(contrast, low, 2)) is None
    assert over(Fraction(high)) is False
    assert over(steps_of(contrast, high, -2)) is None


@every_kind
def test_of_the_whole_population_both_ends_are_the_value(kind):
    contrast = kind.make(documents_of(0, 20), 20)
    assert bounds(contrast, 0.001) == (float(contrast.value), float(contrast.value))


@pytest.mark.slow
@every_case
def test_intervals_shrink_as_documents_are_read(kind, beyond):
    whole = kind.make(documents_of(1), None if beyond else 61)
    found = [bounds(whole.first(units), 0.01) for units in range(0, 61, 6)]
    assert found[0] == whole.span
    lows, highs = np.transpose(found)
    assert (np.diff(lows) >= 0).all()
    assert (np.diff(highs[highs < math.inf]) <= 0).all()
    assert (lows < highs).all()


@every_case
def test_a_smaller_rate_of_false_decisions_makes_a_wider_interval(kind, beyond):
    contrast = kind.make(documents_of(2), None if beyond else 90)
    ends = [bounds(contrast, alpha) for alpha in (0.1, 0.01, 0.0001)]
    lows, highs = np.transpose(ends)
    assert (np.diff(lows) < 0).all()
    assert (np.diff(highs) > 0).all()


def test_an_end_keeps_what_the_best_prefix_knew():
    values = quantise([1.0] * 30 + [0.0] * 70)
    early = bounds(Mean(values[:30], None), 0.001)
    late = bounds(Mean(values, None), 0.001)
    assert late[0] == early[0] > 0.5


def test_what_is_left_of_a_population_bounds_its_mean():
    found = Mean(quantise([1.0, 0.0, 1.0, 0.5]), 8)
    low, high = bounds(found, 1e-300)
    assert low == pytest.approx(2.5 / 8, abs=2e-6)
    assert high == pytest.approx(6.5 / 8, abs=2e-6)
    assert low <= 2.5 / 8
    assert high >= 6.5 / 8


def test_what_no_threshold_is_too_high_for_has_no_upper_end():
    ones, zeros = np.full(40, QUANTA), np.zeros(40, np.int64)
    assert bounds(BoundedRatio(ones, zeros, None), 0.001)[1] == math.inf
    assert bounds(BoundedRatio(zeros, ones, None), 0.001)[0] == 0
    assert bounds(BoundedRatio(ones, zeros, None).first(0), 0.001) == (0, math.inf)


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_an_alpha_that_is_no_rate_of_false_decisions_is_refused(alpha):
    for population in (None, 1):
        with pytest.raises(ValueError, match="alpha"):
            bounds(Mean(quantise([0.5]), population), alpha)


def test_a_whole_population_without_a_value_is_refused():
    nothing = np.zeros(3, np.int64)
    with pytest.raises(ValueError, match="divides by 0"):
        bounds(BoundedRatio(nothing, nothing, 3), 0.001)


@pytest.mark.slow
@every_case
def test_each_end_misses_the_figure_no_more_often_than_was_said(kind, beyond):
    population, runs, alpha = documents_of(3, 20), 150, 0.05
    value = kind.value(population)
    random = np.random.default_rng(0)
    missed = np.zeros(2, np.int64)
    for _ in range(runs):
        places = random.integers(20, size=25) if beyond else random.permutation(20)[:19]
        contrast = kind.make([population[place] for place in places], None if beyond else 20)
        low, high = bounds(contrast, alpha)
        missed += [low > value, high < value]
    assert missed.max() <= most_false(runs, alpha)


# How they close.

STEP = 2.0**-12


def shares_of(contrast, ends):
    """Return how far along the span ends lie, from 0 to 1."""
    low, high = contrast.span
    if high < math.inf:
        return [(end - low) / (high - low) for end in ends]
    return [1.0 if end == math.inf else end / (1 + end) for end in ends]


def assert_outward_and_near(contrast, alpha, prefixes):
    found = narrowing(contrast, alpha, prefixes)
    assert len(found) == len(prefixes)
    for ends, units in zip(found, prefixes, strict=True):
        low, high = shares_of(contrast, ends)
        exact = shares_of(contrast, bounds(contrast.first(units), alpha))
        assert -1e-12 <= exact[0] - low <= STEP
        assert -1e-12 <= high - exact[1] <= STEP
    return found


@pytest.mark.slow
@every_case
@pytest.mark.parametrize("alpha", [0.05, 0.001])
@pytest.mark.parametrize("seed", range(3))
def test_an_interval_on_its_way_is_that_of_each_prefix(kind, beyond, alpha, seed):
    contrast = kind.make(documents_of(seed), None if beyond else 90)
    assert_outward_and_near(contrast, alpha, [1, 2, 3, 5, 8, 15, 29, 44, 60])


@pytest.mark.slow
@every_case
@pytest.mark.parametrize("seed", range(3))
def test_what_is_left_of_a_population_closes_it(kind, beyond, seed):
    # Few documents are left, so that what is certain decides, and bets can decide nothing.
    contrast = kind.make(documents_of(seed, 40), None if beyond else 41)
    assert_outward_and_near(contrast, 1e-300, [1, 10, 20, 39, 40])


@pytest.mark.slow
@every_case
def test_of_extremes_an_interval_closes_alike(kind, beyond):
    documents = [(QUANTA, 0)] * 12 + [(0, QUANTA)] * 20 + [(QUANTA, QUANTA)] * 8
    contrast = kind.make(documents, None if beyond else 60)
    assert_outward_and_near(contrast, 0.05, list(range(1, 41, 3)))


@every_case
def test_each_interval_on_the_way_lies_within_the_one_before(kind, beyond):
    contrast = kind.make(documents_of(1), None if beyond else 61)
    lows, highs = np.transpose(narrowing(contrast, 0.01, range(1, 61)))
    assert (np.diff(lows) >= 0).all()
    assert (highs[1:] <= highs[:-1]).all()
    last = bounds(contrast, 0.01)
    assert lows[-1] <= last[0] < last[1] <= highs[-1]


@pytest.mark.parametrize("count", [64, 65, 700])
def test_an_interval_on_its_way_takes_any_number_of_documents(count):
    values = quantise(np.random.default_rng(5).beta(2, 3, count))
    prefixes = [1, 7, 63, 64, count]
    found = assert_outward_and_near(Mean(values, None), 0.01, prefixes)
    assert found == narrowing(Mean(values, None).first(count), 0.01, prefixes)
    assert [narrowing(Mean(values, None), 0.01, [units])[0] for units in prefixes] == found
    assert narrowing(Mean(values, None), 0.01, prefixes[::-1]) == found[::-1]


def test_wealth_beyond_any_float_decides():
    # Each document multiplies what was staked by millions, and by a twentieth after them.
    values = quantise([1.0] * 100 + [0.0] * 400)
    contrast = BoundedRatio(values, QUANTA - values, None)
    assert_outward_and_near(contrast, 0.001, [50, 100, 101, 500])


def test_of_no_prefix_there_is_no_interval():
    assert narrowing(Mean(quantise([0.5]), 9), 0.001, []) == []


def test_an_alpha_that_is_no_rate_has_no_way():
    with pytest.raises(ValueError, match="alpha"):
        narrowing(Mean(quantise([0.5]), 9), 0.5, [1])
