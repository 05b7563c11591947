"""The record in its file: how it is written and read, and its published schema."""

import importlib
import json
import math
import pkgutil
import sys
from copy import deepcopy
from pathlib import Path
from typing import is_typeddict

import jsonschema
import pytest

import headtests
from headtests import records
from headtests.errors import RecordError
from headtests.records import VERSION, read_record, schema, write_record
from tests import record_schema
from tests.report import sample

VALIDATOR = jsonschema.Draft202012Validator(schema())


@pytest.fixture(name="path")
def _path(tmp_path):
    return tmp_path / "folder" / "run.json"


def changed(record, *keys, to):
    """Return a copy of a record in which one field is another."""
    record = inner = deepcopy(record)
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = to
    return record


# Writing.


@pytest.mark.parametrize(
    "make", [sample.record, sample.searched_record, sample.hostile_record, sample.beside]
)
def test_what_was_written_is_read_again(make, path):
    write_record(make(), path)
    assert read_record(path) == make()


def test_a_session_a_head_a_claim_and_an_explanation_have_a_line_each(path):
    record = sample.record(unmeasured=[{"test": "a\nb", "outcome": "passed", "message": ""}])
    write_record(record, path)
    lines = path.read_text(encoding="utf-8").splitlines()
    for name in ("sessions", "heads", "claims", "unmeasured", "explanations"):
        start = lines.index(f'"{name}":[') + 1
        items = [json.loads(line.removesuffix(",")) for line in lines[start:][: len(record[name])]]
        assert items == record[name]
    assert sum(map(len, lines)) < len(json.dumps(record))


def test_fields_stay_in_their_order(path):
    write_record(sample.record(), path)
    assert list(json.loads(path.read_text())) == list(sample.record())


def test_an_empty_list_takes_no_lines(path):
    write_record(sample.record(heads=[]), path)
    assert '"heads":[],' in path.read_text().splitlines()


def test_any_reader_accepts_what_was_written(path):
    write_record(sample.hostile_record(), path)
    content = path.read_bytes()
    assert content.isascii()
    assert content.endswith(b"}\n")
    assert b"\r" not in content


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "keys",
    [
        ("false_decisions",),
        ("claims", 1, "left", "value"),
        ("heads", 0, "ranked", 0, "pattern", 3),
        ("claims", 0, "course", 2, "high"),
    ],
)
def test_a_figure_that_is_not_finite_is_never_written(path, figure, keys):
    write_record(sample.record(), path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_record(changed(sample.record(), *keys, to=figure), path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_interrupt_leaves_the_old_file_and_nothing_else(path, monkeypatch):
    write_record(sample.record(), path)
    before = path.read_bytes()

    def half(self, content, **options):
        with open(self, "w") as file:
            file.write(content[:100])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(KeyboardInterrupt):
        write_record(sample.record(heads=[]), path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(path, monkeypatch):
    write_record(sample.record(), path)
    before = path.read_bytes()

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_record(sample.record(heads=[]), path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_link_is_kept_and_what_it_leads_to_is_written(tmp_path):
    link, file = tmp_path / "link.json", tmp_path / "elsewhere.json"
    link.symlink_to(file)
    write_record(sample.record(), link)
    assert link.is_symlink()
    assert read_record(file) == sample.record()


def test_the_file_is_as_readable_as_any_other(path):
    write_record(sample.record(), path)
    other = path.with_name("other.json")
    other.write_text("")
    assert path.stat().st_mode == other.stat().st_mode


# Reading.


def said_of(path, content):
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(RecordError) as raised:
        read_record(path)
    return str(raised.value)


@pytest.mark.parametrize("version", [0, VERSION + 1, True, 1.0, "1", None, [1], "x" * 10_000])
def test_another_version_is_one_clear_error(path, version):
    message = said_of(path, changed(sample.record(), "version", to=version))
    assert f"is a record of version {repr(version)[:40]}, " in message
    assert f"this release reads version {VERSION}" in message
    assert len(message) < 300 + len(str(path))


def test_what_is_no_record_is_said_to_be_none(path):
    assert "is not a record of headtests" in said_of(path, [])
    assert "is not a record of headtests" in said_of(path, {"version": 4})
    assert "is not JSON" in said_of(path, "{")
    assert "is nested too deeply" in said_of(path, "[" * 100_000)


# The schema.


def test_the_schema_is_what_the_types_make():
    made = record_schema.as_text(record_schema.make_schema())
    found = record_schema.FILE.read_text(encoding="utf-8")
    assert found == made, "`make schema` writes it from headtests/records"


def test_making_the_schema_leaves_the_types_as_they_are():
    before = {name: module for name, module in sys.modules.items() if "headtests.records" in name}
    assert len(before) == 1 + len(list(pkgutil.iter_modules(records.__path__)))
    record_schema.make_schema()
    assert {name: module for name, module in sys.modules.items() if name in before} == before
    assert headtests.records is records


def test_every_type_of_a_record_can_be_had_from_the_package():
    modules = [
        importlib.import_module(f"headtests.records.{one.name}")
        for one in pkgutil.iter_modules(records.__path__)
        if not one.name.startswith("baseline")
    ]
    found = {
        name
        for module in modules
        for name, one in vars(module).items()
        if is_typeddict(one) and one.__module__ == module.__name__
    }
    assert "ExplanationRecord" in found
    assert found <= set(records.__all__)


def test_the_schema_says_what_it_is_of():
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema()["$id"] == f"urn:headtests:record:{VERSION}"
    assert schema()["title"] == f"Record of a run of headtests, version {VERSION}"
    jsonschema.Draft202012Validator.check_schema(schema())


def test_the_schema_says_what_the_docstrings_say():
    definitions = schema()["$defs"]
    rate = schema()["properties"]["false_decisions"]["description"]
    assert rate.startswith("How often a run like this decides any claim falsely, at most")
    assert definitions["PairRecord"]["description"] == records.PairRecord.__doc__
    # Of a field that the type extends, too.
    for name in ("PairRecord", "CounterexampleRecord"):
        said = definitions[name]["properties"]["token"]["description"]
        assert said == "The key's token."


@pytest.mark.parametrize("make", [sample.record, sample.hostile_record])
def test_the_schema_accepts_records(make):
    VALIDATOR.validate(json.loads(json.dumps(make())))


def test_the_schema_lets_fields_of_later_releases_pass():
    record = changed(sample.record(), "mood", to="bright")
    VALIDATOR.validate(changed(record, "claims", 0, "left", "mood", to=["bright"]))


@pytest.mark.parametrize(
    ("keys", "to"),
    [
        (("version",), VERSION - 1),
        (("version",), VERSION + 1),
        (("format",), "another"),
        (("claims",), {}),
        (("claims", 0, "verdict"), "maybe"),
        (("claims", 0, "operator"), "=="),
        (("claims", 0, "right"), None),
        (("claims", 0, "right"), "0.4"),
        (("claims", 0, "left", "value"), None),
        (("claims", 0, "left", "value"), "NaN"),
        (("claims", 0, "line"), 1.5),
        (("claims", 0, "read_before"), 1),
        (("claims", 0, "left", "multiples"), {"edges": []}),
        (("claims", 0, "left", "counterexamples", 0, "claimed"), 7),
        (("heads", 0, "ranked", 0, "attendable"), [0, 1, 2]),
        (("sessions", 0, "model"), None),
        (("environment", "Python"), 3.11),
        (("claims", 0, "drift"), {}),
        (("claims", 0, "drift"), sample.drift(status="moved")),
        (("claims", 0, "drift"), sample.drift(moved=[{"document": 3}])),
        (("claims", 0, "against"), sample.against(verdict="maybe")),
        (("claims", 0, "against"), sample.against(session=None)),
        (("stale",), None),
        (("stale",), [{"file": "a.json"}]),
        (("explanations",), None),
        (("explanations", 0, "claims"), "c1"),
        (("explanations", 0, "suggestions", 0, "verdict"), "maybe"),
        (("explanations", 0, "suggestions", 0, "mass"), 0.3),
        (("explanations", 0, "detection", 0, "of"), "a third"),
        (("explanations", 0, "calls", 0, "messages", 0), {"content": 3}),
        (("explanations", 0, "calls", 0, "purpose"), "small talk"),
    ],
)
def test_the_schema_refuses_another_shape(keys, to):
    assert list(VALIDATOR.iter_errors(changed(sample.record(), *keys, to=to)))


@pytest.mark.parametrize(
    "where",
    [
        (),
        ("claims", 0),
        ("claims", 0, "left"),
        ("sessions", 0),
        ("claims", 0, "drift"),
        ("claims", 0, "drift", "moved", 0),
        ("claims", 0, "against"),
        ("stale", 0),
        ("explanations", 0),
        ("explanations", 0, "explain"),
        ("explanations", 0, "suggestions", 0),
        ("explanations", 0, "detection", 0),
        ("explanations", 0, "calls", 0),
    ],
)
def test_the_schema_refuses_a_record_without_any_one_field(where):
    names = sample.beside()
    for key in where:
        names = names[key]
    for name in names:
        record = inner = deepcopy(sample.beside())
        for key in where:
            inner = inner[key]
        del inner[name]
        assert list(VALIDATOR.iter_errors(record)), name
