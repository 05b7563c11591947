"""The size of a report with many claims, and the time to draw and to open it.

500 claims on 500 heads, none of which holds, each with 10 counterexamples and 40 rows of its head,
on documents of 1,024 tokens. Drawing is timed from the record in memory to the file; opening from
the start of the navigation to the end of the load event in headless Chromium, in a new window each
time. The time of the main thread is also printed: it is more reliable on a busy machine. Exits with
1 if the page or the median time to open it is over its limit.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from headtests.report import write_html
from tests.report import large
from tests.report.browser.launching import NONE_FOUND, find_browser, launched

ROUNDS = 5
"""Timed repetitions, after one that is not counted."""
MEGABYTES = 10.0
SECONDS = 2.0
"""Limits: the size of the page, and the median time to open it."""
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


class Seconds(NamedTuple):
    """The time of opening a page."""

    passed: float
    of_processor: float
    """Of the page's main thread."""


def drawing_times(path: Path) -> list[float]:
    """Draw the page several times, and return the seconds of each time."""
    record, times = large.record(), []
    for _ in range(1 + ROUNDS):
        start = time.perf_counter()
        write_html(record, path)
        times.append(time.perf_counter() - start)
    return times[1:]


def opening_times(path: Path, command: str) -> list[Seconds]:
    """Return the time from the start of a navigation to the page's load event."""
    found = []
    with launched(command) as browser:
        for _ in range(1 + ROUNDS):
            page = browser.new_page()
            inside = page.context.new_cdp_session(page)
            inside.send("Performance.enable", {"timeDomain": "threadTicks"})
            page.goto(path.as_uri(), wait_until="load")
            page.wait_for_function(f"{LOADED} > 0")
            metrics = inside.send("Performance.getMetrics")["metrics"]
            of_processor = next(m["value"] for m in metrics if m["name"] == "TaskDuration")
            found.append(Seconds(page.evaluate(LOADED) / 1000, of_processor))
            page.close()
    return found[1:]


def shown(times: list[float]) -> str:
    """Return the median, the least and the greatest time as text."""
    return (
        f"{statistics.median(times):.2f} s ({min(times):.2f} to {max(times):.2f}, n={len(times)})"
    )


def main() -> int:
    """Print size and times; return 1 if one is over its limit."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "page.html"
        drawing = drawing_times(path)
        size = path.stat().st_size / 1e6
        print(f"{large.CLAIMS} claims on as many heads: {size:.1f} MB (limit {MEGABYTES:g})")
        print(f"to draw: {shown(drawing)}")
        command = find_browser()
        if command is None:
            print(f"to open: not measured, {NONE_FOUND}.")
            return int(size > MEGABYTES)
        opening = opening_times(path, command)
        passed = [seconds.passed for seconds in opening]
        print(f"to open: {shown(passed)}, limit {SECONDS:g}")
        print(f"  of processor: {shown([seconds.of_processor for seconds in opening])}")
    return int(size > MEGABYTES or statistics.median(passed) > SECONDS)


if __name__ == "__main__":
    sys.exit(main())
