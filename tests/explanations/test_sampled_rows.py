"""Rows that are kept of each head, and the pairs that are drawn from them."""

from types import SimpleNamespace

import numpy as np
import pytest

import headtests as ht
from headtests.claims.definitions import RowOptions
from headtests.explanations import sampled_rows
from headtests.explanations.head_sums import read_half
from headtests.explanations.sampled_rows import HeadRows, SampledRows
from headtests.explanations.text_halves import Half
from tests.explanations import planted

HEADS = [planted.name("L0H1"), planted.name("L0H4")]


def sampled(source, options=None, heads=HEADS):
    half = Half(source, True, 64)
    sample = SampledRows(half, heads, options or RowOptions(suppress_first_token=True))
    read_half(half, heads, [sample])
    return sample


@pytest.fixture(scope="module", params=[(True, 1), (False, 0), (True, 5)], ids=str)
def sample(request, heads):
    return sampled(heads, RowOptions(*request.param))


@pytest.mark.slow
def test_rows_are_those_of_the_head_with_their_multiples(heads, sample):
    for head, rule in zip(HEADS, (planted.induction, planted.capitals), strict=True):
        rows = sample.of(head)
        assert len(rows.queries) > 100
        for row in range(0, len(rows.queries), 17):
            ids = heads.population.ids(int(rows.documents[row]))
            tokens = heads.population.vocabulary.texts(ids)
            query = int(rows.queries[row])
            expected = planted.attention(rule, tokens, ids)[query]
            assert query >= sample.options.min_query
            assert np.abs(rows.attention[row, : len(ids)] - expected).max() <= 1e-7
            assert not rows.attention[row, len(ids) :].any()
            expected_multiples = expected[: query + 1] * (query + 1)
            assert rows.multiples[row, : query + 1] == pytest.approx(expected_multiples, rel=1e-5)
            assert rows.judged[row].sum() == query + 1 - sample.options.suppress_first_token
            # A row without a pair above average is of no use.
            assert rows.multiples[row][rows.judged[row]].max() > 1


def test_no_more_is_kept_than_is_said(heads, monkeypatch):
    monkeypatch.setattr(sampled_rows, "CELLS", 10_000)
    sample = sampled(heads)
    assert sample.attention[0].size <= 10_000
    monkeypatch.setattr(sampled_rows, "CELLS", 1)
    rows = sampled(heads).of(HEADS[0])
    assert len(rows.queries) == len(set(rows.documents.tolist())) > 10


def test_a_pair_of_each_row_is_drawn_and_all_are_above_average(sample):
    rows = sample.of(HEADS[0])
    drawn = rows.proportional(50)
    assert (drawn.multiples > 1).all()
    places = list(zip(drawn.documents.tolist(), drawn.queries.tolist(), strict=True))
    assert len(set(places)) == len(places) == 50
    # The same, in the same order, when fewer are drawn.
    few = rows.proportional(10)
    assert few.keys.tolist() == drawn.keys[:10].tolist()
    assert set(drawn.documents.tolist()) <= set(sample.half.documents.tolist())


@pytest.mark.slow
def test_pairs_follow_attention(heads, demo_model):
    # Over seeds, the share of strong pairs is that of their attention among the above-average.
    strong = []
    for seed in range(8):
        session = planted.session(demo_model, seed=seed, max_documents=64)
        drawn = sampled(session, heads=[HEADS[0]]).of(HEADS[0]).proportional(50)
        strong += (drawn.multiples / (drawn.queries + 1) >= 0.3).tolist()
        session.close()
    above, total = 0.0, 0.0
    for document in range(40):
        ids = heads.population.ids(document)
        tokens = heads.population.vocabulary.texts(ids)
        attention = planted.attention(planted.induction, tokens, ids)
        pairs = attention * np.arange(1, len(ids) + 1)[:, None] > 1
        pairs[:, 0] = False
        above += attention[pairs & (attention >= 0.3)].sum() / len(ids)
        total += attention[pairs].sum() / len(ids)
    whole = above / total
    error = (whole * (1 - whole) / len(strong)) ** 0.5
    assert abs(np.mean(strong) - whole) < 5 * error


def test_whether_pairs_lie_in_relations_is_known_from_their_tokens(heads, sample):
    drawn = sample.of(HEADS[0]).proportional(30)
    for relation in (ht.induction, ht.previous, ~ht.duplicate):
        expected = heads.in_relation(drawn, HEADS[0], relation, sample.options)
        assert sample.within(drawn, [relation]) == expected
    both = heads.in_relation(drawn, HEADS[0], ht.induction | ht.previous, sample.options)
    assert sample.within(drawn, [ht.induction, ht.previous]) == both
    assert sample.within(drawn, []) == [False] * 30


def test_a_head_that_always_rests_has_no_rows(demo_model):
    session = planted.session(demo_model, {"L0H0": lambda tokens, ids: np.zeros((len(ids),) * 2)})
    rows = sampled(session, heads=[planted.name("L0H0")]).of(planted.name("L0H0"))
    assert len(rows.proportional(50)) == 0
    session.close()


def test_rows_are_drawn_by_their_attention_above_average(heads, monkeypatch):
    # So many are kept that all are: then what was drawn for each is a uniform number.
    monkeypatch.setattr(sampled_rows, "CELLS", 10**6)
    rows = sampled(heads).of(HEADS[0])
    weights = np.where(rows.judged & (rows.multiples > 1), rows.attention, 0).sum(1)
    numbers = np.exp(rows.draws * weights)
    assert len(numbers) > 1000
    assert abs(numbers.mean() - 0.5) < 5 * (1 / 12 / len(numbers)) ** 0.5


def test_of_a_row_a_pair_is_drawn_by_its_attention():
    def drawn(seed):
        population = SimpleNamespace(lengths=np.array([8]))
        whole = SimpleNamespace(seed=seed, document_pass=SimpleNamespace(population=population))
        sample = SimpleNamespace(
            half=SimpleNamespace(whole=whole),
            options=RowOptions(suppress_first_token=True),
            documents=np.zeros(1, dtype=np.int64),
            allowed=np.tri(8, dtype=np.bool_),
        )
        attention = np.array([[0.05, 0.6, 0.0, 0.2, 0.0, 0.1, 0.05, 0.0]])
        first = np.zeros(1, dtype=np.int64)
        rows = HeadRows(sample, first, np.array([7]), np.array([-1.0]), attention)
        (key,) = rows.proportional(5).keys.tolist()
        return key

    keys = [drawn(seed) for seed in range(400)]
    # A tenth is no more than average.
    assert set(keys) == {1, 3}
    assert abs(keys.count(1) / 400 - 0.75) < 5 * (0.75 * 0.25 / 400) ** 0.5
