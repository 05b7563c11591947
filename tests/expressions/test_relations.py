"""Conditions on a pair: their names, their English, and users' relations."""

import pytest

import headtests as ht
from headtests.errors import ExpressionError
from tests.expressions.strategies import same_parity


def test_offsets_that_have_a_name_print_as_it():
    assert [repr(ht.offset(distance)) for distance in (-2, -1, 0, 1)] == [
        "ht.offset(-2)",
        "ht.previous",
        "ht.current",
        "ht.offset(1)",
    ]


@pytest.mark.parametrize(
    ("relation", "source"),
    [
        (ht.first, "ht.first"),
        (ht.duplicate, "ht.duplicate"),
        (ht.induction, "ht.induction"),
        (ht.induction.latest, "ht.induction.latest"),
    ],
)
def test_a_relation_prints_as_it_is_written(relation, source):
    assert repr(relation) == source


def test_named_offsets_are_offsets():
    assert ht.offset(-1) == ht.previous
    assert ht.offset(0) == ht.current


@pytest.mark.parametrize(
    ("relation", "clause"),
    [
        (ht.first, "at position 0"),
        (ht.previous, "one position before the query"),
        (ht.current, "at the query's own position"),
        (ht.offset(-3), "3 positions before the query"),
        (ht.offset(1), "one position after the query"),
        (ht.offset(12), "12 positions after the query"),
        (ht.duplicate, "that are earlier occurrences of the query's token"),
        (ht.induction, "that follow an earlier occurrence of the query's token"),
        (ht.induction.latest, "that follow the last earlier occurrence of the query's token"),
        (same_parity, "in the relation same_parity"),
    ],
    ids=lambda case: case if isinstance(case, str) else repr(case),
)
def test_a_relation_says_itself_after_the_word_keys(relation, clause):
    assert relation.english == clause


def test_the_latest_of_the_latest_is_the_latest():
    assert ht.induction.latest.latest == ht.induction.latest


@pytest.mark.parametrize("distance", [1.0, True, "1", None])
def test_an_offset_is_a_whole_number(distance):
    with pytest.raises(ExpressionError) as raised:
        ht.offset(distance)
    assert f"ht.offset(...) but found {distance!r} ({type(distance).__name__})" in str(raised.value)
    assert "ht.offset(-2) is the token two before the query" in str(raised.value)


def test_a_function_becomes_a_relation_that_bears_its_name():
    assert repr(same_parity) == "same_parity"
    assert repr(same_parity & ~ht.first) == "same_parity & ~ht.first"


def test_relations_of_one_function_are_equal_and_of_two_are_not():
    def one(document): ...
    def other(document): ...

    assert ht.relation(one) == ht.relation(one)
    assert ht.relation(one) != ht.relation(other)
    assert len({ht.relation(one), ht.relation(one), ht.relation(other)}) == 2


def test_something_that_cannot_be_called_becomes_no_relation():
    with pytest.raises(ExpressionError) as raised:
        ht.relation([[True]])
    assert "under @ht.relation but found [[True]] (list)" in str(raised.value)
    assert "returns a [query, key] array" in str(raised.value)
