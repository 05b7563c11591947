"""Drift: whether a claim's figure has moved since it was recorded, on the same documents.

Arithmetic only, no inference: both figures are known exactly. Also which documents moved most.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headtests.errors import BaselineError
from headtests.statistics.quanta import QUANTA, Float64s, Int64s

MARGIN = 0.02
"""The default distance that a figure may move and count as unchanged."""
SMALL_SHARE = 0.2
"""A share under this may move by less, in proportion: by a tenth of it at the default margin."""
LEAST_SHARE = 0.005
"""A share under this may move as far as this one, by 0.0005 at the default margin: a few times as
far as bfloat16 moved any such share of the demo model (0.0002)."""
TRADED = 2
"""How many times farther than a figure may move its documents must, to have traded places."""


@dataclass(frozen=True, eq=False)
class RecordedFigures:
    """What documents contribute to one statistic, as recorded; columns of shape `[documents]`."""

    documents: Int64s
    """Document ids."""
    numerators: Int64s
    """In quanta."""
    denominators: Int64s | None = None
    """In quanta, for a ratio of two averages; None for a plain average."""
    scale: float = 1.0
    """What the average is multiplied by; for a lift, 1 over the base rate."""

    @property
    def value(self) -> float:
        """The average over documents, or the ratio of two averages; 0 where it divides by 0."""
        whole = self._whole
        return float(self.numerators.sum()) / whole * self.scale if whole else 0.0

    @property
    def _whole(self) -> float:
        if self.denominators is None:
            return float(len(self.numerators) * QUANTA)
        return float(self.denominators.sum())

    @property
    def own(self) -> Float64s:
        """Each document's own figure, or own ratio; 0 where it divides by 0."""
        numerators = self.numerators / QUANTA * self.scale
        if self.denominators is None:
            return numerators
        below: Float64s = self.denominators / QUANTA
        return np.divide(numerators, below, out=np.zeros(len(numerators)), where=below > 0)

    def contributions(self, around: float) -> Float64s:
        """Return what each document contributes to `value - around`, which is their mean.

        For a ratio, its linearisation: `(numerator - around * denominator) / mean denominator`.
        """
        numerators = self.numerators / QUANTA * self.scale
        if self.denominators is None:
            return numerators - around
        whole = self._whole / len(self.numerators) / QUANTA
        below: Float64s = self.denominators / QUANTA
        return (numerators - around * below) / whole if whole else np.zeros(len(numerators))


@dataclass(frozen=True, slots=True)
class MovedDocument:
    """A document whose contribution to a figure changed."""

    document: int
    before: float
    """The document's own figure when it was recorded."""
    now: float


@dataclass(frozen=True, eq=False)
class Drift:
    """How far a figure has moved since it was recorded."""

    before: float
    now: float
    margin: float
    is_relative: bool
    """Whether the margin is a share of `size`, as it is for multiples."""
    moved: tuple[MovedDocument, ...]
    """The documents that moved most, in descending order."""
    size: float
    """The absolute value of the recorded figure; for a difference of two statistics the sum of both
    absolute values, so that a relative margin stays above their rounding errors."""
    mean_absolute: float | None = None
    """The mean of the absolute changes of the documents' contributions; None if they are unknown.

    `difference` is the mean with signs, which is small where documents trade places."""
    step: float = 0.0
    """The least change that is possible, as of a share of few pairs; 0 if any is."""

    @property
    def difference(self) -> float:
        """The change, `now - before`; for averages, the mean change of the documents."""
        return self.now - self.before

    @property
    def is_unchanged(self) -> bool:
        """Whether the change is at most the margin."""
        # Allows for the rounding of a change that equals the margin.
        return abs(self.difference) <= self.room + 1e-12

    @property
    def room(self) -> float:
        """How far the figure may move, in the unit of the figure.

        A multiple may move by the margin times its size. A share of at least `SMALL_SHARE` may move
        by the margin, and a smaller one by as much less as it is smaller.

        >>> round(Drift(0.5, 0.5, 0.02, False, (), 0.5).room, 6)
        0.02
        >>> round(Drift(0.018, 0.0, 0.02, False, (), 0.018).room, 6)
        0.0018
        """
        if self.is_relative:
            return self.margin * self.size
        share = self.margin * min(1.0, max(self.size, LEAST_SHARE) / SMALL_SHARE)
        return max(share, min(self.step, self.margin))

    @property
    def traded_places(self) -> bool:
        """Whether documents changed far more than the figure may, though it is unchanged."""
        return self.is_unchanged and (self.mean_absolute or 0.0) > TRADED * self.room

    @property
    def status(self) -> str:
        """`unchanged` or `drifted`."""
        return "unchanged" if self.is_unchanged else "drifted"


def drift_between(
    before: Sequence[RecordedFigures],
    now: Sequence[RecordedFigures],
    factor: float = 1.0,
    margin: float = MARGIN,
    is_relative: bool = False,
    most: int = 10,
) -> Drift:
    """Return how far a figure has moved: one statistic, or `first - factor * second` of two.

    `before` and `now` hold one or two statistics each, over the same documents in the same order;
    raises `BaselineError` for other documents. `margin` and `is_relative` are those of `Drift`;
    at most `most` moved documents are listed.
    """
    for old, new in zip(before, now, strict=True):
        if not np.array_equal(old.documents, new.documents):
            raise BaselineError(
                f"{len(old.documents):,} documents were recorded, and the same statistic now "
                f"counts {len(new.documents):,}, not all of them the same. Record it again with "
                "--headtests-record."
            )
    signs = (1.0, -factor)[: len(before)]
    old_value, new_value = (_value(side, signs) for side in (before, now))
    around = [statistic.value for statistic in before]
    old_parts, new_parts = (_contributions(side, signs, around) for side in (before, now))
    documents = before[0].documents
    own = _own(before, signs), _own(now, signs)
    moved = _moved(documents, np.abs(new_parts - old_parts), *own, most)
    size = sum(abs(sign * statistic.value) for sign, statistic in zip(signs, before, strict=True))
    absolute = float(np.abs(new_parts - old_parts).mean()) if len(documents) else 0.0
    return Drift(old_value, new_value, margin, is_relative, moved, size, absolute)


def _value(side: Sequence[RecordedFigures], signs: Sequence[float]) -> float:
    return sum(sign * statistic.value for sign, statistic in zip(signs, side, strict=True))


def _contributions(
    side: Sequence[RecordedFigures], signs: Sequence[float], around: Sequence[float]
) -> Float64s:
    parts = [
        sign * statistic.contributions(middle)
        for sign, statistic, middle in zip(signs, side, around, strict=True)
    ]
    summed: Float64s = np.sum(parts, axis=0)
    return summed


def _own(side: Sequence[RecordedFigures], signs: Sequence[float]) -> Float64s:
    parts = [sign * statistic.own for sign, statistic in zip(signs, side, strict=True)]
    summed: Float64s = np.sum(parts, axis=0)
    return summed


def _moved(
    documents: Int64s,
    distance: Float64s,
    before: Float64s,
    now: Float64s,
    most: int,
) -> tuple[MovedDocument, ...]:
    # Ties go to the document that ran first.
    order = np.argsort(-distance, kind="stable")[:most]
    return tuple(
        MovedDocument(int(documents[place]), float(before[place]), float(now[place]))
        for place in order
        if distance[place] > 0
    )
