"""Proposals decided on the second half: rates of false claims, and e-BH over all of them."""

import math
from fractions import Fraction

import numpy as np
import pytest

from headtests.atlas.decide import Decided, confirmed, decide, verdict_on
from headtests.claims.verdicts import Verdict
from headtests.statistics import Mean, Ratio, e_bh, quantise
from tests.by_hand import most_false

ALPHA = 0.05


def decision(log_e, verdict=Verdict.HOLDS):
    return Decided(verdict, log_e, 0.5, 0.4, 0.6)


def test_a_clear_share_holds_and_its_opposite_is_refuted():
    mass, rest = quantise(np.full(100, 0.4)), quantise(np.full(100, 0.8))
    assert decide(mass, rest, 0.3, 0.001).verdict is Verdict.HOLDS
    assert decide(mass, rest, 0.8, 0.001).verdict is Verdict.REFUTED
    assert decide(mass, rest, 0.5, 0.001).verdict is Verdict.UNDECIDED
    found = decide(mass, rest, 0.3, 0.001)
    assert found.value == pytest.approx(0.5)
    assert found.low < 0.5 < found.high
    assert found.log_e >= math.log(1000)


def test_without_what_does_not_rest_the_claim_is_about_the_average():
    mass = quantise(np.full(100, 0.4))
    assert decide(mass, None, 0.3, 0.001).value == pytest.approx(0.4)


@pytest.mark.parametrize("rest", [[], [0, 0]])
def test_nothing_to_divide_by_is_no_decision(rest):
    column = np.array(rest, dtype=np.int64)
    assert decide(column, column, 0.3, 0.001) is None


@pytest.mark.parametrize("replaced", [True, False], ids=["drawn anew", "from a finite half"])
def test_claims_at_the_exact_share_rarely_hold(replaced):
    """Documents are a sample of those of the half, with or without replacement."""
    generator = np.random.default_rng(0)
    runs, false = 1500, 0
    for _ in range(runs):
        rest = quantise(generator.uniform(0.2, 1.0, 60))
        mass = (rest * generator.beta(0.5, 1.5, 60)).astype(np.int64)
        share = mass.sum() / rest.sum()
        some = generator.choice(60, 40, replace=replaced)
        contrast = Ratio(mass[some], rest[some], Fraction(1), None)
        false += verdict_on(contrast, float(share), ALPHA)[0] is Verdict.HOLDS
    assert false <= most_false(runs, ALPHA)


def test_the_false_discovery_rate_is_kept_where_every_proposal_is_null():
    """With 20 claims at their exact share, any that is confirmed is false."""
    generator = np.random.default_rng(1)
    runs, with_false = 200, 0
    for _ in range(runs):
        decisions = []
        for _ in range(20):
            mass = Mean(quantise(generator.beta(0.5, 1.5, 40)), None)
            verdict, log_e = verdict_on(mass, 0.25, ALPHA)
            decisions.append(decision(log_e, verdict))
        with_false += any(confirmed(decisions))
    assert with_false <= most_false(runs, 0.05)


def test_confirmed_are_discoveries_that_hold():
    decisions = [decision(9.0), decision(9.0, Verdict.UNDECIDED), decision(0.5), None]
    assert confirmed(decisions) == [True, False, False, False]
    assert e_bh([9.0, 9.0, 0.5, -math.inf])[:2] == [True, True]


def test_what_does_not_hold_helps_no_other_to_be_a_discovery():
    """A part of e-BH's discoveries need not have their rate: it has to be found on its own."""
    weak = [decision(5.0, Verdict.UNDECIDED)] * 199
    assert all(e_bh([7.0, *[5.0] * 199]))
    assert not any(confirmed([decision(7.0), *weak]))
    assert confirmed([decision(9.0), *weak]) == [True, *[False] * 199]


def test_proposals_without_a_decision_count_among_all():
    alone, among = confirmed([decision(3.1)]), confirmed([decision(3.1), *[None] * 9])
    assert (alone, among[0]) == ([True], False)
