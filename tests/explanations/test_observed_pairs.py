"""A head's pairs on a half with their shares of attention, compared with double loops."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import headtests as ht
from headtests import key
from headtests.claims.definitions import Mass, Question, RowOptions
from headtests.explanations.observed_pairs import Cells, Grounds, HalfDocuments
from headtests.explanations.text_halves import Half
from headtests.expressions import every_row
from headtests.expressions.head_names import HeadName
from headtests.statistics import QUANTA
from tests.explanations import planted

HEAD = HeadName(0, 1)


@pytest.fixture(scope="module", params=[(True, 1), (False, 0), (True, 5)], ids=str)
def options(request):
    return RowOptions(*request.param)


@pytest.fixture(scope="module")
def reading(heads, options):
    return HalfDocuments(Half(heads, False, limit=64), options)


@pytest.fixture(scope="module")
def grounds(reading):
    return reading.grounds(HEAD)


@pytest.fixture(scope="module")
def expected(heads, reading):
    """Each pair `(document, query, key)` with its attention and its row's count, by a double loop.

    And how many rows there are of each document.
    """
    options, found, rows_of = reading.options, {}, {}
    for number in reading.half.within_limit.tolist():
        ids = heads.population.ids(number)
        rows = planted.attention(planted.induction, heads.population.vocabulary.texts(ids), ids)
        # A document without a row does not count.
        if len(ids) > options.min_query:
            rows_of[number] = len(ids) - options.min_query
        for q in range(options.min_query, len(ids)):
            for k in range(1 if options.suppress_first_token else 0, q + 1):
                found[number, q, k] = float(rows[q, k]), q + 1
    return found, rows_of


def places_of(cells):
    columns = (cells.documents, cells.queries, cells.keys)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.slow
def test_every_pair_is_there_once_with_its_attention(expected, grounds):
    found, _ = expected
    places = places_of(grounds.cells)
    assert len(places) == len(found)
    assert set(places) == set(found)
    attention = np.array([found[place][0] for place in places])
    assert np.abs(grounds.attention - attention).max() <= 1e-7


@pytest.mark.slow
def test_a_pair_weighs_as_its_row_and_document_do(expected, grounds):
    found, rows_of = expected
    places = places_of(grounds.cells)
    weight, uniform = (
        np.array([part / rows_of[place[0]] / len(rows_of) for place, part in parts])
        for parts in (
            [(place, found[place][0]) for place in places],
            [(place, 1 / found[place][1]) for place in places],
        )
    )
    assert np.abs(grounds.weights - weight).max() <= 1e-9
    assert np.abs(grounds.cells.uniform - uniform).max() <= 1e-9


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


def test_only_above_average_pairs_are_ranked(grounds):
    ranked = grounds.ranked(10**9)
    assert len(ranked) == int((grounds.multiples > 1).sum())
    assert (ranked.multiples > 1).all()


def test_the_seed_decides_which_pairs_are_random(grounds):
    def drawn(seed):
        reading = SimpleNamespace(half=SimpleNamespace(whole=SimpleNamespace(seed=seed)))
        return set(places_of(replace(grounds, reading=reading).random(40)))

    first, again, other = map(drawn, (0, 0, 1))
    assert first == again != other


def test_random_pairs_are_of_every_strength(grounds):
    # Whichever were foremost by their multiple, a sample of them has others.
    above = grounds.multiples[grounds.multiples > 1]
    middle = np.median(above)
    found = grounds.random(100).multiples
    share = float((above > middle).mean())
    error = (share * (1 - share) / 100) ** 0.5
    assert abs((found > middle).mean() - share) < 4 * error


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


def test_pairs_of_rows_that_count_more_are_drawn_more():
    # As in a mass: what a row counts for is one part in the rows of its document.
    places = np.arange(10_000)
    weights = np.where(places % 2, 10.0, 1.0) / 55_000
    nothing = np.zeros(0, dtype=np.int64)
    cells = Cells(
        documents=places % 2,
        queries=places,
        keys=places,
        token_ids=places,
        counts=np.full(10_000, 4),
        uniform=weights / 4,
        row_weights=weights,
        members=nothing,
        places={},
        rows={},
    )
    reading = SimpleNamespace(half=SimpleNamespace(whole=SimpleNamespace(seed=0)))
    drawn = Grounds(reading, HEAD, cells, np.full(10_000, 0.5), 0.0).proportional(200)
    assert abs(drawn.documents.mean() - 10 / 11) < 4 * (10 / 11 * 1 / 11 / 200) ** 0.5


def test_multiples_are_of_the_keys_that_a_row_may_attend_to(loaded, options):
    # Rows of a sliding window have fewer keys than positions before them.
    session = ht.Session(loaded("mistral"), "repeated-random", documents=4, period=12)
    grounds = HalfDocuments(Half(session, True), options).grounds(HEAD)
    pairs = grounds.random(10**9)
    found = session.in_context(HEAD, pairs)
    assert max(len(one.attendable) for one in found) < max(one.query for one in found)
    for one in found:
        assert one.multiple == pytest.approx(one.pattern[one.key] * len(one.attendable), rel=1e-5)
    session.close()


def test_documents_without_a_row_are_left_out(heads):
    half = Half(heads, False, limit=64)
    lengths = heads.population.lengths[half.within_limit]
    shortest = int(lengths.min())
    cells = HalfDocuments(half, RowOptions(True, shortest)).cells(0)
    assert cells.members.tolist() == half.within_limit[lengths > shortest].tolist()


@pytest.mark.slow
def test_of_long_documents_fewer_rows_are_looked_at(heads, options, monkeypatch):
    from headtests.explanations import observed_pairs as module

    half = Half(heads, False, limit=64)
    whole = HalfDocuments(half, options).grounds(HEAD)
    few = 4 * len(half.within_limit) * int(heads.population.lengths.max())
    monkeypatch.setattr(module, "CELLS", few)
    some = HalfDocuments(half, options).grounds(HEAD)
    # All documents, each counting as much as any other, of at least one row and few in all.
    assert some.cells.members.tolist() == whole.cells.members.tolist()
    counts = [int(rows.sum()) for rows in some.cells.rows.values()]
    assert min(counts) >= 1
    assert max(counts) < 70
    assert len(some.cells) < len(whole.cells)
    places = set(zip(whole.cells.documents, whole.cells.queries, whole.cells.keys, strict=True))
    assert set(zip(some.cells.documents, some.cells.queries, some.cells.keys, strict=True)) < places
    resting = some.resting if options.suppress_first_token else 0.0
    assert some.weights.sum() + resting == pytest.approx(1, abs=1e-6)
    # A sample of the rows says about what all of them say.
    masses = [one.weights[one.mask(ht.induction)].sum() for one in (whole, some)]
    assert masses[1] == pytest.approx(masses[0], rel=0.3)
