"""Pairs and their distribution: values and printed text."""

import dataclasses

import pytest

from headtests.claims.pairs import Distribution
from headtests.statistics.sketches import Histogram, Moments, ObservationError
from tests.fakes import pair


def distribution(multiples, sample_of=None):
    histogram, moments = Histogram(), Moments()
    histogram.update(multiples)
    moments.update(multiples)
    return Distribution(histogram, moments, examples=tuple, sample_of=sample_of)


def test_a_distribution_knows_its_count_mean_and_quantiles():
    found = distribution([0.0, 1.0, 2.0, 5.0])
    assert found.count == 4
    assert found.mean == 2.0
    assert found.quantile(1) == pytest.approx(5, rel=0.1)
    assert found.quantile(0.5) < found.quantile(0.9)


def test_a_distribution_of_nothing_has_figures_of_zero():
    nothing = distribution([])
    assert (nothing.count, nothing.mean, nothing.quantile(0.5)) == (0, 0.0, 0.0)


def test_a_distribution_says_itself_in_a_line():
    found = distribution([1.0] * 2000)
    one = f"{found.quantile(0.5):.3g}"
    assert str(found) == (
        f"multiples of 2,000 pairs: mean 1; 5% {one}, 25% {one}, 50% {one}, 75% {one}, 95% {one}"
    )


def test_a_distribution_of_all_pairs_is_no_sample():
    for found in (distribution([1.0, 2.0]), distribution([1.0, 2.0], sample_of=2)):
        assert (found.sampled, found.pairs, found.count) == (None, 2, 2)
        assert str(found).startswith("multiples of 2 pairs: mean 1.5; ")


def test_a_distribution_of_a_sample_says_of_how_many_pairs():
    found = distribution([1.0] * 1000, sample_of=12_345_678)
    assert (found.sampled, found.pairs, found.count) == (1000, 12_345_678, 1000)
    assert str(found).startswith(
        "multiples of a hashed sample of 1,000 of 12,345,678 pairs: mean 1; 5% 1"
    )


def test_a_distribution_is_represented_by_what_it_says():
    found = distribution([1.0, 2.0], sample_of=5)
    assert repr(found) == f"<Distribution: {found}>"


def test_a_sample_of_more_pairs_than_there_are_is_refused():
    with pytest.raises(ObservationError, match=r"at most 2 pairs but found 3\..* sample_of"):
        distribution([1.0, 2.0, 3.0], sample_of=2)


def test_a_pair_prints_where_it_is_and_leaves_out_its_row():
    assert repr(pair(" cat", 2.5, document=7, query=3, key=1)) == (
        "Pair(token=' cat', multiple=2.5, document=7, text='text 7', query=3, key=1)"
    )


def test_a_pair_never_changes():
    with pytest.raises(dataclasses.FrozenInstanceError):
        pair().multiple = 1.0
