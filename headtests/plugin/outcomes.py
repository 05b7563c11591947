"""What becomes of a claim's test: its outcome, its failure message, and what its report carries.

Works on pytest's reports of one test. Measures and decides nothing.
"""

import re
from pathlib import Path

import pytest

import headtests
from headtests.errors import HeadtestsError
from headtests.plugin.gathering import CARRIED
from headtests.plugin.runs import CLAIMS, DECIDED
from headtests.verdicts import Verdict

_PACKAGE = Path(headtests.__file__).parent


def explanation(op: str, left: object, right: object) -> list[str] | None:
    """Return the lines that explain a comparison of figures which an assertion refused."""
    from headtests.quantities import explained

    return explained(op, left, right)


def keep_xfail_to_claims(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Undo an xfail that excused something other than a decided claim.

    A model that could not be loaded, a bad marker or a crash in the body stays an error.
    """
    if not (report.skipped and hasattr(report, "wasxfail")) or call.excinfo is None:
        return
    if isinstance(call.excinfo.value, pytest.xfail.Exception) or _is_about_a_claim(item, call):
        return
    report.outcome = "failed"
    del report.wasxfail


def _is_about_a_claim(item: pytest.Item, call: pytest.CallInfo[None]) -> bool:
    if call.excinfo is None or not isinstance(call.excinfo.value, AssertionError):
        return False
    raised = call.excinfo.traceback[-1]
    file, line = str(raised.path), raised.lineno + 1
    return any(
        comparison.verdict is Verdict.REFUTED
        or (comparison.location is not None and comparison.location.covers(file, line))
        for comparison in item.stash.get(DECIDED, [])
    )


def show_plainly(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Show an error of ours by its message and the user's own lines, without our frames."""
    if call.excinfo is None or not report.failed or item.config.getoption("fulltrace"):
        return
    error = call.excinfo.value
    if not isinstance(error, HeadtestsError):
        return
    message = f"{type(error).__name__}: {error}"
    own = [entry for entry in call.excinfo.traceback if _is_users(entry.path, item)]
    if not own:
        report.longrepr = message
        return
    style = item.config.getoption("tbstyle")
    report.longrepr = call.excinfo.getrepr(
        style="short" if style == "auto" else style,
        tbfilter=lambda info: info.traceback.filter(lambda entry: _is_users(entry.path, item)),
        chain=False,
    )


def _is_users(path: Path | str, item: pytest.Item) -> bool:
    found = Path(path)
    return found.is_relative_to(item.config.rootpath) and not found.is_relative_to(_PACKAGE)


def attach_claims(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put what a test decided on the report that ends it, for whoever prints the run."""
    if report.when == "teardown" or (report.when == "setup" and report.passed):
        return
    carried = {
        "outcome": _outcome(report),
        "reason": str(getattr(report, "wasxfail", "")).removeprefix("reason: "),
        "message": _message(report),
        "claims": item.stash.get(CLAIMS, []),
    }
    setattr(report, CARRIED, carried)


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    return "error" if report.failed and report.when == "setup" else report.outcome


def _message(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else report.longreprtext
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
