"""`headtests record --show`: a record, or a file of baselines, as lines."""

from pathlib import Path

import pytest

from headtests.records import write_record
from tests.report import sample


@pytest.fixture
def shown(run, tmp_path):
    """Return a function from a record to what is printed of it."""

    def show(record):
        write_record(record, tmp_path / "run.json")
        code, said, errors = run("record", "--show", str(tmp_path / "run.json"))
        assert (code, errors) == (0, [])
        return said

    return show


def test_each_claim_is_a_line(shown):
    said = shown(sample.record())
    assert said[0].split() == [
        *("verdict", "test", "measured", "after", "the", "stop", "interval", "documents", "claim")
    ]
    words = "refuted xfailed 0.12 \u2265 0.40 0.113 0.09 to 0.16 64 of 217"
    assert said[1].split() == [*words.split(), "L1H3.mass(ht.induction)", ">=", "0.4"]
    claims = [line for line in said if line.startswith(("holds", "refuted", "undecided"))]
    assert len(claims) == 6


def test_what_was_run_is_said_in_brief(shown):
    said = shown(sample.record())
    assert "headtests/demo over the first 253 documents of demo" in said
    ending = f"weights {'9f' * 8}, token ids {'ab' * 8}, seed 7"
    assert any(line.endswith(ending) for line in said)
    assert any(line.startswith("headtests 0.1.0") for line in said)


def test_tests_without_a_claim_and_the_end_of_an_incomplete_run_are_told(shown):
    unmeasured = [{"test": "t.py::test", "outcome": "error", "message": "no model\nat all"}]
    said = shown(
        sample.record(
            claims=[], unmeasured=unmeasured, complete=False, incomplete_reason="interrupted"
        )
    )
    assert said[:3] == [
        "no claim: t.py::test (error): no model",
        "0 claims",
        "incomplete: interrupted",
    ]


def test_whatever_a_record_holds_nothing_reaches_the_terminal_but_text(shown):
    said = "\n".join(shown(sample.hostile_record()))
    assert not any(character in said for character in "\x00\x07\x1b\x7f\u202e\ufeff")


BASELINE = Path(__file__).parent.parent / "plugin/recorded/test_demo.json"


def test_of_baselines_each_claim_and_what_it_was_recorded_on_are_lines(run):
    code, said, errors = run("record", "--show", str(BASELINE))
    assert (code, errors) == (0, [])
    assert said[0].split() == ["verdict", "value", "documents", "recorded", "on", "test", "claim"]
    (line,) = [line for line in said if line.endswith("  L0H1.lift(same_line) >= 1.5")]
    verdict, value, documents, *_ = line.split()
    assert (verdict, documents) == ("holds", "217")
    assert float(value) == pytest.approx(2.214, abs=5e-4)
    assert any(line.endswith(" recorded claims") for line in said)
    assert any(": demo over all 217 documents of demo" in line for line in said)


def test_a_baseline_that_is_cut_or_newer_is_one_line_and_exit_code_2(run, tmp_path):
    path = tmp_path / "test_it.json"
    text = BASELINE.read_text(encoding="utf-8")
    for content in (text[:900], text.replace('"version": 1', '"version": 99')):
        path.write_text(content, encoding="utf-8")
        code, out, errors = run("record", "--show", str(path))
        assert (code, out, len(errors)) == (2, [], 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot read"), ("{", "is not JSON"), ("{}", "is not a record")],
)
def test_what_is_no_record_is_one_line_and_exit_code_2(run, tmp_path, content, said):
    path = tmp_path / "run.json"
    if content is not None:
        path.write_text(content)
    code, out, errors = run("record", "--show", str(path))
    assert (code, out, len(errors)) == (2, [], 1)
    assert said in errors[0]
