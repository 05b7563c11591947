"""What a statistic's figures over documents amount to: exact averages and exact comparisons.

Numbers in, numbers out: no heads, no tokens, no torch. Figures are kept as whole multiples of
2**-30, so that sums do not depend on the order of documents, merges are exact and ties are
clean.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]

QUANTA = 2**30
"""How many quanta make 1."""


def quantise(figures: npt.ArrayLike) -> Int64s:
    """Return figures as the nearest whole number of quanta of 2**-30.

    The result has the shape of the figures, which must be finite and below 2**32 in size.

    >>> quantise([0.5, 1.0]).tolist() == [QUANTA // 2, QUANTA]
    True
    """
    return np.rint(np.asarray(figures, dtype=np.float64) * QUANTA).astype(np.int64)


def quantised_fraction(number: float | Fraction) -> Fraction:
    """Return a number as the fraction that documents' figures are compared with.

    A threshold goes through the same rounding as the figures, so that a head that gives exactly
    0.4 everywhere ties with 0.4.

    >>> quantised_fraction(0.25)
    Fraction(1, 4)
    """
    return Fraction(round(Fraction(number) * QUANTA), QUANTA)


@dataclass(frozen=True, eq=False)
class DocumentFigures:
    """What each eligible document contributes to a statistic; columns of equal length."""

    documents: Int64s
    """Document ids, ascending."""
    numerators: Int64s
    """In quanta."""
    denominators: Int64s | None
    """In quanta, for a ratio of two document averages; None for a plain average."""
    rows: Int64s
    """Eligible rows of each document."""
    base_rates: Int64s
    """In quanta: what uniform attention would contribute as numerator."""
    base_denominators: Int64s | None
    """In quanta: what uniform attention would contribute as denominator, of a ratio."""
    resting: Int64s
    """In quanta: attention on position 0, averaged over the document's eligible rows."""

    def __len__(self) -> int:
        return len(self.documents)

    @property
    def average(self) -> Fraction | None:
        """The average over documents, or the ratio of two; None where there is none."""
        return _ratio(self.numerators, self.denominators)

    @property
    def base_rate(self) -> Fraction | None:
        """The same figure under uniform attention; None where there is none."""
        return _ratio(self.base_rates, self.base_denominators)

    @property
    def resting_mass(self) -> Fraction | None:
        """The average attention on position 0; None without documents."""
        return _ratio(self.resting, None)

    def of_documents(self, documents: Int64s) -> "DocumentFigures":
        """Return the figures of those of these documents that are eligible."""
        kept = np.isin(self.documents, documents, assume_unique=True)

        def column(values: Int64s | None) -> Int64s | None:
            return None if values is None else values[kept]

        return replace(
            self,
            documents=self.documents[kept],
            numerators=self.numerators[kept],
            denominators=column(self.denominators),
            rows=self.rows[kept],
            base_rates=self.base_rates[kept],
            base_denominators=column(self.base_denominators),
            resting=self.resting[kept],
        )


def _ratio(numerators: Int64s, denominators: Int64s | None) -> Fraction | None:
    divisor = len(numerators) * QUANTA if denominators is None else _total(denominators)
    return Fraction(_total(numerators), divisor) if divisor else None


def _total(quanta: Int64s) -> int:
    # By halves, each of whose sums fits 64 bits for as many documents as memory holds.
    return (int((quanta >> 32).sum()) << 32) + int((quanta & (2**32 - 1)).sum())


def on_common_documents(
    left: DocumentFigures, right: DocumentFigures
) -> tuple[DocumentFigures, DocumentFigures]:
    """Return both figures on the documents that are eligible for both."""
    common = np.intersect1d(left.documents, right.documents, assume_unique=True)
    return left.of_documents(common), right.of_documents(common)
