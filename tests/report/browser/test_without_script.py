"""Everything that matters is read without a script."""

import pytest
from playwright.sync_api import expect

from tests.report.browser.conftest import OpenPage
from tests.report.browser.runs import everything

pytestmark = pytest.mark.browser


def test_every_claim_and_its_verdict_is_read(open_page: OpenPage) -> None:
    page = open_page("everything", script=False).page
    claims = everything()["claims"]
    rows, cards = page.locator("table.overview tbody tr"), page.locator("article.claim")
    assert rows.count() == cards.count() == len(claims)
    for place, claim in enumerate(claims):
        expect(cards.nth(place)).to_contain_text(claim["sentence"], use_inner_text=True)
        for part in (rows.nth(place), cards.nth(place)):
            expect(part).to_contain_text(claim["expression"], use_inner_text=True)
            expect(part).to_contain_text(claim["verdict"], use_inner_text=True)


def test_nothing_that_needs_a_script_shows(open_page: OpenPage) -> None:
    page = open_page("everything", script=False).page
    controls = page.locator("button, input, select, output, form").all()
    assert not [control for control in controls if control.is_visible()]
    assert "JavaScript" not in page.inner_text("body")


def test_a_click_opens_what_is_folded_and_folds_it_again(open_page: OpenPage) -> None:
    page = open_page("hostile", script=False).page
    folded = page.locator("details:not(details details)")
    assert folded.count()
    for place in range(folded.count()):
        details, summary = folded.nth(place), folded.nth(place).locator("> summary")
        before = details.evaluate("details => details.open")
        for opens in (not before, before):
            summary.click(position={"x": 3, "y": 3})
            assert details.evaluate("details => details.open") is opens
            shown = details.evaluate(
                "details => [...details.children].slice(1).some(e => e.checkVisibility())"
            )
            assert shown is opens


def test_tab_reaches_what_is_folded_and_enter_and_space_open_it(open_page: OpenPage) -> None:
    page = open_page("hostile", script=False).page
    folded = page.locator("details:not([open]):not(details details)")
    place = folded.count() - 1
    assert place >= 0
    details = folded.nth(place).element_handle()
    details.query_selector("summary").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert details.evaluate("details => details.firstElementChild === document.activeElement")
    for key in ("Enter", "Space"):
        before = details.evaluate("details => details.open")
        page.keyboard.press(key)
        assert details.evaluate("details => details.open") is not before
