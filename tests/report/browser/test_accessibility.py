"""What axe-core checks by itself, as every reader may see the page."""

import pytest

from tests.report.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("name", "width"),
    [("everything", 1280), ("everything", 390), ("hostile", 1280), ("incomplete", 390)],
)
def test_axe_finds_nothing_wrong(open_page: OpenPage, name: str, width: int) -> None:
    opened = open_page(name, width=width)
    # Colours do not depend on what is folded.
    found = opened.violations(colours=False)
    opened.unfold()
    found += opened.violations()
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("name", "width"), [("everything", 1280), ("incomplete", 390)])
def test_all_text_stands_out_in_the_dark(open_page: OpenPage, name: str, width: int) -> None:
    opened = open_page(name, width=width, dark=True)
    opened.unfold()
    # The dark scheme changes colours only.
    found = opened.violations("color-contrast", "link-in-text-block")
    assert not found, "\n".join(found)
