"""Detection: the pairs and controls of a trial, and the score of answers."""

from collections import Counter
from math import comb
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headtests as ht
from headtests.claims.definitions import RowOptions
from headtests.explanations.detection_score import (
    PAIRS,
    Trial,
    balanced_accuracy,
    score,
    shuffled_answers,
    shuffled_words,
    trial_of,
    wilson,
    without_score,
)
from headtests.explanations.sampled_rows import HeadRows
from headtests.statistics.sketches import Pairs
from tests.explanations import planted


@pytest.fixture(scope="module", params=["L0H0", "L0H1", "L0H4"])
def tried(request, texts):
    head = planted.name(request.param)
    return rows_of_head(texts, head), texts.trial(head)


def rows_of_head(texts, head):
    """Return the rows that a head's trial is drawn from."""
    texts.read([head])
    return texts._samples[head].of(head)


def rows_of(trial):
    pairs = trial.pairs
    columns = (pairs.documents, pairs.queries, pairs.keys, pairs.multiples)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.slow
def test_there_are_fifty_pairs_and_as_many_controls(tried):
    counts = Counter(tried[1].kinds)
    assert counts["pair"] == PAIRS == 50
    assert counts["same_query"] + counts["same_distance"] == PAIRS


def test_pairs_are_above_average_and_controls_below(tried):
    for (*_, multiple), kind in zip(rows_of(tried[1]), tried[1].kinds, strict=True):
        assert multiple > 1 if kind == "pair" else multiple < 1


def test_nothing_is_tried_twice(tried):
    places = [row[:3] for row in rows_of(tried[1])]
    assert len(places) == len(set(places))


def test_a_control_shares_its_query_or_its_distance_with_a_pair(tried):
    _, trial = tried
    rows = rows_of(trial)
    pairs = [row for row, kind in zip(rows, trial.kinds, strict=True) if kind == "pair"]
    queries = {row[:2] for row in pairs}
    distances = Counter(row[1] - row[2] for row in pairs)
    for row, kind in zip(rows, trial.kinds, strict=True):
        if kind == "same_query":
            assert row[:2] in queries
        elif kind == "same_distance":
            assert distances[row[1] - row[2]] > 0


def test_both_kinds_come_up_where_both_are_to_be_had(texts):
    counts = Counter(texts.trial(planted.name("L0H1")).kinds)
    assert counts["same_query"] == counts["same_distance"] == 25


def test_a_head_of_one_distance_has_controls_of_the_other_kind(texts):
    # Of a head that looks one token back, no pair at that distance is below average.
    counts = Counter(texts.trial(planted.name("L0H0")).kinds)
    rows = rows_of_head(texts, planted.name("L0H0"))
    at_one = np.arange(rows.attention.shape[1]) == rows.queries[:, None] - 1
    drawn = rows.proportional(PAIRS)
    others = int((drawn.queries - drawn.keys != 1).sum())
    assert not (at_one & rows.judged & (rows.multiples < 1)).any()
    assert counts["same_distance"] <= others


def test_the_order_says_nothing_of_what_is_what(texts):
    kinds = [kind == "pair" for kind in texts.trial(planted.name("L0H1")).kinds]
    first = sum(kinds[:50])
    # Of 50 of 100, a fair draw has so many in the first half but once in ten thousand.
    likely = [
        number
        for number in range(51)
        if comb(50, number) * comb(50, 50 - number) / comb(100, 50) > 1e-5
    ]
    assert likely[0] <= first <= likely[-1]


def test_the_pairs_are_those_of_the_measuring_half(tried):
    rows, trial = tried
    assert set(trial.pairs.documents.tolist()) <= set(rows.sample.half.documents.tolist())


@pytest.mark.slow
def test_fewer_pairs_give_fewer(tried):
    rows, trial = tried
    small = trial_of(rows, 10)
    assert len(small) == 20
    drawn = {row for row, kind in zip(rows_of(trial), trial.kinds, strict=True) if kind == "pair"}
    few = {row for row, kind in zip(rows_of(small), small.kinds, strict=True) if kind == "pair"}
    assert few <= drawn


def test_pairs_are_drawn_in_proportion_to_attention(tried):
    of_head, trial = tried
    drawn = of_head.proportional(50)
    columns = (drawn.documents, drawn.queries, drawn.keys)
    expected = set(zip(*(column.tolist() for column in columns), strict=True))
    rows = zip(rows_of(trial), trial.kinds, strict=True)
    assert {row[:3] for row, kind in rows if kind == "pair"} == expected


def a_row(multiples, seed=0):
    """Return one row of a head, whose keys have these multiples."""
    size = len(multiples)
    population = SimpleNamespace(lengths=np.array([size]))
    whole = SimpleNamespace(seed=seed, document_pass=SimpleNamespace(population=population))
    sample = SimpleNamespace(
        half=SimpleNamespace(whole=whole),
        options=RowOptions(suppress_first_token=False),
        documents=np.zeros(1, dtype=np.int64),
        allowed=np.tri(size, dtype=np.bool_),
    )
    first = np.zeros(1, dtype=np.int64)
    attention = np.array(multiples)[None] / size
    return HeadRows(sample, first, np.array([size - 1]), np.array([-1.0]), attention)


def test_what_is_average_is_neither_a_pair_nor_a_control():
    assert trial_of(a_row([2.0, 1.0, 1.0, 0.5])).pairs.multiples.tolist() in ([2, 0.5], [0.5, 2])
    assert trial_of(a_row([2.0, 1.0, 1.0, 1.0])).kinds == ("pair",)


def test_the_seed_decides_the_controls_and_the_order():
    trials = [trial_of(a_row([50.0] + [0.5] * 63, seed)) for seed in range(30)]
    controls = {trial.pairs.keys[trial.kinds.index("same_query")] for trial in trials}
    # Of 63 keys, a draw of 30 is of fewer than 15 once in many millions.
    assert len(controls) >= 15
    # Of one pair and one control.
    orders = {trial_of(a_row([1.5, 0.5], seed)).kinds for seed in range(30)}
    assert orders == {("pair", "same_query"), ("same_query", "pair")}


TRIAL = Trial(
    Pairs.of(range(6), 2, 1, [3.0, 0.1, 2.0, 0.2, 4.0, 0.3]),
    ("pair", "same_query", "pair", "same_distance", "pair", "same_query"),
)


def test_answers_are_counted_by_kind():
    record = score(TRIAL, [True, False, False, True, None, None], "explanation", "L0H0", "text")
    assert {name: record[name] for name in record if isinstance(record[name], int)} == {
        "pairs": 3,
        "found": 1,
        "same_query": 2,
        "same_query_denied": 1,
        "same_distance": 1,
        "same_distance_denied": 0,
        "unanswered": 2,
    }
    assert record["balanced_accuracy"] == pytest.approx((1 / 3 + 1 / 3) / 2)


def test_what_was_not_answered_is_wrong_of_pairs_and_of_controls():
    record = score(TRIAL, [None] * 6, "explanation", "L0H0", "text")
    assert record["balanced_accuracy"] == 0


def test_another_number_of_answers_is_refused():
    with pytest.raises(ValueError, match="expected 6 answers but found 5"):
        score(TRIAL, [True] * 5, "explanation", "L0H0", "text")


def test_what_nobody_scored_has_no_figure():
    record = without_score("another head", "", "", "No other head was read.")
    assert record["balanced_accuracy"] is record["low"] is record["high"] is None
    assert record["trouble"] == "No other head was read."
    assert record["pairs"] == 0


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_the_balanced_accuracy_is_the_mean_of_two_shares(pairs, controls, data):
    found = data.draw(st.integers(0, pairs))
    denied = data.draw(st.integers(0, controls))
    value, low, high = balanced_accuracy(found, pairs, denied, controls)
    assert value == pytest.approx((found / pairs + denied / controls) / 2)
    assert 0 <= low <= value <= high <= 1
    mirrored = balanced_accuracy(pairs - found, pairs, controls - denied, controls)
    assert mirrored == pytest.approx((1 - value, 1 - high, 1 - low))


def test_wilson_is_where_the_score_test_turns():
    # Wilson 1927: the shares p with |hits / n - p| = z sqrt(p (1 - p) / n).
    for hits, trials in ((0, 10), (3, 10), (25, 50), (50, 50)):
        for end in wilson(hits, trials):
            gap = abs(hits / trials - end)
            assert gap == pytest.approx(1.959963984540054 * (end * (1 - end) / trials) ** 0.5)


def test_the_interval_covers_as_often_as_it_says():
    # Exactly, by going through all outcomes of 20 pairs and 20 controls.
    def chances(share):
        return [comb(20, n) * share**n * (1 - share) ** (20 - n) for n in range(21)]

    covers = np.array([[balanced_accuracy(f, 20, d, 20)[1:] for d in range(21)] for f in range(21)])
    for found, denied in ((0.5, 0.5), (0.8, 0.6), (0.9, 0.9), (0.7, 0.95)):
        truth = (found + denied) / 2
        inside = (covers[..., 0] <= truth) & (truth <= covers[..., 1])
        coverage = float((np.outer(chances(found), chances(denied)) * inside).sum())
        assert 0.925 < coverage < 0.99


def test_shuffling_keeps_words_and_answers_and_changes_their_order():
    text = "it looks one token back whatever the tokens are"
    shuffled = shuffled_words(text, 0)
    assert sorted(shuffled.split()) == sorted(text.split())
    assert shuffled != text
    assert shuffled == shuffled_words(text, 0) != shuffled_words(text, 1)
    answers = [True] * 30 + [False] * 20 + [None] * 5
    dealt = shuffled_answers(answers, 0)
    assert Counter(dealt) == Counter(answers)
    assert dealt != answers
    assert dealt == shuffled_answers(answers, 0) != shuffled_answers(answers, 1)


def test_a_true_relation_scores_high_and_a_false_one_no_better_than_its_controls(texts):
    head = planted.name("L0H1")
    trial = texts.trial(head)

    def score_of(answers):
        return score(trial, answers, "explanation", "L0H1", "")

    def taken(relation):
        return texts.source.in_relation(trial.pairs, head, relation, texts.options)

    true = score_of(taken(ht.induction))
    assert true["low"] > 0.8
    for false in (ht.previous, ht.duplicate):
        answers = taken(false)
        wrong, control = score_of(answers), score_of(shuffled_answers(answers, 0))
        assert wrong["balanced_accuracy"] <= control["high"]
        assert wrong["high"] < true["low"]
