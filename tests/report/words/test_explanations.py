from typing import Any

import pytest

from headtests.report.words.explanations import (
    PARAGRAPH_LIMIT,
    Explanation,
    FigureText,
    explanation,
    figure,
    in_a_line,
    suggested,
)
from headtests.report.words.page_budget import Caps
from tests.report import sample

ROOMY = Caps(50, 50, prompts=True)


def shown(record: Any, caps: Caps = ROOMY) -> Explanation:
    return explanation(record, "explained_1", "", caps)


def test_the_built_in_explainer_is_told_from_a_language_model() -> None:
    assert shown(sample.explanation()).explainer == ""
    found = shown(sample.of_a_model())
    assert (found.explainer, found.server) == ("gpt-x", "http://127.0.0.1:8000/v1")


def test_what_it_was_made_from_and_measured_on_is_said() -> None:
    assert shown(sample.explanation()).basis == (
        "Made from 104 documents of 19 texts, measured on 96 documents of 18 other texts."
    )
    one: Any = {"documents": 1, "texts": 1}
    none: Any = {"documents": 0, "texts": 0}
    assert shown(sample.explanation(explain=one, measure=none)).basis == (
        "Made from 1 document of 1 text."
    )
    assert shown(sample.explanation(explain=none, measure=one)).basis == (
        "Measured on 1 document of 1 text."
    )
    assert shown(sample.not_explained()).basis == ""


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ((0.31, 0.25, 0.4), FigureText("0.31", "0.25 to 0.40")),
        ((0.31, None, 0.4), FigureText("0.31", "0.40 or less")),
        ((0.31, 0.25, None), FigureText("0.31", "0.25 or more")),
        ((0.31, 0.31, 0.31), FigureText("0.31", "exact")),
        ((0.31, None, None), FigureText("0.31", "")),
        # Rounded alike, and told apart.
        ((0.19996, 0.19991, 0.3), FigureText("0.19996", "0.1999 to 0.30")),
    ],
)
def test_a_figure_has_its_interval_told_apart_from_the_threshold(
    bounds: Any, said: FigureText
) -> None:
    assert figure(sample.bounded(*bounds), "", 0.2) == said


def test_a_suggestion_says_keys_figures_and_what_was_claimed() -> None:
    found = suggested(sample.suggestion())
    assert found.keys == "keys that are an earlier occurrence of the query's token"
    assert (found.verdict, found.symbol) == ("holds", "\u2713")
    assert found.mass == FigureText("0.31", "0.25 to 0.40")
    assert found.lift == FigureText("14.8\u00d7", "11.2 to 19.1\u00d7")
    assert found.share == FigureText("0.84", "0.79 to 0.89")
    assert found.share_lift == FigureText("21.4\u00d7", "17.9 to 25\u00d7")
    assert (found.claimed, found.documents, found.rows) == ("\u2265 0.20", "96", "6,120 rows")
    assert found.python == sample.PYTHON


def test_a_mass_is_told_apart_from_what_was_claimed() -> None:
    close = sample.suggestion(mass=sample.bounded(0.39996, 0.3, 0.5), threshold=0.4)
    assert suggested(close).mass.value == "0.39996"


def test_a_suggestion_without_figures_says_that_there_are_none() -> None:
    found = suggested(
        sample.suggestion(
            verdict=None, mass=None, lift=None, threshold=None, documents=None, rows=None
        )
    )
    assert found.mass == found.lift == FigureText("not measured", "")
    assert (found.verdict, found.symbol) == ("", "")
    assert (found.claimed, found.documents, found.rows) == ("", "", "")


def test_shares_of_what_does_not_rest_are_told_where_something_rests() -> None:
    assert shown(sample.explanation()).has_shares
    none: Any = {"share": None, "share_lift": None}
    found = shown(sample.explanation(suggestions=[sample.suggestion(**none)]))
    assert not found.has_shares
    assert found.suggestions[0].share is None


def test_suggestions_stay_in_the_order_of_the_record_and_those_in_trouble_stand_apart() -> None:
    found = shown(sample.of_a_model())
    assert [one.verdict for one in found.suggestions] == ["holds", "refuted"]
    (trouble,) = found.unmeasured
    assert trouble.said == "__import__('os').system('ls')"
    assert trouble.trouble.startswith("It is no expression of headtests")


def test_what_is_unexplained_and_what_rests_are_told() -> None:
    assert shown(sample.explanation()).facts == [
        ("Unexplained mass", FigureText("0.06", "0.04 to 0.09")),
        ("Resting mass", FigureText("0.63", "0.60 to 0.67")),
    ]
    assert shown(sample.not_explained()).facts == []


def test_a_score_stands_beside_its_controls() -> None:
    own, shuffled, other = shown(sample.explanation()).scored
    assert (own.what, own.accuracy) == ("This explanation", FigureText("0.825", "0.76 to 0.88"))
    assert (own.found, own.same_query, own.same_distance) == ("46 of 60", "51 of 60", "55 of 60")
    # What was scored is said where it is another text than the paragraph.
    assert (own.explanation, own.note) == ("", "")
    assert shuffled.what == "Its findings, on shuffled pairs"
    assert other.what == "The explanation of L0H1"
    assert other.explanation == "L0H1 attends to the token before the query."
    assert shown(sample.of_a_model()).scored[1].what == "Its words, shuffled"


def test_what_was_not_answered_and_not_scored_is_said() -> None:
    own, _, other = shown(sample.of_a_model()).scored
    assert own.note == "4 of 180 got no usable answer and count as wrong."
    assert other.accuracy == FigureText("not scored", "")
    assert (other.found, other.same_query, other.same_distance) == ("none", "none", "none")
    assert other.note == "The budget of 40 calls was used up."
    nobody = sample.detection(of="another head", head="")
    (line,) = shown(sample.explanation(detection=[nobody])).scored
    assert line.what == "The explanation of another head"
    both = sample.detection(unanswered=1, trouble="Slow.")
    (line,) = shown(sample.explanation(detection=[both])).scored
    assert line.note == "1 of 180 got no usable answer and count as wrong. Slow."


def test_a_trouble_is_told() -> None:
    found = shown(sample.not_explained())
    assert found.trouble.startswith("The server answered 503")
    assert (found.text, found.suggestions, found.scored) == ("", [], [])
    assert found.asked is not None


def test_a_long_paragraph_is_cut_and_its_length_said() -> None:
    found = shown(sample.of_a_model(text="word " * 5_000))
    assert len(found.text) < PARAGRAPH_LIMIT + 30
    assert found.text.endswith("(25,000 characters)")


def test_a_crowded_page_shows_the_best_alone_and_says_so() -> None:
    found = shown(sample.of_a_model(), Caps(1, 0, is_brief=True))
    assert [one.verdict for one in found.suggestions] == ["holds"]
    assert (found.unmeasured, found.scored, found.asked) == ([], [], None)
    assert found.left_out == "The rest is in the record only."
    assert found.text == sample.MODEL_TEXT
    bare = sample.explanation(suggestions=[sample.suggestion()], detection=[])
    assert shown(bare, Caps(1, 0, is_brief=True)).left_out == ""


@pytest.mark.parametrize("left", ["an unparsed suggestion", "a score", "a call"])
def test_anything_that_is_left_out_is_said(left: str) -> None:
    left_out: dict[str, dict[str, Any]] = {
        "an unparsed suggestion": {"suggestions": [sample.unparsed()]},
        "a score": {"detection": [sample.detection()]},
        "a call": {"calls": [sample.call()]},
    }
    bare: dict[str, Any] = {"suggestions": [], "detection": [], "calls": [], **left_out[left]}
    found = shown(sample.of_a_model(**bare), Caps(1, 0, is_brief=True))
    assert found.left_out == "The rest is in the record only."


def test_a_line_of_a_summary_has_keys_and_figures() -> None:
    assert in_a_line(sample.suggestion()) == (
        "keys that are an earlier occurrence of the query's token "
        "(mass 0.31 [0.25, 0.40], lift 14.8, 0.84 [0.79, 0.89] of the attention that does not rest)"
    )
    bare = sample.suggestion(mass=sample.bounded(0.3, None, None), lift=None, share=None)
    assert in_a_line(bare).endswith("token (mass 0.30)")
    long = in_a_line(sample.suggestion(english="x" * 5_000))
    assert long.endswith("lift 14.8, 0.84 [0.79, 0.89] of the attention that does not rest)")
    assert len(long) < 250
