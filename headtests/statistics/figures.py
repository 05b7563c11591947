"""A statistic's figures per document, as columns in the order of the pass, and their averages.

Figures are integers of quanta, and averages are exact fractions. Inference from a part of the
documents to all of them is in `betting`.
"""

from dataclasses import dataclass, fields, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from headtests.statistics.quanta import QUANTA, Int64s


@dataclass(frozen=True, eq=False)
class Eligible:
    """The documents of a population with an eligible row, known from tokens alone.

    Columns have one shape, `[documents]`.
    """

    documents: Int64s
    """Ids of the documents with an eligible row, in the order of the pass."""
    texts: Int64s
    """The number of the text that each is a piece of."""
    base_rates: Int64s | None = None
    """In quanta: the numerators under uniform attention; None if not needed."""
    base_denominators: Int64s | None = None
    """In quanta: the denominators under uniform attention; None for a plain average."""
    copies: int = 0
    """Beyond the corpus, the number of texts that were left out because they equal another."""

    @property
    def base_rate(self) -> Fraction | None:
        """The figure of all documents under uniform attention; None where it is not known."""
        return None if self.base_rates is None else _ratio(self.base_rates, self.base_denominators)

    def __len__(self) -> int:
        return len(self.documents)

    def without_text(self, text: int) -> "Eligible":
        """Return the documents that are not pieces of a text, in the same order."""
        return self._taken(self.texts != text)

    def counting_once(self, is_copy: npt.NDArray[np.bool_]) -> "Eligible":
        """Return the documents of texts that are no copies, in the same order.

        `is_copy` says of each text whether it equals an earlier one, shape `[texts]`.
        """
        copies = is_copy[self.texts]
        found = self._taken(~copies)
        return replace(found, copies=len(np.unique(self.texts[copies])))

    def common_with(self, other: "Eligible") -> "Eligible":
        """Return the documents that are also eligible for another statistic, in the same order."""
        return self._taken(np.isin(self.documents, other.documents, assume_unique=True))

    def _taken(self, chosen: npt.NDArray[np.bool_]) -> "Eligible":
        base, of_base = (
            None if column is None else column[chosen]
            for column in (self.base_rates, self.base_denominators)
        )
        return Eligible(self.documents[chosen], self.texts[chosen], base, of_base, self.copies)


@dataclass(frozen=True, eq=False)
class DocumentFigures:
    """What each eligible document contributes to a statistic.

    Columns have one shape, `[units]`; a unit is a document, or a text (`by_text`).
    """

    documents: Int64s
    """Document ids, in the order of the pass; for a text, the id of its first document."""
    numerators: Int64s
    """In quanta."""
    denominators: Int64s | None
    """In quanta, for a ratio of two document averages; None for a plain average."""
    rows: Int64s
    """The number of eligible rows of each unit."""
    base_rates: Int64s
    """In quanta: the numerators under uniform attention."""
    base_denominators: Int64s | None
    """In quanta: the denominators under uniform attention; None for a plain average."""
    resting: Int64s
    """In quanta: attention on position 0, averaged over the eligible rows of the document."""
    sizes: Int64s
    """The number of documents of each unit: 1, or more for a text."""

    def __len__(self) -> int:
        return len(self.documents)

    @property
    def average(self) -> Fraction | None:
        """The average over units, or the ratio of two averages; None where it divides by 0."""
        return _ratio(self.numerators, self.denominators)

    @property
    def base_rate(self) -> Fraction | None:
        """The same under uniform attention; None where it divides by 0."""
        return _ratio(self.base_rates, self.base_denominators)

    @property
    def resting_mass(self) -> Fraction | None:
        """The average attention on position 0; None without documents."""
        return _ratio(self.resting, None)

    def of_documents(self, documents: Int64s) -> "DocumentFigures":
        """Return the figures of the given documents, as far as they have any, in the same order."""
        return self._taken(np.isin(self.documents, documents, assume_unique=True))

    def sharing(self, other: "DocumentFigures") -> "DocumentFigures":
        """Return the same figures, sharing equal arrays with `other` to save memory."""
        shared = {}
        for field in fields(self):
            own, others = getattr(self, field.name), getattr(other, field.name)
            if own is not None and others is not None and np.array_equal(own, others):
                shared[field.name] = others
        return replace(self, **shared)

    def first(self, units: int) -> "DocumentFigures":
        """Return the figures of the first `units` documents, or texts."""
        return self._taken(slice(units))

    def _taken(self, chosen: npt.NDArray[np.bool_] | slice) -> "DocumentFigures":
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(
            self,
            **{name: values[chosen] for name, values in columns.items() if values is not None},
        )

    def by_text(self, texts: Int64s) -> "DocumentFigures":
        """Return one figure per text: the average over its documents, rounded to a quantum.

        `texts` has the number of each document's text, shape `[documents]`; documents of one text
        must be adjacent.
        """
        starts = np.flatnonzero(np.diff(texts, prepend=texts[:1] - 1))
        sizes = np.diff(starts, append=len(texts))

        def summed(values: Int64s) -> Int64s:
            # `reduceat` raises on no documents.
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
    """Return the figures of all parts, in order; `parts` must not be empty."""
    columns = {
        field.name: [getattr(part, field.name) for part in parts] for field in fields(parts[0])
    }
    # A column is None in every part or in none.
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
    """Return the exact sum of a column, which may exceed 64 bits.

    >>> total(np.array([2**62, 2**62, 2**62])) == 3 * 2**62
    True
    """
    # The sum of each 32-bit half fits 64 bits for as many documents as memory holds.
    return (int((quanta >> 32).sum()) << 32) + int((quanta & (2**32 - 1)).sum())


def on_common_documents(
    left: DocumentFigures, right: DocumentFigures
) -> tuple[DocumentFigures, DocumentFigures]:
    """Return both figures on the documents that both have, each in its own order."""
    return left.of_documents(right.documents), right.of_documents(left.documents)
