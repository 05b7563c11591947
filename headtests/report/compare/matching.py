"""Matches the claims and sessions of two runs, the earlier run first.

Records in, pairs out. What differs within a pair is not looked at here.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from headtests.records import ClaimRecord, SessionRecord

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of two runs, each in one of these lists, in the order of its run."""

    same: list[tuple[ClaimRecord, ClaimRecord]]
    altered: list[tuple[ClaimRecord, ClaimRecord]]
    """Pairs of the same test and left side, compared with something else."""
    gone: list[ClaimRecord]
    new: list[ClaimRecord]


def match_claims(before: Iterable[ClaimRecord], after: Iterable[ClaimRecord]) -> Claims:
    """Return the claims of two runs, matched by test and expression, then by test and left side.

    Claims with equal keys are matched in order.
    """
    same, gone, new = _paired(_by_expression, list(before), list(after))
    altered = []
    # From the strictest key on, so that the two claims of a range are matched bound by bound.
    for key in (_by_operator, _by_sides, _by_left):
        pairs, gone, new = _paired(key, gone, new)
        altered += pairs
    return Claims(same, altered, gone, new)


def match_sessions(
    before: Sequence[SessionRecord],
    after: Sequence[SessionRecord],
    claims: Iterable[tuple[ClaimRecord, ClaimRecord]],
) -> list[tuple[SessionRecord | None, SessionRecord | None]]:
    """Return the sessions of two runs in pairs: those in which the same claims were measured.

    Sessions without such claims are matched by key, then by the names of model and corpus. A
    session without a match is paired with None.
    """
    old, new = ({item["key"]: item for item in sessions} for sessions in (before, after))
    keys = dict.fromkeys((left["session"], right["session"]) for left, right in claims)
    matched = [(old[a], new[b]) for a, b in keys if a in old and b in new]
    gone = [item for key, item in old.items() if key not in {a["key"] for a, _ in matched}]
    added = [item for key, item in new.items() if key not in {b["key"] for _, b in matched}]
    for key in (_key, _names):
        pairs, gone, added = _paired(key, gone, added)
        matched += pairs
    return [*matched, *((item, None) for item in gone), *((None, item) for item in added)]


def _paired(
    key: Callable[[_Item], Hashable], before: Iterable[_Item], after: Iterable[_Item]
) -> tuple[list[tuple[_Item, _Item]], list[_Item], list[_Item]]:
    """Return the items with equal keys, paired in order; then those of each run without a match."""
    waiting: defaultdict[Hashable, deque[tuple[int, _Item]]] = defaultdict(deque)
    for place, item in enumerate(after):
        waiting[key(item)].append((place, item))
    pairs, alone = [], []
    for item in before:
        alike = waiting[key(item)]
        if alike:
            pairs.append((item, alike.popleft()[1]))
        else:
            alone.append(item)
    unmatched = sorted(
        (entry for alike in waiting.values() for entry in alike), key=lambda entry: entry[0]
    )
    return pairs, alone, [item for _, item in unmatched]


def _by_expression(claim: ClaimRecord) -> Hashable:
    return claim["test"], claim["expression"]


def _by_operator(claim: ClaimRecord) -> Hashable:
    return claim["operator"], _by_sides(claim)


def _by_sides(claim: ClaimRecord) -> Hashable:
    right = claim["right"]
    return _by_left(claim), right["expression"] if isinstance(right, dict) else None


def _by_left(claim: ClaimRecord) -> Hashable:
    return claim["test"], claim["left"]["expression"]


def _key(session: SessionRecord) -> Hashable:
    return session["key"]


def _names(session: SessionRecord) -> Hashable:
    return session["model"]["name"], session["corpus"]["name"]
