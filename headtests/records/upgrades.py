"""Records of older versions as the current one has them: what they lack is added, step by step.

Plain JSON in and out. A fact that an older version did not record stays unknown: null, empty or 0,
as the field's docstring in `headtests.records` has it. Whatever is not of the shape that it should
be is left as it is, for `headtests.records.validation` to name.
"""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any

_Json = dict[str, Any]


def upgraded(record: _Json) -> _Json:
    """Return a record, which is changed in place, as one of the current version.

    `record["version"]` is a whole number, at least 1 and at most the current version.
    """
    for step in STEPS[record["version"] - 1 :]:
        step(record)
    record["version"] = max(record["version"], len(STEPS) + 1)
    return record


def _to_version_2(record: _Json) -> None:
    """Claims were decided exactly, on every document of the budget: no rate, no evidence."""
    sessions = list(_objects(record, "sessions"))
    for session in sessions:
        session.setdefault("alpha", 0.0)
    for head in _objects(record, "heads"):
        # Its pairs are from all documents that were run.
        run = (one for one in sessions if one.get("key") == head.get("session"))
        head.setdefault("documents", next(run, {}).get("documents_run", 0))
    _add(_estimates(record), texts=None, eligible=None, matched_rate=None, rank=None)
    _add(
        _objects(record, "claims"),
        offset=0.0,
        difference=None,
        alpha=None,
        e_value=None,
        e_bh=None,
        more_documents=None,
        read_before=False,
    )
    record.setdefault("false_decisions", 0.0)


def _to_version_3(record: _Json) -> None:
    """No results were kept on disk, and no model had sinks that are no token."""
    _add(_objects(record, "sessions"), results_kept=0)
    _add(_objects(record, "heads"), sink_share=None)


def _to_version_4(record: _Json) -> None:
    """Positions were listed one by one; nothing was said of a claim's rows and of its course."""
    for head in _objects(record, "heads"):
        for pair in (*_objects(head, "ranked"), *_objects(head, "random")):
            if isinstance(pair.get("attendable"), list):
                pair["attendable"] = runs(pair["attendable"])
    _add(_estimates(record), rows_against=None, multiples=None, counterexamples=[])
    _add(
        _objects(record, "claims"),
        e_value_against=None,
        course=[],
        function="",
        function_line=0,
        span=[],
    )


def _to_version_5(record: _Json) -> None:
    """Nobody explained a head."""
    record.setdefault("explanations", [])


def _to_version_6(record: _Json) -> None:
    """No prompts were searched; there were no baselines, and no model beside another."""
    record.setdefault("searches", [])
    record.setdefault("stale", [])
    record.setdefault("unrecorded", 0)
    _add(_objects(record, "claims"), drift=None, against=None)


STEPS: tuple[Callable[[_Json], None], ...] = (
    _to_version_2,
    _to_version_3,
    _to_version_4,
    _to_version_5,
    _to_version_6,
)
"""From each version to the next, the first from version 1."""


def _objects(record: _Json, name: str) -> Iterator[_Json]:
    """Yield the objects of a list in a record."""
    found = record.get(name)
    if isinstance(found, list):
        yield from (item for item in found if isinstance(item, dict))


def _estimates(record: _Json) -> Iterator[_Json]:
    for claim in _objects(record, "claims"):
        yield from (side for side in map(claim.get, ("left", "right")) if isinstance(side, dict))


def _add(objects: Iterable[_Json], **fields: object) -> None:
    for one in objects:
        for name, value in fields.items():
            one.setdefault(name, deepcopy(value))


def runs(positions: Iterable[Any]) -> list[Any]:
    """Return ascending positions as runs: the first and the last of each.

    What is no position stays as it is, for whoever looks at a record's shape.

    >>> runs([0, 1, 2, 5, 7, 8])
    [[0, 2], [5, 5], [7, 8]]
    """
    found: list[Any] = []
    last: int | None = None
    for position in positions:
        if type(position) is not int:
            found.append(position)
            last = None
        elif last is not None and position == last + 1:
            found[-1][1] = last = position
        else:
            found.append([position, position])
            last = position
    return found
