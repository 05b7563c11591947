"""Estimates of a statistic: lazy, and read on as few documents as a comparison needs.

A comparison reads documents until it is decided; reading a value without a comparison reads the
whole budget. The arithmetic is `headtests.statistics`; the readings are
`headtests.claims.sequential`.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import ClassVar, TypeVar

from headtests.claims.arithmetic import ComparableQuantity
from headtests.claims.definitions import Lift, Question, Statistic
from headtests.claims.evidence import Evidence
from headtests.claims.no_value import (
    divided_by,
    no_common_value,
    no_value,
    remedy_of_divisor,
)
from headtests.claims.numbers import decimal
from headtests.claims.quantity import AfterStop, Interval, Outcome, Quantity, Subject
from headtests.claims.sequential import (
    PairedReading,
    Reading,
    Stop,
    base_of,
    read_in_steps,
    read_pair_in_steps,
)
from headtests.claims.verdicts import Verdict, decide
from headtests.errors import ClaimError
from headtests.statistics import SMALL_DIVISOR, MoreDocuments, bounds, more_documents
from headtests.wording import CONTROLS, MATCHED, UNIFORM, Operator, ordinal, quartiles, written

Read = TypeVar("Read", Reading, PairedReading)


@dataclass(frozen=True, slots=True)
class Rank:
    """The rank of a head's figure among those of other heads on the same documents."""

    rank: int
    """1 for the highest; heads with equal figures share the better rank."""
    of: int
    """Number of heads, including this one."""

    def __str__(self) -> str:
        return f"{ordinal(self.rank)} of {self.of}"


@dataclass(frozen=True, eq=False, repr=False)
class Estimate(ComparableQuantity):
    """One statistic of one head: its value, interval, sample size and controls.

    Returned by `Head.mass` and its siblings. It compares with a number, with another estimate
    (`a >= 3 * b`, `a - b >= 0.1`) and with `ht.approx`; each comparison is a claim. It is lazy: a
    comparison reads documents until it is decided, and reading a value first reads the whole
    budget. The interval is a confidence sequence (Waudby-Smith and Ramdas 2023, "Estimating means
    of bounded random variables by betting"). Every value raises `NoEligibleRowError` if no
    document has an eligible row.

    >>> mass = head.mass(ht.previous)
    >>> bool(mass >= 0.4), bool(mass < 0.4)
    (True, False)
    >>> mass.low <= mass.value <= mass.high
    True
    """

    subject: Subject
    statistic: Statistic
    beyond_corpus: bool = False
    """Whether claims are about the source of the texts, with the text as the unit."""
    given: Reading | None = None
    """A reading to use; None to read the evidence."""

    averaged: ClassVar[str] = ", averaged over documents,"

    @property
    def kind(self) -> str:  # type: ignore[override]  # the statistic's, not the class's
        """The name of the statistic, such as `mass`."""
        return self.statistic.kind

    @property
    def question(self) -> Question:
        """The request to the evidence."""
        subject = self.subject
        return Question(subject.name, self.statistic, subject.options, self.beyond_corpus)

    @property
    def _figure(self) -> Question:
        """The request for the same figure, whatever a claim is about."""
        return replace(self.question, beyond_corpus=False)

    @property
    def reading(self) -> Reading:
        """The reading of the comparisons so far, or else of the whole budget.

        Marks the figure as read, since a later threshold could depend on it.
        """
        if self.given is not None:
            return self.given
        known = self.subject.readings
        self.subject.evidence.figures_read.add(self._figure)
        if self.question not in known:
            evidence = self.subject.evidence
            last = _last(read_in_steps(evidence, self.question))
            if last is None or not last.has_value:
                raise no_value(evidence, self.question, last)
            known[self.question] = last
        return known[self.question]

    @property
    def exact(self) -> Fraction:
        """The average over documents as a fraction; raises `NoEligibleRowError` without one."""
        return self.reading.contrast.value

    @cached_property
    def _bounds(self) -> tuple[float, float]:
        return bounds(self.reading.contrast, self.subject.evidence.alpha)

    @property
    def low(self) -> float:
        """The lower bound; it exceeds the true value at a rate of at most alpha.

        >>> head.mass(ht.previous).low > 0.9
        True
        """
        return self._bounds[0] if self.given is not None else self.settled.low

    @property
    def high(self) -> float:
        """The upper bound; it is below the true value at a rate of at most alpha.

        >>> head.mass(ht.previous).high <= 1
        True
        """
        return self._bounds[1] if self.given is not None else self.settled.high

    @property
    def course(self) -> list[Stop]:
        """How the interval narrowed: after some prefixes of the reading, and after all of it."""
        reading, settled = self.reading, self.settled
        last = Stop(len(reading), settled.value, settled.low, settled.high)
        return [*reading.course(self.subject.evidence.alpha), last]

    @property
    def settled(self) -> "Estimate":
        """The same estimate, fixed to the current reading."""
        return self if self.given is not None else replace(self, given=self.reading)

    @property
    def documents(self) -> int:
        """Number of documents read that have an eligible row."""
        return self.reading.documents

    @property
    def texts(self) -> int | None:
        """Number of texts read, if the text is the unit; else None."""
        return len(self.reading) if self.beyond_corpus else None

    @property
    def merged_texts(self) -> int | None:
        """Number of eligible texts that equal another and do not count again, beyond the corpus."""
        return self.reading.eligible.copies if self.beyond_corpus else None

    @property
    def eligible(self) -> int | None:
        """Number of eligible documents of the population; None beyond the corpus."""
        return self.reading.population

    @property
    def rows(self) -> int:
        """Number of eligible rows of the documents read."""
        return int(self.reading.figures.rows.sum())

    @property
    def base_rate(self) -> float | None:
        """The figure that uniform attention would give; None if that is undefined.

        >>> head.mass(ht.previous).base_rate < 0.1
        True
        """
        return _optional(self.reading.figures.base_rate)

    @cached_property
    def matched_rate(self) -> float | None:
        """The figure that the head's average attention at each distance would give.

        On the same documents; None if that is undefined.
        """
        reading = self.reading
        if isinstance(self.statistic, Lift) and self.statistic.over == "distance":
            return 1.0
        matched = self.subject.evidence.matched(self.question, reading.extent)
        figures = reading.of(matched)
        return _optional(figures.average)

    @property
    def denominator(self) -> float | None:
        """What the figure divides by, averaged over documents; None for a plain average.

        The attention on `of=`, the share of pairs with a multiple of `above=`, or what a lift's
        control gives.

        >>> head.mass(ht.previous, of=~ht.first).denominator < 1
        True
        """
        return _optional(self.reading.divisor)

    @property
    def resting_mass(self) -> float | None:
        """The average attention on position 0 in the same rows; None without rows."""
        return _optional(self.reading.figures.resting_mass)

    @cached_property
    def rank(self) -> Rank | None:
        """The figure's rank among other heads on the same documents; None if ranking is off."""
        evidence, reading = self.subject.evidence, self.reading
        beside = evidence.heads_beside(self.question)
        if not beside:
            return None
        others = []
        for head in beside:
            if head != self.subject.name:
                question = replace(self.question, head=head)
                figures = reading.of(evidence.figures(question, reading.extent))
                eligible = evidence.eligible(question).common_with(reading.eligible)
                others.append(Reading(question, figures, eligible, reading.extent))
        # A head that is not eligible on all of these documents is not ranked.
        values = [
            other.contrast.value
            for other in others
            if other.has_value and len(other) == len(reading)
        ]
        return Rank(1 + sum(value > self.exact for value in values), 1 + len(values))

    @property
    def english(self) -> str:
        """The figure as a noun phrase."""
        return self.statistic.english(str(self.subject.name))

    def on_evidence(self, evidence: Evidence) -> "Estimate":
        """Return the same figure of the same head, to be measured on other evidence."""
        subject = Subject(self.subject.name, evidence, self.subject.options)
        return Estimate(subject, self.statistic, self.beyond_corpus)

    def basis(self, outcome: Outcome) -> str:
        """Return what a verdict on this figure is about, and its error rate."""
        about = self.subject.evidence.description
        rate = f"decided falsely at a rate of at most {written(self.subject.evidence.alpha)}"
        if self.beyond_corpus:
            about = f"what the texts are independent draws from: {about}"
            if self.merged_texts:
                copies = _count(self.merged_texts, "text")
                about += f", without {copies} equal to another"
            rate += " unless texts are near-copies of each other"
        if outcome.decision.verdict is Verdict.UNDECIDED:
            return f"about {about}"
        if self.beyond_corpus:
            return f"about {about}; {rate}"
        if outcome.decision.exact and self.reading.is_whole:
            return f"exact for {about}"
        if outcome.decision.exact:
            return f"about {about}; certain, since no document that is left could change it"
        return f"about {about}; {rate}"

    def summary(self, digits: int = 4) -> str:
        """Return the value with its interval, documents and rows."""
        unit, settled = self.statistic.unit, self.settled
        low, high = settled.low, settled.high
        interval = "" if low == high else f" [{low:.{digits}g}, {high:.{digits}g}]"
        return f"{self.value:.{digits}g}{unit}{interval} over {self._n}{self._divided}"

    @property
    def _divided(self) -> str:
        return "" if self.denominator is None else f", divided by {self.denominator:.3g}"

    @property
    def _n(self) -> str:
        rows = f"{_count(self.rows, 'row')}"
        if self.texts is not None:
            equal = self.merged_texts
            merged = f"; {_count(equal, 'equal text')} left out" if equal else ""
            documents = _count(self.documents, "document")
            return f"{_count(self.texts, 'text')} ({documents}, {rows}{merged})"
        if self.reading.is_whole:
            every = "all " if self.documents > 1 else ""
            return f"{every}{_count(self.documents, 'document')} ({rows})"
        return f"{self.documents:,} of {_count(len(self.reading.eligible), 'document')} ({rows})"

    def controls(self) -> list[str]:
        """Return one line each for the controls, the rank and the resting mass."""
        lines = [f"{control} {figure}" for control, figure in self._expected]
        if self.rank is not None:
            lines.append(f"{self.rank} heads on these documents; a rank is not a null hypothesis")
        if self.resting_mass is not None:
            lines.append(f"resting mass, the attention on position 0: {self.resting_mass:.4g}")
        return lines

    def controls_in_brief(self) -> str:
        """Return the controls, the rank and the resting mass in one line."""
        parts = [f"{name.removesuffix(' would give')} {figure}" for name, figure in self._expected]
        if self.rank is not None:
            parts.append(f"{self.rank} heads")
        if self.resting_mass is not None:
            parts.append(f"resting mass {self.resting_mass:.4g}")
        return ", ".join(parts)

    @property
    def _expected(self) -> list[tuple[str, str]]:
        """The controls that have a value, with this value as text."""
        controls = {CONTROLS.get(self.kind, UNIFORM): self.base_rate, MATCHED: self.matched_rate}
        return [
            (control, f"{figure:.4g}{self.statistic.unit}")
            for control, figure in controls.items()
            if figure is not None
        ]

    def require_comparable(self, other: object) -> None:
        """Raise `ClaimError` for an impossible threshold, or a figure that is not comparable."""
        if isinstance(other, float):
            self.statistic.require_possible(other)
        elif not isinstance(other, Estimate):
            raise ClaimError(
                f"{self!r} is an average over documents and {other!r} is a figure of a sample of "
                "pairs. Compare an average with an average, or a fraction with a fraction."
            )
        else:
            self.require_like(other)
            if self.beyond_corpus != other.beyond_corpus:
                raise ClaimError(
                    f"only one of {self!r} and {other!r} has beyond_corpus=True. Give it to both, "
                    "or to neither."
                )

    @property
    def is_share(self) -> bool:
        """Whether the figure is a share in [0, 1], and not a multiple."""
        return math.isfinite(self.statistic.largest)

    @property
    def largest(self) -> float:
        """The largest possible value."""
        return self.statistic.largest

    def settle(
        self, operator: Operator, right: Quantity | float, factor: Fraction, offset: Fraction
    ) -> Outcome:
        """Read documents until `self operator factor * right + offset` is decided.

        Raises `NoEligibleRowError` if no document is eligible, and `ClaimError` for a lift that no
        attention could reach.
        """
        if isinstance(right, Estimate):
            return self._settle_against(operator, right, factor, offset)
        if isinstance(right, Quantity):
            raise ClaimError(f"{self!r} cannot be compared with {right!r}.")
        evidence, threshold = self.subject.evidence, decimal(right)
        if operator in (">=", ">"):
            self._require_reachable(right)
        decision, reading = None, None
        for reading in read_in_steps(evidence, self.question):
            if reading.has_value:
                decision = decide(reading.contrast, operator, threshold, evidence.alpha)
                if decision.verdict is not Verdict.UNDECIDED:
                    break
        if decision is None or reading is None:
            raise no_value(evidence, self.question, reading)
        undecided = decision.verdict is Verdict.UNDECIDED
        more = None
        if undecided and not reading.is_whole:
            more = more_documents(reading.contrast, threshold, evidence.alpha)
        decision = replace(decision, units=reading.least_with_value(decision.units))
        decisive = reading.first(decision.units)
        left = self._on(decisive)
        return Outcome(
            decision,
            left,
            right,
            after_stop=_after(reading.contrast.after_stop(decision.units), reading, decision.units),
            course=lambda: left.course,
            more_documents=more,
            remedy=_remedy(more, [decisive]) if undecided else "",
            documents_read=_documents_read(evidence, decisive, undecided),
            alpha=evidence.alpha,
            read_before=self._figure in evidence.figures_read,
        )

    def _settle_against(
        self, operator: Operator, right: "Estimate", factor: Fraction, offset: Fraction
    ) -> Outcome:
        evidence = self.subject.evidence
        decision, pair = None, None
        for pair in read_pair_in_steps(evidence, self.question, right.question):
            if pair.has_value:
                decision = pair.decide(operator, factor, offset, evidence.alpha)
                if decision.verdict is not Verdict.UNDECIDED:
                    break
        if decision is None or pair is None:
            raise no_common_value(evidence, self.question, right.question, pair)
        undecided = decision.verdict is Verdict.UNDECIDED
        more = None
        if undecided and not pair.left.is_whole:
            more = pair.more_documents(factor, offset, evidence.alpha)
        decision = replace(decision, units=pair.least_with_value(decision.units))
        decisive = pair.first(decision.units)
        difference = Interval(*decisive.difference(factor, evidence.alpha))
        last = Stop(decision.units, difference.value, difference.low, difference.high)
        return Outcome(
            decision,
            self._on(decisive.left),
            right._on(decisive.right),
            difference,
            _after(pair.after_stop(factor, decision.units), pair.left, decision.units),
            course=lambda: [*decisive.course(factor, evidence.alpha), last],
            more_documents=more,
            remedy=_remedy(more, [decisive.left, decisive.right]) if undecided else "",
            documents_read=_documents_read(evidence, decisive.left, undecided),
            alpha=evidence.alpha,
            read_before=not evidence.figures_read.isdisjoint((self._figure, right._figure)),
        )

    def _on(self, reading: Reading) -> "Estimate":
        """Return this estimate on the reading that decided a comparison; keep the longest.

        A reading of documents shared with another statistic is not kept: it is another figure.
        """
        known = self.subject.readings.get(self.question)
        own = len(self.subject.evidence.eligible(self.question))
        if len(reading.eligible) == own and (known is None or len(known) < len(reading)):
            self.subject.readings[self.question] = reading
        return replace(self, given=reading)

    def difference_from(self, other: Quantity, factor: Fraction) -> Interval:
        """Return `self - factor * other` with bounds, over the whole budget."""
        if not isinstance(other, Estimate):
            raise ClaimError(f"{self!r} cannot be compared with {other!r}.")
        evidence = self.subject.evidence
        pair = _last(read_pair_in_steps(evidence, self.question, other.question))
        if pair is None or not pair.has_value:
            raise no_common_value(evidence, self.question, other.question, pair)
        evidence.figures_read.update((self._figure, other._figure))
        return Interval(*pair.difference(factor, evidence.alpha))

    def _require_reachable(self, threshold: float) -> None:
        """Raise `ClaimError` for a lift larger than all of the attention would give."""
        if self.beyond_corpus:
            return
        base = base_of(self.question, self.subject.evidence.eligible(self.question))
        if base and decimal(threshold) * base > 1:
            raise ClaimError(
                f"{self!r} can never reach {written(threshold)}: uniform attention gives "
                f"{float(base):.4g} there, so all of the attention is a lift of "
                f"{float(1 / base):.4g}. Lower the threshold, or claim a mass."
            )

    def __repr__(self) -> str:
        beyond = "beyond_corpus=True" if self.beyond_corpus else ""
        arguments = ", ".join(filter(None, (self.statistic.arguments, beyond)))
        return f"{self.subject.name}.{self.kind}({arguments})"


def _documents_read(evidence: Evidence, reading: Reading, undecided: bool) -> int:
    """Return how many documents of the pass a comparison read, up to the one that decided."""
    if undecided:
        return reading.extent
    last = int(reading.eligible.documents[reading.documents - 1])
    return evidence.place_of(reading.question, last) + 1


def _after(value: Fraction | None, reading: Reading, stop: int) -> AfterStop | None:
    return None if value is None else AfterStop(float(value), len(reading) - stop)


def _remedy(more: MoreDocuments | None, readings: Sequence[Reading]) -> str:
    """Return what would decide an undecided claim, and how little it divides by, if that is why."""
    reading = readings[0]
    small = [side for side in readings if (side.divisor or 1) < SMALL_DIVISOR]
    if reading.is_whole:
        return "; ".join(map(_hidden, small))
    why = "".join(f"; it divides by {_divisor(side)}, which decides little" for side in small)
    if more is None:
        return f"no number of documents is likely to decide it{why}: move the threshold"
    if reading.question.beyond_corpus:
        raised = (
            "every text was read, so raise first= if the corpus has more, name a larger one"
            if reading.documents == len(reading.eligible)
            else "raise headtests_max_documents"
        )
        return f"{_about(more, 'text')} would decide it{why}: {raised}, or move the threshold"
    return (
        f"{_about(more, 'eligible document')} would decide it{why}: raise "
        "headtests_max_documents, or move the threshold"
    )


def _about(more: MoreDocuments, noun: str) -> str:
    return f"about {_count(more.median, noun)} more ({quartiles(more.lower, more.upper)})"


def _hidden(reading: Reading) -> str:
    """Return why the whole population does not decide a claim: rounding hides the figure."""
    return (
        f"the figure divides by {_divisor(reading)}, and documents' figures are rounded to 2**-30, "
        f"so it is known to within {reading.contrast.rounding:.2g} only, and the threshold is "
        f"nearer. {remedy_of_divisor(reading.question.statistic)}"
    )


def _divisor(reading: Reading) -> str:
    return f"{divided_by(reading.question.statistic)}, {float(reading.divisor or 0):.2g} on average"


def _last(readings: Iterable[Read]) -> Read | None:
    return next(iter(deque(readings, maxlen=1)), None)


def _optional(figure: Fraction | None) -> float | None:
    return None if figure is None else float(figure)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
