"""Other prompts of a family: drawn at random, changed a little, and all there are.

Choices in, choices out; whatever they make is in the family. Which are worth trying is not known
here.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from headtests.prompts import Choice, Family, Forced, Lexicon, Number, Prompt, Simplest, TokenRun

_MOST_CHANGES = 3


class Randomly:
    """The chooser of random choices, every size and every token as likely as any other."""

    def __init__(self, source: random.Random) -> None:
        self._random = source

    def run(self, least: int, most: int, tokens: int) -> tuple[int, ...]:
        """Return a random number of random places."""
        size = self._random.randint(least, most)
        return tuple(self._random.randrange(tokens) for _ in range(size))

    def number(self, least: int, most: int) -> int:
        """Return a random number."""
        return self._random.randint(least, most)


def changed(choices: Sequence[Choice], source: random.Random) -> list[Choice]:
    """Return choices of which a few, at random, are others."""
    found = list(choices)
    free = [place for place, one in enumerate(found) if not _is_fixed(one)]
    for _ in range(source.randint(1, _MOST_CHANGES) if free else 0):
        place = source.choice(free)
        one = found[place]
        found[place] = (
            _changed_run(one, source) if isinstance(one, TokenRun) else _changed(one, source)
        )
    return found


def _is_fixed(choice: Choice) -> bool:
    """Return whether there is nothing to choose."""
    if isinstance(choice, Number):
        return choice.least == choice.most
    return choice.most == 0 or (choice.tokens == 1 and choice.least == choice.most)


def _changed(number: Number, source: random.Random) -> Number:
    if source.random() < 0.5:
        value = number.value + source.choice((-1, 1))
        return replace(number, value=min(max(value, number.least), number.most))
    return replace(number, value=source.randint(number.least, number.most))


def _changed_run(run: TokenRun, source: random.Random) -> TokenRun:
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
        # A token that is there already: whether one occurs twice is what many claims are about.
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
    """Return every prompt of a family, the simplest choices first; None of one with more.

    One that draws tokens counts as one with more.
    """
    choices: list[Choice] = []
    found: dict[tuple[int, ...], Prompt] = {}
    for _ in range(4 * most + 1):
        prompt = family.make(lexicon, Forced(choices, Simplest()))
        if any(isinstance(one, TokenRun) and not _is_fixed(one) for one in prompt.choices):
            return None
        found.setdefault(prompt.ids, prompt)
        if len(found) > most:
            return None
        # The next one: as an odometer goes on, its last wheel first.
        choices = list(prompt.choices)
        while choices and _is_at_its_end(choices[-1]):
            choices.pop()
        if not choices:
            return list(found.values())
        last = choices[-1]
        if isinstance(last, Number):
            choices[-1] = replace(last, value=last.value + 1)
    return None


def _is_at_its_end(choice: Choice) -> bool:
    return isinstance(choice, TokenRun) or choice.value >= choice.most
