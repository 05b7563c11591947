"""The claim that a head withstands every prompt of a family, searched when its truth is asked for.

Asks the evidence once and caches the result. The search itself is `headtests.prompts.search`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from headtests.claims.call_site import Location, calling_location
from headtests.claims.definitions import RowOptions
from headtests.errors import ClaimError
from headtests.prompts.counterexamples import Counterexample, KnownPrompt, PromptClaim, Searched
from headtests.wording import written

if TYPE_CHECKING:
    from headtests.expressions.head_names import HeadName
    from headtests.prompts.evidence import PromptEvidence


class Keeper(Protocol):
    """Stores the prompts that broke claims, and is notified of each search."""

    def known(self, claim: "Withstands") -> Sequence[KnownPrompt]:
        """Return the prompts that broke this claim in an earlier run, with any threshold."""

    def searched(self, claim: "Withstands") -> None:
        """Take note of a claim after its search."""


@dataclass(eq=False, repr=False)
class Withstands:
    """The claim that on every prompt of a family a head stays on one side of a threshold.

    It is true if the search found no prompt that breaks it, which proves nothing about prompts that
    were not tried.
    """

    head: "HeadName"
    evidence: "PromptEvidence"
    options: RowOptions
    claim: PromptClaim
    keeper: Keeper | None = None
    location: Location | None = field(default=None, init=False)
    """The statement that asked."""
    _searched: Searched | None = field(default=None, init=False)

    def __bool__(self) -> bool:
        """Return whether the search found no prompt that breaks it; searches at the first call."""
        __tracebackhide__ = True
        return self.search().counterexample is None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, bool):
            raise ClaimError(
                f"the claim {self.source} was compared with {other} by == or !=, which asks "
                "nothing. Write assert CLAIM, or assert not CLAIM."
            )
        return self is other

    __hash__ = object.__hash__

    def search(self) -> Searched:
        """Return the result of the search, in which known prompts are tried first."""
        if self._searched is None:
            self.location = calling_location()
            known = () if self.keeper is None else self.keeper.known(self)
            self._searched = self.evidence.search(self.head, self.claim, self.options, known)
            if self.keeper is not None:
                self.keeper.searched(self)
        return self._searched

    @property
    def is_searched(self) -> bool:
        """Whether the search was done."""
        return self._searched is not None

    @property
    def counterexample(self) -> Counterexample | None:
        """The smallest prompt that was found to break it; None if there is none. Searches."""
        return self.search().counterexample

    @property
    def source(self) -> str:
        """The claim as Python."""
        return f"{self.head}.withstands({self.claim.arguments})"

    @property
    def sentence(self) -> str:
        """The claim in English."""
        return self.claim.english(str(self.head))

    @property
    def said(self) -> str:
        """The result in one line; searches."""
        result = self.search()
        broken = result.counterexample
        if broken is None:
            if result.worst == float("inf"):
                return f"no violation in {result.effort}; none has an eligible row"
            return f"no violation in {result.effort}; worst margin {result.worst:.3g}"
        where = "" if self.claim.is_least else "only "
        return (
            f"refuted by a prompt of {len(broken)} token{'' if len(broken) == 1 else 's'}: row "
            f"{broken.query} gives {broken.value:.3g} where {where}"
            f"{written(self.claim.threshold)} was claimed"
        )

    @property
    def replay(self) -> str:
        """A line for a test that makes the claim about the counterexample alone."""
        broken = self.counterexample
        if broken is None:
            raise ClaimError(f"{self.source}: there is no counterexample to replay.")
        arguments = self.claim.arguments.removesuffix(self.claim.family.source)
        return f"assert head.withstands({arguments}[{broken.prompt}])"

    def explanation(self) -> list[str]:
        """Return the result as lines of text; searches."""
        result, broken = self.search(), self.counterexample
        lines = [self.said]
        if broken is not None:
            lines += [f"  {_marked(broken)}", f"  {_effort(result, broken)}"]
            lines.append(f"  replay: {self.replay}")
        elif not result.is_whole:
            lines.append("  That is no proof: other prompts were not tried.")
        lines += [
            f"  a known prompt of {len(prompt.ids)} tokens no longer breaks it: margin "
            f"{prompt.margin:.3g}"
            for prompt in result.quiet
        ]
        return lines

    def __repr__(self) -> str:
        return f"{self.source} [{self.said}]" if self.is_searched else self.source


def _marked(broken: Counterexample) -> str:
    """Return the tokens with the row's query in brackets."""
    shown = [
        f"[{token!r}]" if place == broken.query else repr(token)
        for place, token in enumerate(broken.tokens)
    ]
    if len(shown) > _SHOWN:
        start = max(0, broken.query - _SHOWN + 2)
        shown = ["..."] * bool(start) + shown[start : broken.query + 2] + ["..."]
    return " ".join(shown)


_SHOWN = 24


def _effort(result: Searched, broken: Counterexample) -> str:
    if broken.how == "kept":
        return "a prompt that is kept from an earlier run"
    way = "by changing prompts that came near" if broken.how == "guided" else "at random"
    before = "" if len(broken) == broken.found_with else f" from {broken.found_with} tokens"
    tries = f", made simpler{before} in {result.shrinking:,} tries" if result.shrinking else ""
    least = "" if broken.is_smallest else "; a simpler one may break it, too"
    return f"found {way} in {result.effort}{tries}{least}"
