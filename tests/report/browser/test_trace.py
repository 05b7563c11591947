"""The page of a trace, as every reader may see it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from headtests.report.trace import write_trace
from tests.report import traced
from tests.report.browser.opened import Opened

Open = Callable[..., Opened]


@pytest.fixture(name="open_trace")
def _open_trace(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    opened: list[Opened] = []

    def open_one(name: str, *, width: int = 1280, dark: bool = False) -> Opened:
        write_trace(getattr(traced, name)(), tmp_path / "trace.html")
        context = browser.new_context(color_scheme="dark" if dark else "light")
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        opened.append(Opened(page, (tmp_path / "trace.html").as_uri()))
        return opened[-1]

    yield open_one
    faults = [fault for one in opened for fault in one.faults]
    for one in opened:
        one.page.context.close()
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("name", "width", "dark"),
    [("checkpoints", 1280, False), ("checkpoints", 390, True), ("hostile", 1280, False)],
)
def test_axe_finds_nothing_wrong(open_trace: Open, name: str, width: int, dark: bool) -> None:
    opened = open_trace(name, width=width, dark=dark)
    opened.unfold()
    found = opened.violations(colours=name != "hostile")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", ["checkpoints", "hostile", "many"])
def test_nothing_is_wider_than_the_window(open_trace: Open, name: str) -> None:
    opened = open_trace(name)
    opened.unfold()
    for width in (1280, 390, 320):
        opened.resize(width)
        found = opened.too_wide()
        assert not found, "\n".join(found)
