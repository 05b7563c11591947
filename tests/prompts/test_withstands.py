"""The claim that a head withstands every prompt: lazy, searched once, and what it says."""

import pytest

import headtests as ht
from headtests import prompts, query
from headtests.errors import ClaimError, ExpressionError

RUNS = prompts.repeated((2, 8), 1)


def test_nothing_is_searched_before_its_truth_is_asked_for(session, monkeypatch):
    asked = []
    search = session.search
    monkeypatch.setattr(session, "search", lambda *given: asked.append(1) or search(*given))
    claim = session.head("L0H2").withstands(ht.previous, mass=0.95, prompts=RUNS)
    assert repr(claim) == (
        "L0H2.withstands(ht.previous, mass=0.95, "
        "prompts=prompts.repeated(period=(2, 8), repeats=1))"
    )
    assert not claim.is_searched
    assert asked == []
    assert not claim
    assert not claim
    assert claim.counterexample is not None
    assert asked == [1]


def test_what_breaks_it_is_said_with_a_line_to_paste(head):
    claim = head.withstands(ht.previous, mass=0.95, prompts=RUNS)
    first, tokens, how, replay = claim.explanation()
    found = claim.counterexample
    assert first == (
        f"refuted by a prompt of {len(found)} tokens: row {found.query} gives {found.value:.3g} "
        "where 0.95 was claimed"
    )
    assert tokens.split()[found.query].startswith("[")
    assert "found at random in" in how
    assert repr(claim).endswith(f"[{first}]")
    pasted = replay.removeprefix("  replay: assert ")
    again = eval(pasted, {"head": head, "ht": ht})  # our own line
    assert not again
    assert again.counterexample.ids == found.ids
    assert again.counterexample.value == found.value


def test_a_text_is_pasted_as_a_text(head):
    family = prompts.template("the {A} the", A=["cat", "dog's"])
    claim = head.withstands(ht.current, mass=0.9, prompts=family)
    assert claim.replay == (
        f"assert head.withstands(ht.current, mass=0.9, prompts=[{claim.counterexample.text!r}])"
    )


def test_no_find_is_said_with_its_effort_and_is_no_proof(head):
    claim = head.withstands(ht.previous, mass=0.3, prompts=RUNS)
    assert claim
    first, second = claim.explanation()
    worst = claim.search().worst
    assert first == f"no violation in 128 prompts; worst margin {worst:.3g}"
    assert second == "  That is no proof: other prompts were not tried."
    with pytest.raises(ClaimError, match="there is no counterexample to replay"):
        _ = claim.replay


def test_a_family_that_was_tried_whole_is_said_to_be(head):
    claim = head.withstands(ht.previous, mass=0.1, prompts=[[0, 5], [0, 6, 7]])
    (said,) = claim.explanation()
    assert said.startswith("no violation in all 2 prompts of the family; worst margin ")
    assert (
        "none has an eligible row" in head.withstands(ht.previous, mass=0.1, prompts=[[0, 5]]).said
    )


def test_at_most_is_the_other_side(head):
    claim = head.withstands(ht.previous, at_most=0.5, prompts=RUNS)
    assert not claim
    assert claim.counterexample.value > 0.5
    assert "at_most=0.5" in claim.replay
    assert head.withstands(ht.current, at_most=0.99, prompts=RUNS)


def test_the_counterexample_alone(head):
    found = head.counterexample(ht.previous, mass=0.95, prompts=RUNS)
    assert found.value < 0.95
    assert head.counterexample(ht.previous, mass=0.3, prompts=RUNS) is None


def test_a_claim_is_a_sentence(head):
    claim = head.withstands(ht.induction, when=query.repeats, of=~ht.first, mass=0.3, prompts=RUNS)
    assert claim.sentence == (
        "On every prompt of a run of 2 to 8 tokens, in each row "
        f"{query.repeats.english}, L0H2 gives at least 0.3 of its attention on keys "
        f"{(~ht.first).english} to keys {ht.induction.english}."
    )
    claim = head.withstands(ht.previous, at_most=0.5, prompts=[[1]])
    assert claim.sentence == (
        "On every prompt among the 1 that were given, in each row, L0H2 gives at most 0.5 of its "
        f"attention to keys {ht.previous.english}."
    )


@pytest.mark.parametrize("asked", [True, False])
def test_comparing_it_with_a_truth_is_refused(head, asked):
    with pytest.raises(ClaimError, match="Write assert CLAIM"):
        _ = head.withstands(ht.previous, mass=0.95, prompts=RUNS) == asked


BAD = {
    "no threshold": ({}, "takes one threshold"),
    "two thresholds": ({"mass": 0.3, "at_most": 0.5}, "takes one threshold"),
    "a threshold of nothing": ({"mass": 0}, "mass=0 claims nothing"),
    "a bound of everything": ({"at_most": 1}, "at_most=1 claims nothing"),
    "a percentage": ({"mass": 30}, "mass is a figure from 0 to 1"),
    "a text": ({"mass": "0.3"}, "mass= of withstands"),
    "no number": ({"mass": float("nan")}, "mass= of withstands"),
    "no prompts": ({"mass": 0.3, "prompts": []}, "expected a list of prompts"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_claims_nothing_is_refused(head, name):
    options, said = BAD[name]
    with pytest.raises(ClaimError, match=said):
        head.withstands(ht.previous, **{"prompts": RUNS, **options})


def test_expressions_in_the_wrong_place_are_refused(head):
    with pytest.raises(ExpressionError):
        head.withstands(query.repeats, mass=0.3, prompts=RUNS)
    with pytest.raises(ExpressionError):
        head.withstands(ht.previous, when=ht.previous, mass=0.3, prompts=RUNS)


@pytest.mark.slow
def test_a_long_prompt_is_shown_around_its_row(session):
    family = prompts.repeated(60, 1)
    claim = session.head("L0H2").withstands(ht.previous, mass=0.97, prompts=family)
    shown = claim.explanation()[1].split()
    assert 5 < len(shown) < 40
    assert "..." in shown
