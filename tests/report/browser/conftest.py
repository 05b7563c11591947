"""A real browser, and pages that it opens as a reader would.

Each worker starts one browser for all tests of this package. It ends after the last of them, and
not with the session: while it runs, Playwright holds an event loop, so that other tests cannot
start theirs.
"""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page

from headtests.records import AtlasRecord, Record
from headtests.report import write_html
from headtests.report.atlas import write_atlas_page, write_comparison
from headtests.report.trace import write_trace
from tests import atlas_records
from tests.report import large, sample, traced
from tests.report.browser.launching import NONE_FOUND, find_browser, launched
from tests.report.browser.opened import Opened
from tests.report.browser.runs import everything, incomplete, many_heads, unexplained, unlike

RECORDS: dict[str, Callable[[], Record]] = {
    "everything": everything,
    "unexplained": unexplained,
    "hostile": sample.hostile_record,
    "incomplete": incomplete,
    "many_heads": many_heads,
    "unlike": unlike,
    "large": large.record,
}
TRACES = {
    "trace": traced.checkpoints,
    "hostile trace": traced.hostile,
    "long trace": traced.many,
}
ATLASES: dict[str, Callable[[], AtlasRecord]] = {
    "atlas": lambda: atlas_records.atlas(corpora=("demo", "repeated-random"), rows=1),
    "hostile atlas": atlas_records.hostile,
}
COMPARED = "compared atlases"
# The policy with which CI services serve uploaded files.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class OpenPage(Protocol):
    """Opens a page by its name in `RECORDS`, `TRACES` or `ATLASES`."""

    def __call__(
        self,
        name: str,
        *,
        width: int = 1280,
        dark: bool = False,
        script: bool = True,
        guarded: bool = False,
    ) -> Opened:
        """Open it from a file, or from a server whose policy forbids scripts."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    command = find_browser()
    if command is None:
        pytest.skip(NONE_FOUND)
    with launched(command) as browser:
        yield browser


@pytest.fixture(scope="package")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("pages")

    def path_of(name: str) -> Path:
        path = folder / f"{name}.html"
        if not path.exists():
            if name in TRACES:
                write_trace(TRACES[name](), path)
            elif name == COMPARED:
                write_comparison(*(atlas_records.atlas(seed=seed) for seed in (0, 1)), path)
            elif name in ATLASES:
                write_atlas_page(ATLASES[name](), path)
            else:
                write_html(RECORDS[name](), path)
        return path

    return path_of


@pytest.fixture(scope="package")
def store(drawn: Callable[[str], Path]) -> Iterator[str]:
    class Store(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = drawn(self.path.strip("/").removesuffix(".html")).read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.fixture(scope="package")
def tabs(browser: Browser) -> dict[bool, list[Page]]:
    """Return idle tabs, with and without scripts, to be reused: opening one is slow."""
    return {True: [], False: []}


@pytest.fixture
def open_page(
    browser: Browser, tabs: dict[bool, list[Page]], drawn: Callable[[str], Path], store: str
) -> Iterator[OpenPage]:
    opened: list[tuple[bool, Opened]] = []

    def open_one(
        name: str,
        *,
        width: int = 1280,
        dark: bool = False,
        script: bool = True,
        guarded: bool = False,
    ) -> Opened:
        path = drawn(name)
        if not tabs[script]:
            context = browser.new_context(java_script_enabled=script)
            context.set_default_timeout(30_000)
            tabs[script].append(context.new_page())
        tab = tabs[script].pop()
        tab.emulate_media(
            media="null",
            color_scheme="dark" if dark else "light",
            # Tests must not look at a page in the middle of an animation.
            reduced_motion="reduce",
        )
        tab.set_viewport_size({"width": width, "height": 900})
        address = f"{store}/{path.name}" if guarded else path.as_uri()
        opened.append((script, Opened(tab, address, guarded)))
        return opened[-1][1]

    yield open_one
    for script, page in opened:
        page.leave()
        tabs[script].append(page.page)
    # No page may have run code of the record or requested anything.
    assert not [fault for _, page in opened for fault in page.faults]
