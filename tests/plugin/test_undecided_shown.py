"""How the terminal shows an undecided test, and what it is told to leave out."""

import pytest

from tests.plugin.conftest import FEW, LINES

OPEN = """
@pytest.mark.head("L0H1")
def test_open(head):
    print("said in the test")
    assert head.mass(ht.previous) >= 0.158
"""
SKIP = "--headtests-undecided=skip"
SUMMARY = "short test summary info"
BOTH = pytest.mark.parametrize("arguments", [(), (SKIP, "-rs")], ids=["fail", "skip"])


@BOTH
def test_it_has_a_letter_of_its_own(run_claims, arguments):
    run = run_claims(OPEN, FEW, *arguments)
    assert any(line.startswith("test_inside.py U ") for line in run.lines)


@BOTH
def test_it_has_a_word_of_its_own(run_claims, arguments):
    run = run_claims(OPEN, FEW, "-v", *arguments)
    assert any("::test_open[L0H1] UNDECIDED " in line for line in run.lines)


def test_its_message_stands_in_a_section_of_its_own(run_claims):
    run = run_claims(OPEN, FEW)
    assert run.sections[-4:-1] == ["UNDECIDED", "claims", SUMMARY]
    assert "FAILURES" not in run.sections
    shown = run.section("test_open[L0H1]")
    assert shown[0] == f"test_inside.py:{LINES + 5}: in test_open"
    assert shown[1].strip() == "assert head.mass(ht.previous) >= 0.158"
    assert shown[2].endswith("undecided: L0H1.mass(ht.previous) >= 0.158")
    assert "over 4 of 8 documents (44 rows)" in shown[3]
    assert any(
        "eligible documents more (median; quartiles 4 and 4) would decide it" in line
        for line in shown
    )
    assert shown[-2:] == [" Captured stdout call ".center(80, "-"), "said in the test"]
    assert "comparisons.py" not in run.text


@pytest.mark.slow
def test_a_skipped_ones_message_is_plain(run_claims):
    shown = run_claims(OPEN, FEW, SKIP).section("test_open[L0H1]")
    assert shown[0] == "undecided: L0H1.mass(ht.previous) >= 0.158"
    assert shown[-1] == "said in the test"


@pytest.mark.slow
@BOTH
def test_it_has_a_line_in_the_short_summary(run_claims, arguments):
    run = run_claims(OPEN, FEW, *arguments)
    assert run.section(SUMMARY)[-1] == (
        "UNDECIDED test_inside.py::test_open[L0H1] - L0H1.mass(ht.previous) >= 0.158"
    )


def test_that_line_stands_below_those_of_failures(run_claims):
    run = run_claims(OPEN + "\ndef test_beside_it():\n    assert False\n", FEW)
    assert run.sections.count(SUMMARY) == 1
    words = [line.split()[0] for line in run.section(SUMMARY)]
    assert words == ["FAILED", "UNDECIDED"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("-rN",), False),
        (("-rs",), False),
        (("-rf",), True),
        (("-ra",), True),
        ((SKIP,), False),
        ((SKIP, "-rs"), True),
        (("--no-summary",), False),
    ],
    ids=str,
)
def test_r_asks_for_that_line(run_claims, arguments, shown):
    run = run_claims(OPEN, FEW, *arguments)
    assert any(line.startswith("UNDECIDED test_inside") for line in run.lines) == shown
    assert (SUMMARY in run.sections) == shown


@pytest.mark.slow
def test_that_line_fits_the_terminal_but_on_ci(run_claims, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    cut = "UNDECIDED test_inside.py::test_open[L0H1] - L0H1.mass(ht...."
    assert run_claims(OPEN, FEW).section(SUMMARY) == [cut]
    monkeypatch.setenv("CI", "true")
    whole = "UNDECIDED test_inside.py::test_open[L0H1] - L0H1.mass(ht.previous) >= 0.158"
    assert run_claims(OPEN, FEW).section(SUMMARY) == [whole]
    assert run_claims(OPEN, FEW, "--force-short-summary").section(SUMMARY) == [cut]


@pytest.mark.slow
def test_that_line_names_the_file_from_where_pytest_was_called(run_claims, pytester, monkeypatch):
    run_claims("", ini="addopts =")
    (pytester.path / "below").mkdir()
    monkeypatch.chdir(pytester.path / "below")
    (line,) = run_claims(OPEN, FEW, "..").section(SUMMARY)
    assert line.startswith("UNDECIDED ../test_inside.py::test_open[L0H1]")


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("--tb=no",), ("--no-summary",)], ids=" ".join)
def test_its_message_may_be_left_out(run_claims, arguments):
    run = run_claims(OPEN, FEW, *arguments)
    assert "UNDECIDED" not in run.sections
    assert "claims" in run.sections
    assert "eligible documents more" not in run.text
    assert run.outcomes == {"undecided": 1}


def test_its_message_may_be_one_line(run_claims):
    run = run_claims(OPEN, FEW, "--tb=line")
    (line,) = run.section("UNDECIDED")
    assert line.endswith(f"test_inside.py:{LINES + 5}: undecided: L0H1.mass(ht.previous) >= 0.158")


@pytest.mark.slow
@pytest.mark.parametrize("style", ["long", "short"])
def test_every_style_of_traceback_is_without_our_frames(run_claims, style):
    run = run_claims(OPEN, FEW, f"--tb={style}")
    assert "over 4 of 8 documents" in run.text
    assert "comparisons.py" not in run.text


@pytest.mark.parametrize("shown", ["no", "stderr"])
def test_what_it_printed_may_be_left_out(run_claims, shown):
    run = run_claims(OPEN, FEW, f"--show-capture={shown}")
    assert "said in the test" not in run.text


def test_q_leaves_it_and_qq_keeps_the_message(run_claims):
    quiet = run_claims(OPEN, FEW, "-q")
    assert {"UNDECIDED", "claims"} <= set(quiet.sections)
    assert any(line.startswith("1 undecided in ") for line in quiet.lines)
    quieter = run_claims(OPEN, FEW, "-qq")
    assert "UNDECIDED" in quieter.sections
    assert "claims" not in quieter.sections


def test_all_of_it_is_yellow(run_claims):
    run = run_claims(OPEN, FEW, "--color=yes", "--code-highlight=no")
    yellow = "\x1b[33m"
    assert f"test_inside.py {yellow}U\x1b[0m" in run.text
    assert f"{yellow}UNDECIDED\x1b[0m test_inside.py::\x1b[1mtest_open[L0H1]\x1b[0m" in run.text
    assert f"undecided {yellow}undecided\x1b[0m" in run.text
    assert f"{yellow}\x1b[1m1 undecided" in run.text
    assert "\x1b[31mF" not in run.text


def test_each_claim_that_is_open_says_how_many_documents_more(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L0H1")
@pytest.mark.parametrize("number", [1, 2])
def test_it(head, number):
    assert head.mass(ht.previous) >= 0.158
""",
        FEW,
    )
    shown = run.section("claims")
    start = shown.index("2 claims: 2 undecided")
    # The same claim of two tests is said once.
    assert shown[start + 1] == (
        "  undecided: L0H1.mass(ht.previous) >= 0.158: about 4 documents more (median;"
    )
    assert shown[start + 2] == "  quartiles 4 and 4)"
    assert shown[start + 3].startswith("rate of false decisions")
