"""Baselines of decided claims, and the drift of a claim since its baseline.

Reads the figures of the recorded documents through sessions; the arithmetic is
`headtests.statistics.drift`. The plugin chooses the file of a baseline and the outcome of a test.
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
from headtests.claims.pair_figure import PairFigure
from headtests.claims.quantity import Quantity
from headtests.claims.sequential import base_of
from headtests.errors import BaselineError
from headtests.records import DriftRecord, MovedRecord
from headtests.records.baseline import (
    DOCUMENTS,
    BaselineClaim,
    BaselineContext,
    BaselineSide,
    pack,
    unpack,
)
from headtests.sessions.recording.claim_records import environment, session_record
from headtests.sessions.session import Session
from headtests.statistics import DocumentFigures
from headtests.statistics.drift import Drift, RecordedFigures, drift_between
from headtests.statistics.quanta import Int64s

_MUST_MATCH = {
    "corpus_sha256": "other documents",
    "tokenizer_sha256": "another tokenizer",
    "bos": "another BOS policy",
    "seed": "another order of documents (headtests_seed)",
}
"""Fields of a context that must match to compare document by document, and words for a mismatch."""
_MAY_DIFFER = {
    "model": "model",
    "revision": "revision",
    "weights_sha256": "weights",
    "dtype": "dtype",
}
"""Fields of a context that may differ, with their names in messages."""


def context_of(session: Session, root: Any) -> tuple[str, BaselineContext]:
    """Return the context of a session's measurements, with a key that depends on it alone."""
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
    key = fingerprint(*(f"{name}={value}" for name, value in sorted(context.items())))
    return key[:12], context


def baseline_of(comparison: Comparison, test: str, number: int, context: str) -> BaselineClaim:
    """Return the baseline of a decided claim; runs more documents if a baseline needs them."""
    quantities = sides_in(comparison)
    estimates = [quantity for quantity in quantities if isinstance(quantity, Estimate)]
    if len(estimates) == len(quantities):
        figures = read_figures(estimates, DOCUMENTS)
        sides = [_side(*side) for side in zip(estimates, figures, strict=True)]
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
    """Return the one or two figures that a claim compares."""
    right = comparison.right
    return [comparison.left, right] if isinstance(right, Quantity) else [comparison.left]


def difference_of(comparison: Comparison, values: Sequence[float]) -> float:
    """Return the value of one figure, or left - factor * right of two."""
    return values[0] - sum(float(comparison.factor) * value for value in values[1:])


def _size(comparison: Comparison, sides: Sequence[BaselineSide]) -> float:
    """Return the size of a figure, or the sum of the sizes of two."""
    factors = (1.0, float(comparison.factor))
    return sum(abs(factor * side["value"]) for factor, side in zip(factors, sides, strict=False))


def _step_of(quantities: Sequence[Quantity], factor: float) -> float:
    """Return how far one pair moves a share of pairs, or the difference of two such shares."""
    sides = zip((1.0, factor), quantities, strict=False)
    return sum(
        weight / max(side.pairs, 1) for weight, side in sides if isinstance(side, PairFigure)
    )


def _bounds(comparison: Comparison) -> tuple[float | None, float | None]:
    """Return the interval of a claim's figure, or of the difference of two, as decided."""
    interval = comparison.difference if len(sides_in(comparison)) > 1 else comparison.left
    ends = (getattr(interval, name, math.nan) for name in ("low", "high"))
    low, high = (end if math.isfinite(end) else None for end in ends)
    return low, high


def _of_pairs(quantity: Quantity) -> BaselineSide:
    """Return the baseline of a figure of ranked or random pairs: its value alone."""
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


def _side(quantity: Estimate, figures: RecordedFigures) -> BaselineSide:
    denominators = figures.denominators
    return BaselineSide(
        expression=repr(quantity),
        kind=quantity.kind,
        value=figures.value,
        documents=len(figures.documents),
        documents_sha256=_hash_of(figures.documents),
        numerators=pack(figures.numerators),
        denominators="" if denominators is None else pack(denominators),
        base_rate=None if figures.scale == 1 else 1 / figures.scale,
    )


def read_figures(quantities: Sequence[Estimate], documents: int) -> list[RecordedFigures]:
    """Return the figures of one or two statistics on the first documents eligible for all."""
    evidence = quantities[0].subject.evidence
    questions = [replace(quantity.question, beyond_corpus=False) for quantity in quantities]
    eligible = [evidence.eligible(question) for question in questions]
    # The same documents, with the base rates of each side.
    common = [side.common_with(eligible[-1 - place]) for place, side in enumerate(eligible)]
    ids = common[0].documents[:documents]
    if not len(ids):
        raise BaselineError(
            f"no document is eligible for {' and '.join(map(repr, quantities))}, so there is "
            "nothing to record or to compare. Give both the same when=."
        )
    sides: list[DocumentFigures] = []
    for extent in evidence.extents(False):
        sides = [evidence.figures(question, extent).of_documents(ids) for question in questions]
        if len(sides[0]) == len(ids):
            break
    bases = [base_of(*side) for side in zip(questions, common, strict=True)]
    return [
        RecordedFigures(
            side.documents, side.numerators, _divisors(question, side), 1 / float(base or 1)
        )
        for question, side, base in zip(questions, sides, bases, strict=True)
    ]


def _divisors(question: Question, figures: DocumentFigures) -> Int64s | None:
    # A lift over uniform attention divides by one base rate for all documents.
    is_over_uniform = isinstance(question.statistic, Lift) and question.statistic.over == "uniform"
    return None if is_over_uniform else figures.denominators


def _hash_of(documents: np.ndarray[Any, Any]) -> str:
    return hashlib.sha256(documents.astype("<i8").tobytes()).hexdigest()[:16]


def _figures(side: BaselineSide, where: str) -> RecordedFigures:
    """Return the recorded figures of a side, with indices in place of document ids."""
    numerators = unpack(side["numerators"], where)
    denominators = unpack(side["denominators"], where) if side["denominators"] else None
    lengths = {len(numerators), len(numerators if denominators is None else denominators)}
    if lengths != {side["documents"]}:
        raise BaselineError(
            f"{where} has figures of {len(numerators)} documents, expected {side['documents']}. "
            "Record it again with --headtests-record."
        )
    return RecordedFigures(
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
    """Return how far a claim's figure moved on the recorded documents.

    Raises `BaselineError` if the baseline is of other documents or other rows.
    """
    _require_comparable(comparison, recorded, before, now, file)
    sides = [side for side in (recorded["left"], recorded["right"]) if side is not None]
    quantities, is_relative = sides_in(comparison), not comparison.left.is_share
    if len(sides) != len(quantities):
        raise BaselineError(
            f"the baseline of {recorded['claim']} in {file} has figures of {len(sides)} statistics "
            f"and the claim has {len(quantities)}. Record it again with --headtests-record."
        )
    estimates = [quantity for quantity in quantities if isinstance(quantity, Estimate)]
    documents = None
    if len(estimates) < len(quantities):
        old = difference_of(comparison, [side["value"] for side in sides])
        new = difference_of(comparison, [quantity.value for quantity in quantities])
        step = _step_of(quantities, float(comparison.factor))
        size = _size(comparison, sides)
        drift = Drift(old, new, margin, is_relative, (), size, step=step)
    else:
        then, later = _paired(sides, estimates, file)
        drift = drift_between(then, later, float(comparison.factor), margin, is_relative)
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
        mean_absolute=drift.mean_absolute,
        traded_places=drift.traded_places,
        documents=documents,
        moved=[
            MovedRecord(
                document=moved.document,
                text=_text_of(session, moved.document),
                before=moved.before,
                now=moved.now,
            )
            for moved in drift.moved
        ],
        differs=list(_differing(before, now)),
    )


def _paired(
    sides: Sequence[BaselineSide], estimates: Sequence[Estimate], file: str
) -> tuple[list[RecordedFigures], list[RecordedFigures]]:
    """Return the figures of the recorded documents, recorded and now."""
    then = [_figures(side, f"the baseline of {side['expression']} in {file}") for side in sides]
    later = read_figures(estimates, sides[0]["documents"])
    for side, figures in zip(sides, later, strict=True):
        if _hash_of(figures.documents) != side["documents_sha256"]:
            raise BaselineError(
                f"the baseline of {side['expression']} in {file} is of {side['documents']:,} "
                f"documents, but the statistic now has other or fewer eligible documents: "
                f"{len(figures.documents):,}. Eligible rows or keys have changed, or the budget is "
                "smaller (headtests_max_documents). Raise the budget, record the baseline again "
                "with --headtests-record, or ignore baselines with headtests_drift = off."
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
        f"Record {recorded['test']} again with --headtests-record, or ignore baselines with "
        "headtests_drift = off."
    )
    for name, difference in _MUST_MATCH.items():
        old, new = before[name], now[name]  # type: ignore[literal-required]  # names of its fields
        if old != new:
            raise BaselineError(
                f"the baseline of {comparison.source} in {file} was recorded on {difference} "
                f"({_brief(old)}, now {_brief(new)}; {before['corpus']}, now {now['corpus']}), so "
                f"it cannot be compared. {again}"
            )
    options = comparison.left.subject.options
    rows = options.suppress_first_token, options.min_query
    if rows != (recorded["suppress_first_token"], recorded["min_query"]):
        raise BaselineError(
            f"the baseline of {comparison.source} in {file} was recorded on other rows: "
            f"suppress_first_token {recorded['suppress_first_token']}, min_query "
            f"{recorded['min_query']}, now {rows[0]} and {rows[1]}. {again}"
        )


def _brief(value: object) -> str:
    return f"{value:.12}" if isinstance(value, str) else str(value)


def _differing(before: BaselineContext, now: BaselineContext) -> Iterator[str]:
    """Yield each difference of the model and the versions as text."""
    for name, label in _MAY_DIFFER.items():
        if name == "weights_sha256" and before["dtype"] != now["dtype"]:
            # The hash of the same weights depends on their type.
            continue
        old, new = before[name], now[name]  # type: ignore[literal-required]  # names of its fields
        if old != new:
            short = _brief if name.endswith("sha256") else str
            yield f"{label}: {short(old)}, now {short(new)}"
    for package, version in now["versions"].items():
        recorded = before["versions"].get(package)
        if recorded != version:
            yield f"{package}: {recorded or 'not recorded'}, now {version}"


def _text_of(session: object, document: int) -> str:
    return session.population[document].text_id if isinstance(session, Session) else ""
