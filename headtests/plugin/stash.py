"""What the plugin keeps on pytest items: the claims and searches of a test, and its subtests.

Keys and values only; the other modules of the plugin fill and read them.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from headtests.plugin import could_not_run, undecided

if TYPE_CHECKING:
    from headtests.claims.comparison import Comparison
    from headtests.plugin.worker_output import TestOutput
    from headtests.prompts.withstands import Withstands
    from headtests.records import ClaimRecord, SearchRecord


@dataclass(frozen=True)
class DecidedClaim:
    """A comparison that a test decided, and where."""

    comparison: "Comparison"
    stack: tuple[tuple[str, int], ...]
    """File and line of every active call when its truth value was requested."""
    time: float
    """When it was requested, in seconds since the epoch."""


@dataclass(frozen=True)
class SearchedClaim:
    """A claim about prompts that a test searched, and where."""

    claim: "Withstands"
    stack: tuple[tuple[str, int], ...]
    """File and line of every active call when its truth value was requested."""
    time: float
    """When it was requested, in seconds since the epoch."""


@dataclass
class Subtests:
    """The state of a test's subtests."""

    running: bool = True
    """Whether the test's body is still running, so that a report is about a subtest."""
    failed: list[str] = field(default_factory=list)
    """The outcome of each subtest that did not pass: `failed` or `undecided`."""

    @property
    def outcome(self) -> str:
        """The outcome of a test that passed except for its subtests, where any of them failed."""
        return "undecided" if set(self.failed) == {"undecided"} else "failed"


DECIDED: pytest.StashKey[list[DecidedClaim]] = pytest.StashKey()
"""On an item: the comparisons that its test decided, in order."""
CLAIM_RECORDS: "pytest.StashKey[list[ClaimRecord]]" = pytest.StashKey()
"""On an item: the records of these comparisons."""
SEARCHED: pytest.StashKey[list[SearchedClaim]] = pytest.StashKey()
"""On an item: the claims about prompts that its test searched, in order."""
SEARCH_RECORDS: "pytest.StashKey[list[SearchRecord]]" = pytest.StashKey()
"""On an item: the records of these searches."""
SUBTESTS: pytest.StashKey[Subtests] = pytest.StashKey()
"""On an item, once its body began: the state of its subtests."""
OUTPUT: "pytest.StashKey[TestOutput]" = pytest.StashKey()
"""On an item: what its latest report carries."""
CLAIM_PROPERTIES = ("head", "model", "claim", "estimate", "verdict")
"""The JUnit XML properties of a comparison."""
SEARCH_PROPERTIES = ("head", "model", "claim", "search")
"""The JUnit XML properties of a claim about prompts."""
DRIFT_PROPERTY = "drift"
"""The JUnit XML property of a claim that has a baseline."""


def forget(item: pytest.Item) -> None:
    """Drop what an earlier run of the same test decided, where a plugin runs it again."""
    item.stash[DECIDED] = []
    item.stash[CLAIM_RECORDS] = []
    item.stash[SEARCHED] = []
    item.stash[SEARCH_RECORDS] = []
    names = {*CLAIM_PROPERTIES, *SEARCH_PROPERTIES, DRIFT_PROPERTY}
    outcomes = (undecided.PROPERTY, could_not_run.PROPERTY)
    item.user_properties[:] = [
        (name, value)
        for name, value in item.user_properties
        if name not in names and (name, value) not in outcomes
    ]
