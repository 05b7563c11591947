"""A store of artifacts that forbids every script shows the same page."""

import pytest

from tests.report.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", ["everything", "hostile", "incomplete"])
def test_a_page_reads_the_same_under_a_policy_without_scripts(
    open_page: OpenPage, name: str
) -> None:
    guarded, plain = open_page(name, guarded=True), open_page(name, script=False)
    assert guarded.text() == plain.text()
    guarded.unfold()
    plain.unfold()
    assert guarded.text() == plain.text()
    # Styles are let through, so that it also looks the same.
    width = "document.querySelector('main').getBoundingClientRect().width"
    colour = "getComputedStyle(document.body).backgroundColor"
    for looks in (width, colour):
        assert guarded.page.evaluate(looks) == plain.page.evaluate(looks)


def test_the_policy_of_the_store_is_one_that_is_felt(open_page: OpenPage) -> None:
    page = open_page("everything", guarded=True).page
    page.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = 'window.ran = true';
            document.body.append(script);
        }"""
    )
    assert page.evaluate("window.ran") is None
