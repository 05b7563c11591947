"""From a prompt that breaks a claim to the smallest that still does, many tried in one pass.

Prompts and scores in, a prompt out. What makes a prompt simpler is `moves`.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from headtests.prompts import Family, Forced, Lexicon, Prompt, Simplest
from headtests.search.hunting import BATCH
from headtests.search.moves import Choices, leaps, simpler, together
from headtests.search.scores import Scorer, complexity

MOST_PASSES = 200
"""Passes that making a prompt smaller may take."""
LEAPS = 96
"""Shorter prompts with other tokens that are tried where no move goes on."""


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
    found, tried, source = Shrunk(prompt), {prompt.ids}, random.Random(seed)

    def made(moves: Iterator[Choices]) -> Iterator[Prompt]:
        """Yield the prompts of some choices that are simpler and were not tried."""
        for choices in moves:
            one = family.make(lexicon, Forced(choices, Simplest()))
            if one.ids not in tried and complexity(one) < complexity(found.prompt):
                tried.add(one.ids)
                yield one

    candidates = made(chain(simpler(prompt.choices), leaps(prompt.choices, source, LEAPS)))
    while found.passes < most_passes:
        chosen = list(islice(candidates, batch))
        if not chosen:
            found.is_smallest = True
            break
        scores = score(chosen)
        found.passes += 1
        found.prompts += len(chosen)
        broken = [one for one, said in zip(chosen, scores, strict=True) if said.breaks(slack)]
        broken.sort(key=complexity)
        best = next((one for one in broken if confirmed(one)), None)
        if best is None:
            continue
        # What was simpler by itself may be so together, which saves a pass each.
        joint = together(found.prompt.choices, [one.choices for one in broken])
        found.prompt = best
        leaping = leaps(best.choices, source, LEAPS)
        candidates = made(chain(joint, simpler(best.choices), leaping))
    return found
