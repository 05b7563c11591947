"""Planned sample sizes: the formula, its limits, and that claims take about as many."""

import math
from fractions import Fraction

import numpy as np
import pytest

from headtests.claims.verdicts import decide
from headtests.statistics import (
    BoundedRatio,
    Mean,
    Ratio,
    ScaledMean,
    documents_needed,
    more_documents,
    planned_documents,
    quantise,
    settle,
)
from headtests.statistics.quanta import QUANTA


def test_the_formula_rounded_up():
    assert planned_documents(0.1, 0.2) == math.ceil(2 * (math.log(1000) + 2) * 4) == 72
    assert planned_documents(0.1, 0.2, alpha=0.05) == 40
    assert planned_documents(0.05, 0.2) == 286


def test_no_more_than_there_are_and_no_fewer_than_one():
    assert planned_documents(0.1, 0.2, population=71) == 71
    assert planned_documents(0.1, 0.2, population=73) == 72
    assert planned_documents(0.0, 0.2, population=50) == 50
    assert planned_documents(1e-200, 0.2, population=50) == 50
    assert planned_documents(0.5, 0.0) == 1


@pytest.mark.parametrize("gap", [0.0, 1e-300])
def test_a_gap_that_no_number_of_documents_shows_is_refused(gap):
    with pytest.raises(ValueError, match="gap"):
        planned_documents(gap, 0.5)


@pytest.mark.parametrize(
    ("gap", "deviation"), [(-0.1, 0.2), (0.1, -0.2), (math.nan, 0.2), (0.1, math.nan)]
)
def test_negative_gaps_and_deviations_are_refused(gap, deviation):
    with pytest.raises(ValueError, match="0 or more"):
        planned_documents(gap, deviation, population=50)


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_an_alpha_that_is_no_rate_of_false_decisions_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha"):
        planned_documents(0.1, 0.2, alpha)
    with pytest.raises(ValueError, match="alpha"):
        more_documents(Mean(quantise([0.5]), None), Fraction("0.4"), alpha)


@pytest.mark.parametrize("threshold", ["0.3", "0.5", "0.35"])
def test_half_of_all_claims_take_about_as_many_as_planned(threshold):
    deviation = math.sqrt(0.4 * 0.6 / 5)
    planned = planned_documents(abs(0.4 - float(threshold)), deviation)
    random = np.random.default_rng(0)
    taken = []
    for _ in range(100):
        scores = Mean(quantise(random.beta(1.6, 2.4, 2000)), None).scores(Fraction(threshold))
        taken.append(settle(scores, 0.001, ties=True).units)
    assert np.median(taken) == pytest.approx(planned, rel=0.3)


def test_a_quarter_takes_fewer_and_a_quarter_more_than_the_quartiles_planned():
    deviation, random = math.sqrt(0.4 * 0.6 / 5), np.random.default_rng(1)
    lower, upper = (documents_needed(0.5, 0.4, deviation, quantile=part) for part in (0.25, 0.75))
    taken = np.array(
        [
            settle(
                Mean(quantise(random.beta(1.6, 2.4, 600)), None).scores(Fraction("0.5")),
                0.001,
                True,
            ).units
            for _ in range(300)
        ]
    )
    # Of 300, fewer than 40 or more than 115 would come once in a thousand.
    assert 40 < np.count_nonzero(taken <= lower) < 115
    assert 40 < np.count_nonzero(taken > upper) < 115


@pytest.mark.slow
@pytest.mark.parametrize("population", [None, 4000])
def test_of_open_claims_half_take_more_than_the_median_and_a_quarter_leave_each_quartile(
    population,
):
    random = np.random.default_rng(2)
    below = {"lower": 0, "median": 0, "upper": 0}
    claims = 0
    while claims < 150:
        # Thresholds at distances that 128 documents mostly leave open, on either side.
        threshold = Fraction(float(np.clip(0.4 + random.normal(0, 0.04), 0.1, 0.9)))
        figures = Mean(quantise(random.beta(1.6, 2.4, 4000)), population)
        if population is not None:
            # The claim is about this population, whose average is not quite 0.4.
            threshold += figures.value - Fraction(2, 5)
        if settle(figures.first(128).scores(threshold), 0.001, ties=True).over is not None:
            continue
        claims += 1
        settled = settle(figures.scores(threshold), 0.001, ties=True)
        taken = math.inf if settled.over is None else settled.units - 128
        more = more_documents(figures.first(128), threshold, 0.001)
        for name in below:
            below[name] += taken <= (getattr(more, name) or math.inf)
    shares = {name: number / claims for name, number in below.items()}
    # Each would be missed by 0.15 once in ten thousand.
    assert shares["lower"] == pytest.approx(0.25, abs=0.15)
    assert shares["median"] == pytest.approx(0.5, abs=0.15)
    assert shares["upper"] == pytest.approx(0.75, abs=0.15)


def test_quartiles_close_in_on_the_median_as_more_is_read():
    def spread(read):
        figures = Mean(quantise([0.5, 0.3] * (read // 2)), None)
        more = more_documents(figures, Fraction("0.38"), 0.001)
        return (read + more.upper) / (read + more.lower)

    assert spread(20) > spread(60) > spread(200) > spread(400) > 1
    # So few leave open on which side it is.
    assert more_documents(Mean(quantise([0.5, 0.3]), None), Fraction("0.39"), 0.001).upper is None


@pytest.mark.parametrize("quantile", [0.0, 1.0, -1, math.nan])
def test_a_quantile_lies_between_0_and_1(quantile):
    with pytest.raises(ValueError, match="quantile"):
        documents_needed(0.3, 0.4, 0.2, quantile=quantile)


@pytest.mark.parametrize("population", [None, 2000])
def test_what_was_read_counts_towards_the_plan(population):
    values = quantise([0.5, 0.3] * 30)
    contrast = Mean(values, population)
    planned = planned_documents(0.02, 0.1, population=population)
    assert more_documents(contrast, Fraction("0.38"), 0.001).median == planned - 60
    assert more_documents(contrast, Fraction("0.42"), 0.001).median == planned - 60
    assert more_documents(contrast.first(40), Fraction("0.38"), 0.001).median == planned - 40


def test_no_more_than_are_left_and_no_fewer_than_one():
    contrast = Mean(quantise([0.5, 0.3] * 30), 100)
    assert more_documents(contrast, Fraction("0.3999"), 0.001) == (40, 40, 40)
    assert more_documents(contrast, Fraction("0.4"), 0.001) == (40, 40, 40)
    assert more_documents(contrast, Fraction("0.2"), 0.001) == (1, 1, 1)


def test_figures_that_are_the_threshold_are_never_told_from_it_beyond_the_corpus():
    assert more_documents(Mean(quantise([0.25, 0.75]), None), Fraction("0.5"), 0.001) is None


def test_nothing_is_known_of_no_documents():
    assert more_documents(Mean(quantise([]), None), Fraction("0.5"), 0.001) is None
    assert more_documents(Mean(quantise([]), 20), Fraction("0.5"), 0.001) == (20, 20, 20)


@pytest.mark.parametrize("threshold", ["0.4", "0.6", "0"])
def test_figures_without_spread_take_their_time_too(threshold):
    def of(units):
        return Mean(quantise([0.5] * units), None)

    more = more_documents(of(5), Fraction(threshold), 0.001).median
    needed = settle(of(100).scores(Fraction(threshold)), 0.001, ties=True).units
    if threshold == "0":
        # Nothing is bet on a threshold that cannot be missed.
        assert more == 1
    else:
        assert needed == 5 + more


def test_a_threshold_outside_the_span_counts_as_its_end():
    half, one = quantise([0.5, 0.25] * 5), quantise([1.0] * 10)
    ratio = Ratio(half, one, Fraction(1), None)
    for beyond, end in (("1.5", "1"), ("-1", "0")):
        found = more_documents(ratio, Fraction(beyond), 0.001)
        assert found == more_documents(ratio, Fraction(end), 0.001)
    unending = BoundedRatio(half, one, None)
    assert more_documents(unending, Fraction(-1), 0.001).median == 1
    assert more_documents(unending, Fraction(10**6), 0.001).median > 0


def test_a_lift_is_planned_for_by_its_mass():
    mass = Mean(quantise([0.5, 0.3] * 30), 2000)
    lift = ScaledMean(mass.numerators, 2000, 2000 * QUANTA // 8)
    found = [more_documents(mass, Fraction("0.38"), 0.001)]
    assert found == [more_documents(lift, Fraction("0.38") * 8, 0.001)]


@pytest.mark.parametrize(
    ("threshold", "expected", "deviation"),
    [
        (0.3, 0.957, 0.012),
        (0.8, 0.957, 0.012),
        (0.9, 0.95, 0.02),
        (0.6, 0.5, 0.2),
        (0.2, 0.1, 0.01),
    ],
)
def test_documents_that_agree_take_what_a_bet_on_them_can_win(threshold, expected, deviation):
    needed = documents_needed(threshold, expected, deviation)
    used = []
    for seed in range(30):
        values = np.random.default_rng(seed).normal(expected, deviation, 1000).clip(0, 1)
        comparison = ">=" if expected > threshold else "<="
        found = decide(Mean(quantise(values), None), comparison, Fraction(str(threshold)), 0.001)
        used.append(found.units)
    assert needed / 1.5 < np.median(used) < 1.5 * needed
    assert documents_needed(threshold, expected, deviation, population=3) == 3


@pytest.mark.parametrize(("threshold", "expected"), [(-0.1, 0.5), (0.5, 1.1), (math.nan, 0.5)])
def test_a_share_lies_from_0_to_1(threshold, expected):
    with pytest.raises(ValueError, match="from 0 to 1"):
        documents_needed(threshold, expected, 0.1)
