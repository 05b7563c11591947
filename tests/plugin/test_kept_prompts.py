"""Prompts that broke a claim: kept beside the tests, tried first, told where they are quiet."""

import json

import pytest

OFF = ("-o", "headtests_explain=none", "-p", "no:cacheprovider")
FEW = "--headtests-search-prompts=128"
CLAIMS = """
from headtests import prompts

RUNS = prompts.repeated(period=(2, 8), repeats=1)

@pytest.mark.head("L0H2")
def test_previous(head):
    assert head.withstands(ht.previous, mass=0.95, prompts=RUNS)
"""


@pytest.fixture
def run(run_claims):
    """Return a function from tests and options to a run of few prompts, with no explanations."""
    return lambda tests=CLAIMS, *arguments, **options: run_claims(
        tests, *OFF, FEW, *arguments, **options
    )


def kept(ran):
    path = ran.folder / "counterexamples" / "test_inside.json"
    return json.loads(path.read_text(encoding="utf-8"))["prompts"] if path.exists() else None


def found(ran):
    (search,) = ran.record["searches"]
    return search


@pytest.mark.slow
def test_a_prompt_is_kept_and_tried_first_ever_after(run):
    first = run()
    (one,) = kept(first)
    assert one["ids"] == found(first)["breaking"]["ids"]
    assert one["head"] == "L0H2"
    again = run()
    assert found(again)["breaking"]["how"] == "kept"
    assert (found(again)["known"], found(again)["prompts"], found(again)["passes"]) == (1, 0, 1)
    assert found(again)["breaking"]["ids"] == one["ids"]
    assert kept(again) == [one]
    assert again.outcomes == {"failed": 1}


@pytest.mark.slow
def test_when_the_model_changes_a_quiet_prompt_is_told_and_stays(run):
    first = run(CLAIMS.replace("0.95", "0.9"))
    (one,) = kept(first)
    # As if the model had been mended since: what is kept broke the claim then.
    path = first.folder / "counterexamples" / "test_inside.json"
    content = json.loads(path.read_text())
    content["prompts"][0]["value"] = 0.1
    path.write_text(json.dumps(content))
    again = run(CLAIMS.replace("0.95", "0.2"))
    assert again.outcomes == {"passed": 1}
    assert [quiet["ids"] for quiet in found(again)["quiet"]] == [one["ids"]]
    assert found(again)["prompts"] == 128
    shown = " ".join(" ".join(again.section("claims")).split())
    assert f"a kept prompt of {len(one['ids'])} tokens no longer breaks it: margin 0." in shown
    assert len(kept(again)) == 1


@pytest.mark.slow
def test_a_changed_model_is_found_out(run, halved_keys):
    first = run()
    (one,) = kept(first)
    again = run(CLAIMS, f"--headtests-model={halved_keys(3)}")
    search = found(again)
    # Another head's keys were changed: the same prompt still breaks this one's claim.
    assert search["breaking"]["how"] == "kept"
    assert search["breaking"]["ids"] == one["ids"]
    other = run(CLAIMS, f"--headtests-model={halved_keys(2)}")
    assert found(other)["breaking"]["value"] != search["breaking"]["value"]


@pytest.mark.slow
def test_a_prompt_that_broke_another_threshold_is_no_quiet_one(run):
    run()
    again = run(CLAIMS.replace("0.95", "0.2"))
    assert found(again)["quiet"] == []
    assert found(again)["known"] == 1


@pytest.mark.slow
def test_a_prompt_of_another_family_is_not_tried(run):
    run()
    again = run(CLAIMS.replace("(2, 8)", "(2, 6)"))
    assert found(again)["known"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("value", ["none", "replay"])
def test_nothing_is_kept_where_nothing_is_to_be(run, value):
    ran = run(CLAIMS, "-o", f"headtests_counterexamples={value}")
    assert ran.outcomes == {"failed": 1}
    assert kept(ran) is None


@pytest.mark.slow
def test_replay_tries_what_is_kept(run):
    run()
    assert found(run(CLAIMS, "-o", "headtests_counterexamples=replay"))["breaking"]["how"] == "kept"
    assert found(run(CLAIMS, "-o", "headtests_counterexamples=none"))["breaking"]["how"] != "kept"


@pytest.mark.slow
def test_a_file_that_cannot_be_read_is_an_error_and_left_alone(run):
    first = run()
    path = first.folder / "counterexamples" / "test_inside.json"
    text = path.read_text()
    path.write_text(text[:-20])
    again = run()
    assert again.outcomes == {"failed": 1}
    assert "CounterexampleError" in again.text
    assert "test_inside.json is not JSON" in again.text
    assert path.read_text() == text[:-20]
    assert again.record["searches"] == []


@pytest.mark.slow
def test_where_it_cannot_be_written_the_run_goes_on_and_says_so(run, pytester):
    (pytester.path / "counterexamples").write_text("in the way")
    ran = run()
    assert ran.outcomes == {"failed": 1}
    assert "could not be kept" in ran.text


@pytest.mark.slow
def test_workers_keep_what_both_found(claims_process):
    tests = CLAIMS.replace('"L0H2"', '"L0H2", "L0H1", "L0H0", "L0H3", "L1H0", "L1H1"')
    ran = claims_process(tests, *OFF, FEW, "-n", "2", "--dist", "each", "-q")
    heads = [one["head"] for one in kept(ran)]
    assert sorted(set(heads)) == ["L0H0", "L0H1", "L0H2", "L0H3", "L1H0", "L1H1"]
    assert len(heads) == len(set(heads))
