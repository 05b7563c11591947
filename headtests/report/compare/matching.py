"""Which claims and which sessions of two runs are the same: the earlier run's first.

Records in, pairs out. What differs between the two of a pair is not looked at.
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
    """Of the same test and the same left side, compared with something else."""
    gone: list[ClaimRecord]
    new: list[ClaimRecord]


def match_claims(before: Iterable[ClaimRecord], after: Iterable[ClaimRecord]) -> Claims:
    """Return the claims of two runs, matched by test and expression, then by test and left side.

    Of several that are alike, the first is matched with the first.
    """
    same, gone, new = _paired(_by_expression, list(before), list(after))
    altered = []
    # The closest first: of the two claims of a range, each is matched with its own side.
    for key in (_by_operator, _by_sides, _by_left):
        pairs, gone, new = _paired(key, gone, new)
        altered += pairs
    return Claims(same, altered, gone, new)


def match_sessions(
    before: Sequence[SessionRecord],
    after: Sequence[SessionRecord],
    claims: Iterable[tuple[ClaimRecord, ClaimRecord]],
) -> list[tuple[SessionRecord | None, SessionRecord | None]]:
    """Return the sessions of two runs, those together that the same claims were measured in.

    Those without such a claim are matched by their key, then by the names of model and corpus;
    what then has no match stands alone.
    """
    old, new = ({one["key"]: one for one in sessions} for sessions in (before, after))
    keys = dict.fromkeys((one["session"], other["session"]) for one, other in claims)
    found = [(old[a], new[b]) for a, b in keys if a in old and b in new]
    gone = [one for key, one in old.items() if key not in {a["key"] for a, _ in found}]
    added = [one for key, one in new.items() if key not in {b["key"] for _, b in found}]
    for key in (_key, _names):
        pairs, gone, added = _paired(key, gone, added)
        found += pairs
    return [*found, *((one, None) for one in gone), *((None, one) for one in added)]


def _paired(
    key: Callable[[_Item], Hashable], before: Iterable[_Item], after: Iterable[_Item]
) -> tuple[list[tuple[_Item, _Item]], list[_Item], list[_Item]]:
    """Return the first of each key with the first, and so on; then what has none to go with."""
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
    left = sorted((entry for alike in waiting.values() for entry in alike), key=lambda e: e[0])
    return pairs, alone, [item for _, item in left]


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
