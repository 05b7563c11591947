"""Answers of a shape: asked for with a schema, parsed from what models write, repaired once.

Answers are data: nothing that a model writes is executed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from headtests.explanations.llm.client import Client
from headtests.explanations.llm.messages import Ask, Message, Reply, call_record, cut
from headtests.explanations.llm.schemas import Alternative, Answer, Judgement, Shape, schema_of
from headtests.records import CallRecord

__all__ = ["Alternative", "Answer", "Judgement", "Structured", "ask_for", "parse", "schema_of"]

S = TypeVar("S", bound=Shape)

QUOTED = 2_000
"""Characters of a bad answer that the repair turn repeats."""
_READ = 200_000
"""Characters of an answer that are read."""
_STARTS = 1_000
"""Opening braces that are tried as the start of an object."""
# Models write line breaks into strings as they are.
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True)
class Structured(Generic[S]):
    """The result of one ask for an answer of a shape."""

    value: S | None
    calls: tuple[CallRecord, ...]
    """The requests that were made for it: none, one, or two with a repair."""
    trouble: str
    """Why there is no value, in a sentence; else empty."""


class UnfitError(Exception):
    """An answer that does not have the shape; the message says why."""


def ask_for(client: Client, asks: Sequence[Ask], shape: type[S]) -> list[Structured[S]]:
    """Return an answer of a shape to each ask, or why there is none.

    An ask without a schema gets the shape's. All asks are sent together; those whose answers do not
    have the shape are then sent once more, together, with what was wrong. An error of the client
    is not repaired. Never raises for anything that a server says.
    """
    asks = [replace(ask, schema=ask.schema or schema_of(shape)) for ask in asks]
    results: list[Structured[S]] = []
    repairs: dict[int, tuple[Ask, str]] = {}
    for place, (ask, reply) in enumerate(zip(asks, client.ask(asks), strict=True)):
        value = None
        if not reply.error:
            try:
                value = parse(reply.text, shape)
            except UnfitError as error:
                repairs[place] = (_repair(ask, reply.text, str(error), shape), str(error))
        results.append(Structured(value, _calls(ask, reply), reply.error))
    repaired = client.ask([ask for ask, _ in repairs.values()])
    for (place, (ask, reason)), reply in zip(repairs.items(), repaired, strict=True):
        calls = (*results[place].calls, *_calls(ask, reply))
        results[place] = _after_repair(reply, reason, calls, shape)
    return results


def _after_repair(
    reply: Reply, reason: str, calls: tuple[CallRecord, ...], shape: type[S]
) -> Structured[S]:
    """Return the result of an ask from the reply to its repair turn."""
    trouble = f"the answer was not the JSON that was asked for: {cut(reason, 120)}"
    if not reply.asked:
        trouble += f"; it was not asked again: {reply.error.removeprefix('not asked: ')}"
    elif reply.error:
        trouble += f". Asked again, {reply.error}"
    else:
        try:
            return Structured(parse(reply.text, shape), calls, "")
        except UnfitError as error:
            trouble += f"; nor was the repaired one: {cut(str(error), 120)}. "
            trouble += "Name another model in headtests_explain_model."
    return Structured(None, calls, cut(trouble))


def parse(text: str, shape: type[S]) -> S:
    """Return the last JSON object in an answer that has the shape.

    Code fences and words around the object are ignored. Raises `UnfitError` if there is no such
    object, with what is wrong with the last one.

    >>> parse('Here it is: {"answers": [true, 0]}. Anything else?', Judgement).answers
    [True, False]
    """
    problem = "there is no JSON object in it"
    value: S | None = None
    for candidate in _objects(text[:_READ]):
        try:
            value = shape.model_validate(candidate)
        except ValidationError as error:
            problem = _described(error)
    if value is None:
        raise UnfitError(problem)
    return value


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the outermost JSON objects in a text, in order."""
    place = -1
    for _ in range(_STARTS):
        place = text.find("{", place + 1)
        if place < 0:
            return
        try:
            value, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            continue
        yield value
        place = end - 1


def _described(error: ValidationError) -> str:
    """Return what is wrong with an object, without its content."""
    problems = [
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}".removeprefix(": ")
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    more = [f"and {len(problems) - 3} more"] if len(problems) > 3 else []
    return "; ".join(problems[:3] + more)


def _repair(ask: Ask, answer: str, reason: str, shape: type[Shape]) -> Ask:
    """Return the ask for a better answer than one that does not have the shape."""
    shown = answer if len(answer) <= QUOTED else answer[:QUOTED] + "…"
    request = (
        f"That cannot be used: {reason}. Answer again with one JSON object alone, without a code "
        f"fence or any other word, of this shape: {shape.words}"
    )
    turns = (Message("assistant", shown), Message("user", request))
    return replace(ask, messages=(*ask.messages, *turns), purpose="repair")


def _calls(ask: Ask, reply: Reply) -> tuple[CallRecord, ...]:
    return (call_record(ask, reply),) if reply.asked else ()
