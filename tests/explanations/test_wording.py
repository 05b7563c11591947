"""The built-in explainer's paragraph: sentences with figures and bounds."""

import pytest

import headtests as ht
from headtests.explanations.measured_suggestions import is_enriched, unmeasured
from headtests.explanations.relation_search import Finding
from headtests.explanations.wording import english_of, paragraph, role_of
from headtests.expressions.library import Named, last_8

INDUCTION = Named(ht.induction, "the tokens that followed", "induction head")
PREVIOUS = Named(ht.previous, "the previous token", "previous-token head")
RECENT = Named(last_8, "the last eight tokens before it")


def figure(value, low=None, high=None):
    return {"value": value, "low": value / 2 if low is None else low, "high": high or value * 1.25}


def found(named=INDUCTION, share=0.4, lift=12.0, low=6.0, relation=None, **changes):
    record = unmeasured("", "") | {
        "verdict": "holds",
        "english": named.relation.english,
        "mass": figure(share / 2),
        "lift": figure(lift / 3),
        "share": figure(share),
        "share_lift": figure(lift, low),
    }
    keys = named.relation if relation is None else relation
    return Finding(named, keys, share / 2, share), record | changes


RESTING, LEFT = figure(0.5), figure(0.2)


def test_a_head_that_mostly_does_what_has_a_name_is_called_by_it():
    assert paragraph("L1H2", [found()], RESTING, LEFT) == (
        "L1H2 attends as an induction head does. 20.0% [10.0%, 25.0%] of its attention goes to the "
        "tokens that followed: 40.0% [20.0%, 50.0%] of what does not rest on position 0, 12 times "
        "[6, 15] what uniform attention would give. 50.0% [25.0%, 62.5%] of its attention rests on "
        "position 0. 20.0% [10.0%, 25.0%] of it is explained by none of this."
    )


@pytest.mark.parametrize(("share", "role"), [(0.3, "previous-token head"), (0.299, "")])
def test_a_head_is_called_by_what_gets_three_tenths_of_what_does_not_rest(share, role):
    one = found(PREVIOUS, share=share)
    assert role_of([one]) == role
    said = paragraph("L0H2", [one], RESTING, LEFT)
    assert said.startswith("L0H2 attends as a previous-token head does.") == bool(role)


def test_where_nothing_is_left_out_it_is_called_by_its_mass():
    one = found(share=0.58)
    one[1].update(share=None, share_lift=None)
    assert role_of([one]) == ""
    one[1]["mass"] = figure(0.3)
    assert role_of([one]) == "induction head"


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
        "L1H0 nearly always rests on position 0; where it does not, it attends as an induction "
        "head does. 20.0%"
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
    assert said.startswith("L1H0 attends as an induction head does.")


def test_without_a_finding_all_that_does_not_rest_is_unexplained():
    said = paragraph("L1H0", [], RESTING, LEFT)
    assert said.endswith("of it is explained by nothing that was tried.")
    assert "explained by none" not in said


def test_a_lift_of_less_than_one_and_a_half_is_no_finding():
    assert is_enriched(found(lift=1.5, low=1.2)[1])
    assert not is_enriched(found(lift=1.49, low=1.2)[1])


def test_what_was_found_later_is_told_as_what_it_adds():
    later = found(RECENT, share=0.2, relation=last_8 & ~ht.induction)
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


def test_a_role_takes_the_first_finding_to_be_most_of_it():
    assert role_of([found(PREVIOUS)]) == "previous-token head"
    assert role_of([found(RECENT), found(PREVIOUS)]) == ""
    assert role_of([]) == ""


def test_a_relation_that_english_knows_by_a_functions_name_is_told_by_its_own():
    plain, rest = found(RECENT)[0], found(RECENT, relation=last_8 & ~ht.previous)[0]
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
        "L1H0 attends as an induction head does. 20.0% of its attention goes to the tokens that "
        "followed: 40.0% [20.0%, 50.0%] of what does not rest"
    )
