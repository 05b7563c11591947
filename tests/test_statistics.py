"""Figures over documents: exact averages, clean ties, and the documents common to two."""

from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest
from fakes import figures
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headtests.statistics import (
    QUANTA,
    DocumentFigures,
    on_common_documents,
    quantise,
    quantised_fraction,
)

FIXED = settings(derandomize=True, deadline=None)
SHARES = st.floats(0, 1)
LARGEST = 2.0**32 - 1


def test_figures_are_kept_in_quanta_that_records_and_merges_rely_on():
    assert quantise([0.0, 2.0**-30, 1.0]).tolist() == [0, 1, 2**30]


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
    assert figures([computed] * 7).average == quantised_fraction(written)


def test_quantising_keeps_the_shape():
    assert quantise(np.zeros((2, 3))).shape == (2, 3)
    assert quantise([]).dtype == np.int64


def test_an_average_is_exact():
    assert figures([0.0, 1.0, 1.0, 1.0]).average == Fraction(3, 4)
    assert figures([0.0, 0.0, 1.0]).average == Fraction(1, 3)


def test_a_ratio_divides_two_averages_and_averages_no_ratios():
    assert figures([0.25, 0.25], [0.5, 0.25]).average == Fraction(2, 3)


def test_documents_count_alike_whatever_their_rows():
    assert figures([0.0, 1.0], rows=[1, 999]).average == Fraction(1, 2)


def test_a_document_without_denominator_still_counts_in_the_ratio():
    assert figures([0.5, 0.0], [0.5, 0.0]).average == 1


@FIXED
@given(st.lists(SHARES, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_average_does_not_depend_on_the_order_of_documents(values, random):
    shuffled = random.sample(values, len(values))
    assert figures(values).average == figures(shuffled).average


@FIXED
@example([LARGEST] * 5)
@example([-LARGEST] * 5)
@given(st.lists(st.floats(-LARGEST, LARGEST), min_size=1, max_size=40))
def test_the_average_is_exact_for_every_figure_that_can_be_kept(values):
    total = sum(int(quanta) for quanta in quantise(values))
    assert figures(values).average == Fraction(total, len(values) * QUANTA)


def test_base_rate_and_resting_mass_are_averages_over_the_same_documents():
    found = figures([1.0, 1.0], base_rates=[0.25, 0.5], resting=[0.0, 0.5])
    assert found.base_rate == Fraction(3, 8)
    assert found.resting_mass == Fraction(1, 4)


def test_the_base_rate_of_a_ratio_is_a_ratio():
    found = figures([0.5, 0.5], [1, 1], base_rates=[0.25, 0.25], base_denominators=[0.5, 0.75])
    assert found.base_rate == Fraction(2, 5)


def test_without_documents_there_is_no_average_base_rate_or_resting_mass():
    empty = figures([])
    assert len(empty) == 0
    assert (empty.average, empty.base_rate, empty.resting_mass) == (None, None, None)


def test_a_ratio_over_nothing_is_none():
    assert figures([0.0, 0.0], [0.0, 0.0]).average is None
    assert figures([0.5], base_rates=[0.0], base_denominators=[0.0]).base_rate is None


def test_two_figures_are_compared_on_the_documents_that_both_have():
    left = figures([0.0, 0.25, 0.5], documents=[1, 2, 4])
    right = figures([1.0, 0.5, 0.75], documents=[2, 3, 4])
    ours, theirs = on_common_documents(left, right)
    assert ours.documents.tolist() == theirs.documents.tolist() == [2, 4]
    assert ours.average == Fraction(3, 8)
    assert theirs.average == Fraction(7, 8)


def test_documents_in_common_may_be_none_at_all():
    ours, theirs = on_common_documents(figures([1.0], documents=[1]), figures([1.0], documents=[2]))
    assert len(ours) == len(theirs) == 0


def test_every_column_keeps_to_the_documents_that_were_asked_for():
    whole = figures(
        [0.1, 0.2, 0.3],
        [0.4, 0.5, 0.6],
        documents=[5, 7, 9],
        rows=[1, 2, 3],
        base_rates=[0.7, 0.8, 0.9],
        base_denominators=[0.11, 0.12, 0.13],
        resting=[0.21, 0.22, 0.23],
    )
    part = whole.of_documents(np.array([9, 5, 1000]))
    for field in fields(DocumentFigures):
        column, kept = getattr(whole, field.name), getattr(part, field.name)
        assert kept.tolist() == [column[0], column[2]], field.name


def test_columns_that_are_absent_stay_absent():
    part = figures([0.1, 0.2]).of_documents(np.array([1]))
    assert part.denominators is None
    assert part.base_denominators is None
