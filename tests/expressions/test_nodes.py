"""Expressions: combining, printing as source, English, equality, and no truth value."""

import copy
import pickle

import pytest
from hypothesis import example, given, settings

import headtests as ht
from headtests import key, query
from headtests.errors import ExpressionError
from tests.expressions.strategies import (
    EXPRESSIONS,
    KEY_LEAVES,
    NAMES,
    PAIR_LEAVES,
    QUERY_LEAVES,
    combined,
)

FIXED = settings(derandomize=True, deadline=None)


@pytest.mark.slow
@settings(FIXED, max_examples=400)
@example(key.is_("\ud800", "\u2028", '"', "\\u0041", "\n"))
@example(~(key.position < 4) & (query.position == -1))
@example((ht.first | ht.previous) & ~(ht.duplicate & ht.current))
@given(EXPRESSIONS)
def test_an_expression_prints_as_the_source_that_makes_it(expression):
    made = eval(repr(expression), NAMES)
    assert made == expression
    assert hash(made) == hash(expression)
    assert repr(made) == repr(expression)


@FIXED
@given(EXPRESSIONS, EXPRESSIONS)
def test_expressions_are_equal_exactly_where_they_print_alike(left, right):
    assert (left == right) == (repr(left) == repr(right))


@FIXED
@given(EXPRESSIONS)
def test_an_expression_can_be_written_anywhere(expression):
    repr(expression).encode()
    expression.english.encode()


@FIXED
@given(EXPRESSIONS)
def test_an_expression_is_no_truth_value_and_says_what_to_write(expression):
    with pytest.raises(ExpressionError) as raised:
        bool(expression)
    assert f"head.mass({expression!r}) >= ..." in str(raised.value)


@FIXED
@given(EXPRESSIONS)
def test_a_copy_is_equal(expression):
    assert copy.deepcopy(expression) == expression
    assert hash(copy.deepcopy(expression)) == hash(expression)


def test_an_expression_travels_between_processes():
    expression = (key.is_(" the") | ht.induction.latest) & ~ht.first & (query.position >= 4)
    assert pickle.loads(pickle.dumps(expression)) == expression


def test_an_expression_is_a_key_of_a_dictionary():
    found = {key.is_(" the") & ~ht.first: "a", key.is_(" the") | ~ht.first: "b"}
    assert found[key.is_(" the") & ~ht.first] == "a"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (key.is_("a"), query.is_("a")),
        (key.is_("a"), key.matches("a")),
        (key.is_("a", "b"), key.is_("b", "a")),
        (key.position < 4, key.position <= 4),
        (key.position < 4, key.position < 5),
        (ht.offset(-1), ht.offset(1)),
        (ht.induction, ht.induction.latest),
        (ht.first & ht.current, ht.first | ht.current),
        (ht.first & ht.current, ht.current & ht.first),
        (ht.first, ~ht.first),
        (ht.first, "ht.first"),
    ],
)
def test_expressions_of_another_structure_differ(one, other):
    assert one != other


@pytest.mark.parametrize(
    "change",
    [
        lambda: setattr(key.is_("a"), "texts", ("b",)),
        lambda: setattr(ht.offset(2), "distance", 3),
        lambda: setattr(ht.first & ht.current, "parts", ()),
        lambda: setattr(~ht.first, "part", ht.current),
        lambda: setattr(ht.induction, "last_only", True),
        lambda: setattr(key, "name", "query"),
        lambda: setattr(ht.first, "note", "new"),
        lambda: delattr(key.is_("a"), "texts"),
    ],
)
def test_an_expression_never_changes(change):
    # Setting what is no field raises TypeError in a frozen dataclass with slots before 3.14.
    with pytest.raises((AttributeError, TypeError)):
        change()


def test_combining_makes_a_new_expression_and_leaves_the_parts():
    one, other = key.repeats, key.special
    combination = one & other
    assert (repr(one), repr(other)) == ("key.repeats", "key.special")
    assert combination != one


def test_and_and_or_do_not_care_for_grouping():
    assert (ht.first & key.repeats) & key.special == ht.first & (key.repeats & key.special)
    assert (ht.first | key.repeats) | key.special == ht.first | (key.repeats | key.special)


def test_and_within_or_keeps_its_own_parts():
    expression = ht.first & key.repeats | key.special
    assert repr(expression) == "ht.first & key.repeats | key.special"
    assert expression != ht.first & (key.repeats | key.special)


@pytest.mark.slow
@FIXED
@given(combined(KEY_LEAVES))
def test_what_is_said_of_keys_alone_depends_on_the_key(expression):
    assert expression.scope == "key"


@pytest.mark.slow
@FIXED
@given(combined(QUERY_LEAVES))
def test_what_is_said_of_queries_alone_depends_on_the_query(expression):
    assert expression.scope == "query"


@FIXED
@given(combined(PAIR_LEAVES))
def test_a_relation_depends_on_both_positions(expression):
    assert expression.scope == "pair"


@FIXED
@given(combined(KEY_LEAVES), combined(QUERY_LEAVES))
def test_keys_and_queries_together_make_a_relation(of_key, of_query):
    assert (of_key & of_query).scope == "pair"
    assert (of_query | of_key).scope == "pair"
    assert (~of_key & of_query).scope == "pair"


def test_a_range_written_as_a_chain_is_refused_with_the_way_to_write_it():
    with pytest.raises(ExpressionError) as raised:
        _ = 2 <= key.position < 4
    assert "(key.position >= 2) & (key.position < 4)" in str(raised.value)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: key.repeats and key.special,
        lambda: key.repeats or key.special,
        lambda: not ht.first,
        lambda: 1 if ht.induction else 0,
    ],
    ids=["and", "or", "not", "if"],
)
def test_words_in_place_of_signs_are_refused_with_the_signs(ask):
    with pytest.raises(ExpressionError, match="has no truth value") as raised:
        ask()
    assert "Combine conditions with &, | and ~ in place of and, or and not" in str(raised.value)


@pytest.mark.parametrize(
    ("combine", "found"),
    [
        (lambda: key.repeats & 5, "beside & but found 5 (int)"),
        (lambda: 5 & key.repeats, "beside & but found 5 (int)"),
        (lambda: key.repeats | "a", "beside | but found 'a' (str)"),
        (lambda: None | key.repeats, "beside | but found None (NoneType)"),
        (lambda: key.repeats & key, "beside & but found key (Side)"),
        (lambda: key.repeats & len, "beside & but found <built-in function len>"),
        (lambda: key.repeats & key.position < 4, "beside & but found key.position (PositionOf)"),
        (lambda: key.position < 4 & key.repeats, "beside & but found 4 (int)"),
    ],
)
def test_what_is_no_expression_is_named_with_the_remedy(combine, found):
    with pytest.raises(ExpressionError) as raised:
        combine()
    assert found in str(raised.value)
    assert "put them in parentheses, as in (key.position < 4) & key.repeats" in str(raised.value)
    assert "@ht.relation" in str(raised.value)


@pytest.mark.parametrize(
    ("expression", "clause"),
    [
        (~ht.first, "other than those at position 0"),
        (~key.is_("a"), 'other than those whose token is "a"'),
        (key.repeats & key.special, "whose token occurred earlier and whose token is special"),
        (key.is_("a") | ht.first, 'whose token is "a" or at position 0'),
        (
            ht.induction & ~ht.first,
            "that follow an earlier occurrence of the query's token, but not those at position 0",
        ),
        (
            ~ht.first & key.is_("a") & ~key.special & query.repeats,
            'whose token is "a" and whose query token occurred earlier, but not those at position '
            "0, and not those whose token is special",
        ),
        (
            ~ht.first & ~key.special,
            "other than those at position 0 and other than those whose token is special",
        ),
        (
            (ht.first | ht.current) & key.special,
            "(at position 0 or at the query's own position) and whose token is special",
        ),
        (
            ht.first & key.special | ht.current,
            "(at position 0 and whose token is special) or at the query's own position",
        ),
        (
            ~(ht.first | ht.current),
            "other than those (at position 0 or at the query's own position)",
        ),
        (
            key.repeats & ~(ht.first | ht.current),
            "whose token occurred earlier, but not those "
            "(at position 0 or at the query's own position)",
        ),
    ],
    ids=lambda case: case if isinstance(case, str) else repr(case),
)
def test_a_combination_says_itself_after_the_word_keys(expression, clause):
    assert expression.english == clause
