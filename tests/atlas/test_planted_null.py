"""Heads whose rows are shuffled: of what is confirmed, no more than e-BH's share may be wrong."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from headtests.atlas import choose, measure
from headtests.atlas.decide import LEVEL, confirmed
from headtests.atlas.measure import CorpusAtlas
from headtests.corpora import GivenTexts
from headtests.measurement.readers import relation_sums
from headtests.settings import Settings
from tests.explanations import planted

SEEDS = 200
HEADS = 8
DOCUMENTS = 16
TEXT = 'the cat (sat) On a mat. \n It was 12 of " them, and The dog said: no; ran home'
WORDS = TEXT.split(" ")


class Shuffled(planted.Planted):
    """Each row attends to a few random keys of its own, whatever the tokens are."""

    seed = 0

    def read(self, batch, heads, portions, give):
        for portion in portions:
            documents = batch.documents[portion.start : portion.stop]
            length = max(map(len, documents))
            rows = np.zeros((len(heads), len(documents), length, length), dtype=np.float32)
            for place, document in enumerate(documents):
                size = len(document)
                generator = np.random.default_rng([self.seed, document.id])
                keys = generator.random((len(heads), size, size), dtype=np.float32) < 0.15
                keys = np.tril(keys)
                keys[..., 0] |= ~keys.any(-1)
                rows[:, place, :size, :size] = keys / keys.sum(-1, keepdims=True)
            give(tuple(heads), portion, torch.from_numpy(rows))
            portion.read.update(heads)


@pytest.fixture(scope="module")
def shuffled():
    """Return a session of shuffled heads on short texts."""
    generator = np.random.default_rng(0)
    texts = GivenTexts.of([" ".join(generator.choice(WORDS, 10)) for _ in range(DOCUMENTS)])
    rules = {f"L0H{index}": planted.nothing for index in range(HEADS)}
    session = planted.session(corpus=texts, rules=rules, max_length=14)
    like = session.model
    session.model = Shuffled(like, like.rules)
    return session


@pytest.fixture
def rash(monkeypatch):
    """Claim what chance gives, at thresholds just above the truth."""

    def is_decided(threshold, share, deviation, rest, alpha, documents):
        return (share - threshold) * math.sqrt(documents) >= 1.5 * deviation

    def at_the_truth(*arguments):
        chosen = choose.choose(*arguments)
        return [replace(each, threshold=1.02 * each.shares.uniform) for each in chosen]

    monkeypatch.setattr(choose, "LEAST_EXCESS", 0.01)
    monkeypatch.setattr(choose, "LEAST_LIFT", 1.0)
    monkeypatch.setattr(choose, "_is_decided", is_decided)
    monkeypatch.setattr(measure, "choose", at_the_truth)
    known, real = {}, relation_sums.relation_plans

    def plans(tokens, *rest):
        # Plans depend on tokens alone, which are the same for all seeds.
        documents = tokens.batch.documents
        if any(document.id not in known for document in documents):
            known.update(zip((each.id for each in documents), real(tokens, *rest), strict=True))
        return [known[document.id] for document in documents]

    monkeypatch.setattr(relation_sums, "relation_plans", plans)


@pytest.mark.slow
@pytest.mark.usefixtures("rash")
def test_of_what_is_confirmed_no_more_than_the_level_is_wrong(shuffled):
    """The rate is the average, over seeds, of the wrong part of what is confirmed."""
    rates, by_eye = [], []
    for seed in range(SEEDS):
        shuffled.model.seed = seed
        settings = Settings(no_cache=True, alpha=0.2, seed=seed)
        model, population, options = shuffled.model, shuffled.population, shuffled.options()
        atlas = CorpusAtlas(model, population, options, settings, documents=DOCUMENTS)
        atlas.read()
        # Every key is as likely as another, so that uniform attention is the truth.
        proposals = [each for each in atlas.proposals if each.decided is not None]
        wrong = [each.threshold > each.measured.uniform for each in proposals]
        seen = [each.decided.value > each.threshold for each in proposals]
        for rate, found in (
            (rates, confirmed([each.decided for each in proposals])),
            (by_eye, seen),
        ):
            false = sum(
                is_false for is_false, is_found in zip(wrong, found, strict=True) if is_found
            )
            rate.append(false / max(sum(found), 1))
    assert np.mean(by_eye) > 0.2
    assert np.mean(rates) <= LEVEL
