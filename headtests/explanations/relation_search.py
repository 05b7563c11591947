"""Which relations of a library explain a head's attention best on the explain half.

A greedy search: each finding is chosen on the attention that earlier ones leave. They are measured
on the other half by `measured_suggestions` and put into words by `wording`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

import numpy as np

from headtests.corpora import Vocabulary
from headtests.errors import ExpressionError
from headtests.explanations.observed_pairs import Grounds
from headtests.expressions import Expression, first, key
from headtests.expressions.library import EXPLAINER_LIBRARY, Named
from headtests.expressions.nodes import leaves
from headtests.expressions.relations import CustomRelation
from headtests.measurement.masks import Bools
from headtests.statistics.quanta import Float64s

FINDINGS = 3
"""Relations that are found for a head, at most."""
LEAST_SHARE = 0.05
"""The share of the non-resting attention that a relation must add to those before it."""
LEAST_LIFT = 1.5
"""The multiple of uniform attention that this share must be."""
POSITION_0 = Named(first, "position 0", "head that rests")
TOP_TOKENS = 5
"""The head's most attended tokens that are tried, each alone and all together."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A relation that a head attends to more than uniform attention would, on the explain half."""

    named: Named
    relation: Expression
    """The keys that it adds: the named ones without those of overlapping earlier findings."""
    mass: float
    """The share of all attention on them."""
    share: float
    """The share of the non-resting attention on them."""

    @property
    def is_rest(self) -> bool:
        """Whether keys of earlier findings are excluded."""
        return self.relation != self.named.relation

    @property
    def is_custom(self) -> bool:
        """Whether it contains a custom relation, whose English is only a function's name."""
        return not _is_plain(self.relation)


def gain(share: Float64s, uniform: Float64s) -> Float64s:
    """Return how much better a relation predicts attention than uniform attention does, in nats.

    The Kullback-Leibler divergence of the shares inside and outside the relation from those under
    uniform attention; 0 if there is no more attention inside than that. Arrays of shares in [0, 1].

    >>> gain(np.array([0.5, 0.1]), np.array([0.1, 0.2])).round(2).tolist()
    [0.51, 0.0]
    """
    inside = np.clip(share, 1e-12, 1 - 1e-12)
    expected = np.clip(uniform, 1e-12, 1 - 1e-12)
    nats = inside * np.log(inside / expected) + (1 - inside) * np.log((1 - inside) / (1 - expected))
    enriched: Float64s = np.where(share > uniform, nats, 0.0)
    return enriched


def findings(grounds: Grounds, library: Sequence[Named] = EXPLAINER_LIBRARY) -> list[Finding]:
    """Return up to three relations that a head's attention is enriched for, in order of choice.

    Each is the relation with the largest `gain` on the attention that remains, among those with at
    least `LEAST_SHARE` of the non-resting attention and `LEAST_LIFT` times their uniform share.
    Ties go to the earlier one of the library. Empty if all attention rests.
    """
    weights, uniform = grounds.weights, grounds.cells.uniform
    whole = float(weights.sum())
    if whole <= 0:
        return []
    # If position 0 is a key like any other, a head may rest there.
    resting = [] if grounds.reading.options.suppress_first_token else [POSITION_0]
    tried = [*library, *resting, *_own_tokens(grounds)]
    grounds.reading.try_all(grounds.head.layer, [named.relation for named in tried])
    found: list[Finding] = []
    remaining = np.ones(len(weights), dtype=np.bool_)
    while len(found) < FINDINGS:
        rest, uniform_rest = float(weights[remaining].sum()), float(uniform[remaining].sum())
        if rest <= 0 or uniform_rest <= 0:
            break
        sums = np.array([_inside(grounds, named.relation, remaining) for named in tried])
        share, expected = sums[:, 0] / rest, sums[:, 1] / uniform_rest
        enough = sums[:, 0] >= LEAST_SHARE * whole
        usable = enough & (sums[:, 0] / whole >= LEAST_LIFT * sums[:, 1] / uniform.sum())
        if not usable.any():
            break
        best = int(np.where(usable, gain(share, expected), -1.0).argmax())
        mass = float(sums[best, 0])
        mask = grounds.mask(tried[best].relation)
        relation = tried[best].relation
        for earlier in found:
            if (grounds.mask(earlier.named.relation) & mask).any():
                relation &= ~earlier.named.relation
        found.append(Finding(tried[best], relation, mass, mass / whole))
        remaining &= ~mask
    return found


def _inside(grounds: Grounds, relation: Expression, remaining: Bools) -> tuple[float, float]:
    """Return a head's and uniform attention on the remaining pairs of a relation."""
    some = np.flatnonzero(grounds.mask(relation) & remaining)
    return float(grounds.weights[some].sum()), float(grounds.cells.uniform[some].sum())


def _own_tokens(grounds: Grounds) -> list[Named]:
    """Return the tokens furthest above their uniform share, each alone and all together."""
    vocabulary = grounds.reading.half.whole.document_pass.population.vocabulary
    cells = grounds.cells
    if not len(cells):
        return []
    known = np.unique(cells.token_ids)
    places = np.searchsorted(known, cells.token_ids)
    size = len(known)
    own = np.bincount(places, weights=grounds.weights, minlength=size) / grounds.weights.sum()
    uniform = np.bincount(places, weights=cells.uniform, minlength=size) / cells.uniform.sum()
    texts: list[str] = []
    for place in np.argsort(uniform - own, kind="stable"):
        if own[place] <= uniform[place] or len(texts) == TOP_TOKENS:
            break
        if own[place] < LEAST_LIFT * uniform[place]:
            continue
        if _is_its_own(vocabulary, int(known[place])):
            texts.append(vocabulary.text(int(known[place])))
    one_by_one = [Named(key.is_(text), f"the token {_quoted(text)}") for text in texts]
    if len(texts) < 2:
        return one_by_one
    quoted = ", ".join(map(_quoted, texts))
    return [*one_by_one, Named(key.is_(*texts), f"the tokens {quoted}")]


def _is_its_own(vocabulary: Vocabulary, token_id: int) -> bool:
    """Return whether a token's text identifies the token."""
    try:
        return vocabulary.single_id(vocabulary.text(token_id)) == token_id
    except ExpressionError:
        return False


def _quoted(text: str) -> str:
    source: str = repr(key.is_(text))
    return source.removeprefix("key.is_(").removesuffix(")")


def _is_plain(expression: Expression) -> bool:
    return not any(isinstance(leaf, CustomRelation) for leaf in leaves(expression))


def any_of(relations: Sequence[Expression]) -> Expression:
    """Return the union of one or more relations."""
    return reduce(or_, relations)
