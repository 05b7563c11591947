"""Linear and logarithmic axes: the coordinates of figures, and ticks.

Numbers in, coordinates and labels out. The charts along an axis are the other modules of this
package.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from headtests.wording import number

_LEAST_LOG, _MOST_LOG = 2.0**-10, 2.0**200
"""The range of a logarithmic axis, which excludes 0 and the largest floats."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled coordinate of an axis."""

    place: float
    label: str


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from one figure to another, drawn from one coordinate to another."""

    low: float
    high: float
    """Greater than `low`; on a logarithmic axis, both are positive."""
    start: float
    """The coordinate of `low`."""
    stop: float
    """The coordinate of `high`; less than `start` on an axis that grows upwards."""
    is_log: bool = False
    unit: str = ""
    """The suffix of each label."""

    def place(self, value: float) -> float:
        """Return the coordinate of a figure, to a tenth; figures beyond an end are clamped to it.

        >>> Scale(0, 1, 10, 110).place(0.25), Scale(1, 100, 0, 10, is_log=True).place(10)
        (35.0, 5.0)
        """
        low, high = self._along(self.low), self._along(self.high)
        share = (self._along(min(max(value, self.low), self.high)) - low) / (high - low)
        return round(self.start + share * (self.stop - self.start), 1)

    def _along(self, value: float) -> float:
        return math.log2(value) if self.is_log else value

    @property
    def ends(self) -> tuple[Tick, Tick]:
        """The two ends, labelled."""
        return self._tick(self.low), self._tick(self.high)

    def ticks(self, most: int = 6) -> list[Tick]:
        """Return at most `most` ticks at round figures.

        >>> [tick.label for tick in Scale(0, 1, 0, 100).ticks()]
        ['0', '0.20', '0.40', '0.60', '0.80', '1']
        >>> [tick.label for tick in Scale(0.3, 400, 0, 100, is_log=True).ticks()]
        ['1', '10', '100']
        """
        figures = self._powers() if self.is_log else self._rounds(most)
        every = max(1, math.ceil(len(figures) / most))
        return [self._tick(figure) for figure in figures[::every]]

    def _powers(self) -> list[float]:
        lowest, highest = math.log10(self.low), math.log10(self.high)
        tens = [10.0**power for power in range(math.ceil(lowest), math.floor(highest) + 1)]
        # An axis of less than two powers of ten is labelled by doublings.
        if len(tens) > 1:
            return tens
        first, last = math.ceil(math.log2(self.low)), math.floor(math.log2(self.high))
        return [2.0**power for power in range(first, last + 1)]

    def _rounds(self, most: int) -> list[float]:
        rough = (self.high - self.low) / max(1, most - 1)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(place * step, 12) for place in range(first, last + 1)]

    def _tick(self, figure: float) -> Tick:
        return Tick(self.place(figure), number(figure) + self.unit)


def log_scale(figures: Iterable[float | None], start: float, stop: float, unit: str = "") -> Scale:
    """Return a logarithmic axis between powers of two that covers some figures and 1.

    Figures that are None or not positive are ignored.

    >>> scale = log_scale([0.3, None, 40], 0, 100)
    >>> scale.low, scale.high
    (0.25, 64.0)
    """
    known = (figure for figure in figures if figure is not None and figure > 0)
    clamped = [min(max(figure, _LEAST_LOG), _MOST_LOG) for figure in known]
    low = math.floor(math.log2(min([*clamped, 0.75])))
    high = math.ceil(math.log2(max([*clamped, 1.5])))
    return Scale(2.0**low, 2.0**high, start, stop, is_log=True, unit=unit)
