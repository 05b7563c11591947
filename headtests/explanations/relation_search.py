"""Which relations of a library explain a head's attention best on the explain half.

A greedy search, as for an atlas, with a head's own tokens beside the library. What is found is
measured on the other half by `measured_suggestions` and put into words by `wording`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

import numpy as np

from headtests.atlas.choose import KEPT, LEAST_LIFT, ROLES
from headtests.corpora import Population, Vocabulary
from headtests.errors import ExpressionError
from headtests.explanations.signature_sums import SignatureShares
from headtests.expressions import Expression, first, key
from headtests.expressions.library import EXPLAINER_LIBRARY, Named
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
        """Return its library and the most frequent tokens of some documents, given by their ids."""
        # If position 0 is a key like any other, a head may rest there.
        resting = [] if suppress_first_token else [POSITION_0]
        tokens = _frequent_tokens(population, documents)
        named = [Named(key.is_(text), f"the token {_quoted([text])}") for text in tokens]
        return cls((*EXPLAINER_LIBRARY, *resting, *named), tuple(tokens))

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


def findings(shares: SignatureShares, of_distance: Bools, tried: Tried) -> list[list[Finding]]:
    """Return up to three relations that each head is enriched for, in order of choice.

    Each is the relation with the largest gain over its controls on the attention that remains,
    among those with an excess of `LEAST_EXCESS` of all and `LEAST_LIFT` times their controls; or
    the smallest relation of the library within it that keeps nearly all of its excess. `shares` are
    those on the relations that were tried, and `of_distance` says which of them are a distance,
    for which uniform attention is the only control. Empty for a head whose attention all rests.
    """
    start, count = len(tried.named) - len(tried.tokens), len(tried.named)
    # A head's own tokens together are one more relation, in the last column.
    signatures = np.zeros((len(shares.pairs), count + 1), dtype=np.bool_)
    signatures[:, :count] = shares.signatures
    search = _Search(shares, signatures, np.append(of_distance, False), start)
    found = []
    for head in range(len(shares.attention)):
        places = search.own_tokens(head, count)
        texts = [tried.tokens[place] for place in places]
        named = list(tried.named)
        if len(texts) > 1:
            named.append(Named(key.is_(*texts), f"the tokens {_quoted(texts)}"))
        search.join([start + place for place in places] if len(texts) > 1 else [])
        found.append(search.findings(head, named))
    return found


class _Search:
    """The greedy search over the pairs of each signature."""

    def __init__(
        self, shares: SignatureShares, signatures: Bools, of_distance: Bools, library: int
    ) -> None:
        """`library` is the number of relations before those of single tokens."""
        self._shares = shares
        self._signatures = signatures
        self._members = signatures.astype(np.float32)
        self._of_distance = of_distance
        self._library = library

    def own_tokens(self, head: int, stop: int) -> list[int]:
        """Return the tokens furthest above their uniform share, the furthest first."""
        attention, uniform = self._shares.attention[head], self._shares.uniform
        if attention.sum() <= 0 or uniform.sum() <= 0:
            return []
        members = self._members[:, self._library : stop]
        own = attention.astype(np.float32) @ members / attention.sum()
        expected = uniform.astype(np.float32) @ members / uniform.sum()
        enough = (own > expected) & (own >= LEAST_LIFT * expected)
        best = np.argsort(expected - own, kind="stable").tolist()
        return [place for place in best if enough[place]][:TOP_TOKENS]

    def join(self, relations: Sequence[int]) -> None:
        """Have the last relation be the union of some others."""
        self._signatures[:, -1] = self._signatures[:, relations].any(axis=1)
        self._members[:, -1] = self._signatures[:, -1]

    def findings(self, head: int, tried: Sequence[Named]) -> list[Finding]:
        """Return what is found of a head."""
        attention = self._shares.attention[head]
        whole = float(attention.sum())
        remaining = np.ones(len(attention), dtype=np.bool_)
        chosen: list[int] = []
        found: list[Finding] = []
        while len(found) < ROLES and whole > 0:
            best = self._best(head, whole, remaining, chosen)
            if best is None:
                break
            inside = self._signatures[:, best]
            mass = float(attention[inside & remaining].sum())
            overlaps = [
                tried[other].relation
                for other in chosen
                if (inside & self._signatures[:, other]).any()
            ]
            found.append(Finding(tried[best], mass, mass / whole, tuple(overlaps)))
            chosen.append(best)
            remaining &= ~inside
        return found

    def _best(self, head: int, whole: float, remaining: Bools, chosen: Sequence[int]) -> int | None:
        of_all = self._shares
        attention, control = of_all.attention[head], of_all.control[head]
        left, shares = float(attention[remaining].sum()), self._within(attention, remaining)
        if left <= 0:
            return None
        # Controls share out what is left as they share out the whole.
        uniform, distance = (
            self._within(each, remaining) * _over(left, float(each[remaining].sum()))
            for each in (of_all.uniform, control)
        )
        controls = np.where(self._of_distance, uniform, np.maximum(uniform, distance))
        # More than its part of what others leave may be no more than its part of all.
        part = _over(whole, float(of_all.uniform.sum()))
        expected = self._within(of_all.uniform, remaining) * part
        excess = shares - controls
        usable = (excess >= LEAST_EXCESS * whole) & (
            shares >= LEAST_LIFT * np.maximum(controls, expected)
        )
        usable[list(chosen)] = False
        if not usable.any():
            return None
        best = int(np.where(usable, gains(shares / left, controls / left), -1.0).argmax())
        pairs = of_all.pairs.astype(np.float64)
        sizes = self._within(pairs, remaining)
        outside = self._within(pairs, remaining & ~self._signatures[:, best])
        nested = usable & (outside == 0) & (excess >= KEPT * excess[best])
        candidates = np.append(np.flatnonzero(nested[: self._library]), best)
        return int(candidates[sizes[candidates].argmin()])

    def _within(self, values: Float64s, some: Bools) -> Float64s:
        """Return the sum of some signatures' values in each relation, `[relation]`."""
        # In single precision, which takes half the time: no figure that is shown comes from it.
        inside = np.where(some, values, 0.0).astype(np.float32) @ self._members
        return inside.astype(np.float64)


def _over(above: float, below: float) -> float:
    return above / below if below > 0 else 0.0


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
