"""The page on paper, where nothing unfolds and nothing shows on hovering."""

import re

import pytest

from tests.report.browser.conftest import OpenPage
from tests.report.browser.opened import Opened
from tests.report.browser.runs import everything

pytestmark = pytest.mark.browser

A4 = 794
"""CSS pixels of its width, margins included."""


@pytest.fixture(params=["everything", "hostile"])
def printed(request: pytest.FixtureRequest, open_page: OpenPage) -> Opened:
    opened = open_page(request.param, width=A4, script=False)
    opened.page.emulate_media(media="print")
    return opened


def test_every_token_has_its_multiple_below_it(printed: Opened) -> None:
    rows = printed.page.evaluate(
        """() => [...document.querySelectorAll('ol.rows .context')].map(row =>
            [...row.querySelectorAll('bdi:not(.u)')].map(token => [
                getComputedStyle(token, '::after').content.replaceAll('"', ''), token.title,
                getComputedStyle(token, '::after').display !== 'none']))"""
    )
    assert len(rows) > 4
    for row in rows:
        for below, whole, shows in row:
            assert shows
            assert re.fullmatch(r"\d[\d.,]*\u00d7?", below), below
            assert below.rstrip("\u00d7") in whole


def test_what_is_folded_on_the_screen_is_unfolded(printed: Opened) -> None:
    hidden = printed.page.evaluate(
        """() => [...document.querySelectorAll('article.claim, article.claim *, ol.rows li')]
            .filter(e => !e.closest('summary, svg, .unseen') && !e.matches('col, wbr'))
            .filter(e => !e.closest('.asked > :not(ul)'))
            .filter(e => !e.checkVisibility({contentVisibilityAuto: true}))
            .map(e => e.outerHTML.slice(0, 80))"""
    )
    assert hidden == []


def test_what_was_asked_is_summed_up_without_its_prompts(open_page: OpenPage) -> None:
    page = open_page("everything", script=False).page
    page.emulate_media(media="print")
    asked = page.locator(".asked").first
    text = asked.inner_text()
    assert "Asked: 6 calls: 5 requests sent" in text
    assert "gpt-x, temperature 0, max_tokens 800" in text
    assert asked.locator("pre").count() > 3
    assert not [pre for pre in asked.locator("pre").all() if pre.is_visible()]


def test_every_claim_and_its_verdict_is_printed(open_page: OpenPage) -> None:
    page = open_page("everything").page
    page.emulate_media(media="print")
    text = page.inner_text("body")
    for claim in everything()["claims"]:
        assert claim["sentence"] in text
        assert claim["expression"] in text
    assert text.count("holds") >= 6


def test_what_only_a_screen_can_do_is_not_printed(open_page: OpenPage) -> None:
    page = open_page("everything").page
    page.emulate_media(media="print")
    for part in ("#filters", "nav", ".skip"):
        assert not page.locator(part).is_visible()


def test_a_page_on_paper_is_not_too_narrow_for_what_stands_on_it(printed: Opened) -> None:
    assert printed.too_wide() == []
    claim = printed.page.locator("table.overview tbody th").first
    assert claim.bounding_box()["width"] >= 120


def test_paper_is_white_and_ink_is_dark_whatever_the_screen(open_page: OpenPage) -> None:
    light, dark = (
        open_page("everything", script=False),
        open_page("everything", script=False, dark=True),
    )
    colours = """() => [...document.querySelectorAll('body, #overview_ *, #c1 *')].map(e => {
        const style = getComputedStyle(e);
        return [style.color, style.backgroundColor, style.borderTopColor, style.fill];
    })"""
    for opened in (light, dark):
        opened.page.emulate_media(media="print")
    assert dark.page.evaluate(colours) == light.page.evaluate(colours)
    assert light.page.evaluate("getComputedStyle(document.body).backgroundColor") in (
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    )


@pytest.mark.parametrize("name", ["everything", "incomplete"])
def test_a_pdf_has_pages(open_page: OpenPage, name: str) -> None:
    content = open_page(name, script=False).page.pdf(format="A4")
    assert content.startswith(b"%PDF-")
    pages = len(re.findall(rb"/Type\s*/Page\b", content))
    assert 1 <= pages <= 40
    assert name == "incomplete" or pages > 3
