"""The outcome of a test whose model or corpus could not be downloaded now.

pytest has no such outcome: to pytest the test failed or is an error. Its report carries a mark, by
which the terminal, JUnit XML and the record say that it could not run. This runs for every test of
every project with the plugin installed, and so imports nothing heavy.
"""

from typing import Any

import pytest

from headtests.errors import OutOfReachError

MARK = "headtests_could_not_run"
"""The attribute that marks a report; it travels from pytest-xdist's workers."""
OUTCOME = "could not run"
PROPERTY: tuple[str, object] = ("outcome", OUTCOME)
"""The JUnit XML property of the test."""
WORD = "COULD NOT RUN"
YELLOW = {"yellow": True}


def could_not_run(report: Any) -> bool:
    """Return whether a report says that its test could not run."""
    return bool(getattr(report, MARK, False)) and bool(report.failed)


def mark(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Mark the report of a call that ended because a model or corpus is out of reach."""
    raised = None if call.excinfo is None else call.excinfo.value
    if not isinstance(raised, OutOfReachError) or not report.failed:
        return
    setattr(report, MARK, True)
    # JUnit XML reads the report of the teardown, which is made later.
    for properties in (item.user_properties, report.user_properties):
        if PROPERTY not in properties:
            properties.append(PROPERTY)
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        crash.message = f"{OUTCOME}: {raised}"


def status() -> tuple[str, str, tuple[str, dict[str, bool]]]:
    """Return the category, letter and word of a test that could not run."""
    return OUTCOME, "C", (WORD, YELLOW)
