"""Evaluates expressions on documents: from tokens alone to boolean arrays.

This is the only evaluator. No attention values, no statistics, and nothing that depends on a model
other than its vocabulary.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
import numpy.typing as npt

from headtests.corpora import Batch, Document, Vocabulary
from headtests.errors import ExpressionError
from headtests.expressions import Expression
from headtests.expressions.conditions import (
    COMPARISONS,
    EveryRow,
    Is,
    Matches,
    Position,
    Repeats,
    Special,
)
from headtests.expressions.nodes import And, Not, Or, SideName
from headtests.expressions.relations import CustomRelation, Duplicate, First, Induction, Offset

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class DocumentView:
    """A document as it is passed to a function marked `@ht.relation`."""

    document: Document
    vocabulary: Vocabulary

    @property
    def tokens(self) -> tuple[str, ...]:
        """The text of each token."""
        return tuple(self.vocabulary.texts(self.document.ids))

    @property
    def ids(self) -> npt.NDArray[np.int32]:
        """Token ids, shape `[length]`."""
        return self.document.ids

    @property
    def special(self) -> npt.NDArray[np.bool_]:
        """Which tokens are special, shape `[length]`."""
        return self.vocabulary.is_special(self.document.ids)

    @property
    def text_id(self) -> str:
        """The id of the document's text."""
        return self.document.text_id

    def __len__(self) -> int:
        return len(self.document)


class Masks:
    """Expressions evaluated on one batch of documents."""

    def __init__(self, batch: Batch, vocabulary: Vocabulary, suppress_first_token: bool) -> None:
        self._documents = batch.documents
        self._valid: Bools = batch.valid.numpy()
        self._vocabulary = vocabulary
        self._suppress = suppress_first_token
        # Half the width of the batch's ids: comparing them is limited by memory bandwidth.
        self._ids = batch.ids.numpy().astype(np.int32)

    def rows(self, condition: Expression) -> Bools:
        """Return where a condition on the query holds, boolean `[batch, query]`."""
        mask, _ = self._evaluate(condition, negated=False)
        # A condition on the query is the same for every key.
        return np.broadcast_to(mask[:, :, 0], self._ids.shape)

    def keys(self, condition: Expression) -> Bools:
        """Return where a condition on the key alone holds, boolean `[batch, key]`.

        Key 0 is included, whether it is suppressed or not.
        """
        mask, _ = self._evaluate(condition, negated=False)
        return np.broadcast_to(mask[:, 0, :], self._ids.shape)

    def relation(self, relation: Expression) -> Bools:
        """Return where a relation holds, boolean `[batch, query, key]`, read-only.

        Under `suppress_first_token`, key 0 is excluded, except where `ht.first` selects it. The
        keys that a row may attend to are not considered here.
        """
        mask, selected = self._evaluate(relation, negated=False)
        batch, length = self._ids.shape
        mask = np.broadcast_to(mask, (batch, length, length))
        if not self._suppress:
            return mask
        mask = mask.copy()
        mask[:, :, 0] = False if selected is None else selected
        return mask

    def _evaluate(self, expression: Expression, negated: bool) -> tuple[Bools, Bools | None]:
        """Return a mask, and the rows in which `ht.first` selects key 0, or None for no row.

        They broadcast to `[batch, query, key]` and to `[batch, query]`.
        """
        match expression:
            case Not(part):
                return self._evaluate(part, not negated)
            case And(parts) | Or(parts):
                return self._joined(parts, isinstance(expression, And) != negated, negated)
            case First():
                mask = self._positions("key") == 0
                return (~mask, None) if negated else (mask, mask[:, :, 0])
            case _:
                mask = self._leaf(expression)
                return (~mask if negated else mask), None

    def _joined(
        self, parts: Sequence[Expression], conjunction: bool, negated: bool
    ) -> tuple[Bools, Bools | None]:
        masks, selections = zip(*(self._evaluate(part, negated) for part in parts), strict=True)
        mask = reduce(operator.and_ if conjunction else operator.or_, masks)
        selected = [rows for rows in selections if rows is not None]
        if not selected:
            return mask, None
        # `ht.previous | ht.first` selects key 0 in every row, and `ht.first & query.repeats` only
        # where the whole conjunction holds.
        rows = reduce(operator.or_, selected)
        return mask, rows & mask[:, :, 0] if conjunction else rows

    def _leaf(self, expression: Expression) -> Bools:
        match expression:
            case Matches(side, pattern):
                return self._of_side(side, self._vocabulary.matching(pattern, self._ids))
            case Is(side, texts):
                ids = [self._vocabulary.single_id(text) for text in texts]
                return self._of_side(side, np.isin(self._ids, ids))
            case Repeats(side):
                return self._of_side(side, self._last_occurrence >= 0)
            case Special(side):
                return self._of_side(side, self._special & self._valid)
            case Position(side, comparison, number):
                compared: Bools = COMPARISONS[comparison](self._positions(side), number)
                return compared
            case EveryRow():
                return np.ones((1, 1, 1), dtype=np.bool_)
            case Offset(distance):
                at_distance: Bools = self._positions("key") - self._positions("query") == distance
                return at_distance
            case Duplicate():
                return self._earlier_occurrences
            case Induction(last_only):
                if last_only:
                    # Without an earlier occurrence, a position before the document: no key.
                    last = np.where(self._last_occurrence >= 0, self._last_occurrence, -2)
                    after_last: Bools = self._positions("key") == last[:, :, None] + 1
                    return after_last
                following = np.zeros_like(self._earlier_occurrences)
                following[:, :, 1:] = self._earlier_occurrences[:, :, :-1]
                return following
            case CustomRelation():
                return self._custom(expression)
            case _:
                raise ExpressionError(f"{expression!r} cannot be evaluated: its kind is unknown.")

    def _of_side(self, side: SideName, mask: Bools) -> Bools:
        return mask[:, None, :] if side == "key" else mask[:, :, None]

    def _positions(self, side: SideName) -> npt.NDArray[np.int32]:
        positions = np.arange(self._ids.shape[1], dtype=np.int32)
        return positions[None, None, :] if side == "key" else positions[None, :, None]

    @cached_property
    def _special(self) -> Bools:
        """Which positions are special tokens or padding, `[batch, length]`."""
        return self._vocabulary.is_special(self._ids) | ~self._valid

    @cached_property
    def _earlier_occurrences(self) -> Bools:
        """Where the key is an earlier occurrence of the query's token, `[batch, query, key]`."""
        same: Bools = self._ids[:, :, None] == self._ids[:, None, :]
        same &= ~self._special[:, :, None]
        same &= self._positions("key") < self._positions("query")
        return same

    @cached_property
    def _last_occurrence(self) -> npt.NDArray[np.int32]:
        """The last earlier occurrence of each position's token, `[batch, length]`; -1 for none."""
        # Equal ids become neighbours, in the order of their positions.
        order = np.argsort(self._ids, axis=1, kind="stable").astype(np.int32)
        ids = np.take_along_axis(self._ids, order, axis=1)
        before = np.full_like(order, -1)
        before[:, 1:] = np.where(ids[:, 1:] == ids[:, :-1], order[:, :-1], -1)
        last = np.empty_like(order)
        np.put_along_axis(last, order, before, axis=1)
        return np.where(self._special, -1, last)

    def _custom(self, relation: CustomRelation) -> Bools:
        batch, length = self._ids.shape
        result = np.zeros((batch, length, length), dtype=np.bool_)
        for row, document in enumerate(self._documents):
            view = DocumentView(document, self._vocabulary)
            mask = np.asarray(relation.function(view))
            expected = (len(document), len(document))
            if mask.shape != expected or mask.dtype != np.bool_:
                raise ExpressionError(
                    f"the relation {relation.name} returned an array of shape {mask.shape} and "
                    f"type {mask.dtype} for document {document.id}; expected boolean {expected} "
                    "([query, key])."
                )
            result[row, : len(document), : len(document)] = mask
        return result
