"""Thresholds of attention are as exact as the comparison of multiples themselves."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.measurement.readers.counted_rows import average_attention, least_attention

FIXED = settings(derandomize=True, deadline=None, max_examples=300)
counts = st.integers(1, 10_000)
multiples = st.floats(1e-3, 1e4) | st.sampled_from([0.1, 0.3, 0.7, 1.0, 1.1, 1.5, 2.0, 3.0, 10.0])


def reaches(attention, count, multiple):
    return Fraction(float(attention)) * count >= Fraction(multiple)


@FIXED
@given(counts, multiples)
def test_the_least_attention_reaches_the_multiple_and_less_does_not(count, multiple):
    least = least_attention(np.array([[count]]), multiple)
    assert least.dtype == np.float32
    assert least.shape == (1, 1)
    assert reaches(least[0, 0], count, multiple)
    assert not reaches(np.nextafter(least[0, 0], np.float32(0)), count, multiple)


@FIXED
@given(counts)
def test_what_exceeds_the_average_has_a_multiple_over_1(count):
    average = average_attention(np.array([count]))
    assert average.dtype == np.float32
    assert Fraction(float(average[0])) * count <= 1
    assert Fraction(float(np.nextafter(average[0], np.float32(2)))) * count > 1


@pytest.mark.parametrize("multiple", [1e-60, 5e-324])
def test_no_attention_reaches_no_multiple(multiple):
    assert least_attention(np.array([1, 3]), multiple).min() > 0
