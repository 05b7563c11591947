"""Requests about pairs get the right readers, and readers survive a block that comes again."""

import numpy as np
import pytest
import torch

import headtests as ht
from headtests import key
from headtests.claims.definitions import RowOptions
from headtests.claims.pairs import (
    DistributionRequest,
    DistributionSketch,
    RankedRequest,
    SampledRequest,
)
from headtests.errors import ExpressionError
from headtests.expressions.head_names import HeadName
from headtests.measurement.readers import pair_requests
from headtests.measurement.readers.distributions import EXAMPLE_SAMPLE, DistributionReader
from headtests.measurement.readers.pair_requests import (
    GeneralReader,
    OverviewReader,
    PairReaders,
    general_reader,
)
from headtests.measurement.readers.ranked_pairs import RankedReader
from tests import tiny_models
from tests.measurement.blocks import texts_of, vocabulary
from tests.measurement.pretended import HEAD, OTHER, UNANNOUNCED, Model, sweep_of
from tests.measurement.several import HEADS as SEVERAL
from tests.measurement.several import listed, read_by, several
from tests.oracles import PREVIOUS, Reader

SUPPRESSED, PLAIN = RowOptions(True), RowOptions(False)
HEADS = (HEAD, OTHER, UNANNOUNCED)
ON = PREVIOUS.expression


@pytest.fixture(scope="module")
def population():
    documents = tiny_models.random_documents([3 + number % 9 for number in range(30)])
    with tiny_models.population_of(documents) as made:
        yield made


class Windowed(Model):
    """A model whose second layer looks three keys back."""

    def attendable(self, valid, layer):
        return super().attendable(valid, layer).triu(-2 if layer == 1 else -100)


def found_of(document_pass, requests, whole=True, required=None, seed=1):
    sketches = PairReaders(document_pass, HEADS, requests, seed, whole, required)
    document_pass.read(HEADS, sketches.readers)
    return {(request, head): found for request, head, found in sketches.results()}, sketches


def reader_of(document_pass, head, chosen=SUPPRESSED):
    texts = texts_of(document_pass.blocks(head), document_pass.population.vocabulary)
    return Reader(texts, chosen.suppress_first_token, chosen.min_query)


def test_every_request_is_answered_of_every_head(population):
    document_pass = sweep_of(Model(), population, *HEADS)
    requests = [
        RankedRequest(9, SUPPRESSED),
        RankedRequest(9, SUPPRESSED, reverse=True),
        RankedRequest(9, PLAIN, ON),
        SampledRequest(9, SUPPRESSED),
        SampledRequest(9, PLAIN, above_average=False),
        SampledRequest(9, PLAIN, ON),
        DistributionRequest(SUPPRESSED),
        DistributionRequest(PLAIN, ON),
    ]
    found, _ = found_of(document_pass, [*requests, requests[0]])
    assert set(found) == {(request, head) for request in requests for head in HEADS}
    for head in HEADS:
        suppressed, plain = reader_of(document_pass, head), reader_of(document_pass, head, PLAIN)
        assert listed(found[requests[0], head]) == suppressed.ranked(9)
        assert listed(found[requests[1], head]) == suppressed.ranked(9, reverse=True)
        assert listed(found[requests[2], head]) == plain.ranked(9, on=PREVIOUS)
        assert listed(found[requests[3], head]) == suppressed.sampled(9, 1)
        assert listed(found[requests[4], head]) == plain.sampled(9, 1, above_average=False)
        assert listed(found[requests[5], head]) == plain.sampled(9, 1, on=PREVIOUS)
        for request, reader, on in (
            (requests[6], suppressed, None),
            (requests[7], plain, PREVIOUS),
        ):
            every = list(reader.pairs(on, above_average=False))
            sketch = found[request, head]
            assert (sketch.moments.count, sketch.histogram.count) == (len(every), len(every))
            assert sketch.sample_of is None
            assert listed(sketch.sample) == reader.sampled(EXAMPLE_SAMPLE, 1, False, on)


def test_samples_and_distributions_share_a_pool_where_keys_and_options_are_alike(population):
    document_pass = sweep_of(Model(), population, *HEADS)
    requests = [
        SampledRequest(9, SUPPRESSED),
        SampledRequest(7, SUPPRESSED, None, False),
        DistributionRequest(SUPPRESSED),
    ]
    assert len(found_of(document_pass, requests, whole=False)[1].readers) == 1
    requests.append(SampledRequest(9, PLAIN))
    assert len(found_of(document_pass, requests, whole=False)[1].readers) == 2
    windowed = sweep_of(Windowed(), population, *HEADS)
    assert len(found_of(windowed, requests, whole=False)[1].readers) == 4


def test_what_is_asked_of_all_pairs_has_fast_readers(population):
    document_pass = sweep_of(Model(), population, *HEADS)

    def kinds(*requests):
        return [
            type(reader) for reader in PairReaders(document_pass, HEADS, requests, 0, True).readers
        ]

    assert kinds(RankedRequest(9, PLAIN)) == [RankedReader]
    assert kinds(DistributionRequest(PLAIN)) == [DistributionReader]
    assert GeneralReader not in kinds(
        SampledRequest(9, PLAIN), SampledRequest(9, PLAIN, None, False)
    )
    assert kinds(RankedRequest(9, PLAIN, reverse=True)) == [GeneralReader]
    assert kinds(SampledRequest(pair_requests.SHARED_SAMPLE + 1, PLAIN)) == [GeneralReader]


def test_a_sample_of_a_distribution_says_of_how_many_pairs(population, monkeypatch):
    monkeypatch.setattr(pair_requests, "SHARED_SAMPLE", 100)
    document_pass = sweep_of(Model(), population, *HEADS)
    found, _ = found_of(document_pass, [DistributionRequest(SUPPRESSED)], whole=False)
    for head in HEADS:
        reader = reader_of(document_pass, head)
        sketch = found[DistributionRequest(SUPPRESSED), head]
        sample = reader.sampled(100, 1, above_average=False)
        assert sketch.sample_of == len(list(reader.pairs(above_average=False)))
        assert listed(sketch.sample) == sample
        assert sketch.moments.count == sketch.histogram.count == 100
        assert sketch.moments.maximum == max(sample)[0]


def test_examples_of_a_sampled_distribution_are_the_first_of_its_sample(population, monkeypatch):
    monkeypatch.setattr(pair_requests, "EXAMPLE_SAMPLE", 12)
    document_pass = sweep_of(Model(), population, *HEADS)
    found, _ = found_of(document_pass, [DistributionRequest(SUPPRESSED)], whole=False)
    sketch = found[DistributionRequest(SUPPRESSED), HEAD]
    assert listed(sketch.sample) == reader_of(document_pass, HEAD).sampled(
        12, 1, above_average=False
    )
    assert sketch.moments.count > 12


def test_a_pool_that_is_too_small_tells_nothing(population, monkeypatch):
    monkeypatch.setattr(pair_requests, "SHARED_SAMPLE", 40)
    request = SampledRequest(39, SUPPRESSED)
    found, _ = found_of(sweep_of(Model(), population, *HEADS), [request])
    assert [found[request, head] for head in HEADS] == [None] * 3


# What is wrong with a request that nobody waits for.

BAD = key.is_("no single token of this tokenizer")


@pytest.mark.parametrize(
    "request_", [RankedRequest(5, PLAIN, BAD), DistributionRequest(PLAIN, BAD)]
)
def test_what_is_wrong_with_a_request_is_raised_to_who_waits_for_it(request_, population):
    document_pass = sweep_of(Model(), population, *HEADS)
    good = RankedRequest(5, PLAIN, ON)
    found, _ = found_of(document_pass, [request_, good], required=good)
    assert set(found) == {(good, head) for head in HEADS}
    with pytest.raises(ExpressionError):
        found_of(document_pass, [request_, good], required=request_)


# Readers by themselves.


def test_a_general_reader_reads_its_heads_alone(population):
    document_pass = sweep_of(Model(), population, *HEADS)
    request = RankedRequest(6, SUPPRESSED, reverse=True)
    reader = general_reader(document_pass, request, 0, [OTHER])
    document_pass.read(HEADS, [reader])
    assert listed(reader.pairs(OTHER)) == reader_of(document_pass, OTHER).ranked(6, reverse=True)
    with pytest.raises(KeyError):
        reader.pairs(HEAD)


def test_a_general_reader_of_nothing_has_no_pairs(population):
    document_pass = sweep_of(Model(), population, *HEADS)
    assert (
        len(general_reader(document_pass, SampledRequest(6, PLAIN), 0, [OTHER]).pairs(OTHER)) == 0
    )


class Ends:
    """`head_pairs` whose memory ends at one call, after everything that comes before it."""

    def __init__(self, at):
        self.at = at
        self.calls = 0
        self.columns = pair_requests.head_pairs

    def __call__(self, *arguments):
        self.calls += 1
        yield from self.columns(*arguments)
        if self.calls == self.at:
            raise torch.OutOfMemoryError("Tried to allocate 2.00 GiB.")


@pytest.mark.parametrize("at", [1, 2, 3, 5])
@pytest.mark.parametrize(
    "request_", [RankedRequest(8, PLAIN, reverse=True), SampledRequest(8, PLAIN)]
)
def test_a_general_reader_takes_a_block_whole_or_not_at_all(request_, at, population, monkeypatch):
    model = Model(documents=30, heads=9)
    heads = (HEAD, HeadName(0, 1), OTHER)
    document_pass = sweep_of(model, population, *heads, batch_size=16, spool=0)
    monkeypatch.setattr(pair_requests, "head_pairs", Ends(at))
    reader = general_reader(document_pass, request_, 4, heads)
    document_pass.read(heads, [reader])
    assert len(document_pass.notes) == 1
    for head in heads:
        naive = reader_of(document_pass, head, PLAIN)
        if isinstance(request_, RankedRequest):
            assert listed(reader.pairs(head)) == naive.ranked(8, reverse=True)
        else:
            assert listed(reader.pairs(head)) == naive.sampled(8, 4)


@pytest.mark.parametrize("at", [None, 1, 2, 4])
def test_an_overview_is_of_some_documents_and_counts_each_pair_once(at, population, monkeypatch):
    document_pass = sweep_of(Model(), population, *HEADS, batch_size=16, spool=0)
    monkeypatch.setattr(pair_requests, "head_pairs", Ends(at))
    documents = np.array([3, 7, 8, 20, 29])
    reader = OverviewReader(population.vocabulary, OTHER, SUPPRESSED, documents, 6, 4)
    document_pass.read(HEADS, [reader])
    whole = reader_of(document_pass, OTHER)
    naive = Reader([text for text in whole.texts if text.number in documents], True)
    found = reader.overview
    assert listed(found.ranked) == naive.ranked(6)
    assert listed(found.random) == naive.sampled(6, 4)
    assert found.count == len(list(naive.pairs()))


def test_readers_copy_what_they_keep_of_a_block():
    rows = several(4, [9, 7, 8])
    request = RankedRequest(10, SUPPRESSED, ht.previous)
    reader = GeneralReader(
        vocabulary(), request, True, dict.fromkeys(SEVERAL, pair_requests.RankedPairs(10))
    )
    read_by(reader, rows.blocks)
    for head in SEVERAL:
        naive = Reader(rows.texts[head], True)
        assert listed(reader.pairs(head)) == naive.ranked(10, on=PREVIOUS)


def test_what_is_found_of_a_distribution_is_a_sketch(population):
    document_pass = sweep_of(Model(), population, *HEADS)
    found, _ = found_of(document_pass, [DistributionRequest(PLAIN)])
    assert all(isinstance(one, DistributionSketch) for one in found.values())
