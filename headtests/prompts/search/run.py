"""The search for a claim about every prompt of a family: known prompts, new ones, smaller ones.

A claim and a scorer in, a result out. The scorer knows the model.
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
class SearchResult:
    """The result of a search; fields without a description are as in `Searched`."""

    prompt: Prompt | None = None
    """The smallest prompt that breaks the claim alone; None if there is none."""
    how: How = "unguided"
    found_with: int = 0
    """How many tokens the first prompt had that broke the claim."""
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
) -> SearchResult:
    """Search for the smallest prompt that breaks a claim.

    A prompt in the result breaks the claim alone, by more than `slack` of a row's attention.
    `budget` is the most prompts that are tried before one is found.
    """
    result = SearchResult()

    def alone(prompt: Prompt) -> bool:
        result.passes += 1
        return score([prompt])[0].breaks(slack)

    _replay(result, claim, lexicon, score, known, slack, batch)
    if result.prompt is not None:
        return result
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
    result.prompts += hunted.prompts
    result.unguided, result.is_whole = hunted.unguided, hunted.is_whole
    result.passes += hunted.passes
    result.worst = min(result.worst, hunted.worst.margin)
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
        result.prompt, result.how = shrunk.prompt, "guided" if hunted.is_guided else "unguided"
        result.found_with, result.is_smallest = len(first.ids), shrunk.is_smallest
        result.passes += shrunk.passes
        result.shrinking = shrunk.prompts
    return result


def _replay(
    result: SearchResult,
    claim: PromptClaim,
    lexicon: Lexicon,
    score: Scorer,
    known: Sequence[KnownPrompt],
    slack: float,
    batch: int,
) -> None:
    """Try the known prompts, each alone, and note what happened in the result."""
    members: list[tuple[KnownPrompt, Prompt]] = []
    for entry in known:
        made = claim.family.make(lexicon, Forced(entry.choices, Simplest()))
        if made.ids == entry.ids and made.choices == entry.choices:
            members.append((entry, made))
        else:
            result.foreign += 1
    members.sort(key=lambda pair: complexity(pair[1]))
    quiet = []
    for entry, made in members:
        (made_score,) = score([made])
        result.passes += 1
        result.known += 1
        result.worst = min(result.worst, made_score.margin)
        if not made_score.breaks(slack):
            # It may have broken the claim with another threshold only.
            if claim.margin(entry.value) < 0:
                quiet.append(replace(entry, margin=made_score.margin))
        elif result.prompt is None:
            result.prompt, result.how, result.is_smallest = made, "kept", True
            result.found_with = len(made.ids)
    result.quiet = tuple(quiet)
