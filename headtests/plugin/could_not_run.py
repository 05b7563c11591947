"""A test whose model or corpus the hub could not give now: an error that pytest has no word for.

To pytest such a test is an error or failed; its report carries a mark, from which everything shown
says that it could not run. Asked of every test of every project that has the plugin installed, so
this brings in nothing heavy.
"""

from typing import Any

import pytest

from headtests.errors import OutOfReachError

MARK = "headtests_could_not_run"
"""The attribute that marks a report; it travels from pytest-xdist's workers."""
OUTCOME = "could not run"
PROPERTY: tuple[str, object] = ("outcome", OUTCOME)
"""What JUnit XML says of the test."""
WORD = "COULD NOT RUN"
YELLOW = {"yellow": True}


def could_not_run(report: Any) -> bool:
    """Return whether a report's outcome is that the test could not run."""
    return bool(getattr(report, MARK, False)) and bool(report.failed)


def mark(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Mark the report of a call that ended for want of a model or corpus, and have it say so."""
    raised = None if call.excinfo is None else call.excinfo.value
    if not isinstance(raised, OutOfReachError) or not report.failed:
        return
    setattr(report, MARK, True)
    # JUnit XML reads the report of the tear-down, which is made later.
    for properties in (item.user_properties, report.user_properties):
        if PROPERTY not in properties:
            properties.append(PROPERTY)
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        crash.message = f"{OUTCOME}: {raised}"


def status() -> tuple[str, str, tuple[str, dict[str, bool]]]:
    """Return the category, letter and word of a test that could not run."""
    return OUTCOME, "C", (WORD, YELLOW)
