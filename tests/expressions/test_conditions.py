"""Conditions on one position: how they are made and printed, and their errors."""

import operator
import re

import pytest

import headtests as ht
from headtests import key, query
from headtests.errors import ExpressionError


@pytest.mark.parametrize(
    ("condition", "source"),
    [
        (key.matches("^ ?[A-Z]"), "key.matches('^ ?[A-Z]')"),
        (query.matches(r"\d"), r"query.matches('\\d')"),
        (key.is_(" the", " a"), 'key.is_(" the", " a")'),
        (key.is_('"', "\\", "\n"), r'key.is_("\"", "\\", "\n")'),
        (key.is_("\ud800"), r'key.is_("\ud800")'),
        (key.is_("\u200fא"), r'key.is_("\u200fא")'),
        (key.repeats, "key.repeats"),
        (query.special, "query.special"),
        (key.position < 4, "key.position < 4"),
        (ht.every_row, "ht.every_row"),
        (key, "key"),
        (query.position, "query.position"),
    ],
)
def test_a_condition_prints_as_it_is_written(condition, source):
    assert repr(condition) == source


@pytest.mark.parametrize(
    ("condition", "clause"),
    [
        (key.matches("^ ?[A-Z]"), "whose token matches /^ ?[A-Z]/"),
        (query.matches("a"), "whose query token matches /a/"),
        (key.is_(" the"), 'whose token is " the"'),
        (query.is_(" the", " a"), 'whose query token is " the" or " a"'),
        (key.repeats, "whose token occurred earlier"),
        (query.repeats, "whose query token occurred earlier"),
        (key.special, "whose token is special"),
        (query.special, "whose query token is special"),
        (key.position < 4, "whose position is below 4"),
        (key.position <= 4, "whose position is at most 4"),
        (key.position > 4, "whose position is above 4"),
        (key.position >= 4, "whose position is at least 4"),
        (query.position == 4, "whose query position is exactly 4"),
        (query.position != 4, "whose query position is not 4"),
        (ht.every_row, "with or without such a key"),
        (
            ht.every_row & query.repeats,
            "with or without such a key and whose query token occurred earlier",
        ),
    ],
    ids=lambda case: case if isinstance(case, str) else repr(case),
)
def test_a_condition_says_itself_after_the_word_keys_or_rows(condition, clause):
    assert condition.english == clause


@pytest.mark.parametrize(
    ("mirror", "compare"),
    [
        (operator.gt, operator.lt),
        (operator.ge, operator.le),
        (operator.lt, operator.gt),
        (operator.le, operator.ge),
        (operator.eq, operator.eq),
        (operator.ne, operator.ne),
    ],
)
def test_a_position_may_stand_on_either_side(mirror, compare):
    assert mirror(4, key.position) == compare(key.position, 4)


@pytest.mark.parametrize(
    ("compare", "found"),
    [
        (lambda: key.position < 4.0, "key.position < ... but found 4.0 (float)"),
        (lambda: key.position == True, "key.position == ... but found True (bool)"),  # noqa: E712
        (lambda: key.position >= "4", "key.position >= ... but found '4' (str)"),
        (lambda: query.position != None, "query.position != ... but found None"),  # noqa: E711
        (lambda: key.position == query.position, "but found query.position (PositionOf)"),
    ],
)
def test_a_position_compares_with_whole_numbers_only(compare, found):
    with pytest.raises(ExpressionError) as raised:
        compare()
    assert found in str(raised.value)
    assert "use ht.offset(n)" in str(raised.value)


def test_a_position_is_no_key_of_a_dictionary_since_its_equality_is_a_condition():
    with pytest.raises(TypeError, match="unhashable"):
        hash(key.position)


def test_a_token_named_twice_counts_once():
    assert key.is_("a", "b", "a") == key.is_("a", "b")


def test_naming_no_token_is_refused():
    with pytest.raises(ExpressionError, match=r"^query\.is_\(\) names no token") as raised:
        query.is_()
    assert 'query.is_(" the")' in str(raised.value)


@pytest.mark.parametrize("text", ["", 5, None, b"a", ["a", "b"]])
def test_a_token_is_named_by_its_text(text):
    with pytest.raises(ExpressionError) as raised:
        key.is_(" the", text)
    assert f"in key.is_(...) but found {text!r} ({type(text).__name__})" in str(raised.value)
    assert "a string that is not empty" in str(raised.value)


@pytest.mark.parametrize("pattern", ["(", "[a", "*", "(?P<1>a)"])
def test_a_broken_regular_expression_is_refused_with_what_is_wrong_with_it(pattern):
    with pytest.raises(re.error) as broken:
        re.compile(pattern)
    with pytest.raises(ExpressionError) as raised:
        key.matches(pattern)
    assert f"key.matches({pattern!r}) is not a regular expression" in str(raised.value)
    assert str(broken.value) in str(raised.value)
    assert "re.escape" in str(raised.value)


@pytest.mark.parametrize("pattern", [re.compile("a"), 5, None, b"a"])
def test_a_regular_expression_is_given_as_a_string(pattern):
    with pytest.raises(ExpressionError) as raised:
        query.matches(pattern)
    assert f"in query.matches(...) but found {pattern!r}" in str(raised.value)
    assert "query.matches(r'^ [A-Z]')" in str(raised.value)
