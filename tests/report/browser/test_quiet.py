"""Nothing of a record runs, and a page asks for nothing."""

import pytest

from tests.report import sample
from tests.report.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", ["everything", "hostile", "incomplete"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_page_asks_for_nothing_and_complains_of_nothing(
    open_page: OpenPage, name: str, dark: bool
) -> None:
    opened = open_page(name, dark=dark)
    opened.unfold()
    opened.resize(390)
    opened.page.wait_for_timeout(50)
    assert opened.faults == []


def test_no_text_of_a_record_becomes_markup_that_runs(open_page: OpenPage) -> None:
    opened = open_page("hostile")
    page = opened.page
    opened.unfold()
    running = """() => [
        document.scripts.length,
        document.querySelectorAll(
            'iframe, object, embed, base, img, image, link:not([href="data:,"])').length,
        [...document.querySelectorAll('*')]
            .filter(e => e.getAttributeNames().some(name => name.startsWith('on'))).length,
        [...document.querySelectorAll('a, form, area')]
            .filter(e => !(e.getAttribute('href') ?? '#').startsWith('#')).length,
    ]"""
    scripts, others, handlers, links = page.evaluate(running)
    assert scripts == open_page("everything").page.evaluate("document.scripts.length")
    assert (others, handlers, links) == (0, 0, 0)
    assert page.evaluate("window.ran") is None
    # What a quote that ends an attribute would have made run.
    for element in page.query_selector_all(".context bdi, .token, summary")[:40]:
        element.dispatch_event("mouseover")
    assert opened.faults == []


def test_every_hostile_string_stands_on_its_page_as_it_is(open_page: OpenPage) -> None:
    text = open_page("hostile").page.evaluate("document.body.textContent")
    for string in (sample.MARKUP, sample.CLOSERS, sample.QUOTES, sample.RIGHT_TO_LEFT):
        assert string in text


def test_what_turns_the_order_of_letters_turns_none_but_its_own(open_page: OpenPage) -> None:
    text = open_page("hostile").page.evaluate("document.documentElement.outerHTML")
    assert not {"\u202e", "\u2066", "\u2067", "\u200f"} & set(text)
