"""The shapes that answers of language models must have, and how a shape is said to a model."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

ALTERNATIVES = 3
"""Alternatives that are taken of an answer; what comes behind them is dropped."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
_LIMITS = ("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems")
"""What strict schemas of some servers may not hold; validation holds answers to it."""
_NOT_SENT = ("title", "default", "description", *_LIMITS)


def _printable(found: object) -> object:
    return _UNPRINTABLE.sub("", found).strip() if isinstance(found, str) else found


def _something(found: object) -> object:
    return None if _printable(found) == "" else found


def _first_few(found: object) -> object:
    return found[:ALTERNATIVES] if isinstance(found, list) else found


def _truth(found: object) -> object:
    return bool(found) if type(found) is int and found in (0, 1) else found


Text = Annotated[str, BeforeValidator(_printable)]
"""Text without characters that a terminal would obey."""
ShortText = Annotated[str, Field(max_length=500), BeforeValidator(_printable)]


class _Shape(BaseModel):
    """Types are as they are written; what a model adds to them is no error, and dropped."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Alternative(_Shape):
    """A claim that a model suggests."""

    on: ShortText = Field(min_length=1)
    """A relation, in the expression language."""
    when: Annotated[ShortText | None, BeforeValidator(_something)] = None
    """A condition on the query, in the same, or null."""
    at_least: float | None = Field(default=None, ge=0, le=1)
    """The least mass, in [0, 1], or null."""


class Answer(_Shape):
    """An explanation of a head, and up to three claims that it suggests."""

    explanation: Text = Field(min_length=1, max_length=1500)
    alternatives: Annotated[list[Alternative], BeforeValidator(_first_few)] = Field(
        default_factory=list, max_length=ALTERNATIVES
    )


class Judgement(_Shape):
    """Whether each pair shown is the head's, in their order."""

    answers: list[Annotated[bool, BeforeValidator(_truth)]]


def schema_of(shape: type[BaseModel]) -> dict[str, Any]:
    """Return a shape's JSON Schema as strict servers take it.

    Every property is required and no other is allowed; no limits of length and size are in it.

    >>> schema_of(Judgement)["required"], schema_of(Judgement)["additionalProperties"]
    (['answers'], False)
    """
    made = shape.model_json_schema()
    found: dict[str, Any] = _strict(made, made.get("$defs", {}))
    return found


def _strict(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Return a schema without references and limits."""
    if "$ref" in schema:
        return _strict(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    strict = {name: value for name, value in schema.items() if name not in (*_NOT_SENT, "$defs")}
    if "anyOf" in schema:
        strict["anyOf"] = [_strict(one, definitions) for one in schema["anyOf"]]
    if "items" in schema:
        strict["items"] = _strict(schema["items"], definitions)
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        strict["properties"] = {name: _strict(one, definitions) for name, one in properties.items()}
        strict |= {"required": list(properties), "additionalProperties": False}
    return strict


def in_words(shape: type[BaseModel]) -> str:
    """Return a shape in words, limits included.

    >>> in_words(Judgement)
    '{"answers": [true or false, ...]}'
    """
    schema = shape.model_json_schema()
    return _said(schema, schema.get("$defs", {}))


def _said(schema: Any, definitions: Mapping[str, Any]) -> str:
    match schema:
        case {"$ref": str(name)}:
            return _said(definitions[name.rpartition("/")[2]], definitions)
        case {"anyOf": list(kinds)}:
            return " or ".join(_said(kind, definitions) for kind in kinds)
        case {"type": "object", "properties": {**properties}}:
            inner = (f'"{name}": {_said(one, definitions)}' for name, one in properties.items())
            return f"{{{', '.join(inner)}}}"
        case {"type": "array", "items": {**items}}:
            most = f" (at most {schema['maxItems']})" if "maxItems" in schema else ""
            return f"[{_said(items, definitions)}, ...]{most}"
        case {"type": "string"}:
            most = f" of at most {schema['maxLength']} characters" if "maxLength" in schema else ""
            return f"text{most}"
        case {"type": "number", "minimum": least, "maximum": most}:
            return f"a number from {least:g} to {most:g}"
        case {"type": "boolean"}:
            return "true or false"
        case _:
            return str(schema.get("type", "anything"))
