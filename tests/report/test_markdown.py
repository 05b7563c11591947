from typing import Any, cast

import pytest

from headtests.records import ClaimRecord, Record
from headtests.report.markdown import CLAIMS_SHOWN, markdown
from tests.report import gfm, sample

PAGE = "reports/headtests.html"
HEADINGS = ["verdict", "claim", "estimate", "interval", "after the stop", "n", "test"]


def claims(*verdicts: Any) -> list[ClaimRecord]:
    return [
        sample.claim(f"c{place}", verdict=verdict, expression=f"claim {place}")
        for place, verdict in enumerate(verdicts)
    ]


def table(record: Record) -> list[list[str]]:
    """Return the lines of the table below its headings."""
    headings, *lines = gfm.rows(markdown(record, PAGE))
    assert headings == HEADINGS
    return lines


def test_it_begins_with_the_verdicts_in_words() -> None:
    told = markdown(sample.record(), PAGE)
    assert told.startswith("## headtests: 2 refuted, 1 undecided, 3 held\n\n")
    assert "Rate of false decisions of this run: at most 0.005 (5 claims, 0.001 each).\n" in told
    assert told.endswith("\n\nReport: `reports/headtests.html`\n")
    assert "Incomplete" not in told


def test_every_claim_has_a_line_and_those_that_did_not_hold_are_first() -> None:
    lines = table(sample.record())
    assert [line[0] for line in lines] == [
        "\u2715 refuted (xfailed)",
        "\u2715 refuted",
        "? undecided",
        "\u2713 holds",
        "\u2713 holds",
        "\u2713 holds",
    ]
    assert lines[0][1:] == [
        "L1H3.mass(ht.induction) >= 0.4",
        "0.12",
        "0.09 to 0.16",
        "0.113",
        "64 of 217",
        "hypotheses/test_demo.py::test_induction[L1H3]",
    ]
    assert lines[1][2:6] == ["0.62", "none", "", "50 pairs"]


def test_where_reading_stopped_biases_the_estimates_and_that_is_said() -> None:
    assert "beyond the true one" in markdown(sample.record(), PAGE)
    assert "beyond the true one" not in markdown(sample.record(claims=claims("undecided")), PAGE)


def test_a_seed_that_was_chosen_or_changed_is_said() -> None:
    assert "Seed 7, where 0 is the default." in markdown(sample.record(), PAGE)
    session: Any = sample.session() | {"seed": 0}
    default = sample.record(sessions=[session])
    assert "seed" not in markdown(default, PAGE).lower()
    changed = sample.record(sessions=[session], claims=[sample.claim(baseline_seed=3)])
    said = markdown(changed, PAGE)
    assert "The seed of 1 claim has changed since the baseline: 3, now 0." in said
    assert "adds the rate of its run" in said


def test_documents_that_traded_places_are_named_though_the_figure_is_unchanged() -> None:
    moved = sample.claim(drift=sample.unchanged(mean_absolute=0.4, traded_places=True))
    still = sample.claim("c2", drift=sample.unchanged(mean_absolute=0.03))
    told = markdown(sample.record(claims=[moved, still]), PAGE)
    assert told.count("documents traded places") == 1
    assert "moved by 0\\.40 on average" in told or "moved by 0.40 on average" in told


def instead(record: Record) -> list[str]:
    """Return what is said of heads whose claims did not hold."""
    _, found, after = markdown(record, PAGE).partition("What was measured of these heads")
    return (
        [line for line in after.partition("What ran:")[0].splitlines()[1:] if line] if found else []
    )


def test_a_head_whose_claim_did_not_hold_has_a_line_of_what_was_measured() -> None:
    assert instead(sample.record()) == [
        "- `L1H3`: keys that are an earlier occurrence of the query's token "
        r"\(mass 0\.31 \[0\.25, 0\.40\], lift 14\.8, "
        r"0\.84 \[0\.79, 0\.89\] of the attention that does not rest\)"
    ]


def test_nothing_that_was_only_said_is_in_the_summary() -> None:
    told = markdown(sample.record(), PAGE)
    for said in (sample.BUILT_IN_TEXT[:20], sample.MODEL_TEXT[:20], "__import__", "whose token is"):
        assert said not in told
    refuted = sample.explanation(suggestions=[sample.suggestion(verdict="refuted")])
    assert instead(sample.record(explanations=[refuted])) == []
    assert "What ran:" not in markdown(sample.record(explanations=[refuted]), PAGE)


def test_heads_of_claims_that_held_have_no_line() -> None:
    assert instead(sample.record(explanations=[sample.explanation(claims=["c2", "c5"])])) == []
    assert instead(sample.record(explanations=[sample.explanation(claims=[])])) == []


def test_a_head_has_one_line_of_the_best_that_held() -> None:
    better = sample.suggestion(english="whose token is a comma", mass=sample.bounded(0.5, 0.4, 0.6))
    explanations = [
        sample.explanation(),
        sample.of_a_model(claims=["c3"], suggestions=[sample.suggestion(), better]),
        sample.explanation(claims=["c4"]),
        sample.explanation(name="L0H1", claims=["c1"]),
    ]
    first, second = instead(sample.record(explanations=explanations))
    assert first.startswith("- `L1H3`: keys whose token is a comma")
    assert second.startswith("- `L0H1`: keys that are an earlier")


def test_many_explained_heads_stay_few_lines() -> None:
    many = [sample.explanation(name=f"L{n}H0") for n in range(100)]
    lines = instead(sample.record(explanations=many))
    assert len(lines) == 21
    assert lines[-1] == "and 80 more heads"


def test_bars_are_no_cells() -> None:
    either = sample.claim(expression="L1H3.mass(ht.previous | ht.current) >= 0.4", test="t[a|b]")
    (line,) = table(sample.record(claims=[either]))
    assert line[1::5] == ["L1H3.mass(ht.previous | ht.current) >= 0.4", "t[a|b]"]


def test_an_outcome_that_the_verdict_does_not_explain_is_said() -> None:
    found = [
        sample.claim(verdict=verdict, outcome=outcome)
        for verdict, outcome in [
            ("refuted", "failed"),
            ("refuted", "passed"),
            ("undecided", "passed"),
            ("holds", "failed"),
            ("holds", ""),
        ]
    ]
    assert [line[0].partition(" ")[2] for line in table(sample.record(claims=found))] == [
        "refuted",
        "refuted (passed)",
        "undecided (passed)",
        "holds (failed)",
        "holds",
    ]


def test_the_table_has_an_end_and_what_it_leaves_out_is_said() -> None:
    verdicts = ["holds"] * 15 + ["refuted"] * 4 + ["undecided"] * 3 + ["holds"] * 5
    told = markdown(sample.record(claims=claims(*verdicts)), PAGE)
    lines = gfm.rows(told)[1:]
    assert len(lines) == CLAIMS_SHOWN
    assert [line[1] for line in lines[:7]] == [f"claim {place}" for place in range(15, 22)]
    assert [line[1] for line in lines[7:]] == [f"claim {place}" for place in range(13)]
    assert "\n\nNot in this table: 7 held.\n\n" in told
    told = markdown(sample.record(claims=claims(*["undecided"] * 15, *["refuted"] * 1006)), PAGE)
    assert told.startswith("## headtests: 1,006 refuted, 15 undecided\n")
    assert "Not in this table: 986 refuted, 15 undecided." in told


def test_a_table_that_holds_all_says_nothing_is_left_out() -> None:
    assert "Not in this table" not in markdown(
        sample.record(claims=claims(*["holds"] * CLAIMS_SHOWN)), PAGE
    )


def test_what_ran_has_a_line_each_and_what_was_left_out_is_below_it() -> None:
    shown = gfm.words(markdown(sample.record(), PAGE))
    assert (
        "headtests/demo over the first 253 documents of demo: 253 of 253 documents run, "
        "31,416 tokens, float32 on cpu"
    ) in shown
    assert "The topic 'lambda' was left out: its text differs in this interpreter." in shown
    session = {**sample.session(), "results_kept": 3}
    kept = gfm.words(markdown(sample.record(sessions=[cast(Any, session)]), PAGE))
    assert "3 results kept from earlier runs" in kept


def test_many_notes_and_many_models_are_counted() -> None:
    session = sample.session(notes=[f"note number {place}" for place in range(9)])
    told = markdown(sample.record(sessions=[session] * 11), PAGE)
    assert told.count("note number 2") == told.count("and 6 more notes") == 8
    assert "note number 3" not in told
    assert "more note" not in markdown(
        sample.record(sessions=[sample.session(notes=["one", "two", "three"])]), PAGE
    )
    assert "and 3 more models over their corpora" in told


def test_tests_without_a_claim_are_counted_by_how_they_ended() -> None:
    unmeasured: Any = [
        {"test": f"test_{place}", "outcome": outcome, "message": message}
        for place, (outcome, message) in enumerate(
            [("passed", ""), ("skipped", "No *model*."), ("skipped", "No *model*.")]
            + [("error", f"cause {place}") for place in range(9)]
        )
    ]
    told = markdown(sample.record(unmeasured=unmeasured), PAGE)
    shown = gfm.words(told)
    assert "12 tests without a claim:" in shown
    assert "2 skipped: No *model*." in shown
    assert "- 1 passed\n" in told
    assert "and 3 more causes" in shown


def test_a_run_without_claims_says_so() -> None:
    told = markdown(sample.record(claims=[], sessions=[]), "")
    assert told == "## headtests: no claims\n\nNo report was written.\n"


def test_a_run_that_did_not_finish_says_why() -> None:
    told = markdown(sample.record(complete=False, incomplete_reason="stopped by <user>"), PAGE)
    assert "\n\n**Incomplete:** stopped by &#60;user&#62;\n\n" in told


def test_nothing_of_a_hostile_record_becomes_markup() -> None:
    record = sample.hostile_record()
    told = markdown(record, " ".join(sample.HOSTILE))
    told.encode("utf-8")
    assert all(character == "\n" or character.isprintable() for character in told)
    kinds = gfm.kinds(told)
    assert not kinds & {"html_inline", "html_block", "link_open", "image", "fence", "code_block"}
    assert not kinds & {"em_open", "s_open", "blockquote_open", "hr", "ordered_list_open"}
    assert [len(cells) for cells in gfm.rows(told)] == [7] * (1 + len(record["claims"]))
    shown = gfm.words(told)
    assert "<script>alert(1)</script>" in shown
    # Code and entities are the only places where there may be any.
    for line in told.splitlines():
        assert "<" not in "".join(line.split("`")[::2])


@pytest.mark.slow
@pytest.mark.parametrize("text", ["\U0001f600", "|", "<", "@", "`", "\u202e", "\\|", "\u0301", "&"])
def test_however_hostile_and_long_a_record_is_the_page_is_small(text: str) -> None:
    poison = text * 10_000

    def poisoned(content: Any) -> Any:
        if isinstance(content, dict):
            return {name: poisoned(value) for name, value in content.items()}
        if isinstance(content, list):
            return [poisoned(item) for item in content]
        return poison if isinstance(content, str) else content

    claim = sample.claim(
        test=poison,
        outcome=poison,
        expression=poison,
        drift=sample.drift(file=poison),
        against=sample.against(session=poison, trouble=poison),
    )
    sessions = [{**poisoned(sample.session()), "key": str(place)} for place in range(50)]
    for session in sessions:
        session["corpus"]["notes"] *= 50
    unmeasured: Any = [
        {"test": poison, "outcome": poison, "message": f"{place}{poison}"} for place in range(50)
    ]
    record = sample.record(
        claims=[claim] * 500,
        stale=[{"file": poison, "test": poison, "claim": poison}] * 50,
        sessions=sessions,
        unmeasured=unmeasured,
        complete=False,
        incomplete_reason=poison,
    )
    told = markdown(record, poison)
    assert len(told.encode("utf-8")) < 150_000
    assert len(gfm.rows(told)) == 1 + CLAIMS_SHOWN
    assert not gfm.kinds(told) & {"html_inline", "html_block", "link_open", "image"}


def test_what_drifted_and_what_another_model_decides_otherwise_have_a_line_each() -> None:
    shown = gfm.words(markdown(sample.beside(), PAGE))
    for said in (
        "2 of 5 claims drifted since the baseline:",
        "L1H3.mass(ht.induction) >= 0.4: 0.171, now 0.118, where it may move by 0.02",
        "1 of 5 claims with another verdict on the other model:",
        "L1H3.mass(ht.induction) >= 0.4: refuted, and holds on other/model",
        "With the same verdict on the other model: 3 claims.",
        "Not compared with the other model, 1 claim: other/model has 1 layer",
        "4 baselines of claims that are no longer made.",
    ):
        assert said in shown, said


def test_claims_that_stayed_are_counted_in_a_line() -> None:
    stayed = [sample.claim(drift=sample.unchanged()) for _ in range(3)]
    told = markdown(sample.record(claims=stayed), PAGE)
    assert "\n\nUnchanged since their baselines: 3 claims.\n\n" in told
    assert "drifted" not in told
    plain = markdown(sample.record(), PAGE)
    assert not [word for word in ("baseline", "other model") if word in plain]


def test_of_many_drifted_claims_the_rest_is_counted() -> None:
    found = {"drift": sample.drift(), "against": sample.against()}
    told = markdown(sample.record(claims=[sample.claim(**found) for _ in range(30)]), PAGE)
    assert told.count(", where it may move by") == told.count(", and holds on") == 10
    assert told.count("and 20 more claims") == 2
