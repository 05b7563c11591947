"""Verdicts: the rate of false decisions, exactness on a whole population, and stability."""

import math
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headtests.claims.verdicts import Verdict, decide, decide_apart, decide_exactly
from headtests.statistics import (
    QUANTA,
    BoundedRatio,
    Mean,
    MeanDifference,
    Ratio,
    ScaledMean,
    bounds,
    log_wealth,
    quantise,
)
from tests.by_hand import CASES, KINDS, most_false

FIXED = settings(derandomize=True, deadline=None, max_examples=40)
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
every_case = pytest.mark.parametrize(("kind", "beyond"), CASES.values(), ids=CASES)

OPERATORS = (">=", ">", "<=", "<")
OPPOSITE = {">=": "<", ">": "<=", "<=": ">", "<": ">="}
MIRRORED = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}
AT_A_TIE = {">=": "holds", ">": "refuted", "<=": "holds", "<": "refuted"}
OVER = {">=": "holds", ">": "holds", "<=": "refuted", "<": "refuted"}
UNDER = {">=": "refuted", ">": "refuted", "<=": "holds", "<": "holds"}

PARTS = st.sampled_from([0, QUANTA // 4, 429496730, QUANTA // 2, QUANTA]) | st.integers(0, QUANTA)
DOCUMENTS = st.lists(st.tuples(PARTS, PARTS), min_size=1, max_size=10)
SHARES = st.integers(1, 39).map(lambda number: Fraction(number, 40))
ALPHAS = st.sampled_from([0.4, 0.05, 0.001])
NEVER = 1e-12
"""An alpha that bets on 10 documents cannot reach: no order of them is rarer than 1 in 10!."""


def mean_of(values, population=None):
    return Mean(quantise(values), population)


def population_of(beyond, documents, unread=0):
    return None if beyond else len(documents) + unread


# Decided by what is certain.


@pytest.mark.slow
@every_kind
@pytest.mark.parametrize("operator", OPERATORS)
@FIXED
@given(documents=DOCUMENTS, share=SHARES)
@example(documents=[(QUANTA, QUANTA), (0, QUANTA // 2), (QUANTA, 0)], share=Fraction(1, 2))
def test_the_whole_population_decides_by_the_exact_comparison(kind, operator, documents, share):
    (threshold,) = kind.thresholds([share])
    found = decide(kind.make(documents, len(documents)), operator, threshold, NEVER)
    if kind.may_be_hidden(documents, threshold) and found.verdict == "undecided":
        assert not found.exact
        return
    expected = {1: OVER, 0: AT_A_TIE, -1: UNDER}[kind.side(documents, threshold)]
    assert found.verdict == expected[operator]
    assert found.exact
    assert found.log_e == (math.inf if found.verdict == "holds" else -math.inf)
    assert found.log_e_against == -found.log_e


@pytest.mark.slow
@every_kind
@pytest.mark.parametrize("operator", OPERATORS)
@FIXED
@given(documents=DOCUMENTS)
def test_the_figure_itself_as_the_threshold_is_a_tie(kind, operator, documents):
    value = kind.value(documents)
    if value is not None:
        contrast = kind.make(documents, len(documents))
        expected = "undecided" if contrast.rounding else AT_A_TIE[operator]
        found = decide(contrast, operator, value, NEVER)
        assert found.verdict == expected


@pytest.mark.slow
@every_kind
@FIXED
@given(documents=DOCUMENTS, share=SHARES, alpha=ALPHAS)
def test_the_whole_population_leaves_nothing_open(kind, documents, share, alpha):
    (threshold,) = kind.thresholds([share])
    for operator in OPERATORS:
        found = decide(kind.make(documents, len(documents)), operator, threshold, alpha)
        hidden = kind.may_be_hidden(documents, threshold)
        assert hidden or found.verdict is not Verdict.UNDECIDED


@pytest.mark.parametrize("operator", OPERATORS)
def test_ties_at_the_end_in_every_order(operator):
    for order in set(permutations([0.0, 1.0, 1.0, 1.0])):
        found = decide(mean_of(order, 4), operator, Fraction("0.75"), 0.001)
        assert found.verdict == AT_A_TIE[operator]
        assert found.exact


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("seed", range(5))
def test_seven_of_ten_tie_with_a_decimal(operator, seed):
    values = np.random.default_rng(seed).permutation([1.0] * 7 + [0.0] * 3)
    found = decide(mean_of(values, 10), operator, Fraction("0.7"), 0.001)
    assert (found.verdict, found.exact) == (AT_A_TIE[operator], True)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(
    ("value", "threshold"),
    [(0.4, "0.4"), (0.1 + 0.2, "0.3"), (1 - 0.9, "0.1"), (1 / 3, "0.3333333333333333")],
)
def test_a_constant_figure_ties_with_the_decimal_that_it_is(operator, value, threshold):
    found = decide(mean_of([value] * 3000, 3000), operator, Fraction(threshold), 0.001)
    assert found.verdict == AT_A_TIE[operator]


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_decimal_factor_ties(operator):
    left, right = quantise([0.55] * 1000), quantise([0.5] * 1000)
    found = decide(MeanDifference(left, right, Fraction("1.1"), 1000), operator, Fraction(0), 0.001)
    assert found.verdict == AT_A_TIE[operator]


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_decimal_ratio_ties(operator):
    numerators, denominators = quantise([0.07, 0.14] * 50), quantise([0.1, 0.2] * 50)
    ratio = Ratio(numerators, denominators, Fraction("0.2"), 100)
    assert decide(ratio, operator, Fraction("0.7"), 0.001).verdict == AT_A_TIE[operator]
    bounded = BoundedRatio(denominators, numerators, 100)
    threshold = Fraction("1.4285714285714286")
    assert decide(bounded, operator, threshold, 0.001).verdict == AT_A_TIE[operator]


def test_thresholds_at_the_ends_of_the_span_are_decided_or_tie():
    zeros, ones = mean_of([0.0] * 5, 5), mean_of([1.0] * 5, 5)
    for contrast, threshold in ((zeros, Fraction(0)), (ones, Fraction(1))):
        for operator in OPERATORS:
            assert decide(contrast, operator, threshold, 0.001).verdict == AT_A_TIE[operator]
    # What cannot be missed is known from the first.
    assert decide(mean_of([0.5, 0.5], 9), ">=", Fraction(0), 0.001).units == 1
    assert decide(mean_of([0.5, 0.5], 9), "<=", Fraction(1), 0.001).units == 1


def test_a_claim_is_settled_as_soon_as_the_rest_cannot_change_it():
    contrast = mean_of([1.0, 1.0, 0.0, 0.0, 0.0], 5)
    assert decide(contrast, ">=", Fraction("0.4"), NEVER).units == 2
    assert decide(contrast, "<=", Fraction("0.4"), NEVER).units == 5
    assert decide(contrast, "<", Fraction("0.4"), NEVER).units == 2
    assert decide(contrast, ">", Fraction("0.4"), NEVER).units == 5
    assert decide(contrast, "<=", Fraction("0.5"), NEVER).units == 5
    assert decide(contrast, ">=", Fraction("0.8"), NEVER).units == 4


# Decided by bets.


def test_a_clear_claim_holds_or_is_refuted_by_its_bets():
    contrast = mean_of([0.5] * 60, 10_000)
    log_over, log_under = log_wealth(contrast.scores(Fraction("0.3")))
    for operator in (">=", ">"):
        found = decide(contrast, operator, Fraction("0.3"), 0.001)
        assert (found.verdict, found.exact) == ("holds", False)
        assert 1 < found.units < 40
        assert log_over[found.units - 2] < math.log(1000) <= log_over[found.units - 1]
        # The value at the prefix that decided, which later ones exceed.
        assert found.log_e == log_over[found.units - 1] < log_over.max()
        assert found.log_e_against == log_under[found.units - 1] < 0
    for operator in ("<=", "<"):
        found = decide(contrast, operator, Fraction("0.3"), 0.001)
        assert (found.verdict, found.exact) == ("refuted", False)
        assert found.log_e == log_under[found.units - 1] < 0
        assert found.log_e_against == log_over[found.units - 1] >= math.log(1000)


def test_an_undecided_claim_shows_what_its_bets_are_worth():
    contrast = mean_of([0.5, 0.4, 0.6], 10_000)
    sides = [side[-1] for side in log_wealth(contrast.scores(Fraction("0.45")))]
    other_sides = np.repeat(sides[::-1], 2)
    for operator, expected, against in zip(
        OPERATORS, np.repeat(sides, 2), other_sides, strict=True
    ):
        found = decide(contrast, operator, Fraction("0.45"), 0.001)
        assert (found.verdict, found.units, found.exact) == ("undecided", 3, False)
        assert (found.log_e, found.log_e_against) == (expected, against)


def test_no_documents_decide_nothing():
    found = decide(mean_of([], 9), ">=", Fraction("0.5"), 0.001)
    assert (found.verdict, found.units) == ("undecided", 0)
    assert (found.log_e, found.log_e_against) == (0, 0)


@pytest.mark.parametrize(("gap", "documents"), [("0.2", 29), ("0.1", 88), ("0.05", 333)])
def test_claims_take_as_many_documents_as_the_method_is_known_to_take(gap, documents):
    # The slower direction: a threshold over a mean of 0.4, towards a half.
    threshold = Fraction("0.4") + Fraction(gap)
    taken = []
    for seed in range(100):
        figures = np.random.default_rng(seed).beta(1.6, 2.4, 1500)
        found = decide(mean_of(figures, 10_000), ">=", threshold, 0.001)
        assert found.verdict == "refuted"
        taken.append(found.units)
    assert np.median(taken) == pytest.approx(documents, rel=0.2)


@pytest.mark.slow
@every_case
@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_a_claim_at_its_exact_threshold_is_decided_falsely_no_more_often_than_said(
    kind, beyond, alpha
):
    random = np.random.default_rng(1)
    columns = random.choice([0, 0, QUANTA // 4, 429496730, QUANTA], (40, 2))
    population = [(int(left), int(right)) for left, right in columns]
    threshold = kind.value(population)
    runs, false = 1000, {">=": 0, "<=": 0}
    for run in range(runs):
        places = random.integers(40, size=40) if beyond else random.permutation(40)
        contrast = kind.make([population[place] for place in places], None if beyond else 40)
        operator = (">=", "<=")[run % 2]
        false[operator] += decide(contrast, operator, threshold, alpha).verdict == "refuted"
    assert max(false.values()) <= most_false(runs // 2, alpha)


# Laws.


@pytest.mark.slow
@every_case
@FIXED
@given(documents=DOCUMENTS, share=SHARES, alpha=ALPHAS, unread=st.integers(0, 5))
@example(
    documents=[(QUANTA, 0)] * 12 + [(0, QUANTA)] * 30,
    share=Fraction(1, 2),
    alpha=0.05,
    unread=0,
)
def test_a_verdict_is_that_of_the_shortest_prefix_and_never_turns_round(
    kind, beyond, documents, share, alpha, unread
):
    (threshold,) = kind.thresholds([share])
    whole = kind.make(documents, population_of(beyond, documents, unread))
    for operator in OPERATORS:
        last = decide(whole, operator, threshold, alpha)
        for units in range(len(documents) + 1):
            found = decide(whole.first(units), operator, threshold, alpha)
            if units < last.units:
                assert (found.verdict, found.units) == ("undecided", units)
            else:
                assert found == last


@pytest.mark.slow
@every_case
@FIXED
@given(
    documents=DOCUMENTS,
    shares=st.tuples(SHARES, SHARES).map(sorted),
    alpha=ALPHAS,
    unread=st.integers(0, 5),
)
def test_a_higher_threshold_is_never_easier_to_reach(
    kind, beyond, documents, shares, alpha, unread
):
    lower, higher = kind.thresholds(shares)
    contrast = kind.make(documents, population_of(beyond, documents, unread))
    rising = ["refuted", "undecided", "holds"]
    for operator in (">=", ">"):
        easier, harder = (
            decide(contrast, operator, threshold, alpha) for threshold in (lower, higher)
        )
        assert rising.index(easier.verdict) >= rising.index(harder.verdict)
        if harder.verdict == "holds":
            assert easier.units <= harder.units
        if easier.verdict == "refuted":
            assert harder.units <= easier.units


@pytest.mark.slow
@FIXED
@given(
    values=st.lists(PARTS, min_size=1, max_size=10),
    share=SHARES,
    alpha=ALPHAS,
    population=st.sampled_from([10, 13, None]),
)
def test_what_is_left_over_is_compared_from_the_other_side(values, share, alpha, population):
    column = np.array(values)
    for operator in OPERATORS:
        one = decide(Mean(column, population), operator, share, alpha)
        other = decide(Mean(QUANTA - column, population), MIRRORED[operator], 1 - share, alpha)
        assert one == other


@pytest.mark.slow
@every_case
@FIXED
@given(documents=DOCUMENTS, share=SHARES, alpha=ALPHAS, unread=st.integers(0, 5))
def test_a_claim_holds_where_its_opposite_is_refuted(kind, beyond, documents, share, alpha, unread):
    (threshold,) = kind.thresholds([share])
    contrast = kind.make(documents, population_of(beyond, documents, unread))
    other_way = {"holds": "refuted", "refuted": "holds", "undecided": "undecided"}
    for operator in OPERATORS:
        one = decide(contrast, operator, threshold, alpha)
        opposite = decide(contrast, OPPOSITE[operator], threshold, alpha)
        assert opposite.verdict == other_way[one.verdict]
        assert (opposite.units, opposite.exact) == (one.units, one.exact)
        assert (opposite.log_e, opposite.log_e_against) == (one.log_e_against, one.log_e)


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_an_alpha_that_is_no_rate_of_false_decisions_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha"):
        decide(mean_of([0.5]), ">=", Fraction("0.4"), alpha)
    ratio = BoundedRatio(quantise([0.5]), quantise([0.5]), None)
    with pytest.raises(ValueError, match="alpha"):
        decide_apart(ratio, ">=", ratio, Fraction(1), Fraction(0), alpha)


def test_verdicts_print_as_words():
    assert [f"{verdict}" for verdict in Verdict] == ["holds", "refuted", "undecided"]


# Two ratios.


def ratios(seed, factor=1.0, count=200, population=None):
    """Return two ratios of the same documents, the second about `factor` times the first."""
    random = np.random.default_rng(seed)
    columns = quantise(random.beta(2, 2, (4, count)))
    more = quantise(factor * columns[2] / QUANTA)
    kept = BoundedRatio(columns[0], columns[1], population)
    return kept, BoundedRatio(more, columns[3], population)


@pytest.mark.slow
@pytest.mark.parametrize("operator", OPERATORS)
def test_ratios_far_apart_are_decided_by_their_intervals(operator):
    low, high = ratios(0, factor=1 / 3)[::-1]
    found = decide_apart(high, operator, low, Fraction(1), Fraction(0), 0.001)
    assert found.verdict == OVER[operator]
    assert 10 < found.units < 200
    holds = found.verdict == "holds"
    assert found.log_e == (math.log(1000) if holds else -math.inf)
    assert found.log_e_against == (None if holds else math.log(1000))
    assert not found.exact
    other = decide_apart(low, operator, high, Fraction(1), Fraction(0), 0.001)
    assert (other.verdict, other.units) == (UNDER[operator], found.units)
    # The first prefix whose intervals, each at half of alpha, lie apart.
    for units in (found.units - 1, found.units):
        low_of_high = bounds(high.first(units), 0.0005)[0]
        high_of_low = bounds(low.first(units), 0.0005)[1]
        assert (low_of_high > high_of_low) == (units == found.units)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("factor", "offset", "verdict"),
    [
        ("1", "0.3", "holds"),
        ("1", "1.1", "refuted"),
        ("2", "0", "holds"),
        ("6", "0", "refuted"),
        ("6", "-1.5", "holds"),
    ],
)
def test_factors_and_offsets_count(factor, offset, verdict):
    low, high = ratios(0, factor=1 / 3, count=2000)[::-1]
    found = decide_apart(high, ">=", low, Fraction(factor), Fraction(offset), 0.001)
    assert found.verdict == verdict


@pytest.mark.slow
def test_the_decision_about_ratios_is_that_of_the_shortest_prefix():
    low, high = ratios(0, factor=1 / 3)[::-1]
    last = decide_apart(high, ">=", low, Fraction(1), Fraction(0), 0.001)
    for units in range(0, 201, 20):
        found = decide_apart(
            high.first(units), ">=", low.first(units), Fraction(1), Fraction(0), 0.001
        )
        if units < last.units:
            assert (found.verdict, found.units, found.log_e) == ("undecided", units, -math.inf)
            assert found.log_e_against is None
        else:
            assert found == last


@pytest.mark.slow
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("count", [1, 2, 40])
def test_ratios_of_a_whole_population_that_are_equal_tie(operator, count):
    low, high = ratios(0, count=count, population=count)
    for side, factor, offset in (
        (low, Fraction(1), Fraction(0)),
        (high, low.value / high.value, Fraction(0)),
        (high, Fraction(2), low.value - 2 * high.value),
        (high, Fraction(2), low.value - 2 * high.value + Fraction(1, 3 * QUANTA)),
    ):
        found = decide_apart(low, operator, side, factor, offset, 0.001)
        assert (found.verdict, found.units, found.exact) == (AT_A_TIE[operator], count, True)


@pytest.mark.parametrize("operator", OPERATORS)
def test_ratios_of_a_whole_population_are_compared_exactly(operator):
    left, right = ratios(3, count=40, population=40)
    for hair in (Fraction(1, QUANTA), -Fraction(1, QUANTA)):
        offset = left.value - right.value - hair
        found = decide_apart(left, operator, right, Fraction(1), offset, 0.001)
        assert found.verdict == (OVER if hair > 0 else UNDER)[operator]
        assert found.exact
        assert found.log_e == (math.inf if found.verdict == "holds" else -math.inf)
        assert found.log_e_against == -found.log_e


@pytest.mark.slow
@pytest.mark.parametrize("population", [40, None])
def test_ratios_that_are_equal_are_told_apart_no_more_often_than_said(population):
    random = np.random.default_rng(2)
    columns = random.choice([0, QUANTA // 4, QUANTA // 2, QUANTA], (4, 40))
    factor = BoundedRatio(*columns[:2], 40).value / BoundedRatio(*columns[2:], 40).value
    runs, alpha, false = 150, 0.2, 0
    for _ in range(runs):
        places = random.permutation(40) if population else random.integers(40, size=40)
        drawn = columns[:, places]
        left, right = (BoundedRatio(*drawn[two : two + 2], population) for two in (0, 2))
        found = decide_apart(left, ">=", right, factor, Fraction(0), alpha)
        false += found.verdict == "refuted"
    assert false <= most_false(runs, alpha)


def test_ratios_of_different_documents_are_refused():
    one, other = ratios(0)
    for unlike in (other.first(3), BoundedRatio(other.numerators, other.denominators, 300)):
        with pytest.raises(ValueError, match="same documents"):
            decide_apart(one, ">=", unlike, Fraction(1), Fraction(0), 0.001)


@pytest.mark.parametrize("factor", ["0", "-1"])
def test_a_factor_that_turns_a_comparison_round_is_refused(factor):
    one, other = ratios(0)
    with pytest.raises(ValueError, match="factor"):
        decide_apart(one, ">=", other, Fraction(factor), Fraction(0), 0.001)


# Figures that are known.


@pytest.mark.parametrize("operator", OPERATORS)
def test_each_comparison_below_at_and_above(operator):
    third = Fraction(1, 3)
    for gap, expected in ((-1, UNDER), (0, AT_A_TIE), (1, OVER)):
        found = decide_exactly(third + Fraction(gap, QUANTA), operator, third)
        assert found.verdict == expected[operator]
        assert (found.units, found.exact) == (0, True)
        assert found.log_e == (math.inf if found.verdict == "holds" else -math.inf)


@pytest.mark.parametrize("operator", OPERATORS)
def test_known_figures_are_rounded_before_they_are_compared(operator):
    # 3 * 0.1 is a hair over 0.3.
    found = decide_exactly(Fraction(3 * 0.1), operator, Fraction("0.3"))
    assert found.verdict == AT_A_TIE[operator]


# Figures with little to divide by.

RARE = 1 / 522_753
"""One strong pair among the pairs of a document of 1,024 tokens."""


def small_ratios(of, on, count=400):
    """Return ratios whose documents have `on` over `of`, all of one kind or the other."""
    columns = quantise(np.full(count, on)), quantise(np.full(count, of))
    return Ratio(*columns, Fraction(1), count), BoundedRatio(*columns, count)


@pytest.mark.parametrize("of", [1e-9, 1e-8, 1e-6, 1e-3, 0.5])
@pytest.mark.parametrize("threshold", ["1e-6", "0.001", "0.45", "0.98"])
def test_a_share_of_next_to_nothing_is_no_tie(of, threshold):
    for contrast in small_ratios(of, 0.0):
        for operator in OPERATORS:
            found = decide(contrast, operator, Fraction(threshold), NEVER)
            assert found.verdict == UNDER[operator]
        assert bounds(contrast, NEVER) == (0, 0)


def test_one_strong_pair_of_a_whole_corpus_decides():
    divisors = quantise(np.where(np.arange(400) == 7, RARE, 0.0))
    for share, expected in ((0, UNDER), (divisors, OVER)):
        contrast = Ratio(divisors * 0 + share, divisors, Fraction(1), 400)
        for operator in OPERATORS:
            found = decide(contrast, operator, Fraction("0.45"), NEVER)
            assert found.verdict == expected[operator]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("steps", [1, 3, 40])
def test_a_tie_is_half_a_quantum_of_the_figure_whatever_divides(operator, steps):
    for of in (0.9, 0.1, 0.002):
        for contrast in small_ratios(of, of / 2):
            for gap, expected in ((-steps, UNDER), (0, AT_A_TIE), (steps, OVER)):
                threshold = contrast.value - Fraction(gap, QUANTA)
                assert decide(contrast, operator, threshold, NEVER).verdict == expected[operator]


def test_what_rounding_hides_is_left_open_and_more_apart_is_not():
    # 0.44 of 1e-8 is 5 quanta of 11, which is 0.4545.
    for contrast in small_ratios(1e-8, 4.4e-9):
        low, high = bounds(contrast, NEVER)
        assert low < 0.44 < 0.4546 < high
        assert high - low == pytest.approx(2 * contrast.rounding, rel=0.1)
        for operator in OPERATORS:
            for threshold in ("0.44", "0.45", "0.4545", "0.47"):
                found = decide(contrast, operator, Fraction(threshold), NEVER)
                assert (found.verdict, found.exact) == ("undecided", False)
            assert decide(contrast, operator, Fraction("0.3"), NEVER).verdict == OVER[operator]
            assert decide(contrast, operator, Fraction("0.6"), NEVER).verdict == UNDER[operator]


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_lift_over_next_to_nothing_is_left_open_where_rounding_hides_it(operator):
    # 400 documents, of which one has a pair in the relation: of 70 quanta, and 140 are on it.
    lift = ScaledMean(np.array([140] + [0] * 399), 400, 70)
    assert decide(lift, operator, Fraction("1.5"), NEVER).verdict == "undecided"
    assert decide(lift, operator, Fraction(2), NEVER).verdict == "undecided"
    # However the base rates of the other documents were rounded, they are no thousand times it.
    many = ScaledMean(np.full(400, QUANTA // 2), 400, 400)
    assert decide(many, operator, Fraction(1000), NEVER).verdict == OVER[operator]
    # With much to divide by, a tie is a tie of the figure.
    healthy = ScaledMean(quantise(np.full(400, 0.1)), 400, 400 * quantise(0.05).item())
    for gap, expected in ((-2, UNDER), (0, AT_A_TIE), (2, OVER)):
        found = decide(healthy, operator, healthy.value - Fraction(2 * gap, QUANTA), NEVER)
        assert found.verdict == expected[operator]


@pytest.mark.parametrize("operator", OPERATORS)
def test_two_ratios_of_next_to_nothing_are_left_open_where_rounding_hides_it(operator):
    (_, left), (_, right) = small_ratios(1e-8, 4.4e-9), small_ratios(0.5, 0.225)
    found = decide_apart(left, operator, right, Fraction(1), Fraction(0), 0.001)
    assert (found.verdict, found.exact, found.units) == ("undecided", False, 400)
    found = decide_apart(left, operator, right, Fraction(2), Fraction(0), 0.001)
    assert (found.verdict, found.exact) == (UNDER[operator], True)


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_difference_of_lifts_over_next_to_nothing_is_left_open(operator):
    scale = Fraction(QUANTA, 8)
    figures = np.array([9, 7] * 200), np.array([8, 8] * 200)
    lifts = MeanDifference(*figures, Fraction(1), 400, scale, scale)
    assert decide(lifts, operator, Fraction(0), NEVER).verdict == "undecided"
    far = MeanDifference(figures[0] * 100, figures[1], Fraction(1), 400, scale, scale)
    assert decide(far, operator, Fraction(2), NEVER).verdict == OVER[operator]


def test_an_interval_of_all_but_one_document_with_nothing_to_divide_by_is_open():
    # The last document may hold all there is.
    for contrast in small_ratios(1e-9, 0.0, count=10_000):
        low, high = bounds(contrast.first(9_999), 0.001)
        assert low == 0
        assert high > 0.99
