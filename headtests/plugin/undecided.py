"""A test whose claim stayed undecided: an outcome that pytest does not know.

To pytest such a test failed or was skipped, as `headtests_undecided` says; its report carries a
mark, from which everything shown calls it undecided. Asked of every test of every project that
has the plugin installed, so this brings in nothing heavy.
"""

from typing import Any

import pytest

from headtests.errors import UndecidedError
from headtests.plugin.requests import run_settings

MARK = "headtests_undecided"
"""The attribute that marks a report; it travels from pytest-xdist's workers."""
EXIT_CODE = 10
"""Of a run in which undecided tests are all that failed; pytest has those up to 6."""
PROPERTY: tuple[str, object] = ("outcome", "undecided")
"""What JUnit XML says of the test."""
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


def skip_if_wished(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Have a call that an undecided claim ended end by a skip, where the settings say so.

    Before its report is made, so that xfail, `--pdb` and all others take it for a skip.
    """
    error = undecided_error(call)
    if error is None or run_settings(item.config).undecided != "skip":
        return
    skip = pytest.skip.Exception(said(error))
    skip.__cause__ = error
    call.excinfo = pytest.ExceptionInfo.from_exception(skip.with_traceback(error.__traceback__))


def said(error: UndecidedError) -> str:
    """Return an undecided claim's message as it stands where the outcome does not.

    >>> said(UndecidedError("0.4 [0.3, 0.5]"))
    'undecided: 0.4 [0.3, 0.5]'
    """
    text = str(error)
    return text if text.startswith("undecided") else f"undecided: {text}"


def mark(
    item: pytest.Item, report: pytest.TestReport, error: UndecidedError, file: str, line: int
) -> None:
    """Mark a report, and have it say `undecided`, and where, wherever its message stands."""
    setattr(report, MARK, True)
    # JUnit XML reads the report of the tear-down, which is made later.
    for properties in (item.user_properties, report.user_properties):
        if PROPERTY not in properties:
            properties.append(PROPERTY)
    crash = getattr(report.longrepr, "reprcrash", None)
    if report.skipped:
        report.longrepr = (file, line, f"Skipped: {said(error)}")
    elif crash is not None:
        crash.message, crash.path, crash.lineno = said(error), file, line


def mark_for_subtests(report: pytest.TestReport, outcome: str) -> None:
    """Mark the report of a test that passed where undecided subtests are all that failed."""
    setattr(report, MARK, outcome == "undecided")


def refuse_rerun(item: pytest.Item) -> None:
    """Have pytest-rerunfailures leave an undecided test alone: its documents stay the same."""
    if item.config.pluginmanager.hasplugin("rerunfailures"):
        # The condition refuses what --force-reruns asks for. The number has earlier releases of
        # the plugin, which look at it first, tear the fixtures of the module down in time.
        item.add_marker(pytest.mark.flaky(reruns=0, condition=False), append=False)


def status(report: Any) -> tuple[str, str, tuple[str, dict[str, bool]]]:
    """Return the category, letter and word of an undecided test, or of such a subtest."""
    if isinstance(report.longrepr, str):
        # What pytest says of a test that passed but for its subtests.
        report.longrepr = report.longrepr.replace(" failed subtest", " undecided subtest")
    return "undecided", "U", (word(report), YELLOW)


def word(report: Any) -> str:
    """Return what stands before an undecided test's name; a subtest's names itself there."""
    subtest = (report.head_line or "").removeprefix(report.location[2]).strip()
    return f"SUBUNDECIDED{subtest}" if subtest else "UNDECIDED"
