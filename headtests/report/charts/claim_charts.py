"""The charts of a claim's card: its interval over documents, and the distribution of multiples.

Records in, SVG paths and labels out, in a drawing of 400 by 200; the template draws them. A path
has no text of the record in it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from headtests.records import ClaimRecord, EstimateRecord
from headtests.report.charts.interval_strips import Axes, axis_of, drawn, moved
from headtests.report.charts.scales import Scale, Tick, log_scale
from headtests.report.words.claims import is_multiple, is_of_rows
from headtests.wording import count, exactly, number, times

_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 388.0, 14.0, 164.0
"""Where the axes end."""
_LABELLED = 240.0
"""A label right of this x coordinate is put on the left of its line."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A labelled line across a chart."""

    place: float
    label: str
    flips: bool
    """Whether the label is put below the line, or to its left, where there is more room."""


@dataclass(frozen=True, slots=True)
class Course:
    """An interval as more documents were read."""

    band: str
    """The outline of the interval."""
    line: str
    """The estimate."""
    threshold: Mark
    across: list[Tick]
    """Ticks of the axis of documents."""
    up: list[Tick]
    """Ticks of the axis of figures."""
    unit: str
    """The unit that was counted: documents or texts."""
    words: str


@dataclass(frozen=True, slots=True)
class MultiplesChart:
    """The distribution of the multiples of a statistic's pairs, against a control."""

    on: str
    """The outline of the statistic's pairs."""
    others: str
    """The outline of the other pairs; empty where there are none."""
    threshold: Mark | None
    across: list[Tick]
    uniform: float
    """The x coordinate of a multiple of 1."""
    has_rest: bool
    """Whether the first bar includes all smaller multiples."""
    on_words: str
    others_words: str
    """Empty for a statistic of whole rows, which has no other pairs."""
    words: str


def course(claim: ClaimRecord, axes: Axes) -> Course | None:
    """Return the chart of a claim's interval; None without at least two documents."""
    points = claim["course"]
    if not points or points[-1]["units"] < 2:
        return None
    up = moved(axis_of(claim, axes), _BOTTOM, _TOP)
    last = points[-1]["units"]
    across = Scale(1.0, float(last), _LEFT, _RIGHT, is_log=True)
    bounds = [
        (
            across.place(point["units"]),
            up.place(up.low if point["low"] is None else point["low"]),
            up.place(up.high if point["high"] is None else point["high"]),
        )
        for point in points
    ]
    # The interval stays the same until the next recorded document.
    upper = _steps([(x, high) for x, _, high in bounds])
    lower = _steps([(x, low) for x, low, _ in bounds])
    values = [(across.place(point["units"]), up.place(point["value"])) for point in points]
    _, threshold = drawn(claim)
    unit = "document" if claim["left"]["texts"] is None else "text"
    at = up.place(threshold)
    label = f"{exactly(threshold)}{up.unit} claimed"
    return Course(
        band=_path(upper + lower[::-1]) + "Z",
        line=_path(values),
        # The label is put on the side of the line where the estimate is not.
        threshold=Mark(at, label, flips=(at < _TOP + 14 or values[-1][1] < at < _BOTTOM - 18)),
        across=[*_spread(across, last)],
        up=up.ticks(5),
        unit=f"{unit}s",
        words=f"the interval over {count(points[-1]['units'], unit)}, against {label}",
    )


def _spread(across: Scale, last: int) -> list[Tick]:
    """Return the ticks of the axis of documents, including the last document."""
    ticks = [tick for tick in across.ticks() if across.place(last) - tick.place > 30]
    return [*ticks, Tick(across.place(last), f"{last:,}")]


def multiples(claim: ClaimRecord, side: EstimateRecord) -> MultiplesChart | None:
    """Return the chart of one statistic's multiples; None where none were recorded."""
    histogram = side["multiples"]
    if histogram is None or not sum(histogram["on"]) + sum(histogram["others"]):
        return None
    threshold = histogram["threshold"]
    lowest = _drawn_from(histogram["edges"], 0)
    across = log_scale([lowest, *histogram["edges"], threshold], _LEFT, _RIGHT, unit="\u00d7")
    heights = [
        _density(histogram["edges"], counts) for counts in (histogram["on"], histogram["others"])
    ]
    tallest = max(max(part, default=0.0) for part in heights)
    on, others = (_outline(histogram["edges"], part, tallest, across) for part in heights)
    pairs = sum(histogram["on"]), sum(histogram["others"])
    claimed, beside = "claimed pairs", _control(side)
    words = f"multiples of {count(pairs[0], 'claimed pair')} against {count(pairs[1], 'other')}"
    if is_of_rows(side):
        claimed, beside, words = "all pairs", "", f"multiples of {count(pairs[0], 'pair')}"
    return MultiplesChart(
        on=on,
        others=others if pairs[1] else "",
        threshold=_mark(claim, side, threshold, across),
        across=across.ticks(7),
        uniform=across.place(1.0),
        has_rest=histogram["edges"][0] == 0,
        on_words=_summary(claimed, histogram["edges"], histogram["on"]),
        others_words=beside and _summary(beside, histogram["edges"], histogram["others"]),
        words=words,
    )


def _control(side: EstimateRecord) -> str:
    return (
        "the list's other pairs" if side["pairs"] is not None else "all other pairs of those rows"
    )


def _summary(name: str, edges: Sequence[float], counts: Sequence[int]) -> str:
    total = sum(counts)
    if not total:
        return f"{name}: none"
    above = sum(pairs for low, pairs in zip(edges, counts, strict=False) if low >= 1)
    median = _median(edges, counts)
    return f"{name}: {total:,}, median {median}, {above / total:.0%} at or above average"


def _median(edges: Sequence[float], counts: Sequence[int]) -> str:
    """Return the middle of the median's bin; for the first bin, its upper edge."""
    remaining = sum(counts) / 2
    for (low, high), number_of in zip(pairwise(edges), counts, strict=True):
        remaining -= number_of
        if remaining <= 0:
            return f"about {_shown(math.sqrt(low * high))}" if low > 0 else f"under {_shown(high)}"
    return f"about {_shown(edges[-1])}"


def _shown(multiple: float) -> str:
    return times(multiple) if multiple >= 0.1 else f"{number(multiple, 2)}\u00d7"


def _mark(
    claim: ClaimRecord, side: EstimateRecord, threshold: float | None, across: Scale
) -> Mark | None:
    if threshold is None:
        return None
    at, shown = across.place(threshold), _shown(threshold)
    if side["kind"] in ("exceed_rate", "precision"):
        label = f"counted from {shown}"
    elif is_multiple(claim):
        label = f"{shown} claimed"
    else:
        _, bound = drawn(claim)
        label = f"{exactly(bound)} claimed = {shown}"
    return Mark(at, label, flips=at > _LABELLED)


def _density(edges: Sequence[float], counts: Sequence[int]) -> list[float]:
    """Return the share of pairs per octave in each bin: the outline encloses an area of 1."""
    total = sum(counts) or 1
    return [
        number_of / total / _octaves(low, high)
        for (low, high), number_of in zip(pairwise(edges), counts, strict=True)
    ]


def _octaves(low: float, high: float) -> float:
    # The first bin reaches down to 0, which is infinitely many octaves away.
    return math.log2(high / low) if low > 0 else 1.0


def _outline(
    edges: Sequence[float], heights: Sequence[float], tallest: float, across: Scale
) -> str:
    points = [(across.place(_drawn_from(edges, 0)), _BOTTOM)]
    for bin_, height in enumerate(heights):
        up = round(_BOTTOM - (_BOTTOM - _TOP) * height / tallest, 1)
        points += [
            (across.place(_drawn_from(edges, bin_)), up),
            (across.place(edges[bin_ + 1]), up),
        ]
    points.append((points[-1][0], _BOTTOM))
    return _path(points) + "Z"


def _drawn_from(edges: Sequence[float], bin_: int) -> float:
    return edges[bin_] if edges[bin_] > 0 else edges[bin_ + 1] / 2


def _steps(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a step outline that keeps its height until the next point."""
    stairs = [points[0]]
    for before, point in pairwise(points):
        stairs += [(point[0], before[1]), point]
    return stairs


def _path(points: Sequence[tuple[float, float]]) -> str:
    """Return the path through some points.

    >>> _path([(0.0, 1.5), (10.0, 1.5), (10.0, 2.0)])
    'M0 1.5H10V2'
    """
    (x, y), *_ = points
    parts = [f"M{x:g} {y:g}"]
    for (left, top), (right, bottom) in pairwise(points):
        if top == bottom:
            parts += [f"H{right:g}"] if left != right else []
        elif left == right:
            parts.append(f"V{bottom:g}")
        else:
            parts.append(f"L{right:g} {bottom:g}")
    return "".join(parts)
