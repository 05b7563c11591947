"""What one process of a run measured, and how the outputs of several processes merge.

The shapes are plain JSON-like data, since pytest-xdist sends nothing else from its workers.
`run` fills a `WorkerOutput`, `outcomes` a `TestOutput`, and `run_report` reads both. Nothing is
measured or printed here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypedDict, TypeVar

if TYPE_CHECKING:
    from headtests.records import (
        ClaimRecord,
        EstimateRecord,
        ExplanationRecord,
        HeadRecord,
        SearchRecord,
        SessionRecord,
        StaleRecord,
    )
    from headtests.sessions.recording.side_records import SideRecord

CARRIED = "headtests"
"""The attribute of a test's report, and the key of a worker's output, that carries records."""
SideName = Literal["left", "right"]
SIDES: tuple[SideName, ...] = ("left", "right")


class TestOutput(TypedDict):
    """What one test decided; it travels on the test's report."""

    outcome: str
    """As in the record."""
    reason: str
    """The reason of an xfail mark, or empty."""
    message: str
    """The test's error message, or empty."""
    claims: list["ClaimRecord"]
    searches: list["SearchRecord"]


class SideOutput(TypedDict):
    """What rows and pairs say about one side of a claim."""

    claim: str
    """The claim's id."""
    side: SideName
    record: "SideRecord"


class BaselineOutput(TypedDict):
    """What one process read or wrote of baselines."""

    stale: list["StaleRecord"]
    recorded: list[str]
    """What was written, a sentence for each file."""
    failed: list[str]
    """What was requested and could not be done, a sentence each."""
    unrecorded: int
    """How many claims have no baseline, in folders that have baselines."""


class WorkerOutput(BaselineOutput):
    """What one process measured; a worker sends it when it ends."""

    sessions: list["SessionRecord"]
    heads: list["HeadRecord"]
    sides: list[SideOutput]
    first_tests: dict[str, str]
    """The test that used each session or head first, by the record's key."""
    troubles: list[str]
    """What went wrong without failing a test, a sentence each."""
    explanations: list["ExplanationRecord"]


R = TypeVar("R", "SessionRecord", "HeadRecord")


@dataclass
class MergedOutput:
    """The outputs of all processes of a run, merged."""

    sessions: dict[str, "SessionRecord"] = field(default_factory=dict)
    heads: dict[str, "HeadRecord"] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    unrecorded: int = 0
    _sides: dict[tuple[str, str], "SideRecord"] = field(default_factory=dict)
    _explanations: dict[tuple[str, ...], "ExplanationRecord"] = field(default_factory=dict)
    _stale: dict[tuple[str, str, str], "StaleRecord"] = field(default_factory=dict)
    _first_tests: dict[str, set[str]] = field(default_factory=dict)

    def merge(self, output: WorkerOutput) -> None:
        """Add the output of one process."""
        self.troubles += output["troubles"]
        self.recorded += output["recorded"]
        self.failed += output["failed"]
        self.unrecorded += output["unrecorded"]
        for stale in output["stale"]:
            self._stale[stale["file"], stale["test"], stale["claim"]] = stale
        for key, nodeid in output["first_tests"].items():
            self._first_tests.setdefault(key, set()).add(nodeid)
        for head in output["heads"]:
            known_head = self.heads.setdefault(head["key"], head)
            if known_head["documents"] < head["documents"]:
                self.heads[head["key"]] = head
        for side in output["sides"]:
            self._sides[side["claim"], side["side"]] = side["record"]
        for explanation in output["explanations"]:
            self._merge_explanation(explanation)
        for session in output["sessions"]:
            known = self.sessions.setdefault(session["key"], session)
            if known is not session:
                _add(known, session)

    def _merge_explanation(self, explanation: "ExplanationRecord") -> None:
        key = (explanation["session"], explanation["head"], explanation["explainer"])
        # The built-in explainer says the same of a head in every worker. A language model explains
        # each claim by itself.
        about = explanation["claims"][:1] if explanation["server"] else []
        known = self._explanations.setdefault((*key, *about), explanation)
        if known is not explanation:
            known["claims"] += explanation["claims"]

    @property
    def stale(self) -> list["StaleRecord"]:
        """The baselines of claims that are no longer made, sorted by file, test and claim."""
        return [self._stale[key] for key in sorted(self._stale)]

    def with_sides(self, claim: "ClaimRecord") -> "ClaimRecord":
        """Return a claim with what rows and pairs say about its sides, where they were read."""
        left = self._sides.get((claim["id"], "left"))
        if left is not None:
            claim = {**claim, "left": _estimate_with(claim["left"], left)}
        right = self._sides.get((claim["id"], "right"))
        if right is not None and isinstance(claim["right"], dict):
            claim = {**claim, "right": _estimate_with(claim["right"], right)}
        return claim

    def explanations_of(self, claims: Sequence["ClaimRecord"]) -> list["ExplanationRecord"]:
        """Return the explanations of these claims, in their order; they name no other claims."""
        places = {claim["id"]: place for place, claim in enumerate(claims)}
        explanations: list[ExplanationRecord] = []
        for explanation in self._explanations.values():
            # A test that ran again may have made fewer claims.
            about = sorted(
                (id for id in explanation["claims"] if id in places), key=places.__getitem__
            )
            if about:
                explanations.append({**explanation, "claims": about})
        return sorted(explanations, key=lambda explanation: places[explanation["claims"][0]])

    def in_order(self, records: Mapping[str, R], place_of: Callable[[str], int]) -> list[R]:
        """Return records of heads or sessions in the order of the tests that used them first.

        `place_of` gives the place of a test in the run, by its node id.
        """
        first = {key: min(map(place_of, self._first_tests[key])) for key in records}
        return [records[key] for key in sorted(records, key=first.__getitem__)]


def _estimate_with(estimate: "EstimateRecord", side: "SideRecord") -> "EstimateRecord":
    return {**estimate, **side}


def _add(known: "SessionRecord", other: "SessionRecord") -> None:
    """Add what another worker measured in the same session."""
    # All workers begin with the same documents, so the shorter pass ran nothing new.
    new = max(session["tokens_run"] - session["tokens_run_twice"] for session in (known, other))
    known["tokens_run"] += other["tokens_run"]
    known["tokens_run_twice"] = known["tokens_run"] - new
    known["documents_run"] = max(known["documents_run"], other["documents_run"])
    known["results_kept"] += other["results_kept"]
    notes = known["corpus"]["notes"]
    notes += [note for note in other["corpus"]["notes"] if note not in notes]
