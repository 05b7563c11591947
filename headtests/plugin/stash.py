"""What hangs on pytest items: the claims and searches of a test, and its subtests.

Keys and values only; who fills and reads them are the other modules of the plugin.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from headtests.plugin import could_not_run as unavailable
from headtests.plugin import undecided

if TYPE_CHECKING:
    from headtests.claims.comparison import Comparison
    from headtests.prompts.withstands import Withstands


@dataclass(frozen=True)
class Decided:
    """A comparison that a test decided, and where."""

    comparison: "Comparison"
    stack: tuple[tuple[str, int], ...]
    """File and line of every call that was going on when its truth was asked for."""
    time: float
    """When it was asked for, as `time.time` has it."""


@dataclass(frozen=True)
class Sought:
    """A claim about prompts that a test had searched, and where."""

    claim: "Withstands"
    stack: tuple[tuple[str, int], ...]
    """As of a comparison."""
    time: float


@dataclass
class Subtests:
    """What became of the subtests of a test."""

    running: bool = True
    """Whether the test's body goes on, so that a report is one of a subtest."""
    failed: list[str] = field(default_factory=list)
    """The outcome of each that did not pass: `failed` or `undecided`."""

    @property
    def outcome(self) -> str:
        """What they make of a test that passed otherwise, where any failed."""
        return "undecided" if set(self.failed) == {"undecided"} else "failed"


DECIDED: pytest.StashKey[list[Decided]] = pytest.StashKey()
"""On an item: the comparisons that its test decided, in order."""


CLAIMS: pytest.StashKey[list[dict[str, Any]]] = pytest.StashKey()
"""On an item: their records."""


SOUGHT: pytest.StashKey[list[Sought]] = pytest.StashKey()
"""On an item: the claims about prompts that its test had searched, in order."""


SEARCHES: pytest.StashKey[list[dict[str, Any]]] = pytest.StashKey()
"""On an item: their records."""


SUBTESTS: pytest.StashKey[Subtests] = pytest.StashKey()
"""On an item, from its body on: what became of its subtests."""


TOLD: pytest.StashKey[dict[str, Any]] = pytest.StashKey()
"""On an item: what its latest report carries."""


PROPERTIES = ("head", "model", "claim", "estimate", "verdict", "search", "drift")
"""What JUnit XML says of a comparison."""


OUTCOMES = (undecided.PROPERTY, unavailable.PROPERTY)
"""What it says of a test, where pytest has no word for it."""


def forget(item: pytest.Item) -> None:
    """Drop what an earlier run of the same test decided, where a plugin runs it again."""
    item.stash[DECIDED] = []
    item.stash[CLAIMS] = []
    item.stash[SOUGHT] = []
    item.stash[SEARCHES] = []
    item.user_properties[:] = [
        (name, value)
        for name, value in item.user_properties
        if name not in PROPERTIES and (name, value) not in OUTCOMES
    ]
