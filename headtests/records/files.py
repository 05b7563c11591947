"""The record in its file: how it is written and read, and its published schema.

Nothing is measured, decided or drawn here, and no shape is said: those stand beside.
"""

import json
import os
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any, cast

from headtests.errors import RecordError
from headtests.records.run import FORMAT, VERSION, Record


def write_record(record: Record, path: Path) -> None:
    """Write the record as JSON that any reader accepts: no NaN, no lone surrogates.

    One line a session, a head, a claim, a test without one and an explanation. Whoever reads the
    file finds the old one or the new one whole. Raises `ValueError` for a figure that is not
    finite, and `OSError` where the file cannot be written.
    """
    content = _in_lines(record)
    path.parent.mkdir(parents=True, exist_ok=True)
    place = path.resolve()
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        part.write_text(content, encoding="utf-8", newline="\n")
        part.replace(place)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def _in_lines(record: Record) -> str:
    """Return JSON with a line a field, and in a list of objects a line an item."""
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
    """Return the record in a file.

    Raises `RecordError` where there is no file, no JSON, no record of headtests, or one of another
    version.
    """
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(
            f"cannot read {path}: {error.strerror}. "
            "Name the JSON file that a run of headtests wrote."
        ) from error
    except ValueError as error:
        raise RecordError(
            f"{path} is not JSON ({error}). Name the JSON file that a run of headtests wrote."
        ) from error
    except RecursionError as error:
        raise RecordError(
            f"{path} is nested too deeply to be a record of headtests. "
            "Name the JSON file that a run of headtests wrote."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise RecordError(
            f'{path} is not a record of headtests: expected "format": "{FORMAT}" at the top.'
        )
    version = content.get("version")
    if type(version) is not int or version != VERSION:
        raise RecordError(
            f"{path} is a record of version {version!r:.40}, and this release reads version "
            f"{VERSION}. Install the release of headtests that wrote it, or run its tests again."
        )
    return cast(Record, content)


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the records that this release writes.

    >>> schema()["$id"]
    'urn:headtests:record:1'
    """
    file = resources.files("headtests").joinpath(f"record-{VERSION}.schema.json")
    return cast(dict[str, Any], json.loads(file.read_text(encoding="utf-8")))
