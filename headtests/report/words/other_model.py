"""A claim beside the same claim on another model, in words.

Records in, strings out. Nothing is decided or computed here.
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
    """One of the two models: its name, the anchor of its session, its verdict."""

    name: str
    anchor: str
    """Empty where the session is not in the record."""
    verdict: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Against:
    """A claim on two models."""

    models: tuple[Model, Model]
    """This model and the other; the names differ where the models do."""
    trouble: str
    """Why there is no result of the other model; else empty."""
    lines: list[StatisticLine]
    """The figures of both models."""
    paired: str
    """The paired difference of the two figures."""

    @property
    def differs(self) -> bool:
        """Whether the two verdicts differ."""
        this, other = self.models
        return bool(other.verdict) and this.verdict != other.verdict


def against(
    claim: ClaimRecord, records: Mapping[str, SessionRecord], sessions: Mapping[str, SessionText]
) -> Against | None:
    """Return a claim beside the same claim on another model; None where there is no other model.

    Both mappings are by the session's key in the record.
    """
    record = claim["against"]
    if record is None:
        return None
    keys = claim["session"], record["session"]
    names = names_of(*keys, records)
    verdicts = claim["verdict"], record["verdict"] or ""
    this, other = (
        Model(
            name, sessions[key].anchor if key in sessions else "", verdict, SYMBOLS.get(verdict, "")
        )
        for name, key, verdict in zip(names, keys, verdicts, strict=True)
    )
    return Against(
        models=(this, other),
        trouble=record["trouble"],
        lines=[] if record["value"] is None else _lines(claim, record, record["value"]),
        paired=_paired(claim, record, names),
    )


def differing(claims: Sequence[ClaimRecord]) -> list[tuple[ClaimRecord, AgainstRecord]]:
    """Return the claims on which the two models' verdicts differ."""
    pairs = [(claim, claim["against"]) for claim in claims if claim["against"] is not None]
    return [
        (claim, other) for claim, other in pairs if other["verdict"] not in (None, claim["verdict"])
    ]


def names_of(key: str, other: str, records: Mapping[str, SessionRecord]) -> tuple[str, str]:
    """Return the names of two sessions' models, with as much detail as tells them apart.

    Where a session is not in the record, its key stands for the model.
    """
    keys = key, other
    models = [records[key]["model"] if key in records else None for key in keys]
    this, that = models
    if this is None or that is None:
        shown = [
            (plain(key, NAME_LIMIT) or "another model") if model is None else brief(model["name"])
            for key, model in zip(keys, models, strict=True)
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
    """Return this model's figure: the statistic, or the difference of two."""
    left, right = claim["left"], claim["right"]
    if not isinstance(right, dict):
        return DifferenceRecord(value=left["value"], low=left["low"], high=left["high"])
    return claim["difference"] or DifferenceRecord(
        value=left["value"] - claim["factor"] * right["value"], low=None, high=None
    )


def _lines(claim: ClaimRecord, record: AgainstRecord, value: float) -> list[StatisticLine]:
    unit, this = unit_of(claim["left"]), _figure(claim)
    other = DifferenceRecord(value=value, low=record["low"], high=record["high"])
    name = "Difference" if isinstance(claim["right"], dict) else "Estimate"
    documents = record["documents"]
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


def _paired(claim: ClaimRecord, record: AgainstRecord, names: tuple[str, str]) -> str:
    if record["difference"] is None:
        return ""
    this, other = names
    words = f"{other} minus {this}: {signed(record['difference'])}{unit_of(claim['left'])}"
    documents = record["difference_documents"]
    if documents is None:
        return f"{words}. This is arithmetic, not an inference."
    return (
        f"{words} on average, over the {count(documents, 'document')} that both count. This is the "
        "mean of the paired differences: arithmetic, not an inference about other documents."
    )
