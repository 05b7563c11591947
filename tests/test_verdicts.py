"""Verdicts: exact comparisons, complements, and how they print."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.verdicts import Verdict, decide

FIXED = settings(derandomize=True, deadline=None)
FRACTIONS = st.fractions(0, 1, max_denominator=5)
HAIR = Fraction(1, 10**30)


@pytest.mark.parametrize(
    ("operator", "below", "tie", "above"),
    [
        (">=", "refuted", "holds", "holds"),
        (">", "refuted", "refuted", "holds"),
        ("<=", "holds", "holds", "refuted"),
        ("<", "holds", "refuted", "refuted"),
    ],
)
def test_each_comparison_below_at_and_above(operator, below, tie, above):
    third = Fraction(1, 3)
    assert decide(third - HAIR, operator, third) == below
    assert decide(third, operator, third) == tie
    assert decide(third + HAIR, operator, third) == above


@FIXED
@given(FRACTIONS, FRACTIONS)
def test_of_a_claim_and_its_opposite_exactly_one_holds(left, right):
    assert decide(left, ">=", right) != decide(left, "<", right)
    assert decide(left, "<=", right) != decide(left, ">", right)


@FIXED
@given(FRACTIONS, FRACTIONS)
def test_a_claim_reads_the_same_from_its_other_side(left, right):
    assert decide(left, ">=", right) == decide(right, "<=", left)
    assert decide(left, ">", right) == decide(right, "<", left)


def test_verdicts_print_as_words():
    assert [f"{verdict}" for verdict in Verdict] == ["holds", "refuted", "undecided"]
