"""Records of older versions, opened by this one."""

import json
from copy import deepcopy
from pathlib import Path

import pytest

from headtests.errors import RecordError
from headtests.records import VERSION, read_record
from headtests.records.validation import require_record
from headtests.report import render_html

OLD = {
    version: Path(__file__).parents[1] / f"old_records/version-{version}.json"
    for version in (1, 2, 3, 4, 5)
}
WITH_POSITIONS = (1, 2, 3)
"""Versions that listed positions one by one."""


def content(version):
    return json.loads(OLD[version].read_text(encoding="utf-8"))


def opened(tmp_path, record):
    """Return a record that was read, and found whole."""
    path = tmp_path / "run.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    return require_record(read_record(path))


@pytest.mark.parametrize("version", OLD)
def test_a_page_is_drawn_of_every_version(version):
    record = require_record(read_record(OLD[version]))
    assert record["version"] == VERSION
    page = render_html(record)
    for claim in record["claims"]:
        assert f'id="{claim["id"]}"' in page


@pytest.mark.parametrize("version", OLD)
def test_everything_that_was_recorded_is_kept(version):
    before, after = content(version), read_record(OLD[version])

    def assert_kept(old, new, place=""):
        if place == "record.version" or (place.endswith(".attendable") and version < 4):
            return
        if isinstance(old, dict):
            for name, value in old.items():
                assert_kept(value, new[name], f"{place}.{name}")
        elif isinstance(old, list):
            assert len(old) == len(new)
            for one, other in zip(old, new, strict=True):
                assert_kept(one, other, place)
        else:
            assert old == new, place

    assert_kept(before, after, "record")


def added(old, new):
    """Return the fields that one object has more than another."""
    return {name: value for name, value in new.items() if name not in old}


OF_ESTIMATE = {"rows_against": None, "multiples": None, "counterexamples": []}
OF_CLAIM = {
    "e_value_against": None,
    "course": [],
    "function": "",
    "function_line": 0,
    "span": [],
}
OF_VERSION_6 = {"drift": None, "against": None}


@pytest.mark.parametrize("version", OLD)
def test_what_was_not_recorded_is_unknown(version):
    before, after = content(version), read_record(OLD[version])
    # What version 4 added to claims.
    claims, estimates = ({}, {}) if version >= 4 else (OF_CLAIM, OF_ESTIMATE)
    of_claim = (
        {}
        if version > 1
        else {
            "offset": 0,
            "difference": None,
            "alpha": None,
            "e_value": None,
            "e_bh": None,
            "more_documents": None,
            "read_before": False,
        }
    )
    of_estimate = (
        {}
        if version > 1
        else {
            "texts": None,
            "eligible": None,
            "matched_rate": None,
            "rank": None,
        }
    )
    for old, new in zip(before["claims"], after["claims"], strict=True):
        assert added(old, new) == of_claim | claims | OF_VERSION_6
        assert added(old["left"], new["left"]) == of_estimate | estimates
        if isinstance(new["right"], dict):
            assert added(old["right"], new["right"]) == of_estimate | estimates
    (old,), (new,) = before["sessions"], after["sessions"]
    of_session = {1: {"alpha": 0, "results_kept": 0}, 2: {"results_kept": 0}}
    assert added(old, new) == of_session.get(version, {})
    of_head = {1: {"documents": 217, "sink_share": None}, 2: {"sink_share": None}}
    for old, new in zip(before["heads"], after["heads"], strict=True):
        assert added(old, new) == of_head.get(version, {})
    rate = {} if version > 1 else {"false_decisions": 0}
    explained = {} if version >= 5 else {"explanations": []}
    assert added(before, after) == rate | explained | {"searches": [], "stale": [], "unrecorded": 0}


@pytest.mark.parametrize("version", WITH_POSITIONS)
def test_positions_that_were_listed_are_runs(version):
    (head,) = read_record(OLD[version])["heads"]
    assert [pair["attendable"] for pair in head["ranked"]] == [[[0, 5]], [[0, 0], [3, 5]]]
    assert [pair["attendable"] for pair in head["random"]] == [[[0, 1]]]


def test_positions_of_this_version_stay_runs(tmp_path):
    record = content(3)
    record["heads"][0]["ranked"][0]["attendable"] = []
    assert opened(tmp_path, record)["heads"][0]["ranked"][0]["attendable"] == []


def test_no_two_claims_share_a_list():
    first, second, *_ = read_record(OLD[3])["claims"]
    assert first["course"] is not second["course"]
    assert first["left"]["counterexamples"] is not second["left"]["counterexamples"]


def test_a_head_without_its_session_is_of_no_known_documents(tmp_path):
    record = content(1)
    record["heads"][0]["session"] = "another"
    assert opened(tmp_path, record)["heads"][0]["documents"] == 0


def test_fields_that_an_older_version_did_not_have_are_kept_where_they_are_there(tmp_path):
    record = content(1)
    record["claims"][0]["alpha"] = 0.01
    record["heads"][0]["mood"] = "bright"
    found = opened(tmp_path, record)
    assert found["claims"][0]["alpha"] == 0.01
    assert found["heads"][0]["mood"] == "bright"


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize(
    ("keys", "to", "said"),
    [
        (("claims",), None, "claims should be a list"),
        (("claims",), {"left": {}}, "claims should be a list"),
        (("claims", 0), [], "claims[0] should be an object"),
        (("claims", 0, "left"), [], "claims[0].left should be an object"),
        (("claims", 1, "right"), [], "claims[1].right should be an object or a finite number"),
        (("heads",), 3, "heads should be a list"),
        (("heads", 0), "L1H3", "heads[0] should be an object"),
        (("heads", 0, "session"), ["a"], "heads[0].session should be text"),
        (("heads", 0, "ranked"), {}, "heads[0].ranked should be a list"),
        (("heads", 0, "ranked", 0), 1, "heads[0].ranked[0] should be an object"),
        (("heads", 0, "ranked", 0, "attendable"), 3, "ranked[0].attendable should be a list"),
        (("sessions",), None, "sessions should be a list"),
        (("sessions", 0), None, "sessions[0] should be an object"),
        (("sessions", 0, "key"), {}, "sessions[0].key should be text"),
        (("sessions", 0, "documents_run"), "217", "documents_run should be a whole number"),
    ],
)
def test_what_is_damaged_is_named(tmp_path, version, keys, to, said):
    record = inner = content(version)
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = to
    with pytest.raises(RecordError) as raised:
        opened(tmp_path, record)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("version", WITH_POSITIONS)
@pytest.mark.parametrize(
    ("positions", "said"),
    [
        ([0, "1"], "attendable[1] should be a list"),
        ([0, "1", 1], "attendable[1] should be a list"),
        ([0, True], "attendable[1] should be a list"),
        ([0, 9], "position 9 of 6 tokens"),
        ([3, 0, 1], "do not ascend"),
    ],
)
def test_positions_that_are_damaged_are_named(tmp_path, version, positions, said):
    record = content(version)
    record["heads"][0]["ranked"][0]["attendable"] = positions
    with pytest.raises(RecordError) as raised:
        opened(tmp_path, record)
    assert said in str(raised.value)


@pytest.mark.parametrize("version", OLD)
def test_a_record_that_lacks_a_field_of_its_own_version_is_damaged(tmp_path, version):
    def fields(inner, *keys):
        if isinstance(inner, dict):
            for name, value in inner.items():
                yield *keys, name
                yield from fields(value, *keys, name)
        elif isinstance(inner, list):
            for index, value in enumerate(inner[:1]):
                yield from fields(value, *keys, index)

    whole = content(version)
    # Those that the next version adds, and the names of packages, are not missed.
    unmissed = {"documents", "texts", "eligible", "matched_rate", "rank", "offset", "difference"}
    unmissed |= {"alpha", "e_value", "e_bh", "more_documents", "read_before", "sink_share"}
    unmissed |= {"false_decisions", "results_kept", "python", "headtests", "torch"}
    for *above, name in list(fields(whole)):
        record = inner = deepcopy(whole)
        for key in above:
            inner = inner[key]
        del inner[name]
        if name not in unmissed:
            with pytest.raises(RecordError):
                opened(tmp_path, record)
