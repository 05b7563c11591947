"""What all processes of a run found, brought together: claims, heads, sessions, the report.

Lives in the process that prints. Under pytest-xdist the workers' claims arrive on their tests'
reports, and what they measured arrives when they end; without it, both come from this process.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headtests.plugin.could_not_run import OUTCOME
from headtests.plugin.requests import given, is_claim, run_settings
from headtests.plugin.undecided import EXIT_CODE, is_undecided

if TYPE_CHECKING:
    from headtests.plugin.run import Run

RUN: "pytest.StashKey[Run]" = pytest.StashKey()
"""On the config: what this process has opened."""
CARRIED = "headtests"
"""The attribute of a test's report, and the key of a worker's output, that carries records."""


class Gathering:
    """A plugin object that takes records in and writes the report when the run ends."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._tests: dict[str, dict[str, Any]] = {}
        self._undecided = 0
        self._running = ""
        self._ended: set[str] = set()
        self._crashed = ""
        self._order: list[str] = []
        self._places: dict[str, int] = {}
        self._sessions: dict[str, dict[str, Any]] = {}
        self._heads: dict[str, dict[str, Any]] = {}
        self._sides: dict[tuple[str, str], dict[str, Any]] = {}
        self._explanations: dict[tuple[str, ...], dict[str, Any]] = {}
        self._stale: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._recorded: list[str] = []
        self._failed: list[str] = []
        """What was asked of baselines, or of another model, and could not be done."""
        self._unrecorded = 0
        self._first_tests: dict[str, set[str]] = {}
        self._written: list[Path] = []
        self._troubles: list[str] = []
        self._record: Any = None

    @property
    def _is_worker(self) -> bool:
        return hasattr(self._config, "workerinput")

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:
        """Note the order of the tests: workers report them as they finish."""
        self._order = list(ids)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note which test runs, in case it never ends."""
        self._running = nodeid

    # First, as pytest counts failures: another hook fails a test for its subtests.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what a test decided, in whichever process it ran."""
        if report.when == "teardown":
            self._ended.add(report.nodeid)
        if report.failed and is_undecided(report):
            self._undecided += 1
        carried = getattr(report, CARRIED, None)
        if carried is not None:
            # A test that is run again by a plugin counts as its last run.
            self._tests[report.nodeid] = carried

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take in what a worker of pytest-xdist measured."""
        output = getattr(node, "workeroutput", None)
        if output is None:
            self._crashed = "A worker crashed, and what it measured is missing."
        elif CARRIED in output:
            self._take(output[CARRIED])

    def _take(self, measured: dict[str, Any]) -> None:
        self._troubles += measured["troubles"]
        self._recorded += measured["recorded"]
        self._failed += measured["failed"]
        self._unrecorded += measured["unrecorded"]
        for one in measured["stale"]:
            self._stale[one["file"], one["test"], one["claim"]] = one
        for key, nodeid in measured["tests"].items():
            self._first_tests.setdefault(key, set()).add(nodeid)
        for head in measured["heads"]:
            known_head = self._heads.setdefault(head["key"], head)
            if known_head["documents"] < head["documents"]:
                self._heads[head["key"]] = head
        for side in measured["sides"]:
            self._sides[side["claim"], side["side"]] = side["found"]
        for one in measured["explanations"]:
            # Of two workers that explain the same head, both say the same.
            key = (one["session"], one["head"], one["explainer"], *one["claims"][:1])
            key = key[:3] if not one["server"] else key
            explained = self._explanations.setdefault(key, one)
            if explained is not one:
                explained["claims"] += one["claims"]
        for session in measured["sessions"]:
            known = self._sessions.setdefault(session["key"], session)
            if known is not session:
                _add(known, session)

    def _with_sides(self, claim: dict[str, Any]) -> dict[str, Any]:
        """Return a claim with what rows and pairs say of its sides, where that was read."""
        sides = ((name, self._sides.get((claim["id"], name))) for name in ("left", "right"))
        return claim | {name: claim[name] | found for name, found in sides if found is not None}

    def _explanations_of(self, claims: list[Any]) -> list[Any]:
        """Return the explanations of these claims, in their order, with no others named."""
        places = {claim["id"]: place for place, claim in enumerate(claims)}
        found = []
        for one in self._explanations.values():
            # A test that was run again may have claimed less.
            about = sorted((id for id in one["claims"] if id in places), key=places.__getitem__)
            if about:
                found.append(one | {"claims": about})
        return sorted(found, key=lambda one: places[one["claims"][0]])

    def _in_order(self, records: dict[str, dict[str, Any]]) -> list[Any]:
        """Return records of heads or sessions in the order of their first tests."""
        first = {key: min(map(self._place, self._first_tests[key])) for key in records}
        return [records[key] for key in sorted(records, key=first.__getitem__)]

    def _place(self, nodeid: str) -> int:
        return self._places.get(nodeid, 0)

    @property
    def _folder(self) -> str:
        folder = given(self._config, "--headtests-report")
        return str(folder or self._config.getini("headtests_report") or "reports")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int | pytest.ExitCode
    ) -> None:
        """Write the report; a worker hands what it measured to the process that prints."""
        # A failure of any other kind, one that a plugin counted included, keeps its exit code.
        if session.exitstatus == pytest.ExitCode.TESTS_FAILED and (
            0 < self._undecided == session.testsfailed
        ):
            session.exitstatus = EXIT_CODE
        order = self._order or [item.nodeid for item in session.items]
        self._places = {nodeid: place for place, nodeid in enumerate(order)}
        run = self._config.stash.get(RUN, None)
        if run is not None:
            interrupted = exitstatus == pytest.ExitCode.INTERRUPTED
            measured = run.measured(with_heads=self._folder != "none" and not interrupted)
            run.close()
            if self._is_worker:
                self._config.workeroutput[CARRIED] = measured  # type: ignore[attr-defined]
                return
            self._take(measured)
        if not self._is_worker:
            unfinished = self._unfinished(session)
            self._tests |= unfinished
            # Stopped by a failure of the last test, a run has still told all.
            told_all = not unfinished and self._ended.issuperset(self._order)
            self._failed += self._not_compared()
            if self._failed and session.exitstatus == pytest.ExitCode.OK:
                # What was asked for and not done is no success.
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
            if self._tests:
                self._write(self._crashed or _why_incomplete(session, exitstatus, told_all))
                self._add_to_job_summary()

    def _not_compared(self) -> list[str]:
        """Return why not one claim could be compared with another model that was to be asked."""
        claims = [claim for test in self._tests.values() for claim in test["claims"]]
        asked = [claim["against"] for claim in claims if claim["against"] is not None]
        if not asked or not all(other["trouble"] for other in asked):
            return []
        reasons = dict.fromkeys(other["trouble"] for other in asked)
        return [f"no claim was compared with the other model: {reason}" for reason in reasons]

    def _unfinished(self, session: pytest.Session) -> dict[str, dict[str, Any]]:
        """Return the claims' tests that a run which had begun did not end."""
        if not self._running or RUN not in self._config.stash:
            return {}
        from headtests.plugin.stash import CLAIMS, SEARCHES

        return {
            item.nodeid: {
                "outcome": "interrupted" if item.nodeid == self._running else "not run",
                "reason": "",
                "message": "The run ended before this test did.",
                "claims": item.stash.get(CLAIMS, []),
                "searches": item.stash.get(SEARCHES, []),
            }
            for item in session.items
            if is_claim(item) and item.nodeid not in self._tests
        }

    def _write(self, incomplete_reason: str) -> None:
        from headtests.records import write_record
        from headtests.report import write_html
        from headtests.sessions.recording.claim_records import make_record

        claims: list[Any] = []
        unmeasured: list[Any] = []
        searches: list[Any] = []
        for nodeid in sorted(self._tests, key=self._place):
            test = self._tests[nodeid]
            outcome = {"outcome": test["outcome"], "reason": test["reason"]}
            # A subtest's claims have its own outcome already.
            claims += [
                self._with_sides(claim if claim["outcome"] else claim | outcome)
                for claim in test["claims"]
            ]
            searches += [
                search if search["outcome"] else search | outcome for search in test["searches"]
            ]
            if not test["claims"] and not test["searches"]:
                message = {"test": nodeid, "message": test["message"]}
                unmeasured.append(message | {"outcome": test["outcome"]})
        if self._folder == "none" and run_settings(self._config).explain in ("failures", "all"):
            self._troubles.append("no head was explained: no report is written to explain it in")
        self._record = make_record(
            # Plain JSON, from workers too.
            self._in_order(self._sessions),
            self._in_order(self._heads),
            claims,
            unmeasured,
            searches=searches,
            explanations=self._explanations_of(claims),
            unrecorded=self._unrecorded,
            stale=[self._stale[key] for key in sorted(self._stale)],  # type: ignore[misc]  # plain JSON, from workers too
            root=self._config.rootpath,
            incomplete_reason=incomplete_reason,
        )
        if self._folder == "none":
            return
        place = self._config.rootpath / self._folder
        try:
            write_record(self._record, place / "headtests.json")
            write_html(self._record, place / "headtests.html")
        except OSError as error:
            self._troubles.append(f"the report could not be written to {place}: {error.strerror}")
        else:
            self._written = [place / "headtests.html", place / "headtests.json"]

    def _add_to_job_summary(self) -> None:
        """Add a short page to the summary of the job that this run is a step of, on GitHub."""
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if not summary or os.environ.get("GITHUB_ACTIONS") != "true":
            return
        from headtests.report.markdown import markdown

        page = markdown(self._record, _shown(self._written[0]) if self._written else "")
        try:
            with open(summary, "a", encoding="utf-8", newline="\n") as file:
                # What another step left there may end in the middle of a line.
                file.write(f"\n\n{page}" if file.tell() else page)
        except OSError as error:
            self._troubles.append(
                f"the job's summary could not be written to {summary}: {error.strerror}"
            )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print tests of outcomes of ours, a line a claim, what was run, where the report is."""
        if any(map(terminalreporter.stats.get, ("undecided", OUTCOME))):
            from headtests.plugin.terminal import tests_of_ours

            tests_of_ours(terminalreporter)
        if self._record is None:
            return
        from headtests.plugin.terminal import summary

        if self._config.get_verbosity() >= -1:
            summary(terminalreporter, self._record)
            if self._written:
                html, record = map(_shown, self._written)
                terminalreporter.write_line(f"report: {html} (record: {record})")
        for said in self._recorded:
            terminalreporter.write_line(said)
        for trouble in (*self._troubles, *dict.fromkeys(self._failed)):
            terminalreporter.write_line(trouble, red=True)


def _add(known: dict[str, Any], other: dict[str, Any]) -> None:
    """Add what another worker measured of the same session."""
    # Both began with the same documents, so that the shorter pass ran nothing that was new.
    new = max(one["tokens_run"] - one["tokens_run_twice"] for one in (known, other))
    known["tokens_run"] += other["tokens_run"]
    known["tokens_run_twice"] = known["tokens_run"] - new
    known["documents_run"] = max(known["documents_run"], other["documents_run"])
    known["results_kept"] += other["results_kept"]
    notes = known["corpus"]["notes"]
    notes += [note for note in other["corpus"]["notes"] if note not in notes]


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _why_incomplete(
    session: pytest.Session, exitstatus: int | pytest.ExitCode, told_all: bool
) -> str:
    stopped = next(
        (said for said in (session.shouldfail, session.shouldstop) if isinstance(said, str)), ""
    )
    if exitstatus == pytest.ExitCode.INTERRUPTED:
        return stopped or "The run was interrupted."
    if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
        return "The run ended in an internal error."
    return "" if told_all else stopped or "The run ended early."
