"""One pytest run: its sessions, the heads that each shall serve, and what its tests decided.

Knows pytest's items and reports, and hands the rest to `headtests.sessions` and
`headtests.recording`. Imports them late: most runs on a machine have no claims.
"""

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from headtests.errors import HeadtestsError, ModelUnavailableError
from headtests.plugin.selection import Request, head_marker, requested, run_settings

if TYPE_CHECKING:
    from headtests.corpora import CorpusSpec
    from headtests.heads import Head
    from headtests.quantities import Comparison, Subject
    from headtests.sessions import Session
    from headtests.settings import ModelSpec
    from headtests.sweep import Progress

DECIDED: pytest.StashKey[list["Comparison"]] = pytest.StashKey()
"""On an item: the comparisons that its test decided, in order."""
CLAIMS: pytest.StashKey[list[dict[str, Any]]] = pytest.StashKey()
"""On an item: their records."""


class Run:
    """What one process of a run has opened and decided."""

    def __init__(self, config: pytest.Config, progress: "Progress | None") -> None:
        self._config = config
        self._progress = progress
        self._planned: dict[tuple[ModelSpec, CorpusSpec], list[str]] = {}
        self._sessions: dict[tuple[ModelSpec, CorpusSpec], Session] = {}
        self._unavailable: dict[ModelSpec, ModelUnavailableError] = {}
        self._claimed: dict[str, tuple[Session, Subject]] = {}

    def plan(self, items: list[pytest.Item]) -> None:
        """Note the heads that the selected tests need, so that one pass can serve them all."""
        for item in items:
            if head_marker(item) is None:
                continue
            try:
                request = requested(item)
            except HeadtestsError:
                continue  # Its own test reports it.
            planned = self._planned.setdefault((request.model, request.corpus), [])
            planned += [head for head in request.heads if head not in planned]

    def heads_of(self, item: pytest.Item, request: Request) -> "list[Head]":
        """Return the heads that a test claims something of, ready to be measured."""
        session = self._session(request)
        comparisons = item.stash.setdefault(DECIDED, [])

        def decided(comparison: "Comparison") -> None:
            comparisons.append(comparison)
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
        from headtests.head_names import parse_head
        from headtests.sessions import Session

        wanted = (request.model, request.corpus)
        if request.model in self._unavailable:
            raise self._unavailable[request.model]
        if wanted not in self._sessions:
            session = Session(
                request.model,
                request.corpus,
                settings=run_settings(self._config),
                progress=self._progress,
            )
            try:
                shape = session.model.shape
            except ModelUnavailableError as error:
                self._unavailable[request.model] = error
                raise
            for name in self._planned.get(wanted, ()):
                try:
                    session.announce(parse_head(name).within(shape.layers, shape.heads))
                except HeadtestsError:
                    continue  # Its own test reports it.
            self._sessions[wanted] = session
        return self._sessions[wanted]

    def _note(self, item: pytest.Item, session: "Session", comparison: "Comparison") -> None:
        from headtests.recording import claim_record, session_key, subjects_of

        records = item.stash.setdefault(CLAIMS, [])
        identifier = hashlib.sha256(f"{item.nodeid} {len(records)}".encode()).hexdigest()[:12]
        record = claim_record(
            comparison,
            session_key(session),
            f"claim-{identifier}",
            item.nodeid,
            self._config.rootpath,
        )
        records.append(dict(record))
        subject = comparison.left.subject
        for key, claimed in zip(record["heads"], subjects_of(comparison), strict=True):
            self._claimed.setdefault(key, (session, claimed))
        item.user_properties += [
            ("head", str(subject.name)),
            ("model", str(session.spec)),
            ("claim", record["expression"]),
            ("estimate", f"{comparison.left.value:.6g}"),
            ("verdict", record["verdict"]),
        ]

    def measured(self) -> dict[str, Any]:
        """Return the records of what was opened and of the heads that claims were made of.

        A head whose pass was cut short has none: its multiples would be those of some documents.
        """
        if not self._sessions:
            return {"sessions": [], "heads": []}
        from headtests.recording import head_record, session_record

        heads = [
            dict(head_record(session, subject.name, subject.options))
            for session, subject in self._claimed.values()
            if session.sweep.is_complete(subject.name)
        ]
        opened = [session for session in self._sessions.values() if session.is_open]
        return {"sessions": [dict(session_record(session)) for session in opened], "heads": heads}

    def close(self) -> None:
        """Drop everything that was opened."""
        for session in self._sessions.values():
            session.close()
