"""Quanta: rounded alike whatever is rounded, and clean ties."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.statistics import QUANTA, quantise, quantised_fraction

FIXED = settings(derandomize=True, deadline=None)
SHARES = st.floats(0, 1)


def test_figures_are_kept_in_quanta_that_records_and_merges_rely_on():
    assert quantise([0.0, 2.0**-30, 1.0]).tolist() == [0, 1, 2**30]


@pytest.mark.slow
@FIXED
@given(SHARES)
def test_a_figure_is_kept_to_half_a_quantum(figure):
    (kept,) = quantise([figure])
    assert abs(Fraction(int(kept), QUANTA) - Fraction(figure)) <= Fraction(1, 2 * QUANTA)


@FIXED
@given(SHARES)
def test_a_threshold_goes_through_the_same_rounding_as_a_figure(figure):
    assert quantised_fraction(figure) == Fraction(int(quantise([figure])[0]), QUANTA)


@pytest.mark.parametrize(
    ("computed", "written"), [(0.1 + 0.2, 0.3), (1 - 0.9, 0.1), (0.7 + 0.1, 0.8), (3 * 0.1, 0.3)]
)
def test_what_floats_tell_apart_by_a_hair_ties(computed, written):
    assert computed != written
    assert Fraction(int(quantise([computed])[0]), QUANTA) == quantised_fraction(written)


def test_quantising_keeps_the_shape():
    assert quantise(np.zeros((2, 3))).shape == (2, 3)
    assert quantise([]).dtype == np.int64
