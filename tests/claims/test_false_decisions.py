"""How often whole claims are decided falsely at their exact threshold, in seeded runs."""

from math import comb

import numpy as np
import pytest

import headtests as ht
from headtests.claims.verdicts import Verdict
from headtests.statistics import Eligible
from tests.fakes import FakeEvidence, figures

pytestmark = pytest.mark.slow

RUNS = 1000
THRESHOLD = 0.4
STEPS = (128, 512)
POPULATION = 512
SAMPLED_FROM = Eligible(np.arange(10**6), np.arange(10**6))
ONCE_IN_A_MILLION = 1e-6
PREVIOUS = "L0H0.mass(ht.previous)"


def most_false(alpha):
    """Return the number of false decisions that a rate of alpha exceeds once in a million."""
    left = 1.0
    for count in range(RUNS + 1):
        left -= comb(RUNS, count) * alpha**count * (1 - alpha) ** (RUNS - count)
        if left < ONCE_IN_A_MILLION:
            return count
    return RUNS


def corpus(seed):
    """Return documents in random order whose average is the threshold exactly."""
    values = np.repeat([0.0, 0.25, 0.5, 1.0], POPULATION // 4)
    values[: POPULATION // 8] = 0.0
    # What is left over 0.4 or under it is put on some documents, in whole quanta.
    quanta = np.rint(values * 2**30).astype(np.int64)
    missing = round(THRESHOLD * 10) * POPULATION * 2**30 // 10 - int(quanta.sum())
    share, rest = divmod(missing, POPULATION // 4)
    quanta[POPULATION // 4 : POPULATION // 2] += share
    quanta[POPULATION // 4] += rest
    return np.random.default_rng(seed).permutation(quanta) / 2**30


def sample(seed):
    """Return documents of a distribution whose mean is the threshold."""
    return np.random.default_rng(seed).choice([0.0, 0.4, 0.8], POPULATION, p=[0.3, 0.4, 0.3])


def claims_of(values, alpha, beyond_corpus):
    """Yield the four claims at the threshold, and whether each is true."""
    evidence = FakeEvidence({PREVIOUS: figures(values)}, steps=STEPS, alpha=alpha)
    found = evidence.head("L0H0").mass(ht.previous, beyond_corpus=beyond_corpus)
    yield found >= THRESHOLD, True
    yield found <= THRESHOLD, True
    yield found > THRESHOLD, False
    yield found < THRESHOLD, False


@pytest.mark.parametrize("alpha", [0.05, 0.001])
@pytest.mark.parametrize(("draw", "beyond_corpus"), [(corpus, False), (sample, True)])
def test_a_thousand_runs_decide_falsely_no_more_often_than_is_stated(draw, beyond_corpus, alpha):
    false = np.zeros(4, dtype=int)
    for seed in range(RUNS):
        for place, (claim, truth) in enumerate(claims_of(draw(seed), alpha, beyond_corpus)):
            wrong = Verdict.REFUTED if truth else Verdict.HOLDS
            false[place] += claim.decide() is wrong
    assert false.max() <= most_false(alpha), false
    if alpha == 0.05:
        # The rate is used, so that the bound would see a larger one.
        assert false.min() > 0


def test_the_whole_corpus_is_right_about_its_own_average():
    for seed in range(50):
        # At such a rate, only the whole corpus can decide.
        for claim, truth in claims_of(corpus(seed), 1e-300, beyond_corpus=False):
            assert (claim.decide() is Verdict.HOLDS) is truth
            assert claim.left.documents <= POPULATION


def test_the_bounds_hold_as_often_as_is_stated():
    missed = 0
    for seed in range(300):
        values = sample(seed)
        evidence = FakeEvidence(
            {PREVIOUS: figures(values)},
            populations={PREVIOUS: SAMPLED_FROM},
            steps=(64,),
            alpha=0.05,
        )
        found = evidence.head("L0H0").mass(ht.previous).settled
        missed += not found.low <= THRESHOLD <= found.high
    assert missed <= 60
