"""A second model, on which every claim of a run is decided as well (`--headtests-against`).

Connects pytest items and decided comparisons with
`headtests.sessions.recording.other_model_records`. Imported only in runs with claims.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from headtests.errors import HeadtestsError
from headtests.plugin.requests import other_model
from headtests.plugin.stash import CLAIM_RECORDS, DECIDED
from headtests.sessions.recording.other_model_records import against_record, failed_record
from headtests.sessions.session import Session
from headtests.settings import ModelSpec, Settings

if TYPE_CHECKING:
    from headtests.measurement.passes.runner import Progress
    from headtests.models.loaded import LoadedModel


class OtherModel:
    """The second model's sessions, one for each session of the run."""

    def __init__(
        self,
        settings: Settings,
        load: "Callable[[ModelSpec], LoadedModel]",
        progress: "Progress | None",
    ) -> None:
        self._settings = settings
        self._load = load
        self._progress = progress
        self._others: dict[int, Session | HeadtestsError] = {}
        """By the identity of the run's own session."""

    def compare(self, item: pytest.Item) -> None:
        """Decide a test's claims on the second model, and store the results in their records."""
        claims, records = item.stash[DECIDED], item.stash[CLAIM_RECORDS]
        for decided, record in zip(claims, records, strict=True):
            other = self._session_beside(decided.comparison.left.subject.evidence)  # type: ignore[arg-type]  # the plugin's heads have no other
            if isinstance(other, HeadtestsError):
                record["against"] = failed_record(str(other))
            else:
                record["against"] = against_record(decided.comparison, other)

    def of(self, session: Session) -> Session | None:
        """Return the second model's session for a session of the run, if it ran documents."""
        other = self._others.get(id(session))
        return other if isinstance(other, Session) and other.is_open else None

    def opened(self) -> Iterator[Session]:
        """Yield every open session of the second model."""
        yield from (other for other in self._others.values() if isinstance(other, Session))

    def _session_beside(self, session: Session) -> Session | HeadtestsError:
        """Return the second model's session over the same corpus, or the error that prevents it."""
        if id(session) not in self._others:
            self._others[id(session)] = self._open(session)
        return self._others[id(session)]

    def _open(self, session: Session) -> Session | HeadtestsError:
        try:
            model = self._load(other_model(session.spec, self._settings))
            other = Session(model, session.corpus, settings=self._settings, progress=self._progress)
            other.announce(
                head
                for head in session.served
                if head.layer < model.shape.layers and head.index < model.shape.heads
            )
            # Read the corpus here, so that an error is reported once.
            _ = other.population
        except HeadtestsError as error:
            return error
        return other
