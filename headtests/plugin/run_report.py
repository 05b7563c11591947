"""The report of a run: merges what all processes decided and measured, and writes the record.

Works in the controller. Under pytest-xdist the claims arrive on the reports of tests, and what a
worker measured when it ends; otherwise both come from this process. Merging is `worker_output`.
"""

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headtests.io.escaping import without_surrogates
from headtests.plugin.could_not_run import OUTCOME
from headtests.plugin.failures import costing
from headtests.plugin.requests import is_claim, on_command_line, run_settings
from headtests.plugin.stash import CLAIM_RECORDS, SEARCH_RECORDS
from headtests.plugin.undecided import EXIT_CODE, is_undecided
from headtests.plugin.worker_output import CARRIED, MergedOutput, TestOutput

if TYPE_CHECKING:
    from headtests.plugin.run import Run
    from headtests.records import (
        ClaimRecord,
        Record,
        SearchRecord,
        UnmeasuredRecord,
    )

RUN: "pytest.StashKey[Run]" = pytest.StashKey()
"""On the config, in a run with claims: the sessions and claims of this process."""


class RunReport:
    """A plugin object that collects records and writes the report when the run ends."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._tests: dict[str, TestOutput] = {}
        self._undecided = 0
        self._running = ""
        self._ended: set[str] = set()
        self._crashed = ""
        self._order: list[str] = []
        self._places: dict[str, int] = {}
        self._output = MergedOutput()
        self._written: list[Path] = []
        self._record: Record | None = None

    @property
    def _is_worker(self) -> bool:
        return hasattr(self._config, "workerinput")

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:
        """Note the order of the tests, since workers report them as they finish."""
        self._order = list(ids)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note which test runs, in case it does not end."""
        self._running = nodeid

    # tryfirst: a later hook fails a test for its subtests, and pytest counts failures.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Store what a test decided, from this process or a worker."""
        if report.when == "teardown":
            self._ended.add(report.nodeid)
        if report.failed and is_undecided(report):
            self._undecided += 1
        carried = getattr(report, CARRIED, None)
        if carried is not None:
            # If a plugin reruns a test, its last run counts.
            self._tests[report.nodeid] = carried

    @pytest.hookimpl(wrapper=True)
    def pytest_report_to_serializable(self) -> Generator[None, Any, Any]:
        """Make a worker's report one that can be sent: with a lone surrogate, the worker dies."""
        data = yield
        return without_surrogates(data) if self._is_worker and RUN in self._config.stash else data

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Merge what a worker of pytest-xdist measured."""
        output = getattr(node, "workeroutput", None)
        if output is None:
            self._crashed = "A worker crashed, and what it measured is missing."
        elif CARRIED in output:
            self._output.merge(output[CARRIED])

    def _place(self, nodeid: str) -> int:
        return self._places.get(nodeid, 0)

    @property
    def _folder(self) -> str:
        folder = on_command_line(self._config, "--headtests-report")
        return str(folder or self._config.getini("headtests_report") or "reports")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int | pytest.ExitCode
    ) -> None:
        """Write the report; a worker sends what it measured to the controller instead."""
        # If anything else failed, even if only a plugin counted it, the exit code stays.
        if session.exitstatus == pytest.ExitCode.TESTS_FAILED and (
            0 < self._undecided == session.testsfailed
        ):
            session.exitstatus = EXIT_CODE
        order = self._order or [without_surrogates(item.nodeid) for item in session.items]
        self._places = {nodeid: place for place, nodeid in enumerate(order)}
        run = self._config.stash.get(RUN, None)
        if run is not None:
            interrupted = exitstatus == pytest.ExitCode.INTERRUPTED
            output = run.output(with_heads=self._folder != "none" and not interrupted)
            with costing(output["failed"], "the sessions were not closed"):
                run.close()
            if self._is_worker:
                self._config.workeroutput[CARRIED] = without_surrogates(output)  # type: ignore[attr-defined]
                return
            self._output.merge(output)
        if not self._is_worker:
            self._report(session, exitstatus)
            lost = self._output.failed or (self._crashed and self._tests)
            if lost and session.exitstatus == pytest.ExitCode.OK:
                # A run that could not do what was requested does not pass.
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _report(self, session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
        """Write the report of what all processes decided and measured."""
        is_complete = True
        with costing(self._output.failed, "tests that did not end are missing in the report"):
            unfinished = self._unfinished(session)
            self._tests |= unfinished
            # A run that a failure of its last test stopped is complete.
            is_complete = not unfinished and self._ended.issuperset(self._order)
        self._output.failed += self._not_compared()
        if not self._tests:
            return
        with costing(self._output.failed, "no report was written"):
            reason = self._crashed or _why_incomplete(session, exitstatus, is_complete)
            record = self._record = self._make_record(reason)
            self._write(record)
        if self._record is not None:
            with costing(self._output.failed, "the job's summary was not written"):
                self._add_to_job_summary(self._record)

    def _not_compared(self) -> list[str]:
        """Return why no claim could be compared with the other model; empty if any was."""
        claims = [claim for test in self._tests.values() for claim in test["claims"]]
        compared = [claim["against"] for claim in claims if claim["against"] is not None]
        if not compared or not all(other["trouble"] for other in compared):
            return []
        reasons = dict.fromkeys(other["trouble"] for other in compared)
        return [f"no claim was compared with the other model: {reason}" for reason in reasons]

    def _unfinished(self, session: pytest.Session) -> "dict[str, TestOutput]":
        """Return the tests with claims that did not end before the run did."""
        if not self._running or RUN not in self._config.stash:
            return {}
        return {
            without_surrogates(item.nodeid): {
                "outcome": "interrupted" if item.nodeid == self._running else "not run",
                "reason": "",
                "message": "The run ended before this test did.",
                "claims": item.stash.get(CLAIM_RECORDS, []),
                "searches": item.stash.get(SEARCH_RECORDS, []),
            }
            for item in session.items
            if is_claim(item) and without_surrogates(item.nodeid) not in self._tests
        }

    def _make_record(self, incomplete_reason: str) -> "Record":
        from headtests.sessions.recording.claim_records import make_record

        claims: list[ClaimRecord] = []
        unmeasured: list[UnmeasuredRecord] = []
        searches: list[SearchRecord] = []
        for nodeid in sorted(self._tests, key=self._place):
            test = self._tests[nodeid]
            for claim in test["claims"]:
                # A subtest's claims already have its outcome.
                if not claim["outcome"]:
                    claim = {**claim, "outcome": test["outcome"], "reason": test["reason"]}
                claims.append(self._output.with_sides(claim))
            for search in test["searches"]:
                if not search["outcome"]:
                    search = {**search, "outcome": test["outcome"], "reason": test["reason"]}
                searches.append(search)
            if not test["claims"] and not test["searches"]:
                unmeasured.append(
                    {"test": nodeid, "message": test["message"], "outcome": test["outcome"]}
                )
        output = self._output
        if self._folder == "none" and run_settings(self._config).explain in ("failures", "all"):
            output.troubles.append("no head was explained: no report is written to explain it in")
        return make_record(
            output.in_order(output.sessions, self._place),
            output.in_order(output.heads, self._place),
            claims,
            unmeasured,
            searches=searches,
            explanations=output.explanations_of(claims),
            unrecorded=output.unrecorded,
            stale=output.stale,
            root=self._config.rootpath,
            incomplete_reason=incomplete_reason,
        )

    def _write(self, record: "Record") -> None:
        from headtests.records.files import record_text
        from headtests.records.json_files import write_texts_atomically
        from headtests.report.page.html import render_html

        if self._folder == "none":
            return
        place = self._config.rootpath / self._folder
        html, json = place / "headtests.html", place / "headtests.json"
        texts = {json: record_text(record)}
        with costing(self._output.failed, "the report's page could not be drawn"):
            texts[html] = render_html(record)
        with costing(self._output.failed, f"the report could not be written to {place}"):
            # Both or none: a page stands beside the record that it was drawn from.
            write_texts_atomically(texts)
            self._written = list(texts)
            if html not in texts:
                html.unlink(missing_ok=True)

    def _add_to_job_summary(self, record: "Record") -> None:
        """Append a short page to the job summary, if the run is a step of a GitHub job."""
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if not summary or os.environ.get("GITHUB_ACTIONS") != "true":
            return
        from headtests.report.markdown import markdown

        page = markdown(record, _shown(self._written[-1]) if self._written else "")
        try:
            with open(summary, "a", encoding="utf-8", newline="\n") as file:
                # The output of an earlier step may end without a newline.
                file.write(f"\n\n{page}" if file.tell() else page)
        except OSError as error:
            self._output.troubles.append(
                f"the job's summary could not be written to {summary}: {error.strerror}"
            )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print undecided tests, the table of claims, what was run and where the report is."""
        if any(map(terminalreporter.stats.get, ("undecided", OUTCOME))):
            from headtests.plugin.terminal import failure_sections

            failure_sections(terminalreporter)
        if self._record is None and not self._output.failed:
            return
        from headtests.plugin.terminal import summary, write_line

        if self._record is not None and self._config.get_verbosity() >= -1:
            # The exit code is decided already, and was right without this table.
            with costing(self._output.failed, "the summary of claims ends here"):
                summary(terminalreporter, self._record)
        if self._written and self._config.get_verbosity() >= -1:
            record, *html = map(_shown, self._written)
            write_line(
                terminalreporter, f"report: {html[0] if html else 'none'} (record: {record})"
            )
        for sentence in self._output.recorded:
            write_line(terminalreporter, sentence)
        for trouble in (*self._output.troubles, *dict.fromkeys(self._output.failed)):
            write_line(terminalreporter, trouble, red=True)


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    # The working directory may have been deleted.
    except (ValueError, OSError):
        return str(path)


def _why_incomplete(
    session: pytest.Session, exitstatus: int | pytest.ExitCode, is_complete: bool
) -> str:
    stopped = next(
        (reason for reason in (session.shouldfail, session.shouldstop) if isinstance(reason, str)),
        "",
    )
    if exitstatus == pytest.ExitCode.INTERRUPTED:
        return stopped or "The run was interrupted."
    if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
        return "The run ended in an internal error."
    return "" if is_complete else stopped or "The run ended early."
