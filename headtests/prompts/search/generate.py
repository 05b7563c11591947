"""The search of a family for a prompt that breaks a claim: random first, then guided by scores.

Prompts and scores in, the prompts that break the claim out. Needs no model; `shrink` makes prompts
smaller.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from headtests.prompts import Choice, Family, Forced, Lexicon, Prompt
from headtests.prompts.search.mutate import Randomly, members, mutate
from headtests.prompts.search.score import PromptScore, Scorer, complexity

BATCH = 64
"""The most prompts in one pass."""
UNGUIDED = 0.25
"""The share of the budget that is drawn at random, without regard to scores."""
FRESH = 0.25
"""The share of a guided batch that is drawn at random, to escape local optima."""
WORST = 16
"""How many prompts are mutated: those that came nearest to breaking the claim."""
_TRIES = 20
"""How often one prompt is drawn again if it was tried before."""


@dataclass
class Hunt:
    """The result of the search of a family."""

    prompts: int = 0
    """How many different prompts were tried."""
    passes: int = 0
    unguided: int = 0
    """How many of them were drawn at random, without regard to scores."""
    worst: PromptScore = field(default_factory=lambda: PromptScore(math.inf))
    """The score with the smallest margin."""
    is_whole: bool = False
    """Whether every prompt of the family was tried."""
    broken: list[Prompt] = field(default_factory=list)
    """Prompts of the last pass that break the claim, the simplest first."""
    is_guided: bool = False
    """Whether the first of them was made by mutating another prompt."""


def hunt(
    family: Family,
    lexicon: Lexicon,
    score: Scorer,
    *,
    budget: int,
    slack: float,
    seed: int,
    batch: int = BATCH,
    confirmed: Callable[[Prompt], bool] = lambda _: True,
) -> Hunt:
    """Search at most `budget` prompts, until a pass breaks the claim.

    A family of at most `budget` members is tried as a whole, the simplest choices first.
    `confirmed` checks that a prompt that broke the claim in a batch also breaks it alone.
    """
    result, search = Hunt(), _Search(family, lexicon, budget, seed, batch)
    for prompts in search.batches():
        scores = score(prompts)
        result.passes += 1
        result.prompts += len(prompts)
        result.unguided += sum(prompt.ids not in search.guided for prompt in prompts)
        search.learn(prompts, scores)
        result.worst = min((result.worst, *scores), key=lambda s: s.margin)
        broken = [prompt for prompt, s in zip(prompts, scores, strict=True) if s.breaks(slack)]
        result.broken = [prompt for prompt in sorted(broken, key=complexity) if confirmed(prompt)]
        if result.broken:
            result.is_guided = result.broken[0].ids in search.guided
            return result
    result.is_whole = search.is_whole
    return result


class _Search:
    """Decides which prompts are tried next."""

    def __init__(
        self, family: Family, lexicon: Lexicon, budget: int, seed: int, batch: int
    ) -> None:
        self._family, self._lexicon = family, lexicon
        self._budget, self._batch = budget, batch
        self._random = random.Random(seed)
        self._tried: set[tuple[int, ...]] = set()
        self._worst: list[tuple[float, float, Prompt]] = []
        self.guided: set[tuple[int, ...]] = set()
        """The ids of prompts that were made by mutating another."""
        self.is_whole = False
        """Whether the batches hold every prompt of the family."""

    def batches(self) -> Iterator[Sequence[Prompt]]:
        """Yield the prompts of each pass, none twice; the scores given to `learn` guide them."""
        every = members(self._family, self._lexicon, self._budget)
        if every is not None:
            self.is_whole = True
            for start in range(0, len(every), self._batch):
                yield every[start : start + self._batch]
            return
        unguided = max(self._batch, math.ceil(UNGUIDED * self._budget))
        while len(self._tried) < self._budget:
            room = min(self._batch, self._budget - len(self._tried))
            guided = 0 if len(self._tried) < unguided else round((1 - FRESH) * room)
            prompts = [p for _ in range(guided) if (p := self._new(self._mutate)) is not None]
            self.guided.update(prompt.ids for prompt in prompts)
            remaining = range(room - len(prompts))
            prompts += [p for _ in remaining if (p := self._new(self._draw)) is not None]
            if not prompts:
                return
            yield prompts

    def learn(self, prompts: Sequence[Prompt], scores: Sequence[PromptScore]) -> None:
        """Keep the prompts that came nearest to breaking the claim."""
        self._worst += [
            # Ties are broken at random: the simplest prompts would soon be all alike.
            (score.margin, self._random.random(), prompt)
            for prompt, score in zip(prompts, scores, strict=True)
            if score.margin < math.inf
        ]
        self._worst = sorted(self._worst, key=lambda entry: entry[:2])[:WORST]

    def _new(self, make: Callable[[], Prompt]) -> Prompt | None:
        for _ in range(_TRIES):
            prompt = make()
            if prompt.ids not in self._tried:
                self._tried.add(prompt.ids)
                return prompt
        return None

    def _draw(self) -> Prompt:
        return self._family.make(self._lexicon, Randomly(self._random))

    def _mutate(self) -> Prompt:
        if not self._worst:
            return self._draw()
        # The nearest prompt is chosen most often.
        place = min(int(self._random.expovariate(4 / WORST)), len(self._worst) - 1)
        choices: Sequence[Choice] = mutate(self._worst[place][2].choices, self._random)
        chooser = Forced(choices, Randomly(self._random))
        return self._family.make(self._lexicon, chooser)
