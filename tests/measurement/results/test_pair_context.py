"""Pairs are shown with their tokens, their rows and their relations."""

from itertools import pairwise

import numpy as np
import pytest

import headtests as ht
from headtests.claims.definitions import RowOptions
from headtests.claims.pairs import DistributionSketch
from headtests.expressions.head_names import HeadName
from headtests.measurement.results.pair_context import (
    BANDS,
    EXAMPLES,
    banded,
    bands_of,
    in_context,
    in_relation,
    keys_within,
)
from headtests.statistics.sketches import Histogram, Moments, Pairs
from tests import tiny_models
from tests.measurement.blocks import text_of
from tests.measurement.pretended import HEAD, OTHER, Model, expected, sweep_of
from tests.oracles import FIRST, ON_KEY, PARITY, PREVIOUS

SUPPRESSED, PLAIN = RowOptions(True), RowOptions(False)
LENGTHS = [3 + number % 9 for number in range(70)]


@pytest.fixture(scope="module")
def population():
    documents = tiny_models.random_documents(LENGTHS, first_id=0, vocabulary=12)
    with tiny_models.population_of(documents) as made:
        yield made


class Windowed(Model):
    """A model whose second layer looks three keys back."""

    def attendable(self, valid, layer):
        return super().attendable(valid, layer).triu(-2 if layer == 1 else -100)


def some_pairs(count, head=HEAD, seed=0, window=None):
    """Return pairs of any documents in any order, some of them twice."""
    generator = np.random.default_rng(seed)
    documents = generator.integers(0, len(LENGTHS), size=count)
    queries = generator.integers(0, np.array(LENGTHS)[documents])
    low = 0 if window is None else np.maximum(0, queries - window + 1)
    keys = generator.integers(low, queries + 1)
    return Pairs.of(documents, queries, keys, generator.random(count) * 4)


@pytest.mark.parametrize(("head", "window"), [(HEAD, None), (OTHER, 3)])
def test_pairs_in_context_are_what_the_document_says(head, window, population):
    document_pass = sweep_of(Windowed(), population, HEAD, OTHER)
    pairs = some_pairs(40, head, window=window)
    places = list(zip(pairs.documents.tolist(), pairs.queries.tolist(), strict=True))
    shown = in_context(document_pass, head, pairs, document_pass.rows_at(head, places))
    assert len(shown) == len(pairs)
    for place, pair in enumerate(shown):
        document = population[int(pairs.documents[place])]
        query, key = int(pairs.queries[place]), int(pairs.keys[place])
        texts = population.vocabulary.texts(document.ids)
        lowest = 0 if window is None else max(0, query - window + 1)
        assert (pair.document, pair.query, pair.key) == (document.id, query, key)
        assert (pair.text, pair.multiple) == (document.text_id, pairs.multiples[place])
        assert pair.tokens == tuple(texts)
        assert pair.token == texts[key]
        assert pair.attendable == tuple(range(lowest, query + 1))
        assert pair.pattern == tuple(expected(head, document)[query].tolist())


def test_no_pairs_have_no_context(population):
    model = Model()
    document_pass = sweep_of(model, population, HEAD)
    assert in_context(document_pass, HEAD, Pairs.empty(), []) == []
    assert in_relation(document_pass, HEAD, Pairs.empty(), ht.previous, PLAIN) == []
    assert keys_within(document_pass, HEAD, Pairs.empty(), ht.previous, PLAIN) == []
    assert not model.tried


@pytest.mark.parametrize("chosen", [SUPPRESSED, PLAIN], ids=["suppressed", "plain"])
@pytest.mark.parametrize(
    "said",
    [PREVIOUS, ~PREVIOUS, FIRST, PREVIOUS | FIRST, PARITY, ON_KEY["key repeats"]],
    ids=repr,
)
def test_pairs_lie_in_a_relation_as_it_says(said, chosen, population):
    model = Model()
    document_pass = sweep_of(model, population, HEAD, batch_size=7)
    pairs = some_pairs(60)
    found = in_relation(document_pass, HEAD, pairs, said.expression, chosen)
    keys = keys_within(document_pass, HEAD, pairs, said.expression, chosen)
    for place, inside in enumerate(found):
        document = population[int(pairs.documents[place])]
        text = text_of(document, expected(HEAD, document), population.vocabulary)
        query, key = int(pairs.queries[place]), int(pairs.keys[place])
        assert inside == said.holds(text, query, key, chosen.suppress_first_token)
        assert keys[place] == [
            k for k in text.keys(query) if said.holds(text, query, k, chosen.suppress_first_token)
        ]
    assert len(set(found)) == 2
    assert not model.tried


def test_a_key_that_may_not_be_attended_to_lies_in_no_relation(population):
    document_pass = sweep_of(Windowed(), population, HEAD, OTHER)
    document = next(number for number, length in enumerate(LENGTHS) if length > 5)
    pairs = Pairs.of(document, [5, 5], [2, 3], 1.0)
    anything = ~ht.offset(-1000)
    assert in_relation(document_pass, HeadName(0, 0), pairs, anything, PLAIN) == [True, True]
    assert in_relation(document_pass, OTHER, pairs, anything, PLAIN) == [False, True]
    assert (
        keys_within(document_pass, HeadName(0, 0), pairs, anything, PLAIN) == [list(range(6))] * 2
    )
    assert keys_within(document_pass, OTHER, pairs, anything, PLAIN) == [[3, 4, 5]] * 2


def sketch_of(multiples, sample=None):
    histogram, moments = Histogram(), Moments()
    histogram.update(multiples)
    moments.update(multiples)
    pairs = Pairs.of(0, np.arange(len(multiples)), 0, multiples)
    return DistributionSketch(histogram, moments, sample or pairs, None)


def test_examples_of_a_band_lie_between_its_quantiles():
    multiples = np.random.default_rng(3).random(300) * 5
    sketch = sketch_of(multiples)
    edges, examples = banded(sketch)
    assert edges == [
        (sketch.histogram.quantile(low), sketch.histogram.quantile(high))
        for low, high in pairwise(BANDS)
    ]
    for (low, high), found in zip(edges, examples, strict=True):
        inside = [m for m in multiples.tolist() if low <= m < high or (m == high == edges[-1][1])]
        assert found.multiples.tolist() == inside[:EXAMPLES]
        assert len(found) == EXAMPLES


def test_the_greatest_multiple_is_in_the_last_band_alone():
    edges, examples = banded(sketch_of(np.array([1.0, 2.0, 8.0])))
    assert edges[-1][1] == 8.0
    assert [8.0 in found.multiples for found in examples] == [False] * 5 + [True]


def test_of_a_constant_every_band_but_the_last_is_empty():
    edges, examples = banded(sketch_of(np.array([0.0, 0.0, 0.0, 0.0])))
    assert set(edges) == {(0.0, 0.0)}
    assert [len(found) for found in examples] == [0] * 5 + [3]


def test_a_distribution_has_its_examples_in_their_bands():
    sketch = sketch_of(np.array([0.5, 1.0, 4.0]))
    edges, examples = banded(sketch)
    shown = [
        [f"{number} {place}" for place in range(len(part))] for number, part in enumerate(examples)
    ]
    bands = bands_of(edges, examples, [pair for part in shown for pair in part])
    assert [(band.low, band.high) for band in bands] == list(pairwise(BANDS))
    assert [band.multiples for band in bands] == edges
    assert [list(band.examples) for band in bands] == shown
