"""Baselines in a run: recorded with a flag, compared ever after, and what becomes of drift."""

import json

import pytest

from tests.plugin.conftest import HEADER

CLAIMS = """
@pytest.mark.head("L0H2", "L0H3")
def test_previous(head):
    assert head.mass(ht.previous) >= 0.01

@pytest.mark.head("L1H0")
def test_refuted(head):
    assert head.mass(ht.previous) >= 0.9
    assert head.mass(ht.current) >= 0.9
"""
OFF = ("-o", "headtests_explain=none", "-p", "no:cacheprovider")
RECORD = ("--headtests-record", *OFF)


@pytest.fixture
def run(run_claims):
    """Return a function from tests and options to a run, with no explanations."""
    return lambda tests=CLAIMS, *arguments, **options: run_claims(
        tests, *OFF, *arguments, **options
    )


def baseline(run):
    return json.loads((run.folder / "baselines" / "test_inside.json").read_text())


def change(run, factor=0.5):
    """Change what was recorded of L0H2, as if the head had changed since."""
    path = run.folder / "baselines" / "test_inside.json"
    content = json.loads(path.read_text())
    for claim in content["claims"]:
        if "L0H2" in claim["claim"]:
            claim["left"]["base_rate"] = 1 / factor
    path.write_text(json.dumps(content))


def drifts(run):
    return {
        claim["expression"]: claim["drift"] and claim["drift"]["status"]
        for claim in run.record["claims"]
    }


def test_without_a_baseline_nothing_is_compared(run):
    ran = run()
    assert set(drifts(ran).values()) == {None}
    assert not (ran.folder / "baselines").exists()
    assert "against baselines" not in ran.text


def test_recording_writes_one_small_file_beside_the_hypotheses(run):
    ran = run(CLAIMS, "--headtests-record")
    assert [(one["test"], one["claim"], one["verdict"]) for one in baseline(ran)["claims"]] == [
        ("test_previous[L0H2]", "L0H2.mass(ht.previous) >= 0.01", "holds"),
        ("test_previous[L0H3]", "L0H3.mass(ht.previous) >= 0.01", "holds"),
        ("test_refuted[L1H0]", "L1H0.mass(ht.previous) >= 0.9", "refuted"),
    ]
    assert "recorded: 3 claims in baselines/test_inside.json" in ran.lines
    (context,) = baseline(ran)["contexts"].values()
    assert context["model"] == "demo"
    assert context["corpus"] == ran.record["sessions"][0]["corpus"]["description"]


@pytest.mark.slow
def test_recording_again_changes_no_byte(run):
    first = run(CLAIMS, "--headtests-record")
    before = (first.folder / "baselines" / "test_inside.json").read_bytes()
    run(CLAIMS, "--headtests-record")
    assert (first.folder / "baselines" / "test_inside.json").read_bytes() == before


@pytest.mark.slow
def test_an_unchanged_model_is_unchanged(run):
    run(CLAIMS, "--headtests-record")
    ran = run()
    assert set(drifts(ran).values()) == {"unchanged"}
    assert "against baselines: 3 unchanged, 0 drifted" in ran.lines
    assert ran.outcomes == {"passed": 2, "failed": 1}


@pytest.mark.slow
def test_drift_is_warned_of_by_default_and_fails_nothing(run):
    change(run(CLAIMS, "--headtests-record"))
    ran = run()
    assert drifts(ran)["L0H2.mass(ht.previous) >= 0.01"] == "drifted"
    assert drifts(ran)["L0H3.mass(ht.previous) >= 0.01"] == "unchanged"
    assert ran.outcomes == {"passed": 2, "failed": 1, "warnings": 1}
    assert "against baselines: 2 unchanged, 1 drifted" in ran.lines
    assert any(line.startswith("  drifted: L0H2.mass(ht.previous)") for line in ran.lines)
    assert "DriftWarning" in ran.text


@pytest.mark.slow
def test_drift_can_fail_its_test(run):
    change(run(CLAIMS, "--headtests-record"))
    ran = run(ini="headtests_drift = fail")
    assert ran.outcomes == {"passed": 1, "failed": 2}
    assert "L0H2.mass(ht.previous) >= 0.01: drifted on the 8 recorded documents" in ran.text
    assert "arithmetic on those documents" in ran.text
    # Its claim holds as ever.
    assert ("test_previous[L0H2]", "holds", "failed") in ran.claims


@pytest.mark.slow
def test_drift_is_no_excuse_for_an_xfail(run):
    excused = CLAIMS.replace(
        "def test_previous", "@pytest.mark.xfail(strict=False)\ndef test_previous"
    )
    change(run(excused, "--headtests-record"))
    ran = run(excused, ini="headtests_drift = fail")
    assert ran.outcomes["failed"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["xfail(strict=True)", "skip"])
def test_drift_fails_what_xfail_or_a_skip_would_excuse(run, ending):
    tests = """
@pytest.mark.head("L0H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.01
    assert head.mass(ht.current) >= 0.9
"""
    if ending == "skip":
        tests = tests.replace(
            "    assert head.mass(ht.current) >= 0.9", '    pytest.skip("enough")'
        )
    else:
        tests = tests.replace("def test", f"@pytest.mark.{ending}\ndef test")
    change(run(tests, "--headtests-record"))
    assert run(tests).outcomes in ({"xfailed": 1}, {"skipped": 1})
    ran = run(tests, ini="headtests_drift = fail")
    assert ran.outcomes == {"failed": 1}
    assert "DriftError" in ran.text


@pytest.mark.slow
def test_drift_can_be_turned_off(run):
    change(run(CLAIMS, "--headtests-record"))
    ran = run(ini="headtests_drift = off")
    assert set(drifts(ran).values()) == {None}


@pytest.mark.slow
def test_the_margin_can_be_set(run):
    change(run(CLAIMS, "--headtests-record"))
    ran = run(CLAIMS, "--headtests-drift-margin=0.6")
    assert set(drifts(ran).values()) == {"unchanged"}


@pytest.mark.slow
def test_a_refuted_claim_that_drifted_stays_refuted(run):
    recorded = run(CLAIMS, "--headtests-record")
    path = recorded.folder / "baselines" / "test_inside.json"
    path.write_text(path.read_text().replace('"base_rate": null', '"base_rate": 0.5'))
    ran = run(ini="headtests_drift = fail")
    assert ("test_refuted[L1H0]", "refuted", "failed") in ran.claims
    assert "refuted:" in ran.text


@pytest.mark.slow
def test_a_dtype_that_differs_is_compared_and_told(run):
    run(CLAIMS, "--headtests-record")
    ran = run(CLAIMS, "--headtests-dtype=bfloat16")
    assert set(drifts(ran).values()) == {"unchanged"}
    assert {tuple(claim["drift"]["differs"]) for claim in ran.record["claims"]} == {
        ("dtype: float32, now bfloat16",)
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    ["documents=9, period=6", "documents=8, period=7", 'documents=8, period=6, bos="never"'],
)
def test_another_corpus_is_an_error_that_says_what_to_record(run_file, options):
    run_file(f"{HEADER}\n{CLAIMS}", *RECORD)
    other = HEADER.replace("documents=8, period=6", options)
    ran = run_file(f"{other}\n{CLAIMS}", *OFF)
    assert ran.outcomes["failed"] == 3
    assert "so it cannot be compared" in ran.text
    assert "Record test_previous[L0H2] again with --headtests-record" in ran.text


BAD = {
    "cut": lambda text: text[:400],
    "a conflict": lambda text: f"<<<<<<< HEAD\n{text}",
    "newer": lambda text: text.replace('"version": 1', '"version": 2'),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_an_error_of_each_test_that_has_it(run, name):
    recorded = run(CLAIMS, "--headtests-record")
    path = recorded.folder / "baselines" / "test_inside.json"
    path.write_text(BAD[name](path.read_text()))
    ran = run()
    assert ran.outcomes == {"failed": 3}
    assert "the baseline" in ran.text
    # What was decided is in the report all the same.
    assert len(ran.record["claims"]) == 3
    # Recording over it would lose what stands there.
    before = path.read_bytes()
    again = run(CLAIMS, "--headtests-record")
    assert "the baselines were not recorded: the baseline" in again.text
    assert path.read_bytes() == before
    path.unlink()
    run(CLAIMS, "--headtests-record")
    assert set(drifts(run()).values()) == {"unchanged"}


def test_what_could_not_be_recorded_is_no_success(run):
    (passing,) = [part for part in CLAIMS.split("@") if "test_previous" in part]
    first = run(f"@{passing}", "--headtests-record")
    assert first.exit_code == 0
    path = first.folder / "baselines" / "test_inside.json"
    path.write_text("{")
    assert run(f"@{passing}", "--headtests-record").exit_code == 1


@pytest.mark.slow
def test_claims_without_a_baseline_are_counted_where_others_have_one(run):
    first = run(CLAIMS.replace('"L0H2", "L0H3"', '"L0H2"'), "--headtests-record")
    assert "no baseline" not in first.text
    ran = run()
    assert ran.record["unrecorded"] == 1
    assert "1 claim has no baseline (pytest --headtests-record)" in ran.lines
    page = (ran.folder / "reports" / "headtests.html").read_text(encoding="utf-8")
    assert "1 claim without a baseline" in page


@pytest.mark.slow
def test_tests_that_are_no_more_are_pruned_by_recording(run):
    run(CLAIMS, "--headtests-record")
    renamed = CLAIMS.replace("def test_refuted", "def test_renamed")
    ran = run(renamed, "--headtests-record")
    tests = {one["test"] for one in baseline(ran)["claims"]}
    assert tests == {"test_previous[L0H2]", "test_previous[L0H3]", "test_renamed[L1H0]"}
    # Those that were only deselected stay.
    ran = run(renamed, "--headtests-record", "-k", "renamed")
    assert {one["test"] for one in baseline(ran)["claims"]} == tests


def stale(run):
    return [(one["test"], one["claim"]) for one in run.record["stale"]]


@pytest.mark.slow
def test_baselines_of_tests_and_claims_that_are_gone_are_listed(run):
    gone = """
@pytest.mark.head("L1H1")
def test_gone(head):
    assert head.mass(ht.first) >= 0.1
"""
    run(CLAIMS + gone, "--headtests-record")
    fewer = CLAIMS.replace('"L0H2", "L0H3"', '"L0H3"').replace(">= 0.01", ">= 0.02")
    ran = run(fewer)
    assert stale(ran) == [
        ("test_gone[L1H1]", "L1H1.mass(ht.first) >= 0.1"),
        ("test_previous[L0H2]", "L0H2.mass(ht.previous) >= 0.01"),
        ("test_previous[L0H3]", "L0H3.mass(ht.previous) >= 0.01"),
    ]
    assert "which is no longer made" in " ".join(ran.text.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("-k", "refuted"), ("test_inside.py::test_refuted",)], ids=str
)
def test_what_was_not_selected_is_not_stale(run_claims, arguments):
    run_claims(CLAIMS, *RECORD)
    ran = run_claims(CLAIMS, *OFF, *arguments)
    assert stale(ran) == []


@pytest.mark.slow
def test_recording_prunes_what_ran_and_nothing_else(run):
    run(CLAIMS, "--headtests-record")
    fewer = CLAIMS.replace(">= 0.01", ">= 0.02")
    ran = run(fewer, "--headtests-record", "-k", "L0H3")
    assert [one["claim"] for one in baseline(ran)["claims"]] == [
        "L0H2.mass(ht.previous) >= 0.01",
        "L0H3.mass(ht.previous) >= 0.02",
        "L1H0.mass(ht.previous) >= 0.9",
    ]


def test_equal_claims_of_one_test_are_told_apart(run):
    twice = """
@pytest.mark.head("L0H2")
def test_twice(head):
    assert head.mass(ht.previous) >= 0.01
    assert head.mass(ht.previous) >= 0.01
"""
    ran = run(twice, "--headtests-record")
    assert [one["number"] for one in baseline(ran)["claims"]] == [0, 1]
    assert set(drifts(run(twice)).values()) == {"unchanged"}


@pytest.mark.slow
def test_junit_has_the_status(run):
    run(CLAIMS, "--headtests-record")
    ran = run(CLAIMS, "--junitxml=junit.xml")
    assert (ran.folder / "junit.xml").read_text().count('name="drift" value="unchanged: L') == 3


def test_a_folder_that_cannot_be_written_is_said_in_a_line(run, pytester):
    (pytester.path / "baselines").write_text("no folder")
    ran = run(CLAIMS, "--headtests-record")
    assert ran.outcomes == {"passed": 2, "failed": 1}
    assert any("the baselines could not be written to" in line for line in ran.lines)


@pytest.mark.slow
def test_a_seed_that_is_not_that_of_the_baseline_is_said_also_where_it_is_recorded_again(run):
    run(CLAIMS, "--headtests-record")
    again = run(CLAIMS, "--headtests-record", "--headtests-seed=5")
    assert {claim["baseline_seed"] for claim in again.record["claims"]} == {0}
    said = " ".join(again.text.split())
    assert "Seed 5, where 0 is the default." in said
    assert "The seed of 3 claims has changed since the baseline: 0, now 5." in said
    page = (again.folder / "reports" / "headtests.html").read_text(encoding="utf-8")
    assert "has changed since the baseline: 0, now 5." in page
    # Compared with another order of documents, the claims fail, and the seeds are said.
    back = run(CLAIMS)
    assert {claim["baseline_seed"] for claim in back.record["claims"]} == {5}
    assert "changed since the baseline: 5, now 0." in " ".join(back.text.split())


@pytest.mark.slow
def test_a_drifted_claim_says_how_far_its_documents_moved(run):
    run(CLAIMS, "--headtests-record")
    change(run(CLAIMS, "-k", "L0H3"))
    ran = run(CLAIMS, "-k", "L0H2")
    (claim,) = ran.record["claims"]
    drift = claim["drift"]
    assert drift["mean_absolute"] == pytest.approx(abs(drift["now"] - drift["before"]))
    assert f"its documents moved by {drift['mean_absolute']:.3g} on average" in " ".join(
        ran.text.split()
    )
