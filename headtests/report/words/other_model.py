"""The same claim of another model on the same documents, beside this one's, in words.

Records in, strings out. Verdicts and differences are the record's; nothing is decided here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from headtests.records import AgainstRecord, ClaimRecord, DifferenceRecord, SessionRecord
from headtests.report.words.claims import SYMBOLS, StatisticLine, measured_on, unit_of
from headtests.report.words.drift import signed
from headtests.report.words.intervals import in_words
from headtests.report.words.sessions import SessionText
from headtests.report.words.text import NAME_LIMIT, brief, plain
from headtests.wording import apart, count


class Model(NamedTuple):
    """One of the two models: what it is called, where it stands, what it says."""

    name: str
    anchor: str
    """Of its session; empty where the record lacks that."""
    verdict: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Against:
    """A claim of two models."""

    models: tuple[Model, Model]
    """This one, and the other, with names that differ where the models do."""
    trouble: str
    """Why there is nothing of the other; else empty."""
    lines: list[StatisticLine]
    """The figures of both."""
    paired: str
    """How far the other's figure is from this one's, document by document."""

    @property
    def differs(self) -> bool:
        """Whether the other model's verdict is another."""
        this, other = self.models
        return bool(other.verdict) and this.verdict != other.verdict


def against(
    claim: ClaimRecord, records: Mapping[str, SessionRecord], sessions: Mapping[str, SessionText]
) -> Against | None:
    """Return a claim beside that of another model; None where no other was asked.

    Both mappings are by the record's key.
    """
    found = claim["against"]
    if found is None:
        return None
    keys = claim["session"], found["session"]
    names = names_of(*keys, records)
    verdicts = claim["verdict"], found["verdict"] or ""
    this, other = (
        Model(
            name, sessions[key].anchor if key in sessions else "", verdict, SYMBOLS.get(verdict, "")
        )
        for name, key, verdict in zip(names, keys, verdicts, strict=True)
    )
    return Against(
        models=(this, other),
        trouble=found["trouble"],
        lines=[] if found["value"] is None else _lines(claim, found, found["value"]),
        paired=_paired(claim, found, names),
    )


def differing(claims: Sequence[ClaimRecord]) -> list[tuple[ClaimRecord, AgainstRecord]]:
    """Return the claims of which the other model's verdict is another."""
    found = [(claim, claim["against"]) for claim in claims if claim["against"] is not None]
    return [(one, other) for one, other in found if other["verdict"] not in (None, one["verdict"])]


def names_of(one: str, other: str, records: Mapping[str, SessionRecord]) -> tuple[str, str]:
    """Return what two sessions' models are called: as much as tells them apart.

    Of what the record has no session, its key; of none at all, words.
    """
    models = [records[key]["model"] if key in records else None for key in (one, other)]
    this, that = models
    if this is None or that is None:
        shown = [
            (plain(key, NAME_LIMIT) or "another model") if model is None else brief(model["name"])
            for key, model in zip((one, other), models, strict=True)
        ]
        return shown[0], shown[1]
    names = [[brief(model["name"])] for model in (this, that)]
    if this["revision"] != that["revision"]:
        for name, model in zip(names, (this, that), strict=True):
            name[0] += f" at {model['revision']}" if model["revision"] else ""
    if this["dtype"] != that["dtype"]:
        for name, model in zip(names, (this, that), strict=True):
            name.append(model["dtype"])
    if names[0] == names[1] and this["weights_sha256"] != that["weights_sha256"]:
        for name, model in zip(names, (this, that), strict=True):
            name.append(f"weights {model['weights_sha256'][:8]}")
    shown = [plain(", ".join(name), NAME_LIMIT) for name in names]
    return shown[0], shown[1]


def _figure(claim: ClaimRecord) -> DifferenceRecord:
    """Return the figure of this model: the statistic, or the difference of two."""
    left, right = claim["left"], claim["right"]
    if not isinstance(right, dict):
        return DifferenceRecord(value=left["value"], low=left["low"], high=left["high"])
    return claim["difference"] or DifferenceRecord(
        value=left["value"] - claim["factor"] * right["value"], low=None, high=None
    )


def _lines(claim: ClaimRecord, found: AgainstRecord, value: float) -> list[StatisticLine]:
    unit, this = unit_of(claim["left"]), _figure(claim)
    other = DifferenceRecord(value=value, low=found["low"], high=found["high"])
    name = "Difference" if isinstance(claim["right"], dict) else "Estimate"
    documents = found["documents"]
    lines = [
        StatisticLine(name, [figure + unit for figure in apart(this["value"], value)]),
        StatisticLine("Interval", [in_words(this, unit), in_words(other, unit)]),
        StatisticLine(
            "Measured on",
            [
                measured_on(claim["left"]),
                "" if documents is None else count(documents, "document"),
            ],
        ),
    ]
    return [line for line in lines if any(line.values)]


def _paired(claim: ClaimRecord, found: AgainstRecord, names: tuple[str, str]) -> str:
    if found["difference"] is None:
        return ""
    this, other = names
    words = f"{other} less {this}: {signed(found['difference'])}{unit_of(claim['left'])}"
    documents = found["difference_documents"]
    if documents is None:
        return f"{words}. This is arithmetic, and no inference."
    return (
        f"{words} on average, over the {count(documents, 'document')} that both count. This is the "
        "mean of their paired differences: arithmetic on these documents, and no inference about "
        "others."
    )
