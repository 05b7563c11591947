"""One pytest run: its sessions, the heads that each shall serve, and what its tests decided.

Knows pytest's items and reports, and hands the rest to `headtests.sessions` and
`headtests.recording`. Imports them late: most runs on a machine have no claims.
"""

import hashlib
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from headtests.errors import HeadtestsError
from headtests.plugin.selection import Request, once, requested, run_settings, taken

if TYPE_CHECKING:
    from headtests.capture import LoadedModel
    from headtests.corpora import CorpusSpec
    from headtests.heads import Head
    from headtests.quantities import Comparison, Subject
    from headtests.sessions import Session
    from headtests.settings import ModelSpec
    from headtests.sweep import Progress


@dataclass(frozen=True)
class Decided:
    """A comparison that a test decided, and where."""

    comparison: "Comparison"
    stack: tuple[tuple[str, int], ...]
    """File and line of every call that was going on when its truth was asked for."""


DECIDED: pytest.StashKey[list[Decided]] = pytest.StashKey()
"""On an item: the comparisons that its test decided, in order."""
CLAIMS: pytest.StashKey[list[dict[str, Any]]] = pytest.StashKey()
"""On an item: their records."""
PROPERTIES = ("head", "model", "claim", "estimate", "verdict")
"""What JUnit XML says of a comparison."""


def forget(item: pytest.Item) -> None:
    """Drop what an earlier run of the same test decided, where a plugin runs it again."""
    item.stash[DECIDED] = []
    item.stash[CLAIMS] = []
    item.user_properties[:] = [
        (name, value) for name, value in item.user_properties if name not in PROPERTIES
    ]


class Run:
    """What one process of a run has opened and decided."""

    def __init__(self, config: pytest.Config, progress: "Progress | None") -> None:
        self._config = config
        self._progress = progress
        self._planned: dict[tuple[ModelSpec, CorpusSpec], list[str]] = {}
        self._sessions: dict[tuple[ModelSpec, CorpusSpec], Session | HeadtestsError] = {}
        self._models: dict[ModelSpec, LoadedModel | HeadtestsError] = {}
        self._claimed: dict[str, tuple[Session, Subject]] = {}

    def plan(self, items: list[pytest.Item]) -> None:
        """Note the heads that the selected tests need, so that one pass can serve them all."""
        for item in items:
            for kind in taken(item):
                try:
                    request = requested(item, kind)
                except HeadtestsError:
                    continue  # Its own test reports it.
                planned = self._planned.setdefault(_wanted(request), [])
                planned += [head for head in request.heads if head not in planned]

    def settle(self) -> None:
        """Take away the bar of a pass that a test's error left behind."""
        if self._progress is not None:
            self._progress.finish()

    def heads_of(self, item: pytest.Item, request: Request) -> "list[Head]":
        """Return the heads that a test claims something of, ready to be measured."""
        session = self._session(request)

        def decided(comparison: "Comparison") -> None:
            item.stash[DECIDED].append(Decided(comparison, _stack()))
            self._note(item, session, comparison)

        return [
            session.head(
                name,
                suppress_first_token=request.suppress_first_token,
                min_query=request.min_query,
                observer=decided,
            )
            for name in request.heads
        ]

    def _session(self, request: Request) -> "Session":
        wanted = _wanted(request)
        return once(self._sessions, wanted, lambda: self._opened(*wanted))

    def _opened(self, spec: "ModelSpec", corpus: "CorpusSpec") -> "Session":
        """Return a session with its model loaded and its documents read."""
        from headtests.capture import load_model
        from headtests.head_names import parse_head
        from headtests.sessions import Session

        settings = run_settings(self._config)
        model = once(self._models, spec, lambda: load_model(spec, settings))
        session = Session(model, corpus, settings=settings, progress=self._progress)
        for name in self._planned.get((spec, corpus), ()):
            try:
                session.announce(parse_head(name).within(model.shape.layers, model.shape.heads))
            except HeadtestsError:
                continue  # Its own test reports it.
        # Here, so that a corpus that cannot be read is an error of the test's set-up.
        _ = session.population
        return session

    def _note(self, item: pytest.Item, session: "Session", comparison: "Comparison") -> None:
        from headtests.recording import claim_record, session_key, subjects_of

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
        subjects = subjects_of(comparison)
        for key, claimed in zip(record["heads"], subjects, strict=True):
            self._claimed.setdefault(key, (session, claimed))
        said = (
            ", ".join(dict.fromkeys(str(subject.name) for subject in subjects)),
            str(session.spec),
            record["expression"],
            f"{comparison.left.value:.6g}",
            record["verdict"],
        )
        item.user_properties += zip(PROPERTIES, said, strict=True)

    def measured(self, with_heads: bool) -> dict[str, list[Any]]:
        """Return the records of what was opened and, if wanted, of the heads claimed of.

        A head whose pass was cut short has none: its multiples would be those of some documents.
        """
        found: dict[str, list[Any]] = {"sessions": [], "heads": [], "troubles": []}
        if not self._usable():
            return found
        from headtests.recording import head_record, session_record

        for session, subject in self._claimed.values() if with_heads else ():
            if not session.sweep.is_complete(subject.name):
                continue
            try:
                head = head_record(session, subject.name, subject.options)
            except HeadtestsError as error:
                found["troubles"].append(f"the multiples of {subject.name} are missing: {error}")
            else:
                found["heads"].append(dict(head))
        found["sessions"] += [
            dict(session_record(session)) for session in self._usable() if session.is_open
        ]
        return found

    def close(self) -> None:
        """Drop everything that was opened."""
        for session in self._usable():
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


def _stack() -> tuple[tuple[str, int], ...]:
    frame, lines = sys._getframe(1).f_back, []
    while frame is not None:
        lines.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return tuple(lines)
