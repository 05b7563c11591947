"""The strip of a claim: its estimate and interval against its threshold, one line high.

Claims of one kind share an axis. Records in, coordinates and words out; the template draws them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from headtests.records import ClaimRecord
from headtests.report.charts.scales import Scale, Tick, log_scale
from headtests.report.words.claims import compared, decided, interval_in_brief, is_multiple
from headtests.wording import exactly, number

_LEFT, _RIGHT = 6.0, 194.0
"""The ends of a strip's axis, in a width of 200."""


@dataclass(frozen=True, slots=True)
class Axes:
    """The axes on which the claims of one report are drawn."""

    share: Scale
    multiple: Scale
    """Logarithmic; covers every multiple of the report."""


@dataclass(frozen=True, slots=True)
class IntervalStrip:
    """One claim on its axis: x coordinates from 0 to 200."""

    claimed: tuple[float, float]
    """Where the claim holds: a start and a width."""
    bar: tuple[float, float] | None
    """The interval; None where there is none."""
    estimate: float
    threshold: float
    start: float
    """Where the axis begins."""
    stop: float
    ends: tuple[Tick, Tick]
    words: str
    """The strip in words, for screen readers."""


def axes_of(claims: Sequence[ClaimRecord]) -> Axes:
    """Return the axes of a report's claims."""
    figures: list[float | None] = []
    for claim in claims:
        if is_multiple(claim) and not _is_signed(claim):
            low, high = _interval(claim)
            figures += [*compared(claim), low, high]
    share = Scale(0.0, 1.0, _LEFT, _RIGHT)
    return Axes(share, log_scale(figures, _LEFT, _RIGHT, unit="\u00d7"))


def axis_of(claim: ClaimRecord, axes: Axes) -> Scale:
    """Return the axis of a claim: the shared one of its kind, or its own for a difference."""
    if not _is_signed(claim):
        return axes.multiple if is_multiple(claim) else axes.share
    reach = max(1.0, claim["factor"])
    if is_multiple(claim):
        known = [figure for figure in (*drawn(claim), *_interval(claim)) if figure is not None]
        reach = 2.0 ** math.ceil(math.log2(min(max(1.0, *map(abs, known)), 2.0**200)))
        return Scale(-reach, reach, _LEFT, _RIGHT, unit="\u00d7")
    return Scale(-reach, 1.0, _LEFT, _RIGHT)


def strip(claim: ClaimRecord, axes: Axes) -> IntervalStrip:
    """Return a claim drawn on its axis."""
    scale = axis_of(claim, axes)
    estimate, threshold = drawn(claim)
    at = scale.place(threshold)
    over = claim["operator"] in (">=", ">")
    name = "the difference" if claim["difference"] is not None else "the estimate"
    interval = interval_in_brief(claim)
    bounds = f", interval {interval}" if interval not in ("none", "exact") else ""
    side = "the right of" if over else "the left of"
    return IntervalStrip(
        claimed=(at, scale.stop - at) if over else (scale.start, at - scale.start),
        bar=interval_on(claim, scale),
        estimate=scale.place(estimate),
        threshold=at,
        start=scale.start,
        stop=scale.stop,
        ends=scale.ends,
        words=f"{name} {number(estimate)}{bounds}; the claim holds to {side} {exactly(threshold)}",
    )


def drawn(claim: ClaimRecord) -> tuple[float, float]:
    """Return the figure that is drawn, and its threshold.

    For two statistics of documents, the figure is their difference.
    """
    difference = claim["difference"]
    return compared(claim) if difference is None else (difference["value"], claim["offset"])


def interval_on(claim: ClaimRecord, scale: Scale) -> tuple[float, float] | None:
    """Return the ends of a claim's interval on an axis; None without an interval."""
    low, high = _interval(claim)
    if low is None and high is None:
        return None
    return (
        scale.place(scale.low if low is None else low),
        scale.place(scale.high if high is None else high),
    )


def _is_signed(claim: ClaimRecord) -> bool:
    """Return whether the figure that is drawn is a difference."""
    return claim["difference"] is not None or (
        isinstance(claim["right"], dict) and claim["offset"] != 0
    )


def _interval(claim: ClaimRecord) -> tuple[float | None, float | None]:
    return decided(claim)["low"], decided(claim)["high"]


def moved(scale: Scale, start: float, stop: float) -> Scale:
    """Return the same axis between other coordinates."""
    return replace(scale, start=start, stop=stop)
