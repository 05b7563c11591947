"""What each row by itself says of a claim about a statistic: a score, a figure, the key to show.

Arrays of one head's rows on some documents in, one number a row out. Which rows of which claims
are looked at is `scrutiny`.
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from headtests.claims.definitions import ExceedRate, Lift, Mass, Precision, Statistic, Top1Rate
from headtests.claims.verdicts import CLAIMS_OVER
from headtests.measurement.masks import Bools
from headtests.measurement.passes.token_view import Float32s
from headtests.statistics import quantise
from headtests.statistics.quanta import Float64s, Int64s
from headtests.wording import Operator

NONE = -1.0
"""Less than any attention and any multiple."""
FURTHEST = 2.0**32 - 1
"""How far a score goes, at most: quanta of more do not fit."""


@dataclass(frozen=True, eq=False)
class HeadRows:
    """One head's rows on some documents, and what a statistic counts of them."""

    attention: Float32s
    """`[document, query, key]`; 0 where a row may not attend."""
    attendable: Bools
    """`[document, query, key]`."""
    counts: Int64s
    """Keys that each row may attend to, `[document, query]`."""
    eligible: Bools
    """The rows that the statistic counts, `[document, query]`."""
    inside: Bools
    """Their attendable keys in `on`, and in `of` where there is one, `[document, query, key]`."""
    of: Bools | None
    """The attendable keys in `of` of any row, where there is one; `[document, query, key]`."""
    pairs: Bools
    """The pairs that have a multiple, of any row; `[document, query, key]`."""
    matched: Float32s | None
    """The attention of the control, of a lift over distance; `[document, query, key]`."""

    def part(self, documents: slice) -> "HeadRows":
        """Return the rows of some of the documents."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        some = {name: array[documents] for name, array in arrays.items() if array is not None}
        return replace(self, **some)

    @cached_property
    def multiples(self) -> Float64s:
        """The multiple of each pair, `[document, query, key]`."""
        found: Float64s = self.attention.astype(np.float64) * self.counts[:, :, None]
        return found

    @cached_property
    def mass(self) -> Float64s:
        """The attention inside, `[document, query]`."""
        return sums(self.attention, self.inside)

    @cached_property
    def below(self) -> Float64s | None:
        """What a row's mass is divided by, `[document, query]`; None where by nothing."""
        return None if self.of is None else sums(self.attention, self.of)

    def uniform(self) -> Float64s:
        """Return the mass that uniform attention would put inside, `[document, query]`."""
        shares: Float64s = np.count_nonzero(self.inside, axis=-1) / self.counts
        return shares


@dataclass(frozen=True, eq=False)
class RowScores:
    """What rows say, each `[document, query]`; of rows that are not eligible it means nothing."""

    scores: Int64s
    """In quanta: on which side of the claim's threshold the row lies by itself, and how far."""
    denied: Bools
    """Whether that is the side which the claim denies; False of rows that are not eligible."""
    figures: Float64s
    """What the statistic comes to in the row alone; of rates of multiples and of a precision, the
    multiple of the pair that was scored."""
    keys: Int64s | None = None
    """The key of the pair that was scored, of a rate of multiples or a precision."""

    def furthest(self, from_below: bool) -> tuple[Int64s, Bools]:
        """Return the row of each document that is denied and furthest, and whether there is one.

        Each `[document]`. `from_below`: the claim is that figures are large, so that the lowest
        score is the furthest. Ties go to the lower query.
        """
        far = -self.scores if from_below else self.scores
        masked = np.where(self.denied, far, np.iinfo(np.int64).min)
        rows: Int64s = masked.argmax(-1)
        return rows, np.logical_or.reduce(self.denied, axis=-1)


def scores_of(
    statistic: Statistic, operator: Operator, threshold: float, rows: HeadRows
) -> RowScores:
    """Return what each row says of the claim that a statistic compares so with a threshold.

    An average's score is how far the row by itself lies over the threshold. That of the most
    attended key is how far the keys in `on` are ahead of all others. Of a rate of multiples it is
    how far the pair that speaks most against the claim exceeds the multiple; of a precision, the
    strongest multiple of a pair that does, negative where the claim is that figures are large.
    Raises `TypeError` for a statistic of no known kind.
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
        case Top1Rate():
            return _of_most_attended(rows, over)
        case ExceedRate(multiple=multiple):
            return _of_pairs(rows, multiple, over)
        case Precision(above=above):
            return _of_strong_pairs(rows, above, over)
        case _:
            raise TypeError(f"no score of a row is known for {statistic!r}")


def sums(values: Float32s, mask: Bools) -> Float64s:
    """Return what each row's values sum to where a mask holds, `[document, query]`.

    From the first key to the last, so that padding changes nothing, not even the last digit.
    """
    places = np.flatnonzero(mask)
    rows, length = mask.shape[0] * mask.shape[1], max(mask.shape[2], 1)
    taken = values.reshape(-1)[places].astype(np.float64)
    found = np.bincount(places // length, weights=taken, minlength=rows).astype(np.float64)
    return found.reshape(mask.shape[:2])


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
    # The first of equal keys counts, and a row without any attention has its lowest key.
    first, first_other = within.argmax(-1), others.argmax(-1)
    best, best_other = within.max(-1), others.max(-1)
    hits = (best > best_other) | ((best == best_other) & (first < first_other))
    # A side without keys has no attention.
    ahead = np.maximum(best, 0).astype(np.float64) - np.maximum(best_other, 0)
    denied = (~hits if over else hits) & rows.eligible
    return RowScores(_quanta(ahead), denied, hits.astype(np.float64))


def _of_pairs(rows: HeadRows, multiple: float, over: bool) -> RowScores:
    if over:
        every = np.where(rows.inside, rows.multiples, np.inf)
        keys, found = every.argmin(-1), every.min(-1)
        denied = found < multiple
    else:
        every = np.where(rows.inside, rows.multiples, NONE)
        keys, found = every.argmax(-1), every.max(-1)
        denied = found >= multiple
    # Rows without such a pair are not eligible.
    found = np.where(rows.eligible, found, 0.0)
    return RowScores(_quanta(found - multiple), denied & rows.eligible, found, keys)


def _of_strong_pairs(rows: HeadRows, above: float, over: bool) -> RowScores:
    counted = rows.pairs & ~rows.inside if over else rows.inside
    strong = np.where(counted & (rows.multiples >= above), rows.multiples, NONE)
    keys, found = strong.argmax(-1), strong.max(-1)
    denied = (found > NONE) & rows.eligible
    return RowScores(_quanta(-found if over else found), denied, found, keys)


def _quanta(gaps: Float64s) -> Int64s:
    return quantise(np.clip(gaps, -FURTHEST, FURTHEST))


def _ratio(above: Float64s, below: Float64s) -> Float64s:
    """Return a ratio, 0 where it divides by 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def shown_key(rows: HeadRows, document: int, query: int, from_below: bool) -> int:
    """Return the key that a row looked at instead, or that made its figure large.

    The most attended key outside, key 0 among them, or inside where the claim is that figures are
    small; where there is none, of all. Ties go to the lower key.
    """
    attendable, inside = rows.attendable[document, query], rows.inside[document, query]
    wanted = attendable & ~inside if from_below else inside
    chosen = np.where(wanted if wanted.any() else attendable, rows.attention[document, query], NONE)
    return int(chosen.argmax())
