"""Checks of arguments: `on=` takes relations, `when=` takes conditions on the query."""

from headtests.errors import ExpressionError
from headtests.expressions.nodes import Expression
from headtests.expressions.relations import previous


def require_relation(expression: object, argument: str, *, has_when: bool = True) -> Expression:
    """Return an expression that selects keys, for arguments such as `on=`.

    Raises `ExpressionError` for anything else. For a condition on the query alone, the message
    names `when=` if the called method has that argument.
    """
    checked = _require(expression, argument, "a relation such as ht.induction or key.is_(...)")
    if checked.scope == "query":
        remedy = (
            f"Pass it as when={checked!r} to choose the rows."
            if has_when
            else f"Combine it with a relation by &, as in {previous & checked!r}."
        )
        raise ExpressionError(
            f"{argument}={checked!r} is a condition on the query alone, but {argument}= selects "
            f"keys. {remedy}"
        )
    return checked


def require_row_condition(expression: object) -> Expression:
    """Return an expression that selects rows, for `when=`.

    Raises `ExpressionError` for anything else. For an expression that depends on the key, the
    message names `on=`.
    """
    checked = _require(expression, "when", "a condition on the query such as query.repeats")
    if checked.scope != "query":
        raise ExpressionError(
            f"when={checked!r} depends on the key, but when= selects rows. Pass it as "
            f"on={checked!r}, or combine it with the relation by &."
        )
    return checked


def _require(expression: object, argument: str, expected: str) -> Expression:
    if not isinstance(expression, Expression):
        remedy = (
            " A plain function becomes a relation with @ht.relation."
            if callable(expression)
            else ""
        )
        raise ExpressionError(
            f"expected {expected} for {argument}= but found {expression!r} "
            f"({type(expression).__name__}).{remedy}"
        )
    return expression
