"""Finds and starts the browser, for tests and the benchmark."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
VARIABLE = "HEADTESTS_BROWSER"
NONE_FOUND = (
    f"no browser: none of {', '.join(NAMES)} is on the path. Install one (apt-get install "
    f"chromium), or set {VARIABLE} to the command of a Chromium"
)


def find_browser() -> str | None:
    """Return the command of a Chromium, or None where there is none.

    Raises `FileNotFoundError` where the environment names one that is not there.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return next(filter(None, map(shutil.which, NAMES)), None)
    if found := shutil.which(named):
        return found
    raise FileNotFoundError(
        f"{VARIABLE} is {named!r}, which is no command. Set it to the path of a Chromium, or "
        f"unset it to look for {', '.join(NAMES)}."
    )


@contextmanager
def launched(command: str) -> Iterator[Browser]:
    """Start a headless browser, and close it at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=command,
            # Containers rarely allow the sandbox, and often have a tiny /dev/shm.
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        try:
            yield browser
        finally:
            browser.close()
