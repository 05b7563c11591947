"""From a prompt that breaks a claim to the smallest that still does, many tried in one pass.

Prompts and scores in, a prompt out. `simplify` proposes simpler prompts; where none of them breaks
the claim, shorter prompts are searched by mutation of those that came nearest to breaking it.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from headtests.prompts import Family, Forced, Lexicon, Prompt, Simplest
from headtests.prompts.search.generate import BATCH
from headtests.prompts.search.mutate import Randomly, mutate
from headtests.prompts.search.score import PromptScore, Scorer, complexity
from headtests.prompts.search.simplify import Choices, simpler, together

MOST_PASSES = 200
"""The most passes for making a prompt smaller."""
LEAPS = 32
"""The most passes of mutated shorter prompts after the last simpler prompt was found."""
NEAREST = 16
"""How many shorter prompts are mutated: those that came nearest to breaking the claim."""
_TRIES = 20
"""How often one prompt is drawn again if it was tried before or is too long."""


@dataclass
class Shrunk:
    """A prompt that was made smaller, and how much was tried."""

    prompt: Prompt
    passes: int = 0
    prompts: int = 0
    """How many prompts were tried."""
    is_smallest: bool = False
    """Whether no simpler prompt breaks the claim; False if the passes ended first."""


def shrink(
    family: Family,
    lexicon: Lexicon,
    score: Scorer,
    prompt: Prompt,
    *,
    slack: float,
    batch: int = BATCH,
    confirmed: Callable[[Prompt], bool] = lambda _: True,
    most_passes: int = MOST_PASSES,
    seed: int = 0,
) -> Shrunk:
    """Return the smallest prompt found that breaks the claim, starting from one that does.

    After each pass, the simplest prompt that broke the claim is simplified further: fewer tokens
    are simpler, and then lower choices. `confirmed` checks that a prompt that broke the claim in a
    batch also breaks it alone.
    """
    result, pool = Shrunk(prompt), _Pool(family, lexicon, prompt, seed)
    candidates = pool.made(simpler(prompt.choices))
    leaps = 0
    while result.passes < most_passes:
        chosen = list(islice(candidates, batch))
        if not chosen:
            chosen = pool.leap(batch) if leaps < LEAPS else []
            leaps += 1
        if not chosen:
            result.is_smallest = True
            break
        scores = score(chosen)
        result.passes += 1
        result.prompts += len(chosen)
        pool.learn(chosen, scores)
        broken = [prompt for prompt, s in zip(chosen, scores, strict=True) if s.breaks(slack)]
        broken.sort(key=complexity)
        best = next((prompt for prompt in broken if confirmed(prompt)), None)
        if best is None:
            continue
        # Simplifications that work one by one may work together, which saves passes.
        joint = together(result.prompt.choices, [prompt.choices for prompt in broken])
        result.prompt = pool.best = best
        candidates = pool.made(chain(joint, simpler(best.choices)))
        leaps = 0
    return result


class _Pool:
    """The prompts that were tried while one is made smaller, and those to try next."""

    def __init__(self, family: Family, lexicon: Lexicon, prompt: Prompt, seed: int) -> None:
        self._family, self._lexicon = family, lexicon
        self._random = random.Random(seed)
        self._tried = {prompt.ids}
        self._near: list[tuple[float, float, Prompt]] = []
        self.best = prompt
        """The simplest prompt that is known to break the claim."""

    def made(self, moves: Iterator[Choices]) -> Iterator[Prompt]:
        """Yield the prompts of the choices that are simpler than the best and were not tried."""
        for choices in moves:
            prompt = self._family.make(self._lexicon, Forced(choices, Simplest()))
            if complexity(prompt) < complexity(self.best) and self._is_new(prompt):
                yield prompt

    def learn(self, prompts: Sequence[Prompt], scores: Sequence[PromptScore]) -> None:
        """Keep the scores of prompts with an eligible row."""
        self._near += [
            (score.margin, self._random.random(), prompt)
            for prompt, score in zip(prompts, scores, strict=True)
            if score.row >= 0
        ]

    def leap(self, batch: int) -> list[Prompt]:
        """Return prompts shorter than the best: mutations of the nearest ones."""
        shorter = [entry for entry in self._near if len(entry[2].ids) < len(self.best.ids)]
        self._near = sorted(shorter, key=lambda entry: entry[:2])[:NEAREST]
        return [prompt for _ in range(batch) if (prompt := self._leap()) is not None]

    def _leap(self) -> Prompt | None:
        for _ in range(_TRIES if self._near else 0):
            place = min(int(self._random.expovariate(4 / NEAREST)), len(self._near) - 1)
            choices = mutate(self._near[place][2].choices, self._random)
            prompt = self._family.make(self._lexicon, Forced(choices, Randomly(self._random)))
            if len(prompt.ids) < len(self.best.ids) and self._is_new(prompt):
                return prompt
        return None

    def _is_new(self, prompt: Prompt) -> bool:
        if prompt.ids in self._tried:
            return False
        self._tried.add(prompt.ids)
        return True
