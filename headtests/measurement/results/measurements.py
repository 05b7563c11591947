"""What is asked of a sweep, and what is known of it: one pass serves everything that was asked.

Holds every figure and every sketch that a run has measured, and has the documents read for what
is not known yet: for what was asked for besides, too, and for every head that the pass serves.
Which readers make what of rows is `measure`, `ranking`, `pool` and `pairs`; what is read once
claims are decided is `closing`, and what results are kept under on disk is `identity`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headtests.claims.definitions import Question, RowOptions, Statistic
from headtests.claims.pairs import (
    Distributed,
    Distribution,
    DistributionSketch,
    Overview,
    Pair,
    PairRequest,
    QuantileBand,
    Ranked,
    Sampled,
)
from headtests.errors import CaptureError
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Reader
from headtests.measurement.passes.dispatch import OptionalReader
from headtests.measurement.passes.runner import Sweep
from headtests.measurement.readers.document_figures import FigureReader
from headtests.measurement.readers.pair_requests import WHOLE_HEADS, PairReaders, general_reader
from headtests.measurement.readers.rows_against import Scrutinised, Scrutiny
from headtests.measurement.results.after_decision import OverviewRequest, ReportMeasurements
from headtests.measurement.results.on_disk import Results
from headtests.measurement.results.pair_context import banded, bands_of, in_context
from headtests.statistics import DocumentFigures, concatenated
from headtests.statistics.quanta import Int64s
from headtests.statistics.sketches import Pairs

REQUESTED_STATISTICS = 256
"""Statistics, at most, that a pass measures of every head because they were asked of one."""


@dataclass(frozen=True, slots=True)
class RequestedStatistic:
    """A statistic that was asked of some head."""

    statistic: Statistic
    options: RowOptions
    by_text: bool
    matched: bool

    def of(self, head: HeadName) -> tuple[Question, bool]:
        """Return what is asked of one head."""
        return Question(head, self.statistic, self.options, self.by_text), self.matched


@dataclass(frozen=True, slots=True, eq=False)
class _FigureReading:
    """A figure on its way through a pass."""

    figure: RequestedStatistic
    reader: FigureReader
    entry: Reader
    """What the pass feeds."""

    @property
    def failed(self) -> bool:
        """Whether it stumbled."""
        return isinstance(self.entry, OptionalReader) and self.entry.failed


class Passes:
    """Figures and sketches of a sweep's heads, each measured once."""

    def __init__(self, sweep: Sweep, seed: int, kept: Results | None = None) -> None:
        self._sweep = sweep
        self._seed = seed
        self._kept = kept
        self._figures: dict[tuple[Question, bool], dict[int, DocumentFigures]] = {}
        self._asked: dict[RequestedStatistic, None] = {}
        self._wanted: dict[tuple[PairRequest, HeadName], None] = {}
        self._found: dict[tuple[PairRequest, HeadName], Pairs | DistributionSketch] = {}
        self._place_of: dict[bool, Int64s] = {}
        self._closing = ReportMeasurements(sweep, seed, kept, self.places)

    @property
    def results_read(self) -> int:
        """How many results came from earlier runs."""
        return 0 if self._kept is None else self._kept.read

    def wish(self, wanted: Question | tuple[HeadName, PairRequest]) -> None:
        """Have the next pass serve this, too."""
        if isinstance(wanted, Question):
            self._ask(wanted, matched=False)
        elif (wanted[1], wanted[0]) not in self._found:
            self._wanted[wanted[1], wanted[0]] = None

    def _ask(self, question: Question, matched: bool) -> RequestedStatistic:
        figure = RequestedStatistic(
            question.statistic, question.options, question.beyond_corpus, matched
        )
        # The latest last, so that the oldest is forgotten.
        self._asked.pop(figure, None)
        self._asked[figure] = None
        while len(self._asked) > REQUESTED_STATISTICS:
            del self._asked[next(iter(self._asked))]
        return figure

    def figures(self, question: Question, documents: int, matched: bool) -> DocumentFigures:
        """Return what the first documents contribute, of those with an eligible row.

        `documents` is one of the sweep's extents; `matched`: of attention that follows the head's
        average at each distance.
        """
        figure = self._ask(question, matched)
        steps = self._steps(figure.by_text, documents)
        missing = self._missing(figure, question.head, range(len(steps)))
        if missing and documents == self._sweep.budget and not figure.by_text:
            # Ranked and random pairs need the same documents.
            self._serve_wanted(question.head)
            missing = [
                number for number in missing if number not in self._figures[question, matched]
            ]
        for number in missing:
            self._measure(figure, question.head, number, steps[number])
        parts = self._figures[question, matched]
        return concatenated([parts[number] for number in range(len(steps))])

    def _steps(self, by_text: bool, documents: int) -> list[tuple[int, int]]:
        extents = self._sweep.extents(by_text)
        stops = extents[: extents.index(documents) + 1]
        return list(zip((0, *stops), stops, strict=False))

    def _missing(
        self, figure: RequestedStatistic, head: HeadName, steps: Iterable[int]
    ) -> list[int]:
        """Return the steps that nothing is known of, now that the disk was asked."""
        question, matched = figure.of(head)
        known = self._figures.setdefault((question, matched), {})
        missing = []
        for number in steps:
            if number in known:
                continue
            found = self._read_figures(figure, head, number)
            if found is None:
                missing.append(number)
            else:
                known[number] = found
        return missing

    def _read_figures(
        self, figure: RequestedStatistic, head: HeadName, number: int
    ) -> DocumentFigures | None:
        if self._kept is None:
            return None
        return self._kept.figures(*figure.of(head), *self._span(figure.by_text, number))

    def _span(self, by_text: bool, number: int) -> tuple[int, int]:
        """Return the places where a step begins and ends."""
        extents = (0, *self._sweep.extents(by_text))
        return extents[number], extents[number + 1]

    def _measure(
        self, figure: RequestedStatistic, head: HeadName, number: int, step: tuple[int, int]
    ) -> None:
        """Measure a step of a figure: of one head's kept rows, or of all that must be run."""
        start, stop = step
        by_text = figure.by_text
        if self._sweep.keeps(head, start, stop, by_text):
            heads: tuple[HeadName, ...] = (head,)
            figures = [figure]
        else:
            heads = self._sweep.heads_beside(head)
            figures = [asked for asked in self._asked if asked.by_text == by_text]
        readers = self._figure_readers(figures, heads, number, figure)
        self._sweep.read(heads, [one.entry for one in readers], start, stop, by_text)
        self._take_figures(readers, heads, number)

    def _figure_readers(
        self,
        figures: Iterable[RequestedStatistic],
        heads: Sequence[HeadName],
        number: int,
        certain: RequestedStatistic | None = None,
    ) -> list["_FigureReading"]:
        """Return readers of the figures that some head lacks at a step.

        But for the certain one, nobody waits for them: what is wrong with any stops nothing.
        """
        readers = []
        for figure in figures:
            if not self._lacks(figure, heads, number, certain=figure == certain):
                continue
            reader = FigureReader(
                self._sweep.population.vocabulary,
                figure.statistic,
                figure.options,
                figure.matched,
            )
            entry = reader if figure == certain else OptionalReader(reader)
            readers.append(_FigureReading(figure, reader, entry))
        return readers

    def _lacks(
        self, figure: RequestedStatistic, heads: Sequence[HeadName], number: int, certain: bool
    ) -> bool:
        try:
            return any(self._missing(figure, head, [number]) for head in heads)
        except Exception:
            # What is wrong with it is told to who asks for it.
            if certain:
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
                    found = reading.reader.figures(head, places)
                    # What tokens decide is the same of all heads, and is held once.
                    like = known[number] = found if like is None else found.sharing(like)
                    if self._kept is not None:
                        span = self._span(figure.by_text, number)
                        self._kept.keep_figures(*figure.of(head), *span, known[number])

    def places(self, by_text: bool) -> Int64s:
        """Return the place of each document in the order of the pass."""
        if by_text not in self._place_of:
            order = self._sweep.order(by_text)
            places = np.empty(len(order), dtype=np.int64)
            places[order] = np.arange(len(order))
            self._place_of[by_text] = places
        return self._place_of[by_text]

    def pairs(self, head: HeadName, request: Ranked | Sampled) -> Pairs:
        """Return a head's ranked or random pairs, over the whole budget."""
        found = self._found_of(head, request)
        return found.sample if isinstance(found, DistributionSketch) else found

    def distribution(self, head: HeadName, request: Distributed) -> Distribution | None:
        """Return how the multiples of a head's pairs are distributed, over the whole budget.

        None where there are no such pairs.
        """
        found = self._found_of(head, request)
        if isinstance(found, Pairs) or not found.moments.count:
            return None
        return Distribution(
            found.histogram, found.moments, lambda: self._bands(head, found), found.sample_of
        )

    def _bands(self, head: HeadName, sketch: DistributionSketch) -> list[QuantileBand]:
        edges, examples = banded(sketch)
        # In one go, since documents may have to run for them.
        return bands_of(edges, examples, self.in_context(head, Pairs.concatenate(examples)))

    def in_context(self, head: HeadName, pairs: Pairs) -> list[Pair]:
        """Return pairs with their tokens and the rows that they stand in."""
        if not len(pairs):
            return []
        rows = None if self._kept is None else self._kept.rows(head, pairs)
        if rows is None:
            places = zip(pairs.documents.tolist(), pairs.queries.tolist(), strict=True)
            rows = self._sweep.rows_at(head, list(places))
            if self._kept is not None:
                self._kept.keep_rows(head, pairs, rows)
        return in_context(self._sweep, head, pairs, rows)

    def _found_of(self, head: HeadName, request: PairRequest) -> Pairs | DistributionSketch:
        key = request, head
        if key not in self._found and not self._take_kept(request, head):
            self._serve(request, head)
        return self._found[key]

    def _is_whole(self, head: HeadName) -> bool:
        """Return whether a head's distribution is of all its pairs."""
        return len(self._sweep.heads_beside(head)) <= WHOLE_HEADS

    def _take_kept(self, request: PairRequest, head: HeadName) -> bool:
        """Take what an earlier run found; whether it found any."""
        if self._kept is None:
            return False
        found = self._kept.pairs(head, request, self._is_whole(head))
        if found is not None:
            self._note(request, head, found)
        return found is not None

    def _serve(self, request: PairRequest, head: HeadName) -> None:
        """Find what is asked; where documents must run for it, whatever else is wanted, too."""
        if self._sweep.keeps(head):
            self._read_pairs((head,), [request], request)
        else:
            heads = self._sweep.heads_beside(head)
            requests = dict.fromkeys([request, *self._wanted_of(heads)])
            self._read_pairs(heads, list(requests), request)

    def _serve_wanted(self, head: HeadName) -> None:
        """Find what is wanted of pairs, if documents must run for a head anyway."""
        heads = self._sweep.heads_beside(head)
        if not self._sweep.keeps(head) and (requests := self._wanted_of(heads)):
            self._read_pairs(heads, requests)

    def _wanted_of(self, heads: Sequence[HeadName]) -> list[PairRequest]:
        """Return what is wanted of some heads and not known, now that the disk was asked."""
        wanted = [key for key in self._wanted if key[1] in heads]
        missing = [key for key in wanted if self._lacks_pairs(*key)]
        return list(dict.fromkeys(request for request, _ in missing))

    def _lacks_pairs(self, request: PairRequest, head: HeadName) -> bool:
        try:
            return not self._take_kept(request, head)
        except Exception:
            # What is wrong with its relation is told to who asks for it.
            return False

    def _read_pairs(
        self,
        heads: Sequence[HeadName],
        requests: Sequence[PairRequest],
        certain: PairRequest | None = None,
    ) -> None:
        """Read the whole budget for some heads' pairs, and for the figures that were asked.

        But for the certain one, nobody waits for the requests: what is wrong with any stops
        nothing.
        """
        whole = self._is_whole(heads[0])
        sketching = PairReaders(self._sweep, heads, requests, self._seed, whole, certain)
        kept = all(self._sweep.keeps(head) for head in heads)
        figures = [] if kept else [asked for asked in self._asked if not asked.by_text]
        for number in range(len(self._sweep.extents())):
            start, stop = self._span(False, number)
            measured = self._figure_readers(figures, heads, number)
            besides = [reading.entry for reading in measured]
            self._sweep.read(heads, [*sketching.readers, *besides], start, stop)
            self._take_figures(measured, heads, number)
        alone: dict[Sampled, list[HeadName]] = {}
        for request, head, found in sketching.found():
            if found is not None:
                self._take_found(request, head, found)
            elif isinstance(request, Sampled):
                alone.setdefault(request, []).append(head)
            else:
                raise CaptureError(
                    f"{head} was not read on every document of "
                    f"{self._sweep.population.description}. Run it again."
                )
        if alone:
            self._read_alone(alone)

    def _read_alone(self, requests: Mapping[Sampled, Sequence[HeadName]]) -> None:
        """Read samples of heads' own, where the shared one was too small to tell."""
        readers = {
            request: general_reader(self._sweep, request, self._seed, heads)
            for request, heads in requests.items()
        }
        every = tuple(dict.fromkeys(head for heads in requests.values() for head in heads))
        self._sweep.read(every, list(readers.values()))
        for request, reader in readers.items():
            for head in requests[request]:
                self._take_found(request, head, reader.pairs(head))

    def _take_found(
        self, request: PairRequest, head: HeadName, found: Pairs | DistributionSketch
    ) -> None:
        if (request, head) not in self._found:
            self._note(request, head, found)
            if self._kept is not None:
                self._kept.keep_pairs(head, request, self._is_whole(head), found)

    def _note(
        self, request: PairRequest, head: HeadName, found: Pairs | DistributionSketch
    ) -> None:
        self._found[request, head] = found
        self._wanted.pop((request, head), None)

    def overviews(
        self, wanted: Sequence[OverviewRequest], size: int, besides: Sequence[Scrutiny] = ()
    ) -> list[Overview]:
        """Return ranked and random above-average pairs of heads, and how many there are.

        Each of the first so many documents of the pass. One pass serves all that must be run, and
        what is asked for besides, for `scrutinised`.
        """
        return self._closing.overviews(wanted, size, besides)

    def scrutinised(self, asked: Sequence[Scrutiny]) -> list[Scrutinised]:
        """Return what the rows of claims say for and against them."""
        return self._closing.scrutinised(asked)
