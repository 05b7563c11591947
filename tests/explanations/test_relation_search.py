"""Findings of heads whose rule is known, and the conditions for a finding."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headtests as ht
from headtests import key
from headtests.errors import ExpressionError
from headtests.explanations.builtin_explainer import Texts
from headtests.explanations.relation_search import Finding, any_of, findings, gain
from headtests.expressions.conditions import Is
from headtests.expressions.library import CAPITAL, NEWLINE, Named, last_8
from tests.explanations import planted

RELATION = {
    "L0H0": ht.previous,
    "L0H1": ht.induction,
    "L0H2": ht.duplicate,
    "L0H3": NEWLINE,
    "L0H4": CAPITAL,
}


@pytest.mark.slow
@pytest.mark.parametrize("head", RELATION)
def test_the_rule_of_a_planted_head_is_found_first_and_alone(texts, head):
    _, found = texts.found(planted.name(head))
    assert [one.relation for one in found] == [RELATION[head]]


def test_nothing_is_found_of_a_head_without_a_rule(texts):
    assert texts.found(planted.name("L0H5"))[1] == []


def test_a_finding_has_its_mass_and_its_share_of_what_does_not_rest(texts):
    grounds, (finding,) = texts.found(planted.name("L0H1"))
    inside = grounds.mask(ht.induction)
    mass = float(grounds.weights[inside].sum())
    assert finding.mass == pytest.approx(mass)
    assert finding.share == pytest.approx(mass / (1 - grounds.resting), abs=1e-6)
    assert not finding.is_rest


@pytest.fixture(scope="module")
def mixed(demo_model):
    session = planted.session(demo_model, {"L0H0": planted.by_turns, "L0H1": planted.previous})
    yield session
    session.close()


@pytest.mark.slow
def test_what_follows_is_told_without_what_was_found_before(mixed, texts):
    _, found = Texts(mixed, texts.options).found(planted.name("L0H0"))
    first, second = found[:2]
    assert {first.named.relation, second.named.relation} == {ht.previous, NEWLINE}
    # A line break that is the previous token, too, counts once.
    assert second.relation == second.named.relation & ~first.named.relation
    assert second.is_rest


def test_ties_go_to_the_earlier_entry(texts):
    grounds, _ = texts.found(planted.name("L0H0"))
    twice = [Named(ht.previous, "first"), Named(ht.offset(-1), "second")]
    assert [one.named.name for one in findings(grounds, twice)] == ["first"]


@pytest.mark.slow
def test_own_tokens_are_tried(demo_model, texts):
    def commas(tokens, ids):
        return np.broadcast_to([token == "," for token in tokens], (len(tokens), len(tokens)))

    session = planted.session(demo_model, {"L0H0": commas})
    grounds, _ = Texts(session, texts.options).found(planted.name("L0H0"))
    (found,) = findings(grounds, [Named(ht.previous, "the previous token")])
    assert found.relation == key.is_(",")
    session.close()


class Given:
    """Grounds made of parts of the attention, each with its relations."""

    def __init__(self, parts, vocabulary=None):
        """`parts` are shares of attention and of uniform attention, relations, and a token."""
        self.weights = np.array([weight for weight, _, _, _ in parts])
        self.relations = [relations for _, _, relations, _ in parts]
        tokens = np.array([token for _, _, _, token in parts])
        uniform = np.array([part for _, part, _, _ in parts])
        self.cells = Cells(uniform, tokens)
        self.vocabulary = vocabulary
        population = SimpleNamespace(vocabulary=vocabulary)
        whole = SimpleNamespace(document_pass=SimpleNamespace(population=population))
        self.reading = SimpleNamespace(
            try_all=lambda *_: None,
            half=SimpleNamespace(whole=whole),
            options=SimpleNamespace(suppress_first_token=True),
        )
        self.head = SimpleNamespace(layer=0)

    def mask(self, relation):
        if isinstance(relation, Is):
            named = [self.vocabulary.text(int(token)) for token in self.cells.token_ids]
            return np.array([text in relation.texts for text in named])
        return np.array([relation in relations for relations in self.relations])


class Cells:
    def __init__(self, uniform, token_ids):
        self.uniform, self.token_ids = uniform, token_ids

    def __len__(self):
        return len(self.uniform)


class Letters:
    """A vocabulary of letters, some of which are ambiguous."""

    def __init__(self, ambiguous=""):
        self.ambiguous = ambiguous

    def text(self, token_id):
        return "abcdefghijkl"[token_id]

    def single_id(self, text):
        if text in self.ambiguous:
            raise ExpressionError(f"{text} is two tokens")
        return "abcdefghijkl".index(text)


def found_of(*parts, library=None):
    """Return the findings of parts `(attention, uniform, *relations)`; the rest of both is left."""
    parts = [(weight, uniform, relations, 0) for weight, uniform, *relations in parts]
    left = [1 - sum(part[column] for part in parts) for column in (0, 1)]
    relations = dict.fromkeys(one for part in parts for one in part[2])
    library = library or [Named(one, repr(one)) for one in relations]
    return findings(Given([*parts, (*left, (), 0)]), library)


A, B, C, D = (ht.offset(-distance) for distance in (1, 2, 3, 4))


@pytest.mark.parametrize(("share", "is_found"), [(0.051, True), (0.049, False)])
def test_a_finding_has_a_twentieth_of_what_does_not_rest(share, is_found):
    assert [one.relation for one in found_of((share, 0.01, A))] == [A] * is_found
    # Of all that does not rest, and not of what those before it leave.
    both = found_of((0.8, 0.1, B), (share, 0.01, A))
    assert [one.relation for one in both] == [B, A][: 1 + is_found]


@pytest.mark.parametrize(("share", "is_found"), [(0.151, True), (0.149, False)])
def test_a_finding_has_one_and_a_half_times_its_uniform_share(share, is_found):
    assert [one.relation for one in found_of((share, 0.1, A))] == [A] * is_found


def test_the_uniform_share_is_that_of_all_keys_and_not_of_those_that_are_left():
    # B has twice what is uniform of it, and no more than that of what A leaves.
    found = found_of((0.8, 0.5, A), (0.1, 0.05, B))
    assert [one.relation for one in found] == [A, B]


def test_three_are_found_at_most_the_foremost_first():
    parts = [(0.1, 0.02, A), (0.2, 0.02, B), (0.3, 0.02, C), (0.15, 0.02, D)]
    found = found_of(*parts)
    assert [one.relation for one in found] == [C, B, D]
    assert [one.mass for one in found] == pytest.approx([0.3, 0.2, 0.15])
    assert not any(one.is_rest for one in found)


def test_each_gains_most_on_what_is_left():
    # Of all attention, C would gain more than B; of the two fifths that A leaves, B does.
    found = found_of((0.6, 0.1, A), (0.1, 0.02, C), (0.3, 0.19, B))
    assert [one.relation for one in found] == [A, B, C]


def test_the_mass_of_a_finding_is_that_of_the_keys_that_it_adds():
    first, second = found_of((0.3, 0.05, A), (0.1, 0.01, A, B), (0.15, 0.05, B))
    assert (first.mass, second.mass) == pytest.approx((0.4, 0.15))
    assert (first.share, second.share) == pytest.approx((0.4, 0.15))
    assert second.relation == B & ~A


def test_a_finding_leaves_out_earlier_ones_as_far_as_they_overlap():
    parts = [(0.35, 0.01, A), (0.01, 0.001, A, B), (0.2, 0.01, B), (0.01, 0.001, B, C)]
    found = found_of(*parts, (0.1, 0.01, C))
    assert [one.relation for one in found] == [A, B & ~A, C & ~B]


def test_where_one_relation_has_all_attention_nothing_follows():
    whole = Given([(1.0, 0.1, (A,), 0), (0.0, 0.9, (B,), 0)])
    with np.errstate(all="raise"):
        found = findings(whole, [Named(A, "A"), Named(B, "B")])
    assert [one.relation for one in found] == [A]


def test_nothing_is_found_where_all_attention_rests():
    rests = Given([(0.0, 0.5, (A,), 0), (0.0, 0.5, (), 1)])
    assert findings(rests, [Named(A, "A")]) == []
    assert findings(Given([]), [Named(A, "A")]) == []


def tokens_of(shares, ambiguous=""):
    """Return the findings of a head's own tokens, a letter each, from attention and uniform."""
    parts = [(weight, uniform, (), place) for place, (weight, uniform) in enumerate(shares)]
    found = findings(Given(parts, Letters(ambiguous)), [])
    return [(one.named.relation, one.named.name) for one in found]


def test_tokens_that_get_more_together_are_found_together():
    shares = [(0.3, 0.1), (0.3, 0.1), (0.4, 0.8)]
    assert tokens_of(shares) == [(key.is_("a", "b"), 'the tokens "a", "b"')]


def test_the_five_tokens_of_most_excess_are_tried():
    # Together they have most; the sixth is left, and so is what gets much and no more than that.
    shares = [(0.3, 0.29), *((0.1 + part, 0.02) for part in (0.001, 0.05, 0.0, 0.002, 0.02, 0.03))]
    (found, *_) = tokens_of([*shares, (0.7 - sum(one for one, _ in shares[1:]), 0.59)])
    assert found[0] == key.is_("c", "g", "f", "e", "b")


def test_a_token_of_less_than_one_and_a_half_times_its_uniform_share_is_not_tried():
    shares = [(0.45, 0.31), (0.2, 0.06), (0.35, 0.63)]
    assert tokens_of(shares) == [(key.is_("b"), 'the token "b"')]


def test_a_token_that_shares_its_text_is_not_tried():
    shares = [(0.3, 0.1), (0.3, 0.1), (0.4, 0.8)]
    assert tokens_of(shares, ambiguous="a") == [(key.is_("b"), 'the token "b"')]


@pytest.mark.parametrize(
    ("relation", "is_custom"),
    [
        (ht.previous, False),
        (last_8, True),
        (~last_8, True),
        (ht.previous & ~last_8, True),
        (ht.previous | ht.current, False),
    ],
    ids=repr,
)
def test_a_relation_with_a_function_in_it_is_custom(relation, is_custom):
    assert Finding(Named(relation, "it"), relation, 0.1, 0.1).is_custom is is_custom


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_the_gain_is_the_divergence_of_two_parts(share, uniform):
    (found,) = gain(np.array([share]), np.array([uniform]))
    if share <= uniform:
        assert found == 0
    else:
        rest = (1 - share) * math.log((1 - share) / (1 - uniform))
        assert found == pytest.approx(share * math.log(share / uniform) + rest)
        assert found >= 0


def test_the_gain_is_finite_at_the_ends():
    assert np.isfinite(gain(np.array([1.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0]))).all()


def test_any_of_joins_relations():
    assert any_of([ht.previous]) == ht.previous
    assert any_of([ht.previous, ht.current]) == (ht.previous | ht.current)
