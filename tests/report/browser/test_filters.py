"""Finding claims: what the filters hide, say and give back."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from headtests.records import ClaimRecord
from tests.report import sample
from tests.report.browser.conftest import OpenPage
from tests.report.browser.runs import everything

pytestmark = pytest.mark.browser

CLAIMS = everything()["claims"]


def identities(claims: list[ClaimRecord]) -> list[str]:
    return [claim["id"] for claim in claims]


def shown(page: Page) -> list[str]:
    """Return the ids of the claims that show, in the overview; the cards are the same."""
    found, cards = page.evaluate(
        """() => ['table.overview tbody tr', 'article.claim'].map(parts =>
            [...document.querySelectorAll(parts)].filter(e => e.checkVisibility())
                .map(e => e.id || e.querySelector('th a').hash.slice(1)))"""
    )
    assert cards == found
    return list(found)


def options(select: Locator) -> list[str]:
    values: list[str] = select.evaluate("select => [...select.options].map(o => o.value)")
    return values


def choose(page: Page, select: str, text: str) -> None:
    """Choose the option that a text stands in."""
    option = page.locator(f"{select} option").filter(has_text=text)
    page.locator(select).select_option(option.get_attribute("value"))


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page("unexplained").page


def test_filters_show_where_a_script_runs_and_only_there(open_page: OpenPage) -> None:
    assert open_page("unexplained").page.locator("#filters").is_visible()
    for opened in (open_page("unexplained", script=False), open_page("unexplained", guarded=True)):
        assert not opened.page.locator("#filters").is_visible()


def test_everything_shows_at_first_and_is_counted(page: Page) -> None:
    assert shown(page) == identities(CLAIMS)
    said = page.locator("#filter-count").inner_text()
    assert re.findall(r"\d+", said) == ["7", "7"]


def test_every_filter_begins_with_everything_and_offers_what_there_is(page: Page) -> None:
    assert sorted(options(page.locator("#filter-verdict"))) == ["", "holds", "refuted", "undecided"]
    for select, texts in (
        ("#filter-head", ["L0H1", "L1H3"]),
        ("#filter-model", ["headtests/demo", "other/model"]),
    ):
        offered = page.locator(f"{select} option").all_inner_texts()
        assert options(page.locator(select))[0] == ""
        assert page.locator(select).input_value() == ""
        assert sorted(offered[1:]) == sorted(set(offered[1:]))
        for text in texts:
            assert [offer for offer in offered if text in offer], (select, text)


def test_a_verdict_shows_its_claims_alone(page: Page) -> None:
    for verdict in ("holds", "refuted", "undecided"):
        page.select_option("#filter-verdict", verdict)
        wanted = [claim for claim in CLAIMS if claim["verdict"] == verdict]
        assert shown(page) == identities(wanted)
        said = page.locator("#filter-count").inner_text()
        assert re.findall(r"\d+", said) == [str(len(wanted)), "7"]


def test_a_head_shows_every_claim_that_it_takes_part_in(page: Page) -> None:
    choose(page, "#filter-head", "L0H1")
    wanted = [claim for claim in CLAIMS if "demo L0H1" in claim["heads"]]
    assert len(wanted) == 2
    assert shown(page) == identities(wanted)


def test_a_model_shows_its_claims(page: Page) -> None:
    choose(page, "#filter-model", "other/model")
    assert shown(page) == ["c7"]


def test_what_became_of_comparisons_shows_its_claims(open_page: OpenPage) -> None:
    page = open_page("unexplained").page
    for word, wanted in (
        ("drifted", ["c1", "c3"]),
        ("unchanged", ["c2", "c4", "c6"]),
        ("differs", ["c1"]),
        ("same", ["c2", "c3", "c6"]),
        ("none", ["c5"]),
        ("", ["c1", "c2", "c3", "c4", "c5", "c6", "c7"]),
    ):
        page.select_option("#filter-compared", word)
        assert shown(page) == wanted, word
    page.select_option("#filter-compared", "drifted")
    page.select_option("#filter-verdict", "holds")
    assert shown(page) == []
    page.click("#filter-clear")
    assert len(shown(page)) == 7


def test_words_are_found_whatever_their_case(page: Page) -> None:
    page.locator("#filter-text").press_sequentially("CAPITALS ranked")
    assert shown(page) == identities([claim for claim in CLAIMS if claim["id"] == "c3"])


def test_filters_narrow_each_other(page: Page) -> None:
    page.select_option("#filter-verdict", "refuted")
    page.fill("#filter-text", "capitals")
    assert shown(page) == identities([claim for claim in CLAIMS if claim["id"] == "c3"])
    page.select_option("#filter-verdict", "holds")
    assert shown(page) == []
    assert re.findall(r"\d+", page.locator("#filter-count").inner_text())[-2:] == ["0", "7"]


def test_nothing_that_is_typed_is_a_pattern_or_markup(page: Page) -> None:
    for typed in (".*", "<b>", '"]', "\\"):
        page.fill("#filter-text", typed)
        assert shown(page) == [], typed


def test_clearing_shows_everything_again(page: Page) -> None:
    page.select_option("#filter-verdict", "refuted")
    choose(page, "#filter-model", "other/model")
    page.fill("#filter-text", "induction")
    assert len(shown(page)) == 1
    page.click("#filter-clear")
    assert shown(page) == identities(CLAIMS)
    for control in ("#filter-verdict", "#filter-head", "#filter-model", "#filter-text"):
        assert page.input_value(control) == ""
    assert re.findall(r"\d+", page.locator("#filter-count").inner_text()) == ["7", "7"]


@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_filtered_is_hidden_from_everyone(open_page: OpenPage, width: int) -> None:
    page = open_page("unexplained", width=width).page
    page.select_option("#filter-verdict", "undecided")
    for parts in ("table.overview tbody tr", "article.claim"):
        hidden = page.locator(f"{parts}[hidden]")
        assert hidden.count() == len(CLAIMS) - 1
        assert not [part for part in hidden.all() if part.is_visible()]


def test_filters_are_worked_by_keyboard(page: Page) -> None:
    page.focus("#filter-verdict")
    page.keyboard.type("ref")
    assert page.input_value("#filter-verdict") == "refuted"
    wanted = [claim for claim in CLAIMS if claim["verdict"] == "refuted"]
    assert shown(page) == identities(wanted)
    for place in ("filter-head", "filter-model", "filter-compared", "filter-text"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == place
    page.keyboard.type("capitals")
    assert len(shown(page)) == 1
    page.keyboard.press("Enter")
    assert page.url.endswith(".html"), "Enter sends the form nowhere"
    assert len(shown(page)) == 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "filter-clear"
    page.keyboard.press("Space")
    assert shown(page) == identities(CLAIMS)


def test_what_was_found_is_announced_and_every_control_is_named(page: Page) -> None:
    output = page.locator("#filter-count")
    assert output.evaluate("output => output.tagName") == "OUTPUT"
    assert output.get_attribute("aria-live") in (None, "polite")
    for control in ("#filter-verdict", "#filter-head", "#filter-model", "#filter-text"):
        written = page.locator(control).evaluate(
            "control => [...control.labels[0].childNodes].find(n => n.nodeType === 3).data.trim()"
        )
        assert written


def test_a_link_to_a_claim_that_a_filter_hides_shows_it(page: Page) -> None:
    # The second time the address is already the claim's.
    for _ in range(2):
        page.select_option("#filter-verdict", "holds")
        assert not page.locator("#c4").is_visible()
        page.locator("#heads_ a[href='#c4']").first.click()
        expect(page.locator("#c4")).to_be_visible()
        expect(page.locator("#c4")).to_be_in_viewport()


def test_hostile_names_are_filtered_by_like_any_other(open_page: OpenPage) -> None:
    opened = open_page("hostile")
    page = opened.page
    offered = options(page.locator("#filter-head"))
    assert len(offered) > 1
    for value in offered[1:]:
        page.select_option("#filter-head", value)
        assert shown(page)
    page.select_option("#filter-head", "")
    page.fill("#filter-text", sample.MARKUP)
    assert shown(page)


def test_a_run_without_claims_has_nothing_to_filter(open_page: OpenPage) -> None:
    assert not open_page("incomplete").page.locator("#filters").is_visible()
