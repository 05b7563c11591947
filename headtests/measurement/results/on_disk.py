"""Results of one sweep on disk, from run to run: figures, pairs, rows.

In what shape each is written and read. What they are kept under is `identity`, and how files are
written and checked is `headtests.cache`.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from headtests.cache import Entry, Store
from headtests.claims.definitions import Question, RowOptions
from headtests.claims.pairs import DistributionSketch, Overview, PairRequest
from headtests.expressions.head_names import HeadName
from headtests.measurement.readers.rows_against import RowAgainst, Scrutinised, Scrutiny
from headtests.measurement.results.cache_keys import Keys
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


class Results:
    """What earlier runs found, and what this one leaves to later ones."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys
        self.read = 0
        """How many results of earlier runs were of use."""

    def figures(
        self, question: Question, matched: bool, start: int, stop: int
    ) -> DocumentFigures | None:
        """Return what the documents between two places of the order contribute, if known."""
        entry = self._entry(self._keys.of_figures(question, matched, start, stop))
        if entry is None:
            return None
        return DocumentFigures(*(entry.arrays.get(name) for name in _FIGURE_COLUMNS))  # type: ignore[arg-type]  # those that are missing may be None

    def keep_figures(
        self, question: Question, matched: bool, start: int, stop: int, found: DocumentFigures
    ) -> None:
        """Keep what the documents between two places of the order contribute."""
        columns = {name: getattr(found, name) for name in _FIGURE_COLUMNS}
        arrays = {name: column for name, column in columns.items() if column is not None}
        key = self._keys.of_figures(question, matched, start, stop)
        self._store.write(key, Entry(arrays, {}))

    def pairs(
        self, head: HeadName, request: PairRequest, whole: bool
    ) -> Pairs | DistributionSketch | None:
        """Return a head's pairs, or how they are distributed, if known.

        `whole`: a distribution of all pairs, and not of a sample.
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
        found: Pairs | DistributionSketch,
    ) -> None:
        """Keep a head's pairs, or how they are distributed."""
        key = self._keys.of_pairs(head, request, whole)
        if isinstance(found, Pairs):
            self._store.write(key, Entry(_columns("", found), {}))
            return
        facts = {
            "histogram": found.histogram.to_dict(),
            "moments": found.moments.to_dict(),
            "sample_of": found.sample_of,
        }
        self._store.write(key, Entry(_columns("", found.sample), facts))

    def overview(
        self, head: HeadName, options: RowOptions, documents: int, size: int
    ) -> Overview | None:
        """Return the above-average pairs on the first documents, if known."""
        entry = self._entry(self._keys.of_overview(head, options, documents, size))
        if entry is None:
            return None
        return Overview(
            _pairs_of(entry, "ranked "), _pairs_of(entry, "random "), entry.facts["count"]
        )

    def keep_overview(
        self, head: HeadName, options: RowOptions, documents: int, size: int, found: Overview
    ) -> None:
        """Keep the above-average pairs on the first documents."""
        arrays = _columns("ranked ", found.ranked) | _columns("random ", found.random)
        key = self._keys.of_overview(head, options, documents, size)
        self._store.write(key, Entry(arrays, {"count": found.count}))

    def scrutinised(self, asked: Scrutiny, stop: int) -> Scrutinised | None:
        """Return what rows say for and against a claim, if known.

        Its documents stand before a place of the order that is one of the sweep's extents.
        """
        entry = self._entry(self._keys.of_scrutinised(asked, stop))
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
        return Scrutinised(facts["rows against"], on, others, tuple(rows))

    def keep_scrutinised(self, asked: Scrutiny, stop: int, found: Scrutinised) -> None:
        """Keep what rows say for and against a claim."""
        rows = found.counterexamples
        arrays: dict[str, npt.NDArray[np.generic]] = {
            name: np.array([getattr(one, name) for one in rows], dtype=of)
            for name, of in _COUNTEREXAMPLE_COLUMNS.items()
        }
        arrays |= {f"claimed {place}": one.claimed for place, one in enumerate(rows)}
        arrays |= {f"row {place}": one.row for place, one in enumerate(rows)}
        facts = {
            "rows against": found.rows_against,
            "on": found.on.to_dict(),
            "others": found.others.to_dict(),
        }
        self._store.write(self._keys.of_scrutinised(asked, stop), Entry(arrays, facts))

    def rows(self, head: HeadName, pairs: Pairs) -> list[Float32s] | None:
        """Return the rows that some pairs stand in, if known."""
        entry = self._entry(self._keys.of_rows(head, pairs))
        return None if entry is None else [entry.arrays[str(i)] for i in range(len(pairs))]

    def keep_rows(self, head: HeadName, pairs: Pairs, rows: Sequence[Float32s]) -> None:
        """Keep the rows that some pairs stand in."""
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
