"""What makes the choices of a prompt simpler: fewer tokens, equal tokens, lower ones.

Choices in, choices out. Whether what they make still breaks a claim is not known here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from headtests.prompts import Choice, Number, TokenRun

Choices = tuple[Choice, ...]

_FEW = 16
"""Of a run or number of so many, every possibility is tried."""
_DROPPED = 4
"""Choices that are left out together, at most, where a number of them is lowered."""
_JOINED = 8
"""How many moves are made together, in how many ways, at most."""


def simpler(choices: Choices) -> Iterator[Choices]:
    """Yield choices that may make a simpler prompt, those that would save most first."""
    yield from _with_fewer_tokens(choices)
    yield from _with_other_numbers(choices)
    yield from _with_tokens_replaced(choices)
    yield from _with_tokens_lowered(choices)
    yield from _with_tokens_swapped(choices)
    yield from _with_tokens_shifted(choices)


def _runs(choices: Choices) -> Iterator[tuple[int, TokenRun]]:
    yield from ((place, one) for place, one in enumerate(choices) if isinstance(one, TokenRun))


def _with(choices: Choices, place: int, choice: Choice) -> Choices:
    return (*choices[:place], choice, *choices[place + 1 :])


def _with_fewer_tokens(choices: Choices) -> Iterator[Choices]:
    """Yield a run without a stretch of its tokens, the longest first, and then without any two."""
    for place, run in _runs(choices):
        ranks, spare = run.ranks, len(run.ranks) - run.least
        for size in _sizes(spare):
            step = 1 if len(ranks) <= _FEW or size <= 2 else size // 2
            for start in range(0, len(ranks) - size + 1, step):
                left = ranks[:start] + ranks[start + size :]
                yield _with(choices, place, replace(run, ranks=left))
        if spare >= 2 and len(ranks) <= _FEW:
            for first, second in combinations(range(len(ranks)), 2):
                if second > first + 1:
                    left = ranks[:first] + ranks[first + 1 : second] + ranks[second + 1 :]
                    yield _with(choices, place, replace(run, ranks=left))


def _sizes(spare: int) -> Iterator[int]:
    """Yield how many tokens are taken out at once."""
    if spare <= _FEW:
        yield from range(spare, 0, -1)
        return
    while spare:
        yield spare
        spare //= 2


def _with_other_numbers(choices: Choices) -> Iterator[Choices]:
    for place, one in enumerate(choices):
        if isinstance(one, Number):
            for value in _lower(one.value - one.least):
                lowered = replace(one, value=one.least + value)
                yield _with(choices, place, lowered)
                # The number may have been of something that was drawn so many times.
                if one.least + value == one.value - 1:
                    yield from _without_some(_with(choices, place, lowered), place + 1)
            # A later option may be a shorter text.
            for value in range(one.value + 1, min(one.most, one.value + _FEW) + 1):
                yield _with(choices, place, replace(one, value=value))


def _without_some(choices: Choices, start: int) -> Iterator[Choices]:
    for first in range(start, len(choices)):
        for size in range(1, min(_DROPPED, len(choices) - first) + 1):
            yield choices[:first] + choices[first + size :]


def _with_tokens_replaced(choices: Choices) -> Iterator[Choices]:
    """Yield every occurrence of a token as one that is lower."""
    present = sorted({rank for _, run in _runs(choices) for rank in run.ranks})
    for old in present:
        for new in _lower(old, present):
            yield tuple(
                replace(one, ranks=tuple(new if rank == old else rank for rank in one.ranks))
                if isinstance(one, TokenRun)
                else one
                for one in choices
            )


def _with_tokens_lowered(choices: Choices) -> Iterator[Choices]:
    present = sorted({rank for _, run in _runs(choices) for rank in run.ranks})
    for place, run in _runs(choices):
        for position, old in enumerate(run.ranks):
            # Where it stands once, that was replacing it.
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
    """Yield a token one lower and a later one higher by one: what counts may be their sum."""
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
    """Return the values under one that are tried in its place, ascending.

    >>> _lower(5)
    [0, 1, 2, 3, 4]
    >>> _lower(100, [7, 100])
    [0, 1, 2, 3, 7, 36, 68, 84, 92, 96, 98, 99]
    """
    if value <= _FEW:
        return list(range(value))
    # Steps that double find the lowest of all that do in few passes.
    between = (value - 2**step for step in range(value.bit_length()) if 2**step < value)
    return sorted({0, 1, 2, 3, *between, *(one for one in present if one < value)})


def together(before: Choices, moved: Sequence[Choices]) -> Iterator[Choices]:
    """Yield what several moves from the same choices make together, the most of them first.

    Of moves that change tokens and numbers and leave as many; of two that change the same, the
    first.
    """
    fitting = [one for one in moved if _shape(one) == _shape(before)]
    for many in range(min(len(fitting), _JOINED), 1, -1):
        joint = list(before)
        for one in fitting[:many]:
            joint = [_joined(*three) for three in zip(before, joint, one, strict=True)]
        yield tuple(joint)


def _shape(choices: Choices) -> tuple[int, ...]:
    return tuple(len(one.ranks) if isinstance(one, TokenRun) else -1 for one in choices)


def _joined(before: Choice, joint: Choice, moved: Choice) -> Choice:
    if isinstance(moved, Number):
        return moved if joint == before else joint
    if not isinstance(before, TokenRun) or not isinstance(joint, TokenRun):
        return joint
    ranks = zip(before.ranks, joint.ranks, moved.ranks, strict=True)
    return replace(joint, ranks=tuple(new if now == old else now for old, now, new in ranks))
