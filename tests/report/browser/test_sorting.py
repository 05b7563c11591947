"""Sorting the overview by a column."""

import re

import pytest
from playwright.sync_api import Locator, Page

from tests.report.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page("unlike").page


def header(page: Page, name: str) -> Locator:
    return page.locator("table.overview thead th").filter(has_text=re.compile(rf"^\W*{name}\W*$"))


def press(page: Page, name: str) -> None:
    """Press a column's button as somebody with a keyboard does, who needs not see it."""
    header(page, name).locator("button").focus()
    page.keyboard.press("Enter")


def order(page: Page) -> str:
    """Return the claims' letters from top to bottom."""
    return "".join(text[0] for text in page.locator("table.overview tbody th").all_inner_texts())


def test_claims_stand_in_the_order_of_the_record_at_first(page: Page) -> None:
    assert order(page) == "DAECB"
    assert page.locator("th[aria-sort]:not([aria-sort=none])").count() == 0


@pytest.mark.parametrize("name", ["Against its threshold", "Estimate", "Documents", "E-value"])
def test_figures_sort_as_numbers(page: Page, name: str) -> None:
    press(page, name)
    first = header(page, name).get_attribute("aria-sort")
    assert (first, order(page)) in (("ascending", "ABCDE"), ("descending", "EDCBA"))
    press(page, name)
    second = header(page, name).get_attribute("aria-sort")
    assert {first, second} == {"ascending", "descending"}
    assert order(page) == {"ascending": "ABCDE", "descending": "EDCBA"}[second]


def test_claims_sort_as_words(page: Page) -> None:
    press(page, "Claim")
    assert (header(page, "Claim").get_attribute("aria-sort"), order(page)) == (
        "ascending",
        "ABCDE",
    )


def test_one_column_says_that_it_is_sorted(page: Page) -> None:
    press(page, "Estimate")
    press(page, "Claim")
    sorted_by = page.locator("th[aria-sort]:not([aria-sort=none])")
    assert sorted_by.count() == 1
    assert sorted_by.inner_text().split()[0] == "Claim"


def test_equal_claims_keep_their_order(page: Page) -> None:
    press(page, "Verdict")
    assert order(page) == "DAECB"
    press(page, "Verdict")
    assert order(page) == "DAECB"


def test_focus_stays_on_the_button_and_space_works_too(page: Page) -> None:
    press(page, "Documents")
    before = order(page)
    page.keyboard.press("Space")
    assert order(page) == before[::-1]
    focused = page.evaluate("document.activeElement.closest('th')?.innerText")
    assert focused.split()[0] == "Documents"


@pytest.mark.parametrize("width", [1280, 390])
def test_a_click_sorts(open_page: OpenPage, width: int) -> None:
    page = open_page("unlike", width=width).page
    header(page, "Claim").locator("button").click()
    assert order(page) == "ABCDE"


def test_sorting_keeps_what_is_filtered(page: Page) -> None:
    page.fill("#filter-text", "C.lift")
    press(page, "Estimate")
    visible = [row for row in page.locator("table.overview tbody tr").all() if row.is_visible()]
    assert [row.locator("th").inner_text()[0] for row in visible] == ["C"]
    page.click("#filter-clear")
    assert sorted(order(page)) == list("ABCDE")


def test_every_column_sorts_and_loses_nothing(open_page: OpenPage) -> None:
    page = open_page("everything").page
    rows = page.locator("table.overview tbody tr")
    before = sorted(rows.all_inner_texts())
    buttons = page.locator("table.overview thead th button")
    assert buttons.count() == page.locator("table.overview thead th").count()
    for button in buttons.all():
        for _ in range(2):
            button.click()
            assert sorted(rows.all_inner_texts()) == before


def test_a_button_is_called_as_its_column(page: Page) -> None:
    for name in ("Verdict", "Claim", "Estimate", "Documents", "E-value", "e-BH"):
        button = page.get_by_role("button", name=name, exact=True)
        assert button.count() == 1, name


def test_an_exact_verdict_is_the_strongest_evidence(open_page: OpenPage) -> None:
    page = open_page("everything").page
    press(page, "E-value")
    if header(page, "E-value").get_attribute("aria-sort") == "ascending":
        press(page, "E-value")
    anchors = page.locator("table.overview tbody th a").evaluate_all(
        "links => links.map(link => link.hash.slice(1))"
    )
    # c5 was read to its end, and c3 compared exactly: both are shown so.
    assert set(anchors[:2]) == {"c3", "c5"}
    assert anchors.index("c6") < anchors.index("c2") < anchors.index("c1") < anchors.index("c4")
