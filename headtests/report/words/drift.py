"""How far claims have drifted from their baselines, in words.

Records in, strings out. Nothing is measured or compared here.
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
"""The symbol of each status, so that colour is never the only mark."""

_DIGITS = 4
_MOST_DIFFERING = 20
"""Other differences that a card lists."""


@dataclass(frozen=True, slots=True)
class MovedDocumentText:
    """A document whose contribution to the figure changed."""

    document: str
    text: str
    before: str
    now: str
    difference: str


@dataclass(frozen=True, slots=True)
class DriftText:
    """How far a claim has moved from its baseline."""

    status: str
    symbol: str
    in_brief: str
    """The figure before and now, for a table's cell."""
    figures: list[tuple[str, str]]
    """Name and value: before, now, their difference, the margin, the number of documents."""
    traded: str
    """How far documents moved, where they traded places while the figure is unchanged."""
    basis: str
    """What kind of comparison this is."""
    file: str
    moved: list[MovedDocumentText]
    left_out: str
    differs: list[str]
    """What else has changed since the baseline was recorded."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The baselines in one file whose claims are no longer made."""

    file: str
    claims: list[tuple[str, str]]
    """Test and claim (as Python) of each."""


def drift(claim: ClaimRecord, caps: Caps) -> DriftText | None:
    """Return how far a claim has moved; None without a baseline."""
    record = claim["drift"]
    if record is None:
        return None
    shown = record["moved"][: caps.moved]
    return DriftText(
        status=record["status"],
        symbol=_MARKS[record["status"]],
        in_brief=before_and_now(claim, record),
        figures=_figures(claim, record),
        traded=traded(claim),
        basis=_basis(record),
        file=record["file"],
        moved=[_moved(document, unit_of(claim["left"])) for document in shown],
        left_out=left_over(len(record["moved"]) - len(shown), len(shown)) if shown else "",
        differs=_differing(record),
    )


def drifted(claims: Sequence[ClaimRecord]) -> list[tuple[ClaimRecord, DriftRecord]]:
    """Return the claims that moved by more than their margin."""
    pairs = [(claim, claim["drift"]) for claim in claims if claim["drift"] is not None]
    return [(claim, drift) for claim, drift in pairs if drift["status"] == "drifted"]


def traded(claim: ClaimRecord) -> str:
    """Return how far a claim's documents moved where its figure did not; empty elsewhere."""
    record = claim["drift"]
    if record is None or not record["traded_places"] or record["mean_absolute"] is None:
        return ""
    unit = unit_of(claim["left"])
    moved = signed(record["now"] - record["before"], record["mean_absolute"])
    return (
        f"documents traded places: they moved by {number(record['mean_absolute'])}{unit} on "
        f"average, and the figure by {moved}{unit}"
    )


def stale(records: list[StaleRecord]) -> list[Stale]:
    """Return the baselines whose claims are no longer made, by file."""
    files: dict[str, list[tuple[str, str]]] = {}
    for record in records:
        files.setdefault(record["file"], []).append((record["test"], record["claim"]))
    return [Stale(file, claims) for file, claims in files.items()]


def before_and_now(claim: ClaimRecord, record: DriftRecord) -> str:
    """Return a figure before and now, such as "0.12, now 0.08"."""
    before, now = _rounded(record)
    unit = unit_of(claim["left"])
    return f"{before}{unit}, now {now}{unit}"


def margin(claim: ClaimRecord, record: DriftRecord) -> str:
    """Return how far a figure may move, such as "0.02", or "0.02 of its size, 0.24"."""
    allowed = exactly(record["margin"])
    if not record["is_relative"]:
        return number(record["room"])
    return f"{allowed} of its size, {number(record['room'])}{unit_of(claim['left'])}"


def signed(figure: float, *others: float) -> str:
    """Return a figure with its sign, and with enough digits to tell its size from the others.

    >>> signed(0.031), signed(-0.02004, 0.02), signed(0.0)
    ('+0.031', '-0.02004', '0')
    """
    sign = "+" if figure > 0 else "-" if figure < 0 else ""
    return f"{sign}{beside(abs(figure), *others)}"


def _rounded(record: DriftRecord) -> tuple[str, str]:
    """Return both figures: told apart where they drifted, rounded to a few digits elsewhere."""
    before, now = record["before"], record["now"]
    if record["status"] == "drifted":
        return apart(before, now)
    return number(before, _DIGITS), number(now, _DIGITS)


def _figures(claim: ClaimRecord, record: DriftRecord) -> list[tuple[str, str]]:
    unit = unit_of(claim["left"])
    before, now = _rounded(record)
    documents = record["documents"]
    return [
        ("Before", before + unit),
        ("Now", now + unit),
        ("Moved by", signed(record["now"] - record["before"], record["room"]) + unit),
        ("May move by", margin(claim, record)),
        *(
            []
            if record["mean_absolute"] is None
            else [("Its documents moved by", f"{number(record['mean_absolute'])}{unit} on average")]
        ),
        *([] if documents is None else [("Recorded documents", f"{documents:,}")]),
    ]


def _basis(record: DriftRecord) -> str:
    if record["documents"] is None:
        return "This is arithmetic on the recorded figure, not an inference."
    return (
        "This is the mean of the paired differences on the "
        f"{count(record['documents'], 'recorded document')}: arithmetic, not an inference about "
        "other documents."
    )


def _moved(record: MovedRecord, unit: str) -> MovedDocumentText:
    before, now = apart(record["before"], record["now"])
    return MovedDocumentText(
        document=f"{record['document']:,}",
        text=plain(record["text"], NAME_LIMIT),
        before=before + unit,
        now=now + unit,
        difference=signed(record["now"] - record["before"]) + unit,
    )


def _differing(record: DriftRecord) -> list[str]:
    differs = record["differs"]
    more = len(differs) - _MOST_DIFFERING
    return [*differs[:_MOST_DIFFERING], *([left_over(more, _MOST_DIFFERING)] if more > 0 else [])]
