"""The page by keyboard: what Tab reaches, in which order, and that one sees where one is."""

from typing import Any

import pytest

from tests.report.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

_STOPS = "a[href], button, input, select, textarea, summary, [tabindex='0']"
_FOCUS = """() => {
    const element = document.activeElement;
    const [box] = element.getClientRects();
    const style = getComputedStyle(element);
    const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return {
        place: window.stops.indexOf(element),
        what: element.outerHTML.slice(0, 120),
        ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        seen: element.contains(found) || Boolean(found && found.contains(element)
            && !found.matches('html, body, main')),
    };
}"""


def walked(opened: Any) -> list[dict[str, Any]]:
    """Return where Tab goes, from the start of the page until it leaves it."""
    count = opened.page.evaluate(
        """stops => {
            window.stops = [...document.querySelectorAll(stops)].filter(e => e.checkVisibility());
            return window.stops.length;
        }""",
        _STOPS,
    )
    found: list[dict[str, Any]] = []
    while True:
        opened.page.keyboard.press("Tab")
        if opened.page.evaluate("document.activeElement === document.body"):
            return found
        found.append(opened.page.evaluate(_FOCUS))
        assert len(found) <= 2 * count, "Tab goes round and round"


@pytest.mark.parametrize(("width", "script"), [(1280, True), (390, False)])
def test_tab_reaches_everything_in_reading_order_and_shows_where_it_is(
    open_page: OpenPage, width: int, script: bool
) -> None:
    opened = open_page("everything", width=width, script=script)
    opened.unfold()
    path = walked(opened)
    # Chromium also stops at whatever scrolls by itself, which no selector tells.
    places = [stop["place"] for stop in path if stop["place"] >= 0]
    assert places == list(range(opened.page.evaluate("window.stops.length")))
    assert [stop["what"] for stop in path if not stop["ring"]] == []
    assert [stop["what"] for stop in path if not stop["seen"]] == []


def test_the_first_stop_skips_to_the_claims(open_page: OpenPage) -> None:
    page = open_page("everything").page
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.get_attribute("class") == "skip"
    assert skip.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    overview = page.locator("#overview_")
    assert overview.evaluate("section => section.contains(document.activeElement)")


def test_whatever_scrolls_by_itself_can_be_reached(open_page: OpenPage) -> None:
    opened = open_page("incomplete")
    scrolling = opened.page.evaluate(
        """() => [...document.querySelectorAll('body *')].filter(e =>
            ['auto', 'scroll'].includes(getComputedStyle(e).overflowY)
            && e.scrollHeight > e.clientHeight).map(e => e.tabIndex)"""
    )
    assert scrolling
    assert set(scrolling) == {0}
