"""`headtests report` does what `python -m headtests.report` does."""

import pytest

from headtests.records import write_record
from headtests.report import render_html
from tests.report import sample


@pytest.fixture
def written(tmp_path):
    write_record(sample.record(), tmp_path / "run.json")
    return tmp_path / "run.json"


def test_one_record_is_drawn(run, written):
    assert run("report", str(written)) == (0, [str(written.with_suffix(".html"))], [])
    assert written.with_suffix(".html").read_text("utf-8") == render_html(sample.record())


def test_a_record_is_drawn_elsewhere(run, written, tmp_path):
    out = tmp_path / "other" / "page.html"
    assert run("report", str(written), "--out", str(out)) == (0, [str(out)], [])
    assert out.exists()


def test_two_records_are_compared(run, written):
    code, said, errors = run("report", str(written), str(written))
    assert (code, errors) == (0, [])
    assert "6 claims before, 6 after: 6 unchanged" in "\n".join(said)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("RUN", "RUN", "RUN"), "3 records were given"),
        (("--markdown", "RUN"), "--markdown is for a comparison"),
        (("nowhere.json",), "cannot read nowhere.json"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(run, written, more, said):
    code, out, errors = run("report", *(str(written) if one == "RUN" else one for one in more))
    assert (code, out, len(errors)) == (2, [], 1)
    assert said in errors[0]
