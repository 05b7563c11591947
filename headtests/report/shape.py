"""Whether a record that was read has the shape that it promises, down to its rows.

JSON in, nothing or an error out. The types of `headtests.records` are the one description of the
shape; what a field means is not looked at, but for positions and lengths that must fit together.
"""

from collections.abc import Iterator
from itertools import pairwise

from headtests.errors import RecordError
from headtests.records import ClaimRecord, EstimateRecord, MultiplesRecord, PairRecord, Record
from headtests.typed import problems


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
