"""Bets: fair under the null, in every order and at every prefix, and what they settle."""

import math
from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headtests.statistics import FRACTIONS, Bets, log_wealth, settle
from headtests.statistics.betting import settles_over

FIXED = settings(derandomize=True, deadline=None)


def scores(values, unit, mean, population=None):
    """Return scores with a mean under the null, in units, of a population where one is given."""
    boundary = Fraction(mean) * unit * (1 if population is None else population)
    return Bets(np.array(values), unit, boundary, population)


def wealth(bets):
    return [np.exp(side) for side in log_wealth(bets)]


# What bets are worth on average.


@pytest.mark.parametrize(
    ("support", "unit", "chances", "length"),
    [
        ([0, 1], 1, [Fraction(7, 10), Fraction(3, 10)], 9),
        ([0, 1], 1, [Fraction(1, 20), Fraction(19, 20)], 9),
        ([0, 2, 5], 5, [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)], 6),
        ([0, 2, 5], 5, [Fraction(1, 10), Fraction(1, 10), Fraction(8, 10)], 6),
    ],
)
def test_over_every_sequence_bets_on_the_exact_mean_are_worth_1(support, unit, chances, length):
    mean = sum(value * chance for value, chance in zip(support, chances, strict=True)) / unit
    expected = np.zeros((2, length))
    for places in product(range(len(support)), repeat=length):
        chance = float(math.prod(chances[place] for place in places))
        sequence = scores([support[place] for place in places], unit, mean)
        expected += chance * np.array(wealth(sequence))
    assert np.abs(expected - 1).max() < 1e-12


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        ([0, 1, 1, 1], 1),
        ([0, 0, 0, 1, 0, 0], 1),
        ([0, 2, 5, 5, 1, 3], 5),
        ([5, 5, 5, 5, 5, 4], 5),
        ([0, 0, 0, 0, 0, 7], 10**10),
        ([0, 0, 0, 0, 0, 7], 10**14),
    ],
)
def test_over_every_order_of_a_population_bets_on_its_mean_are_worth_1(values, unit):
    mean = Fraction(sum(values), unit * len(values))
    orders = list(permutations(values))
    found = [wealth(scores(order, unit, mean, len(values))) for order in orders]
    assert np.abs(np.mean(found, axis=0) - 1).max() < 1e-12


@pytest.mark.parametrize("mean", ["0.3", "0.5", "0.9"])
def test_bets_against_a_mean_that_is_too_high_lose_and_those_for_it_win(mean):
    expected = np.zeros((2, 7))
    for places in product([0, 1], repeat=7):
        chance = 0.25 ** sum(places) * 0.75 ** (7 - sum(places))
        expected += chance * np.array(wealth(scores(places, 1, mean)))
    over, under = expected
    assert (np.diff(over) < 0).all()
    assert (over < 1).all()
    assert (np.diff(under) > 0).all()


def test_an_equal_part_is_staked_on_each_of_eight_fractions():
    assert FRACTIONS.tolist() == pytest.approx([0.01 * 95 ** (place / 7) for place in range(8)])
    over, under = wealth(scores([3], 4, "0.5"))
    assert over == pytest.approx([np.mean(1 + FRACTIONS * 0.5)])
    assert under == pytest.approx([np.mean(1 - FRACTIONS * 0.5)])


def test_what_is_left_of_a_population_is_bet_against_given_what_came_before():
    # Of four that sum to 3, after 0 the others are 1 on average, and after a 1 are 2/3.
    over, under = wealth(scores([0, 1], 1, "0.75", 4))
    assert over[1] == pytest.approx(np.mean(1 - FRACTIONS))
    assert under == pytest.approx([np.mean(1 + FRACTIONS * 3)] * 2)
    over, _ = wealth(scores([1, 1], 1, "0.75", 4))
    assert over[1] == pytest.approx(np.mean((1 + FRACTIONS / 3) * (1 + FRACTIONS / 2)))


def test_a_sample_of_something_larger_is_bet_against_one_mean():
    over, _ = wealth(scores([0, 1], 1, "0.75"))
    assert over[1] == pytest.approx(np.mean((1 - FRACTIONS) * (1 + FRACTIONS / 3)))


@FIXED
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.integers(0, 20))
def test_what_was_much_is_little_in_a_mirror(values, twentieths):
    bets = scores(values, 5, Fraction(twentieths, 20), 20)
    over, under = log_wealth(bets)
    mirrored_over, mirrored_under = log_wealth(bets.mirrored())
    assert over.tolist() == mirrored_under.tolist()
    assert under.tolist() == mirrored_over.tolist()


@FIXED
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=12),
    st.integers(0, 20),
    st.sampled_from([12, 20, None]),
)
def test_a_prefix_is_worth_what_it_was(values, twentieths, population):
    whole = scores(values, 5, Fraction(twentieths, 20), population)
    for units in range(len(values) + 1):
        for part, all_of_it in zip(log_wealth(whole.first(units)), log_wealth(whole), strict=True):
            assert part == pytest.approx(all_of_it[:units], abs=1e-12)


@FIXED
@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.integers(1, 19))
def test_numbers_past_64_bits_are_worth_the_same(values, twentieths):
    small = scores(values, 9, Fraction(twentieths, 20), 20)
    scale = 10**25
    large = Bets(
        np.array([value * scale for value in values], dtype=object),
        small.unit * scale,
        small.boundary * scale,
        20,
    )
    for one, other in zip(log_wealth(small), log_wealth(large), strict=True):
        assert one == pytest.approx(other, abs=1e-12)
    found = [settle(one, 0.05, ties=True) for one in (small, large)]
    assert len({(one.over, one.units, one.exact) for one in found}) == 1


def test_ten_thousand_documents_neither_overflow_nor_run_dry():
    ones = scores([1] * 10_000, 1, "0.5", 30_000)
    zeros = scores([0] * 10_000, 1, "0.5", 30_000)
    assert log_wealth(ones)[0][-1] > 3000
    assert log_wealth(zeros)[0][-1] < -100
    assert np.isfinite(log_wealth(ones)).all()
    assert np.isfinite(log_wealth(zeros)).all()
    # What ran dry comes back.
    late = scores([0] * 10_000 + [1] * 10_000, 1, "0.1")
    assert log_wealth(late)[0][-1] > 0


def test_there_is_nothing_to_bet_on_where_the_null_leaves_nothing_over():
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        over, under = log_wealth(scores([0] * 5, 1, 0, 9))
        assert over.tolist() == [0.0] * 5
        assert under.tolist() == [0.0] * 5
        over, under = log_wealth(scores([1] * 5, 1, 1, 9))
        assert over.tolist() == [0.0] * 5
        assert under.tolist() == [0.0] * 5
        # The third 1 is the last that the null leaves.
        over, under = log_wealth(scores([1, 1, 1, 0, 0, 0], 1, "0.5", 6))
        assert over[2:].tolist() == [over[2]] * 4


def test_bets_stop_where_the_null_is_no_longer_possible():
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        over, under = log_wealth(scores([1, 1, 1, 0, 1], 1, "0.5", 5))
    assert over[4] == over[3] == over[2] > over[1]
    assert under[4] == under[3] == under[2] < under[1]


# What they settle.


def test_a_tie_of_the_whole_counts_on_the_side_that_was_named():
    tied = scores([0, 1, 1, 1], 1, "0.75", 4)
    assert (settle(tied, 0.001, ties=True).over, settle(tied, 0.001, ties=False).over) == (1, 0)
    assert settle(tied, 0.001, ties=True).exact
    # Known before the last: 3 are reached, and 3 can at most be reached.
    early = scores([1, 1, 1, 0], 1, "0.75", 4)
    assert settle(early, 0.001, ties=True).units == 3
    assert settle(early, 0.001, ties=False).units == 4
    assert settle(tied, 0.001, ties=False).units == 1


@pytest.mark.parametrize("noise", [-3, 0, 3])
def test_what_is_closer_than_half_a_quantum_is_a_tie(noise):
    quanta = 2**30
    boundary = Fraction(6 * quanta) + Fraction(noise)
    tied = Bets(np.array([quanta] * 6 + [0]), quanta, boundary, 7)
    assert settle(tied, 0.001, ties=True).over
    assert not settle(tied, 0.001, ties=False).over


def test_a_tie_with_next_to_nothing_left_of_the_null_is_not_bet_on():
    quanta = 2**30
    # Of three, a millionth of a quantum is left; 3 quanta are many times that, and still a tie.
    boundary = Fraction(6 * quanta) + Fraction(1, 10**6)
    tied = Bets(np.array([quanta] * 6 + [3, 0, 0]), quanta, boundary, 9)
    assert (settle(tied, 0.001, ties=False).over, settle(tied, 0.001, ties=True).over) == (0, 1)


def test_small_means_are_bet_on():
    over, under = wealth(scores([1, 4], 2**30, Fraction(2, 2**30)))
    assert over == pytest.approx(
        [np.mean(1 - FRACTIONS / 2), np.mean((1 - FRACTIONS / 2) * (1 + FRACTIONS))]
    )
    assert under == pytest.approx([1, 1])


@pytest.mark.parametrize("noise", [-4, 4])
def test_what_is_further_than_half_a_quantum_is_no_tie(noise):
    quanta = 2**30
    boundary = Fraction(6 * quanta) + Fraction(noise)
    apart = Bets(np.array([quanta] * 6 + [0]), quanta, boundary, 7)
    assert [settle(apart, 0.001, ties).over for ties in (True, False)] == [noise < 0] * 2


def test_a_sample_of_something_larger_is_never_known_whole():
    assert settle(scores([1] * 9, 1, "0.9"), 0.001, ties=True).over is None
    assert not scores([1] * 9, 1, "0.9").exceeded(ties=True).any()


@pytest.mark.parametrize("mirror", [False, True])
def test_of_a_sample_it_is_known_that_no_figure_lies_outside_its_range(mirror):
    def exceeded(values, mean, ties):
        sample = scores(values, 1, mean)
        return (sample.mirrored() if mirror else sample).exceeded(ties).tolist()

    at, beyond, inside = (1, 2, "0.99") if mirror else (0, -1, "0.01")
    some, none = (0, 1) if mirror else (1, 0)
    assert exceeded([none, some, none], at, ties=True) == [True] * 3
    assert exceeded([none, some, none], at, ties=False) == [False, True, True]
    assert exceeded([none, some, none], beyond, ties=True) == [True] * 3
    assert exceeded([none, some, none], beyond, ties=False) == [True] * 3
    assert exceeded([none, some, none], inside, ties=True) == [False] * 3


def test_evidence_that_has_since_melted_away_still_settles_it():
    melting = scores([1] * 20 + [0] * 40, 1, "0.5")
    over, under = log_wealth(melting)
    reached = int(np.argmax(over >= math.log(1000)))
    assert 0 < reached < 19
    assert over[-1] < 0
    settled = settle(melting, 0.001, ties=True)
    assert (settled.over, settled.units, settled.exact) == (True, reached + 1, False)
    assert (settled.log_over, settled.log_under) == (over[reached], under[reached])
    # The value at the prefix that settled it, which was not yet the largest.
    assert settled.log_over < over.max()
    mirrored = settle(melting.mirrored(), 0.001, ties=False)
    assert (mirrored.over, mirrored.units, mirrored.exact) == (False, reached + 1, False)


def test_what_came_first_counts():
    turned = scores([1] * 14 + [0] * 400, 1, "0.5")
    over, under = log_wealth(turned)
    assert min(over.max(), under.max()) > math.log(1000)
    assert settle(turned, 0.001, ties=True).over
    assert not settle(turned.mirrored(), 0.001, ties=False).over
    assert settles_over(turned, 0.001, ties=True)
    assert not settles_over(turned.mirrored(), 0.001, ties=False)


def test_what_is_certain_comes_before_a_bet_that_is_won_by_the_same_document():
    quanta = 2**30
    # Of the last three quarters are left, less 2 quanta: a tie of the whole, and a bet won.
    most = 3 * quanta // 4
    tied = Bets(np.array([0] * 6 + [most] * 5 + [most - 2]), quanta, Fraction(6 * most), 12)
    before, after = log_wealth(tied)[1][-2:]
    assert before < after
    settled = settle(tied, math.exp(-(before + after) / 2), ties=True)
    assert (settled.over, settled.units, settled.exact) == (True, 12, True)


def test_one_over_alpha_itself_is_enough():
    short = scores([1] * 5, 1, "0.5")
    reached = log_wealth(short)[0][-1]
    assert settle(short, math.exp(-reached) * (1 + 1e-9), ties=True).over
    assert settle(short, math.exp(-reached) * (1 - 1e-9), ties=True).over is None


def test_what_is_open_shows_the_evidence_so_far():
    open_still = scores([1, 0, 1], 1, "0.5")
    over, under = log_wealth(open_still)
    settled = settle(open_still, 0.001, ties=True)
    assert (settled.over, settled.units, settled.exact) == (None, 3, False)
    assert (settled.log_over, settled.log_under) == (over[-1], under[-1])


def test_no_documents_are_no_evidence():
    nothing = settle(scores([], 1, "0.5", 4), 0.001, ties=True)
    assert (nothing.over, nothing.units, nothing.log_over, nothing.log_under) == (None, 0, 0, 0)


@FIXED
@example([1] * 20 + [0] * 40, 10, None, 0.001, True)
@given(
    st.lists(st.integers(0, 5), max_size=20),
    st.integers(0, 20),
    st.sampled_from([20, 25, None]),
    st.sampled_from([0.4, 0.05, 0.001]),
    st.booleans(),
)
def test_the_short_way_finds_the_same(values, twentieths, population, alpha, ties):
    population = None if population is None else max(population, len(values))
    bets = scores(values, 5, Fraction(twentieths, 20), population)
    assert settles_over(bets, alpha, ties) == (settle(bets, alpha, ties).over is True)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, -0.1, math.nan])
def test_an_alpha_that_is_no_rate_of_false_decisions_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha"):
        settle(scores([1], 1, "0.5"), alpha, ties=True)


def test_more_scores_than_there_are_documents_are_refused():
    with pytest.raises(ValueError, match="at most 2 scores"):
        scores([1, 1, 1], 1, "0.5", 2)
