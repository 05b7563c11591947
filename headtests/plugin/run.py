"""One pytest run: its sessions, the heads that each shall serve, and what its tests decided.

Knows pytest's items and reports, and hands the rest to `headtests.sessions.session` and
`headtests.sessions.recording.claim_records`. Imports them late: most runs on a machine have no
claims.
"""

import hashlib
import sys
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headtests.errors import HeadtestsError
from headtests.plugin.requests import Request, once, requested, run_settings, taken
from headtests.plugin.stash import CLAIMS, DECIDED, PROPERTIES, SEARCHES, SOUGHT, Decided, Sought

if TYPE_CHECKING:
    from headtests.claims.comparison import Comparison
    from headtests.claims.quantity import Subject
    from headtests.corpora import CorpusSpec
    from headtests.measurement.passes.runner import Progress
    from headtests.models.loaded import LoadedModel
    from headtests.plugin.baselines import Baselines
    from headtests.plugin.explanations import ExplainableClaim
    from headtests.plugin.other_model import Beside
    from headtests.prompts.withstands import Withstands
    from headtests.records import EstimateRecord
    from headtests.sessions.head import Head
    from headtests.sessions.recording.side_records import Side
    from headtests.sessions.session import Session
    from headtests.settings import ModelSpec


@dataclass
class ClaimedHead:
    """A head that something was claimed of."""

    session: "Session"
    subject: "Subject"
    test: str
    """The test that claimed something of it first."""
    documents: int = 0
    """How many documents of the pass its claims needed."""


class Run:
    """What one process of a run has opened and decided."""

    def __init__(self, config: pytest.Config, progress: "Progress | None") -> None:
        self._config = config
        self._progress = progress
        self._planned: dict[tuple[ModelSpec, CorpusSpec], list[str]] = {}
        self._sessions: dict[tuple[ModelSpec, CorpusSpec], Session | HeadtestsError] = {}
        self._models: dict[ModelSpec, LoadedModel | HeadtestsError] = {}
        self._openers: dict[tuple[ModelSpec, CorpusSpec], str] = {}
        """The test that asked for each session first."""
        self.groups: dict[str, int] = {}
        """The number of the session that each planned test needs, by node id."""
        self._claimed: dict[str, ClaimedHead] = {}
        self._sides: dict[tuple[str, str], tuple[Session, Side]] = {}
        """What is to be looked at of each side of a claim, by the claim's id and the side."""
        self._collected: dict[Path, set[str]] = {}
        """The names of all tests of the files that were collected whole."""
        self._troubles: list[str] = []
        self._searched: set[int] = set()
        """The sessions of claims about prompts, by their identity."""
        self._explainable: dict[str, ExplainableClaim] = {}
        """What each claim's explanation would be about, by the claim's id."""

    def plan(self, items: list[pytest.Item]) -> None:
        """Note the heads that the selected tests need, so that one pass can serve them all."""
        for item in items:
            for kind in taken(item):
                try:
                    request = requested(item, kind)
                except HeadtestsError:
                    continue  # Its own test reports it.
                wanted = _wanted(request)
                planned = self._planned.setdefault(wanted, [])
                planned += [head for head in request.heads if head not in planned]
                self.groups[item.nodeid] = list(self._planned).index(wanted)

    def settle(self) -> None:
        """Take away the bar of a pass that a test's error left behind."""
        if self._progress is not None:
            self._progress.finish()

    def heads_of(self, item: pytest.Item, request: Request) -> "list[Head]":
        """Return the heads that a test claims something of, ready to be measured."""
        self._openers.setdefault(_wanted(request), item.nodeid)
        session = self._session(request)

        from headtests.plugin.kept_prompts import TestKeeper

        def searched(claim: "Withstands") -> None:
            now = time.time()
            self._note_search(item, session, claim)
            item.stash[SOUGHT].append(Sought(claim, _stack(), now))

        keeper = TestKeeper(
            item, session, run_settings(self._config), searched, self._troubles.append
        )

        def decided(comparison: "Comparison") -> None:
            now = time.time()
            self._note(item, session, comparison)
            item.stash[DECIDED].append(Decided(comparison, _stack(), now))

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
        wanted = _wanted(request)
        return once(self._sessions, wanted, lambda: self._opened(*wanted))

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
                continue  # Its own test reports it.
            session.announce(named)
        # Here, so that a corpus that cannot be read is an error of the test's set-up.
        _ = session.population
        return session

    def _note(self, item: pytest.Item, session: "Session", comparison: "Comparison") -> None:
        from headtests.claims.estimate import Estimate
        from headtests.plugin.explanations import ExplainableClaim
        from headtests.sessions.recording.claim_records import (
            claim_record,
            session_key,
            subjects_of,
        )
        from headtests.sessions.recording.side_records import sides_of

        records = item.stash[CLAIMS]
        identifier = hashlib.sha256(f"{item.nodeid} {len(records)}".encode()).hexdigest()[:12]
        record = claim_record(
            comparison,
            session_key(session),
            f"claim-{identifier}",
            item.nodeid,
            self._config.rootpath,
        )
        records.append(dict(record))
        for name, side in sides_of(comparison).items():
            self._sides[record["id"], name] = session, side
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
        said = (
            ", ".join(dict.fromkeys(str(subject.name) for subject in subjects)),
            str(session.spec),
            record["expression"],
            _estimate(record["left"]),
            record["verdict"],
        )
        # Whether it has drifted is known when its test has ended.
        item.user_properties += zip(PROPERTIES[:5], said, strict=True)

    def _note_search(self, item: pytest.Item, session: "Session", claim: "Withstands") -> None:
        from headtests.sessions.recording.claim_records import session_key
        from headtests.sessions.recording.prompt_records import search_record

        records = item.stash[SEARCHES]
        identifier = hashlib.sha256(f"{item.nodeid} search {len(records)}".encode()).hexdigest()
        record = search_record(
            claim,
            session_key(session),
            f"search-{identifier[:12]}",
            item.nodeid,
            self._config.rootpath,
        )
        records.append(dict(record))
        self._searched.add(id(session))
        said = (record["head"], str(session.spec), record["expression"], claim.said)
        item.user_properties += zip(("head", "model", "claim", "search"), said, strict=True)

    @cached_property
    def _beside(self) -> "Beside":
        from headtests.plugin.other_model import Beside

        def loaded(spec: "ModelSpec") -> "LoadedModel":
            from headtests.models.loading import load_model

            return once(self._models, spec, lambda: load_model(spec, settings))

        settings = run_settings(self._config)
        return Beside(settings, loaded, self._progress)

    @cached_property
    def _baselines(self) -> "Baselines":
        from headtests.plugin.baselines import Baselines

        return Baselines(self._config.rootpath, run_settings(self._config).drift_margin)

    def begin(self, item: pytest.Item) -> None:
        """Note that a claim's test is about to run."""
        self._baselines.begin(item)

    def collected(self, tests: dict[Path, set[str]]) -> None:
        """Note the names of all tests of the files that were collected whole."""
        self._collected = tests

    def look_back(self, item: pytest.Item, raised: BaseException | None) -> None:
        """Ask another model what a test claimed, and its baselines, now that its body ended.

        `raised` is what ended it, if anything. Raises as `Baselines.look_back` does.
        """
        settings = run_settings(self._config)
        if settings.against is not None or settings.against_dtype is not None:
            self._beside.look(item)
        if settings.record or settings.drift != "off":
            self._baselines.look_back(item, raised, settings)

    def measured(self, with_heads: bool) -> dict[str, Any]:
        """Return the records of what was opened and, if wanted, of the heads claimed of.

        Beside them, in `tests`, the test that asked for each first, by the record's key, and in
        `sides` what rows and pairs say of each side of a claim.
        A head's multiples are those of as many documents as its claims needed: the report runs
        the model on no more.
        """
        found: dict[str, Any] = {"sessions": [], "heads": [], "sides": [], "tests": {}}
        found |= {"troubles": self._troubles, "explanations": [], "stale": [], "recorded": []}
        found |= self._baselines.told(self._collected, run_settings(self._config))
        if not self._usable():
            return found
        from headtests.sessions.recording.claim_records import head_records, session_record
        from headtests.sessions.recording.side_records import RowsSide, side_records

        for session, claimed in self._by_session() if with_heads else ():
            wanted = [(one.subject.name, one.subject.options, one.documents) for one in claimed]
            sides = {key: side for key, (of, side) in self._sides.items() if of is session}
            rows = [side.scrutiny for side in sides.values() if isinstance(side, RowsSide)]
            names = ", ".join(dict.fromkeys(str(name) for name, _, _ in wanted))
            missing = f"the multiples of {names} are missing"
            try:
                found["heads"] += [dict(head) for head in head_records(session, wanted, rows)]
                missing = f"what rows say of claims about {names} is missing"
                records = side_records(session, list(sides.values()))
            except HeadtestsError as error:
                found["troubles"].append(f"{missing}: {error}")
            else:
                found["sides"] += [
                    {"claim": claim, "side": name, "found": dict(record)}
                    for (claim, name), record in zip(sides, records, strict=True)
                ]
        found["explanations"] = self._explained(found["troubles"]) if with_heads else []
        found["tests"] = {key: claimed.test for key, claimed in self._claimed.items()}
        for of, opened in self._sessions.items():
            if isinstance(opened, HeadtestsError):
                continue
            if opened.is_open or id(opened) in self._searched:
                record = session_record(opened)
                found["sessions"].append(dict(record))
                found["tests"][record["key"]] = self._openers[of]
                other = self._beside.of(opened)
                if other is not None:
                    beside = session_record(other)
                    found["sessions"].append(dict(beside))
                    found["tests"][beside["key"]] = self._openers[of]
        return found

    def _explained(self, troubles: list[str]) -> list[dict[str, Any]]:
        """Return what explainers say of the heads of claims; what goes wrong is a trouble."""
        from headtests.plugin.explanations import announced, explanations

        settings = run_settings(self._config)
        claims = list(self._explainable.values())
        said = announced(claims, settings)
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if said and reporter is not None:
            writer = self._config.get_terminal_writer()
            if writer.width_of_current_line:
                writer.line()
            reporter.write_line(said)
        # One by one, so that what is found stays, whatever comes of what follows.
        found: list[dict[str, Any]] = []
        try:
            for one in explanations(claims, settings, self._share):
                found.append(dict(one))
        except KeyboardInterrupt:
            # Who is tired of waiting for explanations still wants the report.
            troubles.append("explanations are missing, since they were interrupted")
        # Whatever it is, what was decided is to be told all the same.
        except Exception as error:
            troubles.append(f"explanations are missing: {type(error).__name__}: {error}")
        return found

    @property
    def _share(self) -> int:
        """How many processes of the run have something to explain, at most."""
        given: dict[str, Any] = getattr(self._config, "workerinput", {})
        return max(1, min(int(given.get("workercount", 1)), len(self._planned)))

    def _by_session(self) -> "list[tuple[Session, list[ClaimedHead]]]":
        """Return what was claimed of, session by session, so that one pass serves its heads."""
        grouped: dict[int, list[ClaimedHead]] = {}
        for claimed in self._claimed.values():
            grouped.setdefault(id(claimed.session), []).append(claimed)
        return [(group[0].session, group) for group in grouped.values()]

    def close(self) -> None:
        """Drop everything that was opened."""
        for session in (*self._usable(), *self._beside.opened()):
            session.close()

    def _usable(self) -> "list[Session]":
        return [
            session
            for session in self._sessions.values()
            if not isinstance(session, HeadtestsError)
        ]


def _wanted(request: Request) -> "tuple[ModelSpec, CorpusSpec]":
    # What becomes of a test without its model makes it no other model.
    return replace(request.model, missing="fail"), request.corpus


def _estimate(measured: "EstimateRecord") -> str:
    """Return an estimate with its interval, as in `0.47 [0.41, 0.53]`."""
    value = f"{measured['value']:.6g}"
    if measured["low"] is None:
        return value
    high = "inf" if measured["high"] is None else f"{measured['high']:.6g}"
    return f"{value} [{measured['low']:.6g}, {high}]"


def _stack() -> tuple[tuple[str, int], ...]:
    frame, lines = sys._getframe(1).f_back, []
    while frame is not None:
        lines.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return tuple(lines)
