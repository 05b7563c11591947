"""A head's profile over distance: average attention on a key, by its distance from the query.

Bins in, one path and labels out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from headtests.wording import number

WIDTH, HEIGHT = 320, 96
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 314.0, 12.0, 72.0
_LABELS = 5
"""About how many bins are labelled."""


@dataclass(frozen=True, slots=True)
class ProfileTick:
    """A label below the bars."""

    x: float
    label: str
    end: bool
    """Whether it ends at `x` rather than having its middle there."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The chart of one head on one corpus; bins are evenly spaced."""

    bars: str
    most: str
    """The label of the highest bar."""
    ticks: list[ProfileTick]
    words: str


def profile(distances: Sequence[Sequence[int]], values: Sequence[float | None]) -> Profile | None:
    """Return the chart of a profile; None where nothing is known."""
    known = [value for value in values if value is not None]
    most = max(known, default=0.0)
    if most <= 0:
        return None
    wide = (_RIGHT - _LEFT) / len(values)
    bars, high = [], 0
    for place, value in enumerate(values):
        if value is None or value <= 0:
            continue
        left, tall = _LEFT + place * wide, (_BOTTOM - _TOP) * min(1.0, value / most)
        bars.append(f"M{left + 0.5:.1f} {_BOTTOM:g}v-{tall:.1f}h{wide - 1:.1f}v{tall:.1f}z")
        high = place if value == most else high
    every = max(1, -(-len(values) // _LABELS))
    return Profile(
        bars="".join(bars),
        most=number(most, 2),
        ticks=[
            ProfileTick(
                x=round(_LEFT + (place + 0.5) * wide, 1) if place < len(values) - 1 else _RIGHT,
                label=_span(distances[place]),
                end=place == len(values) - 1 and place > 0,
            )
            for place in range(0, len(values), every)
        ],
        words=(
            f"Average attention on a key by distance: most, {number(most, 2)}, at "
            f"{_span(distances[high])}"
        ),
    )


def _span(ends: Sequence[int]) -> str:
    r"""Return a bin's distances.

    >>> _span([3, 3]), _span([9, 12]) == "9\u201312", _span([-4, -2])
    ('3', True, '-4 to -2')
    """
    first, last = ends
    if first == last:
        return str(first)
    return f"{first} to {last}" if first < 0 else f"{first}\u2013{last}"
