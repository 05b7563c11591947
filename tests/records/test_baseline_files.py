"""Baselines on disk: sorted, stable, written one after another, and the error of each bad file."""

import json
import threading
from pathlib import Path

import pytest

from headtests.errors import BaselineError
from headtests.records.baseline import FORMAT, VERSION
from headtests.records.baseline_files import baseline_path, read_baseline, update_baselines

CONTEXT = {
    "model": "demo",
    "revision": None,
    "weights_sha256": "aa",
    "dtype": "float32",
    "device": "cpu",
    "corpus": "all 4 documents of demo",
    "corpus_sha256": "bb",
    "tokenizer_sha256": "cc",
    "bos": "model",
    "seed": 0,
    "versions": {"torch": "2"},
}


def claim(test="test_it[L0H0]", source="L0H0.mass(ht.previous) >= 0.4", number=0, **changes):
    side = {
        "expression": "L0H0.mass(ht.previous)",
        "kind": "mass",
        "value": 0.5,
        "documents": 1,
        "documents_sha256": "dd",
        "numerators": "AAAAAA==",
        "denominators": "",
        "base_rate": None,
    }
    return {
        "test": test,
        "claim": source,
        "number": number,
        "context": "here",
        "verdict": "holds",
        "value": 0.5,
        "low": 0.4,
        "high": 0.6,
        "left": side,
        "right": None,
        "factor": 1.0,
        "suppress_first_token": True,
        "min_query": 1,
    } | changes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "baselines" / "test_it.json"


def written(path, *claims, ran=(), contexts=None):
    return update_baselines(path, claims, contexts or {"here": CONTEXT}, ran)


def test_they_stand_beside_the_hypothesis_file():
    assert baseline_path(Path("a/b/test_x.py")) == Path("a/b/baselines/test_x.json")


def test_what_was_written_is_read(path):
    baseline = written(path, claim(), claim("test_other"))
    assert read_baseline(path) == baseline
    assert [one["test"] for one in baseline["claims"]] == ["test_it[L0H0]", "test_other"]
    assert (baseline["format"], baseline["version"]) == (FORMAT, VERSION)


def test_without_a_file_there_are_none(path):
    assert read_baseline(path) is None


def test_the_order_of_writing_changes_no_byte(path, tmp_path):
    claims = [claim("b"), claim("a", number=1), claim("a"), claim("a", "another claim")]
    written(path, *claims)
    other = tmp_path / "other.json"
    for one in reversed(claims):
        written(other, one)
    assert path.read_bytes() == other.read_bytes()
    written(path, *claims)
    assert path.read_bytes() == other.read_bytes()


def test_a_line_is_a_field_so_that_a_diff_reads_well(path):
    written(path, claim())
    before = path.read_text().splitlines()
    written(path, claim(value=0.75))
    after = path.read_text().splitlines()
    changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert changed == [('   "value": 0.5,', '   "value": 0.75,')]


def test_claims_of_other_tests_stay_and_those_of_tests_that_ran_are_replaced(path):
    written(path, claim("a"), claim("a", "gone"), claim("b"))
    baseline = written(path, claim("a", value=0.9), ran=["a"])
    assert [(one["test"], one["claim"][:4], one["value"]) for one in baseline["claims"]] == [
        ("a", "L0H0", 0.9),
        ("b", "L0H0", 0.5),
    ]


def test_a_test_that_did_not_come_to_its_end_loses_nothing(path):
    written(path, claim("a"), claim("a", "later"))
    baseline = written(path, claim("a", value=0.9))
    assert [(one["claim"][:4], one["value"]) for one in baseline["claims"]] == [
        ("L0H0", 0.9),
        ("late", 0.5),
    ]


def test_contexts_that_nothing_was_measured_on_are_dropped(path):
    written(path, claim(context="old"), contexts={"old": CONTEXT})
    baseline = written(path, claim())
    assert list(baseline["contexts"]) == ["here"]


def test_several_may_write_at_once(path):
    threads = [
        threading.Thread(target=written, args=(path, claim(f"test_{number:02}")))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_baseline(path)["claims"]) == 20
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]


def broken(path, change):
    written(path, claim())
    text = change(path.read_text())
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def changed(**fields):
    return lambda text: json.dumps(json.loads(text) | fields)


def of_claim(**fields):
    def change(text):
        content = json.loads(text)
        content["claims"][0] |= fields
        return json.dumps(content)

    return change


def of_side(**fields):
    def change(text):
        content = json.loads(text)
        content["claims"][0]["left"] |= fields
        return json.dumps(content)

    return change


BAD = {
    "cut in half": (lambda text: text[: len(text) // 2], "may have been cut"),
    "another version": (changed(version=VERSION + 1), f"reads version {VERSION}"),
    "another format": (changed(format="headtests-record"), "is not a baseline"),
    "no claims": (changed(claims=None), "claims should be a list, not None"),
    "a claim without a field": (changed(claims=[{"test": "x"}]), r"claims\[0\]\.claim is missing"),
    "a context that is not there": (changed(contexts={}), "which is not in contexts"),
    "half a context": (changed(contexts={"here": {}}), r"contexts\.here\.model is missing"),
    "a context that is a list": (of_claim(context=[1]), r"claims\[0\]\.context should be text"),
    "a test that is none": (of_claim(test=None), r"claims\[0\]\.test should be text"),
    "no left side": (of_claim(left=None), r"claims\[0\]\.left should be an object"),
    "a right side that is empty": (of_claim(right={}), r"right\.expression is missing"),
    "a value that is no number": (of_claim(value=float("nan")), "should be a finite number"),
    "a number that is a text": (of_claim(number="0"), "number should be a whole number"),
    "a rate that is a text": (of_side(base_rate="x"), r"left\.base_rate should be"),
    "a rate below 0": (of_side(base_rate=-1), "base_rate should be over 0"),
    "figures that are none": (of_side(numerators=None), r"left\.numerators should be text"),
    "versions that are none": (
        lambda text: text.replace('"versions": {', '"versions": null, "x": {'),
        "versions should be an object",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_clear_error(path, name):
    change, said = BAD[name]
    broken(path, change)
    with pytest.raises(BaselineError, match=said) as raised:
        read_baseline(path)
    assert str(path) in str(raised.value)
    assert "ecord" in str(raised.value) or "release" in str(raised.value)


@pytest.mark.parametrize("name", BAD)
def test_recording_leaves_a_bad_file_alone(path, name):
    broken(path, BAD[name][0])
    before = path.read_bytes()
    with pytest.raises(BaselineError):
        written(path, claim("new"))
    assert path.read_bytes() == before


def test_claims_of_tests_that_are_no_more_are_dropped_where_all_tests_are_known(path):
    written(path, claim("a"), claim("b"), claim("c"))
    baseline = update_baselines(path, [claim("a")], {"here": CONTEXT}, ["a"], ["a", "b"])
    assert [one["test"] for one in baseline["claims"]] == ["a", "b"]


def test_a_folder_that_cannot_be_written_is_an_error_of_the_system(tmp_path):
    (tmp_path / "baselines").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="baselines"):
        written(tmp_path / "baselines" / "test_it.json", claim())
