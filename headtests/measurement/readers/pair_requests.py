"""Chooses the readers that answer requests about pairs, all requests of one pass together.

The fast readers are in `ranked_pairs`, `sampled_pairs` and `distributions`; requests limited to a
relation or in reverse order are answered by the general readers here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from headtests.claims.definitions import RowOptions
from headtests.claims.pairs import (
    DistributionRequest,
    DistributionSketch,
    Overview,
    PairRequest,
    RankedRequest,
    SampledRequest,
)
from headtests.corpora import Vocabulary
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block, Reader
from headtests.measurement.passes.dispatch import OptionalReader
from headtests.measurement.passes.runner import DocumentPass
from headtests.measurement.readers.all_pairs import head_pairs
from headtests.measurement.readers.distributions import EXAMPLE_SAMPLE, DistributionReader
from headtests.measurement.readers.ranked_pairs import RankedReader
from headtests.measurement.readers.sampled_pairs import SampleReader, number_of_pairs
from headtests.statistics.quanta import Int64s
from headtests.statistics.sketches import Histogram, Moments, Pairs, RankedPairs, SampledPairs

SHARED_SAMPLE = 100_000
"""Pairs of the hashed sample that all heads share."""
WHOLE_HEADS = 8
"""The most heads of a pass for which distributions cover all pairs, and not a sample."""

_T = TypeVar("_T", bound=Reader)

PairResult = Pairs | DistributionSketch | None
"""What a request is answered with; None if the shared sample is too small to tell."""


class PairReaders:
    """The readers that answer some requests about some heads' pairs, and their results."""

    def __init__(
        self,
        document_pass: DocumentPass,
        heads: Sequence[HeadName],
        requests: Sequence[PairRequest],
        seed: int,
        whole: bool,
        required: PairRequest | None = None,
    ) -> None:
        """With `whole`, distributions cover all pairs, and not the shared sample.

        `required` is the one request whose errors are raised. Another request whose relation
        raises an error has no result.
        """
        self._document_pass = document_pass
        self._heads = heads
        self._seed = seed
        self._whole = whole
        self._samples: dict[RowOptions, dict[int, SampleReader]] = {}
        self.readers: list[Reader] = []
        """The readers that have to read every block of the heads."""
        self._optional: dict[PairRequest, OptionalReader] = {}
        self._answers = {
            request: self._answer(request, request == required)
            for request in dict.fromkeys(requests)
        }

    def results(self) -> Iterator[tuple[PairRequest, HeadName, PairResult]]:
        """Yield the result of each request for each head."""
        for head in self._heads:
            for request, answer in self._answers.items():
                optional = self._optional.get(request)
                if optional is None or not optional.failed:
                    yield request, head, answer(head)

    def _answer(self, request: PairRequest, required: bool) -> Callable[[HeadName], PairResult]:
        options, on = request.options, request.on
        match request:
            case RankedRequest(size=size, on=None, reverse=False):
                return self._added(RankedReader(options, size)).pairs
            case SampledRequest(size=size, on=None, above_average=above_average) if (
                size <= SHARED_SAMPLE
            ):
                samples = self._shared(options)
                return lambda head: samples[self._document_pass.alike(head.layer)].sample(
                    head, size, above_average
                )
            case DistributionRequest(on=None) if not self._whole:
                samples = self._shared(options)
                return lambda head: _sampled_distribution(
                    samples[self._document_pass.alike(head.layer)],
                    head,
                    self._pairs_of(head.layer, options),
                )
            case DistributionRequest():
                vocabulary = None if on is None else self._document_pass.population.vocabulary
                distribution = DistributionReader(options, self._seed, vocabulary, on)
                self._add_limited(distribution, request, required)
                return lambda head: DistributionSketch(
                    *distribution.distribution(head), distribution.sample(head), None
                )
            case _:
                reader = general_reader(self._document_pass, request, self._seed, self._heads)
                self._add_limited(reader, request, required)
                return reader.pairs

    def _add_limited(self, reader: Reader, request: PairRequest, required: bool) -> None:
        if required or request.on is None:
            self.readers.append(reader)
        else:
            self._optional[request] = OptionalReader(reader)
            self.readers.append(self._optional[request])

    def _added(self, reader: _T) -> _T:
        self.readers.append(reader)
        return reader

    def _shared(self, options: RowOptions) -> dict[int, SampleReader]:
        """Return the shared samples, by the first layer whose rows may attend to the same keys.

        Layers with different keys have different pairs, and so need different samples.
        """
        if options not in self._samples:
            samples: dict[int, SampleReader] = {}
            for layer in dict.fromkeys(head.layer for head in self._heads):
                like = self._document_pass.alike(layer)
                if like not in samples:
                    pairs = self._pairs_of(layer, options)
                    samples[like] = SampleReader(options, self._seed, SHARED_SAMPLE, pairs)
                    self._added(_LayerReader(samples[like], self._document_pass, like))
            self._samples[options] = samples
        return self._samples[options]

    def _pairs_of(self, layer: int, options: RowOptions) -> int:
        """Return the number of pairs of a layer's head in the documents of the budget."""
        lengths = self._document_pass.population.lengths[
            self._document_pass.order()[: self._document_pass.budget]
        ]
        return number_of_pairs(self._document_pass.allowed(layer), lengths, options)


@dataclass(frozen=True, eq=False)
class _LayerReader:
    """Passes on the blocks of layers whose rows may attend to the same keys."""

    reader: Reader
    document_pass: DocumentPass
    like: int
    """The first of these layers."""

    def read(self, block: Block) -> None:
        """Process a block."""
        if self.document_pass.alike(block.heads[0].layer) == self.like:
            self.reader.read(block)


def _sampled_distribution(shared: SampleReader, head: HeadName, pairs: int) -> PairResult:
    """Return a head's distribution over the shared sample; `pairs` is the number of all pairs."""
    sampled = shared.pairs(head)
    if sampled is None:
        return None
    histogram, moments = Histogram(), Moments()
    histogram.update(sampled.multiples)
    moments.update(sampled.multiples)
    sample = sampled.take(np.arange(min(EXAMPLE_SAMPLE, len(sampled))))
    return DistributionSketch(histogram, moments, sample, None if shared.whole else pairs)


def general_reader(
    document_pass: DocumentPass,
    request: RankedRequest | SampledRequest,
    seed: int,
    heads: Iterable[HeadName],
) -> "GeneralReader":
    """Return a reader that finds some heads' ranked or random pairs by reading every pair."""
    sketch: RankedPairs | SampledPairs
    if isinstance(request, RankedRequest):
        sketch, above_average = RankedPairs(request.size, request.reverse), True
    else:
        sketch, above_average = SampledPairs(request.size, seed), request.above_average
    return GeneralReader(
        document_pass.population.vocabulary, request, above_average, dict.fromkeys(heads, sketch)
    )


class GeneralReader:
    """Finds ranked or random pairs of some heads, for any relation and in either order."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        request: RankedRequest | SampledRequest,
        above_average: bool,
        sketches: dict[HeadName, RankedPairs | SampledPairs],
    ) -> None:
        """`sketches` are empty, and are not changed."""
        self._vocabulary = vocabulary
        self._request = request
        self._above_average = above_average
        self._sketches = sketches

    def read(self, block: Block) -> None:
        """Process a block."""
        options, on = self._request.options, self._request.on
        updated = {
            head: copy(self._sketches[head]) for head in block.heads if head in self._sketches
        }
        for head, sketch in updated.items():
            for part in head_pairs(
                [block], head, self._vocabulary, options, on, self._above_average
            ):
                sketch.update(part)
        # All heads at once: if memory runs out before, the same block comes again.
        self._sketches |= updated

    def pairs(self, head: HeadName) -> Pairs:
        """Return a head's pairs in their order."""
        return self._sketches[head].pairs


class OverviewReader:
    """Finds one head's above-average pairs on some documents: the top, a sample, and a count."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        head: HeadName,
        options: RowOptions,
        documents: Int64s,
        size: int,
        seed: int,
    ) -> None:
        self._vocabulary = vocabulary
        self._head = head
        self._options = options
        self._documents = documents
        self._ranked = RankedPairs(size)
        self._random = SampledPairs(size, seed)
        self._count = 0

    def read(self, block: Block) -> None:
        """Process a block."""
        if self._head not in block.heads:
            return
        ranked, random, count = copy(self._ranked), copy(self._random), self._count
        for part in head_pairs(
            [block], self._head, self._vocabulary, self._options, None, True, self._documents
        ):
            ranked.update(part)
            random.update(part)
            count += len(part)
        # All at once: if memory runs out before, the same block comes again.
        self._ranked, self._random, self._count = ranked, random, count

    @property
    def overview(self) -> Overview:
        """The result."""
        return Overview(self._ranked.pairs, self._random.pairs, self._count)
