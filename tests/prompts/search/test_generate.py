"""The search of a family: its budget, its order, what guides it, families that are tried whole."""

import itertools
import math

import pytest

from headtests import prompts
from headtests.prompts.search.generate import BATCH, hunt
from headtests.prompts.search.mutate import members
from headtests.prompts.search.score import PromptScore
from tests.prompts.search.planted import PLANTED, SLACK, Numbers, Planted

RUNS = prompts.family(lambda draw: draw.tokens(1, 12))
LARGE = Numbers(5000)


def searched(margin, family=RUNS, lexicon=LARGE, budget=2000, seed=0, **options):
    scorer = Planted(margin)
    found = hunt(family, lexicon, scorer, budget=budget, slack=SLACK, seed=seed, **options)
    return found, scorer


@pytest.mark.parametrize("budget", [1, 64, 100, 700])
def test_a_claim_that_is_true_finds_nothing_in_exactly_its_budget(budget):
    found, scorer = searched(lambda ids: 0.2 + 0.001 * len(ids), budget=budget)
    assert found.broken == []
    assert found.prompts == len(scorer.scored) == budget
    assert found.passes == len(scorer.batches) == math.ceil(budget / BATCH)
    assert found.worst.margin == min(0.2 + 0.001 * len(one.ids) for one in scorer.scored)
    ids = [prompt.ids for prompt in scorer.scored]
    assert len(ids) == len(set(ids))
    assert max(map(len, scorer.batches)) <= BATCH


def test_the_search_ends_with_the_batch_of_the_first_find():
    found, scorer = searched(PLANTED[2], lexicon=Numbers(5))
    assert found.broken
    assert len(scorer.batches) == found.passes
    last = scorer.batches[-1]
    assert all(PLANTED[2](one.ids) >= -SLACK for b in scorer.batches[:-1] for one in b)
    assert {one.ids for one in found.broken} == {
        one.ids for one in last if PLANTED[2](one.ids) < -SLACK
    }
    lengths = [len(one.ids) for one in found.broken]
    assert lengths == sorted(lengths)


def test_the_first_quarter_is_drawn_without_looking():
    def margin(ids):
        return 1.0

    _, scorer = searched(margin, budget=512)
    _, other = searched(lambda ids: 0.5 - 0.01 * len(ids), budget=512)
    assert scorer.batches[:2] == other.batches[:2]
    found, _ = searched(margin, budget=512)
    # Then a quarter of each batch.
    assert found.unguided == 128 + 6 * 16


def slope(ids):
    """Break at the end of a slope: nine tokens of under a hundred each."""
    return 0.89 - 0.1 * sum(one < 100 for one in ids)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_margins_guide_to_what_random_prompts_would_never_meet(seed, monkeypatch):
    found, _ = searched(slope, seed=seed)
    assert found.broken
    assert found.is_guided
    monkeypatch.setattr("headtests.prompts.search.generate.UNGUIDED", 1.0)
    blind, _ = searched(slope, seed=seed)
    assert not blind.broken
    assert blind.unguided == 2000


def test_the_same_seed_searches_alike_and_another_does_not():
    runs = [[one.ids for one in searched(slope, seed=seed)[1].scored] for seed in (3, 3, 4)]
    assert runs[0] == runs[1] != runs[2]


def test_a_family_of_few_is_tried_whole_and_each_once():
    words = ["a", "b", "c", "d"]
    family = prompts.template("{A}{B}{A}", distinct=False, A=words, B=words)
    found, scorer = searched(lambda ids: 1.0, family=family, budget=16)
    assert found.is_whole
    assert found.prompts == found.unguided == 16
    texts = {prompt.text for prompt in scorer.scored}
    assert texts == {a + b + a for a, b in itertools.product(words, words)}
    found, _ = searched(lambda ids: 1.0, family=family, budget=15)
    assert not found.is_whole


def test_members_whose_number_depends_on_a_choice_are_all_met():
    family = prompts.family(lambda draw: [draw.integer(0, 2) for _ in range(draw.integer(1, 3))])
    made = members(family, Numbers(4), 100)
    expected = {ids for length in (1, 2, 3) for ids in itertools.product(range(3), repeat=length)}
    assert {prompt.ids for prompt in made} == expected
    assert members(family, Numbers(4), 38) is None
    assert members(RUNS, Numbers(4), 10_000) is None


def test_members_that_are_the_same_prompt_are_one():
    assert len(members(prompts.given(["a", "a", "b"]), Numbers(4), 10)) == 2


def test_what_breaks_only_beside_others_is_no_find():
    def score(some):
        return [PromptScore(-1.0 if len(some) > 1 else 1.0, 0, 0.0) for _ in some]

    found = hunt(
        RUNS,
        LARGE,
        score,
        budget=300,
        slack=SLACK,
        seed=0,
        confirmed=lambda one: score([one])[0].breaks(SLACK),
    )
    assert found.broken == []
    assert found.prompts == 300


def test_a_margin_within_the_slack_is_no_find():
    found, _ = searched(lambda ids: -SLACK / 2, budget=128)
    assert found.broken == []
    assert found.worst.margin == -SLACK / 2


def test_prompts_without_an_eligible_row_are_tried_and_guide_nothing():
    scorer = lambda some: [PromptScore(math.inf) for _ in some]  # noqa: E731  # no row to name
    found = hunt(RUNS, LARGE, scorer, budget=300, slack=SLACK, seed=0)
    assert found.prompts == 300
    assert found.worst.margin == math.inf
