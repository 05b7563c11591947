"""The parts of the reference that are generated, so that they cannot differ from the code.

MkDocs calls `on_page_markdown` for each page. A line `<!-- generated: NAME -->` is replaced by what
the function of that name returns. No prose of the documentation here.
"""

import argparse
import contextlib
import io
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import headtests
from headtests.cli import main
from headtests.library import LIBRARY, NAMES
from headtests.options import OPTIONS
from headtests.plugin import MARKERS, pytest_addoption

PLACEHOLDER = re.compile(r"^<!-- generated: (?P<name>\w+) -->$", re.MULTILINE)
COMMANDS = ("atlas", "describe", "corpus", "trace", "report", "record")


class _Recorder:
    """Takes what the plugin tells pytest's parser, and keeps it."""

    def __init__(self) -> None:
        self.flags: dict[str, dict[str, Any]] = {}
        self.ini: dict[str, str] = {}

    def getgroup(self, *_: str) -> "_Recorder":
        return self

    def addoption(self, flag: str, **keywords: Any) -> None:
        if keywords.get("help") != argparse.SUPPRESS:
            self.flags[flag] = keywords

    def addini(self, name: str, help: str, **_: Any) -> None:
        self.ini[name] = help


def options() -> str:
    """Return every option as a table: command line, ini file, default, meaning."""
    parser: Any = _Recorder()
    pytest_addoption(parser)
    order = ["model", "revision", "corpus", "report", *(option.name for option in OPTIONS)]
    rows = []
    for name in order:
        flag = f"--headtests-{name.replace('_', '-')}"
        keywords = parser.flags.pop(flag)
        ini = parser.ini.pop(f"headtests_{name}", None)
        text, default = _split_default(ini or keywords["help"])
        metavar = keywords.get("metavar")
        rows.append(
            (
                f"`{flag}{f'={metavar}' if metavar else ''}`",
                "" if ini is None else f"`headtests_{name}`",
                default,
                text,
            )
        )
    if parser.flags or parser.ini:
        raise ValueError(f"options of the plugin that no row shows: {[*parser.flags, *parser.ini]}")
    return _table(("command line", "ini file", "default", "meaning"), rows)


def markers() -> str:
    """Return every marker, with its arguments and its meaning."""
    found = (marker.partition("): ") for marker in MARKERS)
    return _table(
        ("marker", "meaning"), [(f"`pytest.mark.{call})`", text) for call, _, text in found]
    )


def library() -> str:
    """Return the names of `headtests.library` that are expressions, with the keys they mean."""
    meanings = {entry.relation: entry.name for entry in LIBRARY}
    rows = [(f"`{name}`", meanings[relation]) for name, relation in NAMES.items()]
    return _table(("name", "keys"), rows)


def program() -> str:
    """Return the help of the program `headtests` and of each of its commands."""
    return "\n\n".join(
        f"## `{' '.join(('headtests', *command))}`\n\n```text\n{_help(*command)}```"
        for command in ((), *((name,) for name in COMMANDS))
    )


def record() -> str:
    """Return the objects of the record of a run, from its JSON Schema."""
    return _objects("The record", _schema("record"), {})


def atlas_record() -> str:
    """Return the objects of the record of an atlas that a run's record has not."""
    return _objects("The record of an atlas", _schema("atlas"), _schema("record")["$defs"])


def _objects(title: str, schema: dict[str, Any], known: Mapping[str, object]) -> str:
    own = {name: value for name, value in sorted(schema["$defs"].items()) if name not in known}
    objects = {title: schema, **own}
    return "\n\n".join(_object(name, value) for name, value in objects.items())


def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(schema_file(name).read_text(encoding="utf-8"))
    return schema


def schema_file(name: str = "record") -> Path:
    """Return a JSON Schema of the package: of the record, or of an `atlas`."""
    (found,) = Path(headtests.__file__).parent.glob(f"{name}-*.schema.json")
    return found


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill a page's placeholders; MkDocs calls this."""
    functions = (options, markers, library, program, record, atlas_record)
    parts = {function.__name__: function for function in functions}
    return PLACEHOLDER.sub(lambda match: parts[match["name"]](), markdown)


def _split_default(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"(?P<text>.+) \((?P<default>[^()]*)\)", text)
    return (match["text"], match["default"]) if match else (text, "")


def _help(*command: str) -> str:
    text = io.StringIO()
    width = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "90"
    try:
        with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
            main([*command, "--help"])
    finally:
        if width is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = width
    return text.getvalue()


def _object(name: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (
            f"`{field}`" + ("" if field in required else " (optional)"),
            _type(value),
            _one_line(value.get("description", "")),
        )
        for field, value in schema.get("properties", {}).items()
    ]
    return (
        f"## {name}\n\n{_one_line(schema.get('description', ''))}\n\n"
        f"{_table(('field', 'type', 'meaning'), rows)}"
    )


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return f"array of ({', '.join(map(_type, schema['prefixItems']))})"
        return f"array of {_type(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    return str(schema.get("type", "any value"))


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    cells = ([cell.replace("|", r"\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _one_line(text: str) -> str:
    return " ".join(text.split())
