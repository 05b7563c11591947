"""The chart of a claim's figure at each checkpoint, against its threshold.

Records in, coordinates and SVG paths out, in a drawing of 400 by 212; the template draws them.
Matching claims between checkpoints is `headtests.report.trace`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from headtests.records import ClaimRecord
from headtests.report.charts.claim_charts import Mark
from headtests.report.charts.interval_strips import (
    axes_of,
    axis_of,
    drawn,
    interval_on,
    moved,
)
from headtests.report.charts.scales import Scale, Tick
from headtests.report.words.claims import SYMBOLS
from headtests.wording import count, exactly, number

_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 388.0, 14.0, 156.0
"""Where the axes end."""
_INSET = 16.0
"""The distance of the first and the last checkpoint from the ends of the axis."""
_MOST_LABELS = 10
MISSING = "\u2013"
"""The symbol of a claim that was not measured."""


@dataclass(frozen=True, slots=True)
class Point:
    """A claim at one checkpoint."""

    x: float
    y: float
    bar: tuple[float, float] | None
    """The ends of the interval; None where there is none."""
    verdict: str


@dataclass(frozen=True, slots=True)
class Sign:
    """The symbol of a verdict below a checkpoint."""

    x: float
    symbol: str
    verdict: str
    """Empty where the claim was not measured."""


@dataclass(frozen=True, slots=True)
class Track:
    """A claim along the checkpoints."""

    line: str
    """The path through the estimates, with gaps where one is missing; empty for a single one."""
    points: list[Point]
    threshold: str
    """The path of the threshold; level unless the threshold is another statistic."""
    mark: Mark
    marked_first: bool
    """Whether the threshold's label is at the first checkpoints rather than the last."""
    signs: list[Sign]
    across: list[Tick]
    up: list[Tick]
    title: str
    """The title of the axis of checkpoints."""
    words: str


def track(claims: Sequence[ClaimRecord | None], labels: Sequence[str], title: str) -> Track:
    """Return the chart of one claim along the checkpoints.

    `claims` has one entry per checkpoint, None where the claim was not measured; at least one is
    not None. Checkpoints are evenly spaced. `labels` has a short name of each.
    """
    measured = [claim for claim in claims if claim is not None]
    axes = axes_of(measured)
    widest = max((axis_of(claim, axes) for claim in measured), key=lambda axis: axis.high)
    up = moved(widest, _BOTTOM, _TOP)
    places = _places(len(claims))
    points = [
        None if claim is None else _point(claim, x, up)
        for claim, x in zip(claims, places, strict=True)
    ]
    bounds = [
        None if claim is None else (x, up.place(drawn(claim)[1]))
        for claim, x in zip(claims, places, strict=True)
    ]
    known = [bound for bound in bounds if bound is not None]
    is_level = len({y for _, y in known}) == 1
    values = [drawn(claim)[1] for claim in measured]
    label = f"{exactly(values[-1])}{up.unit} claimed" if is_level else "the other figure"
    sides = [point.y < bound[1] for point, bound in _both(points, bounds)]
    # An interval that decided does not cross the threshold, so the label has room on the other side
    # of the line. It is put at the end with the longer run of checkpoints on one side.
    marked_first = _alike(sides) >= _alike(sides[::-1])
    beyond = sides[0] if marked_first else sides[-1]
    at = known[0][1] if marked_first else known[-1][1]
    flips = (beyond or at < _TOP + 14) and at < _BOTTOM - 18
    return Track(
        line=_through([None if point is None else (point.x, point.y) for point in points]),
        points=[point for point in points if point is not None],
        threshold=f"M{_LEFT:g} {known[0][1]:g}H{_RIGHT:g}" if is_level else _through(bounds),
        mark=Mark(at, label, flips),
        marked_first=marked_first,
        signs=[
            Sign(x, MISSING if claim is None else SYMBOLS[claim["verdict"]], _verdict(claim))
            for claim, x in zip(claims, places, strict=True)
        ],
        across=_labelled(places, labels),
        up=up.ticks(5),
        title=title,
        words=_words(claims, measured, label),
    )


def _places(number_of: int) -> list[float]:
    first, last = _LEFT + _INSET, _RIGHT - _INSET
    if number_of == 1:
        return [(first + last) / 2]
    return [
        round(first + (last - first) * place / (number_of - 1), 1) for place in range(number_of)
    ]


def _point(claim: ClaimRecord, x: float, up: Scale) -> Point:
    return Point(x, up.place(drawn(claim)[0]), interval_on(claim, up), claim["verdict"])


def _both(
    points: Sequence[Point | None], bounds: Sequence[tuple[float, float] | None]
) -> list[tuple[Point, tuple[float, float]]]:
    """Return points and thresholds of the checkpoints that have both."""
    pairs = zip(points, bounds, strict=True)
    return [(point, bound) for point, bound in pairs if point is not None and bound is not None]


def _alike(sides: Sequence[bool]) -> int:
    """Return the length of the run of equal values at the beginning."""
    return next((place for place, side in enumerate(sides) if side != sides[0]), len(sides))


def _verdict(claim: ClaimRecord | None) -> str:
    return "" if claim is None else claim["verdict"]


def _through(places: Sequence[tuple[float, float] | None]) -> str:
    """Return the path of lines between neighbouring places, with a gap at each None."""
    return "".join(
        f"M{start[0]:g} {start[1]:g}L{stop[0]:g} {stop[1]:g}"
        for start, stop in pairwise(places)
        if start is not None and stop is not None
    )


def _labelled(places: Sequence[float], labels: Sequence[str]) -> list[Tick]:
    """Return as many labels as there is room for, including the last."""
    every = -(-len(labels) // _MOST_LABELS)
    return [
        Tick(x, label)
        for place, (x, label) in enumerate(zip(places, labels, strict=True))
        if (len(labels) - 1 - place) % every == 0
    ]


def _words(
    claims: Sequence[ClaimRecord | None], measured: Sequence[ClaimRecord], label: str
) -> str:
    first, last = (number(drawn(claim)[0]) for claim in (measured[0], measured[-1]))
    missing = len(claims) - len(measured)
    more = f", and missing at {missing:,}" if missing else ""
    return (
        f"the estimate at {count(len(measured), 'checkpoint')}, from {first} to {last}, "
        f"against {label}{more}"
    )
