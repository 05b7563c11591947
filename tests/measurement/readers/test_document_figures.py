"""Each statistic equals its definition in DESIGN.md, computed by a double loop over tokens."""

from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import headtests as ht
from headtests import key, query
from headtests.claims.definitions import (
    Entropy,
    ExceedRate,
    Lift,
    Mass,
    Peak,
    Precision,
    RelationStatistic,
    RowOptions,
    Top1Rate,
)
from headtests.errors import ClaimError
from headtests.measurement.masks import Masks
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.memo import Memo
from headtests.measurement.passes.token_view import BatchTokens
from headtests.measurement.readers.document_figures import FigureReader
from headtests.statistics import QUANTA
from tests.measurement.blocks import (
    HEAD,
    alone,
    at_random,
    by_hand,
    figures_of,
    measured,
    vocabulary,
    with_norms,
)
from tests.measurement.several import read_by, several
from tests.oracles import (
    CURRENT,
    DUPLICATE,
    EVERY_ROW,
    FIRST,
    INDUCTION,
    LATEST,
    ON_KEY,
    ON_PAIR,
    ON_QUERY,
    PARITY,
    PREVIOUS,
    Reader,
)

FIXED = settings(derandomize=True, deadline=None, max_examples=50)
NEAR = 1e-6

RELATIONS = [
    PREVIOUS,
    ~PREVIOUS,
    FIRST,
    ~FIRST,
    DUPLICATE,
    INDUCTION,
    LATEST,
    PARITY,
    PREVIOUS | FIRST,
    FIRST & ON_QUERY["query repeats"],
    ON_KEY["key is one of two"],
    ON_KEY["key special"],
    ON_KEY["key < 3"],
    ~(INDUCTION | CURRENT),
]
CONDITIONS = [
    None,
    EVERY_ROW,
    ON_QUERY["query repeats"],
    ~ON_QUERY["query special"],
    ON_QUERY["query >= 3"],
    EVERY_ROW & ON_QUERY["query repeats"],
]
MULTIPLES = [0.5, 1, 1.5, 2, 3, 4.0]

relations = st.sampled_from(RELATIONS)
conditions = st.sampled_from(CONDITIONS)
multiples = st.sampled_from(MULTIPLES)
options = st.builds(RowOptions, st.booleans(), st.sampled_from([0, 1, 2]))


def expression(said):
    return None if said is None else said.expression


def assert_measured(statistic, chosen, measured, expected):
    """Compare a statistic's figures with those that a reader computes by hand."""
    figures = figures_of(measured.blocks, statistic, chosen)
    assert figures.documents.tolist() == expected.documents
    assert figures.rows.tolist() == expected.rows
    assert figures.numerators / QUANTA == pytest.approx(expected.shares, abs=NEAR)
    for found, hoped in (
        (figures.average, expected.value),
        (figures.base_rate, expected.base),
        (figures.resting_mass, expected.resting),
    ):
        if hoped is None:
            assert found is None
        else:
            assert float(found) == pytest.approx(hoped, rel=NEAR, abs=NEAR)


def reader(measured, chosen):
    return Reader(measured.texts, chosen.suppress_first_token, chosen.min_query)


@pytest.fixture(scope="module", params=["windowed", "bidirectional"])
def some(request):
    """A few documents with rows full of ties."""
    if request.param == "bidirectional":
        return with_norms(at_random(0, [6, 2, 7, 1, 5], bidirectional=True))
    return with_norms(at_random(1, [6, 2, 7, 1, 5], window=4))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("on", "when", "suppress"),
    # Each relation with either condition and either option.
    [(on, None, True) for on in RELATIONS] + [(on, EVERY_ROW, False) for on in RELATIONS],
    ids=repr,
)
def test_every_statistic_of_each_relation(on, when, suppress, some):
    chosen = RowOptions(suppress)
    naive, relation, condition = reader(some, chosen), on.expression, expression(when)
    for statistic, expected in (
        (Mass(relation, condition), naive.mass(on, when)),
        (Mass(relation, condition, ht.current), naive.mass(on, when, CURRENT)),
        (Lift(relation, condition), naive.lift(on, when)),
        (Top1Rate(relation, condition), naive.top1_rate(on, when)),
        (ExceedRate(relation, condition, 2.0), naive.exceed_rate(2.0, on, when)),
        (Precision(relation, condition, 1.5), naive.precision(on, 1.5, when)),
        (Mass(relation, condition, weights="value"), naive.value_mass(on, when)),
        (Mass(relation, condition, ht.current, "value"), naive.value_mass(on, when, CURRENT)),
    ):
        assert_measured(statistic, chosen, some, expected)


@pytest.mark.slow
@FIXED
@given(measured(), relations, conditions, options)
def test_mass(measured, on, when, chosen):
    assert_measured(
        Mass(on.expression, expression(when)),
        chosen,
        measured,
        reader(measured, chosen).mass(on, when),
    )


@pytest.mark.slow
@FIXED
@given(measured(), relations, relations, conditions, options)
def test_mass_of_a_part_of_the_attention(measured, on, of, when, chosen):
    assert_measured(
        Mass(on.expression, expression(when), of.expression),
        chosen,
        measured,
        reader(measured, chosen).mass(on, when, of),
    )


@pytest.mark.slow
@FIXED
@given(measured(), relations, conditions, options)
def test_lift(measured, on, when, chosen):
    assert_measured(
        Lift(on.expression, expression(when)),
        chosen,
        measured,
        reader(measured, chosen).lift(on, when),
    )


@pytest.mark.slow
@FIXED
@given(measured(), relations, conditions, options)
def test_top1_rate(measured, on, when, chosen):
    assert_measured(
        Top1Rate(on.expression, expression(when)),
        chosen,
        measured,
        reader(measured, chosen).top1_rate(on, when),
    )


@pytest.mark.slow
@FIXED
@given(measured(), conditions, options)
def test_entropy_and_peak(measured, when, chosen):
    naive, condition = reader(measured, chosen), expression(when)
    assert_measured(Entropy(condition), chosen, measured, naive.entropy(when))
    assert_measured(Peak(condition), chosen, measured, naive.peak(when))


@pytest.mark.slow
@FIXED
@given(measured().map(with_norms), relations, st.none() | relations, conditions, options)
def test_value_weighted_mass(measured, on, of, when, chosen):
    assert_measured(
        Mass(on.expression, expression(when), expression(of), "value"),
        chosen,
        measured,
        reader(measured, chosen).value_mass(on, when, of),
    )


@pytest.mark.slow
@FIXED
@given(measured(), multiples, relations, conditions, options)
def test_exceed_rate(measured, multiple, on, when, chosen):
    assert_measured(
        ExceedRate(on.expression, expression(when), multiple),
        chosen,
        measured,
        reader(measured, chosen).exceed_rate(multiple, on, when),
    )


@pytest.mark.slow
@FIXED
@given(measured(), relations, multiples, conditions, options)
def test_precision(measured, on, above, when, chosen):
    assert_measured(
        Precision(on.expression, expression(when), above),
        chosen,
        measured,
        reader(measured, chosen).precision(on, above, when),
    )


LEAVES = list((ON_KEY | ON_QUERY | ON_PAIR).values())
NESTED = st.recursive(
    st.sampled_from(LEAVES),
    lambda parts: (
        st.builds(lambda a, b: a & b, parts, parts)
        | st.builds(lambda a, b: a | b, parts, parts)
        | parts.map(lambda a: ~a)
    ),
    max_leaves=5,
).filter(lambda said: said.expression.scope != "query")


def masses(measured, chosen, *expressions):
    """Return the mass on each, every row counted."""
    return [
        float(figures_of(measured.blocks, Mass(on, ht.every_row), chosen).average)
        for on in expressions
    ]


@pytest.mark.slow
@FIXED
@given(measured(), NESTED)
def test_a_relation_its_denial_and_first_share_all_of_the_attention(measured, said):
    chosen = RowOptions(suppress_first_token=True, min_query=0)
    on = said.expression
    assert sum(masses(measured, chosen, on, ~on, ht.first)) == pytest.approx(1, abs=NEAR)


@pytest.mark.slow
@FIXED
@given(measured(), NESTED)
def test_without_suppression_a_relation_and_its_denial_share_it(measured, said):
    chosen = RowOptions(suppress_first_token=False, min_query=0)
    on = said.expression
    assert sum(masses(measured, chosen, on, ~on)) == pytest.approx(1, abs=NEAR)


@pytest.mark.slow
@FIXED
@given(measured(), st.booleans())
def test_first_and_what_is_not_first_share_it(measured, suppress):
    chosen = RowOptions(suppress, min_query=0)
    assert sum(masses(measured, chosen, ht.first, ~ht.first)) == pytest.approx(1, abs=NEAR)


def test_ties_for_the_most_attended_key_go_to_the_lower():
    # Of the last row, keys 1 and 3 tie; of the second, 0 and 1, and key 0 is a candidate.
    rows = [[1.0], [0.5, 0.5], [0.0, 0.5, 0.5], [0.125, 0.375, 0.125, 0.375]]
    one = by_hand([[" a", "et", ",", "I"]], [rows])
    chosen = RowOptions(suppress_first_token=True)

    def rate(on):
        statistic = Top1Rate(on, ht.every_row)
        return float(figures_of(one.blocks, statistic, chosen).average)

    assert rate(ht.first) == pytest.approx(1 / 3)
    assert rate(key.is_("et")) == pytest.approx(2 / 3)
    assert rate(key.is_(",", "I")) == 0


def test_of_a_row_without_attention_the_lowest_key_in_its_window_is_the_most_attended():
    """As the control has rows, where nothing is put on any of their distances."""
    (block,) = at_random(0, [7], window=3).blocks
    empty = Block(block.tokens, block.heads, torch.zeros((1, 1, 7, 7)))
    for on, expected in ((ht.offset(-2), 1), (ht.previous, Fraction(1, 6)), (ht.current, 0)):
        assert figures_of([empty], Top1Rate(on, None), RowOptions(False)).average == pytest.approx(
            expected
        )


def test_a_multiple_of_exactly_the_threshold_is_at_least_it():
    one = by_hand(
        [[" a", "et", ",", "I"]], [[[1.0], [0.5, 0.5], [0.0, 0.5, 0.5], [0.5, 0.5, 0, 0]]]
    )
    chosen = RowOptions(suppress_first_token=True)

    def value(statistic):
        found = figures_of(one.blocks, statistic, chosen)
        return found.average, found.rows.tolist()

    # Row 3 alone has pairs of 2, and row 1 has two keys, so that 2 is possible there.
    assert value(ExceedRate(~ht.first, None, 2.0)) == (pytest.approx(1 / 6), [3])
    assert value(ExceedRate(~ht.first, None, 2.5)) == (0, [2])
    assert value(Precision(key.is_("et"), None, 2.0)) == (1, [3])
    assert value(Precision(key.is_("et"), None, 1.0)) == (pytest.approx(3 / 4), [3])


def test_a_document_counts_as_one_however_many_rows_it_has():
    short = [[1.0], [0.0, 1.0]]
    long = [[1.0], [1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]
    two = by_hand([[" a", "et"], [" a", "et", ",", "I"]], [short, long])
    figures = figures_of(two.blocks, Mass(ht.current, None))
    assert figures.rows.tolist() == [1, 3]
    assert figures.average == 0.5
    assert figures.resting_mass == 0.5


def test_suppression_renormalises_nothing():
    one = by_hand([[" a", "et", ","]], [[[1.0], [0.75, 0.25], [0.5, 0.25, 0.25]]])
    for suppress in (True, False):
        figures = figures_of(one.blocks, Mass(ht.current, None), RowOptions(suppress))
        assert figures.average == 0.25
        assert float(figures.base_rate) == pytest.approx((1 / 2 + 1 / 3) / 2)
        assert float(figures.resting_mass) == pytest.approx(0.625)


def test_figures_are_in_the_order_of_the_places_and_may_be_none():
    rows = [[1.0], [0.5, 0.5]]
    four = by_hand(
        [[" a", "et"], [" a"], ["et", "et", "et"], ["et", "I"]], [rows, rows[:1], None, rows]
    )
    mass = Mass(ht.previous, None)
    for places, expected in (([0, 1, 2, 3], [0, 2, 3]), ([2, 0, 3, 1], [3, 0, 2])):
        figures = figures_of(four.blocks[::-1], mass, RowOptions(False), places=np.array(places))
        assert figures.documents.tolist() == expected
        assert figures.rows.tolist() == [{0: 1, 2: 2, 3: 1}[number] for number in expected]
        assert figures.sizes.tolist() == [1, 1, 1]
    nothing = figures_of(four.blocks, Mass(key.is_(" The"), None), RowOptions(False))
    assert len(nothing) == 0
    assert nothing.average is None


@pytest.mark.parametrize(
    ("statistic", "ratio"),
    [
        (Mass(ht.previous, None), False),
        (Mass(ht.previous, None, ht.current), True),
        (Lift(ht.previous, None), True),
        (Lift(ht.previous, None, "distance"), True),
        (Top1Rate(ht.previous, None), False),
        (ExceedRate(ht.previous, None), False),
        (Precision(ht.previous, None), True),
    ],
    ids=repr,
)
def test_figures_of_nothing_have_the_columns_of_figures_of_something(statistic, ratio):
    """So that a part without an eligible document joins those with some."""
    some = by_hand([[" a", "et", ","]], [None])
    for blocks in ([], some.blocks):
        figures = figures_of(blocks, statistic)
        assert (figures.denominators is not None) == ratio
        assert (figures.base_denominators is not None) == ratio
        assert len(figures) == len(blocks)


def test_a_statistic_of_no_known_kind_is_an_error():
    class Other(RelationStatistic):
        kind = "other"

        def english(self, head):
            return ""

    one = by_hand([[" a", "et"]], [[[1.0], [0.5, 0.5]]])
    with pytest.raises(ClaimError, match="no measurement"):
        figures_of(one.blocks, Other(ht.previous, None))


def test_shares_stay_within_what_is_possible():
    # As rows of float32 come out of a softmax: with sums a little over 1, or under.
    third = np.nextafter(np.float32(1 / 3), np.float32(1))
    rows = [[1.0], [0.5, 0.50001], [float(third)] * 3, [0.25, 0.250001, 0.25, 0.25]]
    one = by_hand([[" a", "et", ",", "I"]], [rows])
    chosen = RowOptions(suppress_first_token=False)
    everything = figures_of(one.blocks, Mass(ht.first | ~ht.first, None), chosen)
    assert everything.numerators.tolist() == [QUANTA]
    part = figures_of(one.blocks, Mass(ht.first | ~ht.first, None, ht.first | ~ht.first), chosen)
    assert part.denominators.tolist() == part.numerators.tolist() == [QUANTA]


@pytest.mark.slow
@FIXED
@given(measured(), relations, relations, conditions, options, st.booleans())
def test_a_part_is_at_most_the_whole(measured, on, of, when, chosen, matched):
    relation, condition = on.expression, expression(when)
    for statistic in (
        Mass(relation, condition, of.expression),
        Precision(relation, condition, 1.5),
    ):
        figures = figures_of(measured.blocks, statistic, chosen, matched)
        assert (figures.numerators >= 0).all()
        assert (figures.numerators <= figures.denominators).all()
        assert (figures.denominators <= QUANTA).all()


def test_padding_and_the_documents_beside_it_change_nothing():
    """Not even the last bit: the order of a sum is a document's own."""
    lengths = [40, 3, 17, 31, 9]
    every = with_norms(at_random(5, lengths, ties=False), few=False)
    for statistic in (
        Mass(~ht.first, None),
        Mass(ht.duplicate, ht.every_row, ~ht.previous),
        Lift(ht.duplicate, None),
        Lift(ht.duplicate, None, "distance"),
        Precision(ht.duplicate, None, 1.5),
        Entropy(None),
        Peak(None),
        Mass(ht.duplicate, None, weights="value"),
        Mass(ht.duplicate, ht.every_row, ~ht.previous, "value"),
    ):
        together, apart = (
            figures_of(every.blocks, statistic),
            figures_of(map(alone, every.texts), statistic),
        )
        for column in ("documents", "numerators", "rows", "base_rates", "resting"):
            assert getattr(together, column).tolist() == getattr(apart, column).tolist(), column


def assert_same(found, expected):
    for field in fields(found):
        left, right = getattr(found, field.name), getattr(expected, field.name)
        assert (left is None) == (right is None)
        assert left is None or left.tolist() == right.tolist(), field.name


QUESTIONS = [
    (Mass(ht.duplicate, None), RowOptions(True)),
    (Lift(ht.duplicate, None), RowOptions(True)),
    (Lift(ht.duplicate, None, "distance"), RowOptions(True)),
    (Top1Rate(ht.duplicate, None), RowOptions(True)),
    (Mass(ht.duplicate, None), RowOptions(False)),
    (Mass(ht.duplicate, None), RowOptions(True, 3)),
    (Lift(ht.duplicate, None, "distance"), RowOptions(True, 3)),
    (Mass(ht.duplicate, ht.every_row), RowOptions(True)),
    (Lift(ht.duplicate, ht.every_row), RowOptions(True)),
    (Top1Rate(ht.duplicate, query.repeats), RowOptions(True)),
    (Mass(ht.duplicate, None, ht.previous), RowOptions(True)),
    (Mass(ht.previous, None), RowOptions(True)),
    (ExceedRate(ht.duplicate, None, 1.5), RowOptions(True)),
    (ExceedRate(ht.duplicate, None, 2.5), RowOptions(True)),
    (Precision(ht.duplicate, None, 1.5), RowOptions(True)),
    (Entropy(None), RowOptions(True)),
    (Entropy(query.repeats), RowOptions(True, 0)),
    (Peak(None), RowOptions(True)),
    (Mass(ht.duplicate, None, weights="value"), RowOptions(True)),
    (Mass(~ht.previous, ht.every_row, ~ht.first, "value"), RowOptions(True)),
]


def test_what_is_remembered_of_tokens_is_no_answer_to_another_question():
    some = with_norms(at_random(3, [8, 9, 5]))
    remembered = Memo(10**6)
    kept = [
        Block(
            BatchTokens(block.batch, block.tokens.allowed, number, remembered),
            (HEAD,),
            block.rows,
            block.norms,
        )
        for number, block in enumerate(some.blocks)
    ]
    # Another head, on the same tokens.
    other = [
        Block(block.tokens, (HEAD,), (block.rows + block.rows.tril()) / 2, block.norms + 1)
        for block in kept
    ]
    for _ in range(2):
        for statistic, chosen in QUESTIONS:
            expected = figures_of(some.blocks, statistic, chosen)
            assert_same(figures_of(kept, statistic, chosen), expected)
            fresh = [
                Block(
                    BatchTokens(block.batch, block.tokens.allowed), (HEAD,), head.rows, head.norms
                )
                for block, head in zip(some.blocks, other, strict=True)
            ]
            assert_same(figures_of(other, statistic, chosen), figures_of(fresh, statistic, chosen))


def test_tokens_are_read_once_for_what_counts_the_same(monkeypatch):
    (block,) = at_random(3, [8]).blocks
    tokens = BatchTokens(block.batch, block.tokens.allowed, 0, Memo(10**6))
    kept = Block(tokens, (HEAD,), block.rows)
    evaluated = []
    relation = Masks.relation
    monkeypatch.setattr(
        Masks, "relation", lambda self, on: evaluated.append(on) or relation(self, on)
    )
    for statistic, chosen in QUESTIONS[:4]:
        for matched in (False, True):
            figures_of([kept], statistic, chosen, matched)
    assert evaluated == [ht.duplicate]


@pytest.fixture(scope="module", params=[True, False], ids=["together", "apart"])
def heads(request):
    """Several heads' rows, read together or one by one, with documents long enough for chunks."""
    lengths = [40, 3, 17, 31, 9, 1]
    rows = several(8, lengths, window=4, at_once=4, together=request.param, remembered=10**7)
    rows.alone = {head: [alone(text) for text in texts] for head, texts in rows.texts.items()}
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("matched", [False, True])
def test_a_head_has_its_own_figures(matched, heads):
    for statistic, chosen in QUESTIONS:
        reader = read_by(FigureReader(vocabulary(), statistic, chosen, matched), heads.blocks)
        for head, blocks in heads.alone.items():
            expected = figures_of(blocks, statistic, chosen, matched)
            assert_same(reader.figures(head, np.arange(10)), expected)


@pytest.mark.slow
@pytest.mark.parametrize("suppress", [True, False])
def test_statistics_share_what_they_see_of_a_block(suppress, heads):
    """Each is what it is alone, whatever was read before it."""
    chosen = RowOptions(suppress)
    asked = [
        (statistic, matched)
        for statistic in (
            Mass(~ht.first, None),
            Mass(ht.previous, None, ~ht.first),
            Lift(~ht.previous, None, "distance"),
            Top1Rate(ht.previous, None),
            ExceedRate(~ht.first, None, 1.5),
            Precision(ht.duplicate, None, 1.5),
            Entropy(None),
            Peak(None),
            Mass(~ht.previous, None, weights="value"),
        )
        for matched in (False, True)
    ]
    readers = [FigureReader(vocabulary(), statistic, chosen, m) for statistic, m in asked]
    for block in heads.blocks:
        # As a pass has it: the rows are overwritten when everybody has read them.
        passing = Block(block.tokens, block.heads, block.rows.clone(), block.norms)
        for reader in readers:
            reader.read(passing)
        passing.rows.fill_(7.0)
    for reader, (statistic, matched) in zip(readers, asked, strict=True):
        for head, blocks in heads.alone.items():
            expected = figures_of(blocks, statistic, chosen, matched)
            assert_same(reader.figures(head, np.arange(10)), expected)


def test_figures_may_be_asked_for_between_blocks(heads):
    statistic, chosen = Mass(ht.duplicate, None), RowOptions(True)
    reader = FigureReader(vocabulary(), statistic, chosen)
    (head, *_) = heads.texts
    assert len(reader.figures(head, np.arange(10))) == 0
    for count, block in enumerate(heads.blocks, 1):
        reader.read(block)
        expected = figures_of(heads.blocks[:count], statistic, chosen, head=head)
        assert_same(reader.figures(head, np.arange(10)), expected)


def test_many_documents_are_read():
    many = at_random(9, [3] * 150)
    figures = figures_of(many.blocks, Mass(ht.previous, None))
    assert figures.documents.tolist() == list(range(150))
    assert_same(figures, figures_of(map(alone, many.texts), Mass(ht.previous, None)))


@pytest.mark.slow
@pytest.mark.parametrize("matched", [False, True])
def test_reading_waits_for_no_value(matched, heads):
    """On a device whose tensors have no values, whatever asks for one fails."""
    for statistic, chosen in QUESTIONS:
        reader = FigureReader(vocabulary(), statistic, chosen, matched)
        for block in heads.blocks:
            rows, norms = block.rows.to("meta"), block.norms.to("meta")
            reader.read(Block(block.tokens, block.heads, rows, norms))


LIKE_EVEN = [[1 / (q + 1)] * (q + 1) for q in range(4)]
ON_ONE_KEY = [[0.0] * (q // 2) + [1.0] + [0.0] * (q - q // 2) for q in range(4)]


@pytest.mark.parametrize(
    ("rows", "entropy", "peak"),
    [(LIKE_EVEN, 1.0, (1 / 2 + 1 / 3 + 1 / 4) / 3), (ON_ONE_KEY, 0.0, 1.0)],
    ids=["even", "on one key"],
)
@pytest.mark.parametrize("suppress", [True, False])
def test_the_ends_of_entropy_and_peak(rows, entropy, peak, suppress):
    one = by_hand([["I", "et", " a", ","]], [rows])
    found = [
        figures_of(one.blocks, each, RowOptions(suppress)) for each in (Entropy(None), Peak(None))
    ]
    assert [float(figures.average) for figures in found] == pytest.approx([entropy, peak], abs=1e-7)
    assert found[0].base_rate == 1
    assert float(found[1].base_rate) == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3)
    assert [figures.rows.tolist() for figures in found] == [[3], [3]]


def test_a_row_of_one_key_has_a_peak_and_no_entropy():
    two = by_hand([["I"], ["I", "et"]], [[[1.0]], [[1.0], [0.25, 0.75]]])
    entropy, peak = (
        figures_of(two.blocks, each, RowOptions(True, 0)) for each in (Entropy(None), Peak(None))
    )
    assert (entropy.documents.tolist(), entropy.rows.tolist()) == ([1], [1])
    assert float(entropy.average) == pytest.approx(0.811278, abs=1e-6)  # bits of 1/4 and 3/4
    assert (peak.documents.tolist(), peak.rows.tolist()) == ([0, 1], [1, 2])
    assert float(peak.average) == pytest.approx((1 + 0.875) / 2)


def test_what_rests_on_a_sink_is_in_no_term():
    """Rows of a model with learned sinks sum to less than 1, and a row may have nothing left."""
    one = by_hand([["I", "et", " a"]], [[[0.5], [0.4, 0.4], [0.0, 0.0, 0.0]]])
    entropy, peak = (figures_of(one.blocks, each) for each in (Entropy(None), Peak(None)))
    # -2 * 0.4 ln 0.4 is more than ln 2: no row counts with more than 1.
    assert float(entropy.average) == 0.5
    assert float(peak.average) == pytest.approx(0.2)


def test_figures_of_rows_stay_within_what_is_possible():
    # As rows of float32 come out of a softmax: with sums a little over 1, or under.
    rows = [[1.0], [0.49999, 0.49999]], [[1.0], [0.0, 1.0001]]
    for statistic, row in zip((Entropy(None), Peak(None)), rows, strict=True):
        one = by_hand([["I", "et"]], [row])
        assert figures_of(one.blocks, statistic).average == 1


def test_value_weights_without_values_are_refused():
    one = by_hand([["I", "et"]], [None])
    with pytest.raises(ValueError, match="does not read values"):
        figures_of(one.blocks, Mass(ht.previous, None, weights="value"))


@pytest.mark.parametrize("of", [None, ~ht.first])
@pytest.mark.parametrize("suppress", [True, False])
def test_equal_values_weigh_nothing(of, suppress):
    some = at_random(4, [9, 5, 12, 1], ties=False)
    norms = [torch.full((1, *block.batch.ids.shape), 3.7) for block in some.blocks]
    blocks = [
        Block(block.tokens, (HEAD,), block.rows, norm * torch.from_numpy(block.tokens.valid))
        for block, norm in zip(some.blocks, norms, strict=True)
    ]
    plain, weighted = (
        figures_of(blocks, Mass(ht.duplicate, None, of, weights), RowOptions(suppress))
        for weights in ("attention", "value")
    )
    assert plain.documents.tolist() == weighted.documents.tolist()
    for column in ("numerators", "base_rates", "resting", "denominators", "base_denominators"):
        one, other = getattr(plain, column), getattr(weighted, column)
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(one / QUANTA, other / QUANTA, rtol=0, atol=1e-7)


def test_a_row_whose_values_are_all_0_counts_with_0():
    rows = [[1.0], [0.25, 0.75], [0.5, 0.5, 0.0]]
    (block,) = by_hand([["I", "et", " a"]], [rows]).blocks
    blocks = [Block(block.tokens, (HEAD,), block.rows, torch.tensor([[[0.0, 0.0, 2.0]]]))]
    found = figures_of(blocks, Mass(ht.current, None, weights="value"), RowOptions(False))
    # All of it, which is summed as whole rows without the others.
    everything = Mass(ht.first | ~ht.first, None, weights="value")
    assert figures_of(blocks, everything, RowOptions(False)).average == 0
    # Both rows put all of their attention on values of 0. Even attention does so in the first.
    assert (float(found.average), found.rows.tolist()) == (0, [2])
    assert float(found.base_rate) == 0.5
