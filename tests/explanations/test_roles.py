"""Roles: heads that look like one on their texts, and heads that are one."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

import headtests as ht
from headtests import query
from headtests.atlas.choose import Shares
from headtests.claims.definitions import Mass, RowOptions
from headtests.claims.estimate import Estimate
from headtests.claims.quantity import Subject
from headtests.explanations.builtin_explainer import Texts, explain
from headtests.explanations.random_repeats import PERIODS, random_repeats
from headtests.explanations.roles import Role
from headtests.expressions import duplicate, induction, previous
from headtests.expressions.head_names import HeadName
from headtests.expressions.library import LIBRARY, PUNCTUATION
from headtests.settings import Settings
from tests.explanations import planted

OPTIONS = RowOptions(suppress_first_token=True)
NAMED = {each.relation: each for each in LIBRARY}


def shares(share, uniform=0.02, matched=0.05, rows=100):
    return Shares(10, rows, share, uniform, matched, share, is_distance=False)


def role(relation=induction, words=0.5, punctuation=0.5, random=0.9, **every):
    kinds = [each if each is None else shares(each) for each in (words, punctuation)]
    return Role(NAMED[relation], shares(**{"share": 0.5} | every), *kinds, random)


@pytest.mark.parametrize("relation", [duplicate, induction, induction.latest])
def test_a_role_of_repetition_holds_where_random_tokens_show_it(relation):
    assert role(relation).holds
    assert not role(relation, random=0.29).holds
    # Punctuation or a period of the texts that say otherwise take no name that random tokens give.
    assert role(relation, punctuation=0.01, matched=0.4).holds
    assert not role(relation, words=0.01).holds
    assert not role(relation, share=0.02, words=0.05, punctuation=0.05).holds


def test_without_random_tokens_the_texts_alone_must_show_it():
    assert role(random=None).holds
    for against in ({"words": 0.2}, {"punctuation": 0.2}, {"matched": 0.4}):
        assert not role(random=None, **against).holds


@pytest.mark.parametrize("kind", ["words", "punctuation"])
def test_a_role_of_distance_holds_in_rows_of_either_kind_or_not_at_all(kind):
    # The head's own average by distance says nothing about a distance.
    assert role(previous, random=None, matched=0.5).holds
    assert not role(previous, random=None, **{kind: 0.29}).holds
    assert role(previous, random=None, **{kind: None}).holds


def test_in_rows_of_one_kind_it_needs_half_of_its_share_and_more_than_uniform():
    tried = role()
    assert tried.holds_in(shares(0.25))
    assert not tried.holds_in(shares(0.24))
    assert not tried.holds_in(shares(0.25, uniform=0.17))
    assert tried.holds_in(None)


# Heads that look like what they are not, on lines of a form.


def is_punctuation(tokens):
    return np.array([re.fullmatch(r"\W+", token) is not None for token in tokens])


def punctuation_again(tokens, ids):
    """Punctuation attends to the same sign before it, and words to nothing."""
    return np.asarray(planted.duplicate(tokens, ids)) & is_punctuation(tokens)[:, None]


def after_punctuation(tokens, ids):
    """Words attend to the token before them if it is punctuation."""
    return planted.previous(tokens, ids) * is_punctuation(tokens)[None, :]


def a_line_back(tokens, ids):
    """The key is the one after that at the distance of a line, whatever is there."""
    return np.eye(len(tokens), k=1 - LINE)


LINE = 12
"""Tokens of a line of the form."""


@pytest.fixture(scope="module")
def formed(demo_model, tmp_path_factory):
    """A session of planted heads over lines of a form, each of equally many tokens."""
    random = np.random.default_rng(0)
    words = [" if", " the", " for", " in", " is", " not", " and", " or"]
    path = tmp_path_factory.mktemp("formed") / "lines.jsonl"
    lines = [
        {
            "text": "".join(
                f"{w[0]}:{w[1]},{w[2]}:{w[3]},{w[4]}:{w[5]}," for w in random.choice(words, (8, 6))
            )
        }
        for _ in range(60)
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    rules = {
        "L0H0": punctuation_again,
        "L0H1": after_punctuation,
        "L0H2": a_line_back,
        "L0H3": planted.duplicate,
        "L0H4": planted.previous,
    }
    session = planted.session(demo_model, rules, str(path))
    assert session.population.lengths.max() <= 8 * LINE + 2
    yield session
    session.close()


@pytest.mark.slow
def test_heads_that_only_look_like_one_are_not_named_and_the_reason_is_given(formed):
    texts = Texts(formed, OPTIONS)
    said = {head: explain(texts, planted.name(head))["text"] for head in ("L0H0", "L0H1", "L0H2")}
    for text in said.values():
        assert " head does" not in text
    assert "It is not called a duplicate-token head, since this does not hold" in said["L0H0"]
    assert "clearly in rows of words: in rows" in said["L0H0"]
    assert "not called a previous-token head, since this does not hold clearly in" in said["L0H1"]


@pytest.mark.slow
def test_heads_that_are_one_are_named_on_the_same_lines(formed):
    texts = Texts(formed, OPTIONS)
    for head, named in (("L0H3", "duplicate-token"), ("L0H4", "previous-token")):
        text = explain(texts, planted.name(head))["text"]
        assert text.startswith(f"{head} attends as a {named} head does. In rows")


@pytest.mark.slow
def test_where_all_repeats_at_one_distance_the_sentence_says_that_distance_would_do(demo_model):
    session = planted.session(
        demo_model,
        {"L0H0": planted.induction},
        "repeated-random",
        {"documents": 64, "period": 20},
    )
    text = explain(Texts(session, OPTIONS), planted.name("L0H0"))["text"]
    assert text.startswith(
        "L0H0 attends as an induction head does, but not beyond its own average at the same "
        "distances. In rows"
    )
    session.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["L0H1", "L0H2", "L0H4"])
def test_shares_are_those_of_claims_about_the_same_rows(texts, heads, name):
    head = planted.name(name)
    halves = texts.halves(head, texts.documents)
    subject = Subject(head, halves.measure, OPTIONS)
    (finding,) = texts.found(head)
    found = texts.roles(head, [(finding, 0.5)])
    rows = {
        "every": None,
        "words": query.matches(r"[^\W_]"),
        "punctuation": query.matches(PUNCTUATION.pattern),
    }
    assert found or not finding.named.role
    for tried in found:
        for kind, when in rows.items():
            own = getattr(tried, kind)
            mass = Estimate(subject, Mass(tried.named.relation, when, of=~ht.first))
            assert own.share == pytest.approx(mass.value, rel=1e-5)
            assert own.uniform == pytest.approx(mass.base_rate, rel=1e-5)
            assert own.distance == pytest.approx(mass.matched_rate, rel=1e-5)
            assert own.rows == mass.rows


def test_random_tokens_are_those_of_the_corpus_of_that_name(demo_model):
    measured = random_repeats(demo_model, [1], "model", OPTIONS)
    assert len(measured) == 2 * 4
    lowest = {}
    for period in PERIODS:
        session = ht.Session(
            demo_model,
            "repeated-random",
            heads=["L1H2", "L1H3"],
            period=period,
            documents=8,
            settings=Settings(no_cache=True),
        )
        for head in ("L1H2", "L1H3"):
            for relation in (duplicate, induction):
                mass = session.head(head).mass(relation, when=query.repeats, of=~ht.first).value
                (name,) = session.named(head)
                lowest[name, relation] = min(mass, lowest.get((name, relation), 1.0))
        session.close()
    for place, share in lowest.items():
        assert measured[place] == pytest.approx(share, rel=1e-5)


def test_random_tokens_run_once_a_model(demo_model, monkeypatch):
    both = random_repeats(demo_model, [0, 1], "model", OPTIONS)
    monkeypatch.setattr(type(demo_model), "read", None)
    one = random_repeats(demo_model, [1], "model", OPTIONS)
    assert one == {place: share for place, share in both.items() if place[0].layer == 1}


@pytest.mark.parametrize(("context", "tried"), [(None, True), (65, True), (46, False), (47, True)])
def test_a_context_too_short_for_repetition_is_no_evidence(heads, context, tried):
    like = SimpleNamespace(
        tokenizer=heads.model.tokenizer,
        vocabulary_size=heads.model.vocabulary_size,
        shape=SimpleNamespace(context=context),
        texts=heads.model.texts,
    )
    measured = random_repeats(planted.Planted(like, [planted.induction]), [0], "model", OPTIONS)
    shares = {
        relation: measured.get((HeadName(0, 0), relation)) for relation in (duplicate, induction)
    }
    assert (shares[induction] is not None and shares[induction] > 0.8) == tried
    assert shares[duplicate] is None if not tried else shares[duplicate] < 0.1


def test_a_head_that_looks_as_far_back_as_one_period_is_no_induction_head(heads):
    rules = [
        lambda tokens, ids, back=period - 1: np.eye(len(tokens), k=-back) for period in PERIODS
    ]
    model = planted.Planted(heads.model, rules)
    measured = random_repeats(model, [0], "model", OPTIONS)
    assert max(measured.values()) < 0.2
