"""Whether JSON is of the types that it promises, field by field.

A value and a `TypedDict` in, what is wrong with it out. What a field means is not looked at.
"""

import math
import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

_NAMES = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    type(None): "null",
}


def problems(value: object, expected: Any, place: str = "") -> Iterator[str]:
    """Yield what is wrong with a value, the place first.

    Fields that the types do not name are let pass.
    """
    origin = get_origin(expected)
    if is_typeddict(expected):
        if not isinstance(value, dict):
            yield _expected("an object", value, place)
            return
        for name, kind in get_type_hints(expected).items():
            inner = f"{place}.{name}".lstrip(".")
            if name not in value:
                yield f"{inner} is missing"
            else:
                yield from problems(value[name], kind, inner)
    elif origin is list:
        if not isinstance(value, list):
            yield _expected("a list", value, place)
            return
        for index, item in enumerate(value):
            yield from problems(item, get_args(expected)[0], f"{place}[{index}]")
    elif origin is dict:
        if not isinstance(value, dict):
            yield _expected("an object", value, place)
            return
        for name, item in value.items():
            yield from problems(item, get_args(expected)[1], f"{place}.{name}")
    elif origin is Literal:
        if value not in get_args(expected):
            yield _expected(" or ".join(map(repr, get_args(expected))), value, place)
    elif origin in (Union, types.UnionType):
        yield from _union_problems(value, get_args(expected), place)
    elif not _is_plain(value, expected):
        yield _expected(_NAMES[expected], value, place)


def _union_problems(value: object, choices: tuple[Any, ...], place: str) -> Iterator[str]:
    # An object that lacks one field is told of that field, not that it should be a number.
    objects = [choice for choice in choices if is_typeddict(choice)]
    if isinstance(value, dict) and objects:
        yield from problems(value, objects[0], place)
    elif all(any(problems(value, choice, place)) for choice in choices):
        yield _expected(" or ".join(_NAMES.get(c, "an object") for c in choices), value, place)


def _is_plain(value: object, expected: Any) -> bool:
    if isinstance(value, bool):
        return expected is bool
    if expected is float:
        return isinstance(value, float | int) and _is_finite(value)
    if expected is int:
        # No count is longer, and no longer one fits into a float.
        return isinstance(value, int) and abs(value) < 2**63
    return isinstance(value, expected)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # A whole number that no float can hold.
        return False


def _expected(what: str, found: object, place: str) -> str:
    shown = repr(found)
    shown = shown if len(shown) <= 40 else shown[:40] + "..."
    return f"{place or 'the top'} should be {what}, not {shown}"
