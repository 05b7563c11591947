"""Grounds: a head's pairs on a half, each with its share of attention, against double loops."""

import numpy as np
import pytest

import headtests as ht
from explanations import planted
from headtests import key
from headtests.claims import Mass, Question, RowOptions
from headtests.explanations.grounds import Reading
from headtests.explanations.halves import Half
from headtests.expressions import every_row
from headtests.head_names import HeadName
from headtests.statistics import QUANTA

HEAD = HeadName(0, 1)


@pytest.fixture(scope="module", params=[(True, 1), (False, 0), (True, 5)], ids=str)
def options(request):
    return RowOptions(*request.param)


@pytest.fixture(scope="module")
def reading(heads, options):
    return Reading(Half(heads, False, limit=64), options)


@pytest.fixture(scope="module")
def grounds(reading):
    return reading.grounds(HEAD)


def by_hand(heads, reading):
    """Return each pair `(document, query, key)` with its attention, in order."""
    options, found = reading.options, {}
    for number in reading.half.within_limit.tolist():
        ids = heads.population.ids(number)
        rows = planted.attention(planted.induction, heads.population.vocabulary.texts(ids), ids)
        for q in range(options.min_query, len(ids)):
            for k in range(1 if options.suppress_first_token else 0, q + 1):
                found[number, q, k] = rows[q, k], len(ids) - options.min_query
    return found


def test_every_pair_is_there_once_with_its_attention(heads, reading, grounds):
    expected = by_hand(heads, reading)
    cells = grounds.cells
    places = list(zip(cells.documents, cells.queries, cells.keys, strict=True))
    assert sorted(places) == sorted(expected)
    assert len(places) == len(set(places))
    for place, attention in zip(places, grounds.attention, strict=True):
        assert attention == pytest.approx(expected[place][0], abs=1e-7)


def test_a_pair_weighs_as_its_row_and_document_do(heads, reading, grounds):
    expected = by_hand(heads, reading)
    documents = len(reading.half.within_limit)
    cells = grounds.cells
    places = list(zip(cells.documents, cells.queries, cells.keys, strict=True))
    for place, weight, uniform in zip(places, grounds.weights, cells.uniform, strict=True):
        attention, rows = expected[place]
        assert weight == pytest.approx(attention / rows / documents, abs=1e-9)
        assert uniform == pytest.approx(1 / (place[1] + 1) / rows / documents, abs=1e-9)


@pytest.mark.parametrize("relation", [ht.previous, ht.induction, key.matches(r"\n")], ids=repr)
def test_the_weight_on_a_relation_is_its_mass(heads, reading, grounds, options, relation):
    question = Question(HEAD, Mass(relation, every_row), options)
    figures = reading.half.figures(question, 64)
    mass = float(figures.numerators.mean()) / QUANTA
    base = float(figures.base_rates.mean()) / QUANTA
    inside = grounds.mask(relation)
    assert grounds.weights[inside].sum() == pytest.approx(mass, abs=1e-6)
    assert grounds.cells.uniform[inside].sum() == pytest.approx(base, abs=1e-6)


def test_all_attention_is_the_pairs_and_what_rests(grounds, options):
    resting = grounds.resting if options.suppress_first_token else 0.0
    assert grounds.weights.sum() + resting == pytest.approx(1, abs=1e-6)


def test_ranked_are_the_highest_multiples(grounds):
    ranked = grounds.ranked(20)
    multiples = np.sort(grounds.multiples)[::-1]
    assert ranked.multiples.tolist() == multiples[:20].tolist()
    assert (np.diff(ranked.multiples) <= 0).all()


def test_random_are_a_sample_of_the_above_average(grounds):
    few, more = grounds.random(10), grounds.random(40)
    assert (more.multiples > 1).all()
    assert [column[:10].tolist() for column in (more.documents, more.queries)] == [
        few.documents.tolist(),
        few.queries.tolist(),
    ]
    everything = grounds.random(10**9)
    assert len(everything) == int((grounds.multiples > 1).sum())


def test_proportional_pairs_follow_attention(grounds):
    # Of the attention above average, so much is on strong pairs; so are the pairs drawn.
    above = grounds.multiples > 1
    strong = above & (grounds.attention >= 0.3)
    share = grounds.weights[strong].sum() / grounds.weights[above].sum()
    drawn = grounds.proportional(400)
    attention = drawn.multiples / (drawn.queries + 1)
    error = (share * (1 - share) / 400) ** 0.5
    assert error > 0
    assert abs(np.mean(attention >= 0.3) - share) < 4 * error
    # A uniform sample of the same pairs would not.
    assert abs(strong.sum() / above.sum() - share) > 8 * error


def test_documents_beyond_the_room_are_left_out(heads, options, monkeypatch):
    from headtests.explanations import grounds as module

    lengths = heads.population.lengths
    half = Half(heads, False, limit=64)
    first = half.within_limit[:3]
    monkeypatch.setattr(module, "CELLS", int((lengths[first] ** 2).sum()))
    assert Reading(half, options).cells(0).members.tolist() == first.tolist()
    monkeypatch.setattr(module, "CELLS", 1)
    assert Reading(half, options).cells(0).members.tolist() == first[:1].tolist()
