"""The figures that are measured: estimates of a statistic, and figures of a sample of pairs.

An estimate is lazy: its documents are measured when a comparison's truth is asked for or its
value is read. The arithmetic of averages is `headtests.statistics`.
"""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

from headtests.claims import (
    CONTROLS,
    UNIFORM,
    ExceedRate,
    Lift,
    Mass,
    Precision,
    Statistic,
    require_in_range,
    written,
)
from headtests.errors import ClaimError, NoEligibleRowError
from headtests.quantities import Quantity, Subject
from headtests.statistics import QUANTA, DocumentFigures, on_common_documents, quantised_fraction


@dataclass(frozen=True, eq=False, repr=False)
class Estimate(Quantity):
    """What is measured of one statistic of one head, over the documents of the budget."""

    subject: Subject
    statistic: Statistic
    given: DocumentFigures | None = None
    """Figures measured already; None to ask the evidence for them."""

    averaged: ClassVar[str] = ", averaged over documents,"

    @property
    def kind(self) -> str:  # type: ignore[override]  # the statistic's, not the class's
        """The statistic's name."""
        return self.statistic.kind

    @cached_property
    def figures(self) -> DocumentFigures:
        """What each eligible document contributes."""
        if self.given is not None:
            return self.given
        return self.subject.evidence.figures(
            self.subject.name, self.statistic, self.subject.options
        )

    @property
    def exact(self) -> Fraction:
        """The average over documents; raises `NoEligibleRowError` where there is none."""
        return average_of(self.figures, self)

    @property
    def low(self) -> float:
        """The lower bound of the value; the value itself, since every document was measured."""
        return self.value

    @property
    def high(self) -> float:
        """The upper bound of the value; the value itself, since every document was measured."""
        return self.value

    @property
    def documents(self) -> int:
        """How many documents have an eligible row."""
        return len(self.figures)

    @property
    def rows(self) -> int:
        """How many eligible rows they have."""
        return int(self.figures.rows.sum())

    @property
    def base_rate(self) -> float | None:
        """What uniform attention would give; None where that has no meaning."""
        base = self.figures.base_rate
        return None if base is None else float(base)

    @property
    def resting_mass(self) -> float | None:
        """The attention on position 0 in the same rows; None without any."""
        resting = self.figures.resting_mass
        return None if resting is None else float(resting)

    @property
    def english(self) -> str:
        """The figure as a noun phrase."""
        return self.statistic.english(str(self.subject.name))

    @property
    def basis(self) -> str:
        """What a verdict on this figure is about."""
        return f"exact average of {self.subject.evidence.description}"

    def summary(self, digits: int = 4) -> str:
        """Return the value with its documents and rows."""
        return (
            f"{self.value:.{digits}g}{self.statistic.unit} over "
            f"{_count(self.documents, 'document')} ({_count(self.rows, 'row')})"
        )

    def controls(self) -> list[str]:
        """Return what uniform attention would give, and the resting mass."""
        lines = []
        if self.base_rate is not None:
            control = CONTROLS.get(self.kind, UNIFORM)
            lines.append(f"{control} {self.base_rate:.4g}{self.statistic.unit}")
        if self.resting_mass is not None:
            lines.append(f"resting mass, the attention on position 0: {self.resting_mass:.4g}")
        return lines

    def require_comparable(self, other: object) -> None:
        """Raise `ClaimError` for an impossible threshold, or documents of another run."""
        if isinstance(other, float):
            self.statistic.require_possible(other)
        elif not isinstance(other, Estimate):
            raise ClaimError(
                f"{self!r} is an average over documents and {other!r} a figure of a sample of "
                "pairs. Compare an average with an average, a fraction with a fraction."
            )
        else:
            self.require_like(other)

    @property
    def is_share(self) -> bool:
        """Whether the figure is a share, from 0 to 1, rather than a multiple."""
        return math.isfinite(self.statistic.largest)

    def require_reachable(self, threshold: float) -> None:
        """Raise `ClaimError` for a lift beyond what all of the attention would be."""
        if not isinstance(self.statistic, Lift) or not len(self.figures):
            return
        base = Fraction(int(self.figures.base_rates.sum()), len(self.figures) * QUANTA)
        if quantised_fraction(threshold) * base > 1:
            raise ClaimError(
                f"{self!r} can never reach {written(threshold)}: uniform attention gives "
                f"{float(base):.4g} there, so that all of the attention is a lift of "
                f"{float(1 / base):.4g}. Lower the threshold, or claim a mass."
            )

    def paired_with(self, other: Quantity) -> tuple[Quantity, Quantity]:
        """Return both estimates on the documents that are eligible for both.

        Raises `NoEligibleRowError` where there is no such document.
        """
        if not isinstance(other, Estimate):
            return self, other
        # Each alone first: a side without any eligible row has its own, better message.
        _ = self.exact, other.exact
        left, right = on_common_documents(self.figures, other.figures)
        if not len(left):
            raise NoEligibleRowError(
                f"no document is eligible for both {self!r} and {other!r}, so they cannot be "
                "compared on the same documents. Give both the same when=."
            )
        return replace(self, given=left), replace(other, given=right)

    def __repr__(self) -> str:
        return f"{self.subject.name}.{self.kind}({self.statistic.arguments})"


@dataclass(frozen=True, eq=False, repr=False)
class PairFigure(Quantity):
    """A figure of ranked or random pairs: exact for ranked ones, of that sample for random."""

    subject: Subject
    kind: str
    source: str
    """The Python that asks for it."""
    phrase: str
    """The figure as a noun phrase."""
    about: str
    """What a verdict on it is about."""
    pairs: int
    """How many pairs it is a figure of."""
    measured: Fraction | None

    @property
    def english(self) -> str:
        """The figure as a noun phrase."""
        return self.phrase

    @property
    def basis(self) -> str:
        """What a verdict on this figure is about."""
        return self.about

    @property
    def exact(self) -> Fraction:
        """The figure; raises `NoEligibleRowError` where there are no pairs."""
        if self.measured is None:
            raise NoEligibleRowError(
                f"{self!r} has no pairs to be a figure of: the head has none of that kind in "
                f"{self.subject.evidence.description}. Drop on=, or measure on more documents."
            )
        return self.measured

    def summary(self, digits: int = 4) -> str:
        """Return the value with its number of pairs."""
        return f"{self.value:.{digits}g} of {_count(self.pairs, 'pair')}"

    def controls(self) -> list[str]:
        """Return nothing: a sample's control is another sample."""
        return []

    def require_comparable(self, other: object) -> None:
        """Raise `ClaimError` for an impossible threshold, or an average over documents."""
        if isinstance(other, float):
            require_in_range(self.kind, other, 1.0 if self.kind == "fraction" else math.inf)
        elif not isinstance(other, PairFigure):
            raise ClaimError(
                f"{self!r} is a figure of a sample of pairs and {other!r} an average over "
                "documents. Compare a fraction with a fraction, an average with an average."
            )
        else:
            self.require_like(other)

    @property
    def is_share(self) -> bool:
        """Whether the figure is a share, from 0 to 1, rather than a multiple."""
        return self.kind == "fraction"

    def require_reachable(self, threshold: float) -> None:
        """Accept every threshold: a sample of pairs rules out none."""

    def __repr__(self) -> str:
        return self.source


def average_of(figures: DocumentFigures, estimate: Estimate) -> Fraction:
    """Return the average of an estimate's figures.

    Raises `NoEligibleRowError` where no document counts, and `ClaimError` beyond a lift that is
    possible at all.
    """
    if not len(figures):
        raise NoEligibleRowError(
            f"{estimate!r} has no eligible row: no document of "
            f"{estimate.subject.evidence.description} has {_missing_rows(estimate.statistic)}"
            f"{_first_hint(estimate)}"
        )
    average = figures.average
    if average is None:
        raise NoEligibleRowError(f"{estimate!r} divides by zero: {_empty_divisor(estimate)}.")
    return average


def _first_hint(estimate: Estimate) -> str:
    """Return that position 0 may be what was meant, where a key's own nature is asked for."""
    suppressed = estimate.subject.options.suppress_first_token
    if not suppressed or estimate.statistic.on.scope != "key":
        return ""
    return (
        " Position 0, where BOS stands, is taken out: ht.first asks for it, and "
        "suppress_first_token=False on the head marker puts it back."
    )


def _missing_rows(statistic: Statistic) -> str:
    """Return which rows no document has, and what to do."""
    rows = "rows" if statistic.when is None else f"rows {statistic.when.english}"
    remedy = "Check the tokens that the expression names, or measure on a corpus where they occur."
    match statistic:
        case Precision(above=multiple):
            possible = f"of at least {written(multiple)} keys, without which no multiple is as high"
            return f"{rows} {possible}. Lower above=, or measure on longer documents."
        case ExceedRate(multiple=multiple):
            keys = f"with keys {statistic.on.english} among at least {written(multiple)}"
            return f"{rows} {keys}, without which no multiple is as high. {remedy}"
        case _:
            return f"{rows} with keys {statistic.on.english} to attend to. {remedy}"


def _empty_divisor(estimate: Estimate) -> str:
    match estimate.statistic:
        case Precision(above=above):
            return f"no pair has a multiple of {written(above)} or more. Lower above="
        case Mass(of=of) if of is not None:
            return f"no attention falls on keys {of.english}. Choose another of="
        case _:
            return "uniform attention would put nothing there. Claim a mass instead"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
