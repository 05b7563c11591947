"""What the terminal says at the end of a run: a line a claim, and what was run."""

import re

import pytest

from headtests.demo import MODEL_FOLDER
from tests.plugin.conftest import TOKENS

TESTS = """
@pytest.mark.heads("L0H1", "L0H2")
def test_both(heads):
    weak, strong = heads
    assert weak.mass(ht.previous, when=query.repeats) <= strong.mass(
        ht.previous, when=query.repeats
    )
    assert strong.mass(ht.previous) >= 3 * weak.mass(ht.previous)
    assert strong.ranked_multiples(20).fraction(ht.previous) >= 0.5
    assert strong.mass(ht.previous | ht.current | ht.induction | ht.duplicate | ht.first) >= 0.5

@pytest.mark.head("L0H2")
def test_denied(head):
    assert not (head.mass(ht.previous) <= 0.1)

@pytest.mark.head("L0H2", "L0H1")
def test_one_example(head):
    pattern = head.pattern("the cat sat")
    looks_back = [pattern.top_key(1), pattern.top_key(2)] == [0, 1]
    assert looks_back == (str(head.name) == "L0H2")
"""


INTERVAL = r"\[\S+, \S+\]|exact|"


def columns(line):
    """Return verdict, outcome, what was measured, interval, documents and rows."""
    found = (
        rf"(\S+) +(\S+) +(\S+ \S+ \S+)(?: +-?[\d.e-]+)? +({INTERVAL}) +([\d,]+(?: pairs)?)"
        r"(?: +([\d,]+))?(?: +\S.*)?"
    )
    return re.fullmatch(found, line).groups()


def test_there_is_one_line_a_claim_under_headings(run_claims, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    shown = run_claims(TESTS).section("claims")
    assert re.fullmatch(r"verdict test +measured +after +interval +docs +rows  claim", shown[0])
    lines = [line.split("  ")[-1] for line in shown[1:6]]
    assert lines[0] == "L0H1 vs L0H2.mass(ht.previous, when=query.repeats)"
    assert lines[1] == "L0H2.mass(ht.previous) vs 3 * L0H1.mass(ht.previous)"
    assert lines[4] == "L0H2.mass(ht.previous)"
    assert shown[6] == "Of two statistics, interval and after are those of their difference."
    assert shown[7].startswith("Reading stops where a claim is decided")
    assert shown[8] == "passed without a claim: test_inside.py::test_one_example[L0H2] and 1 more"
    assert shown[9] == "5 claims: 4 held, 1 refuted"


def test_where_a_claim_does_not_fit_it_stands_below_its_figures(run_claims):
    shown = run_claims(TESTS).section("claims")
    assert re.fullmatch(r"verdict test +measured +after +interval +docs +rows claim", shown[0])
    lines = [columns(line) for line in shown[1:11:2]]
    assert [line[0] for line in lines] == ["holds"] * 4 + ["refuted"]
    assert [line[1] for line in lines] == ["passed"] * 5
    assert re.fullmatch(r"0\.1\d+ <= 0\.98\d", lines[0][2])
    # The bound is the product, and the claim says of what.
    assert re.fullmatch(r"0\.98\d >= 0\.\d+", lines[1][2])
    assert re.fullmatch(r"[\d.]+ >= 0\.5", lines[2][2])
    assert lines[2][3:] == ("", "20 pairs", None)
    assert all(line[5] for line in (*lines[:2], *lines[3:]))
    assert shown[2] == "  L0H1 vs L0H2.mass(ht.previous, when=query.repeats)"
    assert shown[10] == "  L0H2.mass(ht.previous)"
    assert shown[11] == "Of two statistics, interval and after are those of their difference."


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 60, 120, 200])
def test_no_line_of_it_is_wider_than_the_terminal(run_claims, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = run_claims(TESTS).section("claims")
    claims = shown[: shown.index("5 claims: 4 held, 1 refuted") - 1]
    assert max(map(len, claims)) <= columns
    # What does not fit is cut, and says so.
    assert any(line.endswith("...") for line in claims) == (columns == 60)


def test_it_counts_tokens_and_names_the_report(run_claims):
    shown = run_claims(TESTS).section("claims")
    assert shown[-3:] == [
        "demo over all 8 documents of repeated-random (period 6, repeats 2, seed 0)",
        f"  8 documents, {TOKENS} tokens run on cpu, 0 of them twice",
        "report: reports/headtests.html (record: reports/headtests.json)",
    ]


def test_a_budget_that_cuts_the_documents_is_said(run_claims):
    run = run_claims(TESTS, "--headtests-max-documents=3")
    said = "demo over 3 of all 8 documents of repeated-random (period 6, repeats 2, seed 0)"
    assert said in run.section("claims")


def test_figures_that_are_close_are_told_apart(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L0H2")
def test_it(head):
    value = head.mass(ht.previous).value
    assert head.mass(ht.previous) >= value - 1e-5
"""
    )
    found, threshold = re.search(r"passed (\S+) >= (\S+) ", run.text).groups()
    assert float(found) > float(threshold)
    assert len(threshold) < 8


def test_the_rate_of_false_decisions_is_that_of_the_claims_on_documents(run_claims):
    run = run_claims(TESTS, "--headtests-alpha=0.01")
    # Figures of pairs are compared exactly.
    said = "rate of false decisions of this run: at most 0.04 (4 claims, 0.01 each)"
    assert said in run.section("claims")


def test_without_such_a_claim_there_is_no_rate(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L0H2")
def test_it(head):
    assert head.ranked_multiples(20).fraction(ht.previous) >= 0.5
"""
    )
    assert "1 claim: 1 held" in run.section("claims")
    assert "rate of false decisions" not in run.text


def test_a_claim_whose_figure_was_read_first_is_not_covered(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L0H2")
def test_it(head):
    mass = head.mass(ht.previous)
    assert mass.value >= 0.1
    assert mass >= 0.1
    assert head.mass(ht.current) <= 0.9
"""
    )
    shown = run.section("claims")
    start = shown.index("rate of false decisions of this run: at most 0.002 (2 claims, 0.001 each)")
    assert shown[start + 1].startswith("  The statistic of 1 claim was read before")
    assert "no choice among heads or" in " ".join(shown[start + 1 : start + 4])


def test_a_threshold_is_shown_as_it_was_written(run_claims, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    run = run_claims(
        """
@pytest.mark.head("L0H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.12345
    assert head.lift(ht.previous) >= 2
"""
    )
    measured = [columns(line)[2].split()[2] for line in run.section("claims")[1:3]]
    assert measured == ["0.12345", "2"]


def test_notes_on_the_corpus_are_shown_and_long_lines_wrapped(run_claims, pytester):
    (pytester.path / "texts.jsonl").write_text('{"text": "The cat sat."}\n{"text": ""}\n')
    model = "./" + "a" * 65 + "/model"
    (pytester.path / model).parent.mkdir()
    (pytester.path / model).symlink_to(MODEL_FOLDER)
    run = run_claims(
        f"""
pytestmark = [pytest.mark.corpus("texts.jsonl"), pytest.mark.model("{model}")]

@pytest.mark.head("L0H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1
"""
    )
    shown = run.section("claims")
    assert "  Empty or missing texts left out: 1." in shown
    # Long lines go on below; what is a path stays whole, to be copied.
    start = next(n for n, line in enumerate(shown) if line.startswith(model))
    assert shown[start : start + 2] == [f"{model} over", "  all 1 document of texts.jsonl"]


def test_one_claim_is_no_claims(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L0H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1
"""
    )
    assert "1 claim: 1 held" in run.section("claims")


@pytest.mark.slow
def test_q_leaves_it_and_qq_drops_it(run_claims):
    assert "1 refuted" in run_claims(TESTS, "-q").text
    quiet = run_claims(TESTS, "-qq")
    assert "refuted" not in quiet.text
    assert "report:" not in quiet.text


def test_the_section_stands_right_below_its_title(run_claims):
    assert run_claims(TESTS).section("claims")[0].startswith("verdict")
