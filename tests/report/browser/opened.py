"""A page that is open in the browser, with the errors, requests and dialogs that it caused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import ConsoleMessage, Dialog, Error, Page, Request

_SETS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_BROAD = """width => {
    const right = e => e.getBoundingClientRect().right;
    const scrolls = e => e && (['auto', 'scroll'].includes(getComputedStyle(e).overflowX)
        || scrolls(e.parentElement));
    const path = e => e === document.body ? 'body'
        : `${path(e.parentElement)} > ${e.tagName.toLowerCase()}.${e.id || e.className}`;
    return [...document.querySelectorAll('body *:not(svg *)')]
        .filter(e => right(e) > width + 1 && !scrolls(e.parentElement)
            && ![...e.children].some(child => right(child) > width + 1))
        .slice(0, 5).map(e => `${path(e)} reaches to ${Math.round(right(e))}`);
}"""


@dataclass
class Opened:
    """An open page and its faults."""

    page: Page
    address: str
    guarded: bool = False
    """Whether its server forbids scripts: a refused script is then no fault."""
    faults: list[str] = field(default_factory=list)
    """Errors, warnings, requests other than for the page itself, and dialogs, in order."""

    def __post_init__(self) -> None:
        for event, heard in self._heard().items():
            self.page.on(event, heard)
        self.page.goto(self.address)

    def leave(self) -> None:
        """Remove the listeners, since the tab is reused."""
        for event, heard in self._heard().items():
            self.page.remove_listener(event, heard)

    def _heard(self) -> dict[Any, Callable[[Any], None]]:
        return {
            "console": self._hear,
            "pageerror": self._break,
            "request": self._see,
            "dialog": self._dismiss,
        }

    def _break(self, error: Error) -> None:
        self.faults.append(f"error: {error}")

    def _hear(self, message: ConsoleMessage) -> None:
        refused = self.guarded and "Content Security Policy" in message.text
        if message.type in ("error", "warning", "assert") and not refused:
            self.faults.append(f"{message.type}: {message.text}")

    def _see(self, request: Request) -> None:
        if request.url.partition("#")[0] != self.address:
            self.faults.append(f"request: {request.url[:200]}")

    def _dismiss(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message[:200]}")
        dialog.dismiss()

    def text(self) -> str:
        """Return the visible text, without folded parts."""
        return self.page.inner_text("body")

    def unfold(self) -> None:
        """Open everything that folds."""
        self.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")

    def violations(self, *rules: str, colours: bool = True) -> list[str]:
        """Return the violations that axe-core finds, one line per rule, with the first element.

        Checks the given rules, or all but those of level AAA. Colour contrast takes most of the
        time and can be left out.
        """
        only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": _SETS}
        options = {
            "runOnly": only,
            "rules": {} if colours else {"color-contrast": {"enabled": False}},
            "resultTypes": ["violations"],
            "preload": False,
        }
        self.page.evaluate("source => { if (!window.axe) (0, eval)(source); }", _axe())
        found: list[dict[str, Any]] = self.page.evaluate(
            "options => axe.run(document, options).then(result => result.violations)", options
        )
        return [
            f"{rule['id']}: {rule['nodes'][0]['target']} and {len(rule['nodes']) - 1} more: "
            f"{rule['nodes'][0]['failureSummary']}"
            for rule in found
        ]

    def resize(self, width: int) -> None:
        """Give the window another width, in CSS pixels."""
        self.page.set_viewport_size({"width": width, "height": 900})

    def too_wide(self) -> list[str]:
        """Return the elements beyond the right edge that can be scrolled to."""
        width = self.page.evaluate("document.documentElement.clientWidth")
        whole = self.page.evaluate("document.scrollingElement.scrollWidth")
        found: list[str] = self.page.evaluate(_BROAD, width)
        return found if whole <= width else [f"the page is {whole} wide in {width}", *found]


@cache
def _axe() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
