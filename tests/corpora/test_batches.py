import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.corpora import Document, make_batches
from headtests.errors import SettingError

FIXED = settings(derandomize=True, deadline=None)


def make_documents(lengths):
    return [
        Document(number, str(number), 0, np.arange(number, number + length, dtype=np.int32))
        for number, length in enumerate(lengths)
    ]


@FIXED
@given(st.lists(st.integers(1, 9), max_size=20), st.integers(1, 7))
def test_every_document_is_in_one_batch_once(lengths, batch_size):
    documents = make_documents(lengths)
    batches = list(make_batches(documents, batch_size))
    found = sorted(document.id for batch in batches for document in batch.documents)
    assert found == list(range(len(lengths)))
    assert all(1 <= len(batch) <= batch_size for batch in batches)
    assert len(batches) == -(-len(lengths) // batch_size)


@FIXED
@given(st.lists(st.integers(1, 9), min_size=1, max_size=20), st.integers(1, 7))
def test_rows_are_the_exact_ids_and_then_padding(lengths, batch_size):
    for batch in make_batches(make_documents(lengths), batch_size, pad_id=99):
        longest = max(map(len, batch.documents))
        assert batch.ids.shape == batch.valid.shape == (len(batch), longest)
        assert batch.ids.dtype == torch.int64
        assert batch.valid.dtype == torch.bool
        for document, ids, valid in zip(batch.documents, batch.ids, batch.valid, strict=True):
            size = len(document)
            assert ids.tolist() == [*document.ids.tolist(), *[99] * (longest - size)]
            assert valid.tolist() == [True] * size + [False] * (longest - size)


def test_documents_of_similar_length_stand_together_longest_first():
    batches = list(make_batches(make_documents([2, 9, 3, 9, 2, 3]), 2))
    assert [[len(document) for document in batch.documents] for batch in batches] == [
        [9, 9],
        [3, 3],
        [2, 2],
    ]


def test_no_documents_make_no_batch():
    assert list(make_batches([], 4)) == []


def test_a_batch_of_none_is_refused_at_once():
    with pytest.raises(SettingError, match="batch size of 1 or more but got 0"):
        make_batches([], 0)
