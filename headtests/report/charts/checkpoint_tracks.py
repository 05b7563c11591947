"""What a claim's figure was at one checkpoint after another, drawn against its threshold.

Records in, places and outlines out, in a drawing of 400 by 212; the template makes the picture of
them. Which claims are the same, and what the page says of them, is `trace`.
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
"""How far from the ends of the axis the first checkpoint stands, and the last."""
_MOST_LABELS = 10
MISSING = "\u2013"
"""What stands in the place of a verdict where a claim was not measured."""


@dataclass(frozen=True, slots=True)
class Point:
    """A claim at one checkpoint."""

    x: float
    y: float
    bar: tuple[float, float] | None
    """From where to where the interval reaches; None where there is none."""
    verdict: str


@dataclass(frozen=True, slots=True)
class Sign:
    """What stands below a checkpoint: the mark of its verdict."""

    x: float
    symbol: str
    verdict: str
    """Empty where the claim was not measured."""


@dataclass(frozen=True, slots=True)
class Track:
    """A claim along the checkpoints."""

    line: str
    """The outline through the estimates, with a gap where one is missing; empty of a lone one."""
    points: list[Point]
    threshold: str
    """The outline of the threshold: level, but where another figure is the threshold."""
    mark: Mark
    marked_first: bool
    """Whether its label stands at the first checkpoints, and not at the last."""
    signs: list[Sign]
    across: list[Tick]
    up: list[Tick]
    title: str
    """What the axis of checkpoints counts."""
    words: str


def track(claims: Sequence[ClaimRecord | None], labels: Sequence[str], title: str) -> Track:
    """Return one claim along the checkpoints, at each of which it was measured or is None.

    Where it was measured once at least. Checkpoints stand as far apart as each other, whatever
    lies between them, and `labels` has a short name of each.
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
    # An interval that decided reaches from the estimate to the threshold, and no further, so that
    # the label has room on the other side, where most checkpoints in a row are on one.
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
    """Return the points with their thresholds, of the checkpoints that have them."""
    pairs = zip(points, bounds, strict=True)
    return [(point, bound) for point, bound in pairs if point is not None and bound is not None]


def _alike(sides: Sequence[bool]) -> int:
    """Return how many at the beginning are like the first."""
    return next((place for place, side in enumerate(sides) if side != sides[0]), len(sides))


def _verdict(claim: ClaimRecord | None) -> str:
    return "" if claim is None else claim["verdict"]


def _through(places: Sequence[tuple[float, float] | None]) -> str:
    """Return the outline of the lines between places that follow each other."""
    return "".join(
        f"M{one[0]:g} {one[1]:g}L{other[0]:g} {other[1]:g}"
        for one, other in pairwise(places)
        if one is not None and other is not None
    )


def _labelled(places: Sequence[float], labels: Sequence[str]) -> list[Tick]:
    """Return the labels that there is room for, the last among them."""
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
