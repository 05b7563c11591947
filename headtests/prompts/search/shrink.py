"""From a prompt that breaks a claim to the smallest that still does, many tried in one pass.

Prompts and scores in, a prompt out. What makes a prompt simpler is `moves`; where no move goes on,
shorter prompts are searched as a family is, from those that came nearest to breaking the claim.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from headtests.prompts import Family, Forced, Lexicon, Prompt, Simplest
from headtests.prompts.search.generate import BATCH
from headtests.prompts.search.mutate import Randomly, changed
from headtests.prompts.search.score import PromptScore, Scorer, complexity
from headtests.prompts.search.simplify import Choices, simpler, together

MOST_PASSES = 200
"""Passes that making a prompt smaller may take."""
LEAPS = 32
"""Passes of shorter prompts with other choices that are tried where no move goes on."""
NEAREST = 16
"""Shorter prompts whose choices are changed: those that came nearest to breaking the claim."""
_TRIES = 20
"""How often a place of a batch may be drawn, for a shorter prompt that was not tried yet."""


@dataclass
class Shrunk:
    """A prompt that was made smaller, and what that took."""

    prompt: Prompt
    passes: int = 0
    prompts: int = 0
    """How many prompts were tried."""
    is_smallest: bool = False
    """Whether nothing that was tried is simpler still; else the passes ended first."""


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
    """Return the smallest prompt that is found to break the claim, from one that does.

    Of the prompts of a pass that break it, the simplest is gone on with; fewer tokens are simpler
    than more, and then lower choices. `confirmed` says of a prompt that broke the claim beside
    others whether it does so alone, too.
    """
    found, pool = Shrunk(prompt), _Pool(family, lexicon, prompt, seed)
    candidates = pool.made(simpler(prompt.choices))
    leaps = 0
    while found.passes < most_passes:
        chosen = list(islice(candidates, batch))
        if not chosen:
            chosen = pool.leap(batch) if leaps < LEAPS else []
            leaps += 1
        if not chosen:
            found.is_smallest = True
            break
        scores = score(chosen)
        found.passes += 1
        found.prompts += len(chosen)
        pool.learn(chosen, scores)
        broken = [one for one, said in zip(chosen, scores, strict=True) if said.breaks(slack)]
        broken.sort(key=complexity)
        best = next((one for one in broken if confirmed(one)), None)
        if best is None:
            continue
        # What was simpler by itself may be so together, which saves a pass each.
        joint = together(found.prompt.choices, [one.choices for one in broken])
        found.prompt = pool.best = best
        candidates = pool.made(chain(joint, simpler(best.choices)))
        leaps = 0
    return found


class _Pool:
    """What was tried while a prompt is made smaller, and what may be tried next."""

    def __init__(self, family: Family, lexicon: Lexicon, prompt: Prompt, seed: int) -> None:
        self._family, self._lexicon = family, lexicon
        self._random = random.Random(seed)
        self._tried = {prompt.ids}
        self._near: list[tuple[float, float, Prompt]] = []
        self.best = prompt
        """The simplest prompt that is known to break the claim."""

    def made(self, moves: Iterator[Choices]) -> Iterator[Prompt]:
        """Yield the prompts of some choices that are simpler than the best and were not tried."""
        for choices in moves:
            one = self._family.make(self._lexicon, Forced(choices, Simplest()))
            if complexity(one) < complexity(self.best) and self._is_new(one):
                yield one

    def learn(self, prompts: Sequence[Prompt], scores: Sequence[PromptScore]) -> None:
        """Remember those that came nearest to breaking the claim."""
        self._near += [
            (said.margin, self._random.random(), prompt)
            for prompt, said in zip(prompts, scores, strict=True)
            if said.row >= 0
        ]

    def leap(self, batch: int) -> list[Prompt]:
        """Return shorter prompts than the best: the nearest of them, changed a little."""
        shorter = [one for one in self._near if len(one[2].ids) < len(self.best.ids)]
        self._near = sorted(shorter, key=lambda one: one[:2])[:NEAREST]
        return [one for _ in range(batch) if (one := self._leap()) is not None]

    def _leap(self) -> Prompt | None:
        for _ in range(_TRIES if self._near else 0):
            place = min(int(self._random.expovariate(4 / NEAREST)), len(self._near) - 1)
            choices = changed(self._near[place][2].choices, self._random)
            one = self._family.make(self._lexicon, Forced(choices, Randomly(self._random)))
            if len(one.ids) < len(self.best.ids) and self._is_new(one):
                return one
        return None

    def _is_new(self, prompt: Prompt) -> bool:
        if prompt.ids in self._tried:
            return False
        self._tried.add(prompt.ids)
        return True
