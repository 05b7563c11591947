"""What is claimed of every prompt of a family, and what a search for one that breaks it found.

Values that say themselves. Who searches is `headtests.prompts.search`; what asks for it,
`withstanding`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from headtests.claims.definitions import Mass
from headtests.claims.numbers import require_in_range, require_number
from headtests.errors import ClaimError
from headtests.expressions import Expression
from headtests.prompts import Choice, Family, given
from headtests.wording import written

How = Literal["kept", "unguided", "guided"]


@dataclass(frozen=True)
class PromptClaim:
    """That on every prompt of a family each eligible row keeps to a side of a threshold."""

    mass: Mass
    """What is claimed of a row: the share of its attention on a relation, of another with `of=`."""
    threshold: float
    is_least: bool
    """Whether a row must reach the threshold; else it must not exceed it."""
    family: Family

    @property
    def arguments(self) -> str:
        """The arguments of `withstands` as Python."""
        bound = "mass" if self.is_least else "at_most"
        return (
            f"{self.mass.arguments}, {bound}={written(self.threshold)}, "
            f"prompts={self.family.source}"
        )

    @property
    def subject(self) -> str:
        """What is claimed of, whatever the threshold: what known counterexamples are kept under."""
        bound = "least" if self.is_least else "most"
        return f"{bound} mass({self.mass.arguments}) on {self.family.source}"

    def english(self, head: str) -> str:
        """Return the claim as a sentence about a head."""
        rows = "" if self.mass.when is None else f", in each row {self.mass.when.english},"
        each = "in each row" if self.mass.when is None else "there"
        bound = "at least" if self.is_least else "at most"
        of = "its attention"
        if self.mass.of is not None:
            of = f"its attention on keys {self.mass.of.english}"
        where = (
            f"On every prompt {self.family.english}{rows}"
            if rows
            else (f"On every prompt {self.family.english}, {each},")
        )
        return (
            f"{where} {head} gives {bound} {written(self.threshold)} of {of} to keys "
            f"{self.mass.on.english}."
        )

    def margin(self, value: float) -> float:
        """Return how far a row's value lies on the right side of the threshold."""
        return value - self.threshold if self.is_least else self.threshold - value


def prompt_claim(
    on: Expression,
    *,
    when: Expression | None,
    of: Expression | None,
    mass: float | None,
    at_most: float | None,
    prompts: "Family | Sequence[str | Sequence[int]]",
) -> PromptClaim:
    """Return what is claimed of every prompt.

    Raises `ClaimError` where not exactly one threshold is given, or where it claims nothing, and
    `ExpressionError` for an argument in the wrong place.
    """
    statistic = Mass(on, when, of)
    if (mass is None) == (at_most is None):
        raise ClaimError(
            "withstands() takes one threshold: mass=0.3 has each row give at least 0.3 of its "
            f"attention, at_most=0.3 at most that, but found mass={mass!r} and at_most={at_most!r}."
        )
    name, found = ("mass", mass) if mass is not None else ("at_most", at_most)
    threshold = require_number(found, f"{name}= of withstands()")
    require_in_range(name, threshold, 1.0)
    if threshold == (0.0 if mass is not None else 1.0):
        raise ClaimError(
            f"{name}={written(threshold)} claims nothing: every row does that. Choose a threshold "
            "between 0 and 1."
        )
    family = prompts if isinstance(prompts, Family) else given(prompts)
    return PromptClaim(statistic, threshold, mass is not None, family)


@dataclass(frozen=True)
class KnownPrompt:
    """A prompt that once broke a claim."""

    ids: tuple[int, ...]
    choices: tuple[Choice, ...]
    """What makes it, in its family."""
    value: float
    """What was claimed of its worst row, when it broke the claim."""
    tokens: tuple[str, ...] = ()
    """What its ids say; empty before it was tried."""
    margin: float = math.nan
    """How far it is from breaking the claim now; below 0 where it still does."""


@dataclass(frozen=True, eq=False)
class Counterexample:
    """A prompt that breaks a claim, and the row in which it does so most."""

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    text: str | None
    """The text that it was tokenised from; None of one that was made of ids."""
    query: int
    """The position of the row."""
    value: float
    """What was claimed of that row, as measured alone."""
    margin: float
    """Its distance from the threshold, below 0."""
    attention: npt.NDArray[np.float32] = field(repr=False)
    """The row, shape `[key]`."""
    attendable: npt.NDArray[np.bool_] = field(repr=False)
    """Which keys the row may attend to, shape `[key]`."""
    claimed: npt.NDArray[np.bool_] = field(repr=False)
    """Which of them were claimed to be attended to, or not to be, shape `[key]`."""
    choices: tuple[Choice, ...] = field(repr=False)
    """What makes it, in its family."""
    how: How
    """Whether it was known, drawn, or made by changing one that came near."""
    found_with: int
    """How many tokens it had when it was found."""
    is_smallest: bool
    """Whether nothing that was tried is simpler and still breaks the claim."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def prompt(self) -> str:
        """The prompt as Python: its text, or its ids."""
        return repr(list(self.ids)) if self.text is None else repr(self.text)


@dataclass(frozen=True, eq=False)
class Searched:
    """What a search found, and the effort that it took."""

    counterexample: Counterexample | None
    prompts: int
    """How many different prompts of the family were tried, besides known ones."""
    known: int
    """How many known ones were tried before."""
    unguided: int
    """How many of them were drawn without looking at what was found before."""
    passes: int
    """Passes through the model, those that made the prompt smaller included."""
    shrinking: int
    """Prompts that were tried to make it smaller."""
    worst: float
    """The smallest margin of a prompt that was tried; inf where none had an eligible row."""
    is_whole: bool
    """Whether that was every prompt of the family."""
    quiet: tuple[KnownPrompt, ...] = ()
    """Prompts that once broke the claim and no longer do."""
    foreign: int = 0
    """How many prompts that once broke it the family no longer makes."""

    @property
    def effort(self) -> str:
        """What was tried, in words."""
        if self.is_whole:
            return f"all {self.prompts:,} prompts of the family"
        return f"{self.prompts:,} prompt{'' if self.prompts == 1 else 's'}"

    def with_known(self, known: Sequence[KnownPrompt], foreign: int) -> "Searched":
        """Return the same with what became of known prompts."""
        return replace(self, quiet=tuple(known), foreign=foreign)
