"""Which relations of a library explain a head's attention best on the explain half.

The search of an atlas (`headtests.atlas.choose`), with a head's own tokens beside the library. What
is found is measured on the other half by `measured_suggestions` and put into words by `wording`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_

import numpy as np

from headtests.atlas.choose import LEAST_LIFT, distances, relations
from headtests.atlas.half_sums import HalfSums, Parts
from headtests.corpora import Population, Vocabulary
from headtests.errors import ExpressionError
from headtests.expressions import Expression, first, key
from headtests.expressions.library import LIBRARY, Named
from headtests.expressions.nodes import leaves
from headtests.expressions.relations import CustomRelation
from headtests.measurement.masks import Bools
from headtests.statistics.quanta import Float64s, Int64s

POSITION_0 = Named(first, "position 0", "head that rests")
LEAST_EXCESS = 0.03
"""The least excess over the controls, as a share of the attention that does not rest."""
FREQUENT_TOKENS = 32
"""The most frequent tokens, of which each is tried alone."""
TOP_TOKENS = 5
"""Of these, a head's most attended ones, which are tried all together."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A relation that a head attends to more than its controls do, on the explain half."""

    named: Named
    mass: float
    """The share of all attention on the keys that it adds."""
    share: float
    """The share of the non-resting attention on them."""
    without: tuple[Expression, ...] = ()
    """Earlier findings that it overlaps, whose keys it does not add."""

    @property
    def relation(self) -> Expression:
        """The keys that it adds: the named ones without those of overlapping earlier findings."""
        return reduce(and_, [~earlier for earlier in self.without], self.named.relation)

    @property
    def is_rest(self) -> bool:
        """Whether keys of earlier findings are excluded."""
        return bool(self.without)

    @property
    def is_custom(self) -> bool:
        """Whether it contains a custom relation, whose English is only a function's name."""
        return any(isinstance(leaf, CustomRelation) for leaf in leaves(self.relation))


@dataclass(frozen=True, slots=True)
class Tried:
    """What is tried for heads: relations, the last of which are single tokens."""

    named: tuple[Named, ...]
    tokens: tuple[str, ...] = ()
    """The texts of the last relations, each `key.is_(text)`."""

    @classmethod
    def of(cls, population: Population, documents: Int64s, suppress_first_token: bool) -> "Tried":
        """Return the library and the most frequent tokens of some documents, given by their ids."""
        # If position 0 is a key like any other, a head may rest there.
        resting = [] if suppress_first_token else [POSITION_0]
        tokens = _frequent_tokens(population, documents)
        named = [Named(key.is_(text), f"the token {_quoted([text])}") for text in tokens]
        return cls((*LIBRARY, *resting, *named), tuple(tokens))

    @property
    def relations(self) -> list[Expression]:
        """All relations, in their order."""
        return [named.relation for named in self.named]


def _frequent_tokens(population: Population, documents: Int64s) -> list[str]:
    """Return the texts of the most frequent tokens whose text identifies them."""
    ids = [population.ids(document) for document in documents.tolist()]
    known, counts = np.unique(np.concatenate([np.zeros(0, np.int32), *ids]), return_counts=True)
    texts: list[str] = []
    for token_id in known[np.argsort(-counts, kind="stable")].tolist():
        if len(texts) == FREQUENT_TOKENS:
            break
        if _is_its_own(population.vocabulary, token_id):
            texts.append(population.vocabulary.text(token_id))
    return texts


def findings(sums: HalfSums, tried: Tried) -> list[list[Finding]]:
    """Return up to three relations that each head is enriched for, in order of choice.

    `sums` are those of the relations that were tried. Empty for a head whose attention all rests.
    """
    parts = sums.parts()
    start, count = len(tried.named) - len(tried.tokens), len(tried.named)
    # A head's own tokens together are one more relation, in the last column.
    signatures = np.zeros((len(parts.signatures), count + 1), dtype=np.bool_)
    signatures[:, :count] = parts.signatures
    members = signatures.astype(np.float64)
    of_distance = np.append(distances(sums), False)
    parts = replace(parts, signatures=signatures)
    found = []
    for head in range(sums.heads):
        places = _own_tokens(parts, members[:, start:count], head)
        texts = [tried.tokens[place] for place in places]
        named, signatures[:, count] = list(tried.named), False
        if len(texts) > 1:
            named.append(Named(key.is_(*texts), f"the tokens {_quoted(texts)}"))
            signatures[:, count] = signatures[:, [start + place for place in places]].any(axis=1)
        members[:, count] = signatures[:, count]
        chosen = relations(parts, members, head, of_distance, LEAST_EXCESS, gains, start)
        found.append(_findings(parts, head, named, chosen))
    return found


def _findings(
    parts: Parts, head: int, tried: Sequence[Named], chosen: Sequence[int]
) -> list[Finding]:
    attention, whole = parts.attention[head], float(parts.attention[head].sum())
    seen: Bools = parts.pairs > 0
    remaining, found = seen, list[Finding]()
    for place in chosen:
        inside = parts.signatures[:, place]
        mass = float(attention[inside & remaining].sum())
        overlaps = [
            tried[other].relation
            for other in chosen[: len(found)]
            if (inside & parts.signatures[:, other] & seen).any()
        ]
        found.append(Finding(tried[place], mass, mass / whole, tuple(overlaps)))
        remaining = remaining & ~inside
    return found


def gains(share: Float64s, control: Float64s) -> Float64s:
    """Return how much better relations predict attention than their controls do, in nats.

    The Kullback-Leibler divergence of the shares inside and outside each relation from those of the
    control; 0 if there is no more attention inside than that. Arrays of shares in [0, 1].

    >>> gains(np.array([0.5, 0.1]), np.array([0.1, 0.2])).round(2).tolist()
    [0.51, 0.0]
    """
    inside = np.clip(share, 1e-12, 1 - 1e-12)
    expected = np.clip(control, 1e-12, 1 - 1e-12)
    nats = inside * np.log(inside / expected) + (1 - inside) * np.log((1 - inside) / (1 - expected))
    enriched: Float64s = np.where(share > control, nats, 0.0)
    return enriched


def _own_tokens(parts: Parts, members: Float64s, head: int) -> list[int]:
    """Return the tokens furthest above their uniform share, the furthest first."""
    whole, uniform_whole = float(parts.attention[head].sum()), float(parts.uniform.sum())
    if whole <= 0 or uniform_whole <= 0:
        return []
    own = parts.attention[head] @ members / whole
    uniform = parts.uniform @ members / uniform_whole
    enough = (own > uniform) & (own >= LEAST_LIFT * uniform)
    best = np.argsort(uniform - own, kind="stable").tolist()
    return [place for place in best if enough[place]][:TOP_TOKENS]


def _is_its_own(vocabulary: Vocabulary, token_id: int) -> bool:
    """Return whether a token's text identifies the token."""
    try:
        return vocabulary.single_id(vocabulary.text(token_id)) == token_id
    except ExpressionError:
        return False


def _quoted(texts: Sequence[str]) -> str:
    source: str = repr(key.is_(*texts))
    return source.removeprefix("key.is_(").removesuffix(")")


def any_of(relations: Sequence[Expression]) -> Expression:
    """Return the union of one or more relations."""
    return reduce(or_, relations)
