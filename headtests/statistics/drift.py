"""Whether a claim's figure has moved: arithmetic on the recorded documents, and no inference.

Figures of the same documents, then and now, in; how far apart they are on average, and which
documents moved most, out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headtests.errors import BaselineError
from headtests.statistics.quanta import QUANTA, Float64s, Int64s

MARGIN = 0.02
"""How far a figure may move, by default, and be called unchanged."""


@dataclass(frozen=True, eq=False)
class Figures:
    """What documents contribute to one statistic: columns of equal length."""

    documents: Int64s
    """Their ids."""
    numerators: Int64s
    """In quanta."""
    denominators: Int64s | None = None
    """In quanta, of a ratio of two averages."""
    scale: float = 1.0
    """What the average is multiplied by: of a lift, 1 over the base rate."""

    @property
    def value(self) -> float:
        """The figure: an average of documents, or a ratio of two; 0 where it divides by 0."""
        whole = self._whole
        return float(self.numerators.sum()) / whole * self.scale if whole else 0.0

    @property
    def _whole(self) -> float:
        if self.denominators is None:
            return float(len(self.numerators) * QUANTA)
        return float(self.denominators.sum())

    @property
    def own(self) -> Float64s:
        """Each document's own figure: of a ratio its own one, 0 where it divides by 0."""
        numerators = self.numerators / QUANTA * self.scale
        if self.denominators is None:
            return numerators
        below: Float64s = self.denominators / QUANTA
        return np.divide(numerators, below, out=np.zeros(len(numerators)), where=below > 0)

    def contributions(self, around: float) -> Float64s:
        """Return what each document adds to the figure less a number; they average that.

        Of a ratio, to first order: `(numerator - around * denominator) / mean denominator`.
        """
        numerators = self.numerators / QUANTA * self.scale
        if self.denominators is None:
            return numerators - around
        whole = self._whole / len(self.numerators) / QUANTA
        below: Float64s = self.denominators / QUANTA
        return (numerators - around * below) / whole if whole else np.zeros(len(numerators))


@dataclass(frozen=True, slots=True)
class MovedDocument:
    """A document that changed what it adds to a figure."""

    document: int
    before: float
    """Its own figure, then."""
    now: float


@dataclass(frozen=True, eq=False)
class Drift:
    """How far a figure has moved since it was recorded."""

    before: float
    now: float
    margin: float
    is_relative: bool
    """Whether the margin is a share of `size`, as of multiples."""
    moved: tuple[MovedDocument, ...]
    """The documents that moved most, the furthest first."""
    size: float
    """How large the figure was; of two statistics both together, so that rounding of two large
    ones is small beside it, however small their difference is."""

    @property
    def difference(self) -> float:
        """What the figure is now, less what it was: the mean of the documents' differences."""
        return self.now - self.before

    @property
    def is_unchanged(self) -> bool:
        """Whether the difference lies inside the margin, its ends included."""
        # A margin that is met exactly is met, whatever floating point makes of the difference.
        return abs(self.difference) <= self.room + 1e-12

    @property
    def room(self) -> float:
        """How far the figure may move, in its own units."""
        return self.margin * self.size if self.is_relative else self.margin

    @property
    def status(self) -> str:
        """`unchanged` or `drifted`."""
        return "unchanged" if self.is_unchanged else "drifted"


def compared(
    before: Sequence[Figures],
    now: Sequence[Figures],
    factor: float = 1.0,
    margin: float = MARGIN,
    is_relative: bool = False,
    most: int = 10,
) -> Drift:
    """Return how far a figure has moved: of one statistic, or of one less another times a factor.

    Then and now have the same documents in the same order. Raises `BaselineError` where they do
    not.
    """
    for old, new in zip(before, now, strict=True):
        if not np.array_equal(old.documents, new.documents):
            raise BaselineError(
                f"{len(old.documents):,} documents were recorded, and the same statistic now "
                f"counts {len(new.documents):,}, not all of them the same. Record it again with "
                "--headtests-record."
            )
    signs = (1.0, -factor)[: len(before)]
    value, later = (_value(side, signs) for side in (before, now))
    around = [one.value for one in before]
    added, adds = (_contributions(side, signs, around) for side in (before, now))
    documents = before[0].documents
    moved = _moved(documents, added, adds, _own(before, signs), _own(now, signs), most)
    size = sum(abs(sign * one.value) for sign, one in zip(signs, before, strict=True))
    return Drift(value, later, margin, is_relative, moved, size)


def _value(side: Sequence[Figures], signs: Sequence[float]) -> float:
    return sum(sign * one.value for sign, one in zip(signs, side, strict=True))


def _contributions(
    side: Sequence[Figures], signs: Sequence[float], around: Sequence[float]
) -> Float64s:
    parts = [
        sign * one.contributions(middle)
        for sign, one, middle in zip(signs, side, around, strict=True)
    ]
    summed: Float64s = np.sum(parts, axis=0)
    return summed


def _own(side: Sequence[Figures], signs: Sequence[float]) -> Float64s:
    summed: Float64s = np.sum([sign * one.own for sign, one in zip(signs, side, strict=True)], 0)
    return summed


def _moved(
    documents: Int64s,
    added: Float64s,
    adds: Float64s,
    before: Float64s,
    now: Float64s,
    most: int,
) -> tuple[MovedDocument, ...]:
    distance = np.abs(adds - added)
    # Ties go to the document that ran first.
    order = np.argsort(-distance, kind="stable")[:most]
    return tuple(
        MovedDocument(int(documents[place]), float(before[place]), float(now[place]))
        for place in order
        if distance[place] > 0
    )
