"""Results on disk that later runs read: figures, pairs and rows.

Converts each kind of result to and from a cache entry. `cache_keys` makes the keys, and
`headtests.cache` writes and checks the files.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from headtests.cache import Entry, Store
from headtests.claims.definitions import Question, RowOptions
from headtests.claims.pairs import DistributionSketch, Overview, PairRequest
from headtests.expressions.head_names import HeadName
from headtests.measurement.readers.rows_against import (
    RowAgainst,
    RowsAgainstRequest,
    RowsAgainstResult,
)
from headtests.measurement.results.cache_keys import ResultKeys
from headtests.statistics import DocumentFigures
from headtests.statistics.sketches import Histogram, Moments, Pairs

Float32s = npt.NDArray[np.float32]

_PAIR_COLUMNS = ("documents", "queries", "keys", "multiples")
_FIGURE_COLUMNS = (
    "documents",
    "numerators",
    "denominators",
    "rows",
    "base_rates",
    "base_denominators",
    "resting",
    "sizes",
)
_COUNTEREXAMPLE_COLUMNS = {
    "score": np.int64,
    "document": np.int64,
    "query": np.int64,
    "key": np.int64,
    "multiple": np.float64,
    "figure": np.float64,
}


class StoredResults:
    """Reads results of earlier runs, and writes results for later runs."""

    def __init__(self, store: Store, keys: ResultKeys) -> None:
        self._store = store
        self._keys = keys
        self.read = 0
        """The number of results that were read."""

    def figures(
        self, question: Question, matched: bool, start: int, stop: int
    ) -> DocumentFigures | None:
        """Return the figures of the documents from `start` to `stop` of the order, if stored."""
        entry = self._entry(self._keys.of_figures(question, matched, start, stop))
        if entry is None:
            return None
        return DocumentFigures(*(entry.arrays.get(name) for name in _FIGURE_COLUMNS))  # type: ignore[arg-type]  # the columns that may be missing may be None

    def keep_figures(
        self, question: Question, matched: bool, start: int, stop: int, figures: DocumentFigures
    ) -> None:
        """Store the figures of the documents from `start` to `stop` of the order."""
        columns = {name: getattr(figures, name) for name in _FIGURE_COLUMNS}
        arrays = {name: column for name, column in columns.items() if column is not None}
        key = self._keys.of_figures(question, matched, start, stop)
        self._store.write(key, Entry(arrays, {}))

    def pairs(
        self, head: HeadName, request: PairRequest, whole: bool
    ) -> Pairs | DistributionSketch | None:
        """Return a head's pairs, or their distribution, if stored.

        With `whole`, a distribution covers all pairs, and not a sample.
        """
        entry = self._entry(self._keys.of_pairs(head, request, whole))
        if entry is None:
            return None
        pairs = _pairs_of(entry, "")
        if "histogram" not in entry.facts:
            return pairs
        return DistributionSketch(
            Histogram.from_dict(entry.facts["histogram"]),
            Moments.from_dict(entry.facts["moments"]),
            pairs,
            entry.facts["sample_of"],
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
        entry = self._entry(self._keys.of_overview(head, options, documents, size))
        if entry is None:
            return None
        return Overview(
            _pairs_of(entry, "ranked "), _pairs_of(entry, "random "), entry.facts["count"]
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
        entry = self._entry(self._keys.of_scrutinised(request, stop))
        if entry is None:
            return None
        arrays, facts = entry.arrays, entry.facts
        rows = [
            RowAgainst(
                **{name: arrays[name][place].item() for name in _COUNTEREXAMPLE_COLUMNS},
                claimed=arrays[f"claimed {place}"],
                row=arrays[f"row {place}"],
            )
            for place in range(len(arrays["score"]))
        ]
        on, others = (Histogram.from_dict(facts[name]) for name in ("on", "others"))
        return RowsAgainstResult(facts["rows against"], on, others, tuple(rows))

    def keep_scrutinised(
        self, request: RowsAgainstRequest, stop: int, result: RowsAgainstResult
    ) -> None:
        """Store the rows for and against a claim."""
        rows = result.counterexamples
        arrays: dict[str, npt.NDArray[np.generic]] = {
            name: np.array([getattr(row, name) for row in rows], dtype=dtype)
            for name, dtype in _COUNTEREXAMPLE_COLUMNS.items()
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
        entry = self._entry(self._keys.of_rows(head, pairs))
        return None if entry is None else [entry.arrays[str(i)] for i in range(len(pairs))]

    def keep_rows(self, head: HeadName, pairs: Pairs, rows: Sequence[Float32s]) -> None:
        """Store the attention rows of some pairs."""
        arrays = {str(place): row for place, row in enumerate(rows)}
        self._store.write(self._keys.of_rows(head, pairs), Entry(arrays, {}))

    def _entry(self, key: str) -> Entry | None:
        entry = self._store.read(key)
        self.read += entry is not None
        return entry


def _columns(prefix: str, pairs: Pairs) -> dict[str, npt.NDArray[np.generic]]:
    return {prefix + name: getattr(pairs, name) for name in _PAIR_COLUMNS}


def _pairs_of(entry: Entry, prefix: str) -> Pairs:
    return Pairs(*(entry.arrays[prefix + name] for name in _PAIR_COLUMNS))
