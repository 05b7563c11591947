"""Claims about prompts on the page: the words of each, its row, and what is no proof."""

from html import unescape

import pytest

from headtests.report import render_html
from headtests.report.words.page_budget import Caps
from headtests.report.words.prompt_searches import NO_PROOF, effort, search_card, search_result
from tests.report import sample
from tests.report.parsed_page import Page

CAPS = Caps(5, 5)


def cards(**changes) -> list[str]:
    page = Page(render_html(sample.searched_record(**changes)))
    return [" ".join(article.text.split()) for article in page.all("article", "search")]


def test_a_claim_without_a_find_is_no_proof_and_no_claim_that_holds() -> None:
    _, withstood = cards()
    assert "withstood" in withstood
    assert "holds" not in withstood
    assert "No violation in 2,000 prompts; worst margin 0.0713." in withstood
    assert "The row" not in withstood
    assert NO_PROOF in " ".join(unescape(render_html(sample.searched_record())).split())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"breaking": sample.breaking(how="kept")}, "kept from an earlier run"),
        ({"breaking": sample.breaking(how="unguided")}, "found at random."),
        ({"breaking": sample.breaking(is_smallest=False)}, "A simpler prompt may break the claim"),
    ],
)
def test_how_a_prompt_was_found_is_said(changes, said) -> None:
    broken, *_ = cards(searches=[sample.search(**changes)])
    assert said in broken


@pytest.mark.parametrize(
    ("search", "said"),
    [
        (sample.search(is_least=False), "gives 0.0213 where at most 0.30 was claimed"),
        (sample.withstood(is_whole=True, prompts=30), "all 30 prompts of the family"),
        (sample.withstood(worst=None), "2,000 prompts; none has an eligible row"),
        (sample.withstood(prompts=1), "no violation in 1 prompt; worst"),
    ],
)
def test_what_was_found_is_a_clause(search, said) -> None:
    assert said in search_result(search)


def test_an_effort_without_guidance_says_nothing_of_it() -> None:
    assert effort(sample.withstood(prompts=30, unguided=30, passes=1, known=0)) == (
        "30 prompts tried, in 1 pass through the model."
    )


def test_the_header_counts_broken_claims_and_leads_to_them() -> None:
    page = Page(render_html(sample.searched_record()))
    (tallies,) = page.all("ul", "tallies")
    assert "1 ✕ of 2 claims broken by a prompt" in " ".join(tallies.text.split())
    assert "6 claims and 2 searched claims about the heads of headtests/demo" in page.text
    plain = Page(render_html(sample.searched_record(searches=[sample.withstood()])))
    (tallies,) = plain.all("ul", "tallies")
    assert "broken" not in tallies.text


def test_a_run_of_searches_alone_has_a_page() -> None:
    page = Page(render_html(sample.searched_record(claims=[], explanations=[], heads=[])))
    assert "No claim was decided on documents." in page.text
    assert "2 searched claims about the heads" in page.text
    assert len(page.all("article", "search")) == 2
    # What rows of attention show is explained where there are any.
    assert page.with_id("rows_")


def test_a_run_without_searches_says_nothing_of_them() -> None:
    assert "Searched prompts" not in render_html(sample.record())


def test_a_session_that_is_missing_is_left_out() -> None:
    card = search_card(sample.search(), "search_1", "", CAPS)
    assert card.session == ""
    assert card.anchor == "search_1"
