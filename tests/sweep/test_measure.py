"""Each statistic is what DESIGN.md says, computed by a double loop over tokens."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import (
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

import headtests as ht
from headtests import key
from headtests.claims import (
    ExceedRate,
    Lift,
    Mass,
    Precision,
    RowOptions,
    Statistic,
    Top1Rate,
)
from headtests.errors import ClaimError
from headtests.statistics import QUANTA
from headtests.sweep.measure import document_figures, row_view
from sweep.blocks import at_random, by_hand, measured, vocabulary

FIXED = settings(derandomize=True, deadline=None, max_examples=100)
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
    figures = document_figures(iter(measured.blocks), vocabulary(), statistic, chosen)
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
        return at_random(0, [6, 2, 7, 1, 5], bidirectional=True)
    return at_random(1, [6, 2, 7, 1, 5], window=4)


@pytest.mark.parametrize("suppress", [True, False], ids=["suppressed", "plain"])
@pytest.mark.parametrize("when", [None, EVERY_ROW], ids=repr)
@pytest.mark.parametrize("on", RELATIONS, ids=repr)
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
    ):
        assert_measured(statistic, chosen, some, expected)


@FIXED
@given(measured(), relations, conditions, options)
def test_mass(measured, on, when, chosen):
    assert_measured(
        Mass(on.expression, expression(when)),
        chosen,
        measured,
        reader(measured, chosen).mass(on, when),
    )


@FIXED
@given(measured(), relations, relations, conditions, options)
def test_mass_of_a_part_of_the_attention(measured, on, of, when, chosen):
    assert_measured(
        Mass(on.expression, expression(when), of.expression),
        chosen,
        measured,
        reader(measured, chosen).mass(on, when, of),
    )


@FIXED
@given(measured(), relations, conditions, options)
def test_lift(measured, on, when, chosen):
    assert_measured(
        Lift(on.expression, expression(when)),
        chosen,
        measured,
        reader(measured, chosen).lift(on, when),
    )


@FIXED
@given(measured(), relations, conditions, options)
def test_top1_rate(measured, on, when, chosen):
    assert_measured(
        Top1Rate(on.expression, expression(when)),
        chosen,
        measured,
        reader(measured, chosen).top1_rate(on, when),
    )


@FIXED
@given(measured(), multiples, relations, conditions, options)
def test_exceed_rate(measured, multiple, on, when, chosen):
    assert_measured(
        ExceedRate(on.expression, expression(when), multiple),
        chosen,
        measured,
        reader(measured, chosen).exceed_rate(multiple, on, when),
    )


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
        float(
            document_figures(
                iter(measured.blocks), vocabulary(), Mass(on, ht.every_row), chosen
            ).average
        )
        for on in expressions
    ]


@FIXED
@given(measured(), NESTED)
def test_a_relation_its_denial_and_first_share_all_of_the_attention(measured, said):
    chosen = RowOptions(suppress_first_token=True, min_query=0)
    on = said.expression
    assert sum(masses(measured, chosen, on, ~on, ht.first)) == pytest.approx(1, abs=NEAR)


@FIXED
@given(measured(), NESTED)
def test_without_suppression_a_relation_and_its_denial_share_it(measured, said):
    chosen = RowOptions(suppress_first_token=False, min_query=0)
    on = said.expression
    assert sum(masses(measured, chosen, on, ~on)) == pytest.approx(1, abs=NEAR)


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
        return float(document_figures(iter(one.blocks), vocabulary(), statistic, chosen).average)

    assert rate(ht.first) == pytest.approx(1 / 3)
    assert rate(key.is_("et")) == pytest.approx(2 / 3)
    assert rate(key.is_(",", "I")) == 0


def test_a_multiple_of_exactly_the_threshold_is_at_least_it():
    one = by_hand(
        [[" a", "et", ",", "I"]], [[[1.0], [0.5, 0.5], [0.0, 0.5, 0.5], [0.5, 0.5, 0, 0]]]
    )
    chosen = RowOptions(suppress_first_token=True)

    def value(statistic):
        found = document_figures(iter(one.blocks), vocabulary(), statistic, chosen)
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
    figures = document_figures(
        iter(two.blocks), vocabulary(), Mass(ht.current, None), RowOptions(True)
    )
    assert figures.rows.tolist() == [1, 3]
    assert figures.average == 0.5
    assert figures.resting_mass == 0.5


def test_suppression_renormalises_nothing():
    one = by_hand([[" a", "et", ","]], [[[1.0], [0.75, 0.25], [0.5, 0.25, 0.25]]])
    for suppress in (True, False):
        figures = document_figures(
            iter(one.blocks), vocabulary(), Mass(ht.current, None), RowOptions(suppress)
        )
        assert figures.average == 0.25
        assert float(figures.base_rate) == pytest.approx((1 / 2 + 1 / 3) / 2)
        assert float(figures.resting_mass) == pytest.approx(0.625)


def test_key_0_has_no_multiple_under_suppression():
    one = by_hand([[" a", "et"]], [[[1.0], [0.75, 0.25]]])
    for suppress, pairs in ((True, 1), (False, 2)):
        view = row_view(one.blocks[0], vocabulary(), RowOptions(suppress))
        assert int(view.pairs.sum()) == pairs
        assert view.multiples[0, 1].tolist() == [1.5, 0.5]


def test_figures_are_ordered_by_document_and_may_be_none():
    rows = [[1.0], [0.5, 0.5]]
    three = by_hand([[" a", "et"], [" a"], ["et", "et", "et"]], [rows, rows[:1], None])
    figures = document_figures(
        iter(three.blocks[::-1]), vocabulary(), Mass(ht.previous, None), RowOptions(False)
    )
    assert figures.documents.tolist() == [0, 2]
    nothing = document_figures(
        iter(three.blocks), vocabulary(), Mass(key.is_(" The"), None), RowOptions(False)
    )
    assert len(nothing) == 0
    assert nothing.average is None
    without_blocks = document_figures(
        iter([]), vocabulary(), Lift(ht.previous, None), RowOptions(False)
    )
    assert len(without_blocks) == 0


def test_a_statistic_of_no_known_kind_is_an_error():
    class Other(Statistic):
        kind = "other"

    one = by_hand([[" a", "et"]], [[[1.0], [0.5, 0.5]]])
    with pytest.raises(ClaimError, match="no measurement"):
        document_figures(iter(one.blocks), vocabulary(), Other(ht.previous, None), RowOptions(True))
