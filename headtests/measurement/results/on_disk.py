"""Results on disk that later runs read: figures, pairs and rows.

Converts each kind of result to and from a cache entry. `cache_keys` makes the keys, `entry_checks`
refuses entries that are no results, and `headtests.cache` writes and reads the files.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from headtests.cache import Entry, Store
from headtests.claims.definitions import Question, RowOptions
from headtests.claims.pairs import DistributionSketch, Overview, PairRequest
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.token_view import Float32s
from headtests.measurement.readers.rows_against import RowsAgainstRequest, RowsAgainstResult
from headtests.measurement.results.cache_keys import ResultKeys
from headtests.measurement.results.entry_checks import (
    COUNTEREXAMPLE_COLUMNS,
    FIGURE_COLUMNS,
    PAIR_COLUMNS,
    figures_of,
    overview_of,
    pairs_of,
    rows_against_of,
    rows_of,
)
from headtests.statistics import DocumentFigures
from headtests.statistics.quanta import Int64s
from headtests.statistics.sketches import Pairs

T = TypeVar("T")


class StoredResults:
    """Reads results of earlier runs, and writes results for later runs."""

    def __init__(self, store: Store, keys: ResultKeys, lengths: Int64s) -> None:
        """`lengths` has the number of tokens of each document of the population, by id."""
        self._store = store
        self._keys = keys
        self._lengths = lengths
        self.read = 0
        """The number of results that were read."""

    def figures(
        self, question: Question, matched: bool, start: int, stop: int, documents: Int64s
    ) -> DocumentFigures | None:
        """Return the figures of the documents from `start` to `stop` of the order, if stored.

        `documents` has the ids of these documents, in order.
        """
        return self._read(
            self._keys.of_figures(question, matched, start, stop),
            lambda entry: figures_of(entry, question.statistic, documents, self._lengths),
        )

    def keep_figures(
        self, question: Question, matched: bool, start: int, stop: int, figures: DocumentFigures
    ) -> None:
        """Store the figures of the documents from `start` to `stop` of the order."""
        columns = {name: getattr(figures, name) for name in FIGURE_COLUMNS}
        arrays = {name: column for name, column in columns.items() if column is not None}
        key = self._keys.of_figures(question, matched, start, stop)
        self._store.write(key, Entry(arrays, {}))

    def pairs(
        self, head: HeadName, request: PairRequest, whole: bool
    ) -> Pairs | DistributionSketch | None:
        """Return a head's pairs, or their distribution, if stored.

        With `whole`, a distribution covers all pairs, and not a sample.
        """
        return self._read(
            self._keys.of_pairs(head, request, whole),
            lambda entry: pairs_of(entry, request, self._lengths),
        )

    def keep_pairs(
        self,
        head: HeadName,
        request: PairRequest,
        whole: bool,
        result: Pairs | DistributionSketch,
    ) -> None:
        """Store a head's pairs, or their distribution."""
        key = self._keys.of_pairs(head, request, whole)
        if isinstance(result, Pairs):
            self._store.write(key, Entry(_columns("", result), {}))
            return
        facts = {
            "histogram": result.histogram.to_dict(),
            "moments": result.moments.to_dict(),
            "sample_of": result.sample_of,
        }
        self._store.write(key, Entry(_columns("", result.sample), facts))

    def overview(
        self, head: HeadName, options: RowOptions, documents: int, size: int
    ) -> Overview | None:
        """Return an overview of the above-average pairs on the first documents, if stored."""
        return self._read(
            self._keys.of_overview(head, options, documents, size),
            lambda entry: Overview(*overview_of(entry, size, self._lengths)),
        )

    def keep_overview(
        self, head: HeadName, options: RowOptions, documents: int, size: int, overview: Overview
    ) -> None:
        """Store an overview of the above-average pairs on the first documents."""
        arrays = _columns("ranked ", overview.ranked) | _columns("random ", overview.random)
        key = self._keys.of_overview(head, options, documents, size)
        self._store.write(key, Entry(arrays, {"count": overview.count}))

    def rows_against(self, request: RowsAgainstRequest, stop: int) -> RowsAgainstResult | None:
        """Return the rows for and against a claim, if stored.

        Its documents come before `stop` in the order, which must be one of the pass's extents.
        """
        return self._read(
            self._keys.of_scrutinised(request, stop),
            lambda entry: RowsAgainstResult(
                *rows_against_of(entry, request.documents, request.size, self._lengths)
            ),
        )

    def keep_scrutinised(
        self, request: RowsAgainstRequest, stop: int, result: RowsAgainstResult
    ) -> None:
        """Store the rows for and against a claim."""
        rows = result.counterexamples
        arrays: dict[str, npt.NDArray[np.generic]] = {
            name: np.array([getattr(row, name) for row in rows], dtype=dtype)
            for name, dtype in COUNTEREXAMPLE_COLUMNS.items()
        }
        arrays |= {f"claimed {place}": row.claimed for place, row in enumerate(rows)}
        arrays |= {f"row {place}": row.row for place, row in enumerate(rows)}
        facts = {
            "rows against": result.rows_against,
            "on": result.on.to_dict(),
            "others": result.others.to_dict(),
        }
        self._store.write(self._keys.of_scrutinised(request, stop), Entry(arrays, facts))

    def rows(self, head: HeadName, pairs: Pairs) -> list[Float32s] | None:
        """Return the attention rows of some pairs, each float32 `[key]`, if stored."""
        return self._read(
            self._keys.of_rows(head, pairs), lambda entry: rows_of(entry, pairs, self._lengths)
        )

    def keep_rows(self, head: HeadName, pairs: Pairs, rows: Sequence[Float32s]) -> None:
        """Store the attention rows of some pairs."""
        arrays = {str(place): row for place, row in enumerate(rows)}
        self._store.write(self._keys.of_rows(head, pairs), Entry(arrays, {}))

    def _read(self, key: str, parse: Callable[[Entry], T]) -> T | None:
        result = self._store.read(key, parse)
        self.read += result is not None
        return result


def _columns(prefix: str, pairs: Pairs) -> dict[str, npt.NDArray[np.generic]]:
    return {prefix + name: getattr(pairs, name) for name in PAIR_COLUMNS}
