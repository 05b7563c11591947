"""Claims about prompts in a run: the failure message, the record, the terminal, JUnit, xfail."""

import ast
import re

import pytest

BROKEN = """
from headtests import prompts

RUNS = prompts.repeated(period=(2, 8), repeats=1)

@pytest.mark.head("L0H2")
def test_broken(head):
    assert head.withstands(ht.previous, mass=0.95, prompts=RUNS)
"""
WITHSTOOD = BROKEN.replace("0.95", "0.2").replace("test_broken", "test_withstood")
OFF = ("-o", "headtests_explain=none", "-p", "no:cacheprovider")
FEW = "--headtests-search-prompts=128"


@pytest.fixture
def run(run_claims):
    """Return a function from tests and options to a run of few prompts, with no explanations."""
    return lambda tests, *arguments, **options: run_claims(
        tests, *OFF, FEW, "-o", "headtests_counterexamples=none", *arguments, **options
    )


@pytest.mark.slow
def test_a_claim_that_a_prompt_breaks_fails_with_a_line_to_paste(run):
    ran = run(BROKEN)
    assert ran.outcomes == {"failed": 1}
    message = ran.section("test_broken[L0H2]")
    (replay,) = [line for line in message if "replay: " in line]
    pasted = replay.partition("replay: ")[2]
    assert pasted.startswith("assert head.withstands(ht.previous, mass=0.95, prompts=[[0, ")
    assert any("refuted by a prompt of" in line for line in message)
    # Pasted in place of the claim, it fails in the same way.
    test = BROKEN.replace("assert head.withstands(ht.previous, mass=0.95, prompts=RUNS)", pasted)
    again = run(test)
    assert again.outcomes == {"failed": 1}
    (one,), (other,) = ran.record["searches"], again.record["searches"]
    assert one["breaking"]["ids"] == other["breaking"]["ids"]
    assert one["breaking"]["value"] == other["breaking"]["value"]


def test_a_claim_that_no_prompt_breaks_passes_and_states_its_effort(run):
    ran = run(WITHSTOOD)
    assert ran.outcomes == {"passed": 1}
    shown = " ".join(" ".join(ran.section("claims")).split())
    assert re.search(
        r"prompts=prompts\.repeated\(period=\(2, 8\), repeats=1\)\): no violation", shown
    )
    assert re.search(r"no violation in 128 prompts; worst margin 0\.\d+", shown)
    assert "proof" not in shown.replace("no proof", "")


def test_the_record_has_the_search_and_no_claim(run):
    ran = run(BROKEN)
    record = ran.record
    assert record["claims"] == record["unmeasured"] == []
    assert record["false_decisions"] == 0
    (search,) = record["searches"]
    assert (search["head"], search["outcome"]) == ("L0H2", "failed")
    assert search["session"] == record["sessions"][0]["key"]
    breaking = search["breaking"]
    row = breaking["row"]
    assert breaking["value"] < 0.95
    assert breaking["margin"] == pytest.approx(breaking["value"] - 0.95)
    assert len(row["tokens"]) == len(row["pattern"]) == len(breaking["ids"])
    # What was claimed of the row is what its attention on the claimed keys comes to.
    assert row["claimed"] == [row["query"] - 1]
    attention = sum(row["pattern"][key] for key in row["claimed"])
    assert attention == pytest.approx(breaking["value"], abs=1e-5)
    assert ast.parse(breaking["replay"])


@pytest.mark.slow
def test_the_documents_are_not_run(run):
    (session,) = run(BROKEN).record["sessions"]
    assert (session["documents_run"], session["tokens_run"]) == (0, 0)


def test_the_page_shows_it(run):
    ran = run(BROKEN)
    page = (ran.folder / "reports/headtests.html").read_text(encoding="utf-8")
    assert "Searched prompts" in page
    assert "The row that breaks it most" in page


def test_junit_says_what_was_found(run):
    ran = run(WITHSTOOD, "--junitxml=junit.xml")
    text = (ran.folder / "junit.xml").read_text(encoding="utf-8")
    assert '<property name="head" value="L0H2"' in text
    assert re.search(r'name="search" value="no violation in 128 prompts; worst margin', text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("test", "outcome", "word"), [(BROKEN, "xfailed", "xfailed"), (WITHSTOOD, "failed", "failed")]
)
def test_xfail_excuses_a_broken_claim_and_strict_minds_one_that_withstands(
    run, test, outcome, word
):
    marked = test.replace("def test_", "@pytest.mark.xfail(strict=True, reason='so')\ndef test_")
    ran = run(marked)
    assert ran.outcomes == {outcome: 1}
    (search,) = ran.record["searches"]
    assert (search["outcome"], search["reason"]) == (word, "so" if word == "xfailed" else "")


@pytest.mark.slow
def test_a_claim_that_is_named_first_is_excused_as_well(run):
    named = BROKEN.replace(
        "    assert head.withstands(ht.previous, mass=0.95, prompts=RUNS)",
        "    claim = head.withstands(ht.previous, mass=0.95, prompts=RUNS)\n"
        "    found = bool(claim)\n"
        "    assert found, claim",
    ).replace("def test_", "@pytest.mark.xfail(strict=True)\ndef test_")
    assert run(named).outcomes == {"xfailed": 1}


@pytest.mark.slow
def test_claims_about_documents_and_about_prompts_stand_in_one_test(run):
    both = BROKEN.replace(
        "    assert head.w", "    assert head.mass(ht.previous) >= 0.5\n    assert head.w"
    )
    ran = run(both)
    assert [claim["outcome"] for claim in ran.record["claims"]] == ["failed"]
    assert [search["outcome"] for search in ran.record["searches"]] == ["failed"]


@pytest.mark.slow
def test_a_prompt_that_the_model_cannot_read_is_an_error_of_its_test(run):
    long = BROKEN.replace("period=(2, 8)", "period=5000")
    ran = run(long)
    assert ran.outcomes == {"failed": 1}
    assert "ClaimError: the prompt has 5001 tokens and demo reads" in ran.text
    assert ran.record["searches"] == []


@pytest.mark.parametrize("value", ["0", "many", "-3"])
def test_a_number_of_prompts_that_is_none_is_refused(run_claims, value):
    ran = run_claims(BROKEN, f"--headtests-search-prompts={value}")
    assert ran.exit_code == 4
    assert "--headtests-search-prompts is" in ran.result.stderr.str()


def test_the_job_summary_counts_them(run, monkeypatch, tmp_path):
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    run(BROKEN)
    said = summary.read_text(encoding="utf-8")
    assert "**Broken by a prompt: 1 of 1 searched claim** (finding none is no proof):" in said
