"""The pass: which documents run, in which batches, how often, and what survives an interruption."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from headtests.corpora import Document
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes import runner
from headtests.measurement.passes.batch_plan import FIRST_STEP
from tests import tiny_models
from tests.measurement.pretended import (
    HEAD,
    OTHER,
    UNANNOUNCED,
    Log,
    Model,
    assert_right,
    rows_of,
    stacked,
    sweep_of,
)
from tests.oracles import split_mix

DOCUMENTS = 150
LENGTHS = [2 + (number * 7) % 11 for number in range(DOCUMENTS)]
HEADS = (HEAD, OTHER)


@pytest.fixture(scope="module")
def population():
    with tiny_models.population_of(tiny_models.random_documents(LENGTHS)) as made:
        yield made


@pytest.fixture
def model():
    return Model()


def hash_order(seed=0):
    return sorted(range(DOCUMENTS), key=lambda number: split_mix(seed, number))


def tokens_of(numbers):
    return sum(LENGTHS[number] for number in numbers)


ALL_TOKENS = tokens_of(range(DOCUMENTS))


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_every_document_runs_once_whatever_the_batch_size(batch_size, model, population):
    document_pass = sweep_of(model, population, HEAD, batch_size=batch_size)
    assert_right(rows_of(document_pass), population)
    assert max(model.tried) <= batch_size
    assert sorted(model.run) == list(range(DOCUMENTS))


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
@pytest.mark.parametrize("seed", [0, 3])
def test_steps_are_prefixes_of_the_hash_order(batch_size, seed, model, population):
    document_pass = sweep_of(model, population, HEAD, batch_size=batch_size, seed=seed)
    rows_of(document_pass)
    for step in (FIRST_STEP, 2 * FIRST_STEP):
        assert set(model.run[:step]) == set(hash_order(seed)[:step])
    ends = np.cumsum([len(call) for call in model.calls]).tolist()
    # No batch reaches over the end of a step: 64, 128, 256 documents and so on.
    assert {FIRST_STEP, 2 * FIRST_STEP, DOCUMENTS} <= set(ends)


def test_each_step_doubles_what_was_run(model):
    documents = tiny_models.random_documents([2] * 300)
    with tiny_models.population_of(documents) as many:
        rows_of(sweep_of(model, many, HEAD, batch_size=1000))
    assert [len(call) for call in model.calls] == [64, 64, 128, 44]


@pytest.mark.parametrize("budget", [1, 10, 64, 65, 149, 150, 10_000])
def test_the_budget_is_a_prefix_of_the_hash_order(budget, model, population):
    document_pass = sweep_of(model, population, HEAD, max_documents=budget)
    assert document_pass.budget == min(budget, DOCUMENTS)
    found = rows_of(document_pass)
    assert set(found) == set(hash_order()[:budget])
    assert document_pass.documents_run == document_pass.budget
    assert document_pass.tokens_run == tokens_of(found)


def test_two_seeds_choose_other_documents(model, population):
    sweeps = [sweep_of(model, population, HEAD, max_documents=20, seed=seed) for seed in (0, 1)]
    assert set(rows_of(sweeps[0])) != set(rows_of(sweeps[1]))


def test_announced_heads_share_one_pass(model, population):
    document_pass = sweep_of(model, population, OTHER, HEAD)
    assert_right(rows_of(document_pass, HEAD), population, HEAD)
    assert document_pass.tokens_run == ALL_TOKENS
    assert_right(rows_of(document_pass, OTHER), population, OTHER)
    assert_right(rows_of(document_pass, HEAD), population, HEAD)
    assert (document_pass.tokens_run, document_pass.tokens_run_twice) == (ALL_TOKENS, 0)


def test_nothing_runs_before_it_is_read(model, population):
    document_pass = sweep_of(model, population, HEAD)
    blocks = document_pass.blocks(HEAD)
    assert not model.tried
    next(blocks)
    assert len(model.tried) == 1


def test_an_unannounced_head_runs_the_documents_again(model, population):
    document_pass = sweep_of(model, population, HEAD)
    rows_of(document_pass, HEAD)
    assert_right(rows_of(document_pass, UNANNOUNCED), population, UNANNOUNCED)
    assert (document_pass.tokens_run, document_pass.tokens_run_twice) == (
        2 * ALL_TOKENS,
        ALL_TOKENS,
    )
    rows_of(document_pass, UNANNOUNCED)
    assert document_pass.tokens_run == 2 * ALL_TOKENS
    assert document_pass.documents_run == DOCUMENTS


def test_a_head_alone_needs_no_announcement(model, population):
    document_pass = sweep_of(model, population)
    assert_right(rows_of(document_pass, HEAD), population)
    assert (document_pass.tokens_run, document_pass.tokens_run_twice) == (ALL_TOKENS, 0)


def test_without_a_spool_every_reading_runs(model, population):
    document_pass = sweep_of(model, population, HEAD, OTHER, spool=0)
    assert_right(rows_of(document_pass, HEAD), population, HEAD)
    assert (document_pass.tokens_run, document_pass.tokens_run_twice) == (ALL_TOKENS, 0)
    assert_right(rows_of(document_pass, OTHER), population, OTHER)
    assert (document_pass.tokens_run, document_pass.tokens_run_twice) == (
        2 * ALL_TOKENS,
        ALL_TOKENS,
    )


def test_an_interruption_keeps_what_was_read(model, population):
    def fails(documents):
        if len(model.calls) == 3:
            model.fails = lambda documents: None
            raise KeyboardInterrupt

    model.fails = fails
    log = Log()
    document_pass = sweep_of(model, population, HEAD, batch_size=16, progress=log)
    with pytest.raises(KeyboardInterrupt):
        rows_of(document_pass)
    assert document_pass.documents_run == 48
    assert log.events[-1] == ("finish",)
    seen = {number for call in model.calls for number in call}
    assert document_pass.tokens_run == tokens_of(seen)
    assert_right(rows_of(document_pass), population)
    assert document_pass.documents_run == DOCUMENTS
    assert (document_pass.tokens_run, document_pass.tokens_run_twice) == (ALL_TOKENS, 0)


def test_a_reader_that_leaves_keeps_what_was_read(model, population):
    log = Log()
    document_pass = sweep_of(model, population, HEAD, batch_size=16, progress=log)
    blocks = document_pass.blocks(HEAD)
    taken = 0
    while taken <= 16:
        taken += len(next(blocks).batch)
    blocks.close()
    assert log.events[-1] == ("finish",)
    assert document_pass.documents_run == 32
    assert_right(rows_of(document_pass), population)
    assert document_pass.tokens_run == ALL_TOKENS


def test_progress_is_told_of_each_document_and_real_token_once(model, population):
    log = Log()
    document_pass = sweep_of(
        model, population, HEAD, batch_size=16, max_documents=100, progress=log
    )
    found = rows_of(document_pass)
    assert log.events[0] == ("start", 100)
    assert log.events[-1] == ("finish",)
    advances = log.events[1:-1]
    assert {event[0] for event in advances} == {"advance"}
    assert sum(event[1] for event in advances) == 100
    assert sum(event[2] for event in advances) == tokens_of(found)
    told = len(log.events)
    rows_of(document_pass)
    assert len(log.events) == told


def test_a_pass_that_goes_on_announces_what_is_left(model, population):
    log = Log()
    document_pass = sweep_of(model, population, HEAD, batch_size=16, progress=log)
    reader = document_pass.blocks(HEAD)
    next(reader)
    reader.close()
    rows_of(document_pass)
    assert log.starts == [DOCUMENTS, DOCUMENTS - 16]


def test_what_was_run_ahead_of_the_pass_is_not_run_again(model, population):
    document_pass = sweep_of(model, population, HEAD, OTHER, batch_size=16)
    rows_of(document_pass, HEAD, 128, 150)
    assert_right(rows_of(document_pass, OTHER), population, OTHER)
    assert (document_pass.tokens_run, document_pass.tokens_run_twice) == (ALL_TOKENS, 0)


@pytest.mark.parametrize("budget", [1, 63, 64, 65, 128, 129, 150, 10_000])
def test_extents_double_up_to_the_budget(budget, model, population):
    document_pass = sweep_of(model, population, HEAD, max_documents=budget)
    limit = min(budget, DOCUMENTS)
    expected = [extent for extent in (64, 128) if extent < limit] + [limit]
    for by_text in (False, True):
        assert document_pass.extents(by_text) == tuple(expected)
    assert not model.tried


@pytest.mark.parametrize("seed", [0, 3])
def test_the_order_is_of_the_whole_population(seed, model, population):
    document_pass = sweep_of(model, population, HEAD, max_documents=20, seed=seed)
    assert document_pass.order().tolist() == hash_order(seed)
    assert document_pass.order(by_text=True).tolist() == population.text_order(seed).tolist()
    assert not model.tried


@pytest.mark.slow
@pytest.mark.parametrize("by_text", [False, True], ids=["documents", "texts"])
@pytest.mark.parametrize(
    ("start", "stop", "batch_size"),
    [(0, 64, 1), (0, 128, 7), (64, 128, 64), (128, 150, 7), (0, None, 1), (0, None, 64)],
)
def test_blocks_cover_the_asked_places(start, stop, by_text, batch_size, model, population):
    document_pass = sweep_of(model, population, HEAD, batch_size=batch_size)
    found = rows_of(document_pass, HEAD, start, stop, by_text)
    wanted = document_pass.order(by_text)[start:stop].tolist()
    assert set(found) == set(wanted)
    assert_right(found, population, documents=len(wanted))
    assert document_pass.tokens_run == tokens_of(wanted)


def test_the_budget_ends_the_last_step(model, population):
    document_pass = sweep_of(model, population, HEAD, max_documents=100)
    assert set(rows_of(document_pass, HEAD, 64, 100)) == set(hash_order()[64:100])


def test_a_pass_goes_on_where_it_ended(model, population):
    log = Log()
    document_pass = sweep_of(model, population, HEAD, batch_size=16, progress=log)
    for start, stop in ((0, 64), (64, 128), (128, 150)):
        rows_of(document_pass, HEAD, start, stop)
    assert log.starts == [64, 64, 22]
    assert (document_pass.tokens_run, document_pass.tokens_run_twice) == (ALL_TOKENS, 0)
    assert_right(rows_of(document_pass), population)
    assert document_pass.tokens_run == ALL_TOKENS
    assert log.starts == [64, 64, 22]


class Sizes:
    """A reader that notes how many heads each block has, and checks its rows."""

    def __init__(self):
        self.heads = []

    def read(self, block):
        """Process a block."""
        self.heads.append(len(block.heads))
        assert torch.equal(block.rows, stacked(block.heads, block.batch.documents))


@pytest.mark.parametrize(("room", "at_once"), [(2**27, 3), (1, 1)])
def test_spooled_heads_of_a_layer_come_together_as_far_as_there_is_room(
    model, population, monkeypatch, room, at_once
):
    monkeypatch.setattr(runner, "TOGETHER_BYTES", room)
    heads = [HeadName(0, index) for index in range(3)]
    document_pass = sweep_of(model, population, *heads)
    document_pass.read(heads, [])
    ran, sizes = len(model.calls), Sizes()
    document_pass.read(heads, [sizes])
    assert len(model.calls) == ran
    assert set(sizes.heads) == {at_once}


@pytest.fixture(scope="module")
def pieces():
    """Texts of one to four pieces."""
    documents = [
        Document(number, f"text-{text}", piece, document.ids)
        for number, (document, (text, piece)) in enumerate(
            zip(
                tiny_models.random_documents(LENGTHS),
                ((text, piece) for text in range(DOCUMENTS) for piece in range(1 + text % 4)),
                strict=False,
            )
        )
    ]
    with tiny_models.population_of(documents) as made:
        yield made


def test_a_pass_over_texts_is_one_of_its_own(model, pieces):
    document_pass = sweep_of(model, pieces, HEAD, OTHER, batch_size=16)
    first = set(document_pass.order()[:64].tolist())
    also = set(document_pass.order(by_text=True)[:64].tolist())
    rows_of(document_pass, HEAD, 0, 64)
    assert document_pass.tokens_run == tokens_of(first)
    assert set(rows_of(document_pass, HEAD, 0, 64, by_text=True)) == also
    assert document_pass.documents_run == len(first | also)
    assert document_pass.tokens_run == tokens_of(first) + tokens_of(also)
    assert document_pass.tokens_run_twice == tokens_of(first & also)
    assert 0 < len(first & also) < 64
    # It served both heads, and goes on.
    assert_right(rows_of(document_pass, OTHER, 0, None, by_text=True), pieces, OTHER)
    assert document_pass.tokens_run == ALL_TOKENS + tokens_of(first)
    assert document_pass.documents_run == DOCUMENTS


def test_a_pass_over_texts_runs_them_one_after_another(model, pieces):
    document_pass = sweep_of(model, pieces, HEAD, batch_size=1)
    rows_of(document_pass, HEAD, by_text=True)
    order = document_pass.order(by_text=True).tolist()
    texts = [pieces[number].text_id for number in order]
    assert len([text for text, then in pairwise([*texts, None]) if text != then]) == len(set(texts))
    run = [number for (number,) in model.calls]
    for start, stop in ((0, 64), (64, 128), (128, 150)):
        assert set(run[start:stop]) == set(order[start:stop])


def test_tokens_of_documents_need_no_pass(model, population):
    document_pass = sweep_of(model, population, HEAD, batch_size=16)
    wanted = set(hash_order()[:3])
    found = [
        [document.id for document in tokens.batch.documents]
        for tokens in document_pass.tokens_of(HEAD.layer, wanted)
    ]
    assert all(wanted & set(documents) for documents in found)
    assert wanted <= {number for documents in found for number in documents}
    assert not model.tried


@pytest.mark.parametrize("by_text", [False, True], ids=["documents", "texts"])
def test_tokens_between_places_come_as_the_rows_do(by_text, model, population):
    document_pass = sweep_of(model, population, HEAD, batch_size=16)
    found = list(document_pass.tokens_between(HEAD.layer, 64, 150, by_text))
    numbers = [document.id for tokens in found for document in tokens.batch.documents]
    assert sorted(numbers) == sorted(document_pass.order(by_text)[64:150].tolist())
    assert not model.tried
    # So that what is found out of them serves the readers of rows, too.
    blocks = document_pass.blocks(HEAD, 64, 150, by_text)
    assert [block.tokens.key for block in blocks] == [tokens.key for tokens in found]


def test_layers_with_other_windows_are_not_taken_for_one(population):
    class Windowed(Model):
        def attendable(self, valid, layer):
            return super().attendable(valid, layer).triu(-2 if layer == 1 else -100)

    document_pass = sweep_of(Windowed(), population, HEAD, OTHER, UNANNOUNCED)
    blocks = [next(document_pass.blocks(head)) for head in (HEAD, OTHER, UNANNOUNCED)]
    first, windowed, second = (block.tokens for block in blocks)
    assert first.key == second.key != windowed.key
    assert [document_pass.alike(layer) for layer in (0, 1, 2)] == [0, 1, 0]
    assert document_pass.allowed(1)[5].nonzero()[0].tolist() == [3, 4, 5]
    assert document_pass.allowed(2)[5].nonzero()[0].tolist() == [0, 1, 2, 3, 4, 5]
    for head in (HEAD, OTHER, UNANNOUNCED):
        rows_of(document_pass, head)


def test_a_closed_sweep_gives_its_rows_back(model, population):
    document_pass = sweep_of(model, population, HEAD)
    rows_of(document_pass)
    document_pass.close()
    assert not document_pass.keeps(HEAD, 0, 64)
    assert document_pass._spool.save(torch.zeros(1)) is None
