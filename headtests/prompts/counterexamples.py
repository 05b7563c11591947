"""A claim about every prompt of a family, and the result of a search for one that breaks it.

Values and their wording. `headtests.prompts.search` does the search, `withstands` asks for it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
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
    """The claim that in every prompt of a family, each row is on one side of a threshold.

    Rows without an eligible key do not count.
    """

    mass: Mass
    """The statistic of a row: the share of its attention on a relation, or with `of=`, the share of
    its attention on another relation."""
    threshold: float
    is_least: bool
    """Whether a row must reach the threshold; otherwise it must not exceed it."""
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
        """The claim without its threshold: the key that known counterexamples are stored under."""
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
        """Return the distance of a row's value from the threshold: negative breaks the claim."""
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
    """Return a claim about every prompt of a family.

    Raises `ClaimError` unless exactly one threshold is given and it rules something out, and
    `ExpressionError` for an argument in the wrong place.
    """
    statistic = Mass(on, when, of)
    if (mass is None) == (at_most is None):
        raise ClaimError(
            "withstands() takes one threshold: mass=0.3 has each row give at least 0.3 of its "
            f"attention, at_most=0.3 at most that, but found mass={mass!r} and at_most={at_most!r}."
        )
    name, bound = ("mass", mass) if mass is not None else ("at_most", at_most)
    threshold = require_number(bound, f"{name}= of withstands()")
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
    """A prompt that broke a claim in an earlier run."""

    ids: tuple[int, ...]
    choices: tuple[Choice, ...]
    """The choices from which its family makes it."""
    value: float
    """The statistic of its worst row, when it broke the claim."""
    tokens: tuple[str, ...] = ()
    """The texts of its ids; empty before it was tried."""
    # Not compared: NaN equals nothing, itself included.
    margin: float = field(default=math.nan, compare=False)
    """Its distance from breaking the claim now; negative if it still does, NaN before a search."""


@dataclass(frozen=True, eq=False)
class Counterexample:
    """A prompt that breaks a claim, and the row in which it does so most."""

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    text: str | None
    """The text that was tokenised; None for a prompt made of ids."""
    query: int
    """The position of the row."""
    value: float
    """The statistic of that row, measured with the prompt alone."""
    margin: float
    """The value's distance from the threshold: negative."""
    attention: npt.NDArray[np.float32] = field(repr=False)
    """The row, shape `[key]`."""
    attendable: npt.NDArray[np.bool_] = field(repr=False)
    """Which keys the row may attend to, shape `[key]`."""
    claimed: npt.NDArray[np.bool_] = field(repr=False)
    """Which of them the claim is about, shape `[key]`."""
    choices: tuple[Choice, ...] = field(repr=False)
    """The choices from which its family makes it."""
    how: How
    """Whether it was known, drawn at random, or made by changing a prompt that came near."""
    found_with: int
    """How many tokens it had when it was found."""
    is_smallest: bool
    """Whether no simpler prompt that was tried breaks the claim."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def prompt(self) -> str:
        """The prompt as Python: its text, or its ids."""
        return repr(list(self.ids)) if self.text is None else repr(self.text)


@dataclass(frozen=True, eq=False)
class Searched:
    """The result of a search, and how much was tried."""

    counterexample: Counterexample | None
    prompts: int
    """How many different prompts of the family were tried, known ones not counted."""
    known: int
    """How many known prompts were tried first."""
    unguided: int
    """How many of `prompts` were drawn at random, without regard to earlier scores."""
    passes: int
    """Passes through the model, including those that made the prompt smaller."""
    shrinking: int
    """Prompts that were tried to make it smaller."""
    worst: float
    """The smallest margin of a prompt that was tried; inf if none had an eligible row."""
    is_whole: bool
    """Whether every prompt of the family was tried."""
    quiet: tuple[KnownPrompt, ...] = ()
    """Known prompts that no longer break the claim."""
    foreign: int = 0
    """How many known prompts the family no longer makes."""

    @property
    def effort(self) -> str:
        """What was tried, in words."""
        if self.is_whole:
            return f"all {self.prompts:,} prompts of the family"
        return f"{self.prompts:,} prompt{'' if self.prompts == 1 else 's'}"
