"""Rows for and against a claim equal those found by loops over their keys.

Whatever the batches, their order, and what else is read beside them.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import headtests as ht
from headtests.claims.definitions import (
    Entropy,
    ExceedRate,
    Lift,
    Mass,
    Peak,
    Precision,
    Question,
    RelationStatistic,
    RowOptions,
    Top1Rate,
)
from headtests.errors import ClaimError
from headtests.measurement.passes.blocks import Block
from headtests.measurement.readers import rows_against
from headtests.measurement.readers.rows_against import RowsAgainstReader, RowsAgainstRequest
from headtests.statistics.sketches import Histogram
from tests import tiny_models
from tests.judges import Claim, Judge
from tests.measurement.blocks import at_random, by_hand, texts_of, vocabulary
from tests.measurement.pretended import HEAD, OTHER, UNANNOUNCED, Model, sweep_of
from tests.measurement.several import HEADS, drawn, read_by, several
from tests.oracles import (
    CURRENT,
    DUPLICATE,
    EVERY_ROW,
    FIRST,
    INDUCTION,
    ON_KEY,
    ON_QUERY,
    PARITY,
    PREVIOUS,
)

FIXED = settings(derandomize=True, deadline=None, max_examples=100)
SUPPRESSED, PLAIN = RowOptions(True), RowOptions(False)
OPERATORS = (">=", ">", "<=", "<")

relations = st.sampled_from(
    [
        PREVIOUS,
        ~PREVIOUS,
        FIRST,
        ~FIRST,
        CURRENT,
        DUPLICATE,
        INDUCTION,
        PARITY,
        PREVIOUS | FIRST,
        ON_KEY["key is one of two"],
        ON_KEY["key < 3"],
    ]
)
conditions = st.sampled_from(
    [None, EVERY_ROW, ON_QUERY["query repeats"], EVERY_ROW & ON_QUERY["query repeats"]]
)
options = st.builds(RowOptions, st.booleans(), st.sampled_from([0, 1, 2]))
operators = st.sampled_from(OPERATORS)
# Of rows of small weights, many tie with these.
shares = st.sampled_from([-0.2, 0.0, 0.2, 0.25, 1 / 3, 0.4, 0.5, 2 / 3, 0.75, 1.0, 1.5])
multiples = st.sampled_from([0.5, 1, 1.2, 1.5, 2, 3.0])
claims = st.one_of(
    st.builds(Claim, st.just("mass"), relations, operators, shares, conditions),
    st.builds(
        Claim,
        st.sampled_from(["mass", "value mass"]),
        relations,
        operators,
        shares,
        conditions,
        st.none() | relations,
    ),
    st.builds(
        Claim, st.sampled_from(["entropy", "peak"]), relations, operators, shares, conditions
    ),
    st.builds(Claim, st.just("lift"), relations, operators, multiples, conditions),
    st.builds(Claim, st.just("top1_rate"), relations, operators, shares, conditions),
    st.builds(
        Claim,
        st.sampled_from(["exceed_rate", "precision"]),
        relations,
        operators,
        shares,
        conditions,
        st.none(),
        multiples,
    ),
)


def statistic_of(claim):
    on = claim.on.expression
    when, of = (None if one is None else one.expression for one in (claim.when, claim.of))
    return {
        "mass": lambda: Mass(on, when, of),
        "value mass": lambda: Mass(on, when, of, "value"),
        "entropy": lambda: Entropy(when),
        "peak": lambda: Peak(when),
        "lift": lambda: Lift(on, when),
        "lift over distance": lambda: Lift(on, when, "distance"),
        "top1_rate": lambda: Top1Rate(on, when),
        "exceed_rate": lambda: ExceedRate(on, when, claim.number),
        "precision": lambda: Precision(on, when, claim.number),
    }[claim.kind]()


def asked_of(claim, head, chosen, size=10, documents=range(100)):
    question = Question(head, statistic_of(claim), chosen)
    ids = np.array(list(documents), dtype=np.int64)
    return RowsAgainstRequest(question, ids, claim.operator, claim.threshold, size)


def read_rows_against(blocks, claim, head, chosen, size=10, documents=range(100)):
    reader = RowsAgainstReader(vocabulary(), asked_of(claim, head, chosen, size, documents))
    return read_by(reader, blocks).result


def histogram_of(multiples):
    histogram = Histogram()
    histogram.update(multiples)
    return histogram.to_dict()


def shown(found):
    return [
        (one.document, one.query, one.key, one.multiple, one.figure, one.claimed.tolist())
        for one in found.counterexamples
    ]


def assert_judged(found, expected):
    assert found.rows_against == expected.rows_against
    assert found.on.to_dict() == histogram_of(expected.on)
    assert found.others.to_dict() == histogram_of(expected.others)
    assert shown(found) == expected.counterexamples


def judge_of(texts, chosen):
    return Judge(texts, chosen.suppress_first_token, chosen.min_query)


@pytest.mark.slow
@FIXED
@given(drawn(), st.sampled_from(HEADS), claims, options, st.integers(0, 4))
def test_rows_are_what_loops_over_their_keys_find(rows, head, claim, chosen, size):
    found = read_rows_against(rows.blocks, claim, head, chosen, size)
    assert_judged(found, judge_of(rows.texts[head], chosen).judge(claim, size, range(100)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "claim",
    [
        ("mass", 0.25, None, 1),
        ("mass", 0.5, ~FIRST, 1),
        ("value mass", 0.25, None, 1),
        ("value mass", 0.5, ~FIRST, 1),
        ("entropy", 0.75, None, 1),
        ("peak", 0.5, None, 1),
        ("lift", 1.0, None, 1),
        ("top1_rate", 0.5, None, 1),
        ("exceed_rate", 0.5, None, 1.5),
        ("exceed_rate", 0.5, None, 1),
        ("precision", 0.5, None, 1.5),
        ("precision", 0.5, None, 1),
    ],
    ids=lambda claim: f"{claim[0]}{' of' if claim[2] else ''} {claim[3]}",
)
def test_every_statistic_in_every_direction(claim):
    """Each with each operator, on causal and bidirectional rows; ties and suppression in turn."""
    kind, threshold, of, number = claim
    for place, bidirectional in enumerate((False, True)):
        rows = several(
            7, [9, 4, 11, 1, 8, 6], bidirectional=bidirectional, ties=place == number % 2
        )
        for turn, operator in enumerate(OPERATORS, place):
            chosen = RowOptions(turn % 2 == 0)
            for on in (PREVIOUS, DUPLICATE, ~CURRENT, FIRST | INDUCTION):
                asked = Claim(kind, on, operator, threshold, None, of, number)
                found = read_rows_against(rows.blocks, asked, HEADS[0], chosen)
                judge = judge_of(rows.texts[HEADS[0]], chosen)
                assert_judged(found, judge.judge(asked, 10, range(100)))


@pytest.mark.slow
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("suppress", [True, False], ids=["suppressed", "plain"])
def test_a_lift_over_distance_is_against_the_row_s_own_control(operator, suppress):
    rows = several(3, [12, 9, 15, 7, 11, 14, 13, 8], ties=False)
    chosen = RowOptions(suppress)
    for threshold in (0.9, 1.0, 1.3):
        claim = Claim("lift over distance", DUPLICATE, operator, threshold)
        found = read_rows_against(rows.blocks, claim, HEADS[0], chosen, 5)
        expected = judge_of(rows.texts[HEADS[0]], chosen).judge(claim, 5, range(100))
        assert found.rows_against == expected.rows_against > 0
        assert found.on.to_dict() == histogram_of(expected.on)
        assert found.others.to_dict() == histogram_of(expected.others)
        for ours, theirs in zip(shown(found), expected.counterexamples, strict=True):
            assert ours[:3] == theirs[:3]
            assert ours[3:5] == pytest.approx(theirs[3:5], rel=1e-5)
            assert ours[5] == theirs[5]


# The same whatever the batches.

WAYS = [
    {"at_once": 1},
    {"at_once": 3},
    {"at_once": 6},
    {"together": False},
    {"at_once": 3, "remembered": 10**6},
]
EVERY_KIND = [
    Claim("mass", DUPLICATE, ">=", 0.4),
    Claim("mass", ~FIRST, "<", 0.5, None, ~CURRENT),
    Claim("lift", PREVIOUS, ">", 1.2),
    Claim("lift over distance", PREVIOUS, ">=", 1.1),
    Claim("top1_rate", PREVIOUS, "<=", 0.5),
    Claim("exceed_rate", DUPLICATE, ">=", 0.5, number=1.5),
    Claim("precision", DUPLICATE, ">=", 0.5, number=1.5),
    Claim("value mass", ~FIRST, "<", 0.5, None, ~CURRENT),
    Claim("entropy", PREVIOUS, ">=", 0.7),
    Claim("peak", PREVIOUS, "<=", 0.5),
]


def everything(found):
    """Return all that was found, to the last bit."""
    rows = [(one.score, one.row.tolist()) for one in found.counterexamples]
    histograms = found.on.to_dict(), found.others.to_dict()
    return found.rows_against, histograms, shown(found), rows


@pytest.mark.slow
@pytest.mark.parametrize("claim", EVERY_KIND, ids=lambda claim: claim.kind)
@pytest.mark.parametrize("ties", [True, False])
def test_batches_and_their_order_change_nothing(claim, ties):
    lengths = [9, 14, 3, 11, 1, 14, 6]
    expected = None
    for way in WAYS:
        blocks = several(11, lengths, ties=ties, **way).blocks
        for order in (blocks, blocks[::-1]):
            found = everything(read_rows_against(order, claim, HEADS[1], SUPPRESSED, 4))
            assert found == (expected := expected or found)
    assert expected[0] > 0
    assert 0 < len(expected[2]) <= 4


@pytest.mark.parametrize("cells", [1, 400])
@pytest.mark.parametrize("claim", EVERY_KIND, ids=lambda claim: claim.kind)
def test_a_block_may_be_looked_at_in_parts(claim, cells, monkeypatch):
    blocks = several(11, [9, 14, 3, 11, 1, 14, 6], at_once=7).blocks
    expected = everything(read_rows_against(blocks, claim, HEADS[1], SUPPRESSED, 4))
    monkeypatch.setattr(rows_against, "CELLS", cells)
    assert everything(read_rows_against(blocks, claim, HEADS[1], SUPPRESSED, 4)) == expected


def test_ties_are_broken_on_document_and_query():
    rows = [[1.0], [0.5, 0.5], [0.25, 0.25, 0.5], [0.25, 0.25, 0.25, 0.25]]
    measured = by_hand([["I", "et", " a", ","]] * 3, [rows] * 3)
    claim = Claim("mass", CURRENT, ">", 0.5)
    found = read_rows_against(measured.blocks, claim, HEADS[0], PLAIN, 2)
    assert [(one.document, one.query) for one in found.counterexamples] == [(0, 3), (1, 3)]
    claim = Claim("mass", CURRENT, ">=", 0.75)
    found = read_rows_against(measured.blocks[::-1], claim, HEADS[0], RowOptions(False, 1), 5)
    assert [(one.document, one.query) for one in found.counterexamples] == [(0, 3), (1, 3), (2, 3)]
    claim = Claim("mass", PREVIOUS, "<=", 0.1)
    # Half of the attention of row 1, a quarter of the two that follow.
    found = read_rows_against(measured.blocks, claim, HEADS[0], RowOptions(False, 2), 5)
    assert [(one.document, one.query) for one in found.counterexamples] == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("on", "operator"), [(ON_KEY["key < 3"], "<="), (ON_KEY["key >= 3"], ">=")], ids=repr
)
def test_a_row_without_keys_on_one_side_has_no_attention_there(on, operator):
    # The last row alone has keys on both sides, and is the furthest ahead.
    rows = [[1.0], [0.25, 0.75], [0.125, 0.75, 0.125], [0.0, 1.0, 0.0, 0.0]]
    measured = by_hand([["I", "et", " a", ","]], [rows])
    claim = Claim("top1_rate", on, operator, when=EVERY_ROW)
    chosen = RowOptions(False, 1)
    found = read_rows_against(measured.blocks, claim, HEADS[0], chosen)
    assert_judged(found, judge_of(measured.texts, chosen).judge(claim, 9, [0]))
    assert found.rows_against == 3
    (one,) = found.counterexamples
    assert (one.query, one.key) == (3, 1)


def test_where_every_key_is_claimed_the_most_attended_is_shown():
    measured = by_hand([["I", "et", " a"]], [[[1.0], [0.25, 0.75], [0.25, 0.25, 0.5]]])
    claim = Claim("lift", ON_KEY["key < 3"], ">=", 1.5)
    found = read_rows_against(measured.blocks, claim, HEADS[0], PLAIN)
    (one,) = found.counterexamples
    assert (one.query, one.key, one.figure) == (1, 1, 1.0)


def test_a_share_as_good_as_the_threshold_ties_with_it():
    third = np.float32(1 / 3)
    measured = by_hand([["I", "et", " a"]], [[[1.0], [0.5, 0.5], [third, third, third]]])
    for operator, against in ((">=", 0), (">", 1), ("<=", 0), ("<", 1)):
        claim = Claim("mass", CURRENT, operator, float(third) + 2.0**-32)
        found = read_rows_against(measured.blocks, claim, HEADS[0], RowOptions(False, 2))
        assert found.rows_against == against


def test_a_row_without_anything_to_divide_by_comes_to_nothing():
    measured = by_hand([["I", "et", " a"]], [[[1.0], [1.0, 0.0], [1.0, 0.0, 0.0]]])
    claim = Claim("mass", PREVIOUS, ">", 0.0, None, ~FIRST)
    found = read_rows_against(measured.blocks, claim, HEADS[0], RowOptions(True, 2))
    (one,) = found.counterexamples
    assert (one.figure, one.key, one.multiple, one.claimed.tolist()) == (0.0, 0, 3.0, [1])
    # As little as that speaks neither for nor against, where it ties.
    claim = Claim("mass", PREVIOUS, ">=", 0.5, None, ~FIRST)
    assert (
        read_rows_against(measured.blocks, claim, HEADS[0], RowOptions(True, 2)).rows_against == 0
    )


@pytest.mark.parametrize("threshold", [1e300, -1e300])
def test_a_threshold_far_beyond_any_figure_is_compared_alike(threshold):
    rows = several(1, [6, 5], ties=False)
    for operator in OPERATORS:
        claim = Claim("lift", PREVIOUS, operator, threshold)
        found = read_rows_against(rows.blocks, claim, HEADS[0], SUPPRESSED)
        assert found.rows_against == (7 if (threshold > 0) == claim.is_over else 0)


# What is read, and what is kept of it.


def test_only_the_documents_that_decided_are_looked_at():
    rows = several(5, [8, 7, 9, 6, 8], at_once=3, ties=False)
    claim, documents = Claim("mass", DUPLICATE, ">=", 0.9), [4, 1]
    found = read_rows_against(rows.blocks, claim, HEADS[2], SUPPRESSED, 10, documents)
    expected = judge_of(rows.texts[HEADS[2]], SUPPRESSED).judge(claim, 10, documents)
    assert_judged(found, expected)
    assert {one.document for one in found.counterexamples} == {4, 1}


def test_of_no_document_there_is_nothing():
    rows = several(5, [8, 7])
    found = read_rows_against(rows.blocks, EVERY_KIND[0], HEADS[0], SUPPRESSED, 10, [])
    assert (found.rows_against, found.on.count, found.others.count) == (0, 0, 0)
    assert found.counterexamples == ()
    assert len(found.pairs) == 0


def test_counterexamples_have_their_row_without_padding():
    rows = several(5, [8, 3, 11], at_once=3, ties=False)
    found = read_rows_against(rows.blocks, EVERY_KIND[0], HEADS[0], SUPPRESSED)
    assert len(found.counterexamples) > 1
    for one in found.counterexamples:
        text = rows.texts[HEADS[0]][one.document]
        assert one.row.tolist() == text.attention[one.query]
    assert found.pairs.documents.tolist() == [one.document for one in found.counterexamples]
    assert found.pairs.multiples.tolist() == [one.multiple for one in found.counterexamples]


def test_a_statistic_of_no_known_kind_is_an_error():
    class Unknown(RelationStatistic):
        kind = "unknown"

        def english(self, head):
            return ""

    rows = several(5, [4])
    asked = RowsAgainstRequest(
        Question(HEADS[0], Unknown(ht.previous, None), PLAIN), np.arange(3), ">=", 0.5, 3
    )
    with pytest.raises(ClaimError):
        RowsAgainstReader(vocabulary(), asked).read(rows.blocks[0])


@pytest.fixture(scope="module")
def population():
    documents = tiny_models.random_documents(
        [3 + number % 9 for number in range(30)], first_id=0, vocabulary=9
    )
    with tiny_models.population_of(documents) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("at", [None, 1, 2, 3, 4])
@pytest.mark.parametrize("claim", EVERY_KIND[:1] + EVERY_KIND[4:], ids=lambda claim: claim.kind)
def test_a_block_is_taken_whole_or_not_at_all(claim, at, population, monkeypatch):
    calls = []
    add = rows_against._merged

    def ends(histogram, multiples):
        calls.append(multiples)
        if len(calls) == at:
            raise torch.OutOfMemoryError("Tried to allocate 2.00 GiB.")
        return add(histogram, multiples)

    monkeypatch.setattr(rows_against, "_merged", ends)
    heads = (HEAD, OTHER, UNANNOUNCED)
    document_pass = sweep_of(
        Model(documents=30, heads=9), population, *heads, batch_size=16, spool=0
    )
    documents = [2, 3, 11, 17, 18, 25, 29]
    asked = asked_of(claim, OTHER, SUPPRESSED, 4, documents)
    reader = RowsAgainstReader(population.vocabulary, asked)
    document_pass.read(heads, [reader], values=True)
    assert len(document_pass.notes) == (at is not None)
    texts = texts_of(document_pass.blocks(OTHER, values=True), population.vocabulary)
    assert_judged(reader.result, judge_of(texts, SUPPRESSED).judge(claim, 4, documents))


def test_the_control_is_worked_out_for_the_head_alone(monkeypatch):
    from headtests.measurement.readers import row_views

    worked_out = []
    matched = row_views.matched_rows

    def counted(tokens, rows, chosen):
        worked_out.append(len(rows))
        return matched(tokens, rows, chosen)

    monkeypatch.setattr(row_views, "matched_rows", counted)
    rows = several(5, [8, 7])
    (block, _) = rows.blocks
    assert len(block.heads) == 2
    asked = asked_of(EVERY_KIND[3], HEADS[1], SUPPRESSED)
    RowsAgainstReader(vocabulary(), asked).read(block)
    assert worked_out == [1]
    # What was worked out of a block of one head serves all that ask of it.
    alone = Block(block.tokens, block.heads[:1], block.rows[:1])
    for _ in range(2):
        RowsAgainstReader(vocabulary(), asked_of(EVERY_KIND[3], HEADS[0], SUPPRESSED)).read(alone)
    assert worked_out == [1, 1]


def test_long_documents_are_looked_at_alike():
    measured = at_random(4, [90, 130, 64])
    claim = Claim("mass", DUPLICATE, ">=", 0.4)
    found = read_rows_against(measured.blocks, claim, HEADS[0], SUPPRESSED)
    assert_judged(found, judge_of(measured.texts, SUPPRESSED).judge(claim, 10, range(100)))
