"""The search of a family for a prompt that breaks a claim: random first, then guided.

Prompts and scores in, the prompts that break it out. Nothing is made smaller here, and no model is
known.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from headtests.prompts import Choice, Family, Forced, Lexicon, Prompt
from headtests.prompts.search.mutate import Randomly, changed, members
from headtests.prompts.search.score import PromptScore, Scorer, complexity

BATCH = 64
"""Prompts of one pass, at most."""
UNGUIDED = 0.25
"""The share of the budget that is drawn without looking at what was found."""
FRESH = 0.25
"""The share of a guided batch that is drawn anew, so that no hill is the last."""
WORST = 16
"""Prompts that are changed: those that came nearest to breaking the claim."""
_TRIES = 20
"""How often a place of a batch may be drawn, for a prompt that was not tried yet."""


@dataclass
class Hunt:
    """What was tried of a family, and what was found."""

    prompts: int = 0
    """How many different prompts were tried."""
    passes: int = 0
    unguided: int = 0
    """How many of them were drawn without looking at what was found before."""
    worst: PromptScore = field(default_factory=lambda: PromptScore(math.inf))
    """The score of that which came nearest, or went furthest."""
    is_whole: bool = False
    """Whether that was every prompt of the family."""
    broken: list[Prompt] = field(default_factory=list)
    """Prompts of the last pass that break the claim, the simplest first; empty for none."""
    is_guided: bool = False
    """Whether the first of them was made by changing another."""


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
    """Return what a search of at most `budget` prompts finds; it ends with the first find.

    A family of no more members than that is tried whole, the simplest choices first. `confirmed`
    says of a prompt that broke the claim beside others whether it does so alone, too.
    """
    found, search = Hunt(), _Search(family, lexicon, budget, seed, batch)
    for prompts in search.batches():
        scores = score(prompts)
        found.passes += 1
        found.prompts += len(prompts)
        found.unguided += sum(prompt.ids not in search.guided for prompt in prompts)
        search.learn(prompts, scores)
        found.worst = min((found.worst, *scores), key=lambda one: one.margin)
        broken = [one for one, said in zip(prompts, scores, strict=True) if said.breaks(slack)]
        found.broken = [one for one in sorted(broken, key=complexity) if confirmed(one)]
        if found.broken:
            found.is_guided = found.broken[0].ids in search.guided
            return found
    found.is_whole = search.is_whole
    return found


class _Search:
    """Which prompts are tried next."""

    def __init__(
        self, family: Family, lexicon: Lexicon, budget: int, seed: int, batch: int
    ) -> None:
        self._family, self._lexicon = family, lexicon
        self._budget, self._batch = budget, batch
        self._random = random.Random(seed)
        self._tried: set[tuple[int, ...]] = set()
        self._worst: list[tuple[float, float, Prompt]] = []
        self.guided: set[tuple[int, ...]] = set()
        """The ids of prompts that were made by changing another."""
        self.is_whole = False
        """Whether the batches are every prompt of the family."""

    def batches(self) -> Iterator[Sequence[Prompt]]:
        """Yield prompts for one pass after another, none twice; what was learnt guides them."""
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
            prompts = [p for _ in range(guided) if (p := self._new(self._change)) is not None]
            self.guided.update(prompt.ids for prompt in prompts)
            left = range(room - len(prompts))
            prompts += [p for _ in left if (p := self._new(self._draw)) is not None]
            if not prompts:
                return
            yield prompts

    def learn(self, prompts: Sequence[Prompt], scores: Sequence[PromptScore]) -> None:
        """Remember those that came nearest to breaking the claim."""
        self._worst += [
            # Of equal ones any, since the simplest would soon be all alike.
            (said.margin, self._random.random(), prompt)
            for prompt, said in zip(prompts, scores, strict=True)
            if said.margin < math.inf
        ]
        self._worst = sorted(self._worst, key=lambda one: one[:2])[:WORST]

    def _new(self, make: Callable[[], Prompt]) -> Prompt | None:
        for _ in range(_TRIES):
            prompt = make()
            if prompt.ids not in self._tried:
                self._tried.add(prompt.ids)
                return prompt
        return None

    def _draw(self) -> Prompt:
        return self._family.make(self._lexicon, Randomly(self._random))

    def _change(self) -> Prompt:
        if not self._worst:
            return self._draw()
        # The nearest most often.
        place = min(int(self._random.expovariate(4 / WORST)), len(self._worst) - 1)
        choices: Sequence[Choice] = changed(self._worst[place][2].choices, self._random)
        chooser = Forced(choices, Randomly(self._random))
        return self._family.make(self._lexicon, chooser)
