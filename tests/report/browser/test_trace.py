"""The page of a trace, as every reader may see it."""

import pytest

from tests.report.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("name", "width", "dark"), [("trace", 1280, False), ("trace", 390, True)])
def test_axe_finds_nothing_wrong(open_page: OpenPage, name: str, width: int, dark: bool) -> None:
    opened = open_page(name, width=width, dark=dark)
    opened.unfold()
    found = opened.violations()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", ["trace", "hostile trace", "long trace"])
def test_nothing_is_wider_than_the_window(open_page: OpenPage, name: str) -> None:
    opened = open_page(name)
    opened.unfold()
    for width in (1280, 390, 320):
        opened.resize(width)
        found = opened.too_wide()
        assert not found, "\n".join(found)
