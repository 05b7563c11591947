"""The smallest prompt: that which brute force finds, inside the family, and one that replays."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests import prompts
from headtests.prompts import Forced, Number, Prompt, Simplest, TokenRun
from headtests.prompts.search.mutate import Randomly
from headtests.prompts.search.score import PromptScore, complexity
from headtests.prompts.search.shrink import shrink
from tests.prompts.search.planted import PLANTED, SLACK, Numbers, Planted

FOUR = Numbers(4)
RUNS = prompts.family(lambda draw: draw.tokens(1, 10))


def smallest(margin, size, most):
    """Return the simplest prompt of up to so many tokens that breaks it, by trying every one."""
    return next(
        ids
        for length in range(1, most + 1)
        for ids in itertools.product(range(size), repeat=length)
        if margin(ids) < -SLACK
    )


def broken_one(family, lexicon, margin, seed):
    """Return a random prompt that breaks a claim."""
    chooser = Randomly(random.Random(seed))
    while True:
        prompt = family.make(lexicon, chooser)
        if margin(prompt.ids) < -SLACK:
            return prompt


@pytest.mark.slow
@pytest.mark.parametrize("margin", PLANTED)
@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_smallest_that_brute_force_finds(margin, seed):
    start = broken_one(RUNS, FOUR, margin, seed)
    found = shrink(RUNS, FOUR, Planted(margin), start, slack=SLACK, seed=seed)
    assert found.prompt.ids == smallest(margin, 4, 6)
    assert found.is_smallest


def seven(ids):
    """Break where a token of the lower half and one of the upper stand three apart, twice."""
    pairs = sum(a < 25_000 <= b for a, b in zip(ids, ids[3:], strict=False))
    return 0.5 - 0.26 * pairs


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_of_a_large_vocabulary_it_has_as_few_tokens_as_it_may(seed):
    lexicon, family = Numbers(50_257), prompts.family(lambda draw: draw.tokens(1, 40))
    scorer = Planted(seven)
    start = broken_one(family, lexicon, seven, seed)
    found = shrink(family, lexicon, scorer, start, slack=SLACK, seed=seed)
    assert seven(found.prompt.ids) < -SLACK
    # Two pairs, three apart, that share nothing.
    assert len(found.prompt.ids) == 5
    assert found.passes == len(scorer.batches) < 80


def test_no_batch_is_larger_than_asked_for_and_no_prompt_is_tried_twice():
    scorer = Planted(PLANTED[0])
    start = broken_one(RUNS, Numbers(50), PLANTED[0], 3)
    found = shrink(RUNS, Numbers(50), scorer, start, slack=SLACK, batch=16)
    assert max(map(len, scorer.batches)) == 16
    tried = [prompt.ids for prompt in scorer.scored]
    assert len(tried) == len(set(tried)) == found.prompts
    assert start.ids not in tried


def test_what_breaks_a_claim_only_beside_others_is_passed_over():
    margin = PLANTED[2]

    def score(some):
        # Beside others every prompt seems to break it.
        beside = len(some) > 1
        return [PromptScore(-0.5 if beside else margin(one.ids), 0, 0.0) for one in some]

    start = broken_one(RUNS, FOUR, margin, 1)
    found = shrink(
        RUNS,
        FOUR,
        score,
        start,
        slack=SLACK,
        confirmed=lambda one: score([one])[0].breaks(SLACK),
    )
    assert margin(found.prompt.ids) < -SLACK


def test_it_ends_with_its_passes():
    start = broken_one(RUNS, FOUR, PLANTED[2], 1)
    found = shrink(RUNS, FOUR, Planted(PLANTED[2]), start, slack=SLACK, most_passes=1)
    assert found.passes == 1
    assert not found.is_smallest


def test_the_same_seed_gives_the_same_prompt():
    start = broken_one(RUNS, Numbers(500), PLANTED[0], 9)
    one, other = (
        shrink(RUNS, Numbers(500), Planted(PLANTED[0]), start, slack=SLACK, seed=4) for _ in "ab"
    )
    assert one == other


@prompts.family
def looped(draw):
    """A family whose choices depend on each other."""
    parts = [draw.tokens(1, 3) for _ in range(draw.integer(1, 4))]
    gap = draw.tokens(len(parts), len(parts) + 2)
    return draw.framed((*itertools.chain(*parts), *gap, draw.choice((7, 8, 9))))


FAMILIES = (
    prompts.repeated((1, 6), (1, 3)),
    prompts.block_gap_block((1, 4), (0, 5)),
    prompts.template("{A} {B} {A}", A=["a", "bb", "c"], B=["a", "d", "eee"]),
    prompts.edited((1, 6), (0, 3)),
    prompts.given([[1, 2, 3], "abc", [5]]),
    looped,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(family=st.sampled_from(FAMILIES), seed=st.integers(0, 10_000), bar=st.integers(1, 12))
def test_every_prompt_that_is_tried_is_one_of_the_family(family, seed, bar):
    lexicon = Numbers(20, documents=4)
    scorer = Planted(lambda ids: -1.0 if len(ids) >= bar else 1.0)
    start = family.make(lexicon, Randomly(random.Random(seed)))
    shrink(family, lexicon, scorer, start, slack=SLACK, seed=seed, most_passes=12)
    for prompt in scorer.scored:
        made = family.make(lexicon, Forced(prompt.choices, Simplest()))
        assert made == prompt
        assert complexity(prompt) < complexity(start)
        for one in prompt.choices:
            if isinstance(one, Number):
                assert one.least <= one.value <= one.most
            else:
                assert one.least <= len(one.ranks) <= one.most
                assert all(0 <= rank < one.tokens for rank in one.ranks)


def test_a_prompt_of_one_choice_is_made_of_its_simplest_option():
    family = prompts.template("{A}", A=["abc", "a", "b"])
    start = family.make(Numbers(4), Forced([Number(0, 0, 2)], Simplest()))
    found = shrink(family, Numbers(4), Planted(lambda ids: -1.0), start, slack=SLACK)
    assert found.prompt == Prompt((Number(1, 0, 2),), (97,), "a")


def test_what_was_drawn_so_many_times_is_drawn_fewer_times():
    def margin(ids):
        return -1.0 if 9 in ids else 1.0

    family = prompts.family(
        lambda draw: [one for _ in range(draw.integer(1, 4)) for one in draw.tokens(2)]
    )
    start = family.make(
        Numbers(10),
        Forced(
            [Number(3, 1, 4), *(TokenRun(run, 2, 2, 10) for run in ((1, 2), (3, 4), (5, 9)))],
            Simplest(),
        ),
    )
    found = shrink(family, Numbers(10), Planted(margin), start, slack=SLACK)
    assert found.prompt.ids == (0, 9)
