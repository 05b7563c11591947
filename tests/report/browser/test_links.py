"""Where the page's links lead."""

import pytest

from tests.report.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

_FOLLOW = """async script => {
    const frame = () => new Promise(done => script
        ? requestAnimationFrame(() => requestAnimationFrame(done)) : done());
    const lost = [];
    const followed = new Set();
    for (const link of document.querySelectorAll('a[href]')) {
        const href = link.getAttribute('href');
        if (followed.has(href)) continue;
        followed.add(href);
        link.click();
        await frame();
        const target = document.getElementById(decodeURIComponent(href.slice(1)));
        if (!href.startsWith('#') || !target) { lost.push(`${href} leads nowhere`); continue; }
        const box = target.getBoundingClientRect();
        if (!target.checkVisibility({visibilityProperty: true}) || !box.width || !box.height)
            lost.push(`${href} is not shown`);
        else if (box.top < -1 || box.top >= innerHeight) lost.push(`${href} is out of sight`);
    }
    return [followed.size, lost];
}"""


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("name", ["everything", "hostile"])
def test_every_link_leads_to_something_that_shows(
    open_page: OpenPage, name: str, script: bool
) -> None:
    page = open_page(name, script=script).page
    followed, lost = page.evaluate(_FOLLOW, script)
    assert lost == []
    assert followed > 10


def test_a_link_can_be_passed_on(open_page: OpenPage) -> None:
    opened = open_page("everything")
    page = opened.page
    page.goto("about:blank")
    opened.faults.clear()
    page.goto(f"{opened.address}#c4")
    assert page.locator("#c4").evaluate(
        "card => card.matches(':target') && card.getBoundingClientRect().top < innerHeight"
    )
