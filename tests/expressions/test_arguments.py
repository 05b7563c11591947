"""Which expressions each argument accepts, and errors that name the right argument."""

import pytest
from hypothesis import given, settings

import headtests as ht
from headtests import key, query
from headtests.errors import ExpressionError
from headtests.expressions import require_relation, require_row_condition
from tests.expressions.strategies import KEY_LEAVES, PAIR_LEAVES, QUERY_LEAVES, combined

FIXED = settings(derandomize=True, deadline=None)


@FIXED
@given(combined(KEY_LEAVES | PAIR_LEAVES))
def test_what_depends_on_the_key_says_which_keys(expression):
    assert require_relation(expression, "on") is expression


@FIXED
@given(combined(QUERY_LEAVES))
def test_what_depends_on_the_query_says_which_rows(expression):
    assert require_row_condition(expression) is expression


@pytest.mark.parametrize("argument", ["on", "of"])
def test_a_query_condition_in_place_of_a_relation_is_sent_to_when(argument):
    with pytest.raises(ExpressionError, match=r"Pass it as when=query\.repeats") as raised:
        require_relation(query.repeats, argument)
    assert f"{argument}=query.repeats is a condition on the query alone" in str(raised.value)


def test_where_there_is_no_when_a_query_condition_is_to_be_combined_with_a_relation():
    with pytest.raises(ExpressionError, match=r"as in ht\.previous & query\.repeats\.") as raised:
        require_relation(query.repeats, "on", has_when=False)
    assert "on=query.repeats is a condition on the query alone" in str(raised.value)
    assert "when=" not in str(raised.value)
    require_relation(query.repeats & ht.induction, "on", has_when=False)


@pytest.mark.parametrize("expression", [key.repeats, ht.induction, query.repeats & ht.first])
def test_a_relation_in_place_of_a_row_condition_is_sent_to_on(expression):
    with pytest.raises(ExpressionError) as raised:
        require_row_condition(expression)
    assert f"when={expression!r} depends on the key" in str(raised.value)
    assert f"Pass it as on={expression!r}, or combine it with the relation by &" in str(
        raised.value
    )


@pytest.mark.parametrize("found", ["ht.first", 5, None, key, key.position])
def test_what_is_no_expression_is_named_with_what_was_expected(found):
    with pytest.raises(ExpressionError) as raised:
        require_relation(found, "on")
    assert str(raised.value).startswith(
        "expected a relation such as ht.induction or key.is_(...) for on= but found "
        f"{found!r} ({type(found).__name__})"
    )
    with pytest.raises(ExpressionError) as raised:
        require_row_condition(found)
    assert str(raised.value).startswith(
        "expected a condition on the query such as query.repeats for when= but found "
        f"{found!r} ({type(found).__name__})"
    )


def test_a_plain_function_is_told_how_to_become_a_relation():
    def mine(document): ...

    with pytest.raises(ExpressionError, match=r"becomes a relation with @ht\.relation"):
        require_relation(mine, "on")


def test_what_cannot_be_called_is_told_of_no_function():
    with pytest.raises(ExpressionError) as raised:
        require_relation("ht.first", "on")
    assert "function" not in str(raised.value)
