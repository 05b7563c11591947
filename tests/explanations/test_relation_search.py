"""Findings of heads whose rule is known, and the conditions for a finding."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headtests as ht
from headtests import key
from headtests.claims.definitions import Mass, Question
from headtests.errors import ExpressionError
from headtests.explanations.builtin_explainer import Texts
from headtests.explanations.relation_search import (
    FREQUENT_TOKENS,
    Finding,
    Tried,
    any_of,
    findings,
    gains,
)
from headtests.explanations.signature_sums import SignatureShares
from headtests.expressions import every_row
from headtests.expressions.library import CAPITAL, EXPLAINER_LIBRARY, NEWLINE, Named, last_8
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
    assert [one.relation for one in texts.found(planted.name(head))] == [RELATION[head]]


def test_nothing_is_found_of_a_head_without_a_rule(texts):
    assert texts.found(planted.name("L0H5")) == []


def test_a_finding_has_its_mass_and_its_share_of_what_does_not_rest(texts):
    head = planted.name("L0H1")
    (finding,) = texts.found(head)
    figures = texts.explain.figures(
        Question(head, Mass(ht.induction, every_row), texts.options), texts.explain.extent
    )
    mass = float(figures.average)
    assert finding.mass == pytest.approx(mass, abs=1e-6)
    assert finding.share == pytest.approx(mass / (1 - float(figures.resting_mass)), abs=1e-6)
    assert not finding.is_rest


@pytest.fixture(scope="module")
def mixed(demo_model):
    session = planted.session(demo_model, {"L0H0": planted.by_turns, "L0H1": planted.previous})
    yield session
    session.close()


@pytest.mark.slow
def test_what_follows_is_told_without_what_was_found_before(mixed, texts):
    found = Texts(mixed, texts.options).found(planted.name("L0H0"))
    first, second = found[:2]
    assert {first.named.relation, second.named.relation} == {ht.previous, NEWLINE}
    # A line break that is the previous token, too, counts once.
    assert second.relation == second.named.relation & ~first.named.relation
    assert second.is_rest


@pytest.mark.slow
def test_own_tokens_are_tried(demo_model, texts):
    def listed(tokens, ids):
        marks = [token in (",", ".") for token in tokens]
        return np.broadcast_to(marks, (len(tokens), len(tokens)))

    session = planted.session(demo_model, {"L0H0": listed})
    (found,) = Texts(session, texts.options).found(planted.name("L0H0"))
    assert set(found.relation.texts) == {",", "."}
    session.close()


def test_the_library_position_0_and_the_most_frequent_tokens_are_tried(heads):
    population = heads.population
    documents = heads.document_pass.order()[:8]
    tried = Tried.of(population, documents, suppress_first_token=True)
    assert tried.named[: len(EXPLAINER_LIBRARY)] == EXPLAINER_LIBRARY
    assert len(tried.tokens) == FREQUENT_TOKENS
    assert tried.relations[-FREQUENT_TOKENS:] == [key.is_(text) for text in tried.tokens]
    ids = np.concatenate([population.ids(int(document)) for document in documents])
    counts = [(ids == population.vocabulary.single_id(text)).sum() for text in tried.tokens]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] > 1
    with_rest = Tried.of(population, documents, suppress_first_token=False)
    assert with_rest.relations == [
        *tried.relations[: len(EXPLAINER_LIBRARY)],
        ht.first,
        *tried.relations[-FREQUENT_TOKENS:],
    ]


def shares_of(parts, relations):
    """Return the shares of a head from `(attention, uniform, relations)` of disjoint parts.

    Its control by distance gives what uniform attention gives.
    """
    attention, uniform = (np.array([part[column] for part in parts]) for column in (0, 1))
    signatures = np.array(
        [[relation in part[2] for relation in relations] for part in parts], dtype=np.bool_
    ).reshape(len(parts), len(relations))
    pairs = np.full(len(parts), 1000)
    return SignatureShares(signatures, attention[None], uniform[None], uniform, pairs)


def findings_of(shares, tried):
    """Return the findings of the one head of some shares; no relation is a distance."""
    (found,) = findings(shares, np.zeros(len(tried.named), dtype=np.bool_), tried)
    return found


def found_of(*parts, library=None):
    """Return the findings of parts `(attention, uniform, *relations)`; the rest of both is left."""
    parts = [(weight, uniform, relations) for weight, uniform, *relations in parts]
    left = [1 - sum(part[column] for part in parts) for column in (0, 1)]
    relations = dict.fromkeys(one for part in parts for one in part[2])
    library = library or [Named(one, repr(one)) for one in relations]
    tried = Tried(tuple(library))
    return findings_of(shares_of([*parts, (*left, ())], tried.relations), tried)


A, B, C, D = (ht.offset(-distance) for distance in (1, 2, 3, 4))


@pytest.mark.parametrize(("share", "is_found"), [(0.041, True), (0.039, False)])
def test_a_finding_has_3_in_100_of_what_does_not_rest_over_its_controls(share, is_found):
    assert [one.relation for one in found_of((share, 0.01, A))] == [A] * is_found
    # Of all that does not rest, and not of what those before it leave: there it would be 5 times
    # as much. Uniform attention gives A 0.0022 of what B leaves.
    both = found_of((0.8, 0.1, B), (share - 0.008, 0.01, A))
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


def test_ties_go_to_the_earlier_entry():
    twice = [Named(A, "first"), Named(A, "second")]
    assert [one.named.name for one in found_of((0.3, 0.1, A), library=twice)] == ["first"]


def test_of_nested_relations_the_smallest_that_says_nearly_as_much_is_found():
    assert [one.relation for one in found_of((0.5, 0.05, A, B), (0.02, 0.01, B))] == [A]
    wider, *_ = found_of((0.3, 0.05, A, B), (0.5, 0.05, B))
    assert wider.relation == B


def test_where_one_relation_has_all_attention_nothing_follows():
    shares = shares_of([(1.0, 0.1, (A,)), (0.0, 0.9, (B,))], [A, B])
    with np.errstate(all="raise"):
        found = findings_of(shares, Tried((Named(A, "A"), Named(B, "B"))))
    assert [one.relation for one in found] == [A]


def test_nothing_is_found_where_all_attention_rests():
    assert (
        findings_of(shares_of([(0.0, 0.5, (A,)), (0.0, 0.5, ())], [A]), Tried((Named(A, "A"),)))
        == []
    )


def tokens_of(shares):
    """Return the findings of a head's own tokens, a letter each, from attention and uniform."""
    letters = tuple("abcdefgh"[: len(shares)])
    tried = Tried(tuple(Named(key.is_(text), f'the token "{text}"') for text in letters), letters)
    parts = [(*share, (key.is_(text),)) for share, text in zip(shares, letters, strict=True)]
    found = findings_of(shares_of(parts, tried.relations), tried)
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


def test_a_token_that_shares_its_text_is_not_tried():
    population = SimpleNamespace(
        vocabulary=Letters(ambiguous="a"), ids=lambda document: np.array([0, 0, 1, 2, 2])
    )
    assert Tried.of(population, np.array([5]), suppress_first_token=True).tokens == ("c", "b")


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
    assert Finding(Named(relation, "it"), 0.1, 0.1).is_custom is is_custom


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_the_gain_is_the_divergence_of_two_parts(share, uniform):
    (found,) = gains(np.array([share]), np.array([uniform]))
    if share <= uniform:
        assert found == 0
    else:
        rest = (1 - share) * math.log((1 - share) / (1 - uniform))
        assert found == pytest.approx(share * math.log(share / uniform) + rest)
        assert found >= 0


def test_the_gain_is_finite_at_the_ends():
    assert np.isfinite(gains(np.array([1.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0]))).all()


def test_any_of_joins_relations():
    assert any_of([ht.previous]) == ht.previous
    assert any_of([ht.previous, ht.current]) == (ht.previous | ht.current)
