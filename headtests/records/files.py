"""The record of a run in its file: how it is laid out and read, and its published schema.

Nothing is measured, decided or drawn here, and no shape is defined: those stand beside.
"""

import json
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, cast

from headtests.errors import RecordError
from headtests.io.escaping import without_surrogates
from headtests.records.json_files import FileFormat, read_json, write_text_atomically
from headtests.records.run import FORMAT, VERSION, Record

_SURROGATE = re.compile(r"\\ud[89a-f]")
"""Begins the escape of a surrogate, be it one of a pair."""
_FILE = FileFormat(
    name=FORMAT,
    version=VERSION,
    noun="record",
    remedy="Name the JSON file that a run of headtests wrote.",
    error=RecordError,
)


def write_record(record: Record, path: Path) -> None:
    """Write a record as JSON that any reader accepts: no NaN, no lone surrogates.

    Each session, head, claim, test without a claim, and explanation has a line of its own. A reader
    finds the old file or the new one whole. Raises `ValueError` for a figure that is not finite,
    and `OSError` where the file cannot be written.
    """
    write_text_atomically(path, record_text(record))


def record_text(record: Mapping[str, object]) -> str:
    """Return a record as JSON: a line a field, and in a list a line an item.

    Raises `ValueError` for a figure that is not finite.
    """
    text = _in_lines(record)
    return _in_lines(without_surrogates(record)) if _SURROGATE.search(text) else text


def _in_lines(record: Mapping[str, object]) -> str:
    fields = []
    for name, value in record.items():
        shown = _compact(value)
        if isinstance(value, list) and value:
            shown = "[\n" + ",\n".join(map(_compact, value)) + "\n]"
        fields.append(f"{_compact(name)}:{shown}")
    return "{" + ",\n".join(fields) + "}\n"


def _compact(value: object) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=True, separators=(",", ":"))


def read_record(path: Path) -> Record:
    """Return the record in a file: its header is checked, its fields are not.

    Raises `RecordError` where there is no file, no JSON, no record of headtests, or one of another
    version. `headtests.records.validation.require_record` checks the fields.
    """
    content = read_json(path, _FILE)
    if content is None:
        raise RecordError(f"cannot read {path}: there is no such file. {_FILE.remedy}")
    return cast(Record, content)


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the records that this release writes.

    >>> schema()["$id"]
    'urn:headtests:record:1'
    """
    file = resources.files("headtests").joinpath(f"record-{VERSION}.schema.json")
    return cast(dict[str, Any], json.loads(file.read_text(encoding="utf-8")))
