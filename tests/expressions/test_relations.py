"""Conditions on a pair: their names, their English, and users' relations."""

import pytest

import headtests as ht
from headtests import key, query
from headtests.errors import ExpressionError
from headtests.expressions.nodes import leaves
from headtests.expressions.relations import key_relation
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
        (ht.induction.earliest, "ht.induction.earliest"),
        (ht.induction.prefix(1), "ht.induction"),
        (ht.induction.prefix(1).latest, "ht.induction.latest"),
        (ht.induction.prefix(3), "ht.induction.prefix(3)"),
        (ht.induction.prefix(2).earliest, "ht.induction.prefix(2).earliest"),
        (ht.duplicate.latest, "ht.duplicate.latest"),
        (ht.duplicate.earliest, "ht.duplicate.earliest"),
        (ht.next_token, "ht.next_token"),
        (ht.next_token.latest, "ht.next_token.latest"),
        (ht.rarest(1), "ht.rarest(1)"),
        (ht.most_frequent(4), "ht.most_frequent(4)"),
        (key.follows(key.position < 4), "key.follows(key.position < 4)"),
        (query.follows(~query.is_(",")), 'query.follows(~query.is_(","))'),
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
        (
            ht.induction.prefix(2).earliest,
            "that follow the first earlier occurrence of the 2 tokens up to the query",
        ),
        (ht.duplicate.latest, "that are the last earlier occurrence of the query's token"),
        (ht.next_token, "that are occurrences of the token after the query"),
        (ht.next_token.earliest, "that are the first occurrence of the token after the query"),
        (ht.rarest(1), "that are the document's rarest token"),
        (ht.most_frequent(3), "that are among the document's 3 most frequent tokens"),
        (key.follows(key.is_(",")), 'right after one whose token is ","'),
        (
            query.follows(query.repeats & query.special),
            "whose query is right after one (whose query token occurred earlier and whose query "
            "token is special)",
        ),
        (same_parity, "in the relation same_parity"),
    ],
    ids=lambda case: case if isinstance(case, str) else repr(case),
)
def test_a_relation_says_itself_after_the_word_keys(relation, clause):
    assert relation.english == clause


def test_the_latest_of_the_latest_is_the_latest():
    for relation in (ht.induction, ht.induction.prefix(2), ht.duplicate, ht.next_token):
        assert relation.latest.latest == relation.latest
        assert relation.earliest.earliest == relation.earliest


@pytest.mark.parametrize("relation", [ht.induction.prefix(2), ht.duplicate, ht.next_token])
def test_one_occurrence_cannot_be_the_latest_and_the_earliest(relation):
    for chosen, other in (("latest", "earliest"), ("earliest", "latest")):
        one = getattr(relation, chosen)
        with pytest.raises(ExpressionError) as raised:
            getattr(one, other)
        assert f"but found {one!r}.{other}" in str(raised.value)
        assert f"Write {relation!r}.{other}." in str(raised.value)


def test_a_prefix_of_one_token_is_induction():
    assert ht.induction.prefix(1) == ht.induction
    assert hash(ht.induction.prefix(1)) == hash(ht.induction)
    assert ht.induction.prefix(1).prefix(2) == ht.induction.prefix(2)


@pytest.mark.parametrize("relation", [ht.induction.prefix(2), ht.induction.latest])
def test_a_prefix_comes_first_and_once(relation):
    with pytest.raises(ExpressionError) as raised:
        relation.prefix(3)
    assert f"found {relation!r}.prefix(3). Write ht.induction.prefix(3)" in str(raised.value)


@pytest.mark.parametrize("number", [0, -1, True, 2.5, 2.0, "2", None])
@pytest.mark.parametrize(
    ("call", "name"),
    [
        (ht.induction.prefix, "ht.induction.prefix"),
        (ht.rarest, "ht.rarest"),
        (ht.most_frequent, "ht.most_frequent"),
    ],
    ids=["prefix", "rarest", "most_frequent"],
)
def test_a_number_of_tokens_is_a_whole_number_from_1(call, name, number):
    with pytest.raises(ExpressionError) as raised:
        call(number)
    assert f"{name}(...) but found {number!r} ({type(number).__name__})" in str(raised.value)
    assert f"Write {name}(" in str(raised.value)


@pytest.mark.parametrize(
    "condition",
    [
        ht.previous,
        query.repeats,
        ht.every_row,
        key.repeats & query.repeats,
        ht.first,
        same_parity,
        ",",
        None,
        key.position,
        key,
    ],
    ids=repr,
)
def test_what_comes_before_is_a_condition_on_the_same_side(condition):
    with pytest.raises(ExpressionError) as raised:
        key.follows(condition)
    assert f"in key.follows(...) but found {condition!r}" in str(raised.value)
    assert 'key.follows(key.is_(","))' in str(raised.value)
    with pytest.raises(ExpressionError, match=r"query\.follows"):
        query.follows(key.repeats)


def test_scopes_say_what_a_relation_depends_on():
    assert ht.rarest(1).scope == ht.most_frequent(2).scope == "key"
    assert key.follows(key.repeats).scope == "key"
    assert query.follows(query.repeats).scope == "query"
    assert ht.next_token.scope == ht.duplicate.latest.scope == "pair"
    assert key_relation(len).scope == "key"
    assert key_relation(len) != ht.relation(len)


def test_what_stands_inside_is_a_leaf_too():
    assert list(leaves(key.follows(key.is_(",") & ~key.repeats) | ht.first)) == [
        key.follows(key.is_(",") & ~key.repeats),
        key.is_(","),
        key.repeats,
        ht.first,
    ]


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
