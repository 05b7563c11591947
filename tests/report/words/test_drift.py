from typing import Any

import pytest

from headtests.report.words.drift import before_and_now, drift, drifted, margin, stale
from headtests.report.words.page_budget import Caps
from tests.report import sample

CAPS = Caps(50, 50)


def of(**changes: Any) -> Any:
    """Return how a claim drifted, as a card says it."""
    return drift(sample.claim(drift=sample.drift(**changes)), CAPS)


def test_a_claim_without_a_baseline_has_none() -> None:
    assert drift(sample.claim(), CAPS) is None


def test_a_drifted_claim_says_what_it_was_is_and_may_move_by() -> None:
    found = of()
    assert (found.status, found.symbol) == ("drifted", "\u2260")
    assert found.figures == [
        ("Before", "0.171"),
        ("Now", "0.118"),
        ("Moved by", "-0.053"),
        ("May move by", "0.02"),
        ("Its documents moved by", "0.09 on average"),
        ("Recorded documents", "600"),
    ]
    assert found.in_brief == "0.171, now 0.118"
    assert found.file == "hypotheses/baselines/test_demo.json"
    assert "600 recorded documents: arithmetic, not an inference" in found.basis
    assert "1 recorded document:" in of(documents=1).basis


def test_an_unchanged_claim_has_a_mark_of_its_own_and_no_digits_of_rounding() -> None:
    found = drift(sample.claim(drift=sample.unchanged()), CAPS)
    assert found is not None
    assert (found.status, found.symbol) == ("unchanged", "\u2248")
    assert dict(found.figures)["Before"] == dict(found.figures)["Now"] == "0.12"
    assert dict(found.figures)["Moved by"].startswith("+4.0")


def test_figures_look_as_different_as_they_are() -> None:
    assert of(before=0.40001, now=0.40003, margin=0.00001).in_brief == "0.40001, now 0.40003"
    # What moved just further than it may is not shown as though it had moved as far.
    moved = dict(of(before=0.4, now=0.420004).figures)
    assert (moved["Moved by"], moved["May move by"]) == ("+0.020004", "0.02")


def test_a_margin_may_be_a_share_of_what_the_figure_was() -> None:
    claim = sample.claim(left=sample.estimate(kind="lift"))
    found = sample.drift(before=-12.0, now=-11.0, is_relative=True, margin=0.05, room=0.6)
    assert margin(claim, found) == "0.05 of its size, 0.60\u00d7"
    assert before_and_now(claim, found) == "-12\u00d7, now -11\u00d7"
    shown = drift({**claim, "drift": found}, CAPS)
    assert shown is not None
    assert dict(shown.figures)["Moved by"] == "+1\u00d7"


def test_figures_of_pairs_have_no_documents() -> None:
    found = of(documents=None, moved=[])
    assert "Recorded documents" not in dict(found.figures)
    assert "arithmetic on the recorded figure" in found.basis


def test_documents_that_moved_are_in_the_records_order_and_as_many_as_there_is_room_for() -> None:
    assert [(one.document, one.text, one.difference) for one in of().moved] == [
        ("31", "demo/0", "-0.50"),
        ("32", "demo/1", "+0.35"),
        ("33", "demo/2", "-0.30"),
        ("34", "demo/3", "-0.02"),
    ]
    claim = sample.claim(drift=sample.drift())
    short = drift(claim, CAPS._replace(moved=1))
    none = drift(claim, CAPS._replace(moved=0))
    assert short is not None
    assert none is not None
    assert [one.document for one in short.moved] == ["31"]
    assert short.left_out == "3 more in the record"
    assert (none.moved, none.left_out) == ([], "")


def test_what_else_differs_is_named_and_very_many_are_counted() -> None:
    assert of().differs == sample.drift()["differs"]
    many = of(differs=[f"package {place}" for place in range(25)]).differs
    assert (len(many), many[-1]) == (21, "5 more in the record")


@pytest.mark.parametrize("name", ["", "x" * 500])
def test_a_text_of_any_name_is_shown_in_part(name: str) -> None:
    moved: Any = [{"document": 1234, "text": name, "before": 0.1, "now": 0.2}]
    (shown,) = of(moved=moved).moved
    assert len(shown.text) < 120
    assert shown.document == "1,234"


def test_only_drifted_claims_are_listed_as_such() -> None:
    claims = sample.beside()["claims"]
    assert [claim["id"] for claim, _ in drifted(claims)] == ["c1", "c3"]


def test_stale_baselines_stand_by_their_files() -> None:
    first, second = stale(sample.STALE)
    assert first.file == "hypotheses/baselines/test_demo.json"
    assert first.claims[1] == ("test_renamed[L1H1]", "L1H1.mass(ht.previous) >= 0.4")
    assert (len(first.claims), len(second.claims)) == (3, 1)
    assert stale([]) == []
