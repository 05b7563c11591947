"""Statistics as descriptions: their Python source, English phrases and ranges."""

import math
from dataclasses import FrozenInstanceError
from fractions import Fraction

import numpy as np
import pytest

import headtests as ht
from headtests import key, query
from headtests.claims.definitions import (
    Entropy,
    ExceedRate,
    Lift,
    Mass,
    Peak,
    Precision,
    RowOptions,
    Top1Rate,
)
from headtests.claims.numbers import require_multiple, require_number
from headtests.errors import ClaimError, ExpressionError
from headtests.wording import ordinal, written

CAPITAL = key.matches("^ ?[A-Z]")

SAID = [
    (
        Mass(ht.previous, None),
        "mass(ht.previous)",
        "the share of L5H1's attention that goes to keys one position before the query",
    ),
    (
        Mass(key.is_(" the"), query.repeats),
        'mass(key.is_(" the"), when=query.repeats)',
        'the share of L5H1\'s attention that goes to keys whose token is " the", in rows whose '
        "query token occurred earlier",
    ),
    (
        Mass(ht.induction, None, of=~ht.first),
        "mass(ht.induction, of=~ht.first)",
        "of L5H1's attention on keys other than those at position 0, the share that goes to keys "
        "that follow an earlier occurrence of the query's token",
    ),
    (
        Mass(ht.induction, ht.every_row, of=~ht.first),
        "mass(ht.induction, when=ht.every_row, of=~ht.first)",
        "of L5H1's attention on keys other than those at position 0, the share that goes to keys "
        "that follow an earlier occurrence of the query's token, in rows with or without such a "
        "key",
    ),
    (
        Mass(ht.induction, None, weights="value"),
        'mass(ht.induction, weights="value")',
        "the share of L5H1's value-weighted attention that goes to keys that follow an earlier "
        "occurrence of the query's token",
    ),
    (
        Mass(ht.previous, query.repeats, of=~ht.first, weights="value"),
        'mass(ht.previous, when=query.repeats, of=~ht.first, weights="value")',
        "of L5H1's value-weighted attention on keys other than those at position 0, the share that "
        "goes to keys one position before the query, in rows whose query token occurred earlier",
    ),
    (
        Entropy(None),
        "entropy()",
        "the entropy of L5H1's attention, as a share of that of even attention",
    ),
    (
        Entropy(query.repeats),
        "entropy(when=query.repeats)",
        "the entropy of L5H1's attention, as a share of that of even attention, in rows whose "
        "query token occurred earlier",
    ),
    (
        Peak(None),
        "peak()",
        "L5H1's attention on the most attended key of a row",
    ),
    (
        Top1Rate(ht.duplicate, None),
        "top1_rate(ht.duplicate)",
        "the share of rows in which L5H1's most attended key is among the keys that are earlier "
        "occurrences of the query's token",
    ),
    (
        Top1Rate(ht.duplicate, query.position < 50),
        "top1_rate(ht.duplicate, when=query.position < 50)",
        "of the rows whose query position is below 50, the share in which L5H1's most attended key "
        "is among the keys that are earlier occurrences of the query's token",
    ),
    (
        ExceedRate(CAPITAL, None, 2.5),
        "exceed_rate(2.5, key.matches('^ ?[A-Z]'))",
        "of L5H1's pairs with keys whose token matches /^ ?[A-Z]/, the share whose multiple is at "
        "least 2.5",
    ),
    (
        ExceedRate(CAPITAL, ~query.special, 10),
        "exceed_rate(10, key.matches('^ ?[A-Z]'), when=~query.special)",
        "of L5H1's pairs with keys whose token matches /^ ?[A-Z]/, the share whose multiple is at "
        "least 10, in rows other than those whose query token is special",
    ),
    (
        Precision(CAPITAL, None, 10.0),
        "precision(key.matches('^ ?[A-Z]'), above=10)",
        "of L5H1's pairs with a multiple of at least 10, the share with keys whose token matches "
        "/^ ?[A-Z]/",
    ),
    (
        Precision(CAPITAL, query.repeats, 0.1234567890123),
        "precision(key.matches('^ ?[A-Z]'), above=0.1234567890123, when=query.repeats)",
        "of L5H1's pairs with a multiple of at least 0.1234567890123, the share with keys whose "
        "token matches /^ ?[A-Z]/, in rows whose query token occurred earlier",
    ),
    (
        Lift(ht.induction & ~key.special, None),
        "lift(ht.induction & ~key.special)",
        "L5H1's attention on keys that follow an earlier occurrence of the query's token, but not "
        "those whose token is special, as a multiple of what uniform attention would give",
    ),
    (
        Lift(ht.current, query.repeats),
        "lift(ht.current, when=query.repeats)",
        "L5H1's attention on keys at the query's own position, as a multiple of what uniform "
        "attention would give, in rows whose query token occurred earlier",
    ),
]


@pytest.mark.parametrize(("statistic", "source", "phrase"), SAID, ids=[said[1] for said in SAID])
def test_a_statistic_prints_as_python_and_says_itself_in_english(statistic, source, phrase):
    assert f"{statistic.kind}({statistic.arguments})" == source
    assert statistic.english("L5H1") == phrase


def test_the_same_question_is_one_question():
    assert Mass(ht.previous, None) == Mass(ht.offset(-1), None)
    assert len({Mass(ht.previous, None), Mass(ht.offset(-1), None), Lift(ht.previous, None)}) == 2
    assert Precision(CAPITAL, None, 10) != Precision(CAPITAL, None, 11)


def test_questions_and_options_never_change():
    with pytest.raises(FrozenInstanceError):
        Mass(ht.previous, None).on = ht.first
    with pytest.raises(FrozenInstanceError):
        RowOptions(True).min_query = 2


def test_rows_begin_after_the_first_query():
    assert RowOptions(suppress_first_token=True).min_query == 1


@pytest.mark.parametrize("kind", [Mass, Top1Rate, ExceedRate, Precision, Lift])
def test_each_statistic_takes_a_relation_and_a_row_condition(kind):
    with pytest.raises(ExpressionError, match=r"^on=query\.repeats is a condition on the query"):
        kind(query.repeats, None)
    with pytest.raises(ExpressionError, match=r"^when=key\.repeats depends on the key"):
        kind(ht.previous, key.repeats)


def test_the_divisor_of_a_mass_is_a_relation():
    with pytest.raises(ExpressionError, match=r"^of=query\.repeats is a condition on the query"):
        Mass(ht.previous, None, of=query.repeats)


@pytest.mark.parametrize("kind", [Mass, Top1Rate, ExceedRate, Precision])
@pytest.mark.parametrize("threshold", [0.0, 0.4, 1.0])
def test_a_share_may_be_claimed_from_0_to_1(kind, threshold):
    kind(ht.previous, None).require_possible(threshold)


@pytest.mark.parametrize("threshold", [0.0, 1.0, 1e9])
def test_a_lift_may_be_claimed_from_0_on(threshold):
    Lift(ht.previous, None).require_possible(threshold)


@pytest.mark.parametrize(
    ("statistic", "threshold", "message"),
    [
        (
            Mass(ht.previous, None),
            40.0,
            "mass is a figure from 0 to 1, so comparing it with 40 claims nothing. Choose a "
            "threshold in that range; 40 percent is 0.4.",
        ),
        (
            Mass(ht.previous, None),
            100.0,
            "mass is a figure from 0 to 1, so comparing it with 100 claims nothing. Choose a "
            "threshold in that range; 100 percent is 1.",
        ),
        (
            Mass(ht.previous, None),
            1.5,
            "mass is a figure from 0 to 1, so comparing it with 1.5 claims nothing. Choose a "
            "threshold in that range; 1.5 percent is 0.015.",
        ),
        (
            Top1Rate(ht.previous, None),
            math.nextafter(1, 2),
            "top1_rate is a figure from 0 to 1, so comparing it with 1.0000000000000002 claims "
            "nothing. Choose a threshold in that range; 1.0000000000000002 percent is 0.01.",
        ),
        (
            Precision(ht.previous, None),
            101.0,
            "precision is a figure from 0 to 1, so comparing it with 101 claims nothing. Choose a "
            "threshold in that range.",
        ),
        (
            ExceedRate(ht.previous, None),
            -0.1,
            "exceed_rate is a figure from 0 to 1, so comparing it with -0.1 claims nothing. Choose "
            "a threshold in that range.",
        ),
        (
            Lift(ht.previous, None),
            -1.0,
            "lift is a figure of 0 or more, so comparing it with -1 claims nothing. Choose a "
            "threshold in that range.",
        ),
    ],
)
def test_a_threshold_out_of_range_is_told_the_range(statistic, threshold, message):
    with pytest.raises(ClaimError) as raised:
        statistic.require_possible(threshold)
    assert str(raised.value) == message


@pytest.mark.parametrize("number", [0, 1, 0.5, -3, Fraction(1, 2), np.float32(0.5), np.int64(3)])
def test_a_number_is_a_number_of_any_library(number):
    assert require_number(number, "here") == float(number)
    assert type(require_number(number, "here")) is float


@pytest.mark.parametrize(
    "found", [math.nan, math.inf, -math.inf, True, np.True_, "0.4", None, 1j, [0.4], key]
)
def test_what_is_no_finite_number_is_named(found):
    with pytest.raises(ClaimError) as raised:
        require_number(found, "a comparison")
    assert str(raised.value) == (
        f"expected a finite number in a comparison but found {found!r} ({type(found).__name__})."
    )


@pytest.mark.parametrize("multiple", [0, -1, 0.0])
def test_a_multiple_is_over_0(multiple):
    with pytest.raises(ClaimError, match=r"expected a multiple over 0 in here but found (0|-1)\."):
        require_multiple(multiple, "here")
    with pytest.raises(ClaimError, match=r"over 0 in exceed_rate\(multiple\)"):
        ExceedRate(ht.previous, None, multiple)
    with pytest.raises(ClaimError, match=r"over 0 in precision\(above=\)"):
        Precision(ht.previous, None, multiple)


def test_a_small_multiple_is_a_multiple():
    assert require_multiple(0.01, "here") == 0.01


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.4, "0.4"),
        (1, "1"),
        (10.0, "10"),
        (-2.0, "-2"),
        (1e6, "1000000"),
        (1e16, "1e+16"),
        (1e-7, "1e-07"),
        (1 / 3, "0.3333333333333333"),
        (np.float64(2.5), "2.5"),
    ],
)
def test_a_number_is_written_so_that_python_reads_it_back(number, text):
    assert written(number) == text
    assert eval(text) == number


def test_most_statistics_are_shares():
    assert Top1Rate(ht.previous, None).largest == 1
    assert Top1Rate(ht.previous, None).unit == ""
    assert Lift.unit == "x"


def test_places_in_a_ranking() -> None:
    assert [ordinal(place) for place in (1, 2, 3, 4, 10, 11, 12, 13, 21, 102, 111, 1213, 1023)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "10th",
        "11th",
        "12th",
        "13th",
        "21st",
        "102nd",
        "111th",
        "1,213th",
        "1,023rd",
    ]


def test_weights_are_one_of_two() -> None:
    for weights in ("values", None, 1, ["value"]):
        with pytest.raises(ClaimError) as caught:
            Mass(ht.previous, None, weights=weights)
        for part in (repr(weights), 'weights="value"', 'weights="attention"'):
            assert part in str(caught.value)
    assert Mass(ht.previous, None, weights="attention") == Mass(ht.previous, None)
    assert Mass(ht.previous, None, weights="value") != Mass(ht.previous, None)


def test_values_are_needed_by_value_weights_alone() -> None:
    assert Mass(ht.previous, None, weights="value").needs_values
    others = [
        Mass(ht.previous, None),
        Lift(ht.previous, None),
        Top1Rate(ht.previous, None),
        Entropy(None),
        Peak(None),
    ]
    assert not any(statistic.needs_values for statistic in others)


@pytest.mark.parametrize("kind", [Entropy, Peak])
def test_a_statistic_of_rows_takes_a_condition_on_the_query(kind) -> None:
    with pytest.raises(ExpressionError, match="when="):
        kind(key.repeats)
    assert kind(query.repeats) == kind(query.repeats) != kind(None)
    for threshold in (0, 0.5, 1):
        kind(None).require_possible(threshold)
    for threshold in (-0.1, 1.1, 40):
        with pytest.raises(ClaimError, match=kind.kind):
            kind(None).require_possible(threshold)
