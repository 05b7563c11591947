"""Other prompts of a family: random ones, small changes to one, and all members.

Choices in, choices out; every prompt that they make is in the family. `generate` and `shrink`
decide which are tried.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from headtests.prompts import Choice, Family, Forced, Lexicon, Number, Prompt, Simplest, TokenRun

_MOST_CHANGES = 3


class Randomly:
    """Chooses at random; each size and each token is equally likely."""

    def __init__(self, source: random.Random) -> None:
        self._random = source

    def run(self, least: int, most: int, tokens: int) -> tuple[int, ...]:
        """Return a random number of random places."""
        size = self._random.randint(least, most)
        return tuple(self._random.randrange(tokens) for _ in range(size))

    def number(self, least: int, most: int) -> int:
        """Return a random number."""
        return self._random.randint(least, most)


def mutate(choices: Sequence[Choice], source: random.Random) -> list[Choice]:
    """Return a copy of choices with one to three changed at random."""
    mutated = list(choices)
    free = [place for place, choice in enumerate(mutated) if not _is_fixed(choice)]
    for _ in range(source.randint(1, _MOST_CHANGES) if free else 0):
        place = source.choice(free)
        choice = mutated[place]
        mutated[place] = (
            _mutate_run(choice, source)
            if isinstance(choice, TokenRun)
            else _mutate_number(choice, source)
        )
    return mutated


def _is_fixed(choice: Choice) -> bool:
    """Return whether only one choice is possible."""
    if isinstance(choice, Number):
        return choice.least == choice.most
    return choice.most == 0 or (choice.tokens == 1 and choice.least == choice.most)


def _mutate_number(number: Number, source: random.Random) -> Number:
    if source.random() < 0.5:
        value = number.value + source.choice((-1, 1))
        return replace(number, value=min(max(value, number.least), number.most))
    return replace(number, value=source.randint(number.least, number.most))


def _mutate_run(run: TokenRun, source: random.Random) -> TokenRun:
    ranks = list(run.ranks)
    new = source.randrange(run.tokens)
    place = source.randint(0, len(ranks))
    inside = min(place, len(ranks) - 1)
    kind = source.randrange(6)
    if not ranks or (kind == 0 and len(ranks) < run.most):
        ranks[place:place] = [new]
    elif kind == 1 and len(ranks) > run.least:
        del ranks[inside]
    elif kind == 2:
        # A token of the run: many claims are about tokens that occur twice.
        ranks[inside] = source.choice(ranks)
    elif kind == 3:
        other = source.randrange(len(ranks))
        ranks[inside], ranks[other] = ranks[other], ranks[inside]
    elif kind == 4:
        old = source.choice(ranks)
        ranks = [new if rank == old else rank for rank in ranks]
    else:
        ranks[inside] = new
    return replace(run, ranks=tuple(ranks[: run.most]))


def members(family: Family, lexicon: Lexicon, most: int) -> list[Prompt] | None:
    """Return every prompt of a family of at most `most`, the simplest choices first.

    None for a larger family; a family that draws tokens counts as larger.
    """
    choices: list[Choice] = []
    by_ids: dict[tuple[int, ...], Prompt] = {}
    for _ in range(4 * most + 1):
        prompt = family.make(lexicon, Forced(choices, Simplest()))
        if any(isinstance(c, TokenRun) and not _is_fixed(c) for c in prompt.choices):
            return None
        by_ids.setdefault(prompt.ids, prompt)
        if len(by_ids) > most:
            return None
        # Counts on like an odometer: the last choice first.
        choices = list(prompt.choices)
        while choices and _is_at_its_end(choices[-1]):
            choices.pop()
        if not choices:
            return list(by_ids.values())
        last = choices[-1]
        if isinstance(last, Number):
            choices[-1] = replace(last, value=last.value + 1)
    return None


def _is_at_its_end(choice: Choice) -> bool:
    return isinstance(choice, TokenRun) or choice.value >= choice.most
