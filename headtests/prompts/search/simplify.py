"""Simpler choices for a prompt: fewer tokens, equal tokens, lower ones.

Choices in, choices out; `shrink` tries which of them still break a claim.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from headtests.prompts import Choice, Number, TokenRun

Choices = tuple[Choice, ...]

_FEW = 16
"""The largest run or number for which every possibility is tried."""
_DROPPED = 4
"""The most choices that are left out together when a number is lowered."""
_JOINED = 8
"""The most simplifications that are combined."""


def simpler(choices: Choices) -> Iterator[Choices]:
    """Yield choices that may make a simpler prompt, the largest savings first."""
    yield from _with_fewer_tokens(choices)
    yield from _with_other_numbers(choices)
    yield from _with_tokens_replaced(choices)
    yield from _with_tokens_lowered(choices)
    yield from _with_tokens_swapped(choices)
    yield from _with_tokens_shifted(choices)


def _runs(choices: Choices) -> Iterator[tuple[int, TokenRun]]:
    yield from ((place, run) for place, run in enumerate(choices) if isinstance(run, TokenRun))


def _with(choices: Choices, place: int, choice: Choice) -> Choices:
    return (*choices[:place], choice, *choices[place + 1 :])


def _with_fewer_tokens(choices: Choices) -> Iterator[Choices]:
    """Yield runs without a stretch of tokens, the longest first, then without any two tokens."""
    for place, run in _runs(choices):
        ranks, spare = run.ranks, len(run.ranks) - run.least
        for size in _sizes(spare):
            step = 1 if len(ranks) <= _FEW or size <= 2 else size // 2
            for start in range(0, len(ranks) - size + 1, step):
                shorter = ranks[:start] + ranks[start + size :]
                yield _with(choices, place, replace(run, ranks=shorter))
        if spare >= 2 and len(ranks) <= _FEW:
            for first, second in combinations(range(len(ranks)), 2):
                if second > first + 1:
                    shorter = ranks[:first] + ranks[first + 1 : second] + ranks[second + 1 :]
                    yield _with(choices, place, replace(run, ranks=shorter))


def _sizes(spare: int) -> Iterator[int]:
    """Yield the numbers of tokens to remove at once."""
    if spare <= _FEW:
        yield from range(spare, 0, -1)
        return
    while spare:
        yield spare
        spare //= 2


def _with_other_numbers(choices: Choices) -> Iterator[Choices]:
    for place, number in enumerate(choices):
        if isinstance(number, Number):
            for value in _lower(number.value - number.least):
                lowered = replace(number, value=number.least + value)
                yield _with(choices, place, lowered)
                # The number may say how many of the later choices there are.
                if number.least + value == number.value - 1:
                    yield from _without_some(_with(choices, place, lowered), place + 1)
            # A later option may be a shorter text.
            for value in range(number.value + 1, min(number.most, number.value + _FEW) + 1):
                yield _with(choices, place, replace(number, value=value))


def _without_some(choices: Choices, start: int) -> Iterator[Choices]:
    for first in range(start, len(choices)):
        for size in range(1, min(_DROPPED, len(choices) - first) + 1):
            yield choices[:first] + choices[first + size :]


def _with_tokens_replaced(choices: Choices) -> Iterator[Choices]:
    """Yield choices with every occurrence of a token replaced by a lower token."""
    present = sorted({rank for _, run in _runs(choices) for rank in run.ranks})
    for old in present:
        for new in _lower(old, present):
            yield tuple(
                replace(choice, ranks=tuple(new if rank == old else rank for rank in choice.ranks))
                if isinstance(choice, TokenRun)
                else choice
                for choice in choices
            )


def _with_tokens_lowered(choices: Choices) -> Iterator[Choices]:
    present = sorted({rank for _, run in _runs(choices) for rank in run.ranks})
    for place, run in _runs(choices):
        for position, old in enumerate(run.ranks):
            # A token that occurs once was replaced above.
            if run.ranks.count(old) > 1 or len(list(_runs(choices))) > 1:
                for new in _lower(old, present):
                    ranks = (*run.ranks[:position], new, *run.ranks[position + 1 :])
                    yield _with(choices, place, replace(run, ranks=ranks))


def _with_tokens_swapped(choices: Choices) -> Iterator[Choices]:
    for place, run in _runs(choices):
        if len(run.ranks) > _FEW:
            continue
        for first, second in combinations(range(len(run.ranks)), 2):
            ranks = list(run.ranks)
            if ranks[first] > ranks[second]:
                ranks[first], ranks[second] = ranks[second], ranks[first]
                yield _with(choices, place, replace(run, ranks=tuple(ranks)))


def _with_tokens_shifted(choices: Choices) -> Iterator[Choices]:
    """Yield a token lowered by one and a later token raised by one, which keeps their sum."""
    for place, run in _runs(choices):
        if len(run.ranks) > _FEW:
            continue
        for first, second in combinations(range(len(run.ranks)), 2):
            ranks = list(run.ranks)
            if ranks[first] > 0 and ranks[second] < run.tokens - 1:
                ranks[first] -= 1
                ranks[second] += 1
                yield _with(choices, place, replace(run, ranks=tuple(ranks)))


def _lower(value: int, present: Sequence[int] = ()) -> list[int]:
    """Return the lower values to try in place of a value, ascending.

    >>> _lower(5)
    [0, 1, 2, 3, 4]
    >>> _lower(100, [7, 100])
    [0, 1, 2, 3, 7, 36, 68, 84, 92, 96, 98, 99]
    """
    if value <= _FEW:
        return list(range(value))
    # With steps that double, the lowest value that works is found in few passes.
    between = (value - 2**step for step in range(value.bit_length()) if 2**step < value)
    return sorted({0, 1, 2, 3, *between, *(rank for rank in present if rank < value)})


def together(before: Choices, moved: Sequence[Choices]) -> Iterator[Choices]:
    """Yield combinations of several simplifications of the same choices, the largest first.

    Only those that keep the number of choices and tokens are combined; where two change the same
    token or number, the first one counts.
    """
    fitting = [choices for choices in moved if _shape(choices) == _shape(before)]
    for many in range(min(len(fitting), _JOINED), 1, -1):
        joint = list(before)
        for choices in fitting[:many]:
            joint = [_joined(*three) for three in zip(before, joint, choices, strict=True)]
        yield tuple(joint)


def _shape(choices: Choices) -> tuple[int, ...]:
    return tuple(len(c.ranks) if isinstance(c, TokenRun) else -1 for c in choices)


def _joined(before: Choice, joint: Choice, moved: Choice) -> Choice:
    if isinstance(moved, Number):
        return moved if joint == before else joint
    if not isinstance(before, TokenRun) or not isinstance(joint, TokenRun):
        return joint
    ranks = zip(before.ranks, joint.ranks, moved.ranks, strict=True)
    return replace(joint, ranks=tuple(new if now == old else now for old, now, new in ranks))
