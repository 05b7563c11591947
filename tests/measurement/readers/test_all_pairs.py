"""Ranked and random multiples are those of a naive double loop, ties included.

On blocks by hand the general way, and of a model that way and by the readers of many heads.
"""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import headtests as ht
from headtests.claims.definitions import RowOptions
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes import row_spool
from headtests.measurement.passes.runner import DocumentPass
from headtests.measurement.readers import all_pairs
from headtests.measurement.readers.distributions import EXAMPLE_SAMPLE, DistributionReader
from headtests.measurement.readers.ranked_pairs import RankedReader
from headtests.measurement.readers.sampled_pairs import SampleReader
from headtests.settings import Settings
from headtests.statistics.sketches import Histogram, Pairs, RankedPairs, SampledPairs
from tests import tiny_models
from tests.measurement.blocks import texts_of, vocabulary
from tests.measurement.several import HEADS, drawn, listed
from tests.oracles import CURRENT, DUPLICATE, FIRST, INDUCTION, ON_KEY, PARITY, PREVIOUS, Reader

FIXED = settings(derandomize=True, deadline=None, max_examples=100)
SUPPRESSED, PLAIN = RowOptions(True), RowOptions(False)

relations = st.sampled_from(
    [None, PREVIOUS, ~PREVIOUS, FIRST, PREVIOUS | FIRST, DUPLICATE, INDUCTION, PARITY]
)
options = st.builds(RowOptions, st.booleans(), st.sampled_from([0, 1, 2]))


def expression(said):
    return None if said is None else said.expression


def ranked(parts, size, reverse=False):
    return kept(RankedPairs(size, reverse), parts)


def sampled(parts, size, seed):
    return kept(SampledPairs(size, seed), parts)


def kept(sketch, parts):
    for part in parts:
        sketch.update(part)
    return sketch.pairs


def columns_of(rows, head, chosen, on=None, above_average=True, documents=None):
    blocks = [block for block in rows.blocks if head in block.heads]
    return all_pairs.head_pairs(
        blocks, head, vocabulary(), chosen, expression(on), above_average, documents
    )


@pytest.mark.slow
@FIXED
@given(drawn(), st.sampled_from(HEADS), relations, options, st.booleans())
def test_the_pairs_are_those_of_a_double_loop(rows, head, on, chosen, above_average):
    reader = Reader(rows.texts[head], chosen.suppress_first_token, chosen.min_query)
    found = Pairs.concatenate(columns_of(rows, head, chosen, on, above_average))
    assert sorted(listed(found)) == sorted(reader.pairs(on, above_average))


@pytest.mark.slow
@FIXED
@given(drawn(), relations, options, st.integers(1, 8), st.booleans())
def test_ranked_pairs_are_the_first_of_a_naive_sort(rows, on, chosen, size, reverse):
    reader = Reader(rows.texts[HEADS[0]], chosen.suppress_first_token, chosen.min_query)
    found = ranked(columns_of(rows, HEADS[0], chosen, on), size, reverse)
    assert listed(found) == reader.ranked(size, reverse, on)


@pytest.mark.slow
@FIXED
@given(drawn(), relations, options, st.integers(1, 8), st.integers(0, 9), st.booleans())
def test_sampled_pairs_are_the_first_of_a_hash_order(rows, on, chosen, size, seed, above_average):
    reader = Reader(rows.texts[HEADS[0]], chosen.suppress_first_token, chosen.min_query)
    found = sampled(columns_of(rows, HEADS[0], chosen, on, above_average), size, seed)
    assert listed(found) == reader.sampled(size, seed, above_average, on)


@pytest.mark.slow
@FIXED
@given(drawn(), relations, options, st.sets(st.integers(0, 3)), st.booleans())
def test_pairs_are_limited_to_some_documents(rows, on, chosen, documents, above_average):
    reader = Reader(rows.texts[HEADS[0]], chosen.suppress_first_token, chosen.min_query)
    parts = columns_of(rows, HEADS[0], chosen, on, above_average, documents)
    expected = [pair for pair in reader.pairs(on, above_average) if pair[1] in documents]
    assert sorted(listed(Pairs.concatenate(parts))) == sorted(expected)


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
        return DocumentPass(loaded(name), population, [HEAD], Settings(**settings))

    return make


def columns(document_pass, head=HEAD, chosen=SUPPRESSED, on=None, above_average=True):
    return all_pairs.head_pairs(
        document_pass.blocks(head),
        head,
        document_pass.population.vocabulary,
        chosen,
        expression(on),
        above_average,
    )


def reader_of(document_pass, head=HEAD, suppress=True):
    return Reader(
        texts_of(document_pass.blocks(head), document_pass.population.vocabulary), suppress
    )


@pytest.mark.slow
@pytest.mark.parametrize("reverse", [False, True], ids=["top", "bottom"])
@pytest.mark.parametrize("on", [None, PREVIOUS, ON_KEY["key special"], FIRST], ids=repr)
@pytest.mark.parametrize("suppress", [True, False], ids=["suppressed", "plain"])
def test_top_multiples_of_a_random_model_match_exactly(suppress, on, reverse, sweep_of):
    document_pass = sweep_of()
    found = listed(ranked(columns(document_pass, HEAD, RowOptions(suppress), on), 50, reverse))
    assert found == reader_of(document_pass, HEAD, suppress).ranked(50, reverse, on)
    assert found


def test_top_multiples_of_a_random_model_differ_between_rows(sweep_of):
    found = listed(ranked(columns(sweep_of()), 50, False))
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
    found = listed(ranked(columns(sweep_of()), 30, False))
    assert [pair[1:] for pair in found] == [pair[1:] for pair in expected[:30]]
    for ours, theirs in zip(found, expected, strict=False):
        assert ours[0] == pytest.approx(theirs[0], abs=1e-4)


@pytest.mark.parametrize("reverse", [False, True], ids=["top", "bottom"])
def test_ties_of_a_model_break_on_document_query_and_key(reverse, loaded):
    # Equal tokens of a row tie, and so do equal rows of documents that are the same.
    once = tiny_models.random_documents([12] * 10, first_id=1, vocabulary=6)
    twice = tiny_models.documents_of([document.ids for document in once + once])
    with tiny_models.population_of(twice) as population:
        document_pass = DocumentPass(loaded("tied"), population, [FIRST_HEAD], Settings())
        reader = reader_of(document_pass, FIRST_HEAD)
        every = reader.ranked(10**6, reverse)
        size = next(place for place in range(40, len(every)) if _cuts_ties(every, place))
        found = listed(ranked(columns(document_pass, FIRST_HEAD), size, reverse))
    assert found == every[:size]


def _cuts_ties(every, size):
    """Return whether a cut falls among pairs that tie in one row, and in another document."""
    tied = [pair for pair in every if pair[0] == every[size][0]]
    taken = [pair for pair in every[:size] if pair[0] == every[size][0]]
    rows = {pair[1:3] for pair in tied}
    return (
        0 < len(taken) < len(tied) and len(rows) < len(tied) and len({row[0] for row in rows}) > 1
    )


@pytest.mark.slow
@pytest.mark.parametrize("above_average", [True, False])
@pytest.mark.parametrize("on", [None, CURRENT, ON_KEY["key repeats"]], ids=repr)
@pytest.mark.parametrize("seed", [0, 5])
def test_random_multiples_of_a_model_match_exactly(seed, on, above_average, sweep_of):
    document_pass = sweep_of(seed=seed)
    found = sampled(columns(document_pass, HEAD, SUPPRESSED, on, above_average), 60, seed)
    assert listed(found) == reader_of(document_pass).sampled(60, seed, above_average, on)
    assert len(found) == 60


@pytest.fixture(scope="module")
def plain_results(loaded, population):
    """Ranked, reversed and random pairs at one batch size, all rows in memory."""
    return results(DocumentPass(loaded("gpt2"), population, [HEAD], Settings(batch_size=32)))


def results(document_pass):
    return [
        listed(ranked(columns(document_pass), 40, False)),
        listed(ranked(columns(document_pass), 40, True)),
        listed(sampled(columns(document_pass), 40, 0)),
    ]


@pytest.mark.slow
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
        monkeypatch.setattr(row_spool, "IN_MEMORY", in_memory)
    document_pass = sweep_of(**changes)
    for found, expected in zip(results(document_pass), plain_results, strict=True):
        assert [pair[1:] for pair in found] == [pair[1:] for pair in expected]
        for ours, theirs in zip(found, expected, strict=True):
            # To the device's rounding, which may depend on what stood in one batch.
            assert ours[0] == pytest.approx(theirs[0], rel=1e-5)
    document_pass.close()


def test_ranked_pairs_do_not_depend_on_the_order_of_documents(sweep_of, plain_results):
    for seed in (1, 2):
        found = listed(ranked(columns(sweep_of(seed=seed)), 40, False))
        assert [pair[1:] for pair in found] == [pair[1:] for pair in plain_results[0]]


def test_a_relation_that_asks_for_key_0_gets_its_pairs(sweep_of):
    document_pass = sweep_of()
    without = sampled(columns(document_pass, above_average=False), 500, 0)
    assert 0 not in without.keys
    asked = sampled(columns(document_pass, on=FIRST, above_average=False), 500, 0)
    assert set(asked.keys.tolist()) == {0}
    assert ht.first == FIRST.expression


@pytest.mark.parametrize("name", ["gpt2", "mistral"])
def test_readers_of_many_heads_find_the_same(name, sweep_of):
    heads = [HeadName(layer, index) for layer in range(2) for index in range(2)]
    model = sweep_of(name).model
    document_pass = DocumentPass(model, sweep_of(name).population, heads, Settings(batch_size=16))
    best, random = RankedReader(SUPPRESSED, 40), SampleReader(SUPPRESSED, 0, 300)
    spread = DistributionReader(SUPPRESSED, 0)
    document_pass.read(heads, [best, random, spread])
    for head in heads:
        above, every = (
            list(columns(document_pass, head, above_average=given)) for given in (True, False)
        )
        assert best.pairs(head) == ranked(above, 40)
        assert random.pairs(head) == sampled(every, 300, 0)
        assert random.sample(head, 20, above_average=True) == sampled(above, 20, 0)
        histogram = Histogram()
        for part in every:
            histogram.update(part.multiples)
        assert spread.distribution(head)[0].to_dict() == histogram.to_dict()
        assert spread.sample(head) == sampled(every, EXAMPLE_SAMPLE, 0)
