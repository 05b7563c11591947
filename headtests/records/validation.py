"""Whether JSON is of the types that it promises, field by field.

A value and a `TypedDict` in, what is wrong with it out. What a field means is not looked at.
"""

import math
import types
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from headtests.errors import RecordError
from headtests.records import ClaimRecord, EstimateRecord, MultiplesRecord, PairRecord, Record

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


def require_record(content: Record) -> Record:
    """Return a record that was read, once everything in it is of the type that it should be.

    Fields that the types do not name are let pass. Raises `RecordError` for the first field that
    is missing or of another type, and for positions outside of what they are positions in.
    """
    problem = next(problems(content, Record), None) or next(_misfits(content), None)
    if problem is not None:
        raise RecordError(
            f"not a whole record of headtests: {problem}. Name the JSON file as it was written."
        )
    return content


def _misfits(content: Record) -> Iterator[str]:
    """Yield what does not fit together in a record whose fields are all of their type."""
    for number, head in enumerate(content["heads"]):
        for name, pairs in (("ranked", head["ranked"]), ("random", head["random"])):
            for index, pair in enumerate(pairs):
                if found := _misplaced(pair, []):
                    yield f"heads[{number}].{name}[{index}]: {found}"
    for number, search in enumerate(content["searches"]):
        if search["breaking"] is not None:
            row = search["breaking"]["row"]
            if found := _misplaced(row, row["claimed"]):
                yield f"searches[{number}].breaking.row: {found}"
    for number, claim in enumerate(content["claims"]):
        if found := _outside_its_source(claim):
            yield f"claims[{number}].span: {found}"
        for side, estimate in (("left", claim["left"]), ("right", claim["right"])):
            if isinstance(estimate, dict):
                for found in _of_estimate(estimate):
                    yield f"claims[{number}].{side}.{found}"


def _of_estimate(estimate: EstimateRecord) -> Iterator[str]:
    for index, row in enumerate(estimate["counterexamples"]):
        if found := _misplaced(row, row["claimed"]):
            yield f"counterexamples[{index}]: {found}"
    multiples = estimate["multiples"]
    if multiples is not None and (found := _uneven(multiples)):
        yield f"multiples: {found}"


def _misplaced(pair: PairRecord, claimed: list[int]) -> str:
    length, runs = len(pair["tokens"]), pair["attendable"]
    if len(pair["pattern"]) != length:
        return f"{len(pair['pattern'])} attention values for {length} tokens"
    if any(not 0 <= attention <= 2 for attention in pair["pattern"]):
        return "attention outside 0 to 1"
    if any(len(run) != 2 for run in runs):
        return "a run of attendable positions that is not its first and its last"
    ends = [end for run in runs for end in run]
    for position in (pair["query"], pair["key"], *ends, *claimed):
        if not 0 <= position < length:
            return f"position {position} of {length} tokens"
    if any(first > last for first, last in runs) or any(
        run[1] >= after[0] for run, after in pairwise(runs)
    ):
        return "runs of attendable positions that do not ascend"
    return ""


def _uneven(multiples: MultiplesRecord) -> str:
    edges, bins = multiples["edges"], max(0, len(multiples["edges"]) - 1)
    for name, counts in (("on", multiples["on"]), ("others", multiples["others"])):
        if len(counts) != bins:
            return f"{len(counts)} counts in {name} for {bins} bins"
    return "edges that do not ascend" if any(a >= b for a, b in pairwise(edges)) else ""


def _outside_its_source(claim: ClaimRecord) -> str:
    span, length = claim["span"], len(claim["function"] or claim["source"])
    if not span or (len(span) == 2 and 0 <= span[0] <= span[1] <= length):
        return ""
    shown = str(span) if len(span) <= 4 else f"{len(span)} places"
    return f"{shown} in a source of {length} characters"
