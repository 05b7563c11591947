"""Every reader receives each head's rows on each document once, wherever memory runs out."""

from itertools import count

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.errors import ModelError
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes import row_spool
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.dispatch import Collector, OptionalReader, PortionProgress
from headtests.measurement.passes.row_spool import RowSpool
from headtests.measurement.passes.token_view import BatchTokens
from tests import tiny_models
from tests.measurement.pretended import (
    HEAD,
    OTHER,
    UNANNOUNCED,
    Model,
    Witness,
    assert_right,
    rows_of,
    stacked,
    sweep_of,
)

FIXED = settings(derandomize=True, deadline=None, max_examples=30)
DOCUMENTS = 100
LENGTHS = [2 + (number * 7) % 11 for number in range(DOCUMENTS)]
ALL_TOKENS = sum(LENGTHS)
HEADS = (HEAD, OTHER, UNANNOUNCED)
ONCE = {(head, number): 1 for head in HEADS for number in range(DOCUMENTS)}


@pytest.fixture(scope="module")
def population():
    with tiny_models.population_of(tiny_models.random_documents(LENGTHS)) as made:
        yield made


@pytest.fixture
def model():
    return Model()


def out_of_memory():
    return torch.OutOfMemoryError("Tried to allocate 2.00 GiB.")


def allocator_fails():
    return RuntimeError(
        "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: "
        "you tried to allocate 4000000000000 bytes. Error code 12 (Cannot allocate memory)"
    )


memory_ends = pytest.mark.parametrize(
    "error", [out_of_memory, allocator_fails, MemoryError], ids=["torch", "the CPU", "Python"]
)


def failing_above(limit, error=out_of_memory):
    def fails(documents):
        if len(documents) > limit:
            raise error()

    return fails


class Once:
    """What fails at some calls, counted from 0, and never again at the same."""

    def __init__(self, *calls):
        self.left = set(calls)

    def __call__(self, count, documents=()):
        if count in self.left:
            self.left.remove(count)
            raise out_of_memory()


# Before rows come.


@memory_ends
def test_the_end_of_memory_halves_the_batch_and_says_so(error, model, population):
    model.documents = 100
    model.fails = failing_above(9, error)
    document_pass = sweep_of(model, population, HEAD, batch_size=32)
    assert_right(rows_of(document_pass), population)
    # 32 fails, then 16, then 8 goes on to the end: nothing larger is tried again.
    assert model.tried[:3] == [32, 16, 8]
    assert max(model.tried[2:]) <= 8
    assert document_pass.notes == [
        "Out of memory with 32 documents at once; the pass continued with 16.",
        "Out of memory with 16 documents at once; the pass continued with 8.",
    ]
    # What failed gave no rows, so it counts as no run.
    assert (document_pass.tokens_run, document_pass.tokens_run_twice) == (ALL_TOKENS, 0)
    assert_right(rows_of(document_pass), population)
    assert document_pass.tokens_run == ALL_TOKENS


def test_memory_that_ends_later_loses_nothing(model, population):
    def fails(documents):
        if len(model.calls) == 3 and len(documents) > 2:
            raise out_of_memory()

    model.fails = fails
    document_pass = sweep_of(model, population, HEAD, batch_size=8)
    assert_right(rows_of(document_pass), population)
    assert sorted(model.run) == list(range(DOCUMENTS))


@memory_ends
def test_a_single_document_out_of_memory_is_an_error(error, model, population):
    def fails(documents):
        if any(len(document) == max(LENGTHS) for document in documents):
            raise error()

    model.documents, model.fails = 100, fails
    document_pass = sweep_of(model, population, HEAD, batch_size=4)
    with pytest.raises(ModelError, match="out of memory") as caught:
        rows_of(document_pass)
    assert f"{max(LENGTHS)} tokens" in str(caught.value)
    assert "made-up" in str(caught.value)
    assert "headtests_max_length" in str(caught.value)
    assert model.tried == [4, 2, 1]


def test_another_error_is_not_taken_for_the_end_of_memory(model, population):
    def fails(documents):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    model.fails = fails
    document_pass = sweep_of(model, population, HEAD)
    with pytest.raises(RuntimeError, match="mat1"):
        rows_of(document_pass)
    with pytest.raises(RuntimeError, match="mat1"):
        document_pass.rows_at(HEAD, [(0, 0)])
    assert len(model.tried) == 2
    assert not document_pass.notes


@memory_ends
def test_single_rows_outlive_the_end_of_memory(error, model, population):
    model.fails = failing_above(3, error)
    document_pass = sweep_of(model, population, HEAD, batch_size=16)
    places = [(number, 1) for number in range(20)]
    found = document_pass.rows_at(HEAD, places)
    for row, (number, query) in zip(found, places, strict=True):
        assert np.array_equal(row, stacked([HEAD], [population[number]])[0, 0, query].numpy())
    assert model.tried[:3] == [16, 8, 4]
    assert sorted(model.run) == list(range(20))
    assert "continued with 2" in document_pass.notes[-1]
    assert (document_pass.tokens_run, document_pass.tokens_run_twice) == (sum(LENGTHS[:20]), 0)


def test_a_single_row_that_is_too_much_is_an_error(model, population):
    model.fails = failing_above(0)
    with pytest.raises(ModelError, match="out of memory"):
        sweep_of(model, population, HEAD).rows_at(HEAD, [(3, 0)])


# In the middle, and from a reader.


@pytest.mark.slow
@FIXED
@given(
    st.sets(st.integers(0, 40), max_size=2),
    st.sets(st.integers(0, 40), max_size=2),
    # Each end of memory halves them at least, and portions leave less.
    st.sampled_from([48, 64]),
    st.integers(1, 5),
    st.integers(1, 3),
    st.sampled_from([0, 20_000, 10**9]),
)
def test_no_reader_gets_anything_twice_or_never(
    population, in_model, in_reader, batch_size, documents, heads, spool
):
    model = Model(documents, heads)
    model.fails_at = Once(*in_model)
    # The second fails, when the first has had the block and the third has not.
    readers = [Witness(), Witness(Once(*in_reader)), Witness()]
    document_pass = sweep_of(model, population, *HEADS, batch_size=batch_size, spool=spool)
    document_pass.read(HEADS, readers)
    assert [dict(reader.given) for reader in readers] == [ONCE] * 3
    assert (document_pass.tokens_run, document_pass.tokens_run_twice) == (ALL_TOKENS, 0)
    assert len(document_pass.notes) <= len(in_model) + len(in_reader)
    # What was kept on the way is good, too, and is kept once.
    again = Witness()
    document_pass.read(HEADS, [again])
    assert again.given == ONCE
    if spool == 10**9:
        assert document_pass.tokens_run == ALL_TOKENS


@pytest.mark.parametrize("documents", [2, 100], ids=["small portions", "one portion"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_rows_that_were_read_are_not_given_again(at, documents, population):
    model = Model(documents, heads=1)
    model.fails_at = Once(at)
    reader = Witness()
    document_pass = sweep_of(model, population, *HEADS, batch_size=32)
    document_pass.read(HEADS, [reader])
    assert reader.given == ONCE
    assert document_pass.notes == [
        "Out of memory with 32 documents at once; the pass continued with 16."
    ]
    assert model.tried[0] == 32
    assert max(model.tried[1:]) <= 16


def test_a_reader_that_always_fails_ends_at_a_single_document(model, population):
    def fails(count):
        raise out_of_memory()

    model.documents = 100
    document_pass = sweep_of(model, population, HEAD, batch_size=16)
    with pytest.raises(ModelError, match="single document"):
        document_pass.read((HEAD,), [Witness(fails)])
    assert model.tried == [16, 8, 4, 2, 1]


def test_another_error_of_a_reader_is_raised(model, population):
    def fails(count):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sweep_of(model, population, HEAD).read((HEAD,), [Witness(fails)])
    assert len(model.tried) == 1


@pytest.mark.slow
@pytest.mark.parametrize("at", [0, 1, 2, 4, 7])
@pytest.mark.parametrize("in_memory", [0, 10**9], ids=["on disk", "in memory"])
def test_memory_that_ends_while_rows_are_kept_keeps_them_once(
    at, in_memory, model, population, monkeypatch
):
    monkeypatch.setattr(row_spool, "IN_MEMORY", in_memory)
    save, fails = RowSpool.save, Once(at)
    calls = count()

    def failing(self, rows):
        fails(next(calls))
        return save(self, rows)

    monkeypatch.setattr(RowSpool, "save", failing)
    # Two of a layer come together, so that one may be kept and the other not.
    heads = (HEAD, HeadName(0, 1), OTHER)
    readers = [Witness(), Witness()]
    document_pass = sweep_of(model, population, *heads, batch_size=16)
    for times in (1, 2):
        document_pass.read(heads, readers)
        expected = {(head, number): times for head in heads for number in range(DOCUMENTS)}
        assert [dict(reader.given) for reader in readers] == [expected] * 2
    assert (document_pass.tokens_run, document_pass.tokens_run_twice) == (ALL_TOKENS, 0)
    assert len(document_pass.notes) == 1
    document_pass.close()


# A spool that is too small.


@pytest.mark.parametrize("in_memory", [0, 10**9], ids=["on disk", "in memory"])
def test_beyond_the_spool_only_the_rest_runs_again(in_memory, model, population, monkeypatch):
    monkeypatch.setattr(row_spool, "IN_MEMORY", in_memory)
    document_pass = sweep_of(model, population, HEAD, spool=20_000, batch_size=16)
    assert_right(rows_of(document_pass), population)
    for _ in range(2):
        first, ran = len(model.run), document_pass.tokens_run
        assert_right(rows_of(document_pass), population)
        again = model.run[first:]
        assert 0 < len(again) < DOCUMENTS
        assert document_pass.tokens_run == ran + sum(LENGTHS[number] for number in again)
    document_pass.close()


def test_one_head_may_have_had_room_and_another_not(model, population):
    # One batch, of which a head's rows take some 15 kB.
    document_pass = sweep_of(
        model, population, *HEADS, spool=40_000, batch_size=64, max_documents=64
    )
    document_pass.read(HEADS, [])
    kept = {head: document_pass.keeps(head) for head in HEADS}
    assert set(kept.values()) == {True, False}
    for head in HEADS:
        ran = document_pass.tokens_run
        assert_right(rows_of(document_pass, head), population, head, documents=64)
        assert (document_pass.tokens_run == ran) == kept[head]


# The parts by themselves.


def test_halves_of_a_share_know_what_it_has_had():
    share = PortionProgress(3, 10, {HEAD}, {OTHER: 1}, {HEAD})
    first, second = share.halves()
    assert [(half.start, half.stop, len(half)) for half in (first, second)] == [
        (3, 6, 3),
        (6, 10, 4),
    ]
    first.read.add(OTHER)
    first.readers[UNANNOUNCED] = 2
    first.saved.add(OTHER)
    assert (second.read, second.readers, second.saved) == ({HEAD}, {OTHER: 1}, {HEAD})
    assert (share.read, share.readers, share.saved) == ({HEAD}, {OTHER: 1}, {HEAD})


def test_a_share_is_a_portion_of_a_part_of_its_batch():
    share = PortionProgress(3, 10, {HEAD})
    portion = share.within(3)
    assert (portion.start, portion.stop) == (0, 7)
    # What was given is noted in both.
    portion.read.add(OTHER)
    assert share.read == {HEAD, OTHER}


def test_a_collector_copies_one_head():
    batch = tiny_models.batch_of(tiny_models.random_documents([4, 3]))
    tokens = BatchTokens(batch, np.tri(4, dtype=bool))
    rows = stacked((OTHER, HEAD), batch.documents)
    collector = Collector(HEAD)
    collector.read(Block(tokens, (OTHER, HEAD), rows))
    collector.read(Block(tokens, (OTHER,), rows[:1]))
    expected = rows[1:].clone()
    rows.fill_(7.0)
    (block,) = collector.take()
    assert block.heads == (HEAD,)
    assert torch.equal(block.rows, expected)
    assert collector.take() == []


# A reader that nobody waits for.


class Fails:
    """A reader that raises at one block."""

    def __init__(self, at, error):
        self.at, self.error = at, error
        self.read_at_all = 0

    def read(self, block):
        self.read_at_all += 1
        if self.read_at_all == self.at:
            raise self.error


def test_what_an_attempt_stumbles_over_stops_nothing_else(model, population):
    stumbles, witness = Fails(3, KeyError("a user's function")), Witness()
    attempt, good = OptionalReader(stumbles), OptionalReader(Fails(0, None))
    document_pass = sweep_of(model, population, *HEADS)
    document_pass.read(HEADS, [attempt, good, witness])
    assert witness.given == ONCE
    assert (attempt.failed, good.failed) == (True, False)
    # It reads no more: of what it has, nothing can be used.
    assert stumbles.read_at_all == 3


@memory_ends
def test_an_attempt_in_which_memory_ends_is_made_again(error, model, population):
    witness = Witness(Once(4))
    attempt = OptionalReader(Fails(5, error()))
    document_pass = sweep_of(model, population, *HEADS)
    document_pass.read(HEADS, [attempt, OptionalReader(witness)])
    assert not attempt.failed
    assert witness.given == ONCE
    assert len(document_pass.notes) == 2


def test_an_interruption_is_no_stumbling(model, population):
    attempt = OptionalReader(Fails(2, KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        sweep_of(model, population, *HEADS).read(HEADS, [attempt])
    assert not attempt.failed
