"""What a statistic's figures over documents amount to: columns in the order of the pass, averages.

Exact: figures are whole quanta. What a part of the documents says of all is `betting`.
"""

from dataclasses import dataclass, fields, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from headtests.statistics.quanta import QUANTA, Int64s


@dataclass(frozen=True, eq=False)
class Eligible:
    """The documents of a population that a statistic is about, known from tokens alone."""

    documents: Int64s
    """Ids of the documents with an eligible row, in the order of the pass."""
    texts: Int64s
    """The number of the text that each is a piece of."""
    base_rates: Int64s | None = None
    """In quanta: what uniform attention would contribute, of each; None where nobody needs it."""

    def __len__(self) -> int:
        return len(self.documents)

    def without_text(self, text: int) -> "Eligible":
        """Return those that are no piece of a text, in the same order."""
        kept = self.texts != text
        base = None if self.base_rates is None else self.base_rates[kept]
        return Eligible(self.documents[kept], self.texts[kept], base)

    def common_with(self, other: "Eligible") -> "Eligible":
        """Return those that are eligible for another statistic, too, in the same order."""
        kept = np.isin(self.documents, other.documents, assume_unique=True)
        base = None if self.base_rates is None else self.base_rates[kept]
        return Eligible(self.documents[kept], self.texts[kept], base)


@dataclass(frozen=True, eq=False)
class DocumentFigures:
    """What each eligible document contributes to a statistic; columns of equal length."""

    documents: Int64s
    """Document ids, in the order of the pass; of a text, that of its first document."""
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
    sizes: Int64s
    """Documents of each unit: 1, or those of a text where texts are the units."""

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
        """Return the figures of those of these documents that are eligible, in the same order."""
        return self._taken(np.isin(self.documents, documents, assume_unique=True))

    def sharing(self, other: "DocumentFigures") -> "DocumentFigures":
        """Return the same figures, with those arrays of others that hold the same."""
        shared = {}
        for field in fields(self):
            own, others = getattr(self, field.name), getattr(other, field.name)
            if own is not None and others is not None and np.array_equal(own, others):
                shared[field.name] = others
        return replace(self, **shared)

    def first(self, units: int) -> "DocumentFigures":
        """Return the figures of the first so many documents, or texts."""
        return self._taken(slice(units))

    def _taken(self, kept: npt.NDArray[np.bool_] | slice) -> "DocumentFigures":
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(
            self,
            **{name: values[kept] for name, values in columns.items() if values is not None},
        )

    def by_text(self, texts: Int64s) -> "DocumentFigures":
        """Return the figures of texts: each the average over its documents, which stand together.

        `texts` has the number of each document's text.
        """
        starts = np.flatnonzero(np.diff(texts, prepend=texts[:1] - 1))
        sizes = np.diff(starts, append=len(texts))

        def summed(values: Int64s) -> Int64s:
            # Of no documents there is no sum to take, and reduceat refuses to.
            return np.add.reduceat(values, starts) if len(starts) else values

        def average(values: Int64s) -> Int64s:
            return np.rint(summed(values) / sizes).astype(np.int64)

        def average_if_any(values: Int64s | None) -> Int64s | None:
            return None if values is None else average(values)

        return replace(
            self,
            documents=self.documents[starts],
            numerators=average(self.numerators),
            denominators=average_if_any(self.denominators),
            rows=summed(self.rows),
            base_rates=average(self.base_rates),
            base_denominators=average_if_any(self.base_denominators),
            resting=average(self.resting),
            sizes=sizes.astype(np.int64),
        )


def concatenated(parts: "list[DocumentFigures]") -> DocumentFigures:
    """Return the figures of one part after another; there must be a part."""
    columns = {
        field.name: [getattr(part, field.name) for part in parts] for field in fields(parts[0])
    }
    # A column is there in every part or in none.
    return replace(
        parts[0],
        **{
            name: np.concatenate(values)
            for name, values in columns.items()
            if values[0] is not None
        },
    )


def _ratio(numerators: Int64s, denominators: Int64s | None) -> Fraction | None:
    divisor = len(numerators) * QUANTA if denominators is None else total(denominators)
    return Fraction(total(numerators), divisor) if divisor else None


def total(quanta: Int64s) -> int:
    """Return the exact sum of a column.

    >>> total(np.array([2**62, 2**62, 2**62])) == 3 * 2**62
    True
    """
    # By halves, each of whose sums fits 64 bits for as many documents as memory holds.
    return (int((quanta >> 32).sum()) << 32) + int((quanta & (2**32 - 1)).sum())


def on_common_documents(
    left: DocumentFigures, right: DocumentFigures
) -> tuple[DocumentFigures, DocumentFigures]:
    """Return both figures on the documents that are eligible for both."""
    return left.of_documents(right.documents), right.of_documents(left.documents)
