"""The shapes of language models' answers: what is asked for as a schema and what is accepted."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

ALTERNATIVES = 3
"""Alternatives that are read from an answer; further ones are dropped."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
_LIMITS = ("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems")
"""Not allowed in the strict schemas of some servers; validation applies them."""
_NOT_SENT = ("title", "default", "description", "$defs", *_LIMITS)


def _printable(value: object) -> object:
    return _UNPRINTABLE.sub("", value).strip() if isinstance(value, str) else value


def _none_if_blank(value: object) -> object:
    return None if _printable(value) == "" else value


def _first_few(value: object) -> object:
    return value[:ALTERNATIVES] if isinstance(value, list) else value


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
    when: Annotated[ShortText | None, BeforeValidator(_none_if_blank)] = None
    """A condition on the query, in the expression language, or null."""
    at_least: float | None = Field(default=None, ge=0, le=1)
    """The least mass, in [0, 1], or null."""


class Answer(Shape):
    """An explanation of a head, and up to three claims that it suggests."""

    words = (
        '{"explanation": text of at most 1500 characters, "alternatives": [{"on": text of at most '
        '500 characters, "when": text of at most 500 characters or null, "at_least": a number from '
        "0 to 1 or null}, ...] (at most 3)}"
    )
    explanation: Text = Field(min_length=1, max_length=1500)
    alternatives: Annotated[list[Alternative], BeforeValidator(_first_few)] = []


class Judgement(Shape):
    """For each pair that was shown, in order, whether the head attends to it."""

    words = '{"answers": [true or false, ...]}'
    answers: list[Annotated[bool, BeforeValidator(_truth)]]


def schema_of(shape: type[BaseModel]) -> dict[str, Any]:
    """Return a shape's JSON Schema in the form that strict servers take.

    Every property is required, no other is allowed, and there are no references and no limits of
    length or size.

    >>> schema_of(Judgement)["required"], schema_of(Judgement)["additionalProperties"]
    (['answers'], False)
    """
    schema = shape.model_json_schema()
    strict: dict[str, Any] = _strict(schema, schema.get("$defs", {}))
    return strict


def _strict(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_strict(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _strict(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    kept = {name: part for name, part in schema.items() if name not in _NOT_SENT}
    strict = {name: _strict(part, definitions) for name, part in kept.items()}
    if schema.get("type") == "object":
        strict |= {"required": list(schema["properties"]), "additionalProperties": False}
    return strict
