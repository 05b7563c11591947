"""Whether a head has a role such as that of an induction head, and what speaks against it.

A relation that a head attends to more than uniform attention would is no role yet: a head that
looks at punctuation, or some tokens back, may look like one on its texts. Nothing is put into words
here; `wording` does that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from headtests.explanations.observed_pairs import Grounds
from headtests.explanations.random_repeats import TRIED, Shares
from headtests.explanations.relation_search import LEAST_LIFT, Finding
from headtests.expressions import Expression, duplicate, induction, key
from headtests.expressions.library import LIBRARY, PUNCTUATION, Named
from headtests.measurement.masks import Bools
from headtests.statistics.quanta import Float64s

LEAST_MAIN = 0.3
"""The least share of the non-resting attention on a relation that a head is named after."""
LEAST_OF_WHOLE = 0.5
"""The least share in rows of one kind, as a part of the share in all rows, to hold in them."""
LEAST_ROWS = 20
"""Fewer rows of a kind say nothing."""
WORD = key.matches(r"[^\W_]")
"""The token has a letter or a digit."""


@dataclass(frozen=True, slots=True)
class RowShares:
    """A head's attention on a relation in some rows, as shares of what does not rest.

    Documents weigh the same, and so do a document's rows.
    """

    rows: int
    share: float
    uniform: float
    """What uniform attention would give."""
    matched: float
    """What the head's own average at the same distances would give (`matched_rows`)."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role that a head may have, as measured on the half that it was not suggested by."""

    named: Named
    every: RowShares
    """In rows that have a key of the relation."""
    words: RowShares | None
    """In those whose token has a letter or a digit; None for too few rows."""
    punctuation: RowShares | None
    """In those whose token is punctuation; None for too few rows."""
    random: float | None
    """The share on repeated random tokens; None if the role has nothing to do with repetition, or
    the model's context is too short."""

    @property
    def repeats(self) -> bool:
        """Whether the role is about tokens that occurred before, and not about distance."""
        return _tried(self.named) is not None

    @property
    def beats_distance(self) -> bool:
        """Whether the share is more than the head's own average at the same distances gives.

        True of a relation that is itself a distance, about which that average says nothing.
        """
        return not self.repeats or self.every.share >= LEAST_LIFT * self.every.matched

    def holds_in(self, kind: RowShares | None) -> bool:
        """Return whether the role holds in rows of one kind, too; true if they were too few."""
        if kind is None:
            return True
        if not self.repeats:
            return kind.share >= LEAST_MAIN
        return kind.share >= max(LEAST_LIFT * kind.uniform, LEAST_OF_WHOLE * self.every.share)

    @property
    def is_repeated(self) -> bool:
        """Whether it holds on repeated random tokens; true if the role needs none."""
        return not self.repeats or self.random is None or self.random >= LEAST_MAIN

    @property
    def holds(self) -> bool:
        """Whether the head is named after it, though some of its rows may speak against it.

        On repeated random tokens nothing but repetition is there to follow, so that a head that
        does so is named by it, if it does so in rows of words, too. Elsewhere every test counts.
        """
        enough = self.every.share >= LEAST_LIFT * self.every.uniform and self.holds_in(self.words)
        if self.repeats and self.random is not None:
            return enough and self.is_repeated
        return enough and self.beats_distance and self.holds_in(self.punctuation)


def roles(
    explain: Grounds,
    measure: Grounds,
    confirmed: Sequence[tuple[Finding, float]],
    random: Callable[[], Shares],
) -> list[Role]:
    """Return the roles that a head may have: those that hold first, then those that looked so.

    `confirmed` are the findings that the measuring half bears out, each with its share there. One
    with a share of `LEAST_MAIN` suggests its role. So does a relation of repetition with more than
    `LEAST_LIFT` times its uniform share, on the explain half, in the rows that have such keys.
    `random` returns the shares on repeated random tokens, and is called only if they are needed.
    """
    suggested: dict[str, Named] = {}
    for finding, share in confirmed:
        if finding.named.role and share >= LEAST_MAIN:
            suggested.setdefault(finding.named.role, finding.named)
    of_explain = _Rows(explain)
    for named in LIBRARY:
        if named.relation in TRIED and named.role not in suggested:
            seen = of_explain.shares(explain.mask(named.relation))
            if (
                seen is not None
                and seen.share >= LEAST_LIFT * seen.uniform
                and random().get((explain.head, named.relation), 0.0) >= LEAST_MAIN
            ):
                suggested[named.role] = named
    if not suggested:
        return []
    rows = _Rows(measure)
    found = [role for named in suggested.values() if (role := _role(named, rows, random))]
    return sorted(found, key=lambda role: not role.holds)


def _role(named: Named, rows: "_Rows", random: Callable[[], Shares]) -> Role | None:
    mask = rows.grounds.mask(named.relation)
    every = rows.shares(mask)
    if every is None:
        return None
    words, punctuation = (rows.shares(mask, condition) for condition in (WORD, PUNCTUATION))
    tried = _tried(named)
    probed = None if tried is None else random().get((rows.grounds.head, tried))
    return Role(named, every, words, punctuation, probed)


def _tried(named: Named) -> Expression | None:
    """Return the relation that stands for a named one on repeated random tokens; None for none."""
    stands_for: dict[Expression, Expression] = {
        duplicate: duplicate,
        induction: induction,
        induction.latest: induction,
    }
    return stands_for.get(named.relation)


class _Rows:
    """A head's pairs by rows, to average over any of them."""

    def __init__(self, grounds: Grounds) -> None:
        self.grounds = grounds
        cells = grounds.cells
        place = np.searchsorted(np.sort(cells.members), cells.documents)
        length = int(cells.queries.max(initial=0)) + 1
        row = place * length + cells.queries
        self._starts = np.flatnonzero(np.diff(row, prepend=-1))
        self._documents = place[self._starts]
        self._off_rest = self._summed(grounds.attention)
        self._counts = np.diff(self._starts, append=len(row)) / cells.counts[self._starts]
        distance = place * 2 * length + cells.queries - cells.keys + length
        pairs = np.bincount(distance)
        averages = np.bincount(distance, grounds.attention) / np.maximum(pairs, 1)
        self._average = averages[distance]
        self._averages = self._summed(self._average)

    def _summed(self, values: Float64s) -> Float64s:
        return np.add.reduceat(values, self._starts) if len(self._starts) else values

    def shares(self, mask: Bools, condition: Expression | None = None) -> RowShares | None:
        """Return the shares of the pairs in a mask, in rows that have one; None for too few rows.

        `condition`, on a key, is one on the row's own token.
        """
        cells = self.grounds.cells
        own = np.flatnonzero(cells.queries == cells.keys)
        chosen = self._summed(mask.astype(np.float64)) > 0
        if condition is not None:
            holds = np.zeros(len(cells), dtype=np.bool_)
            holds[own] = self.grounds.mask(condition)[own]
            chosen &= self._summed(holds.astype(np.float64)) > 0
        if np.count_nonzero(chosen) < LEAST_ROWS:
            return None
        documents = self._documents[chosen]
        weights = 1 / np.bincount(documents)[documents]

        def average(values: Float64s) -> float:
            return float(values[chosen] @ weights)

        scale = self._off_rest / np.where(self._averages > 0, self._averages, 1)
        off_rest = average(self._off_rest)
        if off_rest <= 0:
            return None
        return RowShares(
            int(np.count_nonzero(chosen)),
            average(self._summed(self.grounds.attention * mask)) / off_rest,
            average(self._summed(mask / cells.counts)) / average(self._counts),
            average(self._summed(self._average * mask) * scale) / off_rest,
        )
