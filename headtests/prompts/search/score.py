"""The score of a prompt, and when a prompt breaks a claim.

Numbers only; `model_scorer` measures them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headtests.prompts import Prompt, TokenRun


@dataclass(frozen=True, slots=True)
class PromptScore:
    """The distance of a prompt from breaking a claim, in its worst row."""

    margin: float
    """The distance from the threshold, negative past it; inf without an eligible row."""
    row: int = -1
    """The query position of the worst row; -1 without an eligible row."""
    value: float = math.nan
    """The statistic of that row."""
    weight: float = 1.0
    """The denominator of the value: the row's attention on `of=`."""

    def breaks(self, slack: float) -> bool:
        """Return whether the claim is broken by more than rounding: `slack` of a row's attention.

        >>> PromptScore(-0.2).breaks(1e-4), PromptScore(-0.2, weight=1e-4).breaks(1e-4)
        (True, False)
        """
        return self.margin * self.weight < -slack


Scorer = Callable[[Sequence[Prompt]], Sequence[PromptScore]]
"""Scores prompts in one forward pass."""


def complexity(prompt: Prompt) -> tuple[int, ...]:
    """Return a sort key for simplicity: the number of tokens, then the choices in order."""
    flat: list[int] = []
    for choice in prompt.choices:
        flat += choice.ranks if isinstance(choice, TokenRun) else (choice.value,)
    return (len(prompt.ids), len(flat), *flat)
