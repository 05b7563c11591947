"""From a decided claim to its baseline, and from a baseline to how far the claim has moved.

Reads the recorded documents through sessions, and hands the arithmetic to
`headtests.records.baseline_files`. Which file a baseline is in, and what becomes of a test, is the
plugin's.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from headtests.cache import fingerprint
from headtests.claims.comparison import Comparison
from headtests.claims.definitions import Lift, Question
from headtests.claims.estimate import Estimate
from headtests.claims.quantity import Quantity
from headtests.claims.sequential import base_of
from headtests.errors import BaselineError
from headtests.records import DriftRecord, MovedRecord
from headtests.records.baseline import (
    DOCUMENTS,
    BaselineClaim,
    BaselineContext,
    BaselineSide,
    packed,
    unpacked,
)
from headtests.sessions.recording.claim_records import environment, session_record
from headtests.sessions.session import Session
from headtests.statistics import DocumentFigures
from headtests.statistics.drift import Drift, Figures, compared
from headtests.statistics.quanta import Int64s

_MEANINGLESS = {
    "corpus_sha256": "other documents",
    "tokenizer_sha256": "another tokenizer",
    "bos": "another BOS policy",
    "seed": "another order of documents (headtests_seed)",
}
"""What must be the same for documents to be compared one by one, in words."""
_TOLD = {"model": "model", "revision": "revision", "weights_sha256": "weights", "dtype": "dtype"}
"""What may differ, since finding that out is the point, in words."""


def context_of(session: Session, root: Any) -> tuple[str, BaselineContext]:
    """Return what a session measures on, with a key that is the same wherever it runs alike."""
    record = session_record(session)
    model, corpus = record["model"], record["corpus"]
    versions = {
        name: version
        for name, version in environment(root).items()
        if name not in ("platform", "commit")
    }
    context = BaselineContext(
        model=model["name"],
        revision=model["revision"],
        weights_sha256=model["weights_sha256"],
        dtype=model["dtype"],
        device=model["device"].partition(" ")[0],
        corpus=corpus["description"],
        corpus_sha256=corpus["sha256"],
        tokenizer_sha256=model["tokenizer_sha256"],
        bos=corpus["bos"],
        seed=record["seed"],
        versions=versions,
    )
    said = fingerprint(*(f"{name}={value}" for name, value in sorted(context.items())))
    return said[:12], context


def baseline_of(comparison: Comparison, test: str, number: int, context: str) -> BaselineClaim:
    """Return the baseline of a decided claim; documents run as far as it takes to have enough."""
    quantities = sides_in(comparison)
    estimates = [quantity for quantity in quantities if isinstance(quantity, Estimate)]
    if len(estimates) == len(quantities):
        read = read_figures(estimates, DOCUMENTS)
        sides = [_side(quantity, one) for quantity, one in zip(estimates, read, strict=True)]
    else:
        sides = [_of_pairs(quantity) for quantity in quantities]
    options, (low, high) = comparison.left.subject.options, _bounds(comparison)
    verdict = "undecided" if comparison.verdict is None else comparison.verdict.value
    return BaselineClaim(
        test=test,
        claim=comparison.source,
        number=number,
        context=context,
        verdict=verdict,
        value=difference_of(comparison, [side["value"] for side in sides]),
        low=low,
        high=high,
        left=sides[0],
        right=sides[1] if len(sides) > 1 else None,
        factor=float(comparison.factor),
        suppress_first_token=options.suppress_first_token,
        min_query=options.min_query,
    )


def sides_in(comparison: Comparison) -> list[Quantity]:
    """Return the figures that a claim compares: one, or two."""
    right = comparison.right
    return [comparison.left, right] if isinstance(right, Quantity) else [comparison.left]


def difference_of(comparison: Comparison, values: Sequence[float]) -> float:
    """Return a figure, or of two the left one less the right one times its factor."""
    return values[0] - sum(float(comparison.factor) * value for value in values[1:])


def _size(comparison: Comparison, sides: Sequence[BaselineSide]) -> float:
    """Return how large a figure was; of two, both together."""
    factors = (1.0, float(comparison.factor))
    return sum(abs(factor * side["value"]) for factor, side in zip(factors, sides, strict=False))


def _bounds(comparison: Comparison) -> tuple[float | None, float | None]:
    """Return the interval of a claim's figure, or of the difference of its two, as decided."""
    found = comparison.difference if len(sides_in(comparison)) > 1 else comparison.left
    ends = (getattr(found, name, math.nan) for name in ("low", "high"))
    low, high = (end if math.isfinite(end) else None for end in ends)
    return low, high


def _of_pairs(quantity: Quantity) -> BaselineSide:
    """Return what is recorded of a figure of ranked or random pairs: its value."""
    return BaselineSide(
        expression=repr(quantity),
        kind=quantity.kind,
        value=quantity.value,
        documents=0,
        documents_sha256="",
        numerators="",
        denominators="",
        base_rate=None,
    )


def _side(quantity: Estimate, read: Figures) -> BaselineSide:
    denominators = read.denominators
    return BaselineSide(
        expression=repr(quantity),
        kind=quantity.kind,
        value=read.value,
        documents=len(read.documents),
        documents_sha256=_hash_of(read.documents),
        numerators=packed(read.numerators),
        denominators="" if denominators is None else packed(denominators),
        base_rate=None if read.scale == 1 else 1 / read.scale,
    )


def read_figures(quantities: Sequence[Estimate], documents: int) -> list[Figures]:
    """Return the figures of the first so many documents that all of some statistics count."""
    evidence = quantities[0].subject.evidence
    questions = [replace(one.question, beyond_corpus=False) for one in quantities]
    eligible = [evidence.eligible(question) for question in questions]
    # The same documents, with the base rates of each side.
    common = [one.common_with(eligible[-1 - place]) for place, one in enumerate(eligible)]
    ids = common[0].documents[:documents]
    if not len(ids):
        raise BaselineError(
            f"{' and '.join(map(repr, quantities))} count no document together, so that there is "
            "nothing to record or to compare."
        )
    found: list[DocumentFigures] = []
    for extent in evidence.extents(False):
        found = [evidence.figures(question, extent).of_documents(ids) for question in questions]
        if len(found[0]) == len(ids):
            break
    bases = [base_of(*one) for one in zip(questions, common, strict=True)]
    return [
        Figures(one.documents, one.numerators, _divisors(question, one), 1 / float(base or 1))
        for question, one, base in zip(questions, found, bases, strict=True)
    ]


def _divisors(question: Question, found: DocumentFigures) -> Int64s | None:
    # The base rate of a lift over uniform attention is one number of every document.
    is_over_uniform = isinstance(question.statistic, Lift) and question.statistic.over == "uniform"
    return None if is_over_uniform else found.denominators


def _hash_of(documents: np.ndarray[Any, Any]) -> str:
    return hashlib.sha256(documents.astype("<i8").tobytes()).hexdigest()[:16]


def _figures(side: BaselineSide, where: str) -> Figures:
    """Return the recorded figures of a side; which documents they are of is not told."""
    numerators = unpacked(side["numerators"], where)
    denominators = unpacked(side["denominators"], where) if side["denominators"] else None
    lengths = {len(numerators), len(numerators if denominators is None else denominators)}
    if lengths != {side["documents"]}:
        raise BaselineError(
            f"{where} says {side['documents']} documents and holds figures of {len(numerators)}. "
            "Record it again with --headtests-record."
        )
    return Figures(
        np.arange(len(numerators)), numerators, denominators, 1 / (side["base_rate"] or 1)
    )


def drift_of(
    comparison: Comparison,
    recorded: BaselineClaim,
    before: BaselineContext,
    now: BaselineContext,
    file: str,
    margin: float,
) -> DriftRecord:
    """Return how far a claim's figure has moved on the documents that were recorded.

    Raises `BaselineError` where it was recorded on other documents, or with other rows.
    """
    _require_comparable(comparison, recorded, before, now, file)
    sides = [side for side in (recorded["left"], recorded["right"]) if side is not None]
    quantities, is_relative = sides_in(comparison), not comparison.left.is_share
    estimates = [quantity for quantity in quantities if isinstance(quantity, Estimate)]
    documents = None
    if len(estimates) < len(quantities):
        old = difference_of(comparison, [side["value"] for side in sides])
        new = difference_of(comparison, [quantity.value for quantity in quantities])
        drift = Drift(old, new, margin, is_relative, (), _size(comparison, sides))
    else:
        then, later = _paired(sides, estimates, file)
        drift = compared(then, later, float(comparison.factor), margin, is_relative)
        documents = len(later[0].documents)
    session = comparison.left.subject.evidence
    return DriftRecord(
        status="unchanged" if drift.is_unchanged else "drifted",
        file=file,
        before=drift.before,
        now=drift.now,
        margin=margin,
        is_relative=is_relative,
        room=drift.room,
        documents=documents,
        moved=[
            MovedRecord(
                document=one.document,
                text=_text_of(session, one.document),
                before=one.before,
                now=one.now,
            )
            for one in drift.moved
        ],
        differs=list(_differing(before, now)),
    )


def _paired(
    sides: Sequence[BaselineSide], estimates: Sequence[Estimate], file: str
) -> tuple[list[Figures], list[Figures]]:
    """Return the figures of the recorded documents, then and now."""
    then = [_figures(side, f"the baseline of {side['expression']} in {file}") for side in sides]
    later = read_figures(estimates, sides[0]["documents"])
    for side, one in zip(sides, later, strict=True):
        if _hash_of(one.documents) != side["documents_sha256"]:
            raise BaselineError(
                f"the baseline of {side['expression']} in {file} is of {side['documents']:,} "
                f"documents, and the statistic now counts others, or fewer: "
                f"{len(one.documents):,}. What counts as a row or a key has changed, or the budget "
                "is smaller (headtests_max_documents). Read as many, record it again with "
                "--headtests-record, or look at no baseline with headtests_drift = off."
            )
    return (
        [replace(old, documents=new.documents) for old, new in zip(then, later, strict=True)],
        later,
    )


def _require_comparable(
    comparison: Comparison,
    recorded: BaselineClaim,
    before: BaselineContext,
    now: BaselineContext,
    file: str,
) -> None:
    again = (
        f"Record {recorded['test']} again with --headtests-record, or look at no baseline with "
        "headtests_drift = off."
    )
    for name, said in _MEANINGLESS.items():
        old, new = before[name], now[name]  # type: ignore[literal-required]  # names of its fields
        if old != new:
            raise BaselineError(
                f"the baseline of {comparison.source} in {file} was recorded on {said} "
                f"({_brief(old)}, now {_brief(new)}; {before['corpus']}, now {now['corpus']}), so "
                f"that comparing with it means nothing. {again}"
            )
    options = comparison.left.subject.options
    rows = options.suppress_first_token, options.min_query
    if rows != (recorded["suppress_first_token"], recorded["min_query"]):
        raise BaselineError(
            f"the baseline of {comparison.source} in {file} was recorded of other rows: "
            f"suppress_first_token {recorded['suppress_first_token']}, min_query "
            f"{recorded['min_query']}, now {rows[0]} and {rows[1]}. {again}"
        )


def _brief(value: object) -> str:
    return f"{value:.12}" if isinstance(value, str) else str(value)


def _differing(before: BaselineContext, now: BaselineContext) -> Iterator[str]:
    """Yield what differs of the model and the versions, each in words."""
    for name, said in _TOLD.items():
        if name == "weights_sha256" and before["dtype"] != now["dtype"]:
            # Of another type, the same weights have another hash.
            continue
        old, new = before[name], now[name]  # type: ignore[literal-required]  # names of its fields
        if old != new:
            short = _brief if name.endswith("sha256") else str
            yield f"{said}: {short(old)}, now {short(new)}"
    for package, version in now["versions"].items():
        recorded = before["versions"].get(package)
        if recorded != version:
            yield f"{package}: {recorded or 'not recorded'}, now {version}"


def _text_of(session: object, document: int) -> str:
    return session.population[document].text_id if isinstance(session, Session) else ""
