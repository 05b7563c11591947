"""A claim that is searched: known prompts first, each alone, and what is found replays alone."""

import math

import pytest

import headtests as ht
from headtests import prompts
from headtests.prompts import Forced, Number, Simplest, TokenRun
from headtests.prompts.counterexamples import KnownPrompt, prompt_claim
from headtests.prompts.search.run import search
from headtests.prompts.search.score import PromptScore
from tests.prompts.search.planted import PLANTED, SLACK, Numbers, Planted

RUNS = prompts.family(lambda draw: draw.tokens(1, 10))
FIVE = Numbers(5)


def claim(mass=0.5, family=RUNS):
    return prompt_claim(ht.previous, when=None, of=None, mass=mass, at_most=None, prompts=family)


def known(*ranks, value=0.1):
    return KnownPrompt(ranks, (TokenRun(ranks, 1, 10, 5),), value)


def searched(margin, some=(), budget=640, **options):
    scorer = margin if isinstance(margin, Planted) else Planted(margin)
    options = {"claim": claim(), **options}
    asked = options.pop("claim")
    found = search(asked, FIVE, scorer, known=some, budget=budget, slack=SLACK, seed=0, **options)
    return found, scorer


def test_what_is_found_breaks_the_claim_alone():
    for margin in PLANTED:
        found, scorer = searched(margin)
        assert found.prompt is not None
        assert [found.prompt] in scorer.batches
        assert found.passes == len(scorer.batches)
        assert found.found_with >= len(found.prompt.ids)


def test_a_known_prompt_that_breaks_it_ends_the_search_at_once():
    found, scorer = searched(lambda ids: 0.2 - 0.1 * len(ids), [known(1, 2, 3), known(4, 4, 4, 4)])
    assert found.how == "kept"
    assert found.prompt.ids == (1, 2, 3)
    assert (found.known, found.prompts, found.passes) == (2, 0, 2)
    assert [len(batch) for batch in scorer.batches] == [1, 1]


def test_known_prompts_that_are_quiet_are_told_with_their_margin():
    found, _ = searched(lambda ids: 0.3, [known(1, 2, 3)])
    assert [(one.ids, one.margin) for one in found.quiet] == [((1, 2, 3), 0.3)]
    assert (found.known, found.prompts, found.prompt) == (1, 640, None)


def test_one_that_broke_a_higher_threshold_alone_is_not_quiet():
    found, _ = searched(lambda ids: 0.3, [known(1, 2, 3, value=0.6)])
    assert found.quiet == ()
    assert found.known == 1


@pytest.mark.parametrize(
    "other",
    [
        KnownPrompt((1, 2), (TokenRun((1, 2), 2, 10, 5),), 0.1),  # of other bounds
        KnownPrompt((1, 2), (TokenRun((1, 3), 1, 10, 5),), 0.1),  # of other ids
        KnownPrompt((1,), (Number(1, 0, 4),), 0.1),  # of another kind
        KnownPrompt((9,), (TokenRun((9,), 1, 10, 5),), 0.1),  # of a token that may not be drawn
        KnownPrompt((1,), (TokenRun((1,), 1, 10, 5), Number(0, 0, 0)), 0.1),  # of more choices
    ],
)
def test_known_prompts_that_the_family_does_not_make_are_not_tried(other):
    found, scorer = searched(lambda ids: -1.0 if ids == other.ids else 1.0, [other], budget=64)
    assert (found.foreign, found.known) == (1, 0)
    assert len(scorer.batches[0]) > 1


def test_rounding_that_depends_on_the_batch_yields_nothing_that_does_not_replay():
    """Beside others every prompt looks worse than alone, by more than the slack."""
    alone = {}

    def score(some):
        said = []
        for one in some:
            true = PLANTED[2](one.ids)
            alone[one.ids] = true
            said.append(PromptScore(true if len(some) == 1 else true - 0.35, 0, 0.0))
        return said

    found = search(claim(), FIVE, score, budget=2000, slack=SLACK, seed=1)
    assert found.prompt is None or alone[found.prompt.ids] < -SLACK
    # Where none breaks it alone, nothing is found, however many seem to beside others.
    nothing = search(
        claim(),
        FIVE,
        lambda some: [PromptScore(0.1 if len(some) == 1 else -0.5, 0, 0.0) for _ in some],
        budget=500,
        slack=SLACK,
        seed=1,
    )
    assert nothing.prompt is None
    assert nothing.prompts == 500


def test_the_worst_margin_is_that_of_all_that_was_tried():
    found, scorer = searched(lambda ids: 0.5 - 0.01 * sum(ids))
    assert found.worst == min(0.5 - 0.01 * sum(one.ids) for one in scorer.scored)
    found, _ = searched(lambda ids: 0.5, [known(4, 4, 4)])
    assert found.worst == 0.5


def test_without_an_eligible_row_there_is_no_worst_margin():
    def score(some):
        return [PromptScore(math.inf) for _ in some]

    found = search(claim(), FIVE, score, budget=64, slack=SLACK, seed=0)
    assert found.worst == math.inf


def test_what_is_found_is_of_the_family():
    found, _ = searched(PLANTED[0])
    made = RUNS.make(FIVE, Forced(found.prompt.choices, Simplest()))
    assert made == found.prompt
