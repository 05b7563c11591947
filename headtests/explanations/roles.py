"""Whether a head has a role such as that of an induction head, and what speaks against it.

A relation that a head attends to more than uniform attention would is no role yet: a head that
looks at punctuation, or some tokens back, may look like one on its texts. Nothing is put into words
here; `wording` does that.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from headtests.atlas.choose import LEAST_LIFT, Shares
from headtests.explanations.random_repeats import TRIED, RandomShares
from headtests.explanations.relation_search import Finding
from headtests.expressions import Expression, query
from headtests.expressions.head_names import HeadName
from headtests.expressions.library import EXPLAINER_LIBRARY, PUNCTUATION, Named

LEAST_MAIN = 0.3
"""The least share of the non-resting attention on a relation that a head is named after."""
LEAST_OF_WHOLE = 0.5
"""The least share in rows of one kind, as a part of the share in all rows, to hold in them."""
LEAST_ROWS = 20
"""Fewer rows of a kind say nothing."""
WORD = query.matches(r"[^\W_]")
"""The row's token has a letter or a digit."""
IS_PUNCTUATION = query.matches(PUNCTUATION.pattern)
"""The row's token is punctuation."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role that a head may have, as measured on the half that it was not suggested by."""

    named: Named
    every: Shares
    """In rows that have a key of the relation."""
    words: Shares | None
    """In those whose token has a letter or a digit; None for too few rows."""
    punctuation: Shares | None
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
        return not self.repeats or self.every.share >= LEAST_LIFT * self.every.distance

    def holds_in(self, kind: Shares | None) -> bool:
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


def tried_for(named: Iterable[Named]) -> list[Expression]:
    """Return the relations whose shares on the measuring half tell whether heads have roles.

    `named` are findings of these heads; those of `TRIED` are always among them.
    """
    of_roles = dict.fromkeys([*TRIED, *(each.relation for each in named if each.role)])
    return [
        each
        for relation in of_roles
        for each in (relation, relation & WORD, relation & IS_PUNCTUATION)
    ]


def roles(
    head: HeadName,
    explain: Mapping[Expression, Shares | None],
    measure: Mapping[Expression, Shares | None],
    confirmed: Sequence[tuple[Finding, float]],
    random: Callable[[], RandomShares],
) -> list[Role]:
    """Return the roles that a head may have: those that hold first, then those that looked so.

    `explain` has the head's shares on `TRIED` on the explain half, and `measure` those of
    `tried_for` on the measuring half. `confirmed` are the findings that the measuring half bears
    out, each with its share there. One with a share of `LEAST_MAIN` suggests its role. So does a
    relation of repetition with more than `LEAST_LIFT` times its uniform share, on the explain half,
    in the rows that have such keys. `random` returns the shares on repeated random tokens, and is
    called only if they are needed.
    """
    suggested: dict[str, Named] = {}
    for finding, share in confirmed:
        if finding.named.role and share >= LEAST_MAIN:
            suggested.setdefault(finding.named.role, finding.named)
    for named in EXPLAINER_LIBRARY:
        if named.relation in TRIED and named.role not in suggested:
            seen = _enough(explain[named.relation])
            if (
                seen is not None
                and seen.share >= LEAST_LIFT * seen.uniform
                and random().get((head, named.relation), 0.0) >= LEAST_MAIN
            ):
                suggested[named.role] = named
    found = [role for named in suggested.values() if (role := _role(head, named, measure, random))]
    return sorted(found, key=lambda role: not role.holds)


def _role(
    head: HeadName,
    named: Named,
    measure: Mapping[Expression, Shares | None],
    random: Callable[[], RandomShares],
) -> Role | None:
    every, words, punctuation = (
        _enough(measure[relation])
        for relation in (
            named.relation,
            named.relation & WORD,
            named.relation & IS_PUNCTUATION,
        )
    )
    if every is None:
        return None
    tried = _tried(named)
    probed = None if tried is None else random().get((head, tried))
    return Role(named, every, words, punctuation, probed)


def _enough(shares: Shares | None) -> Shares | None:
    return None if shares is None or shares.rows < LEAST_ROWS else shares


def _tried(named: Named) -> Expression | None:
    """Return the relation that stands for a named one on repeated random tokens; None for none."""
    return {each.role: each.relation for each in EXPLAINER_LIBRARY if each.relation in TRIED}.get(
        named.role
    )
