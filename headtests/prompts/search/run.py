"""A claim about every prompt of a family, searched: known prompts, new ones, smaller ones.

From a claim and a scorer to what is told of it. Which rows a prompt has is the scorer's affair.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from headtests.prompts import Forced, Lexicon, Prompt, Simplest
from headtests.prompts.counterexamples import How, KnownPrompt, PromptClaim
from headtests.prompts.search.generate import BATCH, hunt
from headtests.prompts.search.score import Scorer, complexity
from headtests.prompts.search.shrink import shrink


@dataclass
class Found:
    """What a search found: the prompt, and the effort."""

    prompt: Prompt | None = None
    """The smallest prompt that breaks the claim, alone; None for none."""
    how: How = "unguided"
    found_with: int = 0
    """How many tokens the first one had."""
    is_smallest: bool = False
    prompts: int = 0
    known: int = 0
    unguided: int = 0
    passes: int = 0
    shrinking: int = 0
    worst: float = math.inf
    is_whole: bool = False
    quiet: tuple[KnownPrompt, ...] = ()
    foreign: int = 0


def search(
    claim: PromptClaim,
    lexicon: Lexicon,
    score: Scorer,
    *,
    known: Sequence[KnownPrompt] = (),
    budget: int,
    slack: float,
    seed: int,
    batch: int = BATCH,
) -> Found:
    """Return the smallest prompt that is found to break a claim, or that none was.

    Whatever is returned breaks it alone, by more than `slack` of a row's attention. `budget` is
    the number of prompts that are tried before one is found.
    """
    found = Found()

    def alone(prompt: Prompt) -> bool:
        found.passes += 1
        return score([prompt])[0].breaks(slack)

    _replay(found, claim, lexicon, score, known, slack, batch)
    if found.prompt is not None:
        return found
    hunted = hunt(
        claim.family,
        lexicon,
        score,
        budget=budget,
        slack=slack,
        seed=seed,
        batch=batch,
        confirmed=alone,
    )
    found.prompts += hunted.prompts
    found.unguided, found.is_whole = hunted.unguided, hunted.is_whole
    found.passes += hunted.passes
    found.worst = min(found.worst, hunted.worst.margin)
    if hunted.broken:
        first = hunted.broken[0]
        shrunk = shrink(
            claim.family,
            lexicon,
            score,
            first,
            slack=slack,
            batch=batch,
            confirmed=alone,
            seed=seed,
        )
        found.prompt, found.how = shrunk.prompt, "guided" if hunted.is_guided else "unguided"
        found.found_with, found.is_smallest = len(first.ids), shrunk.is_smallest
        found.passes += shrunk.passes
        found.shrinking = shrunk.prompts
    return found


def _replay(
    found: Found,
    claim: PromptClaim,
    lexicon: Lexicon,
    score: Scorer,
    known: Sequence[KnownPrompt],
    slack: float,
    batch: int,
) -> None:
    """Put the known prompts through the model, each alone as it was found."""
    members: list[tuple[KnownPrompt, Prompt]] = []
    for one in known:
        made = claim.family.make(lexicon, Forced(one.choices, Simplest()))
        if made.ids == one.ids and made.choices == one.choices:
            members.append((one, made))
        else:
            found.foreign += 1
    members.sort(key=lambda one: complexity(one[1]))
    quiet = []
    for one, made in members:
        (said,) = score([made])
        found.passes += 1
        found.known += 1
        found.worst = min(found.worst, said.margin)
        if not said.breaks(slack):
            # One that broke it under another threshold need not break it under this one.
            if claim.margin(one.value) < 0:
                quiet.append(replace(one, margin=said.margin))
        elif found.prompt is None:
            found.prompt, found.how, found.is_smallest = made, "kept", True
            found.found_with = len(made.ids)
    found.quiet = tuple(quiet)
