"""What expressions mean on documents: the one evaluator, from tokens alone to boolean tensors.

No attention values and no statistics here, and nothing that depends on a model but its
vocabulary.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
import torch

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


@dataclass(frozen=True, eq=False)
class DocumentView:
    """A document as a function marked `@ht.relation` sees it."""

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
        """Which tokens are special ones, shape `[length]`."""
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
        self._batch = batch
        self._vocabulary = vocabulary
        self._suppress = suppress_first_token
        special = torch.from_numpy(vocabulary.is_special(batch.ids.cpu().numpy()))
        self._special = special.to(batch.ids.device) | ~batch.valid

    def rows(self, condition: Expression) -> torch.Tensor:
        """Return where a condition on the query holds: boolean, `[batch, query]`."""
        mask, _ = self._evaluate(condition, negated=False)
        length = self._batch.ids.shape[1]
        return mask.expand(-1, length, 1)[:, :, 0].expand(self._batch.ids.shape)

    def relation(self, relation: Expression) -> torch.Tensor:
        """Return where a relation holds: boolean, `[batch, query, key]`.

        Under `suppress_first_token`, key 0 is taken out of everything but what `ht.first` asks
        for. Which keys a row may attend to is not considered here.
        """
        mask, asked = self._evaluate(relation, negated=False)
        batch, length = self._batch.ids.shape
        mask = mask.expand(batch, length, length)
        if not self._suppress:
            return mask
        mask = mask.clone()
        mask[:, :, 0] = False if asked is None else asked
        return mask

    def _evaluate(
        self, expression: Expression, negated: bool
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return a mask, and in which rows `ht.first` asks for key 0; None for in none.

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
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        masks, asking = zip(*(self._evaluate(part, negated) for part in parts), strict=True)
        mask = reduce(operator.and_ if conjunction else operator.or_, masks)
        asked = [rows for rows in asking if rows is not None]
        if not asked:
            return mask, None
        # `ht.previous | ht.first` asks for key 0 through its second part alone, and
        # `ht.first & query.repeats` with all that is said of it.
        rows = reduce(operator.or_, asked)
        return mask, rows & mask[:, :, 0] if conjunction else rows

    def _leaf(self, expression: Expression) -> torch.Tensor:
        match expression:
            case Matches(side, pattern):
                return self._of_side(side, self._matching(pattern))
            case Is(side, texts):
                wanted = torch.tensor([self._vocabulary.single_id(text) for text in texts])
                ids = self._batch.ids
                return self._of_side(side, torch.isin(ids, wanted.to(ids.device)))
            case Repeats(side):
                return self._of_side(side, self._earlier_occurrences().any(dim=2))
            case Special(side):
                return self._of_side(side, self._special & self._batch.valid)
            case Position(side, comparison, number):
                compared: torch.Tensor = COMPARISONS[comparison](self._positions(side), number)
                return compared
            case EveryRow():
                return torch.ones((1, 1, 1), dtype=torch.bool, device=self._batch.ids.device)
            case Offset(distance):
                return self._positions("key") - self._positions("query") == distance
            case Duplicate():
                return self._earlier_occurrences()
            case Induction(last_only):
                return self._after(self._earlier_occurrences(), last_only)
            case CustomRelation():
                return self._custom(expression)
            case _:
                raise ExpressionError(f"no evaluation is known for {expression!r}.")

    def _of_side(self, side: SideName, mask: torch.Tensor) -> torch.Tensor:
        return mask[:, None, :] if side == "key" else mask[:, :, None]

    def _positions(self, side: SideName) -> torch.Tensor:
        positions = torch.arange(self._batch.ids.shape[1], device=self._batch.ids.device)
        return positions[None, None, :] if side == "key" else positions[None, :, None]

    def _matching(self, pattern: str) -> torch.Tensor:
        found = self._vocabulary.matching(pattern, self._batch.ids.cpu().numpy())
        return torch.from_numpy(found).to(self._batch.ids.device)

    def _earlier_occurrences(self) -> torch.Tensor:
        """Return where the key is an earlier occurrence of the query's token."""
        ids = self._batch.ids
        same = ids[:, :, None] == ids[:, None, :]
        same &= ~self._special[:, :, None]
        return same & (self._positions("key") < self._positions("query"))

    @staticmethod
    def _after(occurrences: torch.Tensor, last_only: bool) -> torch.Tensor:
        """Return where the key follows one of these occurrences."""
        if last_only:
            length = occurrences.shape[2]
            places = torch.arange(1, length + 1, device=occurrences.device)
            last = (occurrences * places).amax(dim=2, keepdim=True)
            occurrences = occurrences & (places == last)
        following = torch.zeros_like(occurrences)
        following[:, :, 1:] = occurrences[:, :, :-1]
        return following

    def _custom(self, relation: CustomRelation) -> torch.Tensor:
        batch, length = self._batch.ids.shape
        result = torch.zeros((batch, length, length), dtype=torch.bool)
        for row, document in enumerate(self._batch.documents):
            view = DocumentView(document, self._vocabulary)
            found = np.asarray(relation.function(view))
            expected = (len(document), len(document))
            if found.shape != expected or found.dtype != np.bool_:
                raise ExpressionError(
                    f"the relation {relation.name} returned an array of shape {found.shape} and "
                    f"type {found.dtype} for document {document.id}, where boolean {expected} "
                    "([query, key]) was expected."
                )
            result[row, : len(document), : len(document)] = torch.from_numpy(found)
        return result.to(self._batch.ids.device)
