"""The gallery's claim that holds on average and that a small prompt breaks."""

import importlib.util
import random
from pathlib import Path

import pytest

import headtests as ht
from headtests.models.row_checks import tolerance_of
from headtests.prompts.counterexamples import prompt_claim
from headtests.prompts.search.model_scorer import ModelScorer
from headtests.prompts.search.mutate import Randomly

DEMO = Path(__file__).parents[3] / "hypotheses/test_demo.py"
THRESHOLD = 0.84
DRAWN = 8192


@pytest.fixture(scope="module")
def gallery():
    spec = importlib.util.spec_from_file_location("gallery", DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def session():
    session = ht.Session(settings=ht.Settings(no_cache=True))
    yield session
    session.close()


def test_the_threshold_is_the_gallerys():
    assert f"head.withstands(ht.previous, mass={THRESHOLD}, prompts=RANDOM_RUNS)" in (
        DEMO.read_text(encoding="utf-8")
    )


@pytest.mark.slow
def test_fewer_than_1_in_200_unguided_prompts_of_its_family_break_it(gallery, session):
    family = gallery.RANDOM_RUNS
    claim = prompt_claim(
        ht.previous, when=None, of=None, mass=THRESHOLD, at_most=None, prompts=family
    )
    head = session.named("L0H2")[0]
    scorer = ModelScorer(session.model, session.lexicon.vocabulary, head, claim, session.options())
    chooser, slack = Randomly(random.Random(11)), tolerance_of(session.model.dtype)
    broken = 0
    for _ in range(DRAWN // 64):
        prompts = [family.make(session.lexicon, chooser) for _ in range(64)]
        broken += sum(score.breaks(slack) for score in scorer(prompts))
    # Three standard deviations of so many draws above what was seen.
    assert broken > 0
    assert broken + 3 * broken**0.5 < DRAWN / 200


@pytest.mark.slow
def test_a_small_prompt_refutes_it(gallery, session):
    claim = session.head("L0H2").withstands(
        ht.previous, mass=THRESHOLD, prompts=gallery.RANDOM_RUNS
    )
    assert not claim
    assert len(claim.counterexample) <= 8
    ids = list(claim.counterexample.ids)
    again = session.head("L0H2").pattern(ids)
    query = claim.counterexample.query
    assert again[query, query - 1] < THRESHOLD
