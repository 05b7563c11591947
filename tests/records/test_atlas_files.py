"""The record of an atlas in its file, and what is refused."""

import json
import math
from copy import deepcopy

import jsonschema
import pytest

from headtests.errors import RecordError
from headtests.io.escaping import without_surrogates
from headtests.records import (
    ATLAS_VERSION,
    atlas_schema,
    read_atlas,
    require_atlas,
    write_atlas,
)
from tests import atlas_records, record_schema

VALIDATOR = jsonschema.Draft202012Validator(atlas_schema())


@pytest.fixture(name="path")
def _path(tmp_path):
    return tmp_path / "folder" / "atlas.json"


def changed(*keys, to):
    """Return an atlas in which one field is another."""
    record = inner = atlas_records.atlas()
    record["heads"][0]["roles"] = [atlas_records.role()]
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = to(inner[keys[-1]]) if callable(to) else to
    return record


def close(left, right):
    """Return whether JSON is the same but for the rounding of its figures."""
    if isinstance(left, float):
        return math.isclose(left, right, rel_tol=1e-5)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(close(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(close, left, right))
    return left == right


@pytest.mark.parametrize("make", [atlas_records.atlas, *atlas_records.ODD.values()])
def test_what_was_written_is_read_again_with_six_digits(make, path):
    record = make()
    before = deepcopy(record)
    write_atlas(record, path)
    assert record == before
    read = read_atlas(path)
    assert close(without_surrogates(record), read)
    assert path.read_bytes().isascii()
    # Written again, it is the same.
    first = path.read_bytes()
    write_atlas(read, path)
    assert path.read_bytes() == first
    VALIDATOR.validate(read)


def test_figures_have_six_digits_and_a_head_has_a_line(path):
    record = changed("corpora", 0, "resting", 0, to=0.123456789)
    write_atlas(record, path)
    lines = path.read_text().splitlines()
    start = lines.index('"heads":[') + 1
    names = [json.loads(line.removesuffix(","))["name"] for line in lines[start:][:8]]
    assert names == [head["name"] for head in record["heads"]]
    assert read_atlas(path)["corpora"][0]["resting"][0] == 0.123457


@pytest.mark.parametrize(
    ("keys", "to", "problem"),
    [
        (("heads",), lambda heads: heads[:-1], "7 heads of 2 layers by 4"),
        (("heads",), lambda heads: heads[::-1], r"heads\[0\] should be L0H0, not 'L1H3'"),
        (("model", "layers"), 0, "8 heads of 0 layers"),
        (("model", "heads"), -4, "8 heads of 2 layers by -4"),
        (("heads", 2, "name"), "L0H3", r"heads\[2\] should be L0H2"),
        (("heads", 0, "roles", 0, "relation"), 8, r"heads\[0\].roles\[0\].relation is 8 of 8"),
        (("heads", 0, "roles", 0, "relation"), -1, "relation is -1 of 8"),
        (("heads", 0, "roles", 0, "corpus"), 1, "corpus is 1 of 1"),
        (("heads", 0, "roles", 0, "verdict"), "maybe", "verdict should be 'holds'"),
        (("heads", 0, "roles", 0, "confirmed"), 1, "confirmed should be true or false"),
        (("heads", 0, "ranked"), [], r"heads\[0\].ranked has 0 lists for 1 corpora"),
        (("heads", 0, "random", 0, 0, "key"), 128, r"random\[0\]\[0\]: position 128 of 128"),
        (("heads", 0, "random", 0, 0, "pattern"), [], "0 attention values for 128 tokens"),
        (("corpora", 0, "coverage"), [0.1], r"corpora\[0\].coverage has 1 entries for 8 heads"),
        (("corpora", 0, "entropy", 0), math.nan, r"entropy\[0\] should be a finite number"),
        (("corpora", 0, "peak", 0), True, r"peak\[0\] should be a finite number"),
        (("corpora", 0, "relations", 1, "relation"), 0, "is 0, again"),
        (("corpora", 0, "relations", 1, "relation"), 8, "is 8, again or outside 8"),
        (("corpora", 0, "relations", 1, "shares"), [], r"relations\[1\].shares has 0 entries"),
        (("corpora", 0, "relations", 1, "distance"), [], r"\.distance has 0"),
        (("corpora", 0, "relations", 1, "parts"), [], r"\.parts has 0"),
        (("corpora", 0, "distances", 1), [2, 1], r"distances\[1\] is not a first and a last"),
        (("corpora", 0, "distances", 1), [2], r"distances\[1\] is not"),
        (("corpora", 0, "profiles", 0), [0.1], r"profiles\[0\] has 1 entries for 14 bins"),
        (("corpora", 0, "profiles"), [], "profiles has 0 entries for 8 heads"),
        (("corpora", 0, "relations", 1, "uniform"), [0.1], r"\.uniform has 1"),
        (("alpha",), "0.1", "alpha should be a finite number"),
    ],
)
def test_what_does_not_fit_is_refused(keys, to, problem):
    with pytest.raises(RecordError, match=problem) as raised:
        require_atlas(changed(*keys, to=to))
    assert "Name the JSON file" in str(raised.value)


def test_what_does_not_fit_is_refused_with_its_file(path):
    write_atlas(changed("heads", 0, "ranked", to=[]), path)
    with pytest.raises(RecordError, match="ranked has 0 lists") as raised:
        read_atlas(path)
    assert str(path) in str(raised.value)


def test_fields_of_later_releases_are_let_pass():
    record = {**atlas_records.atlas(), "mood": "bright"}
    assert require_atlas(record) is record
    VALIDATOR.validate(record)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({**atlas_records.atlas(), "version": ATLAS_VERSION + 1}, f"reads version {ATLAS_VERSION}"),
        ({**atlas_records.atlas(), "format": "headtests-record"}, "is not a record of an atlas"),
        ([], "headtests-atlas"),
        (None, "Name the JSON file that headtests atlas wrote"),
    ],
)
def test_another_version_or_format_is_one_clear_error(path, content, message):
    path.parent.mkdir()
    if content is not None:
        path.write_text(json.dumps(content))
    with pytest.raises(RecordError, match=message) as raised:
        read_atlas(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("figure", [math.nan, math.inf])
def test_a_figure_that_is_not_finite_is_never_written(path, figure):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_atlas(changed("corpora", 0, "peak", 0, to=figure), path)
    assert not path.exists()


def test_the_schema_is_what_the_types_make():
    made = record_schema.as_text(record_schema.make_atlas_schema())
    found = record_schema.ATLAS_FILE.read_text(encoding="utf-8")
    assert found == made, "`make schema` writes it from headtests/records"


@pytest.mark.parametrize(
    ("keys", "to"),
    [
        (("version",), ATLAS_VERSION + 1),
        (("format",), "another"),
        (("heads", 0, "roles", 0, "verdict"), "maybe"),
        (("corpora", 0, "resting", 0), "NaN"),
    ],
)
def test_the_schema_refuses_what_is_no_atlas(keys, to):
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(changed(*keys, to=to))
