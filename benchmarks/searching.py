"""The cost of finding and shrinking a prompt that breaks a claim, against Hypothesis alone.

Three false claims about the bundled model. Each threshold lies between the worst row of all prompts
of some length and the worst row of all longer prompts, so that trying every shorter prompt tells
the smallest violation. For 20 seeds each, counts how often the search finds a violation of that
length, and after how many passes through the model. The baseline is Hypothesis's own `find` on the
same family, one prompt for each pass; replays of a prompt are not counted. Exits with 1 if fewer
than 19 of 20 violations are found and minimal, or if the median number of passes is more than a
quarter of the baseline's.
"""

import itertools
import random
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample

import headtests as ht
from headtests import prompts, query, strategies
from headtests.models.row_checks import tolerance_of
from headtests.prompts import Choice, Family, Forced, Number, Prompt, Simplest, TokenRun
from headtests.prompts.counterexamples import PromptClaim, prompt_claim
from headtests.prompts.search.model_scorer import ModelScorer
from headtests.prompts.search.run import search
from headtests.sessions.head import Head

SEEDS = 20
FOUND = 19
"""The least number of seeds with which the smallest violation has to be found."""
SHARE = 0.25
"""The allowed share of the baseline's passes."""
BUDGET = 2000
TOKENS = 10
"""Tokens that prompts are made of: few enough to try every short prompt."""
BESIDE = 2048
"""Prompts in one batch when all prompts are tried."""


@dataclass(frozen=True)
class Planted:
    """A false claim, and the choices that make up every prompt up to some size."""

    head: Head
    claim: PromptClaim
    sizes: Sequence[Iterator[tuple[Choice, ...]]]
    """The choices of all prompts of each length, ascending; the last ones break it."""

    @property
    def scorer(self) -> ModelScorer:
        """A scorer that has run nothing yet."""
        session: ht.Session = self.head._subject.evidence  # type: ignore[assignment]  # a session's head
        name = self.head._subject.name
        vocabulary = session.lexicon.vocabulary
        return ModelScorer(session.model, vocabulary, name, self.claim, session.options())


def runs(tokens: int, size: int, repeats: int, most: int) -> Iterator[tuple[Choice, ...]]:
    """Yield the choices of every run of a size."""
    for ranks in itertools.product(range(tokens), repeat=size):
        yield TokenRun(ranks, 1, most, tokens), Number(repeats, repeats, repeats)


def blocks(tokens: int, length: int) -> Iterator[tuple[Choice, ...]]:
    """Yield the choices of every block of 2 or 3 tokens with a gap that makes a length."""
    for block in (2, 3):
        gap = length - 2 * block
        if gap >= 0:
            for ranks in itertools.product(range(tokens), repeat=block + gap):
                yield TokenRun(ranks[:block], 2, 6, tokens), TokenRun(ranks[block:], 0, 8, tokens)


def planted(session: ht.Session) -> dict[str, Planted]:
    """Return the claims by name."""
    ordinary = list(session.lexicon.tokens(None))
    few = tuple(random.Random(1).sample(ordinary, TOKENS))
    claims: dict[str, tuple[str, dict[str, object], Family, list[Iterator[tuple[Choice, ...]]]]] = {
        "a run, previous token": (
            "L0H2",
            {"on": ht.previous, "when": None, "mass": 0.9},
            prompts.repeated((1, 12), 1, of=few),
            [runs(TOKENS, size, 1, 12) for size in range(1, 6)],
        ),
        "a run twice, induction": (
            "L1H3",
            {"on": ht.induction, "when": query.repeats, "mass": 0.03},
            prompts.repeated((1, 12), 2, of=few),
            [runs(TOKENS, size, 2, 12) for size in range(1, 5)],
        ),
        "block, gap, block, induction": (
            "L1H3",
            {"on": ht.induction, "when": query.repeats, "mass": 0.02},
            prompts.block_gap_block((2, 6), (0, 8), of=few),
            [blocks(TOKENS, length) for length in range(4, 8)],
        ),
    }
    return {
        name: Planted(
            session.head(head),
            prompt_claim(**asked, of=None, at_most=None, prompts=family),  # type: ignore[arg-type]  # as withstands() takes them
            sizes,
        )
        for name, (head, asked, family, sizes) in claims.items()
    }


def smallest(one: Planted, session: ht.Session, slack: float) -> int:
    """Return the number of tokens of the smallest violation, by trying every prompt."""
    scorer, family = one.scorer, one.claim.family
    for size in one.sizes:
        while chosen := list(itertools.islice(size, BESIDE)):
            made = [family.make(session.lexicon, Forced(choices, Simplest())) for choices in chosen]
            if any(score.breaks(slack) for score in scorer(made)):
                return len(made[0].ids)
    raise RuntimeError("the planted claim holds of every prompt that was tried")


def ours(one: Planted, session: ht.Session, slack: float, seed: int) -> tuple[int | None, int]:
    """Return the tokens of the prompt that the search finds, and the passes."""
    scorer = one.scorer
    found = search(one.claim, session.lexicon, scorer, budget=BUDGET, slack=slack, seed=seed)
    return (None if found.prompt is None else len(found.prompt.ids)), scorer.passes


def hypothesis_alone(
    one: Planted, session: ht.Session, slack: float, seed: int
) -> tuple[int | None, int]:
    """Return the same for Hypothesis, with one pass for each prompt not tried before."""
    scorer = one.scorer
    known: dict[tuple[int, ...], bool] = {}

    def breaks(ids: list[int]) -> bool:
        key = tuple(ids)
        if key not in known:
            known[key] = scorer([Prompt((), key)])[0].breaks(slack)
        return known[key]

    try:
        found = find(
            strategies.of_family(one.claim.family, head=one.head),
            breaks,
            settings=settings(
                max_examples=BUDGET,
                database=None,
                deadline=None,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
            random=random.Random(seed),
        )
    except NoSuchExample:
        return None, scorer.passes
    return len(found), scorer.passes


def main() -> int:
    """Print a line for each claim and method; return the exit code."""
    session = ht.Session(settings=ht.Settings(no_cache=True))
    slack = tolerance_of(session.model.dtype)
    failed = False
    print(f"{SEEDS} seeds, budget {BUDGET:,} prompts, {TOKENS} tokens to draw from")
    for name, one in planted(session).items():
        least = smallest(one, session, slack)
        print(f"{name}: {one.head}.withstands(..., mass={one.claim.threshold}), {least} tokens")
        medians = []
        for way, tried in (("headtests", ours), ("Hypothesis alone", hypothesis_alone)):
            results = [tried(one, session, slack, seed) for seed in range(SEEDS)]
            minimal = sum(tokens == least for tokens, _ in results)
            found = sum(tokens is not None for tokens, _ in results)
            passes = [count for _, count in results]
            medians.append(statistics.median(passes))
            print(
                f"  {way}: found {found} of {SEEDS}, minimal {minimal}, passes median "
                f"{medians[-1]:g} ({min(passes)} to {max(passes)})"
            )
            if tried is ours:
                failed |= minimal < FOUND
        ratio = medians[0] / medians[1]
        print(f"  ratio of passes: {ratio:.3f} (limit {SHARE})")
        failed |= ratio > SHARE
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
