"""A page fits its window."""

import pytest

from tests.report.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("name", ["everything", "hostile", "incomplete", "many_heads"])
def test_nothing_is_wider_than_the_window(open_page: OpenPage, name: str, script: bool) -> None:
    opened = open_page(name, script=script)
    for unfold in (False, True):
        if unfold:
            opened.unfold()
        for width in (1280, 390, 320):
            opened.resize(width)
            found = opened.too_wide()
            assert not found, "\n".join(found)
