"""Two runs beside each other: what ran differently, and what became of each claim.

Records in, frozen facts out; nothing is decided again. How it is said is `comparison_text`.
"""

import math
from dataclasses import dataclass
from typing import Literal

from headtests.records import ClaimRecord, DifferenceRecord, EstimateRecord, Record, SessionRecord
from headtests.report.compare.matching import match_claims, match_sessions
from headtests.report.compare.provenance import ChangedFact, differing, of_heads, of_sessions
from headtests.report.words.claims import sides

Kind = Literal["verdict", "claim", "moved", "gone", "new"]
"""Another verdict; another threshold or right side; an estimate beyond the intervals; a claim that
only the earlier run has, or only the later."""

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
"""Two figures that are closer than this differ by rounding: of devices, of batches, of floats."""
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
"""The verdicts before and after, from those that most need to be looked at."""


@dataclass(frozen=True, slots=True)
class SessionChange:
    """One model over one corpus in both runs; or in one, where the other has none like it."""

    before: SessionRecord | None
    after: SessionRecord | None
    facts: list[ChangedFact]
    other_documents: bool
    """Whether the token ids that the model saw differ."""


@dataclass(frozen=True, slots=True)
class Change:
    """A claim of which the two runs say different things."""

    kind: Kind
    before: ClaimRecord | None
    after: ClaimRecord | None
    other_documents: bool
    """Whether its two figures are not known to be of the same documents."""
    instead: str
    """What became of the test of a claim that is gone: its outcome, or empty."""


@dataclass(frozen=True, slots=True)
class RunComparison:
    """What two runs say, the earlier one first."""

    before: Record
    after: Record
    sessions: list[SessionChange]
    heads: list[ChangedFact]
    """Which rows and keys count of the heads that the same claims are about."""
    environment: list[ChangedFact]
    changes: list[Change]
    """The worst first."""
    unchanged: int
    unchanged_on_other_documents: int


def compare(before: Record, after: Record) -> RunComparison:
    """Return what differs between two runs."""
    claims = match_claims(before["claims"], after["claims"])
    known = [{one["key"]: one for one in run["sessions"]} for run in (before, after)]

    def elsewhere(one: ClaimRecord, other: ClaimRecord) -> bool:
        return _other_documents(known[0].get(one["session"]), known[1].get(other["session"]))

    kinds = [(kind_of(*pair), pair) for pair in claims.same]
    changes = [Change(kind, *pair, elsewhere(*pair), "") for kind, pair in kinds if kind]
    changes += [Change("claim", *pair, elsewhere(*pair), "") for pair in claims.altered]
    outcomes = {test["test"]: test["outcome"] for test in after["unmeasured"]}
    changes += [
        Change("gone", one, None, False, outcomes.get(one["test"], "")) for one in claims.gone
    ]
    changes += [Change("new", None, one, False, "") for one in claims.new]
    unchanged = [pair for kind, pair in kinds if not kind]
    pairs = claims.same + claims.altered
    return RunComparison(
        before=before,
        after=after,
        sessions=[
            SessionChange(
                one,
                other,
                [] if one is None or other is None else list(of_sessions(one, other)),
                one is not None and other is not None and _other_documents(one, other),
            )
            for one, other in match_sessions(before["sessions"], after["sessions"], pairs)
        ],
        heads=list(of_heads(before, after, pairs)),
        environment=differing(before["environment"], after["environment"]),
        changes=sorted(changes, key=_badness),
        unchanged=len(unchanged),
        unchanged_on_other_documents=sum(elsewhere(*pair) for pair in unchanged),
    )


def kind_of(before: ClaimRecord, after: ClaimRecord) -> Kind | None:
    """Return how a claim that both runs have differs between them; None where it does not.

    An estimate has moved where the two intervals have no point in common; a figure that is exact,
    or of pairs, is its own interval.
    """
    if before["verdict"] != after["verdict"]:
        return "verdict"
    estimates = zip(sides(before), sides(after), strict=False)
    if any(_apart(_interval(one), _interval(other)) for one, other in estimates):
        return "moved"
    one, other = before["difference"], after["difference"]
    return "moved" if one and other and _apart(_bounds(one), _bounds(other)) else None


def _apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Return whether two intervals have no point in common, by more than rounding."""
    low, high = max(one[0], other[0]), min(one[1], other[1])
    return low > high and not math.isclose(low, high, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)


def _interval(estimate: EstimateRecord) -> tuple[float, float]:
    if estimate["pairs"] is not None:
        return estimate["value"], estimate["value"]
    return _bounds(estimate)


def _bounds(figure: EstimateRecord | DifferenceRecord) -> tuple[float, float]:
    low, high = figure["low"], figure["high"]
    return -math.inf if low is None else low, math.inf if high is None else high


def _other_documents(before: SessionRecord | None, after: SessionRecord | None) -> bool:
    if before is None or after is None:
        return True
    return before["corpus"]["sha256"] != after["corpus"]["sha256"]


def _badness(change: Change) -> int:
    before, after = change.before, change.after
    return _WORST_FIRST.index((before and before["verdict"], after and after["verdict"]))
