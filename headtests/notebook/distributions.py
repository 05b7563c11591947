"""A head's distribution of multiples and its plot: SVG in a notebook, bars of text in a terminal.

Turns a histogram into bars on axes. `headtests.measurement` measures it, `drawing` makes the HTML.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from headtests.claims.pair_samples import MultiplesDistribution
from headtests.notebook.drawing import bars, template
from headtests.report.charts.scales import Scale, Tick, log_scale
from headtests.statistics.sketches.histograms import coarsened
from headtests.wording import count, number

_WIDTH, _HEIGHT = 480, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 468.0, 10.0, 136.0
"""Where the axes end."""


@dataclass(frozen=True, slots=True)
class _HistogramBar:
    """One bin of the drawing."""

    x: float
    y: float
    width: float
    height: float
    words: str


@dataclass(frozen=True)
class Plot:
    """A plot of a distribution of multiples: the number of pairs in each quarter of an octave.

    Both axes are logarithmic, since most heads have few pairs with large multiples. All multiples
    under 2**-8 share the first bar.
    """

    title: str
    edges: Sequence[float] = field(repr=False)
    """Edges of the bins, ascending; the bin of multiples under 2**-8 begins at 0."""
    counts: Sequence[int] = field(repr=False)
    """The number of pairs in each bin."""

    @property
    def svg(self) -> str:
        """The drawing as a complete SVG file; lines and text have the colour of the page's text."""
        # The axis begins at half a pair, so that the bar of a single pair has a height.
        up = Scale(0.5, max(self.counts), _BOTTOM, _TOP, is_log=True)
        across = log_scale([_drawn_from(self.edges), *self.edges], _LEFT, _RIGHT, unit="\u00d7")
        values: dict[str, object] = {
            "title": self.title,
            "width": _WIDTH,
            "height": _HEIGHT,
            "left": _LEFT,
            "right": _RIGHT,
            "top": _TOP,
            "bottom": _BOTTOM,
            "bars": self._bars(across, up),
            "uniform": across.place(1.0),
            "ticks": self._ticks(across),
            "up": _powers(up),
        }
        return template("distribution.html", values)

    def html(self) -> str:
        """Return the drawing as HTML."""
        return f"<div>{self.svg}</div>"

    def text(self, colour: bool = False) -> str:
        """Return the title and a bar for each octave as lines of text; `colour` has no effect."""
        labels, counts = self._octaves()
        head = f"{self.title}\n(bars: the logarithm of the number of pairs)"
        return "\n".join([head, *bars(labels, counts)])

    def _repr_html_(self) -> str:
        return self.html()

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text()

    def _bars(self, across: Scale, up: Scale) -> list[_HistogramBar]:
        whole, drawn = sum(self.counts), []
        for (low, high), pairs in zip(pairwise(self.edges), self.counts, strict=True):
            left = across.place(low or _drawn_from(self.edges))
            top = up.place(pairs)
            words = f"{_span(low, high)}: {count(pairs, 'pair')}, {pairs / whole:.1%}"
            width = round(across.place(high) - left, 1)
            drawn.append(_HistogramBar(left, top, width, round(_BOTTOM - top, 1), words))
        return drawn

    def _ticks(self, across: Scale) -> list[Tick]:
        # Labels at the ends of the axis would be cut off.
        return [tick for tick in across.ticks(7) if _LEFT + 8 < tick.place < _RIGHT - 8]

    def _octaves(self) -> tuple[list[str], list[int]]:
        """Return labels and counts of the bins, merged by octave."""
        ends: list[tuple[float, float]] = []
        counts: list[int] = []
        for (low, high), pairs in zip(pairwise(self.edges), self.counts, strict=True):
            # An octave begins at a power of two, whose mantissa is 0.5.
            if ends and ends[-1][0] > 0 and math.frexp(low)[0] != 0.5:
                ends[-1] = ends[-1][0], high
                counts[-1] += pairs
            else:
                ends.append((low, high))
                counts.append(pairs)
        return [_span(low, high) for low, high in ends], counts


@dataclass(frozen=True, eq=False, repr=False)
class PlottedDistribution(MultiplesDistribution):
    """The distribution of a head's multiples, displayed as a plot.

    If it was displayed when it was made, it is not displayed again at the end of the cell.
    """

    was_shown: bool = False

    def plot(self) -> Plot:
        """Return the plot; raises `NoEligibleRowError` where there are no pairs."""
        edges, (counts,) = coarsened([self.histogram])
        on = self.request.on
        limit = "" if on is None else f" with keys {on.english}"
        return Plot(f"{self.subject.name}{limit}: {self}", edges, counts)

    def _repr_html_(self) -> str | None:
        return None if self.was_shown else self.plot().html()


def _drawn_from(edges: Sequence[float]) -> float:
    """Return where the first bar begins; a bin that begins at 0 is drawn an octave wide."""
    return edges[0] or edges[1] / 2


def _span(low: float, high: float) -> str:
    ends = [f"{number(edge, 2)}\u00d7" for edge in (low, high)]
    return f"{ends[0]} to {ends[1]}" if low else f"under {ends[1]}"


def _powers(up: Scale) -> list[Tick]:
    """Return ticks at the powers of ten on an axis of counts."""
    tens = range(math.floor(math.log10(up.high)) + 1)
    return [Tick(up.place(10.0**power), f"{10**power:,}") for power in tens]
