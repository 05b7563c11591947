"""The pass: which documents run, in which batches, how often, and what survives an interruption."""

from itertools import pairwise

import numpy as np
import pytest
import tiny_models
import torch
from oracles import split_mix

from headtests.corpora import Document
from headtests.errors import ModelError
from headtests.head_names import HeadName
from headtests.settings import ModelSpec, Settings
from headtests.sweep import Sweep
from headtests.sweep import forward as forward_module
from headtests.sweep import kept as kept_module
from headtests.sweep.forward import FIRST_STEP

HEAD, OTHER, UNANNOUNCED = HeadName(0, 0), HeadName(1, 2), HeadName(2, 1)
DOCUMENTS = 150
LENGTHS = [2 + (number * 7) % 11 for number in range(DOCUMENTS)]


class Model:
    """A causal model whose rows depend on the head and the document alone."""

    spec = ModelSpec("made-up")
    device = torch.device("cpu")
    pad_id = 0

    def __init__(self):
        self.calls = []
        """The document ids of each call that gave rows."""
        self.tried = []
        """How many documents each call had, those that failed included."""
        self.fails = lambda documents: None
        """What raises before a call gives rows."""

    def attendable(self, valid, layer):
        length = valid.shape[1]
        causal = torch.ones((length, length), dtype=torch.bool).tril()
        return causal & valid[:, :, None] & valid[:, None, :]

    def rows(self, batch, heads):
        self.tried.append(len(batch))
        self.fails(batch.documents)
        self.calls.append([document.id for document in batch.documents])
        length = batch.ids.shape[1]
        rows = torch.zeros((len(heads), len(batch), length, length))
        for place, head in enumerate(heads):
            for row, document in enumerate(batch.documents):
                rows[place, row, : len(document), : len(document)] = expected(head, document)
        return rows


def expected(head, document):
    """Return the rows `[query, key]` of a head on a document."""
    seed = document.id * 100 + head.layer * 10 + head.index
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand((len(document), len(document)), generator=generator).tril() + 1e-3
    scores = scores.tril()
    return scores / scores.sum(-1, keepdim=True)


@pytest.fixture(scope="module")
def population():
    with tiny_models.population_of(tiny_models.random_documents(LENGTHS)) as made:
        yield made


@pytest.fixture
def model():
    return Model()


def sweep_of(model, population, *heads, progress=None, **settings):
    return Sweep(model, population, heads, Settings(**settings), progress)


def read(sweep, head=HEAD, start=0, stop=None, by_text=False):
    """Return each document's rows, after checking blocks for what each must be."""
    found = {}
    for block in sweep.blocks(head, start, stop, by_text):
        attendable = sweep.model.attendable(block.batch.valid, head.layer)
        assert torch.equal(torch.from_numpy(block.tokens.attendable.copy()), attendable)
        assert block.tokens.counts.tolist() == attendable.sum(-1).clamp(min=1).tolist()
        for row, document in enumerate(block.batch.documents):
            assert document.id not in found
            length = len(document)
            inside = block.rows[row, :length, :length]
            assert int((block.rows[row] != 0).sum()) == int((inside != 0).sum())
            found[document.id] = inside.clone()
    return found


def assert_right(found, population, head=HEAD, documents=DOCUMENTS):
    assert len(found) == documents
    for number, rows in found.items():
        assert torch.equal(rows, expected(head, population[number]))


def hash_order(seed=0):
    return sorted(range(DOCUMENTS), key=lambda number: split_mix(seed, number))


def tokens_of(numbers):
    return sum(LENGTHS[number] for number in numbers)


ALL_TOKENS = tokens_of(range(DOCUMENTS))


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_every_document_runs_once_whatever_the_batch_size(batch_size, model, population):
    sweep = sweep_of(model, population, HEAD, batch_size=batch_size)
    assert_right(read(sweep), population)
    assert max(model.tried) <= batch_size
    assert sorted(number for call in model.calls for number in call) == list(range(DOCUMENTS))


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
@pytest.mark.parametrize("seed", [0, 3])
def test_steps_are_prefixes_of_the_hash_order(batch_size, seed, model, population):
    sweep = sweep_of(model, population, HEAD, batch_size=batch_size, seed=seed)
    read(sweep)
    order, run = hash_order(seed), []
    for call in model.calls:
        run.extend(call)
        for step in (FIRST_STEP, 2 * FIRST_STEP):
            if len(run) == step:
                assert set(run) == set(order[:step])
    ends = np.cumsum([len(call) for call in model.calls]).tolist()
    # No batch reaches over the end of a step: 64, 128, 256 documents and so on.
    assert {FIRST_STEP, 2 * FIRST_STEP, DOCUMENTS} <= set(ends)


def test_each_step_doubles_what_was_run(model):
    documents = tiny_models.random_documents([2] * 300)
    with tiny_models.population_of(documents) as many:
        read(sweep_of(model, many, HEAD, batch_size=1000))
    assert [len(call) for call in model.calls] == [64, 64, 128, 44]


@pytest.mark.parametrize("budget", [1, 10, 64, 65, 149, 150, 10_000])
def test_the_budget_is_a_prefix_of_the_hash_order(budget, model, population):
    sweep = sweep_of(model, population, HEAD, max_documents=budget)
    assert sweep.budget == min(budget, DOCUMENTS)
    found = read(sweep)
    assert set(found) == set(hash_order()[:budget])
    assert sweep.documents_run == sweep.budget
    assert sweep.tokens_run == tokens_of(found)


def test_two_seeds_choose_other_documents(model, population):
    chosen = [
        set(read(sweep_of(model, population, HEAD, max_documents=20, seed=seed))) for seed in (0, 1)
    ]
    assert chosen[0] != chosen[1]


def test_announced_heads_share_one_pass(model, population):
    sweep = sweep_of(model, population, OTHER, HEAD)
    assert_right(read(sweep, HEAD), population, HEAD)
    assert sweep.tokens_run == ALL_TOKENS
    assert_right(read(sweep, OTHER), population, OTHER)
    assert_right(read(sweep, HEAD), population, HEAD)
    assert (sweep.tokens_run, sweep.tokens_run_twice) == (ALL_TOKENS, 0)


def test_nothing_runs_before_it_is_read(model, population):
    sweep = sweep_of(model, population, HEAD)
    blocks = sweep.blocks(HEAD)
    assert not model.tried
    next(blocks)
    assert len(model.tried) == 1


def test_an_unannounced_head_runs_the_documents_again(model, population):
    sweep = sweep_of(model, population, HEAD)
    read(sweep, HEAD)
    assert_right(read(sweep, UNANNOUNCED), population, UNANNOUNCED)
    assert (sweep.tokens_run, sweep.tokens_run_twice) == (2 * ALL_TOKENS, ALL_TOKENS)
    read(sweep, UNANNOUNCED)
    assert sweep.tokens_run == 2 * ALL_TOKENS
    assert sweep.documents_run == DOCUMENTS


def test_a_head_alone_needs_no_announcement(model, population):
    sweep = sweep_of(model, population)
    assert_right(read(sweep, HEAD), population)
    assert (sweep.tokens_run, sweep.tokens_run_twice) == (ALL_TOKENS, 0)


def test_without_a_spool_every_reading_runs(model, population):
    sweep = sweep_of(model, population, HEAD, OTHER, spool=0)
    assert_right(read(sweep, HEAD), population, HEAD)
    assert (sweep.tokens_run, sweep.tokens_run_twice) == (ALL_TOKENS, 0)
    assert_right(read(sweep, OTHER), population, OTHER)
    assert (sweep.tokens_run, sweep.tokens_run_twice) == (2 * ALL_TOKENS, ALL_TOKENS)


@pytest.mark.parametrize("in_memory", [0, 10**9], ids=["on disk", "in memory"])
def test_beyond_the_spool_only_the_rest_runs_again(in_memory, model, population, monkeypatch):
    monkeypatch.setattr(kept_module, "IN_MEMORY", in_memory)
    sweep = sweep_of(model, population, HEAD, spool=20_000, batch_size=16)
    assert_right(read(sweep), population)
    first = len(model.calls)
    assert_right(read(sweep), population)
    again = [number for call in model.calls[first:] for number in call]
    assert 0 < len(again) < DOCUMENTS
    assert sweep.tokens_run_twice == tokens_of(again)
    assert sweep.tokens_run == ALL_TOKENS + tokens_of(again)
    sweep.close()


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


def failing_above(limit, error):
    def fails(documents):
        if len(documents) > limit:
            raise error()

    return fails


@memory_ends
def test_the_end_of_memory_halves_the_batch_and_says_so(error, model, population):
    model.fails = failing_above(9, error)
    sweep = sweep_of(model, population, HEAD, batch_size=32)
    assert_right(read(sweep), population)
    # 32 fails, then 16, then 8 goes on to the end: nothing larger is tried again.
    assert model.tried[:3] == [32, 16, 8]
    assert max(model.tried[2:]) == 8
    assert len(sweep.notes) == 2
    assert "32" in sweep.notes[0]
    assert "16" in sweep.notes[0]
    assert "8" in sweep.notes[1]
    # What failed gave no rows, so it counts as no run.
    assert (sweep.tokens_run, sweep.tokens_run_twice) == (ALL_TOKENS, 0)
    assert_right(read(sweep), population)
    assert sweep.tokens_run == ALL_TOKENS


def test_memory_that_ends_in_the_middle_of_a_batch_loses_nothing(model, population):
    def fails(documents):
        if len(model.calls) == 3 and len(documents) > 2:
            raise out_of_memory()

    model.fails = fails
    sweep = sweep_of(model, population, HEAD, batch_size=8)
    assert_right(read(sweep), population)
    assert sorted(number for call in model.calls for number in call) == list(range(DOCUMENTS))


@memory_ends
def test_a_single_document_out_of_memory_is_an_error(error, model, population):
    def fails(documents):
        if any(len(document) == max(LENGTHS) for document in documents):
            raise error()

    model.fails = fails
    sweep = sweep_of(model, population, HEAD, batch_size=4)
    with pytest.raises(ModelError, match="out of memory") as caught:
        read(sweep)
    assert f"{max(LENGTHS)} tokens" in str(caught.value)
    assert "made-up" in str(caught.value)
    assert "headtests_max_length" in str(caught.value)
    assert model.tried == [4, 2, 1]


def test_another_error_is_not_taken_for_the_end_of_memory(model, population):
    def fails(documents):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    model.fails = fails
    sweep = sweep_of(model, population, HEAD)
    with pytest.raises(RuntimeError, match="mat1"):
        read(sweep)
    assert len(model.tried) == 1
    assert not sweep.notes


def test_an_interruption_keeps_what_was_read(model, population):
    def fails(documents):
        if len(model.calls) == 3:
            model.fails = lambda documents: None
            raise KeyboardInterrupt

    model.fails = fails
    log = Log()
    sweep = sweep_of(model, population, HEAD, batch_size=16, progress=log)
    with pytest.raises(KeyboardInterrupt):
        read(sweep)
    assert sweep.documents_run == 48
    assert log.events[-1] == ("finish",)
    seen = {number for call in model.calls for number in call}
    assert sweep.tokens_run == tokens_of(seen)
    assert_right(read(sweep), population)
    assert sweep.documents_run == DOCUMENTS
    assert (sweep.tokens_run, sweep.tokens_run_twice) == (ALL_TOKENS, 0)


def test_a_reader_that_leaves_keeps_what_was_read(model, population):
    log = Log()
    sweep = sweep_of(model, population, HEAD, batch_size=16, progress=log)
    blocks = sweep.blocks(HEAD)
    next(blocks)
    next(blocks)
    blocks.close()
    assert log.events[-1] == ("finish",)
    assert sweep.documents_run == 32
    assert_right(read(sweep), population)
    assert sweep.tokens_run == ALL_TOKENS


class Log:
    """Progress that remembers what it was told."""

    def __init__(self):
        self.events = []

    def start(self, documents):
        self.events.append(("start", documents))

    def advance(self, documents, tokens):
        self.events.append(("advance", documents, tokens))

    def finish(self):
        self.events.append(("finish",))


def test_progress_is_told_of_each_document_and_real_token_once(model, population):
    log = Log()
    sweep = sweep_of(model, population, HEAD, batch_size=16, max_documents=100, progress=log)
    found = read(sweep)
    assert log.events[0] == ("start", 100)
    assert log.events[-1] == ("finish",)
    advances = log.events[1:-1]
    assert {event[0] for event in advances} == {"advance"}
    assert sum(event[1] for event in advances) == 100
    assert sum(event[2] for event in advances) == tokens_of(found)
    told = len(log.events)
    read(sweep)
    assert len(log.events) == told


def test_what_was_not_kept_runs_again_for_the_asked_head_alone(model, population):
    asked = []
    rows = model.rows
    model.rows = lambda batch, heads: asked.append(tuple(heads)) or rows(batch, heads)
    sweep = sweep_of(model, population, HEAD, OTHER, spool=0)
    read(sweep)
    assert set(asked) == {(HEAD, OTHER)}
    asked.clear()
    assert_right(read(sweep, OTHER), population, OTHER)
    assert set(asked) == {(OTHER,)}


def test_a_pass_that_goes_on_announces_what_is_left(model, population):
    log = Log()
    sweep = sweep_of(model, population, HEAD, batch_size=16, progress=log)
    reader = sweep.blocks(HEAD)
    done = len(next(reader).batch)
    reader.close()
    read(sweep)
    starts = [event[1] for event in log.events if event[0] == "start"]
    assert starts == [DOCUMENTS, DOCUMENTS - done]


@pytest.mark.parametrize("heads", [(HEAD,), (HEAD, OTHER)], ids=["one head", "two heads"])
def test_the_rows_of_a_batch_are_bounded(heads, model, population, monkeypatch):
    bound = 4 * 12 * 12 * 8
    monkeypatch.setattr(forward_module, "BATCH_BYTES", bound)
    sweep = sweep_of(model, population, *heads)
    assert_right(read(sweep), population)
    sizes = [
        4 * len(heads) * len(call) * max(LENGTHS[number] for number in call) ** 2
        for call in model.calls
    ]
    assert max(sizes) <= bound
    assert max(map(len, model.calls)) > 1


def test_a_document_beyond_the_bound_runs_alone(model, population, monkeypatch):
    monkeypatch.setattr(forward_module, "BATCH_BYTES", 1)
    assert_right(read(sweep_of(model, population, HEAD)), population)
    assert set(map(len, model.calls)) == {1}


def test_blocks_of_some_documents_are_those_that_hold_them(model, population):
    sweep = sweep_of(model, population, HEAD, batch_size=16)
    read(sweep)
    wanted = [hash_order()[0], hash_order()[100]]
    found = list(sweep.block_of(HEAD, wanted))
    assert 1 <= len(found) <= 2
    for block in found:
        members = {document.id for document in block.batch.documents}
        assert members & set(wanted)
        for row, document in enumerate(block.batch.documents):
            length = len(document)
            assert torch.equal(block.rows[row, :length, :length], expected(HEAD, document))
    assert sweep.tokens_run == ALL_TOKENS
    assert list(sweep.block_of(HEAD, [])) == []


def test_a_block_that_was_not_run_yet_spoils_no_later_reading(model, population):
    sweep = sweep_of(model, population, HEAD, batch_size=16)
    last = hash_order()[-1]
    (block,) = sweep.block_of(HEAD, [last])
    assert last in {document.id for document in block.batch.documents}
    assert_right(read(sweep), population)


def test_what_was_run_ahead_of_the_pass_is_not_run_again(model, population):
    sweep = sweep_of(model, population, HEAD, OTHER, batch_size=16)
    list(sweep.block_of(HEAD, [hash_order()[-1]]))
    assert_right(read(sweep, OTHER), population, OTHER)
    assert (sweep.tokens_run, sweep.tokens_run_twice) == (ALL_TOKENS, 0)


@pytest.mark.parametrize("budget", [1, 63, 64, 65, 128, 129, 150, 10_000])
def test_extents_double_up_to_the_budget(budget, model, population):
    sweep = sweep_of(model, population, HEAD, max_documents=budget)
    limit = min(budget, DOCUMENTS)
    expected = [extent for extent in (64, 128) if extent < limit] + [limit]
    for by_text in (False, True):
        assert sweep.extents(by_text) == tuple(expected)
    assert not model.tried


@pytest.mark.parametrize("seed", [0, 3])
def test_the_order_is_of_the_whole_population(seed, model, population):
    sweep = sweep_of(model, population, HEAD, max_documents=20, seed=seed)
    assert sweep.order().tolist() == hash_order(seed)
    assert sweep.order(by_text=True).tolist() == population.text_order(seed).tolist()
    assert not model.tried


@pytest.mark.parametrize("batch_size", [1, 7, 64])
@pytest.mark.parametrize("by_text", [False, True], ids=["documents", "texts"])
@pytest.mark.parametrize(("start", "stop"), [(0, 64), (0, 128), (64, 128), (128, 150), (0, None)])
def test_blocks_cover_the_asked_places(start, stop, by_text, batch_size, model, population):
    sweep = sweep_of(model, population, HEAD, batch_size=batch_size)
    found = read(sweep, HEAD, start, stop, by_text)
    wanted = sweep.order(by_text)[start:stop].tolist()
    assert set(found) == set(wanted)
    assert_right(found, population, documents=len(wanted))
    assert sweep.tokens_run == tokens_of(wanted)


def test_the_budget_ends_the_last_step(model, population):
    sweep = sweep_of(model, population, HEAD, max_documents=100)
    assert set(read(sweep, HEAD, 64, 100)) == set(hash_order()[64:100])


def test_a_pass_goes_on_where_it_ended(model, population):
    log = Log()
    sweep = sweep_of(model, population, HEAD, batch_size=16, progress=log)
    for start, stop in ((0, 64), (64, 128), (128, 150)):
        read(sweep, HEAD, start, stop)
    assert [event[1] for event in log.events if event[0] == "start"] == [64, 64, 22]
    assert (sweep.tokens_run, sweep.tokens_run_twice) == (ALL_TOKENS, 0)
    assert_right(read(sweep), population)
    assert sweep.tokens_run == ALL_TOKENS
    assert [event[1] for event in log.events if event[0] == "start"] == [64, 64, 22]


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
    sweep = sweep_of(model, pieces, HEAD, OTHER, batch_size=16)
    first = set(sweep.order()[:64].tolist())
    also = set(sweep.order(by_text=True)[:64].tolist())
    read(sweep, HEAD, 0, 64)
    assert sweep.tokens_run == tokens_of(first)
    assert set(read(sweep, HEAD, 0, 64, by_text=True)) == also
    assert sweep.documents_run == len(first | also)
    assert sweep.tokens_run == tokens_of(first) + tokens_of(also)
    assert sweep.tokens_run_twice == tokens_of(first & also)
    assert 0 < len(first & also) < 64
    # It served both heads, and goes on.
    assert_right(read(sweep, OTHER, 0, None, by_text=True), pieces, OTHER)
    assert sweep.tokens_run == ALL_TOKENS + tokens_of(first)
    assert sweep.documents_run == DOCUMENTS


def test_a_pass_over_texts_runs_them_one_after_another(model, pieces):
    sweep = sweep_of(model, pieces, HEAD, batch_size=1)
    read(sweep, HEAD, by_text=True)
    order = sweep.order(by_text=True).tolist()
    texts = [pieces[number].text_id for number in order]
    assert len([text for text, then in pairwise([*texts, None]) if text != then]) == len(set(texts))
    run = [number for (number,) in model.calls]
    for start, stop in ((0, 64), (64, 128), (128, 150)):
        assert set(run[start:stop]) == set(order[start:stop])


def test_tokens_of_documents_need_no_pass(model, population):
    sweep = sweep_of(model, population, HEAD, batch_size=16)
    wanted = hash_order()[:3]
    found = {
        document.id
        for tokens in sweep.tokens_of(HEAD, wanted)
        for document in tokens.batch.documents
    }
    assert found.issuperset(wanted)
    assert not model.tried


def test_layers_with_other_windows_are_not_taken_for_one(population):
    class Windowed(Model):
        def attendable(self, valid, layer):
            return super().attendable(valid, layer).triu(-2 if layer == 1 else -100)

    sweep = sweep_of(Windowed(), population, HEAD, OTHER, UNANNOUNCED)
    blocks = [next(sweep.blocks(head)) for head in (HEAD, OTHER, UNANNOUNCED)]
    first, windowed, second = (block.tokens for block in blocks)
    assert first.key == second.key != windowed.key
    for head in (HEAD, OTHER, UNANNOUNCED):
        read(sweep, head)


def test_a_closed_sweep_gives_its_rows_back(model, population):
    sweep = sweep_of(model, population, HEAD)
    read(sweep)
    sweep.close()
    assert sweep._kept.keep(torch.zeros(1)) is None
