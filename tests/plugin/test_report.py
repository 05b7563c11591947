"""The report that a run writes: where, and what is in its record."""

import pytest

from headtests.records import read_record
from tests.plugin.conftest import LINES, TOKENS

TESTS = """
@pytest.mark.head("L0H2", "L1H2")
def test_previous(head):
    assert head.mass(ht.previous) >= 0.1

@pytest.mark.xfail(strict=True, reason="looks elsewhere")
@pytest.mark.head("L0H1")
def test_known(head):
    assert head.mass(
        ht.previous
    ) >= 0.9
"""


def test_both_files_stand_below_the_rootdir(run_claims):
    run = run_claims(TESTS)
    folder = run.folder / "reports"
    assert {file.name for file in folder.iterdir()} == {"headtests.html", "headtests.json"}
    assert "report: reports/headtests.html (record: reports/headtests.json)" in run.lines


def test_they_stand_there_from_another_folder_too(run_claims, pytester, monkeypatch):
    run_claims("", ini="addopts =")
    (pytester.path / "below").mkdir()
    monkeypatch.chdir(pytester.path / "below")
    run = run_claims(TESTS, "..")
    html = pytester.path / "reports" / "headtests.html"
    assert html.is_file()
    assert f"report: {html} " in run.text


def test_the_folder_may_be_chosen(run_claims, pytester):
    run = run_claims(TESTS, "--headtests-report=out/deep")
    assert (pytester.path / "out" / "deep" / "headtests.html").is_file()
    assert not (pytester.path / "reports").exists()
    assert "report: out/deep/headtests.html (record: out/deep/headtests.json)" in run.lines


def test_none_writes_none_and_measures_nothing_for_it(run_claims, pytester, monkeypatch):
    from headtests.sessions.recording import claim_records

    monkeypatch.setattr(claim_records, "head_records", None)
    run = run_claims(TESTS, "--headtests-report=none")
    assert run.outcomes == {"passed": 1, "failed": 1, "xfailed": 1}
    assert not (pytester.path / "reports").exists()
    assert not any(line.startswith("report:") for line in run.lines)
    assert "3 claims: 1 held, 2 refuted" in run.lines


def test_a_folder_that_cannot_be_written_is_said_in_one_line(run_claims, pytester):
    (pytester.path / "reports").write_text("in the way")
    run = run_claims(TESTS)
    assert run.outcomes == {"passed": 1, "failed": 1, "xfailed": 1}
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED
    (line,) = (line for line in run.lines if "could not be written" in line)
    assert line == f"the report could not be written to {pytester.path}/reports: File exists"
    assert not any(line.startswith("report:") for line in run.lines)


def test_a_report_that_cannot_be_written_is_no_success(run_claims, pytester):
    (pytester.path / "reports").write_text("in the way")
    run = run_claims(TESTS, "-k", "L0H2")
    assert run.outcomes == {"passed": 1, "deselected": 2}
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED
    assert "the report could not be written to" in run.text
    assert "holds" in run.text


def test_the_record_holds_every_claim_with_verdict_and_outcome(run_claims, pytester):
    run_claims(TESTS)
    record = read_record(pytester.path / "reports" / "headtests.json")
    assert [
        (claim["test"], claim["verdict"], claim["outcome"], claim["reason"])
        for claim in record["claims"]
    ] == [
        ("test_inside.py::test_previous[L0H2]", "holds", "passed", ""),
        ("test_inside.py::test_previous[L1H2]", "refuted", "failed", ""),
        ("test_inside.py::test_known[L0H1]", "refuted", "xfailed", "looks elsewhere"),
    ]
    assert record["complete"]
    assert record["incomplete_reason"] == ""
    assert record["unmeasured"] == []


def test_a_claim_names_its_source_and_line(run_claims):
    first, _, known = run_claims(TESTS).record["claims"]
    assert (first["file"], first["line"]) == ("test_inside.py", LINES + 4)
    assert first["source"] == "assert head.mass(ht.previous) >= 0.1"
    assert (known["file"], known["line"]) == ("test_inside.py", LINES + 9)
    assert known["source"] == "assert head.mass(\n    ht.previous\n) >= 0.9"


def test_inside_refer_to_heads_and_sessions_of_the_record(run_claims):
    record = run_claims(TESTS).record
    heads = {head["key"]: head["name"] for head in record["heads"]}
    (session,) = record["sessions"]
    assert sorted(heads.values()) == ["L0H1", "L0H2", "L1H2"]
    assert all(set(claim["heads"]) <= set(heads) for claim in record["claims"])
    assert {claim["session"] for claim in record["claims"]} == {session["key"]}
    assert len({claim["id"] for claim in record["claims"]}) == 3
    assert (session["tokens_run"], session["tokens_run_twice"]) == (TOKENS, 0)


def test_the_page_shows_every_claim(run_claims):
    run = run_claims(TESTS)
    page = (run.folder / "reports" / "headtests.html").read_text(encoding="utf-8")
    for claim in run.record["claims"]:
        assert claim["id"] in page
        assert claim["sentence"].replace("'", "&#39;") in page


def test_multiples_that_cannot_be_read_again_are_said_and_missing(run_claims, monkeypatch):
    from headtests.errors import ModelError
    from headtests.sessions.recording import claim_records

    def head_records(session, wanted, besides):
        raise ModelError("out of memory.")

    monkeypatch.setattr(claim_records, "head_records", head_records)
    run = run_claims(TESTS, "-k", "L0H2")
    assert run.exit_code == pytest.ExitCode.OK
    assert "the multiples of L0H2 are missing: out of memory." in run.lines
    assert run.record["heads"] == []
    assert len(run.record["claims"]) == 1


def test_multiples_are_of_as_many_documents_as_the_heads_claims_needed(run_claims, monkeypatch):
    from headtests.sessions.recording import claim_records

    asked = {}

    def head_records(session, wanted, besides):
        asked.update({str(head): documents for head, _, documents in wanted})
        return [{"key": f"{head}", "documents": documents} for head, _, documents in wanted]

    monkeypatch.setattr(claim_records, "head_records", head_records)
    run_claims(
        """
@pytest.mark.heads("L0H2", "L0H1", "L1H2", "L0H3")
def test_it(heads):
    strong, weak, ranked, unasked = heads
    assert strong.mass(ht.previous) >= 0.1
    assert weak.mass(ht.previous) >= 0.158
    assert weak.mass(ht.previous) >= 0.01
    assert strong.mass(ht.previous) >= 0.3
    assert ranked.ranked_multiples(5).fraction(ht.previous) >= 0
""",
        "--headtests-report=reports",
    )
    assert list(asked) == ["L0H2", "L0H1", "L1H2"]
    # A share of 0.3 of 8 documents takes 3 of them; one as close as that, or pairs, takes all.
    assert asked == {"L0H2": 3, "L0H1": 8, "L1H2": 8}


def test_the_record_says_how_sure_the_run_is(run_claims):
    record = run_claims(TESTS, "--headtests-alpha=0.01").record
    assert {claim["alpha"] for claim in record["claims"]} == {0.01}
    assert record["false_decisions"] == pytest.approx(0.03)


@pytest.mark.slow
def test_a_later_run_takes_the_place_of_an_earlier_one(run_claims, pytester):
    run_claims(TESTS)
    run_claims(TESTS, "-k", "test_known")
    record = read_record(pytester.path / "reports" / "headtests.json")
    assert [claim["outcome"] for claim in record["claims"]] == ["xfailed"]


@pytest.mark.slow
def test_a_run_that_never_began_leaves_the_report_alone(run_claims, pytester):
    run_claims(TESTS)
    before = (pytester.path / "reports" / "headtests.json").read_text()
    pytester.makepyfile(test_broken="import nothing_of_this_name")
    run = run_claims(TESTS)
    assert run.exit_code == pytest.ExitCode.INTERRUPTED
    assert (pytester.path / "reports" / "headtests.json").read_text() == before


def test_collecting_alone_writes_none(run_claims, pytester):
    run_claims(TESTS, "--collect-only")
    assert not (pytester.path / "reports").exists()
