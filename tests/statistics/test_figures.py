"""Figures over documents: exact averages, parts, texts, and the documents common to two."""

from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headtests.statistics import (
    QUANTA,
    DocumentFigures,
    Eligible,
    concatenated,
    on_common_documents,
    quantise,
    total,
)
from tests.fakes import figures

FIXED = settings(derandomize=True, deadline=None)
SHARES = st.floats(0, 1)
LARGEST = 2.0**32 - 1


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
    summed = sum(int(quanta) for quanta in quantise(values))
    assert figures(values).average == Fraction(summed, len(values) * QUANTA)


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


def test_documents_stand_in_the_order_of_the_pass_not_in_that_of_their_ids():
    left = figures([0.1, 0.2, 0.3], documents=[7, 2, 5])
    right = figures([0.4, 0.5, 0.6], documents=[5, 9, 7])
    ours, theirs = on_common_documents(left, right)
    assert ours.documents.tolist() == [7, 5]
    assert theirs.documents.tolist() == [5, 7]


def columns_of(found):
    columns = {field.name: getattr(found, field.name) for field in fields(DocumentFigures)}
    return {name: None if values is None else values.tolist() for name, values in columns.items()}


def whole():
    """Return the figures of three documents, no two of whose columns are alike."""
    return replace(
        figures(
            [0.1, 0.2, 0.3],
            [0.4, 0.5, 0.6],
            documents=[9, 7, 5],
            rows=[1, 2, 3],
            base_rates=[0.7, 0.8, 0.9],
            base_denominators=[0.11, 0.12, 0.13],
            resting=[0.21, 0.22, 0.23],
        ),
        sizes=np.array([4, 5, 6]),
    )


def test_every_column_keeps_to_the_documents_that_were_asked_for():
    part = whole().of_documents(np.array([5, 9, 1000]))
    columns = columns_of(whole())
    assert columns_of(part) == {name: [one[0], one[2]] for name, one in columns.items()}


def test_the_first_are_those_that_the_pass_reached_first():
    columns = columns_of(whole())
    for units in range(5):
        assert columns_of(whole().first(units)) == {
            name: values[:units] for name, values in columns.items()
        }


def test_columns_that_are_absent_stay_absent():
    for part in (
        figures([0.1, 0.2]).of_documents(np.array([1])),
        figures([0.1, 0.2]).first(1),
        concatenated([figures([0.1]), figures([0.2])]),
        figures([0.1, 0.2]).by_text(np.array([0, 0])),
    ):
        assert part.denominators is None
        assert part.base_denominators is None


@FIXED
@given(st.lists(st.integers(0, 2), min_size=1, max_size=4))
def test_parts_in_order_make_the_whole(sizes):
    parts, start = [], 0
    for size in sizes:
        parts.append(whole().of_documents(np.array([9, 7, 5])[start : start + size]))
        start += size
    assert columns_of(concatenated(parts)) == columns_of(whole().first(start))


def test_a_text_contributes_the_average_of_its_documents():
    texts = figures(
        [0.0, 0.5, 1.0, 0.25],
        [0.5, 1.0, 1.0, 0.75],
        documents=[8, 3, 6, 1],
        rows=[1, 2, 3, 4],
        base_rates=[0.25, 0.75, 0.5, 0.0],
        base_denominators=[0.5, 0.5, 1.0, 1.0],
        resting=[1.0, 0.0, 0.0, 0.5],
    ).by_text(np.array([4, 4, 4, 2]))
    assert texts.documents.tolist() == [8, 1]
    assert texts.sizes.tolist() == [3, 1]
    assert texts.rows.tolist() == [6, 4]
    averages = {
        "numerators": [0.5, 0.25],
        "denominators": [2.5 / 3, 0.75],
        "base_rates": [0.5, 0.0],
        "base_denominators": [2 / 3, 1.0],
        "resting": [1 / 3, 0.5],
    }
    for name, expected in averages.items():
        assert getattr(texts, name).tolist() == quantise(expected).tolist(), name


def test_a_text_of_number_0_or_below_is_a_text():
    assert figures([0.5, 0.25, 1.0]).by_text(np.array([0, 0, -1])).sizes.tolist() == [2, 1]


def test_no_documents_are_no_texts():
    empty = figures([], []).by_text(np.array([], np.int64))
    assert len(empty) == len(empty.sizes) == len(empty.denominators) == 0
    assert empty.numerators.dtype == np.int64


def test_eligible_documents_in_common_keep_their_order_and_base_rates():
    left = Eligible(np.array([7, 2, 5]), np.array([3, 1, 2]), np.array([70, 20, 50]))
    right = Eligible(np.array([5, 9, 7]), np.array([2, 4, 3]))
    common = left.common_with(right)
    assert common.documents.tolist() == [7, 5]
    assert common.texts.tolist() == [3, 2]
    assert common.base_rates.tolist() == [70, 50]
    assert right.common_with(left).base_rates is None
    assert (len(left), len(common)) == (3, 2)


@FIXED
@given(st.lists(st.integers(-(2**62), 2**62), max_size=9))
def test_a_total_is_exact_past_64_bits(quanta):
    assert total(np.array(quanta, dtype=np.int64)) == sum(quanta)


def test_figures_share_the_arrays_that_hold_the_same():
    one, other = figures([0.25, 0.5]), figures([0.75, 0.5], rows=[10, 12])
    shared = other.sharing(one)
    assert_same = np.testing.assert_array_equal
    assert_same(shared.numerators, other.numerators)
    assert_same(shared.rows, other.rows)
    assert shared.documents is one.documents
    assert shared.base_rates is one.base_rates
    assert shared.rows is not one.rows
    assert shared.denominators is None
