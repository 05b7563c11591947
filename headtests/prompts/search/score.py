"""What a pass says of prompts, and when a prompt breaks a claim.

Numbers only. Which model gives them is `scoring`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headtests.prompts import Prompt, TokenRun


@dataclass(frozen=True, slots=True)
class PromptScore:
    """How far a prompt is from breaking a claim, in its worst row."""

    margin: float
    """How far on the right side of the threshold; inf of a prompt without an eligible row."""
    row: int = -1
    """The query position of the worst row; -1 without one."""
    value: float = math.nan
    """What was claimed of that row, as measured."""
    weight: float = 1.0
    """What the value was divided by: the row's attention on `of=`."""

    def breaks(self, slack: float) -> bool:
        """Return whether the claim is broken by more than rounding, `slack` of a row's attention.

        >>> PromptScore(-0.2).breaks(1e-4), PromptScore(-0.2, weight=1e-4).breaks(1e-4)
        (True, False)
        """
        return self.margin * self.weight < -slack


Scorer = Callable[[Sequence[Prompt]], Sequence[PromptScore]]
"""Puts prompts through the model side by side, in one pass."""


def complexity(prompt: Prompt) -> tuple[int, ...]:
    """Return what orders prompts by simplicity: tokens, then choices, in their order."""
    flat: list[int] = []
    for choice in prompt.choices:
        flat += choice.ranks if isinstance(choice, TokenRun) else (choice.value,)
    return (len(prompt.ids), len(flat), *flat)
