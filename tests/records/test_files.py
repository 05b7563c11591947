"""The record in its file: how it is written and read, and its published schema."""

import importlib
import json
import math
import pkgutil
from copy import deepcopy

import jsonschema
import pytest
from typing_extensions import is_typeddict

from headtests import records
from headtests.errors import RecordError
from headtests.io.escaping import without_surrogates
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
    # A lone surrogate becomes its escape.
    assert read_record(path) == without_surrogates(make())
    json.dumps(read_record(path), ensure_ascii=False).encode("utf-8")


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


# Reading.


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (changed(sample.record(), "version", to=VERSION + 1), f"reads version {VERSION}"),
        (changed(sample.record(), "format", to="headtests-baseline"), "is not a record"),
        ([], "is not a record"),
    ],
)
def test_another_version_or_format_is_one_clear_error(path, content, message):
    path.parent.mkdir()
    path.write_text(json.dumps(content))
    with pytest.raises(RecordError, match=message) as raised:
        read_record(path)
    assert str(path) in str(raised.value)


def test_a_file_that_is_not_there_is_named(path):
    with pytest.raises(RecordError, match="Name the JSON file") as raised:
        read_record(path)
    assert str(path) in str(raised.value)


# The schema.


def test_the_schema_is_what_the_types_make():
    made = record_schema.as_text(record_schema.make_schema())
    found = record_schema.FILE.read_text(encoding="utf-8")
    assert found == made, "`make schema` writes it from headtests/records"


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
    assert rate.startswith("The most often that such a run decides any claim falsely")
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
    assert not VALIDATOR.is_valid(changed(sample.record(), *keys, to=to))


@pytest.mark.slow
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
        assert not VALIDATOR.is_valid(record), name
