"""Records of a decided claim measured again on another model, over the same documents.

From a comparison and another session to a record. The plugin opens the sessions and chooses the
claims.
"""

from headtests.claims.comparison import Comparison
from headtests.claims.estimate import Estimate
from headtests.claims.quantity import Interval, Quantity
from headtests.errors import ClaimError, HeadtestsError
from headtests.records import AgainstRecord
from headtests.records.baseline import DOCUMENTS
from headtests.sessions.recording.claim_records import session_key
from headtests.sessions.recording.drift_records import difference_of, read_figures, sides_in
from headtests.sessions.session import Session
from headtests.statistics.drift import drift_between


def against_record(comparison: Comparison, other: Session) -> AgainstRecord:
    """Return the record of a decided claim on another model; an error is part of the record."""
    record = failed_record("", session_key(other))
    try:
        return _against(comparison, other, record)
    except HeadtestsError as error:
        return failed_record(str(error), record["session"])


def failed_record(trouble: str, session: str = "") -> AgainstRecord:
    """Return the record of a claim that could not be measured on another model, with the reason."""
    return AgainstRecord(
        session=session,
        trouble=trouble,
        verdict=None,
        value=None,
        low=None,
        high=None,
        documents=None,
        difference=None,
        difference_documents=None,
    )


def _against(comparison: Comparison, other: Session, record: AgainstRecord) -> AgainstRecord:
    own = comparison.left.subject.evidence
    _require_same_documents(own, other)
    _require_heads(comparison, other)
    claim = Comparison(
        comparison.left.on_evidence(other),
        comparison.operator,
        comparison.right.on_evidence(other)
        if isinstance(comparison.right, Quantity)
        else comparison.right,
        comparison.factor,
        comparison.offset,
    )
    record["verdict"] = claim.decide().value
    sides, interval = sides_in(claim), claim.difference
    if interval is None and len(sides) == 1 and isinstance(claim.left, Estimate):
        interval = Interval(claim.left.value, claim.left.low, claim.left.high)
    if interval is None:
        record["value"] = difference_of(claim, [side.value for side in sides])
    else:
        record["value"], record["low"] = interval.value, _finite(interval.low)
        record["high"] = _finite(interval.high)
    if isinstance(claim.left, Estimate):
        record["documents"] = claim.left.documents
    _add_difference(comparison, claim, record)
    return record


def _finite(bound: float) -> float | None:
    return bound if abs(bound) < float("inf") else None


def _add_difference(comparison: Comparison, claim: Comparison, record: AgainstRecord) -> None:
    """Add the difference of the two models' figures, on the documents eligible for both."""
    pairs = [sides_in(comparison), sides_in(claim)]
    estimates = [[side for side in sides if isinstance(side, Estimate)] for sides in pairs]
    if [len(sides) for sides in estimates] != [len(sides) for sides in pairs]:
        own, other = (difference_of(comparison, [side.value for side in sides]) for sides in pairs)
        record["difference"] = other - own
        return
    before, now = (read_figures(sides, DOCUMENTS) for sides in estimates)
    drift = drift_between(before, now, float(comparison.factor))
    record["difference"] = drift.difference
    record["difference_documents"] = len(now[0].documents)


def _require_same_documents(own: object, other: Session) -> None:
    if not isinstance(own, Session) or own.population.sha256 == other.population.sha256:
        return
    raise ClaimError(
        f"{other.spec} does not read the same documents as {own.spec}: its tokenizer or context "
        "makes other token ids of the same texts, so they cannot be compared. Name a model with "
        "the same tokenizer, such as another checkpoint."
    )


def _require_heads(comparison: Comparison, other: Session) -> None:
    shape = other.model.shape
    for side in sides_in(comparison):
        name = side.subject.name
        if name.layer >= shape.layers or name.index >= shape.heads:
            raise ClaimError(
                f"{other.spec} has no {name}: it has {shape.layers} layers of {shape.heads} heads. "
                "Head names match across checkpoints of one model."
            )
