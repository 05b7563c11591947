"""Which readers find what is asked of pairs: one pass's worth of requests, answered together.

The readers themselves are `ranking`, `pool`, `histograms` and, for whatever is limited to a
relation or asked for in reverse, the general way here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from headtests.claims.definitions import RowOptions
from headtests.claims.pairs import (
    Distributed,
    DistributionSketch,
    Overview,
    PairRequest,
    Ranked,
    Sampled,
)
from headtests.corpora import Vocabulary
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block, Reader
from headtests.measurement.passes.dispatch import OptionalReader
from headtests.measurement.passes.runner import Sweep
from headtests.measurement.readers.all_pairs import columns
from headtests.measurement.readers.distributions import EXAMPLE_SAMPLE, DistributionReader
from headtests.measurement.readers.ranked_pairs import RankedReader
from headtests.measurement.readers.sampled_pairs import SampleReader, number_of_pairs
from headtests.statistics.quanta import Int64s
from headtests.statistics.sketches import Histogram, Moments, Pairs, RankedPairs, SampledPairs

SHARED_SAMPLE = 100_000
"""Pairs of the hashed sample that heads share."""
WHOLE_HEADS = 8
"""The most heads of a pass whose distributions are of all their pairs."""

_T = TypeVar("_T", bound=Reader)

PairResult = Pairs | DistributionSketch | None
"""None where a shared sample is too small to tell."""


class PairReaders:
    """Readers for requests about some heads' pairs, and what they found."""

    def __init__(
        self,
        sweep: Sweep,
        heads: Sequence[HeadName],
        requests: Sequence[PairRequest],
        seed: int,
        whole: bool,
        certain: PairRequest | None = None,
    ) -> None:
        """`whole`: distributions are of all pairs, and not of the shared sample.

        `certain` is the one request that somebody waits for: what is wrong with the relation of
        another is not raised, and nothing is found for it.
        """
        self._sweep = sweep
        self._heads = heads
        self._seed = seed
        self._whole = whole
        self._pools: dict[RowOptions, dict[int, SampleReader]] = {}
        self.readers: list[Reader] = []
        """What has to read every block of the heads."""
        self._attempts: dict[PairRequest, OptionalReader] = {}
        self._answers = {
            request: self._answer(request, request == certain)
            for request in dict.fromkeys(requests)
        }

    def found(self) -> Iterator[tuple[PairRequest, HeadName, PairResult]]:
        """Yield what was found of each head for each request."""
        for head in self._heads:
            for request, answer in self._answers.items():
                attempt = self._attempts.get(request)
                if attempt is None or not attempt.failed:
                    yield request, head, answer(head)

    def _answer(self, request: PairRequest, certain: bool) -> Callable[[HeadName], PairResult]:
        options, on = request.options, request.on
        match request:
            case Ranked(size=size, on=None, reverse=False):
                return self._added(RankedReader(options, size)).pairs
            case Sampled(size=size, on=None, above_average=above_average) if size <= SHARED_SAMPLE:
                pools = self._shared(options)
                return lambda head: pools[self._sweep.alike(head.layer)].sample(
                    head, size, above_average
                )
            case Distributed(on=None) if not self._whole:
                pools = self._shared(options)
                return lambda head: _sketched(
                    pools[self._sweep.alike(head.layer)], head, self._pairs_of(head.layer, options)
                )
            case Distributed():
                vocabulary = None if on is None else self._sweep.population.vocabulary
                distribution = DistributionReader(options, self._seed, vocabulary, on)
                self._add_limited(distribution, request, certain)
                return lambda head: DistributionSketch(
                    *distribution.found(head), distribution.sample(head), None
                )
            case _:
                reader = general_reader(self._sweep, request, self._seed, self._heads)
                self._add_limited(reader, request, certain)
                return reader.pairs

    def _add_limited(self, reader: Reader, request: PairRequest, certain: bool) -> None:
        if certain or request.on is None:
            self.readers.append(reader)
        else:
            self._attempts[request] = OptionalReader(reader)
            self.readers.append(self._attempts[request])

    def _added(self, reader: _T) -> _T:
        self.readers.append(reader)
        return reader

    def _shared(self, options: RowOptions) -> dict[int, SampleReader]:
        """Return the pools of the heads, by the layer that theirs is alike.

        One of all would hold more or less of a head's pairs, as others may attend to more keys.
        """
        if options not in self._pools:
            pools: dict[int, SampleReader] = {}
            for layer in dict.fromkeys(head.layer for head in self._heads):
                like = self._sweep.alike(layer)
                if like not in pools:
                    pairs = self._pairs_of(layer, options)
                    pools[like] = SampleReader(options, self._seed, SHARED_SAMPLE, pairs)
                    self._added(_LayerReader(pools[like], self._sweep, like))
            self._pools[options] = pools
        return self._pools[options]

    def _pairs_of(self, layer: int, options: RowOptions) -> int:
        """Return how many pairs a head of a layer has in the documents of the budget."""
        lengths = self._sweep.population.lengths[self._sweep.order()[: self._sweep.budget]]
        return number_of_pairs(self._sweep.allowed(layer), lengths, options)


@dataclass(frozen=True, eq=False)
class _LayerReader:
    """A reader of those layers alone whose rows may attend to the same keys."""

    reader: Reader
    sweep: Sweep
    like: int
    """The first of them."""

    def read(self, block: Block) -> None:
        """Take in a block."""
        if self.sweep.alike(block.heads[0].layer) == self.like:
            self.reader.read(block)


def _sketched(pool: SampleReader, head: HeadName, pairs: int) -> PairResult:
    found = pool.pairs(head)
    if found is None:
        return None
    histogram, moments = Histogram(), Moments()
    histogram.update(found.multiples)
    moments.update(found.multiples)
    sample = found.take(np.arange(min(EXAMPLE_SAMPLE, len(found))))
    return DistributionSketch(histogram, moments, sample, None if pool.whole else pairs)


def general_reader(
    sweep: Sweep, request: Ranked | Sampled, seed: int, heads: Iterable[HeadName]
) -> "GeneralReader":
    """Return a reader of some heads' ranked or random pairs that looks at every pair."""
    sketch: RankedPairs | SampledPairs
    if isinstance(request, Ranked):
        sketch, above_average = RankedPairs(request.size, request.reverse), True
    else:
        sketch, above_average = SampledPairs(request.size, seed), request.above_average
    return GeneralReader(
        sweep.population.vocabulary, request, above_average, dict.fromkeys(heads, sketch)
    )


class GeneralReader:
    """Ranked or random pairs of some heads, of any relation and in either order."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        request: Ranked | Sampled,
        above_average: bool,
        sketches: dict[HeadName, RankedPairs | SampledPairs],
    ) -> None:
        """`sketches` hold nothing yet, and are not changed."""
        self._vocabulary = vocabulary
        self._request = request
        self._above_average = above_average
        self._sketches = sketches

    def read(self, block: Block) -> None:
        """Take in a block."""
        options, on = self._request.options, self._request.on
        updated = {
            head: copy(self._sketches[head]) for head in block.heads if head in self._sketches
        }
        for head, sketch in updated.items():
            for part in columns([block], head, self._vocabulary, options, on, self._above_average):
                sketch.update(part)
        # All heads at once, since the block comes again where memory ended before.
        self._sketches |= updated

    def pairs(self, head: HeadName) -> Pairs:
        """Return a head's pairs, first of the order first."""
        return self._sketches[head].pairs


class OverviewReader:
    """One head's above-average pairs on some documents: the best, a sample, and how many."""

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
        """Take in a block."""
        if self._head not in block.heads:
            return
        ranked, random, count = copy(self._ranked), copy(self._random), self._count
        for part in columns(
            [block], self._head, self._vocabulary, self._options, None, True, self._documents
        ):
            ranked.update(part)
            random.update(part)
            count += len(part)
        # All at once, since the block comes again where memory ended before.
        self._ranked, self._random, self._count = ranked, random, count

    @property
    def overview(self) -> Overview:
        """What was found."""
        return Overview(self._ranked.pairs, self._random.pairs, self._count)
