"""Measurements for the report, once claims are decided: overviews of heads, rows against claims.

Rows in the spool serve them, and other documents run once for all of them. The readers are in
`pair_requests` and `rows_against`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headtests.claims.definitions import RowOptions
from headtests.claims.pairs import Overview
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Reader
from headtests.measurement.passes.runner import DocumentPass
from headtests.measurement.readers.pair_requests import OverviewReader
from headtests.measurement.readers.rows_against import (
    RowsAgainstReader,
    RowsAgainstRequest,
    RowsAgainstResult,
)
from headtests.measurement.results.on_disk import StoredResults
from headtests.statistics.quanta import Int64s

OverviewRequest = tuple[HeadName, RowOptions, int]
"""A head, its row options, and the number of first documents of the pass to read."""


@dataclass(frozen=True, eq=False)
class _PassReading:
    """A reader of one head on the first documents of the pass."""

    head: HeadName
    by_text: bool
    """Whether it reads in the order of texts."""
    stop: int
    """The extent up to which it reads."""
    reader: Reader
    store: Callable[[], None]
    """Stores the reader's result, after the pass."""
    values: bool = False
    """Whether it needs the norms of values."""


class ReportMeasurements:
    """Overviews of heads and rows against claims, each measured once."""

    def __init__(
        self,
        document_pass: DocumentPass,
        seed: int,
        results: StoredResults | None,
        places: Callable[[bool], Int64s],
    ) -> None:
        """`places` returns each document's position in an order, `by_text` or not, `[document]`."""
        self._document_pass = document_pass
        self._seed = seed
        self._results = results
        self._places = places
        self._overviews: dict[tuple[OverviewRequest, int], Overview] = {}
        self._scrutinised: dict[RowsAgainstRequest, RowsAgainstResult] = {}

    def overviews(
        self,
        requests: Sequence[OverviewRequest],
        size: int,
        also: Sequence[RowsAgainstRequest] = (),
    ) -> list[Overview]:
        """Return `size` ranked and random above-average pairs of heads, and their number.

        The same pass reads the rows for the requests in `also`, which `scrutinised` returns.
        """
        self._read([*self._overview_readings(requests, size), *self._row_readings(also)])
        return [self._overviews[request, size] for request in requests]

    def rows_against(self, requests: Sequence[RowsAgainstRequest]) -> list[RowsAgainstResult]:
        """Return the rows for and against claims."""
        self._read(self._row_readings(requests))
        return [self._scrutinised[request] for request in requests]

    def _overview_readings(
        self, requests: Sequence[OverviewRequest], size: int
    ) -> list[_PassReading]:
        """Return readings for the overviews that are neither in memory nor on disk."""
        readings = []
        for request in dict.fromkeys(requests):
            if (request, size) in self._overviews:
                continue
            stored = None if self._results is None else self._results.overview(*request, size)
            if stored is None:
                readings.append(self._overview_reading(request, size))
            else:
                self._overviews[request, size] = stored
        return readings

    def _overview_reading(self, request: OverviewRequest, size: int) -> _PassReading:
        head, options, documents = request
        first = self._document_pass.order()[:documents]
        vocabulary = self._document_pass.population.vocabulary
        reader = OverviewReader(vocabulary, head, options, first, size, self._seed)

        def store() -> None:
            self._overviews[request, size] = reader.overview
            if self._results is not None:
                self._results.keep_overview(*request, size, reader.overview)

        return _PassReading(head, False, self._extent(documents, False), reader, store)

    def _row_readings(self, requests: Sequence[RowsAgainstRequest]) -> list[_PassReading]:
        """Return readings for the requests whose rows are neither in memory nor on disk."""
        readings = []
        for request in dict.fromkeys(requests):
            if request in self._scrutinised:
                continue
            by_text = request.question.beyond_corpus
            documents = int(self._places(by_text)[request.documents].max(initial=0)) + 1
            stop = self._extent(documents, by_text)
            stored = None if self._results is None else self._results.rows_against(request, stop)
            if stored is None:
                readings.append(self._row_reading(request, by_text, stop))
            else:
                self._scrutinised[request] = stored
        return readings

    def _row_reading(self, request: RowsAgainstRequest, by_text: bool, stop: int) -> _PassReading:
        reader = RowsAgainstReader(self._document_pass.population.vocabulary, request)

        def store() -> None:
            self._scrutinised[request] = reader.result
            if self._results is not None:
                self._results.keep_scrutinised(request, stop, reader.result)

        values = request.question.statistic.needs_values
        return _PassReading(request.question.head, by_text, stop, reader, store, values)

    def _read(self, readings: Sequence[_PassReading]) -> None:
        remaining = list(readings)
        while remaining:
            now = self._of_one_pass(remaining)
            heads = tuple(dict.fromkeys(reading.head for reading in now))
            readers = [reading.reader for reading in now]
            stop = max(reading.stop for reading in now)
            values = any(reading.values for reading in now)
            self._document_pass.read(heads, readers, 0, stop, now[0].by_text, values)
            for reading in now:
                reading.store()
            remaining = [reading for reading in remaining if reading not in now]

    def _of_one_pass(self, readings: Sequence[_PassReading]) -> list[_PassReading]:
        """Return readings of one head whose rows are in the spool, or those that one run serves."""
        first = readings[0]
        same_order = [reading for reading in readings if reading.by_text == first.by_text]
        if self._is_kept(first):
            return [
                reading
                for reading in same_order
                if reading.head == first.head and self._is_kept(reading)
            ]
        heads = self._document_pass.heads_beside(first.head)
        return [reading for reading in same_order if reading.head in heads]

    def _is_kept(self, reading: _PassReading) -> bool:
        return self._document_pass.keeps(
            reading.head, 0, reading.stop, reading.by_text, reading.values
        )

    def _extent(self, documents: int, by_text: bool) -> int:
        return next(
            extent for extent in self._document_pass.extents(by_text) if extent >= documents
        )
