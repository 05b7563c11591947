import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from headtests.records import VERSION, read_record, write_record
from headtests.report import render_html
from headtests.report.__main__ import main
from headtests.report.compare.runs import compare
from headtests.report.compare.text import as_markdown, as_text
from tests.report import sample


@pytest.fixture(name="written")
def _written(tmp_path: Path) -> Path:
    write_record(sample.record(), tmp_path / "run.json")
    return tmp_path / "run.json"


def fail(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def change(path: Path, *keys: str | int, to: Any) -> Path:
    content = json.loads(path.read_text())
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = to
    path.write_text(json.dumps(content))
    return path


def test_a_record_is_drawn_beside_itself(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(written)])
    page = written.with_name("run.html")
    assert capsys.readouterr() == (f"{page}\n", "")
    assert page.read_text(encoding="utf-8") == render_html(sample.record())


@pytest.mark.slow
def test_it_runs_as_a_module(written: Path, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere" / "page.html"
    command = [sys.executable, "-m", "headtests.report", str(written), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{out}\n", "")
    assert out.read_text(encoding="utf-8") == render_html(sample.record())


def test_bad_arguments_end_in_one_line(capsys: pytest.CaptureFixture[str], written: Path) -> None:
    assert "required: record" in fail(capsys)
    assert "--nothing" in fail(capsys, written, "--nothing")
    assert "is the record itself" in fail(capsys, written, "--out", written)
    assert "3 records" in fail(capsys, written, written, written)
    assert "--out" in fail(capsys, written, written, "--out", "a.html")
    assert "--markdown" in fail(capsys, written, "--markdown")


def test_two_records_are_compared(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "later.json"
    write_record(sample.record(created="later"), other)
    before = {file.name for file in tmp_path.iterdir()}
    compared, names = compare(sample.record(), read_record(other)), [str(written), str(other)]
    main(names)
    assert capsys.readouterr() == (as_text(compared, names), "")
    main([*names, "--markdown"])
    assert capsys.readouterr() == (as_markdown(compared, names), "")
    assert {file.name for file in tmp_path.iterdir()} == before


def test_the_same_record_twice_is_compared_with_itself(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(written), str(written)])
    assert "6 claims before, 6 after: 6 unchanged" in capsys.readouterr().out


@pytest.mark.slow
def test_whatever_differs_the_comparison_ends_well(written: Path, tmp_path: Path) -> None:
    other = tmp_path / "later.json"
    write_record(sample.hostile_record(), other)
    command = [sys.executable, "-m", "headtests.report", str(written), str(other)]
    done = subprocess.run(
        command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert (done.returncode, done.stderr) == (0, b"")
    # What the terminal has no characters for is escaped.
    assert b"5.70\\xd7 [4.20, inf] over 31 texts" in done.stdout


@pytest.mark.parametrize("bad_one_first", [True, False])
def test_of_two_records_either_may_be_the_bad_one(
    capsys: pytest.CaptureFixture[str], written: Path, tmp_path: Path, bad_one_first: bool
) -> None:
    bad = tmp_path / "bad.json"
    write_record(sample.record(), bad)
    change(bad, "claims", to=None)
    said = fail(capsys, *((bad, written) if bad_one_first else (written, bad)))
    assert said.startswith(f"{bad} is not a whole record of headtests: claims should be a list")


def test_a_file_that_cannot_be_read_ends_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "absent.json" in fail(capsys, tmp_path / "absent.json")
    assert "cannot read" in fail(capsys, tmp_path)
    assert "two lines.json" in fail(capsys, tmp_path / "two\nlines.json")
    assert "cannot read" in fail(capsys, ".")
    bad = tmp_path / "bad.json"
    bad.write_bytes(b"\xff\xfe")
    assert "is not JSON" in fail(capsys, bad)
    bad.write_text("[" * 100_000)
    assert "bad.json" in fail(capsys, bad)
    bad.write_text("{}")
    assert "is not a record" in fail(capsys, bad)


def test_a_file_that_cannot_be_written_ends_in_one_line(
    capsys: pytest.CaptureFixture[str], written: Path, tmp_path: Path
) -> None:
    assert "cannot write" in fail(capsys, written, "--out", tmp_path)


@pytest.mark.parametrize(
    ("keys", "to", "said"),
    [
        (("version",), VERSION + 1, "Install the release"),
        (("claims", 0, "left", "value"), "much", "claims[0].left.value should be a finite number"),
        (("claims", 0, "left", "value"), float("nan"), "claims[0].left.value should be a finite"),
        (("claims", 0, "left", "value"), True, "claims[0].left.value should be a finite number"),
        (("claims", 0, "line"), True, "claims[0].line should be a whole number"),
        (("claims", 0, "line"), 1.5, "claims[0].line should be a whole number"),
        (("claims", 0, "right"), None, "claims[0].right should be an object or a finite number"),
        (("claims", 0, "right"), {}, "claims[0].right.expression is missing"),
        (("claims", 1, "verdict"), "maybe", "claims[1].verdict should be 'holds', 'refuted' or"),
        (("claims", 1, "left", "low"), "x", "claims[1].left.low should be a finite number"),
        (("claims", 1, "left", "value"), 10**400, "claims[1].left.value should be a finite"),
        (("claims", 1, "left", "rank"), {"rank": 1}, "claims[1].left.rank.of is missing"),
        (("claims", 1, "left", "rank"), 2, "rank should be an object, not 2"),
        (("claims", 1, "difference"), [], "claims[1].difference should be an object"),
        (("claims", 1, "e_bh"), 1, "claims[1].e_bh should be true or false, not 1"),
        (("claims", 1, "more_documents"), 1.5, "more_documents should be a whole number"),
        (("false_decisions",), None, "false_decisions should be a finite number, not None"),
        (("heads",), {}, "heads should be a list"),
        (("heads", 0), [], "heads[0] should be an object"),
        (("environment",), [], "environment should be an object"),
        (("environment", "Python"), 3, "environment.Python should be text"),
        (("complete",), 1, "complete should be true or false"),
        (("heads", 0, "ranked", 1, "query"), 99, "heads[0].ranked[1]: position 99 of 11 tokens"),
        (("heads", 1, "random", 0, "key"), -1, "heads[1].random[0]: position -1 of 11 tokens"),
        (("heads", 0, "ranked", 0, "pattern"), [], "0 attention values for 11 tokens"),
    ],
)
def test_a_record_of_another_shape_ends_in_one_line(
    capsys: pytest.CaptureFixture[str], written: Path, keys: tuple[Any, ...], to: Any, said: str
) -> None:
    change(written, *keys, to=to)
    assert said in fail(capsys, written)
    assert not written.with_name("run.html").exists()


def test_a_missing_field_is_named(capsys: pytest.CaptureFixture[str], written: Path) -> None:
    content = json.loads(written.read_text())
    del content["sessions"][0]["model"]["dtype"]
    written.write_text(json.dumps(content))
    assert "sessions[0].model.dtype is missing" in fail(capsys, written)


def test_a_field_of_a_later_release_is_let_pass(
    capsys: pytest.CaptureFixture[str], written: Path
) -> None:
    change(written, "claims", 0, "mood", to="bright")
    main([str(written)])
    assert capsys.readouterr().err == ""


def test_a_hostile_record_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_record(sample.hostile_record(), tmp_path / "run.json")
    main([str(tmp_path / "run.json")])
    assert capsys.readouterr().err == ""
