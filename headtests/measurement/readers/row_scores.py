"""Scores each row by itself for or against a claim: a score, a figure, and the key to show.

Takes arrays of one head's rows on some documents and returns one number for each row.
`rows_against` chooses the rows and claims.
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from headtests.claims.definitions import (
    Entropy,
    ExceedRate,
    Lift,
    Mass,
    Peak,
    Precision,
    Statistic,
    Top1Rate,
)
from headtests.claims.verdicts import CLAIMS_OVER
from headtests.measurement.masks import Bools
from headtests.measurement.passes.token_view import Float32s
from headtests.statistics import quantise
from headtests.statistics.quanta import Float64s, Int64s
from headtests.wording import Operator

NONE = -1.0
"""A value less than any attention and any multiple."""
FURTHEST = 2.0**32 - 1
"""The largest absolute score; a larger one overflows when it is quantised."""


@dataclass(frozen=True, eq=False)
class HeadRows:
    """One head's rows on some documents, and the rows and pairs that a statistic counts."""

    attention: Float32s
    """Attention values, `[document, query, key]`; 0 where a row may not attend."""
    attendable: Bools
    """The keys that each row may attend to, `[document, query, key]`."""
    counts: Int64s
    """The number of keys that each row may attend to, `[document, query]`."""
    eligible: Bools
    """The rows that the statistic counts, `[document, query]`."""
    inside: Bools
    """Their attendable keys in `on`, and in `of` if there is one, `[document, query, key]`.

    None of them for a statistic of whole rows.
    """
    of: Bools | None
    """The attendable keys in `of`, of any row, `[document, query, key]`; None without `of`."""
    pairs: Bools
    """The pairs that have a multiple, of any row, `[document, query, key]`."""
    matched: Float32s | None
    """The distance control's attention for a lift over it, `[document, query, key]`; or None."""
    weighted: Float64s | None = None
    """Value-weighted attention for a mass of it, `[document, query, key]`; or None."""

    def part(self, documents: slice) -> "HeadRows":
        """Return the rows of some of the documents."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        parts = {name: array[documents] for name, array in arrays.items() if array is not None}
        return replace(self, **parts)

    @cached_property
    def multiples(self) -> Float64s:
        """The multiple of each pair, `[document, query, key]`."""
        multiples: Float64s = self.attention.astype(np.float64) * self.counts[:, :, None]
        return multiples

    @property
    def shared_out(self) -> Float32s | Float64s:
        """What a mass is a share of, `[document, query, key]`: attention, or value-weighted."""
        return self.attention if self.weighted is None else self.weighted

    @cached_property
    def mass(self) -> Float64s:
        """The attention on the keys inside, `[document, query]`."""
        return sums(self.shared_out, self.inside)

    @cached_property
    def below(self) -> Float64s | None:
        """The attention on `of`, by which a row's mass is divided, `[document, query]`; or None."""
        return None if self.of is None else sums(self.shared_out, self.of)

    @cached_property
    def entropy(self) -> Float64s:
        """Each row's entropy over that of even attention, `[document, query]`; 0 for one key."""
        attention = self.attention.astype(np.float64)
        logs = np.log(attention, out=np.zeros_like(attention), where=attention > 0)
        even = np.log(np.maximum(self.counts, 2))
        shares: Float64s = np.minimum(sums(-attention * logs, self.attendable) / even, 1.0)
        return shares

    @cached_property
    def peak(self) -> Float64s:
        """Each row's largest attention, `[document, query]`."""
        peaks: Float64s = self.attention.max(-1).astype(np.float64)
        return peaks

    def uniform(self) -> Float64s:
        """Return the mass of uniform attention on the keys inside, `[document, query]`."""
        shares: Float64s = np.count_nonzero(self.inside, axis=-1) / self.counts
        return shares


@dataclass(frozen=True, eq=False)
class RowScores:
    """Scores of rows, each array `[document, query]`; undefined for rows that are not eligible."""

    scores: Int64s
    """The side of the claim's threshold on which the row lies by itself, and how far, in quanta."""
    denied: Bools
    """Whether the claim denies that side; False for rows that are not eligible."""
    figures: Float64s
    """The statistic of the row alone; for an exceed rate and a precision, the multiple of the
    scored pair."""
    keys: Int64s | None = None
    """The key of the scored pair, for an exceed rate and a precision."""

    def furthest(self, from_below: bool) -> tuple[Int64s, Bools]:
        """Return each document's denied row that is furthest, and whether there is one.

        Both are `[document]`. With `from_below`, the claim says that figures are large, and the
        lowest score is the furthest. Ties go to the lower query.
        """
        distances = -self.scores if from_below else self.scores
        masked = np.where(self.denied, distances, np.iinfo(np.int64).min)
        rows: Int64s = masked.argmax(-1)
        return rows, np.logical_or.reduce(self.denied, axis=-1)


def scores_of(
    statistic: Statistic, operator: Operator, threshold: float, rows: HeadRows
) -> RowScores:
    """Return the scores of rows for the claim `statistic operator threshold`.

    For a mass, a lift, an entropy and a peak, the score is how far the row by itself lies above the
    threshold. For a
    top-1 rate, it is how far the attention on keys in `on` is ahead of all others. For an exceed
    rate, it is how far the pair that contradicts the claim most exceeds the multiple. For a
    precision, it is the largest multiple of a pair that contradicts the claim, negative if the
    claim says that figures are large. Raises `TypeError` for an unknown kind of statistic.
    """
    over = CLAIMS_OVER[operator]
    match statistic:
        case Mass():
            figures = rows.mass if rows.below is None else _ratio(rows.mass, rows.below)
            level = threshold if rows.below is None else threshold * rows.below
            return _of_average(rows, rows.mass - level, figures, operator)
        case Lift():
            control = rows.uniform() if rows.matched is None else sums(rows.matched, rows.inside)
            figures = _ratio(rows.mass, control)
            return _of_average(rows, rows.mass - threshold * control, figures, operator)
        case Entropy():
            return _of_average(rows, rows.entropy - threshold, rows.entropy, operator)
        case Peak():
            return _of_average(rows, rows.peak - threshold, rows.peak, operator)
        case Top1Rate():
            return _of_most_attended(rows, over)
        case ExceedRate(multiple=multiple):
            return _of_pairs(rows, multiple, over)
        case Precision(above=above):
            return _of_strong_pairs(rows, above, over)
        case _:
            raise TypeError(f"no score of a row is known for {statistic!r}")


def sums(values: Float32s | Float64s, mask: Bools) -> Float64s:
    """Return the sum of each row's values where a mask holds, float64 `[document, query]`.

    `values` and `mask` are `[document, query, key]`. Values are added from the first key to the
    last, so that padding does not change a sum, not even its last bit.
    """
    places = np.flatnonzero(mask)
    rows, length = mask.shape[0] * mask.shape[1], max(mask.shape[2], 1)
    weights = values.reshape(-1)[places].astype(np.float64)
    totals = np.bincount(places // length, weights=weights, minlength=rows).astype(np.float64)
    return totals.reshape(mask.shape[:2])


def _of_average(rows: HeadRows, gaps: Float64s, figures: Float64s, operator: Operator) -> RowScores:
    scores = _quanta(gaps)
    denied = {
        ">=": scores < 0,
        ">": scores <= 0,
        "<=": scores > 0,
        "<": scores >= 0,
    }[operator]
    return RowScores(scores, denied & rows.eligible, figures)


def _of_most_attended(rows: HeadRows, over: bool) -> RowScores:
    others = np.where(rows.attendable & ~rows.inside, rows.attention, NONE)
    within = np.where(rows.inside, rows.attention, NONE)
    # Ties go to the lower key; a row of zeros counts as attending to its lowest key.
    first, first_other = within.argmax(-1), others.argmax(-1)
    best, best_other = within.max(-1), others.max(-1)
    hits = (best > best_other) | ((best == best_other) & (first < first_other))
    # A side without keys has an attention of 0.
    ahead = np.maximum(best, 0).astype(np.float64) - np.maximum(best_other, 0)
    denied = (~hits if over else hits) & rows.eligible
    return RowScores(_quanta(ahead), denied, hits.astype(np.float64))


def _of_pairs(rows: HeadRows, multiple: float, over: bool) -> RowScores:
    if over:
        every = np.where(rows.inside, rows.multiples, np.inf)
        keys, multiples = every.argmin(-1), every.min(-1)
        denied = multiples < multiple
    else:
        every = np.where(rows.inside, rows.multiples, NONE)
        keys, multiples = every.argmax(-1), every.max(-1)
        denied = multiples >= multiple
    # Rows without such a pair are not eligible.
    multiples = np.where(rows.eligible, multiples, 0.0)
    return RowScores(_quanta(multiples - multiple), denied & rows.eligible, multiples, keys)


def _of_strong_pairs(rows: HeadRows, above: float, over: bool) -> RowScores:
    counted = rows.pairs & ~rows.inside if over else rows.inside
    strong = np.where(counted & (rows.multiples >= above), rows.multiples, NONE)
    keys, multiples = strong.argmax(-1), strong.max(-1)
    denied = (multiples > NONE) & rows.eligible
    return RowScores(_quanta(-multiples if over else multiples), denied, multiples, keys)


def _quanta(gaps: Float64s) -> Int64s:
    return quantise(np.clip(gaps, -FURTHEST, FURTHEST))


def _ratio(above: Float64s, below: Float64s) -> Float64s:
    """Return a ratio, and 0 where the denominator is 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def shown_key(rows: HeadRows, document: int, query: int, from_below: bool) -> int:
    """Return the key by which a row is shown: what it attended to against the claim.

    The most attended key outside, key 0 included, or inside if the claim says that figures are
    small; if there is no such key, the most attended of all. Ties go to the lower key. For a
    value-weighted mass, attention is value-weighted.
    """
    attendable, inside = rows.attendable[document, query], rows.inside[document, query]
    keys = attendable & ~inside if from_below else inside
    candidates = keys if keys.any() else attendable
    return int(np.where(candidates, rows.shared_out[document, query], NONE).argmax())
