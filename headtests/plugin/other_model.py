"""Another model beside each test's own: its sessions, and every claim asked of it, too.

From items and decided comparisons to `headtests.sessions.recording.other_model_records`. Imported
where claims run.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from headtests.errors import HeadtestsError
from headtests.plugin.requests import other_model
from headtests.plugin.stash import CLAIMS, DECIDED
from headtests.sessions.recording.other_model_records import against, in_trouble
from headtests.sessions.session import Session
from headtests.settings import ModelSpec, Settings

if TYPE_CHECKING:
    from headtests.measurement.passes.runner import Progress
    from headtests.models.loaded import LoadedModel


class Beside:
    """The other model's sessions, one beside each of the run's own."""

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
        """By the identity of the session that it stands beside."""

    def look(self, item: pytest.Item) -> None:
        """Ask the other model what a test claimed; what goes wrong stands in the record."""
        asked, claims = item.stash[DECIDED], item.stash[CLAIMS]
        for decided, claim in zip(asked, claims, strict=True):
            other = self._asked(decided.comparison.left.subject.evidence)  # type: ignore[arg-type]  # the plugin's heads have no other
            if isinstance(other, HeadtestsError):
                claim["against"] = in_trouble(str(other))
            else:
                claim["against"] = against(decided.comparison, other)

    def of(self, session: Session) -> Session | None:
        """Return the session beside another, where it was measured on."""
        found = self._others.get(id(session))
        return found if isinstance(found, Session) and found.is_open else None

    def opened(self) -> Iterator[Session]:
        """Yield every session that there is."""
        yield from (one for one in self._others.values() if isinstance(one, Session))

    def _asked(self, session: Session) -> Session | HeadtestsError:
        """Return the session of the other model over the same corpus, or why there is none."""
        if id(session) not in self._others:
            self._others[id(session)] = self._other(session)
        return self._others[id(session)]

    def _other(self, session: Session) -> Session | HeadtestsError:
        try:
            model = self._load(other_model(session.spec, self._settings))
            other = Session(model, session.corpus, settings=self._settings, progress=self._progress)
            other.announce(
                head
                for head in session.served
                if head.layer < model.shape.layers and head.index < model.shape.heads
            )
            # Here, so that a corpus that cannot be read is told once.
            _ = other.population
        except HeadtestsError as error:
            return error
        return other
