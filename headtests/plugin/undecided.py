"""The outcome of a test whose claim stayed undecided.

pytest has no such outcome: to pytest the test failed or was skipped, as `headtests_undecided` sets.
Its report carries a mark, by which the terminal, JUnit XML and the record call it undecided. This
runs for every test of every project with the plugin installed, and so imports nothing heavy.
"""

from typing import Any

import pytest

from headtests.errors import UndecidedError
from headtests.plugin.requests import run_settings

MARK = "headtests_undecided"
"""The attribute that marks a report; it travels from pytest-xdist's workers."""
EXIT_CODE = 10
"""The exit code of a run in which only undecided tests failed; pytest uses codes up to 6."""
PROPERTY: tuple[str, object] = ("outcome", "undecided")
"""The JUnit XML property of the test."""
YELLOW = {"yellow": True}


def is_undecided(report: Any) -> bool:
    """Return whether a report's outcome is undecided."""
    return bool(getattr(report, MARK, False)) and not report.passed


def undecided_error(call: pytest.CallInfo[None]) -> UndecidedError | None:
    """Return the error of an undecided claim that ended a call, as raised or as a skip's cause."""
    raised = None if call.excinfo is None else call.excinfo.value
    if isinstance(raised, pytest.skip.Exception):
        raised = raised.__cause__
    return raised if isinstance(raised, UndecidedError) else None


def skip_if_requested(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Turn the error of an undecided claim into a skip, where `headtests_undecided` is `skip`.

    It runs before the report is made, so that xfail, `--pdb` and other plugins see a skip.
    """
    error = undecided_error(call)
    if error is None or run_settings(item.config).undecided != "skip":
        return
    skip = pytest.skip.Exception(message_of(error))
    skip.__cause__ = error
    call.excinfo = pytest.ExceptionInfo.from_exception(skip.with_traceback(error.__traceback__))


def message_of(error: UndecidedError) -> str:
    """Return an undecided claim's message, which begins with `undecided`.

    >>> message_of(UndecidedError("0.4 [0.3, 0.5]"))
    'undecided: 0.4 [0.3, 0.5]'
    """
    text = str(error)
    return text if text.startswith("undecided") else f"undecided: {text}"


def mark(
    item: pytest.Item, report: pytest.TestReport, error: UndecidedError, file: str, line: int
) -> None:
    """Mark a report as undecided, and set its message and place."""
    setattr(report, MARK, True)
    # JUnit XML reads the report of the teardown, which is made later.
    for properties in (item.user_properties, report.user_properties):
        if PROPERTY not in properties:
            properties.append(PROPERTY)
    crash = getattr(report.longrepr, "reprcrash", None)
    if report.skipped:
        report.longrepr = (file, line, f"Skipped: {message_of(error)}")
    elif crash is not None:
        crash.message, crash.path, crash.lineno = message_of(error), file, line


def mark_for_subtests(report: pytest.TestReport, outcome: str) -> None:
    """Mark the report of a test that passed except for subtests, if all of these are undecided."""
    setattr(report, MARK, outcome == "undecided")


def refuse_rerun(item: pytest.Item) -> None:
    """Keep pytest-rerunfailures from rerunning an undecided test: it would read the same data."""
    if item.config.pluginmanager.hasplugin("rerunfailures"):
        # The condition also stops --force-reruns. Earlier releases of the plugin read the number
        # first, and need it to tear down the module's fixtures in time.
        item.add_marker(pytest.mark.flaky(reruns=0, condition=False), append=False)


def status(report: Any) -> tuple[str, str, tuple[str, dict[str, bool]]]:
    """Return the category, letter and word of an undecided test, or of such a subtest."""
    if isinstance(report.longrepr, str):
        # pytest's text for a test that passed except for its subtests.
        report.longrepr = report.longrepr.replace(" failed subtest", " undecided subtest")
    return "undecided", "U", (word(report), YELLOW)


def word(report: Any) -> str:
    """Return the word before an undecided test's name; for a subtest, with its description."""
    subtest = (report.head_line or "").removeprefix(report.location[2]).strip()
    return f"SUBUNDECIDED{subtest}" if subtest else "UNDECIDED"
