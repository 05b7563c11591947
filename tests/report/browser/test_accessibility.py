"""What axe-core checks by itself, as every reader may see the page."""

import pytest

from tests.report.browser.conftest import OpenPage


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["plain", "hostile", "incomplete", "beside", "searched"])
def test_axe_finds_nothing_wrong(open_page: OpenPage, name: str, width: int) -> None:
    opened = open_page(name, width=width)
    # Whatever colour shows while things are folded also shows when they are not.
    found = opened.violations(colours=False)
    opened.unfold()
    found += opened.violations(colours=name != "hostile" or width == 1280)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["plain", "incomplete", "beside", "searched"])
def test_all_text_stands_out_in_the_dark(open_page: OpenPage, name: str, width: int) -> None:
    opened = open_page(name, width=width, dark=True)
    opened.unfold()
    # Colours are all that the dark changes.
    found = opened.violations("color-contrast", "link-in-text-block")
    assert not found, "\n".join(found)
