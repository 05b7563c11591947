"""Planted scorers over a lexicon of numbers, whose smallest violations are known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from headtests.prompts import Prompt
from headtests.prompts.search.score import PromptScore

SLACK = 1e-4


@dataclass(frozen=True)
class Numbers:
    """A lexicon whose token ids are 0, 1, 2, ...; a text has an id a character."""

    size: int
    documents: int = 0

    def tokens(self, of: object) -> Sequence[int]:
        return range(self.size) if of is None else tuple(of)  # type: ignore[arg-type]

    def framed(self, ids: Sequence[int]) -> tuple[int, ...]:
        return tuple(ids)

    def ids_of(self, text: str) -> tuple[int, ...]:
        return tuple(map(ord, text))

    def document(self, number: int) -> tuple[int, ...]:
        return tuple((number + place) % self.size for place in range(5 + number))


@dataclass
class Planted:
    """A scorer that remembers every prompt it was given, batch by batch."""

    margin: Callable[[tuple[int, ...]], float]
    batches: list[list[Prompt]] = field(default_factory=list)

    def __call__(self, prompts: Sequence[Prompt]) -> list[PromptScore]:
        self.batches.append(list(prompts))
        return [PromptScore(self.margin(prompt.ids), 0, 0.0) for prompt in prompts]

    @property
    def scored(self) -> list[Prompt]:
        return [prompt for batch in self.batches for prompt in batch]


def comes_again(ids: tuple[int, ...]) -> float:
    """Break where a token comes again three places later or more, the further the deeper."""
    again = [j - i for i in range(len(ids)) for j in range(i + 1, len(ids)) if ids[i] == ids[j]]
    return 0.25 - 0.1 * max(again, default=0)


def in_order(ids: tuple[int, ...]) -> float:
    """Break where a token of 2 or more stands before a 1 that stands before another 2 or more."""
    ones = [place for place, one in enumerate(ids) if one == 1]
    found = any(
        max(ids[:place], default=0) >= 2 and max(ids[place:], default=0) >= 2 for place in ones
    )
    return -0.5 if found else 0.5 - 0.1 * bool(ones) - 0.1 * (max(ids) >= 2)


def heavy(ids: tuple[int, ...]) -> float:
    """Break where the tokens add up to 7."""
    return (6.5 - sum(ids)) / 10


def bracketed(ids: tuple[int, ...]) -> float:
    """Break where 3 opens and 2 closes, in balance, around something."""
    depth, filled = 0, False
    for one in ids:
        if one == 2:
            if not depth:
                return 0.4
            depth -= 1
        elif one == 3:
            depth += 1
        elif depth:
            filled = True
    return -0.3 if filled and not depth else 0.3 + 0.1 * depth


PLANTED = (comes_again, in_order, heavy, bracketed)
