"""Answers of a given shape: asked for with a schema, read as models write them, repaired once.

What is asked, and what becomes of the values, is the caller's. Nothing that a model says is
executed here: it is JSON, or it is trouble.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from headtests.explanations.llm.client import Client
from headtests.explanations.llm.failures import cut
from headtests.explanations.llm.messages import Ask, Message, Reply, call_record
from headtests.explanations.llm.schemas import Alternative, Answer, Judgement, in_words, schema_of
from headtests.records import CallRecord

__all__ = ["Alternative", "Answer", "Judgement", "Structured", "ask_for", "parsed", "schema_of"]

Shape = TypeVar("Shape", bound=BaseModel)

QUOTED = 2_000
"""Characters of a bad answer that its repair turn shows."""
_READ = 200_000
"""Characters that an answer may have."""
_STARTS = 1_000
"""Places where an object is looked for."""
# Models write line breaks into strings as they are.
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True)
class Structured(Generic[Shape]):
    """What came of one ask for an answer of a shape."""

    value: Shape | None
    calls: tuple[CallRecord, ...]
    """The requests that were made for it, with their messages: none, one, or two with a repair."""
    trouble: str
    """Why there is no value, in a sentence; else empty."""


class UnfitError(Exception):
    """An answer that does not have the shape; the message says in what."""


def ask_for(client: Client, asks: Sequence[Ask], shape: type[Shape]) -> list[Structured[Shape]]:
    """Return an answer of a shape to each ask, or why there is none.

    An ask without a schema gets the shape's. All are asked together; then those whose answers do
    not have the shape are asked once more, together, with what was wrong. An error of the client is
    trouble at once. Never raises for anything that a server says.
    """
    asks = [_with_schema(ask, shape) for ask in asks]
    results: list[Structured[Shape]] = []
    repairs: dict[int, tuple[Ask, str]] = {}
    for place, (ask, reply) in enumerate(zip(asks, client.ask(asks), strict=True)):
        calls = _calls(ask, reply)
        if reply.error:
            results.append(Structured(None, calls, reply.error))
            continue
        try:
            results.append(Structured(parsed(reply.text, shape), calls, ""))
        except UnfitError as error:
            repairs[place] = (_repair(ask, reply.text, str(error), shape), str(error))
            results.append(Structured(None, calls, ""))
    repaired = client.ask([ask for ask, _ in repairs.values()]) if repairs else []
    for (place, (ask, reason)), reply in zip(repairs.items(), repaired, strict=True):
        calls = results[place].calls + _calls(ask, reply)
        results[place] = _after_repair(reply, reason, calls, shape)
    return results


def _after_repair(
    reply: Reply, reason: str, calls: tuple[CallRecord, ...], shape: type[Shape]
) -> Structured[Shape]:
    """Return what came of an ask after its repair turn."""
    first = f"the answer was not the JSON that was asked for: {cut(reason, 120)}"
    if not reply.asked:
        why = reply.error.removeprefix("not asked: ")
        return Structured(None, calls, cut(f"{first}; it was not asked again: {why}"))
    if reply.error:
        return Structured(None, calls, cut(f"{first}. Asked again, {reply.error}"))
    try:
        return Structured(parsed(reply.text, shape), calls, "")
    except UnfitError as error:
        trouble = (
            f"{first}; nor was the repaired one: {cut(str(error), 120)}. "
            "Name another model in headtests_explain_model."
        )
        return Structured(None, calls, trouble)


def parsed(text: str, shape: type[Shape]) -> Shape:
    """Return the value in an answer: the last JSON object in it that has the shape.

    Code fences and words around the object are no error. Raises `UnfitError` where there is no such
    object, with what is wrong with the last one.

    >>> parsed('Here it is: {"answers": [true, 0]}. Anything else?', Judgement).answers
    [True, False]
    """
    unfit = "there is no JSON object in it"
    found: Shape | None = None
    for candidate in _objects(text):
        try:
            found = shape.model_validate(candidate)
        except ValidationError as error:
            unfit = _wrong(error)
    if found is None:
        raise UnfitError(unfit)
    return found


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the outermost JSON objects in a text, in their order."""
    text = text[:_READ]
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


def _wrong(error: ValidationError) -> str:
    """Return what is wrong with an object, in words, without what stands in it."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    said = [
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}".removeprefix(": ")
        for problem in problems[:3]
    ]
    more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
    return "; ".join(said) + more


def _with_schema(ask: Ask, shape: type[BaseModel]) -> Ask:
    return ask if ask.schema is not None else replace(ask, schema=schema_of(shape))


def _repair(ask: Ask, answer: str, reason: str, shape: type[BaseModel]) -> Ask:
    """Return the ask for a better answer than one that does not have the shape."""
    shown = answer if len(answer) <= QUOTED else answer[:QUOTED] + "…"
    wish = (
        f"That cannot be used: {reason}. Answer again with one JSON object alone, without a code "
        f"fence or any other word, of this shape: {in_words(shape)}"
    )
    turns = (Message("assistant", shown), Message("user", wish))
    return replace(ask, messages=(*ask.messages, *turns), purpose="repair")


def _calls(ask: Ask, reply: Reply) -> tuple[CallRecord, ...]:
    return (call_record(ask, reply),) if reply.asked else ()
