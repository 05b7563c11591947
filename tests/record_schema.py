"""The JSON Schemas of records, made from the types and docstrings of `headtests.records`.

`make schema` writes them into the package; a test holds the files to what would be made.
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

FOLDER = Path(headtests.__file__).parent
FILE = FOLDER / f"record-{records.VERSION}.schema.json"
ATLAS_FILE = FOLDER / f"atlas-{records.ATLAS_VERSION}.schema.json"


class _WithoutTitles(GenerateJsonSchema):
    """Fields are not titled: a title would only say their name again."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def make_schema() -> dict[str, typing.Any]:
    """Return the schema of the records of runs that this release writes."""
    return _schema_of(records.Record, "record", "Record of a run", records.FORMAT, records.VERSION)


def make_atlas_schema() -> dict[str, typing.Any]:
    """Return the schema of the records of atlases that this release writes."""
    form, version = records.ATLAS_FORMAT, records.ATLAS_VERSION
    return _schema_of(records.AtlasRecord, "atlas", "Record of an atlas", form, version)


def _schema_of(
    whole: type, name: str, title: str, form: str, version: int
) -> dict[str, typing.Any]:
    config = ConfigDict(use_attribute_docstrings=True)
    with mock.patch.object(whole, "__pydantic_config__", config, create=True):
        made = TypeAdapter(whole).json_schema(schema_generator=_WithoutTitles)
    definitions = made.pop("$defs")
    for definition_name, definition in definitions.items():
        _describe_inherited(definition, definitions, vars(records)[definition_name])
    del made["title"]
    made["properties"]["format"] |= {"const": form}
    made["properties"]["version"] |= {"const": version}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:headtests:{name}:{version}",
        "title": f"{title} of headtests, version {version}",
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
    for file, made in ((FILE, make_schema()), (ATLAS_FILE, make_atlas_schema())):
        file.write_text(as_text(made), encoding="utf-8", newline="\n")
        print(file)
