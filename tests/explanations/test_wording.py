"""The built-in explainer's paragraph: sentences with figures and bounds."""

import pytest

import headtests as ht
from headtests.atlas.choose import Shares
from headtests.explanations.measured_suggestions import is_enriched, unmeasured
from headtests.explanations.relation_search import Finding
from headtests.explanations.roles import Role
from headtests.explanations.wording import english_of, paragraph
from headtests.expressions.library import Named, last_8

INDUCTION = Named(ht.induction, "the tokens that followed", "induction head")
PREVIOUS = Named(ht.previous, "the previous token", "previous-token head")
RECENT = Named(last_8, "the last eight tokens before it")


def figure(value, low=None, high=None):
    return {"value": value, "low": value / 2 if low is None else low, "high": high or value * 1.25}


def found(named=INDUCTION, share=0.4, lift=12.0, low=6.0, without=(), **changes):
    record = unmeasured("", "") | {
        "verdict": "holds",
        "english": named.relation.english,
        "mass": figure(share / 2),
        "lift": figure(lift / 3),
        "share": figure(share),
        "share_lift": figure(lift, low),
    }
    return Finding(named, share / 2, share, without), record | changes


RESTING, LEFT = figure(0.5), figure(0.2)


def role(named=INDUCTION, words=0.5, punctuation=0.45, random=0.9, **changes):
    """Return a role with the given shares; None stands for what could not be tried."""
    kinds = [
        each and Shares(9, 99, each, 0.05, 0.1, each, is_distance=False)
        for each in (words, punctuation)
    ]
    figures = {"share": 0.48, "uniform": 0.04, "distance": 0.12} | changes
    every = Shares(20, 200, **figures, part=0.4, is_distance=False)
    return Role(named, every, *kinds, random)


def test_a_head_that_mostly_does_what_has_a_name_is_called_by_it():
    assert paragraph("L1H2", [found()], RESTING, LEFT, [role()]) == (
        "L1H2 attends as an induction head does. In rows that have such a key, 48.0% of what does "
        "not rest on position 0 goes to the tokens that followed, against 4.0% by uniform "
        "attention and 12.0% by its own average at the same distances: 50.0% in rows of words, "
        "45.0% in rows of punctuation, 90.0% on repeated random tokens. 20.0% [10.0%, 25.0%] of "
        "its attention goes to the tokens that followed: 40.0% [20.0%, 50.0%] of what does "
        "not rest on position 0, 12 times [6, 15] what uniform attention would give. 50.0% [25.0%, "
        "62.5%] of its attention rests on position 0. 20.0% [10.0%, 25.0%] of it is explained by "
        "none of this."
    )


def test_where_a_role_does_not_hold_its_sentence_says_so():
    one = role(punctuation=0.05, distance=0.4)
    said = paragraph("L1H2", [found()], RESTING, LEFT, [one])
    assert said.startswith(
        "L1H2 attends as an induction head does, but not beyond its own average at the same "
        "distances or clearly in rows of punctuation. In rows"
    )
    assert "against 4.0% by uniform attention and 40.0% by its own average" in said


def test_what_does_not_hold_on_random_tokens_is_no_role_and_the_reason_is_given():
    said = paragraph("L1H2", [found()], RESTING, LEFT, [role(words=0.02, random=0.05)])
    assert said.startswith("L1H2 attends more to the tokens that followed than uniform attention")
    assert (
        "It is not called an induction head, since this does not hold on repeated random tokens "
        "or clearly in rows of words: in rows that have such a key, 48.0%" in said
    )
    neither = role(words=0.02, punctuation=0.02)
    assert "clearly in rows of words or of punctuation: in rows" in paragraph(
        "L1H2", [found()], RESTING, LEFT, [neither]
    )
    assert " as an induction head does" not in said


def test_what_could_not_be_tried_is_said():
    said = paragraph("L1H2", [], RESTING, LEFT, [role(words=None, random=None)])
    assert "distances: too few rows of words to tell, 45.0% in rows of punctuation, " in said
    assert "repeated random tokens were not tried, for lack of context." in said


def test_a_role_of_distance_is_held_against_rows_alone():
    said = paragraph("L0H2", [found(PREVIOUS)], None, LEFT, [role(PREVIOUS, random=None)])
    assert (
        "48.0% of its attention goes to the previous token, against 4.0% by uniform attention: "
        "50.0% in rows of words, 45.0% in rows of punctuation. " in said
    )


def test_a_role_needs_no_finding_and_what_was_found_of_it_is_not_denied():
    said = paragraph("L1H1", [found(low=0.9)], figure(0.95), LEFT, [role()])
    assert said.startswith(
        "L1H1 nearly always rests on position 0; where it does not, it attends as an induction"
    )
    assert "not surely" not in said


def test_two_roles_are_both_told():
    said = paragraph("L1H2", [found()], RESTING, LEFT, [role(PREVIOUS), role(random=None)])
    assert said.startswith(
        "L1H2 attends as a previous-token head does and as an induction head does. In rows"
    )


@pytest.mark.parametrize(("value", "rests"), [(0.9, True), (0.899, False)])
def test_a_head_rests_nearly_always_from_nine_tenths_on(value, rests):
    said = paragraph("L1H0", [found()], figure(value), LEFT)
    assert ("nearly always rests" in said) is rests


def test_one_that_does_it_little_is_not():
    said = paragraph("L1H2", [found(share=0.1)], RESTING, LEFT)
    assert "induction head" not in said
    assert said.startswith("L1H2 attends more to the tokens that followed than uniform attention")


def test_a_head_that_rests_is_told_so_first():
    said = paragraph("L1H0", [found()], figure(0.95), LEFT)
    assert said.startswith(
        "L1H0 nearly always rests on position 0; where it does not, it attends more to the tokens "
        "that followed than uniform attention would. 20.0%"
    )
    assert "95.0% [47.5%, 118.8%] of its attention rests on position 0." in said


def test_nothing_found_is_said_plainly():
    assert paragraph("L1H0", [], RESTING, None).startswith(
        "Nothing that was tried stands out in what L1H0 attends to."
    )
    said = paragraph("L1H0", [], figure(0.95), None)
    assert said.startswith(
        "L1H0 nearly always rests on position 0, and nothing that was tried stands out in the rest."
    )


def test_what_the_other_half_does_not_bear_out_is_no_finding():
    said = paragraph("L1H0", [found(low=0.9)], RESTING, None)
    assert "Nothing that was tried stands out" in said
    assert (
        "also suggested the tokens that followed, but on the other half that is not surely" in said
    )


def test_all_that_is_not_borne_out_is_named():
    said = paragraph("L1H0", [found(low=0.9), found(), found(PREVIOUS, low=0.9)], RESTING, LEFT)
    assert "suggested the tokens that followed and the previous token, but on the other" in said
    assert said.startswith("L1H0 attends more to the tokens that followed than uniform")


def test_without_a_finding_all_that_does_not_rest_is_unexplained():
    said = paragraph("L1H0", [], RESTING, LEFT)
    assert said.endswith("of it is explained by nothing that was tried.")
    assert "explained by none" not in said


def test_a_lift_of_less_than_one_and_a_half_is_no_finding():
    assert is_enriched(found(lift=1.5, low=1.2)[1])
    assert not is_enriched(found(lift=1.49, low=1.2)[1])


def test_what_was_found_later_is_told_as_what_it_adds():
    later = found(RECENT, share=0.2, without=(ht.induction,))
    said = paragraph("L1H0", [found(), later], RESTING, LEFT)
    assert "10.0% [5.0%, 12.5%] to the last eight tokens before it otherwise: 20.0%" in said


def test_without_a_position_that_is_left_out_lifts_are_those_of_all_attention():
    one = found(share=0.4, lift=12.0)
    one[1].update(share=None, share_lift=None)
    said = paragraph("L1H0", [one], None, LEFT)
    assert "20.0% [10.0%, 25.0%] of its attention goes to the tokens that followed, 4 times" in said
    assert "position 0" not in said


def test_an_upper_bound_may_be_missing():
    one = found()
    one[1]["share_lift"]["high"] = None
    assert "12 times [6, inf]" in paragraph("L1H0", [one], RESTING, LEFT)


def test_a_lower_bound_may_be_missing():
    one = found()
    one[1]["mass"]["low"] = None
    one[1]["lift"]["low"] = None
    assert "20.0% [0, 25.0%] of its attention" in paragraph("L1H0", [one], RESTING, LEFT)
    one[1]["share_lift"]["low"] = None
    assert not is_enriched(one[1])


def test_of_a_share_and_a_mass_the_share_decides_whether_it_is_enriched():
    one = found(low=0.9)[1]
    one["lift"] = figure(4.0, 2.0)
    assert not is_enriched(one)
    assert is_enriched(one | {"share_lift": None})


@pytest.mark.parametrize(("low", "enriched"), [(1.01, True), (1.0, False), (0.2, False)])
def test_a_relation_is_enriched_whose_lift_is_surely_over_1(low, enriched):
    assert is_enriched(found(low=low)[1]) is enriched


def test_what_could_not_be_measured_is_not_enriched():
    assert not is_enriched(unmeasured("", "no"))


def test_a_relation_that_english_knows_by_a_functions_name_is_told_by_its_own():
    plain, rest = found(RECENT)[0], found(RECENT, without=(ht.previous,))[0]
    assert english_of(plain) == "that are the last eight tokens before it"
    assert english_of(rest) == (
        "that are the last eight tokens before it and were not found before"
    )
    assert english_of(found()[0]) == ht.induction.english


@pytest.mark.parametrize(("low", "high"), [(0.2, 0.3), (0.1, 0.2)])
def test_a_figure_with_one_bound_of_its_own_has_both(low, high):
    one = found()
    one[1]["mass"] = figure(0.2, low, high)
    assert f" 20.0% [{low:.1%}, {high:.1%}] of its" in paragraph("L1H2", [one], RESTING, LEFT)


def test_what_is_exact_has_no_bounds():
    one = found()
    one[1]["mass"] = figure(0.2, 0.2, 0.2)
    assert paragraph("L1H0", [one], RESTING, LEFT).startswith(
        "L1H0 attends more to the tokens that followed than uniform attention would. 20.0% of its "
        "attention goes to the tokens that followed: 40.0% [20.0%, 50.0%] of what does not rest"
    )
