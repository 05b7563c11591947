"""Answers requests for figures and pairs from stored results, or measures them in a pass.

Stores every figure, sample and distribution that a run has measured. A pass measures what is
missing, together with all other pending requests, for every head that it reads. The readers are
in `headtests.measurement.readers`; `after_decision` measures what reports show, and `cache_keys`
makes the keys of results on disk.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headtests.claims.definitions import Question, RowOptions, Statistic
from headtests.claims.pairs import (
    Distribution,
    DistributionRequest,
    DistributionSketch,
    Overview,
    Pair,
    PairRequest,
    QuantileBand,
    RankedRequest,
    SampledRequest,
)
from headtests.errors import CaptureError
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Reader
from headtests.measurement.passes.dispatch import OptionalReader
from headtests.measurement.passes.runner import DocumentPass
from headtests.measurement.readers.document_figures import FigureReader
from headtests.measurement.readers.pair_requests import WHOLE_HEADS, PairReaders, general_reader
from headtests.measurement.readers.rows_against import RowsAgainstRequest, RowsAgainstResult
from headtests.measurement.results.after_decision import OverviewRequest, ReportMeasurements
from headtests.measurement.results.on_disk import StoredResults
from headtests.measurement.results.pair_context import banded, bands_of, in_context
from headtests.statistics import DocumentFigures, concatenated
from headtests.statistics.quanta import Int64s
from headtests.statistics.sketches import Pairs

REQUESTED_STATISTICS = 256
"""The most statistics that a pass measures for all of its heads after a request for one head."""


@dataclass(frozen=True, slots=True)
class RequestedStatistic:
    """A statistic that was requested for some head."""

    statistic: Statistic
    options: RowOptions
    by_text: bool
    """Whether documents are read in the order of texts."""
    matched: bool
    """Whether it is measured of the distance control in place of the head."""

    def of(self, head: HeadName) -> tuple[Question, bool]:
        """Return the question for one head, and `matched`."""
        return Question(head, self.statistic, self.options, self.by_text), self.matched


@dataclass(frozen=True, slots=True, eq=False)
class _FigureReading:
    """A statistic that a pass measures."""

    figure: RequestedStatistic
    reader: FigureReader
    entry: Reader
    """The reader that the pass gives blocks to; it may wrap `reader`."""

    @property
    def failed(self) -> bool:
        """Whether the reader raised an error."""
        return isinstance(self.entry, OptionalReader) and self.entry.failed


class Measurements:
    """Figures, samples and distributions of heads, each measured once."""

    def __init__(
        self, document_pass: DocumentPass, seed: int, results: StoredResults | None = None
    ) -> None:
        self._document_pass = document_pass
        self._seed = seed
        self._results = results
        self._figures: dict[tuple[Question, bool], dict[int, DocumentFigures]] = {}
        self._requested: dict[RequestedStatistic, None] = {}
        self._pending: dict[tuple[PairRequest, HeadName], None] = {}
        self._sketches: dict[tuple[PairRequest, HeadName], Pairs | DistributionSketch] = {}
        self._place_of: dict[bool, Int64s] = {}
        self._report = ReportMeasurements(document_pass, seed, results, self.places)

    @property
    def results_read(self) -> int:
        """The number of results that were read from disk."""
        return 0 if self._results is None else self._results.read

    def wish(self, request: Question | tuple[HeadName, PairRequest]) -> None:
        """Have the next pass measure this request, too."""
        if isinstance(request, Question):
            self._request(request, matched=False)
        elif (request[1], request[0]) not in self._sketches:
            self._pending[request[1], request[0]] = None

    def _request(self, question: Question, matched: bool) -> RequestedStatistic:
        figure = RequestedStatistic(
            question.statistic, question.options, question.beyond_corpus, matched
        )
        # The latest last, so that the oldest is dropped first.
        self._requested.pop(figure, None)
        self._requested[figure] = None
        while len(self._requested) > REQUESTED_STATISTICS:
            del self._requested[next(iter(self._requested))]
        return figure

    def figures(self, question: Question, documents: int, matched: bool) -> DocumentFigures:
        """Return the figures of those of the first documents that have an eligible row.

        `documents` is one of the pass's extents. With `matched`, the figures are those of the
        distance control in place of the head.
        """
        figure = self._request(question, matched)
        steps = self._steps(figure.by_text, documents)
        missing = self._missing(figure, question.head, range(len(steps)))
        if missing and documents == self._document_pass.budget and not figure.by_text:
            # Ranked and random pairs need the same documents.
            self._measure_pending(question.head)
            missing = [
                number for number in missing if number not in self._figures[question, matched]
            ]
        for number in missing:
            self._measure(figure, question.head, number, steps[number])
        parts = self._figures[question, matched]
        return concatenated([parts[number] for number in range(len(steps))])

    def _steps(self, by_text: bool, documents: int) -> list[tuple[int, int]]:
        extents = self._document_pass.extents(by_text)
        stops = extents[: extents.index(documents) + 1]
        return list(zip((0, *stops), stops, strict=False))

    def _missing(
        self, figure: RequestedStatistic, head: HeadName, steps: Iterable[int]
    ) -> list[int]:
        """Return the steps whose figures are neither in memory nor on disk."""
        question, matched = figure.of(head)
        known = self._figures.setdefault((question, matched), {})
        missing = []
        for number in steps:
            if number in known:
                continue
            stored = self._stored_figures(figure, head, number)
            if stored is None:
                missing.append(number)
            else:
                known[number] = stored
        return missing

    def _stored_figures(
        self, figure: RequestedStatistic, head: HeadName, number: int
    ) -> DocumentFigures | None:
        if self._results is None:
            return None
        start, stop = self._span(figure.by_text, number)
        documents = self._document_pass.order(figure.by_text)[start:stop]
        return self._results.figures(*figure.of(head), start, stop, documents)

    def _span(self, by_text: bool, number: int) -> tuple[int, int]:
        """Return the positions in the order at which a step begins and ends."""
        extents = (0, *self._document_pass.extents(by_text))
        return extents[number], extents[number + 1]

    def _measure(
        self, figure: RequestedStatistic, head: HeadName, number: int, step: tuple[int, int]
    ) -> None:
        """Measure a step from one head's rows in the spool, or in a run with all requests."""
        start, stop = step
        by_text = figure.by_text
        if self._document_pass.keeps(head, start, stop, by_text, figure.statistic.needs_values):
            heads: tuple[HeadName, ...] = (head,)
            figures = [figure]
        else:
            heads = self._document_pass.heads_beside(head)
            figures = [other for other in self._requested if other.by_text == by_text]
        readers = self._figure_readers(figures, heads, number, figure)
        self._document_pass.read(
            heads,
            [reading.entry for reading in readers],
            start,
            stop,
            by_text,
            _need_values(readers),
        )
        self._take_figures(readers, heads, number)

    def _figure_readers(
        self,
        figures: Iterable[RequestedStatistic],
        heads: Sequence[HeadName],
        number: int,
        required: RequestedStatistic | None = None,
    ) -> list["_FigureReading"]:
        """Return readers of the statistics that are missing for some head at a step.

        Errors of any but the required statistic stop nothing.
        """
        readers = []
        for figure in figures:
            if not self._lacks(figure, heads, number, required=figure == required):
                continue
            reader = FigureReader(
                self._document_pass.population.vocabulary,
                figure.statistic,
                figure.options,
                figure.matched,
            )
            entry = reader if figure == required else OptionalReader(reader)
            readers.append(_FigureReading(figure, reader, entry))
        return readers

    def _lacks(
        self, figure: RequestedStatistic, heads: Sequence[HeadName], number: int, required: bool
    ) -> bool:
        try:
            lacks = any(self._missing(figure, head, [number]) for head in heads)
            if lacks and figure.statistic.needs_values:
                for layer in sorted({head.layer for head in heads}):
                    self._document_pass.model.require_values(layer)
            return lacks
        except Exception:
            # The test that requests it raises the error.
            if required:
                raise
            return False

    def _take_figures(
        self, readers: Iterable["_FigureReading"], heads: Sequence[HeadName], number: int
    ) -> None:
        for reading in readers:
            figure = reading.figure
            places = self.places(figure.by_text)
            like: DocumentFigures | None = None
            for head in () if reading.failed else heads:
                known = self._figures.setdefault(figure.of(head), {})
                if number not in known:
                    measured = reading.reader.figures(head, places)
                    # Columns that depend on tokens alone are equal for all heads, and shared.
                    like = known[number] = measured if like is None else measured.sharing(like)
                    if self._results is not None:
                        span = self._span(figure.by_text, number)
                        self._results.keep_figures(*figure.of(head), *span, known[number])

    def places(self, by_text: bool) -> Int64s:
        """Return the position of each document in the order, indexed by id, `[document]`."""
        if by_text not in self._place_of:
            order = self._document_pass.order(by_text)
            places = np.empty(len(order), dtype=np.int64)
            places[order] = np.arange(len(order))
            self._place_of[by_text] = places
        return self._place_of[by_text]

    def pairs(self, head: HeadName, request: RankedRequest | SampledRequest) -> Pairs:
        """Return a head's ranked or random pairs, over the whole budget."""
        sketch = self._sketch(head, request)
        return sketch.sample if isinstance(sketch, DistributionSketch) else sketch

    def distribution(self, head: HeadName, request: DistributionRequest) -> Distribution | None:
        """Return the distribution of the multiples of a head's pairs, over the whole budget.

        None if there are no such pairs.
        """
        sketch = self._sketch(head, request)
        if isinstance(sketch, Pairs) or not sketch.moments.count:
            return None
        return Distribution(
            sketch.histogram, sketch.moments, lambda: self._bands(head, sketch), sketch.sample_of
        )

    def _bands(self, head: HeadName, sketch: DistributionSketch) -> list[QuantileBand]:
        edges, examples = banded(sketch)
        # All bands together, since documents may have to run again for them.
        return bands_of(edges, examples, self.in_context(head, Pairs.concatenate(examples)))

    def in_context(self, head: HeadName, pairs: Pairs) -> list[Pair]:
        """Return pairs with their documents' tokens and their attention rows."""
        if not len(pairs):
            return []
        rows = None if self._results is None else self._results.rows(head, pairs)
        if rows is None:
            places = zip(pairs.documents.tolist(), pairs.queries.tolist(), strict=True)
            rows = self._document_pass.rows_at(head, list(places))
            if self._results is not None:
                self._results.keep_rows(head, pairs, rows)
        return in_context(self._document_pass, head, pairs, rows)

    def _sketch(self, head: HeadName, request: PairRequest) -> Pairs | DistributionSketch:
        key = request, head
        if key not in self._sketches and not self._load_sketch(request, head):
            self._measure_sketch(request, head)
        return self._sketches[key]

    def _is_whole(self, head: HeadName) -> bool:
        """Return whether a head's distribution covers all its pairs."""
        return len(self._document_pass.heads_beside(head)) <= WHOLE_HEADS

    def _load_sketch(self, request: PairRequest, head: HeadName) -> bool:
        """Load a result of an earlier run, and return whether there was one."""
        if self._results is None:
            return False
        sketch = self._results.pairs(head, request, self._is_whole(head))
        if sketch is not None:
            self._remember(request, head, sketch)
        return sketch is not None

    def _measure_sketch(self, request: PairRequest, head: HeadName) -> None:
        """Measure a request, and if documents must run for it, all pending requests as well."""
        if self._document_pass.keeps(head):
            self._read_pairs((head,), [request], request)
        else:
            heads = self._document_pass.heads_beside(head)
            requests = dict.fromkeys([request, *self._pending_for(heads)])
            self._read_pairs(heads, list(requests), request)

    def _measure_pending(self, head: HeadName) -> None:
        """Measure the pending requests for pairs, if documents must run for a head anyway."""
        heads = self._document_pass.heads_beside(head)
        if not self._document_pass.keeps(head) and (requests := self._pending_for(heads)):
            self._read_pairs(heads, requests)

    def _pending_for(self, heads: Sequence[HeadName]) -> list[PairRequest]:
        """Return the pending requests for some heads that are not on disk either."""
        pending = [key for key in self._pending if key[1] in heads]
        missing = [key for key in pending if self._lacks_pairs(*key)]
        return list(dict.fromkeys(request for request, _ in missing))

    def _lacks_pairs(self, request: PairRequest, head: HeadName) -> bool:
        try:
            return not self._load_sketch(request, head)
        except Exception:
            # The test that requests it raises the error.
            return False

    def _read_pairs(
        self,
        heads: Sequence[HeadName],
        requests: Sequence[PairRequest],
        required: PairRequest | None = None,
    ) -> None:
        """Read the whole budget for some heads' pairs, and for the requested statistics.

        Errors of any but the required request stop nothing.
        """
        whole = self._is_whole(heads[0])
        pair_readers = PairReaders(
            self._document_pass, heads, requests, self._seed, whole, required
        )
        kept = all(self._document_pass.keeps(head) for head in heads)
        figures = [] if kept else [figure for figure in self._requested if not figure.by_text]
        for number in range(len(self._document_pass.extents())):
            start, stop = self._span(False, number)
            measured = self._figure_readers(figures, heads, number)
            readers = [*pair_readers.readers, *(reading.entry for reading in measured)]
            values = _need_values(measured)
            self._document_pass.read(heads, readers, start, stop, values=values)
            self._take_figures(measured, heads, number)
        alone: dict[SampledRequest, list[HeadName]] = {}
        for request, head, sketch in pair_readers.results():
            if sketch is not None:
                self._store(request, head, sketch)
            elif isinstance(request, SampledRequest):
                alone.setdefault(request, []).append(head)
            else:
                raise CaptureError(
                    f"{head} was not read on every document of "
                    f"{self._document_pass.population.description}. Run it again."
                )
        if alone:
            self._read_alone(alone)

    def _read_alone(self, requests: Mapping[SampledRequest, Sequence[HeadName]]) -> None:
        """Read samples of single heads, where the shared sample was too small to tell."""
        readers = {
            request: general_reader(self._document_pass, request, self._seed, heads)
            for request, heads in requests.items()
        }
        every = tuple(dict.fromkeys(head for heads in requests.values() for head in heads))
        self._document_pass.read(every, list(readers.values()))
        for request, reader in readers.items():
            for head in requests[request]:
                self._store(request, head, reader.pairs(head))

    def _store(
        self, request: PairRequest, head: HeadName, sketch: Pairs | DistributionSketch
    ) -> None:
        if (request, head) not in self._sketches:
            self._remember(request, head, sketch)
            if self._results is not None:
                self._results.keep_pairs(head, request, self._is_whole(head), sketch)

    def _remember(
        self, request: PairRequest, head: HeadName, sketch: Pairs | DistributionSketch
    ) -> None:
        self._sketches[request, head] = sketch
        self._pending.pop((request, head), None)

    def overviews(
        self,
        requests: Sequence[OverviewRequest],
        size: int,
        also: Sequence[RowsAgainstRequest] = (),
    ) -> list[Overview]:
        """Return `size` ranked and random above-average pairs of heads, and their number.

        One pass serves all requests, and those in `also`, whose rows `scrutinised` returns.
        """
        return self._report.overviews(requests, size, also)

    def rows_against(self, requests: Sequence[RowsAgainstRequest]) -> list[RowsAgainstResult]:
        """Return the rows for and against claims."""
        return self._report.rows_against(requests)


def _need_values(readings: Iterable[_FigureReading]) -> bool:
    return any(reading.figure.statistic.needs_values for reading in readings)
