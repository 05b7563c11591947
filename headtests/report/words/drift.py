"""How far claims have moved since their baselines were recorded, in words.

Records in, strings out. Whether a claim drifted is the record's to say; nothing is measured here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from headtests.records import ClaimRecord, DriftRecord, MovedRecord, StaleRecord
from headtests.report.words.claims import unit_of
from headtests.report.words.heads import left_over
from headtests.report.words.page_budget import Caps
from headtests.report.words.text import NAME_LIMIT, plain
from headtests.wording import apart, beside, count, exactly, number

DRIFTED = "\u2260"
_MARKS = {"unchanged": "\u2248", "drifted": DRIFTED}
"""What stands beside each status, so that colour is never alone."""

_DIGITS = 4
_MOST_DIFFERING = 20
"""Things that a card says to differ."""


@dataclass(frozen=True, slots=True)
class MovedDocumentText:
    """A document whose part in the figure changed."""

    document: str
    text: str
    before: str
    now: str
    difference: str


@dataclass(frozen=True, slots=True)
class DriftText:
    """How far a claim has moved since its baseline."""

    status: str
    symbol: str
    in_brief: str
    """What it was and is, for a table's cell."""
    figures: list[tuple[str, str]]
    """What it was and is, how far apart these are and may be, and on how many documents."""
    basis: str
    """What such a comparison is, and is not."""
    file: str
    moved: list[MovedDocumentText]
    left_out: str
    differs: list[str]
    """What else differs from when it was recorded."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The baselines in one file of claims that are no longer made."""

    file: str
    claims: list[tuple[str, str]]
    """The test of each, and the claim as Python."""


def drift(claim: ClaimRecord, caps: Caps) -> DriftText | None:
    """Return how far a claim has moved; None where it was compared with no baseline."""
    found = claim["drift"]
    if found is None:
        return None
    shown = found["moved"][: caps.moved]
    return DriftText(
        status=found["status"],
        symbol=_MARKS[found["status"]],
        in_brief=before_and_now(claim, found),
        figures=_figures(claim, found),
        basis=_basis(found),
        file=found["file"],
        moved=[_moved(one, unit_of(claim["left"])) for one in shown],
        left_out=left_over(len(found["moved"]) - len(shown), len(shown)) if shown else "",
        differs=_differing(found),
    )


def drifted(claims: Sequence[ClaimRecord]) -> list[tuple[ClaimRecord, DriftRecord]]:
    """Return the claims that moved further than they may, with how far."""
    found = [(claim, claim["drift"]) for claim in claims if claim["drift"] is not None]
    return [(claim, drift) for claim, drift in found if drift["status"] == "drifted"]


def stale(records: list[StaleRecord]) -> list[Stale]:
    """Return the baselines of claims that are no longer made, by their files."""
    files: dict[str, list[tuple[str, str]]] = {}
    for one in records:
        files.setdefault(one["file"], []).append((one["test"], one["claim"]))
    return [Stale(file, claims) for file, claims in files.items()]


def before_and_now(claim: ClaimRecord, found: DriftRecord) -> str:
    """Return what a figure was and is, such as "0.12, now 0.08"."""
    before, now = _told_apart(found)
    unit = unit_of(claim["left"])
    return f"{before}{unit}, now {now}{unit}"


def margin(claim: ClaimRecord, found: DriftRecord) -> str:
    """Return how far a figure may move, such as "0.02", or "0.02 of its size, 0.24"."""
    allowed = exactly(found["margin"])
    if not found["is_relative"]:
        return allowed
    return f"{allowed} of its size, {number(found['room'])}{unit_of(claim['left'])}"


def signed(figure: float, *others: float) -> str:
    """Return a figure with its sign, and digits that tell its size from the others.

    >>> signed(0.031), signed(-0.02004, 0.02), signed(0.0)
    ('+0.031', '-0.02004', '0')
    """
    sign = "+" if figure > 0 else "-" if figure < 0 else ""
    return f"{sign}{beside(abs(figure), *others)}"


def _told_apart(found: DriftRecord) -> tuple[str, str]:
    """Return both figures, as different as they look; of one that stayed, to a few digits."""
    before, now = found["before"], found["now"]
    if found["status"] == "drifted":
        return apart(before, now)
    return number(before, _DIGITS), number(now, _DIGITS)


def _figures(claim: ClaimRecord, found: DriftRecord) -> list[tuple[str, str]]:
    unit = unit_of(claim["left"])
    before, now = _told_apart(found)
    documents = found["documents"]
    return [
        ("Before", before + unit),
        ("Now", now + unit),
        ("Moved by", signed(found["now"] - found["before"], found["room"]) + unit),
        ("May move by", margin(claim, found)),
        *([] if documents is None else [("Recorded documents", f"{documents:,}")]),
    ]


def _basis(found: DriftRecord) -> str:
    if found["documents"] is None:
        return "This is arithmetic on the recorded figure, and no inference."
    return (
        f"This is arithmetic on the {count(found['documents'], 'document')} that "
        f"{'was' if found['documents'] == 1 else 'were'} recorded: the mean of "
        "their paired differences. It is no inference about others."
    )


def _moved(one: MovedRecord, unit: str) -> MovedDocumentText:
    before, now = apart(one["before"], one["now"])
    return MovedDocumentText(
        document=f"{one['document']:,}",
        text=plain(one["text"], NAME_LIMIT),
        before=before + unit,
        now=now + unit,
        difference=signed(one["now"] - one["before"]) + unit,
    )


def _differing(found: DriftRecord) -> list[str]:
    differs = found["differs"]
    more = len(differs) - _MOST_DIFFERING
    return [*differs[:_MOST_DIFFERING], *([left_over(more, _MOST_DIFFERING)] if more > 0 else [])]
