"""How stopping biases an estimate, and the estimate that it does not bias, in seeded runs."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from headtests.claims.verdicts import decide
from headtests.statistics import (
    QUANTA,
    BoundedRatio,
    Mean,
    MeanDifference,
    Ratio,
    ScaledMean,
    quantise,
)

ORDERS = 200
DOCUMENTS = 3000


def extent_of(stop):
    """Return how many documents are read where the one that decides is so far on."""
    extent = 64
    while extent < stop:
        extent *= 2
    return min(extent, DOCUMENTS)


def estimates(make, operator, threshold, population, seed=11):
    """Return the estimates where reading stopped and after it, of documents in random orders.

    `make` makes a contrast of documents' indices; `population` is None for draws with replacement.
    """
    random = np.random.default_rng(seed)
    stopped, after = [], []
    for _ in range(ORDERS):
        places = (
            random.integers(DOCUMENTS, size=DOCUMENTS)
            if population is None
            else random.permutation(DOCUMENTS)
        )
        found = decide(make(places[:1024], population), operator, Fraction(threshold), 0.001)
        read = make(places[: extent_of(found.units)], population)
        later = read.after_stop(found.units)
        if later is not None:
            stopped.append(float(read.first(found.units).value))
            after.append(float(later))
    return np.array(stopped), np.array(after)


RANDOM = np.random.default_rng(5)
RARE = quantise((RANDOM.random(DOCUMENTS) < 0.05) * 1.0)
COMMON = quantise((RANDOM.random(DOCUMENTS) < 0.3) * 1.0)
SHARES = quantise(RANDOM.beta(1.8, 2.2, DOCUMENTS))
OTHER = quantise(RANDOM.beta(2.0, 3.0, DOCUMENTS))
PARTS = np.minimum(COMMON, SHARES)
BASE = int(DOCUMENTS * QUANTA / 20)

CASES = {
    "a rare hit": (lambda at, n: Mean(RARE[at], n), ">=", "0.02"),
    "a common hit": (lambda at, n: Mean(COMMON[at], n), ">=", "0.2"),
    "a share under": (lambda at, n: Mean(SHARES[at], n), "<=", "0.55"),
    "a difference": (
        lambda at, n: MeanDifference(SHARES[at], OTHER[at], Fraction(1), n),
        ">",
        "-0.05",
    ),
    "a ratio": (lambda at, n: Ratio(PARTS[at], SHARES[at], Fraction(1), n), ">=", "0.15"),
    "a bounded ratio": (lambda at, n: BoundedRatio(COMMON[at], SHARES[at], n), ">=", "0.4"),
}


@pytest.mark.slow
@pytest.mark.parametrize("beyond", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_what_documents_after_the_stop_say_is_not_biased(name, beyond):
    make, operator, threshold = CASES[name]
    truth = float(make(np.arange(DOCUMENTS), DOCUMENTS).value)
    stopped, after = estimates(make, operator, threshold, None if beyond else DOCUMENTS)
    assert len(after) > 0.9 * ORDERS
    error = after.std() / np.sqrt(len(after))
    assert abs(after.mean() - truth) < 4 * error
    # Where reading stopped, the figure is on the far side of the truth, by many of its errors.
    if name in ("a rare hit", "a common hit"):
        bias = stopped.mean() - truth
        assert bias > 2 * stopped.std() / np.sqrt(len(stopped))
        assert abs(after.mean() - truth) < 0.7 * bias


def test_over_every_order_of_the_rest_the_estimate_after_the_stop_is_the_truth():
    values = [0, 1, 1, 3, 7]
    found = {}
    for order in permutations(values):
        column = np.array(order) * (QUANTA // 8)
        # A rule that stops at the first large figure, after three documents at the latest.
        stop = next((place for place, value in enumerate(order[:3], 1) if value >= 3), 3)
        # Of those that are left, one is read.
        estimate = Mean(column[: stop + 1], 5).after_stop(stop)
        found.setdefault(order[:stop], []).append(estimate)
    assert len(found) > 10
    for estimates_of_prefix in found.values():
        mean = sum(estimates_of_prefix) / len(estimates_of_prefix)
        assert mean == Fraction(sum(values), 5 * 8)


def test_a_lift_is_the_average_over_its_base_rate():
    lift = ScaledMean(quantise([1.0, 0.5, 0.25]), 12, 12 * QUANTA // 4)
    known, later = Fraction(3, 4), Fraction(1, 4)
    assert lift.after_stop(2) == 4 * (Fraction(2, 12) * known + Fraction(10, 12) * later)


def test_without_a_document_after_the_stop_there_is_no_such_estimate():
    values = quantise([0.5, 0.25])
    assert Mean(values, 9).after_stop(2) is None
    assert Mean(values, None).after_stop(1) == Fraction(1, 4)
    nothing = np.zeros(2, dtype=np.int64)
    assert BoundedRatio(values, nothing, 9).after_stop(1) is None
