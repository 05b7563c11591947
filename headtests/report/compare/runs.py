"""Compares two runs: what ran differently, and how each claim changed.

Records in, facts out; nothing is decided again. The text is `headtests.report.compare.text`.
"""

import math
from dataclasses import dataclass
from typing import Literal

from headtests.records import ClaimRecord, DifferenceRecord, EstimateRecord, Record, SessionRecord
from headtests.report.compare.matching import match_claims, match_sessions
from headtests.report.compare.provenance import ChangedFact, differing, of_heads, of_sessions
from headtests.report.words.claims import sides

Kind = Literal["verdict", "claim", "moved", "gone", "new"]
"""The verdict changed; the threshold or right side changed; the estimate moved beyond the
intervals; only the earlier run has the claim; only the later one has it."""

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
"""Two figures that are closer than this differ by rounding only."""
_WORST_FIRST: tuple[tuple[str | None, str | None], ...] = (
    ("holds", "refuted"),
    ("holds", "undecided"),
    ("undecided", "refuted"),
    (None, "refuted"),
    (None, "undecided"),
    ("holds", None),
    ("undecided", None),
    ("refuted", None),
    ("refuted", "refuted"),
    ("undecided", "undecided"),
    ("holds", "holds"),
    ("refuted", "undecided"),
    ("undecided", "holds"),
    ("refuted", "holds"),
    (None, "holds"),
)
"""The verdicts before and after, in order of importance."""


@dataclass(frozen=True, slots=True)
class SessionChange:
    """One model over one corpus in both runs, or in one of them."""

    before: SessionRecord | None
    after: SessionRecord | None
    facts: list[ChangedFact]
    other_documents: bool
    """Whether the token ids that the model saw differ."""


@dataclass(frozen=True, slots=True)
class Change:
    """A claim that differs between the two runs."""

    kind: Kind
    before: ClaimRecord | None
    after: ClaimRecord | None
    other_documents: bool
    """Whether its two figures may be from different documents."""
    instead: str
    """The outcome of the test whose claim is gone; else empty."""


@dataclass(frozen=True, slots=True)
class RunComparison:
    """The differences between two runs."""

    before: Record
    after: Record
    sessions: list[SessionChange]
    heads: list[ChangedFact]
    """Differences in which rows and keys count, for the heads of matched claims."""
    environment: list[ChangedFact]
    changes: list[Change]
    """Worst first."""
    unchanged: int
    unchanged_on_other_documents: int


def compare(before: Record, after: Record) -> RunComparison:
    """Return what differs between two runs."""
    claims = match_claims(before["claims"], after["claims"])
    old, new = ({item["key"]: item for item in run["sessions"]} for run in (before, after))

    def elsewhere(left: ClaimRecord, right: ClaimRecord) -> bool:
        return _other_documents(old.get(left["session"]), new.get(right["session"]))

    kinds = [(kind_of(*pair), pair) for pair in claims.same]
    changes = [Change(kind, *pair, elsewhere(*pair), "") for kind, pair in kinds if kind]
    changes += [Change("claim", *pair, elsewhere(*pair), "") for pair in claims.altered]
    outcomes = {test["test"]: test["outcome"] for test in after["unmeasured"]}
    changes += [
        Change("gone", claim, None, False, outcomes.get(claim["test"], "")) for claim in claims.gone
    ]
    changes += [Change("new", None, claim, False, "") for claim in claims.new]
    unchanged = [pair for kind, pair in kinds if not kind]
    pairs = claims.same + claims.altered
    return RunComparison(
        before=before,
        after=after,
        sessions=[
            SessionChange(
                left,
                right,
                [] if left is None or right is None else list(of_sessions(left, right)),
                left is not None and right is not None and _other_documents(left, right),
            )
            for left, right in match_sessions(before["sessions"], after["sessions"], pairs)
        ],
        heads=list(of_heads(before, after, pairs)),
        environment=differing(before["environment"], after["environment"]),
        changes=sorted(changes, key=_badness),
        unchanged=len(unchanged),
        unchanged_on_other_documents=sum(elsewhere(*pair) for pair in unchanged),
    )


def kind_of(before: ClaimRecord, after: ClaimRecord) -> Kind | None:
    """Return how a claim of both runs changed; None where it did not.

    An estimate has moved where its two intervals have no point in common. The interval of an exact
    figure and of a figure of pairs is the figure itself.
    """
    if before["verdict"] != after["verdict"]:
        return "verdict"
    estimates = zip(sides(before), sides(after), strict=False)
    if any(_apart(_interval(left), _interval(right)) for left, right in estimates):
        return "moved"
    old, new = before["difference"], after["difference"]
    return "moved" if old and new and _apart(_bounds(old), _bounds(new)) else None


def _apart(left: tuple[float, float], right: tuple[float, float]) -> bool:
    """Return whether two intervals are apart by more than rounding."""
    low, high = max(left[0], right[0]), min(left[1], right[1])
    return low > high and not math.isclose(low, high, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)


def _interval(estimate: EstimateRecord) -> tuple[float, float]:
    if estimate["pairs"] is not None:
        return estimate["value"], estimate["value"]
    return _bounds(estimate)


def _bounds(figure: DifferenceRecord) -> tuple[float, float]:
    low, high = figure["low"], figure["high"]
    return -math.inf if low is None else low, math.inf if high is None else high


def _other_documents(before: SessionRecord | None, after: SessionRecord | None) -> bool:
    if before is None or after is None:
        return True
    return before["corpus"]["sha256"] != after["corpus"]["sha256"]


def _badness(change: Change) -> int:
    before, after = change.before, change.after
    return _WORST_FIRST.index((before and before["verdict"], after and after["verdict"]))
