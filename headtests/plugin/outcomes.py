"""The reports of one test with claims: outcome, failure message and the records they carry.

Changes pytest's reports. Measures and decides nothing.
"""

import ast
import re
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from headtests.claims.arithmetic import explanation_of
from headtests.claims.call_site import Location, statement_at
from headtests.claims.comparison import Comparison, Equivalence
from headtests.claims.verdicts import Verdict
from headtests.errors import HeadtestsError
from headtests.io.escaping import legible, without_surrogates
from headtests.plugin import could_not_run, undecided
from headtests.plugin.stash import (
    CLAIM_RECORDS,
    DECIDED,
    OUTPUT,
    SEARCH_RECORDS,
    SEARCHED,
    SUBTESTS,
    DecidedClaim,
    SearchedClaim,
)
from headtests.plugin.worker_output import CARRIED, TestOutput
from headtests.prompts.withstands import Withstands
from headtests.records import ClaimRecord, SearchRecord

_PACKAGE = Path(__file__).parent.parent
_LIBRARIES = tuple(
    Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
NOT_EXCUSED = "xfail excuses a claim that fails, and nothing else; this is another failure."
NOT_EXCUSED_UNDECIDED = "xfail excuses a claim that fails, and nothing else; this one is undecided."


def explanation(op: str, left: object, right: object) -> list[str] | None:
    """Return the lines that explain a failed assertion about a comparison of figures."""
    lines = explanation_of(op, left, right)
    return None if lines is None else list(map(legible, lines))


def keep_xfail_to_claims(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Undo an xfail for anything but a failed assertion about a decided claim.

    A model that could not be loaded, a bad marker or a crash in the body stays an error, and an
    undecided claim stays undecided.
    """
    if call.excinfo is None or not (report.skipped and hasattr(report, "wasxfail")):
        return
    if isinstance(call.excinfo.value, pytest.xfail.Exception) or _is_about_a_claim(item, call):
        return
    report.outcome = "failed"
    del report.wasxfail
    is_undecided = undecided.undecided_error(call) is not None
    report.sections.append(("xfail", NOT_EXCUSED_UNDECIDED if is_undecided else NOT_EXCUSED))


def _is_about_a_claim(item: pytest.Item, call: pytest.CallInfo[None]) -> bool:
    """Return whether the failed assertion evaluated a claim, or names one."""
    if call.excinfo is None or not isinstance(call.excinfo.value, AssertionError):
        return False
    own = [entry for entry in call.excinfo.traceback if _is_users(entry.path, item)]
    if not own:
        return False
    frame = own[-1].frame
    statement = statement_at(frame.code.raw.co_filename, own[-1].lineno + 1)
    stacks = [
        decided.stack for decided in item.stash.get(DECIDED, []) if _is_decided(decided.comparison)
    ]
    stacks += [searched.stack for searched in item.stash.get(SEARCHED, [])]
    is_evaluated = any(statement.covers(file, line) for stack in stacks for file, line in stack)
    return is_evaluated or any(
        _is_decided(frame.f_locals.get(name, frame.f_globals.get(name)))
        for name in _names_in(statement)
    )


def _is_decided(value: object) -> bool:
    """Return whether a value is a claim that was evaluated and decided."""
    if isinstance(value, Equivalence):
        return any(map(_is_decided, value.parts))
    if isinstance(value, Withstands):
        return value.is_searched
    return isinstance(value, Comparison) and value.verdict not in (None, Verdict.UNDECIDED)


def note_counterexamples(item: pytest.Item, error: BaseException) -> None:
    """Add the counterexamples of the failed assertion's claims about prompts to the error."""
    if not isinstance(error, AssertionError):
        return
    entries = list(pytest.ExceptionInfo.from_exception(error).traceback)
    own = [entry for entry in entries if _is_users(entry.path, item)]
    if not own:
        return
    frame = own[-1].frame
    statement = statement_at(frame.code.raw.co_filename, own[-1].lineno + 1)
    for searched in item.stash.get(SEARCHED, []):
        is_asked = any(statement.covers(file, line) for file, line in searched.stack)
        if searched.claim.counterexample is not None and is_asked:
            error.add_note("\n".join(searched.claim.explanation()))


def _names_in(statement: Location) -> set[str]:
    try:
        tree = ast.parse(statement.source)
    except SyntaxError:
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def show_plainly(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Show a headtests error by its message and the user's own lines, without internal frames."""
    if (
        call.excinfo is None
        or not report.failed
        or item.config.getoption("fulltrace", default=False)
    ):
        return
    if not isinstance(call.excinfo.value, HeadtestsError):
        return
    style = item.config.getoption("tbstyle", default="auto")
    if any(_is_users(entry.path, item) for entry in call.excinfo.traceback):
        report.longrepr = call.excinfo.getrepr(
            style="short" if style == "auto" else style,
            tbfilter=lambda info: info.traceback.filter(lambda entry: _is_users(entry.path, item)),
            chain=False,
        )
    else:
        report.longrepr = call.excinfo.getrepr(style="value", tbfilter=False, chain=False)
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        # The short summary cuts it at the width of the terminal, and the class says more.
        crash.message = crash.message.removeprefix("headtests.errors.")


def make_legible(item: pytest.Item, report: pytest.TestReport) -> None:
    """Write out what a terminal would obey in the message of a failure, whoever raised it.

    pytest's own colours stay: they are in the message where the terminal shows colours. In the
    test's name, JUnit XML cannot take lone surrogates: bytes of a file's name that are no UTF-8.
    """
    report.nodeid = without_surrogates(report.nodeid)
    report.location = without_surrogates(report.location)
    longrepr: Any = report.longrepr
    reporter: Any = item.config.pluginmanager.get_plugin("terminalreporter")
    is_coloured = reporter is not None and reporter.hasmarkup

    def shown(text: str) -> str:
        pieces = _COLOUR.split(text) if is_coloured else [text]
        return "".join(
            piece if is_coloured and _COLOUR.fullmatch(piece) else legible(piece)
            for piece in pieces
        )

    if isinstance(longrepr, str):
        report.longrepr = shown(longrepr)
    elif isinstance(longrepr, tuple):
        report.longrepr = (*longrepr[:2], shown(longrepr[2]))
    for traceback, crash, _ in getattr(longrepr, "chain", ()):
        if crash is not None:
            crash.message = shown(crash.message)
        for entry in traceback.reprentries:
            entry.lines[:] = map(shown, entry.lines)
            place = getattr(entry, "reprfileloc", None)
            if place is not None:
                place.message = shown(place.message)


def _is_users(path: Path | str, item: pytest.Item) -> bool:
    """Return whether a file is the user's: the test's own, or outside headtests and libraries."""
    file = Path(path)
    if file == item.path:
        return True
    return file.is_file() and not any(
        file.is_relative_to(folder) for folder in (_PACKAGE, *_LIBRARIES)
    )


def call_undecided(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Mark the report of a call that an undecided claim ended, and prevent reruns."""
    error = undecided.undecided_error(call)
    if error is None or call.excinfo is None or report.passed:
        return
    entries = list(call.excinfo.traceback)
    entry = next((e for e in reversed(entries) if _is_users(e.path, item)), entries[-1])
    undecided.mark(item, report, error, str(entry.path), entry.lineno + 1)
    undecided.refuse_rerun(item)


def attach_claims(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Attach what a test decided to the report that ends it; `run_report` reads it."""
    subtests = item.stash.get(SUBTESTS, None)
    if subtests is not None and subtests.running:
        _settle_subtest(item, call, report)
        return
    if report.when == "setup" and report.passed:
        return
    claims = item.stash.get(CLAIM_RECORDS, []).copy()
    searches = item.stash.get(SEARCH_RECORDS, []).copy()
    before = item.stash.get(OUTPUT, None)
    output = TestOutput(
        outcome=_outcome(report),
        reason=_reason(report),
        message=_message(call, report),
        claims=claims,
        searches=searches,
    )
    if report.when == "teardown" and before is not None:
        known = len(before["claims"]) + len(before["searches"])
        if report.passed and len(claims) + len(searches) == known:
            return
        # A fixture with a wider scope may have failed, or decided claims, after the test.
        outcome = output["outcome"]
        if outcome not in ("error", could_not_run.OUTCOME) and (
            outcome != "undecided" or before["outcome"] == "failed"
        ):
            outcome = before["outcome"]
        output = {**before, "outcome": outcome, "claims": claims, "searches": searches}
    elif subtests is not None and subtests.failed and output["outcome"] == "passed":
        # pytest fails such a test only when it prints the report.
        output["outcome"] = subtests.outcome
        undecided.mark_for_subtests(report, subtests.outcome)
    item.stash[OUTPUT] = output
    setattr(report, CARRIED, output)


def _settle_subtest(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Give the claims that a subtest decided the subtest's own outcome."""
    outcome, reason = _outcome(report), _reason(report)
    claims: list[DecidedClaim | SearchedClaim] = [*item.stash[DECIDED], *item.stash[SEARCHED]]
    records: list[ClaimRecord | SearchRecord] = [
        *item.stash[CLAIM_RECORDS],
        *item.stash[SEARCH_RECORDS],
    ]
    for claim, record in zip(claims, records, strict=True):
        if claim.time >= call.start and not record["outcome"]:
            record["outcome"], record["reason"] = outcome, reason
    if report.failed:
        item.stash[SUBTESTS].failed.append(outcome)


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    if undecided.is_undecided(report):
        return "undecided"
    if could_not_run.could_not_run(report):
        return could_not_run.OUTCOME
    return "error" if report.failed and report.when != "call" else report.outcome


def _reason(report: pytest.TestReport) -> str:
    return str(getattr(report, "wasxfail", "")).removeprefix("reason: ")


def _message(call: pytest.CallInfo[None], report: pytest.TestReport) -> str:
    if call.excinfo is not None and isinstance(call.excinfo.value, HeadtestsError):
        return str(call.excinfo.value)
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else report.longreprtext
    return _COLOUR.sub("", text)
