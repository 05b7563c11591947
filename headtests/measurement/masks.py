"""Evaluates expressions on documents: from tokens alone to boolean arrays.

This is the only evaluator. No attention values, no statistics, and nothing that depends on a model
other than its vocabulary.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from headtests.corpora import Batch, Document, Vocabulary
from headtests.errors import ExpressionError
from headtests.expressions import Expression
from headtests.expressions.conditions import (
    COMPARISONS,
    EveryRow,
    Follows,
    Is,
    Matches,
    Position,
    Repeats,
    Special,
)
from headtests.expressions.nodes import And, Not, Or, SideName
from headtests.expressions.relations import (
    ByFrequency,
    CustomRelation,
    Duplicate,
    First,
    Induction,
    NextToken,
    Offset,
    Which,
)
from headtests.measurement.occurrences import Int32s, Occurrences

Bools = npt.NDArray[np.bool_]
Fact = TypeVar("Fact")
_NONE = -2
"""Stands for no position, also if 1 is added."""


@dataclass(frozen=True, eq=False)
class DocumentView:
    """A document as it is passed to a function marked `@ht.relation`."""

    document: Document
    vocabulary: Vocabulary
    _facts: dict[Callable[..., Any], Any] = field(default_factory=dict, repr=False)

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """The text of each token."""
        return tuple(self.vocabulary.texts(self.document.ids))

    @property
    def ids(self) -> Int32s:
        """Token ids, shape `[length]`."""
        return self.document.ids

    @cached_property
    def special(self) -> Bools:
        """Which tokens are special, shape `[length]`; read-only."""
        special = self.vocabulary.is_special(self.document.ids)
        special.flags.writeable = False
        return special

    def of_texts(self, function: Callable[[str], int]) -> npt.NDArray[np.int64]:
        """Return a function of each token's text, shape `[length]`; called once for each text."""
        return self.vocabulary.of_texts(function, self.document.ids)

    def fact(self, find: Callable[["DocumentView"], Fact]) -> Fact:
        """Return what a function finds in this document; it is called once, so leave it as is."""
        if find not in self._facts:
            self._facts[find] = find(self)
        found: Fact = self._facts[find]
        return found

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
        self._runs: dict[int, Occurrences] = {}

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
                return self._of_side(side, self._occurrences(1).last >= 0)
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
            case Follows(side, condition):
                holds, _ = self._evaluate(condition, negated=False)
                before = holds[:, 0, :] if side == "key" else holds[:, :, 0]
                before = np.broadcast_to(before, self._ids.shape)
                after = np.zeros_like(before)
                after[:, 1:] = before[:, :-1]
                return self._of_side(side, after)
            case Duplicate(which):
                return self._occurring(self._occurrences(1), which)
            case Induction(which, length):
                return self._occurring(self._occurrences(length), which, key_after=1)
            case NextToken(which):
                return self._occurring(self._occurrences(1), which, query_after=1)
            case ByFrequency(count, is_rarest):
                return self._of_side("key", self._by_frequency(count, is_rarest))
            case CustomRelation():
                return self._custom(expression)
            case _:
                raise ExpressionError(f"{expression!r} cannot be evaluated: its kind is unknown.")

    def _of_side(self, side: SideName, mask: Bools) -> Bools:
        return mask[:, None, :] if side == "key" else mask[:, :, None]

    def _positions(self, side: SideName) -> Int32s:
        positions = np.arange(self._ids.shape[1], dtype=np.int32)
        return positions[None, None, :] if side == "key" else positions[None, :, None]

    @cached_property
    def _special(self) -> Bools:
        """Which positions are special tokens or padding, `[batch, length]`."""
        return self._vocabulary.is_special(self._ids) | ~self._valid

    def _occurrences(self, length: int) -> Occurrences:
        """Return the occurrences of runs of some length, without special tokens and padding."""
        if 1 not in self._runs:
            self._runs[1] = Occurrences(np.where(self._special, np.int32(-1), self._ids))
        if length not in self._runs:
            self._runs[length] = self._runs[1].runs(length)
        return self._runs[length]

    def _occurring(
        self, found: Occurrences, which: Which, *, key_after: int = 0, query_after: int = 0
    ) -> Bools:
        """Return where the key, less `key_after`, is an earlier occurrence of the query's.

        With `query_after`, of what stands so far after the query.
        """
        length = self._ids.shape[1]
        keys, queries = slice(key_after, None), slice(None, length - query_after)
        if which == "any":
            earlier = found.earlier
            if not key_after and not query_after:
                return earlier
            shifted = np.zeros_like(earlier)
            shifted[:, queries, keys] = earlier[:, query_after:, : length - key_after]
            return shifted
        one = found.last if which == "latest" else found.first
        of_query = np.full_like(one, _NONE)
        of_query[:, queries] = np.where(one >= 0, one, _NONE)[:, query_after:]
        at_key: Bools = self._positions("key") == of_query[:, :, None] + key_after
        return at_key

    def _by_frequency(self, count: int, is_rarest: bool) -> Bools:
        """Return each document's `count` rarest or most frequent tokens, `[batch, key]`."""
        counts = self._vocabulary.occurrences(self._ids)
        never = np.iinfo(np.int64).max
        ranks = np.where(self._special, never, counts if is_rarest else -counts)
        chosen = np.zeros_like(self._special)
        first = np.argsort(ranks, axis=1, kind="stable")[:, :count]
        np.put_along_axis(chosen, first, True, axis=1)
        return chosen & ~self._special

    @cached_property
    def _views(self) -> list[DocumentView]:
        return [DocumentView(document, self._vocabulary) for document in self._documents]

    def _custom(self, relation: CustomRelation) -> Bools:
        batch, length = self._ids.shape
        is_pair = relation.of == "pair"
        result = np.zeros((batch, length if is_pair else 1, length), dtype=np.bool_)
        for row, view in enumerate(self._views):
            mask = np.asarray(relation.function(view))
            expected = (len(view), len(view)) if is_pair else (len(view),)
            if mask.shape != expected or mask.dtype != np.bool_:
                raise ExpressionError(
                    f"the relation {relation.name} returned an array of shape {mask.shape} and "
                    f"type {mask.dtype} for document {view.document.id}; expected boolean "
                    f"{expected} ([{'query, ' if is_pair else ''}key])."
                )
            result[row, : len(view) if is_pair else 1, : len(view)] = mask
        return result
