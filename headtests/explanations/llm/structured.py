"""Answers of a shape: asked for with a schema, parsed from what models write, repaired once.

Answers are data: nothing that a model writes is executed.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from headtests.explanations.llm.client import Client
from headtests.explanations.llm.messages import Ask, Message, Reply, call_record, cut
from headtests.io.json_input import DeepJsonError, require_shallow
from headtests.records import CallRecord

QUOTED = 2_000
"""Characters of a bad answer that the repair turn repeats."""
_READ = 200_000
"""Characters of an answer that are read."""
_STARTS = 1_000
"""Opening braces that are tried as the start of an object."""
# Models write line breaks into strings as they are.
_DECODER = json.JSONDecoder(strict=False)
_SENT = ("type", "items", "anyOf")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


def _printable(value: object) -> object:
    return _UNPRINTABLE.sub("", value).strip() if isinstance(value, str) else value


def _truth(value: object) -> object:
    return bool(value) if type(value) is int and value in (0, 1) else value


Text = Annotated[str, BeforeValidator(_printable)]
"""Text without characters that control a terminal."""
ShortText = Annotated[str, Field(max_length=500), BeforeValidator(_printable)]


class Shape(BaseModel):
    """An answer whose fields have exactly these types; additional fields are dropped."""

    model_config = ConfigDict(strict=True, extra="ignore")
    words: ClassVar[str]
    """The shape with its limits, as a language model is told."""


class Alternative(BaseModel):
    """A claim that a model suggests."""

    model_config = Shape.model_config
    on: ShortText = Field(min_length=1)
    """A relation, in the expression language."""
    when: Annotated[
        ShortText | None,
        BeforeValidator(lambda value: None if _printable(value) == "" else value),
    ] = None
    """A condition on the query, in the expression language, or null."""
    at_least: float | None = Field(default=None, ge=0, le=1)
    """The least mass, in [0, 1], or null."""


class Answer(Shape):
    """An explanation of a head, and up to three claims that it suggests; the rest is dropped."""

    words = (
        '{"explanation": text of at most 1500 characters, "alternatives": [{"on": text of at most '
        '500 characters, "when": text of at most 500 characters or null, "at_least": a number from '
        "0 to 1 or null}, ...] (at most 3)}"
    )
    explanation: Text = Field(min_length=1, max_length=1500)
    alternatives: Annotated[
        list[Alternative],
        BeforeValidator(lambda value: value[:3] if isinstance(value, list) else value),
    ] = []


class Judgement(Shape):
    """For each pair that was shown, in order, whether the head attends to it; 1 and 0 will do."""

    words = '{"answers": [true or false, ...]}'
    answers: list[Annotated[bool, BeforeValidator(_truth)]]


S = TypeVar("S", bound=Shape)


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
    replies = client.ask(asks)
    results = [_result(ask, reply, shape) for ask, reply in zip(asks, replies, strict=True)]
    repairs: dict[int, Ask] = {}
    for place, (ask, reply, result) in enumerate(zip(asks, replies, results, strict=True)):
        if result.value is None and not reply.error:
            text = reply.text if len(reply.text) <= QUOTED else reply.text[:QUOTED] + "…"
            request = (
                f"That cannot be used: {result.trouble}. Answer again with one JSON object alone, "
                f"without a code fence or any other word, of this shape: {shape.words}"
            )
            turns = (*ask.messages, Message("assistant", text), Message("user", request))
            repairs[place] = replace(ask, messages=turns, purpose="repair")
    repaired = client.ask(list(repairs.values()))
    for (place, ask), reply in zip(repairs.items(), repaired, strict=True):
        first, second = results[place], _result(ask, reply, shape)
        trouble = f"the answer was not the JSON that was asked for: {cut(first.trouble, 120)}"
        if second.value is not None:
            trouble = ""
        elif not reply.asked:
            trouble += f"; it was not asked again: {reply.error.removeprefix('not asked: ')}"
        elif reply.error:
            trouble += f". Asked again, {reply.error}"
        else:
            trouble += f"; nor was the repaired one: {cut(second.trouble, 120)}. "
            trouble += "Name another model in headtests_explain_model."
        results[place] = Structured(second.value, first.calls + second.calls, cut(trouble))
    return results


def _result(ask: Ask, reply: Reply, shape: type[S]) -> Structured[S]:
    """Return what one reply is worth: its value, its error or what does not fit."""
    calls = (call_record(ask, reply),) if reply.asked else ()
    if reply.error:
        return Structured(None, calls, reply.error)
    try:
        return Structured(parse(reply.text, shape), calls, "")
    except UnfitError as error:
        return Structured(None, calls, str(error))


def parse(text: str, shape: type[S]) -> S:
    """Return the last outermost JSON object in an answer that has the shape.

    Code fences and words around the object are ignored. Raises `UnfitError` if there is no such
    object, with what is wrong with the last one, without its content.

    >>> parse('Here it is: {"answers": [true, 0]}. Anything else?', Judgement).answers
    [True, False]
    """
    problem = "there is no JSON object in it"
    value: S | None = None
    text = text[:_READ]
    try:
        require_shallow(text)
    except DeepJsonError as error:
        raise UnfitError(str(error)) from error
    start = text.find("{")
    for _ in range(_STARTS):
        if start < 0:
            break
        end = start + 1
        try:
            candidate, end = _DECODER.raw_decode(text, start)
            value = shape.model_validate(candidate)
        except ValidationError as error:
            problems = [
                f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}".removeprefix(": ")
                for wrong in error.errors()
            ]
            more = [f"and {len(problems) - 3} more"] if len(problems) > 3 else []
            problem = "; ".join(problems[:3] + more)
        except (ValueError, RecursionError):
            pass
        start = text.find("{", end)
    if value is None:
        raise UnfitError(problem)
    return value


def schema_of(shape: type[BaseModel]) -> dict[str, Any]:
    """Return a shape's JSON Schema in the form that strict servers take.

    Every property is required, no other is allowed, and there are no references and no limits of
    length or size.

    >>> schema_of(Judgement)["required"], schema_of(Judgement)["additionalProperties"]
    (['answers'], False)
    """
    whole = shape.model_json_schema()
    definitions = whole.pop("$defs", {})

    def strict(schema: Any) -> Any:
        match schema:
            case {"$ref": reference}:
                return strict(definitions[reference.rpartition("/")[2]])
            case {"properties": dict(properties)}:
                return {
                    "properties": {name: strict(part) for name, part in properties.items()},
                    "required": list(properties),
                    "type": "object",
                    "additionalProperties": False,
                }
            case dict():
                # Some servers take no limits; validation applies them.
                return {key: strict(schema[key]) for key in schema if key in _SENT}
            case list():
                return [strict(part) for part in schema]
        return schema

    return dict(strict(whole))
