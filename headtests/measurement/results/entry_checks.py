"""Whether a cached entry can be a result of what was asked; raises `ValueError` with the reason.

The checksum of an entry says that it is as it was written, not by whom. What passes here makes no
reader stumble: types, shapes, ranges, orders and the documents that it is about are right.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headtests.cache import Array, Entry
from headtests.claims.definitions import Lift, Precision, Statistic
from headtests.claims.pairs import DistributionSketch, PairRequest, RankedRequest, SampledRequest
from headtests.measurement.passes.token_view import Float32s
from headtests.measurement.readers.distributions import EXAMPLE_SAMPLE
from headtests.measurement.readers.rows_against import RowAgainst
from headtests.statistics import DocumentFigures
from headtests.statistics.quanta import QUANTA, Float64s, Int64s
from headtests.statistics.sketches import Histogram, Moments, Pairs, RankedPairs

PAIR_COLUMNS = ("documents", "queries", "keys", "multiples")
FIGURE_COLUMNS = (
    "documents",
    "numerators",
    "denominators",
    "rows",
    "base_rates",
    "base_denominators",
    "resting",
    "sizes",
)
OF_RATIOS = ("denominators", "base_denominators")
"""The columns that a plain average does not have."""
COUNTEREXAMPLE_COLUMNS = {
    "score": np.int64,
    "document": np.int64,
    "query": np.int64,
    "key": np.int64,
    "multiple": np.float64,
    "figure": np.float64,
}
_ROUNDING = 1.01
"""Attention in a narrow dtype may sum to a little more than 1."""


def figures_of(
    entry: Entry, statistic: Statistic, documents: Int64s, lengths: Int64s
) -> DocumentFigures:
    """Return figures of some of the given documents, in their order.

    `lengths` has the number of tokens of each document of the population, by id.
    """
    is_ratio = isinstance(statistic, Lift | Precision) or getattr(statistic, "of", None) is not None
    names = [name for name in FIGURE_COLUMNS if is_ratio or name not in OF_RATIOS]
    _require_names(entry, names, ())
    size = len(entry.arrays["documents"]) if entry.arrays["documents"].ndim else 0
    columns = {name: _column(entry, name, np.int64, size) for name in names}
    found = columns["documents"]
    if not np.array_equal(documents[np.isin(documents, found)], found):
        raise ValueError("it is about other documents")
    _require_within("rows", columns["rows"], 1, lengths[found])
    _require_within("sizes", columns["sizes"], 1, 1)
    for name in set(names) - {"documents", "rows", "sizes"}:
        _require_within(name, columns[name], 0, QUANTA)
    return DocumentFigures(*(columns.get(name) for name in FIGURE_COLUMNS))  # type: ignore[arg-type]  # the columns of ratios may be None


def pairs_of(entry: Entry, request: PairRequest, lengths: Int64s) -> Pairs | DistributionSketch:
    """Return what a request is for: ranked or random pairs, or a distribution."""
    facts = entry.facts
    if isinstance(request, RankedRequest | SampledRequest):
        _require_names(entry, PAIR_COLUMNS, ())
        pairs = _pairs(entry, "", request.size, lengths)
        if isinstance(request, RankedRequest):
            _require_ranked(pairs, request.reverse)
        if isinstance(request, RankedRequest) or request.above_average:
            _require_above_average(pairs)
        return pairs
    _require_names(entry, PAIR_COLUMNS, ("histogram", "moments", "sample_of"))
    sample = _pairs(entry, "", EXAMPLE_SAMPLE, lengths)
    histogram = Histogram.from_dict(facts["histogram"])
    moments = Moments.from_dict(facts["moments"])
    of = facts["sample_of"]
    if of is not None:
        _require_count("sample_of", of, moments.count)
    extremes = {(each.count, each.minimum, each.maximum) for each in (histogram, moments)}
    if len(extremes) != 1 or len(sample) > moments.count:
        raise ValueError("its histogram, its moments and its sample are of other pairs")
    return DistributionSketch(histogram, moments, sample, of)


def overview_of(entry: Entry, size: int, lengths: Int64s) -> tuple[Pairs, Pairs, int]:
    """Return the ranked and the random pairs of an overview, and how many there are in all."""
    prefixes = ("ranked ", "random ")
    names = [prefix + name for prefix in prefixes for name in PAIR_COLUMNS]
    _require_names(entry, names, ("count",))
    ranked, random = (_pairs(entry, prefix, size, lengths) for prefix in prefixes)
    _require_ranked(ranked, reverse=False)
    for pairs in (ranked, random):
        _require_above_average(pairs)
    count = _require_count("count", entry.facts["count"], max(len(ranked), len(random)))
    return ranked, random, count


def rows_against_of(
    entry: Entry, documents: Int64s, size: int, lengths: Int64s
) -> tuple[int, Histogram, Histogram, tuple[RowAgainst, ...]]:
    """Return the fields of a `RowsAgainstResult` about some of the given documents."""
    count = entry.arrays["score"].size
    rows = [f"{name} {place}" for place in range(count) for name in ("claimed", "row")]
    _require_names(entry, [*COUNTEREXAMPLE_COLUMNS, *rows], ("rows against", "on", "others"))
    columns = {
        name: _column(entry, name, dtype, count) for name, dtype in COUNTEREXAMPLE_COLUMNS.items()
    }
    if count > size or not np.isin(columns["document"], documents).all():
        raise ValueError("it is about other documents, or about more rows than were asked for")
    places = (columns["document"], columns["query"], columns["key"])
    _require_pairs(*places, columns["multiple"], lengths)
    _require_finite("figure", columns["figure"])
    against = []
    for place in range(count):
        length = int(lengths[columns["document"][place]])
        claimed = entry.arrays[f"claimed {place}"]
        _column(entry, f"claimed {place}", np.int64, claimed.size)
        _require_within("claimed", claimed, 0, length - 1)
        if (np.diff(claimed) < 1).any():
            raise ValueError("the keys of a row do not ascend")
        row = attention_row(entry, f"row {place}", length)
        values = {name: column[place].item() for name, column in columns.items()}
        against.append(RowAgainst(**values, claimed=claimed, row=row))
    facts = entry.facts
    total = _require_count("rows against", facts["rows against"], count)
    on, others = (Histogram.from_dict(facts[name]) for name in ("on", "others"))
    return total, on, others, tuple(against)


def rows_of(entry: Entry, pairs: Pairs, lengths: Int64s) -> list[Float32s]:
    """Return the attention row of each pair, each `[key]`."""
    _require_names(entry, [str(place) for place in range(len(pairs))], ())
    sizes = lengths[pairs.documents].tolist()
    return [attention_row(entry, str(place), size) for place, size in enumerate(sizes)]


def attention_row(entry: Entry, name: str, length: int) -> Float32s:
    """Return an array of an entry that holds attention, float32 `[length]`."""
    row = _column(entry, name, np.float32, length)
    _require_within(name, row, 0, _ROUNDING)
    return row


def _require_names(entry: Entry, arrays: Sequence[str], facts: Sequence[str]) -> None:
    for found, expected in ((entry.arrays, arrays), (entry.facts, facts)):
        if set(found) != set(expected):
            odd = sorted(set(found) ^ set(expected))[0]
            raise ValueError(f"{odd!r} is missing" if odd in expected else f"{odd!r} is in excess")


def _column(entry: Entry, name: str, dtype: npt.DTypeLike, size: int) -> Array:
    array = entry.arrays[name]
    if array.dtype != np.dtype(dtype) or array.shape != (size,):
        raise ValueError(
            f"{name!r} is {array.dtype} of shape {array.shape}, not {np.dtype(dtype)} of ({size},)"
        )
    return array


def _pairs(entry: Entry, prefix: str, size: int, lengths: Int64s) -> Pairs:
    pairs = Pairs(*(entry.arrays[prefix + name] for name in PAIR_COLUMNS))
    if len(pairs) > size:
        raise ValueError(f"{len(pairs):,} pairs, and {size:,} were asked for")
    _require_pairs(pairs.documents, pairs.queries, pairs.keys, pairs.multiples, lengths)
    return pairs


def _require_pairs(
    documents: Int64s, queries: Int64s, keys: Int64s, multiples: Float64s, lengths: Int64s
) -> None:
    """Require positions that exist, and multiples that they can have."""
    _require_within("documents", documents, 0, len(lengths) - 1)
    ends = lengths[documents]
    for name, positions in (("queries", queries), ("keys", keys)):
        _require_within(name, positions, 0, ends - 1)
    # A multiple is the attention, at most 1, times the number of keys.
    _require_within("multiples", multiples, 0, ends * _ROUNDING)


def _require_ranked(pairs: Pairs, reverse: bool) -> None:
    ranked = RankedPairs(max(1, len(pairs)), reverse)
    ranked.update(pairs)
    if ranked.pairs != pairs:
        raise ValueError("its pairs are not in the order of their multiples")


def _require_above_average(pairs: Pairs) -> None:
    if not (pairs.multiples > 1).all():
        raise ValueError("it has pairs that are not above average")


def _require_within(name: str, values: Array, least: object, most: object) -> None:
    # Comparisons with NaN are false.
    within = (values >= least) & (values <= most)
    if not within.all():
        raise ValueError(f"{name!r} is out of range: {values[~within][0]}")


def _require_finite(name: str, values: Array) -> None:
    if not np.isfinite(values).all():
        raise ValueError(f"{name!r} is not finite")


def _require_count(name: str, value: Any, least: int) -> int:
    if type(value) is not int or not least <= value < 2**62:
        raise ValueError(f"{name!r} is {value!r:.40}, not a whole number of at least {least:,}")
    return value
