"""A model's tokens, its special tokens around a prompt, and documents, for families of prompts."""

import operator
import sys
from collections.abc import Callable, Sequence
from functools import cached_property, reduce

import numpy as np
import numpy.typing as npt

from headtests.corpora import Population, TokenPolicy, Vocabulary
from headtests.corpora.synthetic import random_prefix
from headtests.errors import ClaimError, SettingError
from headtests.expressions import Expression
from headtests.expressions.conditions import Is, Matches, Special
from headtests.expressions.nodes import And, Not, Or
from headtests.prompts import TokenKind
from headtests.settings import BosPolicy


class ModelLexicon:
    """A model's tokens, for families to draw from; drawing a document opens the corpus."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        bos: BosPolicy,
        size: int,
        population: Callable[[], Population],
    ) -> None:
        self.vocabulary = vocabulary
        self._bos = bos
        self._size = size
        self._open = population
        self._pools: dict[object, Sequence[int]] = {}

    def tokens(self, of: TokenKind | None) -> Sequence[int]:
        """Return the ids that may be drawn: ascending, or in the order in which `of` lists them.

        Raises `ClaimError` for a condition that depends on more than one token, or an id that the
        model does not have, and `ExpressionError` for a text that is not one token.
        """
        key = of if of is None or isinstance(of, Expression) else tuple(of)
        if key not in self._pools:
            self._pools[key] = self._pool(of)
        return self._pools[key]

    def _pool(self, of: TokenKind | None) -> Sequence[int]:
        ordinary = self.vocabulary.ordinary_ids
        ordinary = ordinary[ordinary < self._size]
        if of is None:
            return [int(id_) for id_ in ordinary]
        if isinstance(of, Expression):
            return [int(id_) for id_ in ordinary[_holding(self.vocabulary, of, ordinary)]]
        if isinstance(of, str):
            raise ClaimError(f"of= takes a list of tokens or a condition on key, but found {of!r}.")
        ids = [
            self.vocabulary.single_id(item) if isinstance(item, str) else int(item) for item in of
        ]
        for id_ in ids:
            if not 0 <= id_ < self._size:
                raise ClaimError(
                    f"of= holds the id {id_}, and the model knows ids from 0 to {self._size - 1}."
                )
        return list(dict.fromkeys(ids))

    @cached_property
    def _framing(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        policy = TokenPolicy(self.vocabulary.tokenizer, self._bos)
        if policy.prefix or self._bos == "never":
            return policy.prefix, policy.suffix
        try:
            return random_prefix(self.vocabulary, self._bos), policy.suffix
        except SettingError:
            # The tokenizer has no token to put there.
            return (), policy.suffix

    def framed(self, ids: Sequence[int]) -> tuple[int, ...]:
        """Return ids with BOS, or the tokenizer's substitute, and the tokens that end a text."""
        before, behind = self._framing
        return (*before, *ids, *behind)

    def ids_of(self, text: str) -> tuple[int, ...]:
        """Return the ids of a text, with the special tokens of the corpus's BOS policy."""
        pieces = self._policy.documents_of(text, sys.maxsize)
        return tuple(int(id_) for piece in pieces for id_ in piece)

    @cached_property
    def _policy(self) -> TokenPolicy:
        return TokenPolicy(self.vocabulary.tokenizer, self._bos)

    @property
    def documents(self) -> int:
        """How many documents the population has."""
        return len(self._open())

    def document(self, number: int) -> tuple[int, ...]:
        """Return a document's ids without special tokens at its ends."""
        ids = self._open()[number].ids
        inner = np.flatnonzero(~self.vocabulary.is_special(ids))
        trimmed = ids[inner[0] : inner[-1] + 1] if len(inner) else ids
        return tuple(int(id_) for id_ in trimmed)


def _holding(
    vocabulary: Vocabulary, kind: Expression, ids: npt.NDArray[np.int32]
) -> npt.NDArray[np.bool_]:
    """Return for which tokens a condition holds, whatever their context; shape of `ids`."""
    match kind:
        case Matches(_, pattern):
            return vocabulary.matching(pattern, ids)
        case Is(_, texts):
            return np.isin(ids, [vocabulary.single_id(text) for text in texts])
        case Special():
            return vocabulary.is_special(ids)
        case Not(part):
            return ~_holding(vocabulary, part, ids)
        case And(parts):
            return reduce(operator.and_, (_holding(vocabulary, part, ids) for part in parts))
        case Or(parts):
            return reduce(operator.or_, (_holding(vocabulary, part, ids) for part in parts))
        case _:
            raise ClaimError(
                f"of={kind!r} says nothing of a token by itself. Use key.matches(...), key.is_(...)"
                ", and their combinations by &, | and ~."
            )
