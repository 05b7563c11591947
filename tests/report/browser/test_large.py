"""The largest run that the page is made for."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.report import large
from tests.report.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

_LISTS = """() => [...document.querySelectorAll(
    '.against, article.head > div:not(.explained)'
)].map(list => [
    list.closest('article').className.split(' ')[0],
    list.querySelectorAll('ol.rows > li').length,
    [...list.querySelectorAll(':scope > .quiet, :scope > h4 .quiet')]
        .map(e => e.textContent).join(' '),
])"""


def test_its_page_is_under_ten_megabytes(drawn: Callable[[str], Path]) -> None:
    assert drawn("large").stat().st_size < 10e6


def test_its_page_has_every_claim_and_counts_the_rows_that_it_leaves_out(
    open_page: OpenPage,
) -> None:
    opened = open_page("large")
    page = opened.page
    assert page.locator("table.overview tbody tr").count() == large.CLAIMS
    assert page.locator("article.claim").count() == large.CLAIMS
    lists = page.evaluate(_LISTS)
    assert len(lists) == 3 * large.CLAIMS
    for card, rows, said in lists:
        left_out = sum(
            int(number) for number in re.findall(r"(\d+) (?:more|rows?) in the record", said)
        )
        whole = large.COUNTEREXAMPLES if card == "claim" else large.RANKED
        assert rows + left_out == whole, (card, rows, said)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 1280
    page.fill("#filter-text", "L24H19.mass")
    shown = page.locator("article.claim:not([hidden])")
    assert shown.count() == 1
    assert shown.get_attribute("id") == f"c{large.CLAIMS - 1}"
    assert opened.faults == []
