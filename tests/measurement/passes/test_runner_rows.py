"""Which heads' rows a pass gives to readers, which documents run again, and single rows."""

import numpy as np
import pytest

from headtests.expressions.head_names import HeadName
from tests import tiny_models
from tests.measurement.pretended import (
    HEAD,
    OTHER,
    UNANNOUNCED,
    Model,
    Witness,
    expected,
    rows_of,
    sweep_of,
)
from tests.oracles import split_mix

DOCUMENTS = 150
LENGTHS = [2 + (number * 7) % 11 for number in range(DOCUMENTS)]
ALL_TOKENS = sum(LENGTHS)
HEADS = (HEAD, OTHER)


@pytest.fixture(scope="module")
def population():
    with tiny_models.population_of(tiny_models.random_documents(LENGTHS)) as made:
        yield made


@pytest.fixture
def model():
    return Model()


def hash_order():
    return sorted(range(DOCUMENTS), key=lambda number: split_mix(0, number))


def tokens_of(numbers):
    return sum(LENGTHS[number] for number in numbers)


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [1, 7, 64])
@pytest.mark.parametrize("spool", [0, 10**9], ids=["nothing kept", "kept"])
def test_readers_are_given_every_head_of_every_document_once(spool, batch_size, model, population):
    document_pass = sweep_of(
        model, population, *HEADS, UNANNOUNCED, spool=spool, batch_size=batch_size
    )
    heads = (UNANNOUNCED, HEAD, OTHER)
    readers = [Witness(), Witness()]
    for _ in range(2):
        document_pass.read(heads, readers)
    once = {(head, number): 2 for head in heads for number in range(DOCUMENTS)}
    assert all(reader.given == once for reader in readers)
    assert document_pass.tokens_run == (ALL_TOKENS if spool else 2 * ALL_TOKENS)


def test_readers_may_be_given_other_heads_than_were_asked_but_each_of_these(model, population):
    document_pass = sweep_of(model, population, *HEADS)
    reader = Witness()
    document_pass.read((HEAD, UNANNOUNCED), [reader], 0, 64)
    first = hash_order()[:64]
    assert {key for key in reader.given if key[0] != OTHER} == {
        (head, number) for head in (HEAD, UNANNOUNCED) for number in first
    }
    assert set(reader.given.values()) == {1}


@pytest.mark.parametrize("heads", [(HEAD, OTHER), (OTHER,), (HEAD, OTHER, UNANNOUNCED)])
def test_what_had_no_room_runs_again_for_the_asked_heads_alone(heads, model, population):
    document_pass = sweep_of(model, population, *HEADS, spool=0)
    rows_of(document_pass)
    assert set(model.asked) == {HEADS}
    model.asked.clear()
    document_pass.read(heads, [])
    assert set(model.asked) == {heads}


def test_a_head_that_was_not_announced_brings_no_other(model, population):
    document_pass = sweep_of(model, population, *HEADS)
    assert document_pass.heads_beside(UNANNOUNCED) == (UNANNOUNCED,)
    assert document_pass.heads_beside(OTHER) == document_pass.heads_beside(HEAD) == HEADS
    rows_of(document_pass, UNANNOUNCED)
    assert set(model.asked) == {(UNANNOUNCED,)}


def test_what_is_kept_is_known(model, population):
    document_pass = sweep_of(model, population, *HEADS, batch_size=16)
    assert not document_pass.keeps(HEAD)
    document_pass.read((HEAD,), [], 0, 64)
    for head in HEADS:
        assert document_pass.keeps(head, 0, 64)
        assert not document_pass.keeps(head, 0, 128)
        assert not document_pass.keeps(head)
        assert not document_pass.keeps(head, 0, 64, by_text=True)
    assert not document_pass.keeps(UNANNOUNCED, 0, 64)
    document_pass.read((HEAD,), [])
    assert document_pass.keeps(OTHER)


def test_without_room_nothing_is_kept(model, population):
    document_pass = sweep_of(model, population, HEAD, spool=0)
    # It is known once it was tried.
    assert not document_pass.overflows(HEADS, 0, 64)
    rows_of(document_pass, stop=64)
    assert not document_pass.keeps(HEAD, 0, 64)
    assert document_pass.overflows(HEADS, 0, 64)
    assert not document_pass.overflows((OTHER,), 0, 64)
    assert document_pass.overflows(HEADS, 0, 128)
    assert not document_pass.overflows(HEADS, 0, 64, by_text=True)


def test_rows_that_were_kept_come_layer_by_layer_as_they_did(model, population):
    beside = HeadName(HEAD.layer, HEAD.index + 1)
    document_pass = sweep_of(model, population, HEAD, OTHER, beside, batch_size=16)
    document_pass.read((HEAD,), [])
    witness, ran = Witness(), len(model.run)
    document_pass.read((OTHER, HEAD, beside), [witness])
    assert len(model.run) == ran
    assert dict(witness.given) == {
        (head, number): 1 for head in (HEAD, OTHER, beside) for number in range(DOCUMENTS)
    }
    # Two layers of each portion.
    portions = sum(len(model.portions(call)) for call in model.calls)
    assert witness.read_at_all == 2 * portions


# Single rows.


def assert_rows_at(document_pass, population, places, head=HEAD):
    found = document_pass.rows_at(head, places)
    assert len(found) == len(places)
    for row, (number, query) in zip(found, places, strict=True):
        whole = expected(head, population[number])
        assert row.dtype == np.float32
        assert row.tolist() == whole[query].tolist()


PLACES = [(hash_order()[80], 1), (hash_order()[0], 0), (hash_order()[80], 0), (hash_order()[0], 0)]


def test_rows_at_places_run_their_documents_alone(model, population):
    document_pass = sweep_of(model, population, *HEADS)
    assert_rows_at(document_pass, population, PLACES)
    assert set(model.run) == {number for number, _ in PLACES}
    assert set(model.asked) == {(HEAD,)}
    assert (document_pass.documents_run, document_pass.tokens_run) == (2, tokens_of(set(model.run)))
    assert document_pass.tokens_run_twice == 0


def test_rows_at_no_places_run_nothing(model, population):
    assert sweep_of(model, population, HEAD).rows_at(HEAD, []) == []
    assert not model.tried


@pytest.mark.parametrize("head", [HEAD, OTHER])
def test_rows_that_were_kept_run_nothing(head, model, population):
    document_pass = sweep_of(model, population, *HEADS, batch_size=16)
    document_pass.read((HEAD,), [])
    ran = document_pass.tokens_run
    assert_rows_at(document_pass, population, PLACES, head)
    assert document_pass.tokens_run == ran


def test_rows_of_which_some_were_kept_run_the_others(model, population):
    document_pass = sweep_of(model, population, HEAD)
    document_pass.read((HEAD,), [], 0, 64)
    ran = len(model.run)
    assert_rows_at(document_pass, population, PLACES)
    assert model.run[ran:] == [hash_order()[80]]


def test_many_rows_run_in_batches(model, population):
    document_pass = sweep_of(model, population, HEAD, batch_size=7)
    places = [(number, LENGTHS[number] - 1) for number in range(0, DOCUMENTS, 3)]
    assert_rows_at(document_pass, population, places)
    assert sorted(model.run) == [number for number, _ in places]
    assert set(model.tried) == {7, 1}


# The norms of values.


@pytest.mark.parametrize("batch_size", [1, 7, 64])
@pytest.mark.parametrize("spool", [0, 10**9], ids=["nothing kept", "kept"])
def test_readers_are_given_norms_where_they_are_asked_for(spool, batch_size, model, population):
    document_pass = sweep_of(model, population, *HEADS, spool=spool, batch_size=batch_size)
    readers = [Witness(values=True), Witness(values=True)]
    for _ in range(2):
        document_pass.read(HEADS, readers, values=True)
    twice = {(head, number): 2 for head in HEADS for number in range(DOCUMENTS)}
    assert all(reader.given == twice for reader in readers)
    assert document_pass.tokens_run == (ALL_TOKENS if spool else 2 * ALL_TOKENS)


def test_a_pass_without_values_asks_for_none(model, population):
    document_pass = sweep_of(model, population, *HEADS)
    document_pass.read(HEADS, [Witness()])
    assert set(model.with_values) == {False}


def test_rows_that_were_kept_without_norms_run_once_more(model, population):
    document_pass = sweep_of(model, population, *HEADS)
    document_pass.read((HEAD,), [Witness()])
    assert document_pass.keeps(HEAD)
    assert not document_pass.keeps(HEAD, values=True)
    for head in (HEAD, HEAD, OTHER, OTHER):
        document_pass.read((head,), [Witness(values=True)], values=True)
    # Once for the rows, and once for the values of each head.
    assert document_pass.tokens_run == 3 * ALL_TOKENS
    assert all(document_pass.keeps(head, values=True) for head in HEADS)
    # Without values, kept rows are read as ever.
    document_pass.read(HEADS, [Witness()])
    assert document_pass.tokens_run == 3 * ALL_TOKENS


def test_norms_that_do_not_fit_run_again(model, population):
    # Room for the rows of one head, and none for their norms.
    rows = sum(4 * length**2 for length in LENGTHS)
    document_pass = sweep_of(model, population, HEAD, spool=rows, batch_size=1)
    model.documents = 1
    for _ in range(2):
        document_pass.read((HEAD,), [Witness(values=True)], values=True)
    assert not document_pass.keeps(HEAD, values=True)
    assert document_pass.tokens_run > ALL_TOKENS


def test_norms_survive_the_end_of_memory(model, population):
    def fails(given, documents):
        if given % 5 == 3 and len(documents) > 2:
            raise MemoryError

    model.fails_at = fails
    document_pass = sweep_of(model, population, *HEADS, UNANNOUNCED, batch_size=16)
    heads = (HEAD, UNANNOUNCED, OTHER)
    for _ in range(2):
        reader = Witness(values=True)
        document_pass.read(heads, [reader], values=True)
        assert set(reader.given.values()) == {1}
    assert document_pass.notes
    assert document_pass.tokens_run == ALL_TOKENS
