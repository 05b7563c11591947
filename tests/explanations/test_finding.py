"""What is found of heads whose rule is known, and what makes a relation worth telling."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headtests as ht
from explanations import planted
from headtests import key
from headtests.explanations.builtin import Texts
from headtests.explanations.finding import any_of, findings, gain
from headtests.library import CAPITAL, NEWLINE, Named

RELATION = {
    "L0H0": ht.previous,
    "L0H1": ht.induction,
    "L0H2": ht.duplicate,
    "L0H3": NEWLINE,
    "L0H4": CAPITAL,
}


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


def half_each(tokens, ids):
    """Half of the documents' rows look back by one, the others at line breaks."""
    rows = np.arange(len(tokens))[:, None] % 2 == 0
    return np.where(rows, planted.previous(tokens, ids), planted.line_breaks(tokens, ids))


@pytest.fixture(scope="module")
def mixed(demo_model):
    session = planted.session(demo_model, {"L0H0": half_each, "L0H1": planted.previous})
    yield session
    session.close()


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


def test_own_tokens_are_tried(demo_model, texts):
    def commas(tokens, ids):
        return np.broadcast_to([token == "," for token in tokens], (len(tokens), len(tokens)))

    session = planted.session(demo_model, {"L0H0": commas})
    grounds, _ = Texts(session, texts.options).found(planted.name("L0H0"))
    (found,) = findings(grounds, [Named(ht.previous, "the previous token")])
    assert found.relation == key.is_(",")
    session.close()


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
