"""Records of the sides of a decided claim: multiples, and the rows or pairs against the claim.

Makes requests of comparisons, without their readings, and records of the types of
`headtests.records` of what was read. Decides nothing and draws nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from headtests.claims.comparison import MIRRORED, Comparison
from headtests.claims.definitions import ExceedRate, Lift, Mass, Precision, RowOptions
from headtests.claims.estimate import Estimate
from headtests.claims.pair_figure import PairFigure
from headtests.claims.pairs import Pair
from headtests.claims.quantity import Quantity
from headtests.claims.verdicts import CLAIMS_OVER, Verdict
from headtests.expressions import Expression
from headtests.expressions.head_names import HeadName
from headtests.measurement.readers.rows_against import RowsAgainstRequest, RowsAgainstResult
from headtests.records import CounterexampleRecord, MultiplesRecord
from headtests.sessions.recording.claim_records import SHOWN_COUNTEREXAMPLES, pair_record
from headtests.sessions.session import Session
from headtests.statistics.sketches import Histogram, Pairs, coarsened
from headtests.wording import Operator


@dataclass(frozen=True, eq=False)
class RowsSide:
    """A side that is an average over documents, whose rows must be read."""

    scrutiny: RowsAgainstRequest
    turn: float | None
    """The multiple at which the claim is decided; None if there is no such multiple."""


@dataclass(frozen=True, eq=False)
class PairsSide:
    """A side that is a figure of ranked or random pairs, which are already known."""

    head: HeadName
    options: RowOptions
    pairs: Pairs
    relation: Expression | None
    """The relation of a fraction; else None."""
    inside: Sequence[bool]
    """Which of them lie in the relation."""
    against: Sequence[int]
    """The indices of the pairs against the claim, strongest first."""
    turn: float | None
    """The multiple at which the claim is decided; None if there is no such multiple."""


Side = RowsSide | PairsSide


class SideRecord(TypedDict):
    """The rows and pairs in the record of an estimate."""

    rows_against: int | None
    multiples: MultiplesRecord | None
    counterexamples: list[CounterexampleRecord]


def sides_of(comparison: Comparison) -> dict[str, Side]:
    """Return the requests for the sides of a decided claim, by their names in the record."""
    left, right, operator = comparison.left, comparison.right, comparison.operator
    size = 0 if comparison.verdict is Verdict.HOLDS else SHOWN_COUNTEREXAMPLES
    if not isinstance(right, Quantity):
        return {"left": _side(left, operator, right, size, of_two=False)}
    factor, offset = comparison.factor, comparison.offset
    left_ties = float(factor * right.exact + offset)
    right_ties = float((left.exact - offset) / factor)
    return {
        "left": _side(left, operator, left_ties, size, of_two=True),
        "right": _side(right, MIRRORED[operator], right_ties, size, of_two=True),
    }


def _side(
    quantity: Quantity, operator: Operator, threshold: float, size: int, of_two: bool
) -> Side:
    if isinstance(quantity, PairFigure):
        turn = None if of_two or quantity.is_share else threshold
        return PairsSide(
            quantity.subject.name,
            quantity.subject.options,
            quantity.columns,
            quantity.relation,
            quantity.inside,
            _against(quantity, CLAIMS_OVER[operator])[:size],
            turn,
        )
    if not isinstance(quantity, Estimate):
        raise TypeError(f"expected a figure of documents or of pairs but found {quantity!r}")
    reading = quantity.reading
    documents = reading.eligible.documents[: reading.documents].copy()
    return RowsSide(
        RowsAgainstRequest(quantity.question, documents, operator, threshold, size),
        _turn_of(quantity, None if of_two else threshold),
    )


def _turn_of(quantity: Estimate, threshold: float | None) -> float | None:
    """Return the multiple at which a claim is decided, for a threshold; None if there is none."""
    match quantity.statistic:
        case ExceedRate(multiple=multiple):
            return float(multiple)
        case Precision(above=above):
            return float(above)
        case Mass(of=None, weights="attention") if threshold is not None and quantity.base_rate:
            return threshold / quantity.base_rate
        case Lift(over="uniform"):
            return threshold
        case _:
            return None


def _against(figure: PairFigure, from_below: bool) -> list[int]:
    """Return the indices of the pairs against a claim, strongest first.

    For a fraction, they are in the order of the pairs; for a mean or median, all pairs are sorted
    by multiple.
    """
    if figure.is_share:
        return [place for place, inside in enumerate(figure.inside) if inside != from_below]
    pairs, sign = figure.columns, 1 if from_below else -1
    columns = (sign * pairs.multiples, pairs.documents, pairs.queries, pairs.keys)
    order = list(zip(*(column.tolist() for column in columns), strict=True))
    return sorted(range(len(pairs)), key=order.__getitem__)


def side_records(session: Session, sides: Sequence[Side]) -> list[SideRecord]:
    """Return the records of claims' sides; runs documents again if their rows were not stored."""
    requests = [side.scrutiny for side in sides if isinstance(side, RowsSide)]
    rows_against = dict(zip(requests, session.rows_against(requests), strict=True))
    return [
        _of_rows(side, *rows_against[side.scrutiny])
        if isinstance(side, RowsSide)
        else _of_pairs(session, side)
        for side in sides
    ]


def _of_rows(side: RowsSide, rows: RowsAgainstResult, shown: Sequence[Pair]) -> SideRecord:
    return SideRecord(
        rows_against=rows.rows_against,
        multiples=_multiples(rows.on, rows.others, side.turn),
        counterexamples=[
            _counterexample(pair, row.claimed.tolist(), row.figure)
            for pair, row in zip(shown, rows.counterexamples, strict=True)
        ],
    )


def _of_pairs(session: Session, side: PairsSide) -> SideRecord:
    on, others = Histogram(), Histogram()
    multiples = side.pairs.multiples.tolist()
    # A mean or median has no relation: all pairs count.
    inside = side.inside or [True] * len(multiples)
    on.update([value for value, within in zip(multiples, inside, strict=True) if within])
    others.update([value for value, within in zip(multiples, inside, strict=True) if not within])
    against = side.pairs.take(np.array(side.against, dtype=np.int64))
    claimed: Sequence[list[int]] = [[]] * len(against)
    if side.relation is not None:
        claimed = session.keys_within(against, side.head, side.relation, side.options)
    return SideRecord(
        rows_against=None,
        multiples=_multiples(on, others, side.turn),
        counterexamples=[
            _counterexample(pair, keys, pair.multiple)
            for pair, keys in zip(session.in_context(side.head, against), claimed, strict=True)
        ],
    )


def _counterexample(pair: Pair, claimed: list[int], figure: float) -> CounterexampleRecord:
    return CounterexampleRecord(**pair_record(pair), claimed=claimed, figure=figure)


def _multiples(on: Histogram, others: Histogram, turn: float | None) -> MultiplesRecord | None:
    edges, (inside, outside) = coarsened([on, others])
    if not edges:
        return None
    return MultiplesRecord(edges=edges, on=inside, others=outside, threshold=turn)
