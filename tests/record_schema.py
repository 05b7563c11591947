"""The JSON Schema of a record, made from the types and docstrings of `headtests.records`.

`make schema` writes it into the package; a test holds the file to what would be made.
"""

import json
import typing
from pathlib import Path
from unittest import mock

import typing_extensions
from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

import headtests
from headtests import records

FILE = Path(headtests.__file__).with_name(f"record-{records.VERSION}.schema.json")


class _WithoutTitles(GenerateJsonSchema):
    """Fields are not titled: a title would only say their name again."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def make_schema() -> dict[str, typing.Any]:
    """Return the schema of the records that this release writes."""
    config = ConfigDict(use_attribute_docstrings=True)
    with mock.patch.object(records.Record, "__pydantic_config__", config, create=True):
        made = TypeAdapter(records.Record).json_schema(schema_generator=_WithoutTitles)
    definitions = made.pop("$defs")
    for name, definition in definitions.items():
        _describe_inherited(definition, definitions, vars(records)[name])
    del made["title"]
    made["properties"]["format"] |= {"const": records.FORMAT}
    made["properties"]["version"] |= {"const": records.VERSION}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:headtests:record:{records.VERSION}",
        "title": f"Record of a run of headtests, version {records.VERSION}",
        "description": f"{made.pop('description')} Fields of later releases may be there, too.",
        **made,
        "$defs": definitions,
    }


def _describe_inherited(
    definition: dict[str, typing.Any], definitions: dict[str, typing.Any], kind: type
) -> None:
    """Add the descriptions that stand below the fields of a type that this one extends."""
    for base in typing_extensions.get_original_bases(kind):
        for name, field in definitions.get(base.__name__, {}).get("properties", {}).items():
            own = definition["properties"][name]
            if "description" in field:
                own.setdefault("description", field["description"])


def as_text(schema: dict[str, typing.Any]) -> str:
    """Return a schema as the file holds it."""
    return json.dumps(schema, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(as_text(make_schema()), encoding="utf-8", newline="\n")
    print(FILE)
