"""What becomes of a claim's test: its outcome, its failure message, and what its report carries.

Works on pytest's reports of one test. Measures and decides nothing.
"""

import ast
import re
import sysconfig
from pathlib import Path

import pytest

import headtests
from headtests.errors import HeadtestsError
from headtests.locations import Location, statement_at
from headtests.plugin.gathering import CARRIED
from headtests.plugin.runs import CLAIMS, DECIDED
from headtests.quantities import Comparison

_PACKAGE = Path(headtests.__file__).parent
_LIBRARIES = tuple(
    Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
NOT_EXCUSED = "xfail excuses a claim that fails, and nothing else; this is another failure."


def explanation(op: str, left: object, right: object) -> list[str] | None:
    """Return the lines that explain a comparison of figures which an assertion refused."""
    from headtests.quantities import explained

    return explained(op, left, right)


def keep_xfail_to_claims(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Undo an xfail that excused something other than an assertion about a claim.

    A model that could not be loaded, a bad marker or a crash in the body stays an error.
    """
    if call.excinfo is None or not (report.skipped and hasattr(report, "wasxfail")):
        return
    if isinstance(call.excinfo.value, pytest.xfail.Exception) or _is_about_a_claim(item, call):
        return
    report.outcome = "failed"
    del report.wasxfail
    report.sections.append(("xfail", NOT_EXCUSED))


def _is_about_a_claim(item: pytest.Item, call: pytest.CallInfo[None]) -> bool:
    """Return whether the assertion that failed asked for a claim's truth, or names a claim."""
    if call.excinfo is None or not isinstance(call.excinfo.value, AssertionError):
        return False
    own = [entry for entry in call.excinfo.traceback if _is_users(entry.path, item)]
    if not own:
        return False
    frame = own[-1].frame
    statement = statement_at(frame.code.raw.co_filename, own[-1].lineno + 1)
    asked = any(
        statement.covers(file, line)
        for decided in item.stash.get(DECIDED, [])
        for file, line in decided.stack
    )
    return asked or any(
        isinstance(value, Comparison) and value.verdict is not None
        for name in _names_in(statement)
        for value in (frame.f_locals.get(name, frame.f_globals.get(name)),)
    )


def _names_in(statement: Location) -> set[str]:
    try:
        tree = ast.parse(statement.source)
    except SyntaxError:
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def show_plainly(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Show an error of ours by its message and the user's own lines, without our frames."""
    if call.excinfo is None or not report.failed or item.config.getoption("fulltrace"):
        return
    if not isinstance(call.excinfo.value, HeadtestsError):
        return
    style = item.config.getoption("tbstyle")
    if any(_is_users(entry.path, item) for entry in call.excinfo.traceback):
        report.longrepr = call.excinfo.getrepr(
            style="short" if style == "auto" else style,
            tbfilter=lambda info: info.traceback.filter(lambda entry: _is_users(entry.path, item)),
            chain=False,
        )
    else:
        report.longrepr = call.excinfo.getrepr(style="value", tbfilter=False, chain=False)


def _is_users(path: Path | str, item: pytest.Item) -> bool:
    """Return whether a file is the user's: the test's own, or neither ours nor a library's."""
    found = Path(path)
    if found == item.path:
        return True
    return found.is_file() and not any(
        found.is_relative_to(folder) for folder in (_PACKAGE, *_LIBRARIES)
    )


def attach_claims(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Put what a test decided on the report that ends it, for whoever prints the run."""
    if report.when == "teardown" or (report.when == "setup" and report.passed):
        return
    carried = {
        "outcome": _outcome(report),
        "reason": str(getattr(report, "wasxfail", "")).removeprefix("reason: "),
        "message": _message(call, report),
        "claims": item.stash.get(CLAIMS, []),
    }
    setattr(report, CARRIED, carried)


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    return "error" if report.failed and report.when == "setup" else report.outcome


def _message(call: pytest.CallInfo[None], report: pytest.TestReport) -> str:
    if call.excinfo is not None and isinstance(call.excinfo.value, HeadtestsError):
        return str(call.excinfo.value)
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else report.longreprtext
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
