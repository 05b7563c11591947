"""A description as it is printed: explanations with what was measured."""

import json

import pytest

from headtests.explanations.description import WIDTH, Description
from tests.report import sample


def test_it_prints_what_was_said_with_what_was_measured():
    description = Description("L0H1", [built_in(), by_model()])
    said = str(description)
    assert said.splitlines()[0] == "L0H1, by built-in:"
    assert "L0H1, by gpt-x at http://localhost:1/v1:" in said
    assert "  holds     L0H1.mass(ht.previous) >= 0.4\n" in said
    assert "mass 0.5 [0.4, 0.6], lift 12 [8, inf] over 65 documents" in said
    assert "'import os' was suggested: expected an expression" in said
    flat = " ".join(said.split())
    assert "it tells 50 pairs from 50 controls with a balanced accuracy of 0.9 [0.8, 0.95]" in flat
    assert "it, shuffled, tells" in flat
    assert "that of another head was not scored: No other head was read." in flat
    assert "made from 63 of 19 texts, measured on 65 of 17 texts" in flat
    assert repr(description) == said


def test_figures_are_told_with_their_bounds_or_as_exact():
    exact = {"value": 0.5, "low": 0.5, "high": 0.5}
    said = str(Description("L0H1", [built_in(suggestions=[suggestion(mass=exact, lift=None)])]))
    assert "mass 0.5 (exact) over 65 documents" in said
    below = {"value": 0.5, "low": None, "high": 0.6}
    said = str(Description("L0H1", [built_in(suggestions=[suggestion(mass=below, lift=exact)])]))
    assert "mass 0.5 [0, 0.6], lift 0.5 (exact) over" in said


def test_a_control_is_told_by_the_head_that_it_is_of():
    scores = [score("another head", head="L0H2") | {"balanced_accuracy": 0.5}]
    said = " ".join(str(Description("L0H1", [built_in(detection=scores)])).split())
    assert "detection: that of L0H2 tells 50 pairs from 50 controls" in said


@pytest.mark.parametrize(
    ("low", "said"),
    [
        (0.71, "It beats its null, the explanation of L0H2: 0.60 on the same pairs."),
        (0.7, "It does not surely beat its null, the explanation of L0H2: 0.60 on the same pairs."),
    ],
)
def test_it_says_which_null_it_beats(low, said):
    null = score("another head", head="L0H2") | {"balanced_accuracy": 0.6, "high": 0.7}
    scores = [score("explanation") | {"low": low}, null]
    assert said in " ".join(str(Description("L0H1", [built_in(detection=scores)])).split())


def test_without_an_explanation_of_another_head_it_says_that_there_is_no_null():
    none = "No explanation of another head was scored on these pairs, so there is no null."
    assert none in " ".join(str(Description("L0H1", [built_in()])).split())
    assert "null" not in str(Description("L0H1", [built_in(detection=[])]))


def test_where_nothing_was_explained_no_documents_are_told():
    failed = built_in(text="", trouble="the server is down.", suggestions=[], detection=[])
    description = Description("L0H1", [failed, by_model()])
    assert description.troubles == ["the server is down."]
    first = str(description).split("\n\n")[0]
    assert first.splitlines() == [
        "L0H1, by built-in:",
        "  no explanation: the server is down.",
    ]


def test_line_breaks_of_a_text_are_spaces():
    said = str(Description("L0H1", [by_model(text="It looks\nback.\tAlways.")]))
    assert "  It looks back.   Always.\n" in said


def test_verdicts_of_any_length_have_expressions_in_one_column():
    verdicts = [suggestion(verdict=word) for word in ("holds", "undecided", "refuted")]
    lines = str(Description("L0H1", [built_in(suggestions=verdicts)])).splitlines()
    assert {line.index("L0H1.mass") for line in lines if "L0H1.mass" in line} == {12}


def test_only_expressions_are_wider_than_a_terminal():
    said = str(Description("L0H1", [built_in(text="word " * 100), by_model()]))
    assert all(len(line) <= WIDTH or "L0H1.mass" in line for line in said.splitlines())


def test_its_text_is_that_of_the_last_who_has_one():
    assert Description("L0H1", [built_in(), by_model()]).text == "It looks back."
    failed = by_model(text="", trouble="the server is down.")
    description = Description("L0H1", [built_in(), failed])
    assert description.text == "L0H1 attends as a previous-token head does."
    assert description.troubles == ["the server is down."]
    assert "no explanation: the server is down." in str(description)
    assert Description("L0H1", []).text == ""


def test_its_suggestions_are_those_that_were_measured():
    suggestions = Description("L0H1", [built_in(), by_model()]).suggestions
    assert [one["expression"] for one in suggestions] == ["L0H1.mass(ht.previous) >= 0.4"] * 2


def test_a_terminal_obeys_nothing_of_it():
    evil = "\x1b[31mred\x1b]0;title\x07\u202e"
    said = str(Description("L0H1", [by_model(text=evil)]))
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "\u202e" not in said
    assert "U+001B[31mred" in said


@pytest.mark.parametrize("indent", [None, 2])
def test_it_is_json_too(indent):
    description = Description("L0H1", [built_in()])
    found = json.loads(description.to_json(indent))
    assert found == {"head": "L0H1", "explanations": [built_in()]}
    assert ("\n" in description.to_json(indent)) == (indent is not None)


def built_in(**changes):
    return {
        "name": "L0H1",
        "explainer": "built-in",
        "server": "",
        "trouble": "",
        "text": "L0H1 attends as a previous-token head does.",
        "explain": {"documents": 63, "texts": 19},
        "measure": {"documents": 65, "texts": 17},
        "suggestions": [suggestion()],
        "detection": [score("explanation"), score("shuffled"), score("another head", head="")],
    } | changes


def by_model(**changes):
    bad = suggestion(said="import os", trouble="expected an expression.", mass=None, lift=None)
    model = {"explainer": "gpt-x", "server": "http://localhost:1/v1", "text": "It looks back."}
    return built_in(**{**model, "suggestions": [suggestion(), bad], "detection": [], **changes})


def suggestion(**changes):
    return {
        "said": "ht.previous",
        "trouble": "",
        "expression": "L0H1.mass(ht.previous) >= 0.4",
        "verdict": "holds",
        "mass": {"value": 0.5, "low": 0.4, "high": 0.6},
        "lift": {"value": 12.0, "low": 8.0, "high": None},
        "documents": 65,
    } | changes


def score(of, head="L0H1"):
    scored = of != "another head"
    return {
        "of": of,
        "head": head,
        "pairs": 50,
        "same_query": 25,
        "same_distance": 25,
        "balanced_accuracy": 0.9 if scored else None,
        "low": 0.8,
        "high": 0.95,
        "trouble": "" if scored else "No other head was read.",
    }


def test_what_a_record_holds_prints():
    for one in sample.record()["explanations"]:
        assert str(Description(one["name"], [one])).startswith(one["name"])
