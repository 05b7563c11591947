"""What all processes of a run found, brought together: claims, heads, sessions, the report.

Lives in the process that prints. Under pytest-xdist the workers' claims arrive on their tests'
reports, and what they measured arrives when they end; without it, both come from this process.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headtests.plugin.selection import given, head_marker

if TYPE_CHECKING:
    from headtests.plugin.runs import Run

RUN: "pytest.StashKey[Run]" = pytest.StashKey()
"""On the config: what this process has opened."""
CARRIED = "headtests"
"""The attribute of a test's report, and the key of a worker's output, that carries records."""


class Gathering:
    """A plugin object that takes records in and writes the report when the run ends."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._tests: dict[str, dict[str, Any]] = {}
        self._sessions: dict[str, dict[str, Any]] = {}
        self._heads: dict[str, dict[str, Any]] = {}
        self._written: list[Path] = []
        self._trouble = ""
        self._record: Any = None

    @property
    def _is_worker(self) -> bool:
        return hasattr(self._config, "workerinput")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what a test decided, in whichever process it ran."""
        carried = getattr(report, CARRIED, None)
        if carried is not None:
            # A test that is run again by a plugin counts as its last run.
            self._tests[report.nodeid] = carried
        elif report.when == "teardown" and report.failed and report.nodeid in self._tests:
            self._tests[report.nodeid]["outcome"] = "error"

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take in what a worker of pytest-xdist measured."""
        self._take(getattr(node, "workeroutput", {}).get(CARRIED, {}))

    def _take(self, measured: dict[str, Any]) -> None:
        for head in measured.get("heads", ()):
            self._heads.setdefault(head["key"], head)
        for session in measured.get("sessions", ()):
            known = self._sessions.setdefault(session["key"], session)
            if known is not session:
                known["documents_run"] = max(known["documents_run"], session["documents_run"])
                for count in ("tokens_run", "tokens_run_twice"):
                    known[count] += session[count]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int | pytest.ExitCode
    ) -> None:
        """Write the report; a worker hands what it measured to the process that prints."""
        run = self._config.stash.get(RUN, None)
        if run is not None:
            measured = run.measured()
            if self._is_worker:
                self._config.workeroutput[CARRIED] = measured  # type: ignore[attr-defined]
            else:
                self._take(measured)
                self._add_unreported(session)
            run.close()
        if not self._is_worker and self._tests:
            self._write(_why_incomplete(session, exitstatus))

    def _add_unreported(self, session: pytest.Session) -> None:
        from headtests.plugin.runs import CLAIMS

        for item in session.items:
            if head_marker(item) is None or item.nodeid in self._tests:
                continue
            claims = item.stash.get(CLAIMS, [])
            outcome = "interrupted" if claims else "not run"
            self._tests[item.nodeid] = {
                "outcome": outcome,
                "reason": "",
                "message": "The run ended before this test did.",
                "claims": claims,
            }

    def _write(self, incomplete_reason: str) -> None:
        from headtests.recording import make_record
        from headtests.records import write_record
        from headtests.report import write_html

        claims, unmeasured = [], []
        for nodeid, test in self._tests.items():
            outcome = {"outcome": test["outcome"], "reason": test["reason"]}
            claims += [claim | outcome for claim in test["claims"]]
            if not test["claims"]:
                message = {"test": nodeid, "message": test["message"]}
                unmeasured.append(message | {"outcome": test["outcome"]})
        self._record = make_record(
            list(self._sessions.values()),  # type: ignore[arg-type]  # plain JSON, from workers too
            list(self._heads.values()),  # type: ignore[arg-type]
            claims,
            unmeasured,  # type: ignore[arg-type]
            root=self._config.rootpath,
            incomplete_reason=incomplete_reason,
        )
        folder = given(self._config, "--headtests-report")
        folder = folder or self._config.getini("headtests_report") or "reports"
        if folder == "none":
            return
        place = self._config.rootpath / str(folder)
        try:
            write_record(self._record, place / "headtests.json")
            write_html(self._record, place / "headtests.html")
        except OSError as error:
            self._trouble = f"the report could not be written to {place}: {error.strerror}"
        else:
            self._written = [place / "headtests.html", place / "headtests.json"]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print a line a claim, what was run, and where the report is."""
        if self._record is None:
            return
        from headtests.plugin.terminal import summary

        summary(terminalreporter, self._record)
        if self._trouble:
            terminalreporter.write_line(self._trouble, red=True)
        if self._written:
            html, record = (_shown(path) for path in self._written)
            terminalreporter.write_line(f"report: {html} (record: {record})")


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _why_incomplete(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> str:
    if exitstatus == pytest.ExitCode.INTERRUPTED:
        stopped = session.shouldstop
        return stopped if isinstance(stopped, str) else "The run was interrupted."
    if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
        return "The run ended in an internal error."
    return session.shouldfail if isinstance(session.shouldfail, str) else ""
