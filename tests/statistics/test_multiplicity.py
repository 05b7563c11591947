"""Many claims: the union bound, and discoveries by e-values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.statistics import e_bh, union_bound

FIXED = settings(derandomize=True, deadline=None)
E_VALUES = st.sampled_from([0.0, 1.0, 10.0, 20.0, 40.0, 60.0, 1000.0, math.inf]) | st.floats(0, 200)


def logs(*e_values):
    return [math.log(value) if value else -math.inf for value in e_values]


def test_chances_of_a_false_decision_add_up_to_1_at_most():
    assert union_bound([]) == 0
    assert union_bound([0.001] * 10) == 0.01
    assert union_bound([0.001, 0.05]) == pytest.approx(0.051)
    assert union_bound([0.4] * 3) == 1


def test_one_claim_is_a_discovery_from_1_over_the_level_on():
    assert e_bh(logs(20.0)) == [True]
    assert e_bh(logs(19.999)) == [False]
    assert e_bh(logs(10.0), level=0.1) == [True]


def test_weaker_claims_are_discoveries_beside_others():
    # Of four: 80, 40, 26.7 and 20 for one, two, three and four discoveries.
    assert e_bh(logs(79.0, 1.0, 1.0, 1.0)) == [False] * 4
    assert e_bh(logs(1.0, 80.0, 1.0, 1.0)) == [False, True, False, False]
    assert e_bh(logs(40.0, 1.0, 39.0, 1.0)) == [False] * 4
    assert e_bh(logs(40.0, 1.0, 40.0, 1.0)) == [True, False, True, False]
    assert e_bh(logs(20.0, 20.0, 20.0, 20.0)) == [True] * 4
    assert e_bh(logs(26.0, 26.0, 1.0, 1000.0)) == [False, False, False, True]


def test_what_is_certain_is_a_discovery_and_what_is_refuted_for_certain_is_none():
    assert e_bh([math.inf, -math.inf, math.inf, 0.0]) == [True, False, True, False]
    assert e_bh([-math.inf] * 3) == [False] * 3


def test_no_claims_are_no_discoveries():
    assert e_bh([]) == []


@pytest.mark.parametrize("claims", range(1, 61))
def test_rounding_takes_nothing_from_an_e_value_that_just_reaches_it(claims):
    for found in range(1, claims + 1):
        e_value = claims * 20 / found
        if e_value.is_integer():
            expected = [True] * found + [False] * (claims - found)
            assert e_bh(logs(*[e_value] * found, *[0.0] * (claims - found))) == expected


@FIXED
@given(st.lists(E_VALUES, max_size=8), st.sampled_from([0.05, 0.1, 0.5]))
def test_discoveries_are_those_of_the_definition(e_values, level):
    claims = len(e_values)
    counts = [
        count
        for count in range(1, claims + 1)
        if sum(value * count * level >= claims * (1 - 1e-12) for value in e_values) >= count
    ]
    least = claims / (max(counts) * level) * (1 - 1e-12) if counts else math.inf
    found = e_bh(logs(*e_values), level)
    assert found == [bool(counts) and value >= least for value in e_values]


def test_false_discoveries_keep_to_their_level():
    # Nine claims in ten are false, with e-values of mean 1 that are as large as they may be.
    random = np.random.default_rng(0)
    shares = []
    for _ in range(2000):
        e_values = np.where(random.random(40) < 1 / 25, 25.0, 0.0)
        e_values[:4] = 200.0
        found = np.array(e_bh(logs(*e_values)))
        shares.append(found[4:].sum() / max(1, found.sum()))
    assert np.mean(shares) < 0.05


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, math.nan])
def test_a_level_that_is_no_rate_is_refused(level):
    with pytest.raises(ValueError, match="level"):
        e_bh([1.0], level)


def test_what_is_no_number_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        e_bh([1.0, math.nan])
