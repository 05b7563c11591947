"""Whether JSON is of the types that it promises, and whether a record's fields fit together.

JSON and a `TypedDict` in, the first problem out. What a field means is not looked at.
"""

import reprlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from headtests.errors import RecordError
from headtests.records.claims import ClaimRecord, EstimateRecord
from headtests.records.pairs import MultiplesRecord, PairRecord
from headtests.records.run import Record

if TYPE_CHECKING:
    from pydantic_core import SchemaValidator

_LARGEST = 2**63 - 1
"""The largest whole number: no count is larger, and a float can hold it."""
_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "an object",
    "finite_number": "a finite number",
    "float_type": "a finite number",
    "greater_than_equal": "a whole number of 64 bits",
    "int_type": "a whole number",
    "less_than_equal": "a whole number of 64 bits",
    "list_type": "a list",
    "string_type": "text",
}
"""What pydantic's types of errors say that a value should be, in the words of JSON."""


def first_problem(content: object, expected: type) -> str:
    """Return the first problem of JSON that should be of a `TypedDict`, with its place; "" if none.

    Types are strict: true is not a number, and 1.0 is not a whole one. NaN, infinities and whole
    numbers that do not fit into 64 bits are refused. Fields that the type does not name are let
    pass.
    """
    from pydantic_core import ValidationError

    try:
        _validator(expected).validate_python(content, strict=True)
    except ValidationError as error:
        problems = error.errors(include_url=False)
    else:
        return ""
    first = problems[0]
    is_missing = first["type"] == "missing"
    place = _place(content, first["loc"], is_missing)
    if is_missing:
        return f"{place} is missing"
    # A value that is of none of the types of a union has a problem with each.
    here = [problem for problem in problems if _place(content, problem["loc"], False) == place]
    expectation = " or ".join(dict.fromkeys(map(_expectation, here)))
    return f"{place or 'the top'} should be {expectation}, not {reprlib.repr(first['input'])}"


@cache
def _validator(expected: type) -> "SchemaValidator":
    """Return what checks values of a `TypedDict`.

    pydantic is imported here, because it takes longer to import than all of `headtests.records`.
    """
    from pydantic import TypeAdapter
    from pydantic_core import SchemaValidator

    schema = TypeAdapter(expected).core_schema
    _limit(schema)
    return SchemaValidator(schema)


def _limit(schema: Any) -> None:
    """Have a schema refuse numbers that no report can show, and stop at a list's first problem.

    pydantic takes these limits from annotations alone, or from a configuration that a `TypedDict`
    of the standard library cannot be given.
    """
    if isinstance(schema, list | tuple):
        for part in schema:
            _limit(part)
    elif isinstance(schema, dict):
        for part in list(schema.values()):
            _limit(part)
        if schema.get("type") == "int":
            schema |= {"ge": -_LARGEST, "le": _LARGEST}
        elif schema.get("type") == "float":
            schema["allow_inf_nan"] = False
        elif schema.get("type") == "list":
            schema["fail_fast"] = True


def _place(content: Any, location: Sequence[str | int], is_missing: bool) -> str:
    """Return where a problem is, as Python reads it, such as `claims[0].left.value`."""
    place = ""
    for number, step in enumerate(location, 1):
        if isinstance(content, list) and isinstance(step, int):
            place += f"[{step}]"
            content = content[step]
        elif isinstance(content, dict) and step in content:
            place += f".{step}"
            content = content[step]
        elif is_missing and number == len(location):
            place += f".{step}"
        # Else the step names a type of a union.
    return place.removeprefix(".")


def _expectation(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "literal_error":
        return str(problem["ctx"]["expected"])
    return _EXPECTED.get(problem["type"], str(problem["msg"]))


def require_record(content: Record) -> Record:
    """Return a record once its fields are known to be of their types and to fit together.

    Fields that the types do not name are let pass. Raises `RecordError` for the first field that
    is missing or of another type, and for positions outside of what they are positions in.
    """
    problem = first_problem(content, Record) or next(_misfits(content), "")
    if problem:
        raise RecordError(
            f"not a whole record of headtests: {problem}. Name the JSON file as it was written."
        )
    return content


def _misfits(content: Record) -> Iterator[str]:
    """Yield what does not fit together in a record whose fields are all of their types."""
    for number, head in enumerate(content["heads"]):
        for name, pairs in (("ranked", head["ranked"]), ("random", head["random"])):
            for index, pair in enumerate(pairs):
                if problem := misplaced(pair):
                    yield f"heads[{number}].{name}[{index}]: {problem}"
    for number, search in enumerate(content["searches"]):
        if search["breaking"] is not None:
            row = search["breaking"]["row"]
            if problem := misplaced(row, row["claimed"]):
                yield f"searches[{number}].breaking.row: {problem}"
    for number, claim in enumerate(content["claims"]):
        if problem := _outside_its_source(claim):
            yield f"claims[{number}].span: {problem}"
        for side, estimate in (("left", claim["left"]), ("right", claim["right"])):
            if isinstance(estimate, dict):
                for problem in _estimate_misfits(estimate):
                    yield f"claims[{number}].{side}.{problem}"


def _estimate_misfits(estimate: EstimateRecord) -> Iterator[str]:
    for index, row in enumerate(estimate["counterexamples"]):
        if problem := misplaced(row, row["claimed"]):
            yield f"counterexamples[{index}]: {problem}"
    multiples = estimate["multiples"]
    if multiples is not None and (problem := _uneven(multiples)):
        yield f"multiples: {problem}"


def misplaced(pair: PairRecord, claimed: Sequence[int] = ()) -> str:
    """Return what does not fit together in a pair and its row; "" if all does."""
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
