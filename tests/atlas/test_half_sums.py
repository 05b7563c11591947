"""Sums over documents merge in any order to the last bit, and average documents alike."""

from dataclasses import fields
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.atlas import half_sums
from headtests.atlas.half_sums import DISTANCES, HalfSums, Parts, bin_of, bin_spans
from headtests.claims.definitions import RowOptions
from headtests.statistics import QUANTA
from tests import tiny_models
from tests.atlas.sums import document, half
from tests.measurement.readers.test_relation_sums import documents_with_repeats, sums_of

FIXED = settings(derandomize=True, deadline=None, max_examples=10)


@pytest.fixture(scope="module")
def found(loaded):
    """The sums of some documents of a random model."""
    documents = [d for seed in range(3) for d in documents_with_repeats(seed)]
    population = tiny_models.population_of(tiny_models.documents_of([d.ids for d in documents]))
    ((heads, by_document),) = sums_of(loaded("gpt2"), population, RowOptions(True, 1))
    return len(heads), list(by_document.values())


def assert_same(one, other):
    for each in fields(HalfSums):
        if each.name != "sample":
            found = getattr(one, each.name), getattr(other, each.name)
            assert np.array_equal(*found), each.name
    assert len(one.sample) == len(other.sample)
    parts = one.sample.parts(), other.sample.parts()
    for each in fields(Parts):
        assert np.array_equal(*(getattr(part, each.name) for part in parts)), each.name


@pytest.mark.parametrize("room", [2**27, 2**16], ids=["all fit", "some fit"])
@FIXED
@given(data=st.data())
def test_parts_merge_in_any_order_to_the_last_bit(found, room, data):
    heads, documents = found
    with mock.patch.object(half_sums, "SAMPLE_BYTES", room):
        check_merges(heads, documents, data)


def check_merges(heads, documents, data):
    relations = documents[0].plan.signatures.shape[1]
    whole = half(documents, heads, relations)
    shuffled = data.draw(st.permutations(documents))
    ends = sorted(data.draw(st.lists(st.integers(0, len(documents)), max_size=3)))
    parts = [
        half(shuffled[start:stop], heads, relations)
        for start, stop in zip([0, *ends], [*ends, len(documents)], strict=True)
    ]
    parts = data.draw(st.permutations(parts))
    merged = HalfSums(heads, relations)
    for part in parts:
        merged.merge(part)
    assert_same(merged, whole)
    assert 0 < len(whole.sample) <= len(documents)


def test_sums_of_other_heads_are_refused():
    with pytest.raises(ValueError, match="3 heads and 2 relations but found 4 and 2"):
        HalfSums(3, 2).merge(HalfSums(4, 2))


def test_documents_weigh_the_same_however_many_rows_they_have():
    sums = half([document(0, [[0.2]], [0.1], rows=5), document(1, [[0.6]], [0.1], rows=50)], 1, 1)
    assert sums.mass[0, 0] / sums.off_rest[0, 0] == pytest.approx(0.4)
    assert sums.parts[0, 0, 0] / QUANTA / 2 == pytest.approx(0.8 * 0.4)
    assert sums.off_rest_of_all[0] / QUANTA / 2 == pytest.approx(0.8)
    assert sums.rows.tolist() == [55]
    assert sums.resting[0] / QUANTA / 2 == pytest.approx(0.2)


def test_the_sample_holds_whole_documents_by_signature(found):
    heads, documents = found
    sums = half(documents, heads, documents[0].plan.signatures.shape[1])
    assert len(sums.sample) == len(documents)
    parts = sums.sample.parts()
    assert len(parts.pairs) == sum(len(d.plan.signatures) for d in documents)
    total = sum(d.attention.sum(-1) / d.plan.rows.sum() for d in documents)
    np.testing.assert_allclose(parts.attention.sum(0, dtype=np.float64), total, atol=1e-5)
    inside = parts.attention.T @ parts.signatures
    np.testing.assert_allclose(inside * QUANTA, sums.parts[0], rtol=1e-4, atol=1e-4 * QUANTA)


def test_a_sample_without_room_keeps_the_same_documents_in_any_order(found, monkeypatch):
    heads, documents = found
    relations = documents[0].plan.signatures.shape[1]
    monkeypatch.setattr(half_sums, "SAMPLE_BYTES", 2**15)
    one, other = half(documents, heads, relations), half(documents[::-1], heads, relations)
    assert 0 < len(one.sample) < len(documents)
    assert_same(one, other)


def test_the_room_of_a_sample_is_for_its_signatures_too(monkeypatch):
    """Of a model with few heads, these are most of it."""
    monkeypatch.setattr(half_sums, "SAMPLE_BYTES", 2**18)
    share = [0.001] * 200
    made = half([document(number, [share], share) for number in range(20)], 1, 200)
    assert made.documents == 20
    assert 0 < sum(parts.signatures.nbytes for _, parts in made.sample._kept) <= 2**18
    assert len(made.sample) < 20


def test_bins_of_a_profile_are_those_of_the_distances(found):
    heads, documents = found
    sums = half(documents, heads, documents[0].plan.signatures.shape[1])
    spans = bin_spans([sums])
    assert [span for _, span in spans][:3] == [[0, 0], [1, 1], [2, 2]]
    for number, (first, last) in spans:
        pairs = attention = 0
        for each in documents:
            middle = each.plan.length - 1
            distances = slice(first + middle, min(last + middle + 1, 2 * each.plan.length - 1))
            pairs += int(each.plan.apart[distances].sum())
            attention = attention + each.distances[:, distances].sum(-1)
        assert sums.profile_pairs[number] == pairs > 0
        np.testing.assert_allclose(sums.profile[:, number] / QUANTA, attention, atol=1e-6)


def test_every_bin_has_its_own_number():
    ends = [*DISTANCES[1:], 10**6]
    ahead = [bin_of(first, end - 1) for first, end in zip(DISTANCES, ends, strict=True)]
    behind = [bin_of(1 - end, -first) for first, end in zip(DISTANCES[1:], ends[1:], strict=True)]
    assert len({*ahead, *behind}) == len(ahead) + len(behind)
    assert sorted(behind) == behind[::-1]
    assert max(behind) < min(ahead)
