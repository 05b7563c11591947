from pathlib import Path
from typing import Any, cast

import pytest

from headtests.report.trace import (
    Checkpoint,
    render_trace,
    short_names,
    trace,
    warnings,
    write_trace,
)
from tests.report import sample, traced
from tests.report.parsed_page import Page


def series(expression: str, found: list[Checkpoint] | None = None) -> Any:
    claims = trace(found or traced.checkpoints()).claims
    (claim,) = [claim for claim in claims if claim.record["expression"] == expression]
    return claim


def test_each_claim_has_its_figures_at_every_checkpoint() -> None:
    rows = series("L1H3.mass(ht.induction) >= 0.4").rows
    assert [(row.name, row.words, row.estimate, row.documents) for row in rows] == [
        ("step-000000", "refuted", "0.02", "64 of 217"),
        ("step-000125", "refuted", "0.03", "64 of 217"),
        ("step-001000", "undecided", "0.39", "64 of 217"),
        ("step-004000", "holds", "0.81", "64 of 217"),
        ("step-008000", "missing: the checkpoint could not run", "", ""),
    ]
    assert rows[2].interval == "0.34 to 0.47"


def test_a_claim_that_was_not_reached_is_missing_and_not_refuted() -> None:
    rows = series("L1H3.lift(ht.induction) >= 5").rows
    assert [row.words for row in rows[:3]] == [
        "missing: its test ended before it (failed)",
        "missing: its test ended before it (failed)",
        "missing: its test ended before it (undecided)",
    ]
    assert [row.verdict for row in rows] == ["", "", "", "holds", ""]


def test_a_test_that_ended_without_its_claim_says_how() -> None:
    found = traced.checkpoints()
    run = cast(Any, found[0].record)
    run["claims"] = run["claims"][1:]
    ended = {"test": traced.INDUCTION, "outcome": "error", "message": "no such head\nas that"}
    run["unmeasured"] = [ended]
    rows = series("L1H3.mass(ht.induction) >= 0.4", found).rows
    assert rows[0].words == "missing: its test ended without it (error: no such head)"
    run["unmeasured"] = []
    rows = series("L1H3.mass(ht.induction) >= 0.4", found).rows
    assert rows[0].words == "missing: its test did not run"


def test_claims_of_a_test_stand_together_in_the_order_of_asking() -> None:
    names = [one.record["expression"] for one in trace(traced.checkpoints()).claims]
    # The second is asked for at the last checkpoint alone.
    assert names[:2] == ["L1H3.mass(ht.induction) >= 0.4", "L1H3.lift(ht.induction) >= 5"]
    assert len(names) == 4


def test_a_claim_that_was_first_made_later_stands_where_it_is_made() -> None:
    def run(*names: str) -> Any:
        return sample.record(claims=[sample.claim(name, expression=name) for name in names])

    found = [
        Checkpoint("a", run("first", "third")),
        Checkpoint("b", run("first", "second", "third")),
    ]
    assert [one.record["expression"] for one in trace(found).claims] == ["first", "second", "third"]


def test_claims_that_are_alike_are_told_apart_by_their_order() -> None:
    claims = [sample.claim("c1", verdict="holds"), sample.claim("c2", verdict="refuted")]
    found = [Checkpoint(name, sample.record(claims=claims)) for name in ("a", "b")]
    verdicts = [[row.verdict for row in one.rows] for one in trace(found).claims]
    assert verdicts == [["holds", "holds"], ["refuted", "refuted"]]


def test_each_checkpoint_shows_its_weights_and_its_verdicts() -> None:
    runs = trace(traced.checkpoints()).runs
    assert [run.weights for run in runs] == [[f"{step:064x}"] for step in (0, 125, 1000, 4000)] + [
        []
    ]
    assert runs[0].tally == "1 held, 2 refuted, 1 missing"
    assert runs[3].tally == "3 held, 1 refuted"
    assert runs[4].trouble.startswith("the model 'step-008000' is there")


def test_checkpoints_that_could_not_run_are_told_at_the_top() -> None:
    page = render_trace(traced.checkpoints())
    assert "1 checkpoint could not run." in Page(page).text
    assert "checkpoint could not run" not in Page(render_trace(traced.checkpoints()[:4])).text


def test_one_models_checkpoints_need_no_warning() -> None:
    assert warnings(traced.checkpoints()) == []


@pytest.mark.parametrize(
    "model", [{"layers": 3}, {"heads": 8}, {"architecture": "LlamaForCausalLM"}]
)
def test_models_of_another_shape_are_warned_of(model: dict[str, Any]) -> None:
    found = traced.checkpoints()
    cast(Any, found[1].record)["sessions"][0]["model"] |= model
    (said,) = warnings(found)
    assert said.startswith("These are not checkpoints of one model")
    assert "step-000000: GPT2LMHeadModel of 2 layers by 4 heads" in said
    assert said in Page(render_trace(found)).text.replace("\n", " ")


def test_other_documents_are_warned_of() -> None:
    found = traced.checkpoints()
    corpus = cast(Any, found[1].record)["sessions"][0]["corpus"]
    # Another tokenizer makes another number of them, too.
    corpus |= {"sha256": "cd" * 32, "description": "all 258 documents of demo"}
    (said,) = warnings(found)
    assert said.startswith("The documents of demo differ")


def test_numbers_at_the_end_of_names_are_the_labels() -> None:
    assert short_names(["step1", "step512"]) == ("step", ["1", "512"])
    assert short_names(["10", "20"]) == ("checkpoint", ["10", "20"])
    assert short_names(["step-1", "epoch-1"]) == ("checkpoint", ["1", "2"])
    assert short_names(["step-1", "main"]) == ("checkpoint", ["1", "2"])
    assert short_names(["x" + "9" * 5000]) == ("checkpoint", ["1"])
    assert short_names([]) == ("checkpoint", [])


def test_the_page_holds_together() -> None:
    page = Page(render_trace(traced.checkpoints()))
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    targets = [
        str(element.attributes["href"])
        for element in page.all("a")
        if str(element.attributes["href"]).startswith("#")
    ]
    assert {target.removeprefix("#") for target in targets} <= set(ids)
    assert len(page.all("svg", "chart")) == 4
    assert not page.all("script")
    pages = [
        str(one.attributes["href"]) for one in page.all("a") if "/" in str(one.attributes["href"])
    ]
    assert pages == [f"trace/{name}/headtests.html" for name in traced.MASSES]


def test_the_page_has_each_figure_in_its_row() -> None:
    page = Page(render_trace(traced.checkpoints()))
    cells = [(one.attributes.get("data-label"), one.text) for one in page.all("td")]
    at = cells.index(("Interval", "0.34 to 0.47"))
    assert cells[at - 3][1].split()[-1] == "undecided"
    assert cells[at - 2 : at] == [("Decided by", "64 of 217"), ("Estimate", "0.39")]
    assert cells[at + 1] == ("Documents", "64 of 217")


def test_estimates_are_those_on_as_many_documents_at_each_checkpoint() -> None:
    checkpoints = traced.checkpoints()
    ran = [one for one in checkpoints if one.record is not None]
    for checkpoint, value in zip(ran, (0.021, 0.032, 0.41, 0.79), strict=True):
        assert checkpoint.record is not None
        claim = next(one for one in checkpoint.record["claims"] if one["test"] == traced.INDUCTION)
        side: Any = {"value": value, "low": value - 0.02, "high": value + 0.02}
        claim["fixed"] = {
            "left": side | {"documents": 200, "texts": None},
            "right": None,
            "difference": None,
        }
    page = Page(render_trace(checkpoints))
    cells = [(one.attributes.get("data-label"), one.text) for one in page.all("td")]
    at = cells.index(("Interval", "0.39 to 0.43"))
    assert cells[at - 2 : at] == [("Decided by", "64 of 217"), ("Estimate", "0.41")]
    assert cells[at + 1] == ("Documents", "200 of 217")
    assert "from 0.021 to 0.79" in trace(checkpoints).claims[0].track.words


@pytest.mark.slow
def test_whatever_a_record_says_is_shown_as_text() -> None:
    source = render_trace(traced.hostile())
    page = Page(source)
    assert not page.all("script")
    assert not page.all("img")
    assert not any(name.startswith("on") for one in page.elements for name in one.attributes)
    source.encode("utf-8")
    assert not any(character in source for character in "\x00\x07\u202e\u2066\ufeff")


def test_nothing_that_ran_is_a_page_all_the_same(tmp_path: Path) -> None:
    write_trace([Checkpoint("a", None, "no such model")], tmp_path / "new" / "trace.html")
    page = Page((tmp_path / "new" / "trace.html").read_text("utf-8"))
    assert "no such model" in page.text
    assert "No claim was measured at any checkpoint." in page.text


def test_the_same_records_give_the_same_page() -> None:
    assert render_trace(traced.checkpoints()) == render_trace(traced.checkpoints())
