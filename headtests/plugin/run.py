"""What one process of a pytest run opened and decided: its sessions and the claims of its tests.

Handles pytest items, and leaves measuring to `headtests.sessions.session` and records to
`headtests.sessions.recording`. Imports both late, since most pytest runs have no claims.
"""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

# By its own name, since tests replace that of the module.
from time import time
from typing import TYPE_CHECKING, Any

import pytest

from headtests.errors import HeadtestsError
from headtests.io.files import remove_abandoned_folders
from headtests.plugin.failures import costing
from headtests.plugin.imported_modules import ImportedModules
from headtests.plugin.requests import (
    CHECKPOINT,
    Request,
    clear_results,
    on_command_line,
    once,
    requested,
    run_settings,
    taken,
)
from headtests.plugin.stash import (
    CLAIM_PROPERTIES,
    CLAIM_RECORDS,
    DECIDED,
    SEARCH_PROPERTIES,
    SEARCH_RECORDS,
    SEARCHED,
    SUBTESTS,
    DecidedClaim,
    SearchedClaim,
    Subtests,
)
from headtests.plugin.worker_output import SIDES, SideName, SideOutput, WorkerOutput
from headtests.plugin.xdist_groups import PREFIX, send_groups

if TYPE_CHECKING:
    from headtests.claims.comparison import Comparison
    from headtests.claims.quantity import Subject
    from headtests.corpora import CorpusSpec
    from headtests.measurement.passes.runner import Progress
    from headtests.models.loaded import LoadedModel
    from headtests.plugin.baselines import Baselines
    from headtests.plugin.explanations import ExplainableClaim
    from headtests.plugin.other_model import OtherModel
    from headtests.prompts.withstands import Withstands
    from headtests.records import EstimateRecord, ExplanationRecord
    from headtests.sessions.head import Head
    from headtests.sessions.recording.side_records import Side
    from headtests.sessions.session import Session
    from headtests.settings import ModelSpec


def start_run(
    config: pytest.Config, claims: list[pytest.Item], collected: dict[Path, set[str]]
) -> "Run":
    """Return a run with one planned pass per model and corpus, for the selected tests with claims.

    `collected` maps each file that was collected whole to the names of all its tests.
    """
    from headtests.plugin.progress import progress_for

    if config.getoption("cacheclear", default=False):
        clear_results(config)
    remove_abandoned_folders(PREFIX)
    run = Run(config, progress_for(config), collected)
    run.plan(claims)
    send_groups(config, run.groups)
    return run


@dataclass
class ClaimedHead:
    """A head with at least one claim."""

    session: "Session"
    subject: "Subject"
    test: str
    """The test that made the first claim."""
    documents: int = 0
    """How many documents of the pass the head's claims needed."""


class Run:
    """The sessions and claims of one process of a run."""

    def __init__(
        self,
        config: pytest.Config,
        progress: "Progress | None",
        collected: dict[Path, set[str]],
    ) -> None:
        self._config = config
        self._progress = progress
        self._planned: dict[tuple[ModelSpec, CorpusSpec], list[str]] = {}
        self._sessions: dict[tuple[ModelSpec, CorpusSpec], Session | HeadtestsError] = {}
        self._models: dict[ModelSpec, LoadedModel | HeadtestsError] = {}
        self._openers: dict[tuple[ModelSpec, CorpusSpec], str] = {}
        """The test that used each session first."""
        self.groups: dict[str, int] = {}
        """The number of the session that each planned test needs, by node id."""
        self._claimed: dict[str, ClaimedHead] = {}
        self._sides: dict[tuple[str, SideName], tuple[Session, Side]] = {}
        """What to read about each side of a claim, by the claim's id and the side."""
        self._collected = collected
        """The names of all tests, by file, of the files that were collected whole."""
        self._troubles: list[str] = []
        self._searched: set[int] = set()
        """The identities of the sessions of claims about prompts."""
        self._modules = ImportedModules()
        self._modules.open()
        self._explainable: dict[str, ExplainableClaim] = {}
        """What an explanation of each claim would be about, by the claim's id."""

    def plan(self, items: list[pytest.Item]) -> None:
        """Note the heads that the selected tests need, so that one pass can serve them all."""
        for item in items:
            for kind in taken(item):
                try:
                    request = requested(item, kind)
                except HeadtestsError:
                    continue  # Its own test reports the error.
                key = _session_of(request)
                planned = self._planned.setdefault(key, [])
                planned += [head for head in request.heads if head not in planned]
                self.groups[item.nodeid] = list(self._planned).index(key)

    def settle(self) -> None:
        """Remove the progress bar that a pass left behind when a test raised."""
        if self._progress is not None:
            self._progress.finish()

    def heads_of(self, item: pytest.Item, request: Request) -> "list[Head]":
        """Return the heads of a test, ready to be measured."""
        self._modules.restore()
        self._openers.setdefault(_session_of(request), item.nodeid)
        session = self._session(request)

        from headtests.plugin.kept_prompts import TestKeeper

        def searched(claim: "Withstands") -> None:
            now = time()
            self._modules.note()
            self._modules.restore()
            self._record_search(item, session, claim)
            item.stash[SEARCHED].append(SearchedClaim(claim, _stack(), now))

        keeper = TestKeeper(
            item, session, run_settings(self._config), searched, self._troubles.append
        )

        def decided(comparison: "Comparison") -> None:
            now = time()
            self._modules.note()
            self._modules.restore()
            self._record_claim(item, session, comparison)
            item.stash[DECIDED].append(DecidedClaim(comparison, _stack(), now))

        self._modules.note()
        return [
            session.head(
                name,
                suppress_first_token=request.suppress_first_token,
                min_query=request.min_query,
                observer=decided,
                keeper=keeper,
            )
            for name in request.heads
        ]

    def _session(self, request: Request) -> "Session":
        key = _session_of(request)
        return once(self._sessions, key, lambda: self._opened(*key))

    def _opened(self, spec: "ModelSpec", corpus: "CorpusSpec") -> "Session":
        """Return a session with its model loaded and its documents read."""
        from headtests.expressions.head_names import parse_head
        from headtests.models.loading import load_model
        from headtests.sessions.session import Session

        settings = run_settings(self._config)
        model = once(self._models, spec, lambda: load_model(spec, settings))
        session = Session(model, corpus, settings=settings, progress=self._progress)
        for name in self._planned.get((spec, corpus), ()):
            try:
                named = parse_head(name).within(model.shape.layers, model.shape.heads)
            except HeadtestsError:
                continue  # Its own test reports the error.
            session.announce(named)
        # Read the corpus here, so that an error belongs to the test's setup.
        _ = session.population
        return session

    def _record_claim(
        self, item: pytest.Item, session: "Session", comparison: "Comparison"
    ) -> None:
        from headtests.claims.estimate import Estimate
        from headtests.plugin.explanations import ExplainableClaim
        from headtests.sessions.recording.claim_records import (
            claim_record,
            fixed_record,
            session_key,
            subjects_of,
        )
        from headtests.sessions.recording.side_records import sides_of

        records = item.stash[CLAIM_RECORDS]
        identifier = _hash(f"{item.nodeid} {len(records)}")
        record = claim_record(
            comparison,
            session_key(session),
            f"claim-{identifier}",
            item.nodeid,
            self._config.rootpath,
        )
        records.append(record)
        if on_command_line(self._config, CHECKPOINT):
            record["fixed"] = fixed_record(comparison)
        sides_by_name = sides_of(comparison)
        for name in SIDES:
            if name in sides_by_name:
                self._sides[record["id"], name] = session, sides_by_name[name]
        subjects = subjects_of(comparison)
        about = {
            key: (subject.name, subject.options)
            for key, subject in zip(record["heads"], subjects, strict=True)
        }
        sides = (comparison.left, comparison.right)
        questions = [
            replace(side.question, beyond_corpus=False)
            for side in sides
            if isinstance(side, Estimate)
        ]
        self._explainable[record["id"]] = ExplainableClaim(session, record, about, questions)
        for key, subject in zip(record["heads"], subjects, strict=True):
            claimed = self._claimed.setdefault(key, ClaimedHead(session, subject, item.nodeid))
            claimed.documents = max(claimed.documents, comparison.documents_read)
        values = (
            ", ".join(dict.fromkeys(str(subject.name) for subject in subjects)),
            str(session.spec),
            record["expression"],
            _estimate(record["left"]),
            record["verdict"],
        )
        # The drift property is added when the test has ended.
        item.user_properties += zip(CLAIM_PROPERTIES, values, strict=True)

    def _record_search(self, item: pytest.Item, session: "Session", claim: "Withstands") -> None:
        from headtests.sessions.recording.claim_records import session_key
        from headtests.sessions.recording.prompt_records import search_record

        records = item.stash[SEARCH_RECORDS]
        identifier = _hash(f"{item.nodeid} search {len(records)}")
        record = search_record(
            claim,
            session_key(session),
            f"search-{identifier}",
            item.nodeid,
            self._config.rootpath,
        )
        records.append(record)
        self._searched.add(id(session))
        values = (record["head"], str(session.spec), record["expression"], claim.said)
        item.user_properties += zip(SEARCH_PROPERTIES, values, strict=True)

    @cached_property
    def _other_model(self) -> "OtherModel":
        from headtests.plugin.other_model import OtherModel

        def loaded(spec: "ModelSpec") -> "LoadedModel":
            from headtests.models.loading import load_model

            return once(self._models, spec, lambda: load_model(spec, settings))

        settings = run_settings(self._config)
        return OtherModel(settings, loaded, self._progress)

    @cached_property
    def _baselines(self) -> "Baselines":
        from headtests.plugin.baselines import Baselines

        return Baselines(self._config.rootpath, run_settings(self._config).drift_margin)

    @contextmanager
    def body(self, item: pytest.Item) -> Iterator[None]:
        """Run a test's body inside; when it ends, compare its claims as `_end` does."""
        from headtests.plugin.hypothesis_support import tokens_known

        # Reports that are made while the body runs are about subtests.
        subtests = item.stash[SUBTESTS] = Subtests()
        raised: BaseException | None = None
        self._baselines.begin(item)
        try:
            with tokens_known(item):
                yield
        except (KeyboardInterrupt, SystemExit, pytest.exit.Exception):
            # The run is being stopped: start no further measurement.
            subtests.running = False
            raise
        except BaseException as error:
            from headtests.plugin.outcomes import note_counterexamples

            note_counterexamples(item, error)
            raised = error
            raise
        finally:
            self._modules.restore()
            if subtests.running:
                subtests.running = False
                self._end(item, raised)

    def _end(self, item: pytest.Item, raised: BaseException | None) -> None:
        """Compare a test's claims with the other model and baselines, now that its body ended.

        `raised` is the exception that ended it, or None. Raises as `Baselines.end` does.
        """
        settings = run_settings(self._config)
        if settings.against is not None or settings.against_dtype is not None:
            self._other_model.compare(item)
        if settings.record or settings.drift != "off":
            self._baselines.end(item, raised, settings)

    def output(self, with_heads: bool) -> WorkerOutput:
        """Return what this process measured: sessions and, if requested, the heads of claims.

        A head's multiples are over as many documents as its claims needed, so that the report
        runs the model on no more.
        """
        self._modules.restore()
        output: WorkerOutput = {
            "sessions": [],
            "heads": [],
            "sides": [],
            "first_tests": {},
            "troubles": self._troubles,
            "explanations": [],
            **self._baselines.output(self._collected, run_settings(self._config)),
        }
        if not self._usable():
            return output
        if with_heads:
            with costing(output["failed"], "the multiples of heads are missing"):
                self._add_heads(output)
            with costing(output["failed"], "explanations are missing"):
                output["explanations"] = self._explained(output["troubles"])
        first = output["first_tests"]
        first |= {key: claimed.test for key, claimed in self._claimed.items()}
        for key, session in self._sessions.items():
            if not isinstance(session, HeadtestsError):
                with costing(output["failed"], "what was run is missing"):
                    self._add_session(output, session, self._openers[key])
        return output

    def _add_session(self, output: WorkerOutput, session: "Session", opener: str) -> None:
        """Add the records of a session and of the other model's session beside it."""
        from headtests.sessions.recording.claim_records import session_record

        if session.is_open or id(session) in self._searched:
            for opened in (session, self._other_model.of(session)):
                if opened is not None:
                    record = session_record(opened)
                    output["sessions"].append(record)
                    output["first_tests"][record["key"]] = opener

    def _add_heads(self, output: WorkerOutput) -> None:
        """Add the heads that claims are about, and what rows say about each side of a claim."""
        from headtests.sessions.recording.claim_records import head_records
        from headtests.sessions.recording.side_records import RowsSide, side_records

        for session, claimed in self._by_session():
            heads = [(head.subject.name, head.subject.options, head.documents) for head in claimed]
            sides = {key: side for key, (of, side) in self._sides.items() if of is session}
            rows = [side.scrutiny for side in sides.values() if isinstance(side, RowsSide)]
            names = ", ".join(dict.fromkeys(str(name) for name, _, _ in heads))
            missing = f"the multiples of {names} are missing"
            # One session's trouble is not another's.
            with costing(output["failed"], missing):
                try:
                    output["heads"] += head_records(session, heads, rows)
                    missing = f"what rows say of claims about {names} is missing"
                    records = side_records(session, list(sides.values()))
                except HeadtestsError as error:
                    output["troubles"].append(f"{missing}: {error}")
                else:
                    output["sides"] += [
                        SideOutput(claim=claim, side=name, record=record)
                        for (claim, name), record in zip(sides, records, strict=True)
                    ]

    def _explained(self, troubles: list[str]) -> "list[ExplanationRecord]":
        """Return explanations of the heads of claims; an error is added to `troubles`."""
        from headtests.plugin.explanations import announced, explanations

        settings = run_settings(self._config)
        claims = list(self._explainable.values())
        notice = announced(claims, settings)
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if notice and reporter is not None:
            writer = self._config.get_terminal_writer()
            if writer.width_of_current_line:
                writer.line()
            reporter.write_line(notice)
        # One at a time, so that those made before an error stay.
        records: list[ExplanationRecord] = []
        try:
            for record in explanations(claims, settings, self._share):
                records.append(record)
        except KeyboardInterrupt:
            # The user still wants the report.
            troubles.append("explanations are missing, since they were interrupted")
        # The verdicts must be reported, whatever fails here.
        except Exception as error:
            troubles.append(f"explanations are missing: {type(error).__name__}: {error}")
        return records

    @property
    def _share(self) -> int:
        """The largest possible number of processes with something to explain."""
        worker: dict[str, Any] = getattr(self._config, "workerinput", {})
        return max(1, min(int(worker.get("workercount", 1)), len(self._planned)))

    def _by_session(self) -> "list[tuple[Session, list[ClaimedHead]]]":
        """Return the claimed heads by session, so that one pass serves all heads of a session."""
        grouped: dict[int, list[ClaimedHead]] = {}
        for claimed in self._claimed.values():
            grouped.setdefault(id(claimed.session), []).append(claimed)
        return [(group[0].session, group) for group in grouped.values()]

    def close(self) -> None:
        """Close all sessions."""
        self._modules.close()
        for session in (*self._usable(), *self._other_model.opened()):
            session.close()

    def _usable(self) -> "list[Session]":
        return [
            session
            for session in self._sessions.values()
            if not isinstance(session, HeadtestsError)
        ]


def _session_of(request: Request) -> "tuple[ModelSpec, CorpusSpec]":
    # `missing` says what happens without the model, and does not make it another model.
    return replace(request.model, missing="fail"), request.corpus


def _estimate(measured: "EstimateRecord") -> str:
    """Return an estimate with its interval, such as `0.47 [0.41, 0.53]`."""
    value = f"{measured['value']:.6g}"
    if measured["low"] is None:
        return value
    high = "inf" if measured["high"] is None else f"{measured['high']:.6g}"
    return f"{value} [{measured['low']:.6g}, {high}]"


def _hash(text: str) -> str:
    # A file's name may hold bytes that are no UTF-8, as lone surrogates.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _stack() -> tuple[tuple[str, int], ...]:
    frame, lines = sys._getframe(1).f_back, []
    while frame is not None:
        lines.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return tuple(lines)
