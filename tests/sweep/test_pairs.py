"""Ranked, random and distributed multiples are those of a naive double loop, ties included."""

import math
from itertools import pairwise
from statistics import fmean

import pytest
import tiny_models
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import CURRENT, DUPLICATE, FIRST, INDUCTION, ON_KEY, PARITY, PREVIOUS, Reader

import headtests as ht
from headtests.claims import RowOptions
from headtests.head_names import HeadName
from headtests.settings import Settings
from headtests.sweep import Sweep, pairs
from headtests.sweep import kept as kept_module
from sweep.blocks import measured, texts_of, vocabulary

FIXED = settings(derandomize=True, deadline=None, max_examples=100)
SUPPRESSED, PLAIN = RowOptions(True), RowOptions(False)

relations = st.sampled_from(
    [None, PREVIOUS, ~PREVIOUS, FIRST, PREVIOUS | FIRST, DUPLICATE, INDUCTION, PARITY]
)
options = st.builds(RowOptions, st.booleans(), st.sampled_from([0, 1, 2]))


def expression(said):
    return None if said is None else said.expression


def listed(found):
    """Return pairs as the oracle gives them: `(multiple, document, query, key)`."""
    columns = (found.multiples, found.documents, found.queries, found.keys)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def columns_of(measured, chosen, on=None, above_average=True):
    return list(pairs.columns(measured.blocks, vocabulary(), chosen, expression(on), above_average))


@FIXED
@given(measured(), relations, options, st.booleans())
def test_the_pairs_are_those_of_a_double_loop(measured, on, chosen, above_average):
    reader = Reader(measured.texts, chosen.suppress_first_token, chosen.min_query)
    found = [
        pair for part in columns_of(measured, chosen, on, above_average) for pair in listed(part)
    ]
    assert sorted(found) == sorted(reader.pairs(on, above_average))


@FIXED
@given(measured(), relations, options, st.integers(1, 8), st.booleans())
def test_ranked_pairs_are_the_first_of_a_naive_sort(measured, on, chosen, size, reverse):
    reader = Reader(measured.texts, chosen.suppress_first_token, chosen.min_query)
    found = pairs.ranked(columns_of(measured, chosen, on), size, reverse)
    assert listed(found) == reader.ranked(size, reverse, on)


@FIXED
@given(measured(), relations, options, st.integers(1, 8), st.integers(0, 9), st.booleans())
def test_sampled_pairs_are_the_first_of_a_hash_order(
    measured, on, chosen, size, seed, above_average
):
    reader = Reader(measured.texts, chosen.suppress_first_token, chosen.min_query)
    found = pairs.sampled(columns_of(measured, chosen, on, above_average), size, seed)
    assert listed(found) == reader.sampled(size, seed, above_average, on)


@FIXED
@given(measured(), st.integers(1, 8), st.integers(0, 9))
def test_an_overview_is_both_and_their_number(measured, size, seed):
    reader = Reader(measured.texts, suppress=True)
    best, sample, count = pairs.overview(columns_of(measured, SUPPRESSED), size, seed)
    assert listed(best) == reader.ranked(size)
    assert listed(sample) == reader.sampled(size, seed)
    assert count == len(list(reader.pairs()))


@FIXED
@given(measured(), relations, options, st.sets(st.integers(0, 3)), st.booleans())
def test_pairs_are_limited_to_some_documents(measured, on, chosen, documents, above_average):
    reader = Reader(measured.texts, chosen.suppress_first_token, chosen.min_query)
    parts = pairs.columns(
        measured.blocks, vocabulary(), chosen, expression(on), above_average, documents
    )
    expected = [pair for pair in reader.pairs(on, above_average) if pair[1] in documents]
    assert sorted(pair for part in parts for pair in listed(part)) == sorted(expected)


HEAD = HeadName(1, 2)
FIRST_HEAD = HeadName(0, 1)
LENGTHS = [3 + (number * 5) % 14 for number in range(70)]


@pytest.fixture(scope="module")
def population():
    # Few different tokens, so that they repeat, special ones among them.
    documents = tiny_models.random_documents(LENGTHS, first_id=0, vocabulary=12)
    with tiny_models.population_of(documents) as made:
        yield made


@pytest.fixture
def sweep_of(loaded, population):
    def make(name="gpt2", **settings):
        return Sweep(loaded(name), population, [HEAD], Settings(**settings))

    return make


def columns(sweep, head=HEAD, chosen=SUPPRESSED, on=None, above_average=True):
    return pairs.columns(
        sweep.blocks(head), sweep.population.vocabulary, chosen, expression(on), above_average
    )


def reader_of(sweep, head=HEAD, suppress=True):
    return Reader(texts_of(sweep.blocks(head), sweep.population.vocabulary), suppress)


@pytest.mark.parametrize("reverse", [False, True], ids=["top", "bottom"])
@pytest.mark.parametrize("on", [None, PREVIOUS, ON_KEY["key special"], FIRST], ids=repr)
@pytest.mark.parametrize("suppress", [True, False], ids=["suppressed", "plain"])
def test_top_multiples_of_a_random_model_match_exactly(suppress, on, reverse, sweep_of):
    sweep = sweep_of()
    found = listed(pairs.ranked(columns(sweep, HEAD, RowOptions(suppress), on), 50, reverse))
    assert found == reader_of(sweep, HEAD, suppress).ranked(50, reverse, on)
    assert found


def test_top_multiples_of_a_random_model_differ_between_rows(sweep_of):
    found = listed(pairs.ranked(columns(sweep_of()), 50, False))
    assert len({multiple for multiple, *_ in found}) > 40
    assert len({(document, query) for _, document, query, _ in found}) > 40
    # A multiple is at most the number of keys of its row, which differs between rows, too.
    assert all(multiple <= query + 1 for multiple, _, query, _ in found)


def test_top_multiples_are_those_of_hugging_face(sweep_of, model_folder, population):
    from transformers import AutoModel

    reference = AutoModel.from_pretrained(model_folder("gpt2"), attn_implementation="eager").eval()
    every = []
    for document in population:
        ids = torch.from_numpy(document.ids.astype("int64"))[None]
        with torch.no_grad():
            rows = reference(ids, output_attentions=True).attentions[HEAD.layer][0, HEAD.index]
        for q in range(1, len(document)):
            for k in range(1, q + 1):
                every.append((float(rows[q, k]) * (q + 1), document.id, q, k))
    expected = sorted(every, reverse=True)[:31]
    # What is told apart here differs by far more than rounding does.
    gaps = [high[0] - low[0] for high, low in pairwise(expected)]
    assert min(gaps) > 1e-4
    found = listed(pairs.ranked(columns(sweep_of()), 30, False))
    assert [pair[1:] for pair in found] == [pair[1:] for pair in expected[:30]]
    for ours, theirs in zip(found, expected, strict=False):
        assert ours[0] == pytest.approx(theirs[0], abs=1e-4)


@pytest.mark.parametrize("reverse", [False, True], ids=["top", "bottom"])
def test_ties_of_a_model_break_on_document_query_and_key(reverse, loaded):
    # Equal tokens of a row tie, and so do equal rows of documents that are the same.
    once = tiny_models.random_documents([12] * 10, first_id=1, vocabulary=6)
    twice = tiny_models.documents_of([document.ids for document in once + once])
    with tiny_models.population_of(twice) as population:
        sweep = Sweep(loaded("tied"), population, [FIRST_HEAD], Settings())
        reader = reader_of(sweep, FIRST_HEAD)
        every = reader.ranked(10**6, reverse)
        size = next(place for place in range(40, len(every)) if _cuts_ties(every, place))
        found = listed(pairs.ranked(columns(sweep, FIRST_HEAD), size, reverse))
    assert found == every[:size]


def _cuts_ties(every, size):
    """Return whether a cut falls among pairs that tie in one row, and in another document."""
    tied = [pair for pair in every if pair[0] == every[size][0]]
    taken = [pair for pair in every[:size] if pair[0] == every[size][0]]
    rows = {pair[1:3] for pair in tied}
    return (
        0 < len(taken) < len(tied) and len(rows) < len(tied) and len({row[0] for row in rows}) > 1
    )


@pytest.mark.parametrize("above_average", [True, False])
@pytest.mark.parametrize("on", [None, CURRENT, ON_KEY["key repeats"]], ids=repr)
@pytest.mark.parametrize("seed", [0, 5])
def test_random_multiples_of_a_model_match_exactly(seed, on, above_average, sweep_of):
    sweep = sweep_of(seed=seed)
    found = pairs.sampled(columns(sweep, HEAD, SUPPRESSED, on, above_average), 60, seed)
    assert listed(found) == reader_of(sweep).sampled(60, seed, above_average, on)
    assert len(found) == 60


@pytest.fixture(scope="module")
def plain_results(loaded, population):
    """Ranked, reversed and random pairs at one batch size, all rows in memory."""
    return results(Sweep(loaded("gpt2"), population, [HEAD], Settings(batch_size=32)))


def results(sweep):
    return [
        listed(pairs.ranked(columns(sweep), 40, False)),
        listed(pairs.ranked(columns(sweep), 40, True)),
        listed(pairs.sampled(columns(sweep), 40, 0)),
    ]


@pytest.mark.parametrize(
    ("changes", "in_memory"),
    [
        ({"batch_size": 1}, None),
        ({"batch_size": 7}, None),
        ({"batch_size": 64}, None),
        ({"spool": 0}, None),
        ({"spool": 20_000}, None),
        ({"spool": 10**8}, 0),
        ({"spool": 50_000}, 20_000),
    ],
    ids=repr,
)
def test_pairs_are_the_same_however_documents_ran(
    changes, in_memory, plain_results, sweep_of, monkeypatch
):
    if in_memory is not None:
        monkeypatch.setattr(kept_module, "IN_MEMORY", in_memory)
    sweep = sweep_of(**changes)
    for found, expected in zip(results(sweep), plain_results, strict=True):
        assert [pair[1:] for pair in found] == [pair[1:] for pair in expected]
        for ours, theirs in zip(found, expected, strict=True):
            # To the device's rounding, which may depend on what stood in one batch.
            assert ours[0] == pytest.approx(theirs[0], rel=1e-5)
    sweep.close()


def test_ranked_pairs_do_not_depend_on_the_order_of_documents(sweep_of, plain_results):
    for seed in (1, 2):
        found = listed(pairs.ranked(columns(sweep_of(seed=seed)), 40, False))
        assert [pair[1:] for pair in found] == [pair[1:] for pair in plain_results[0]]


@pytest.mark.parametrize("name", ["gpt2", "mistral"])
def test_pairs_in_context_show_their_row(name, sweep_of):
    sweep = sweep_of(name)
    window = sweep.model.shape.windows[HEAD.layer]
    texts = {
        text.number: text
        for text in texts_of(sweep.blocks(HEAD), sweep.population.vocabulary, window=window)
    }
    chosen = pairs.ranked(columns(sweep), 25, False)
    shown = pairs.in_context(sweep, HEAD, chosen)
    assert [(p.multiple, p.document, p.query, p.key) for p in shown] == listed(chosen)
    for pair in shown:
        text = texts[pair.document]
        assert pair.text == f"text-{pair.document}"
        assert pair.tokens == tuple(text.texts)
        assert pair.token == text.texts[pair.key]
        assert pair.attendable == tuple(text.keys(pair.query))
        assert pair.pattern == tuple(text.attention[pair.query])
        assert pair.multiple == pair.pattern[pair.key] * len(pair.attendable)
        assert sum(pair.pattern) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("relation", [PREVIOUS, ~PREVIOUS, FIRST, PARITY, INDUCTION], ids=repr)
@pytest.mark.parametrize("suppress", [True, False], ids=["suppressed", "plain"])
def test_whether_pairs_lie_in_a_relation(suppress, relation, sweep_of):
    sweep, chosen = sweep_of(), RowOptions(suppress)
    sampled = pairs.sampled(columns(sweep, HEAD, PLAIN, None, False), 80, 0)
    shown = pairs.in_context(sweep, HEAD, sampled)
    assert any(pair.key == 0 for pair in shown)
    texts = {text.number: text for text in reader_of(sweep).texts}
    assert pairs.in_relation(sweep, HEAD, shown, relation.expression, chosen) == [
        relation.holds(texts[pair.document], pair.query, pair.key, suppress) for pair in shown
    ]


@pytest.mark.parametrize("on", [None, PREVIOUS, FIRST], ids=repr)
def test_a_distribution_counts_what_a_double_loop_does(on, sweep_of):
    sweep = sweep_of()
    found = pairs.distribution(
        sweep, HEAD, columns(sweep, HEAD, SUPPRESSED, on, above_average=False), seed=0
    )
    multiples = sorted(pair[0] for pair in reader_of(sweep).pairs(on, above_average=False))
    assert found.count == len(multiples)
    assert found.mean == pytest.approx(fmean(multiples), abs=1e-8)
    assert found.quantile(0) == multiples[0]
    assert found.quantile(1) == multiples[-1]
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        exact = multiples[max(1, math.ceil(share * len(multiples))) - 1]
        assert found.quantile(share) == pytest.approx(exact, rel=0.011, abs=2**-20)


def test_a_distribution_shows_examples_of_each_band(sweep_of):
    sweep = sweep_of()
    found = pairs.distribution(sweep, HEAD, columns(sweep, above_average=False), seed=0)
    known = {pair[1:]: pair[0] for pair in reader_of(sweep).pairs(above_average=False)}
    assert [(band.low, band.high) for band in found.bands] == list(pairwise(pairs.BANDS))
    for band in found.bands:
        low, high = band.multiples
        assert len(band.examples) == pairs.EXAMPLES
        for pair in band.examples:
            assert low <= pair.multiple <= high
            assert known[pair.document, pair.query, pair.key] == pair.multiple


def test_of_no_pairs_there_is_no_distribution(sweep_of):
    sweep = sweep_of()
    absent = CURRENT & ON_KEY["key special"] & ~ON_KEY["key special"]
    assert pairs.distribution(sweep, HEAD, columns(sweep, on=absent), seed=0) is None
    assert len(pairs.ranked(columns(sweep, on=absent), 5, False)) == 0
    assert pairs.in_context(sweep, HEAD, pairs.ranked(columns(sweep, on=absent), 5, False)) == []


def test_a_relation_that_asks_for_key_0_gets_its_pairs(sweep_of):
    sweep = sweep_of()
    without = pairs.sampled(columns(sweep, above_average=False), 500, 0)
    assert 0 not in without.keys
    asked = pairs.sampled(columns(sweep, on=FIRST, above_average=False), 500, 0)
    assert set(asked.keys.tolist()) == {0}
    assert ht.first == FIRST.expression


def test_to_ask_of_a_relation_runs_nothing(sweep_of):
    sweep = sweep_of(spool=0)
    shown = pairs.in_context(sweep, HEAD, pairs.ranked(columns(sweep), 5, False))
    run = sweep.tokens_run
    assert any(pairs.in_relation(sweep, HEAD, shown, ~ht.previous, SUPPRESSED))
    assert sweep.tokens_run == run
