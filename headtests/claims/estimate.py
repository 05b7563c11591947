"""Estimates of a statistic: lazy, decided on as few documents as a comparison needs.

Its documents are read when a comparison's truth is asked for, or all of the budget when its value
is read without one. The arithmetic is `headtests.statistics`, what was read
`headtests.claims.sequential`.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import ClassVar, TypeVar

from headtests.claims.arithmetic import ComparableQuantity
from headtests.claims.definitions import Lift, Question, Statistic
from headtests.claims.evidence import Evidence
from headtests.claims.no_value import no_common_value, no_value
from headtests.claims.numbers import decimal
from headtests.claims.quantity import Interval, Outcome, Quantity, Subject
from headtests.claims.sequential import (
    PairedReading,
    Reading,
    Stop,
    base_of,
    growing,
    growing_together,
)
from headtests.claims.verdicts import Verdict, decide
from headtests.errors import ClaimError
from headtests.statistics import bounds, more_documents
from headtests.wording import CONTROLS, MATCHED, UNIFORM, Operator, ordinal, written

Read = TypeVar("Read", Reading, PairedReading)


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a head's figure stands among those of other heads on the same documents."""

    rank: int
    """1 for the highest; heads of equal figures share the better rank."""
    of: int
    """How many heads, itself included."""

    def __str__(self) -> str:
        return f"{ordinal(self.rank)} of {self.of}"


@dataclass(frozen=True, eq=False, repr=False)
class Estimate(ComparableQuantity):
    """What is measured of one statistic of one head: value, interval, n and controls."""

    subject: Subject
    statistic: Statistic
    beyond_corpus: bool = False
    """Whether the claim is about what the texts are a sample of, with the text as the unit."""
    given: Reading | None = None
    """What was read of it already; None to ask the evidence."""

    averaged: ClassVar[str] = ", averaged over documents,"

    @property
    def kind(self) -> str:  # type: ignore[override]  # the statistic's, not the class's
        """The statistic's name."""
        return self.statistic.kind

    @property
    def question(self) -> Question:
        """What is asked of the evidence."""
        subject = self.subject
        return Question(subject.name, self.statistic, subject.options, self.beyond_corpus)

    @property
    def _figure(self) -> Question:
        """What is read of the evidence, whatever the claim is about."""
        return replace(self.question, beyond_corpus=False)

    @property
    def reading(self) -> Reading:
        """What was read: for the comparisons so far, or else of the whole budget.

        Whoever asks sees figures that a threshold could follow, which is noted.
        """
        if self.given is not None:
            return self.given
        known = self.subject.readings
        self.subject.evidence.was_read.add(self._figure)
        if self.question not in known:
            evidence = self.subject.evidence
            last = _last(growing(evidence, self.question))
            if last is None or not last.has_value:
                raise no_value(evidence, self.question, last)
            known[self.question] = last
        return known[self.question]

    @property
    def exact(self) -> Fraction:
        """The average over documents; raises `NoEligibleRowError` where there is none."""
        return self.reading.contrast.value

    @cached_property
    def _bounds(self) -> tuple[float, float]:
        return bounds(self.reading.contrast, self.subject.evidence.alpha)

    @property
    def low(self) -> float:
        """The lower bound; it is over the true value at a rate of at most alpha."""
        return self._bounds[0] if self.given is not None else self.settled.low

    @property
    def high(self) -> float:
        """The upper bound; it is under the true value at a rate of at most alpha."""
        return self._bounds[1] if self.given is not None else self.settled.high

    @property
    def course(self) -> list[Stop]:
        """How the interval closed on what was read: after a few prefixes, and after all of it."""
        reading, found = self.reading, self.settled
        last = Stop(len(reading), found.value, found.low, found.high)
        return [*reading.course(self.subject.evidence.alpha), last]

    @property
    def settled(self) -> "Estimate":
        """The estimate on what was read for it so far, which it keeps."""
        return self if self.given is not None else replace(self, given=self.reading)

    @property
    def documents(self) -> int:
        """How many documents with an eligible row were read."""
        return self.reading.documents

    @property
    def texts(self) -> int | None:
        """How many texts they are pieces of, where the text is the unit."""
        return len(self.reading) if self.beyond_corpus else None

    @property
    def eligible(self) -> int | None:
        """How many documents of the population have an eligible row; None beyond the corpus."""
        return self.reading.population

    @property
    def rows(self) -> int:
        """How many eligible rows the documents have."""
        return int(self.reading.figures.rows.sum())

    @property
    def base_rate(self) -> float | None:
        """What uniform attention would give; None where that has no meaning."""
        return _optional(self.reading.figures.base_rate)

    @cached_property
    def matched_rate(self) -> float | None:
        """What the head's average attention at the same distances would give on those documents."""
        reading = self.reading
        if isinstance(self.statistic, Lift) and self.statistic.over == "distance":
            return 1.0
        matched = self.subject.evidence.matched(self.question, reading.extent)
        figures = reading.of(matched)
        return _optional(figures.average)

    @property
    def resting_mass(self) -> float | None:
        """The attention on position 0 in the same rows; None without any."""
        return _optional(self.reading.figures.resting_mass)

    @cached_property
    def rank(self) -> Rank | None:
        """Where the figure stands among other heads' on the same documents; None unless asked."""
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
        # A head that is not eligible on each of these documents is not ranked on these.
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

    def measured_by(self, evidence: Evidence) -> "Estimate":
        """Return the same figure of the same head by other evidence, where nothing is read yet."""
        subject = Subject(self.subject.name, evidence, self.subject.options)
        return Estimate(subject, self.statistic, self.beyond_corpus)

    def basis(self, outcome: Outcome) -> str:
        """Return what a verdict on this figure is about, and how sure it is."""
        about = self.subject.evidence.description
        rate = f"decided falsely at a rate of at most {written(self.subject.evidence.alpha)}"
        if outcome.decision.verdict is Verdict.UNDECIDED:
            beyond = "what the texts are a sample of: " if self.beyond_corpus else ""
            return f"about {beyond}{about}"
        if self.beyond_corpus:
            return f"about what the texts are a sample of: {about}; {rate}"
        if outcome.decision.exact and self.reading.is_whole:
            return f"exact for {about}"
        if outcome.decision.exact:
            return f"about {about}; certain, since no document that is left could change it"
        return f"about {about}; {rate}"

    def summary(self, digits: int = 4) -> str:
        """Return the value with its interval, documents and rows."""
        unit, reading = self.statistic.unit, self.reading
        found = self.settled
        interval = "" if reading.is_whole else f" [{found.low:.{digits}g}, {found.high:.{digits}g}]"
        return f"{self.value:.{digits}g}{unit}{interval} over {self._n}"

    @property
    def _n(self) -> str:
        rows = f"{_count(self.rows, 'row')}"
        if self.texts is not None:
            return f"{_count(self.texts, 'text')} ({_count(self.documents, 'document')}, {rows})"
        if self.reading.is_whole:
            every = "all " if self.documents > 1 else ""
            return f"{every}{_count(self.documents, 'document')} ({rows})"
        return f"{self.documents:,} of {_count(len(self.reading.eligible), 'document')} ({rows})"

    def controls(self) -> list[str]:
        """Return what uniform attention and distance alone would give, the rank, the rest."""
        lines = [f"{control} {figure}" for control, figure in self._expected]
        if self.rank is not None:
            lines.append(f"{self.rank} heads on these documents, by rank, which is no null")
        if self.resting_mass is not None:
            lines.append(f"resting mass, the attention on position 0: {self.resting_mass:.4g}")
        return lines

    def controls_in_brief(self) -> str:
        """Return the same in one line."""
        parts = [f"{name.removesuffix(' would give')} {figure}" for name, figure in self._expected]
        if self.rank is not None:
            parts.append(f"{self.rank} heads")
        if self.resting_mass is not None:
            parts.append(f"resting mass {self.resting_mass:.4g}")
        return ", ".join(parts)

    @property
    def _expected(self) -> list[tuple[str, str]]:
        """What would give how much, were it not for what is claimed."""
        found = {CONTROLS.get(self.kind, UNIFORM): self.base_rate, MATCHED: self.matched_rate}
        return [
            (control, f"{figure:.4g}{self.statistic.unit}")
            for control, figure in found.items()
            if figure is not None
        ]

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
            if self.beyond_corpus != other.beyond_corpus:
                raise ClaimError(
                    f"one of {self!r} and {other!r} goes beyond the corpus and the other does "
                    "not. Give both beyond_corpus=True, or neither."
                )

    @property
    def is_share(self) -> bool:
        """Whether the figure is a share, from 0 to 1, rather than a multiple."""
        return math.isfinite(self.statistic.largest)

    @property
    def largest(self) -> float:
        """The largest value that is possible."""
        return self.statistic.largest

    def settle(
        self, operator: Operator, right: Quantity | float, factor: Fraction, offset: Fraction
    ) -> Outcome:
        """Read as many documents as it takes to decide `self operator factor * right + offset`.

        Raises `NoEligibleRowError` where no document counts, `ClaimError` beyond a lift that is
        possible at all.
        """
        if isinstance(right, Estimate):
            return self._settle_against(operator, right, factor, offset)
        if isinstance(right, Quantity):
            raise ClaimError(f"{self!r} cannot be compared with {right!r}.")
        evidence, threshold = self.subject.evidence, decimal(right)
        if operator in (">=", ">"):
            self._require_reachable(right)
        found, reading = None, None
        for reading in growing(evidence, self.question):
            if reading.has_value:
                found = decide(reading.contrast, operator, threshold, evidence.alpha)
                if found.verdict is not Verdict.UNDECIDED:
                    break
        if found is None or reading is None:
            raise no_value(evidence, self.question, reading)
        undecided = found.verdict is Verdict.UNDECIDED
        more = more_documents(reading.contrast, threshold, evidence.alpha) if undecided else None
        found = replace(found, units=reading.least_with_value(found.units))
        decisive = reading.first(found.units)
        left = self._on(decisive)
        return Outcome(
            found,
            left,
            right,
            course=lambda: left.course,
            more_documents=more,
            remedy=_remedy(more, decisive) if undecided else "",
            documents_read=_documents_read(evidence, decisive, undecided),
            alpha=evidence.alpha,
            read_before=self._figure in evidence.was_read,
        )

    def _settle_against(
        self, operator: Operator, right: "Estimate", factor: Fraction, offset: Fraction
    ) -> Outcome:
        evidence = self.subject.evidence
        found, pair = None, None
        for pair in growing_together(evidence, self.question, right.question):
            if pair.has_value:
                found = pair.decide(operator, factor, offset, evidence.alpha)
                if found.verdict is not Verdict.UNDECIDED:
                    break
        if found is None or pair is None:
            raise no_common_value(evidence, self.question, right.question, pair)
        undecided = found.verdict is Verdict.UNDECIDED
        more = pair.more_documents(factor, offset, evidence.alpha) if undecided else None
        found = replace(found, units=pair.least_with_value(found.units))
        decisive = pair.first(found.units)
        difference = Interval(*decisive.difference(factor, evidence.alpha))
        last = Stop(found.units, difference.value, difference.low, difference.high)
        return Outcome(
            found,
            self._on(decisive.left),
            right._on(decisive.right),
            difference,
            course=lambda: [*decisive.course(factor, evidence.alpha), last],
            more_documents=more,
            remedy=_remedy(more, decisive.left) if undecided else "",
            documents_read=_documents_read(evidence, decisive.left, undecided),
            alpha=evidence.alpha,
            read_before=not evidence.was_read.isdisjoint((self._figure, right._figure)),
        )

    def _on(self, reading: Reading) -> "Estimate":
        """Return this estimate on what decided a comparison, and remember the longest.

        On the documents that it has in common with another statistic it is another figure, and
        not to be remembered.
        """
        known = self.subject.readings.get(self.question)
        own = len(self.subject.evidence.eligible(self.question))
        if len(reading.eligible) == own and (known is None or len(known) < len(reading)):
            self.subject.readings[self.question] = reading
        return replace(self, given=reading)

    def difference_from(self, other: Quantity, factor: Fraction) -> Interval:
        """Return this figure less another, times a factor, over the whole budget."""
        if not isinstance(other, Estimate):
            raise ClaimError(f"{self!r} cannot be compared with {other!r}.")
        evidence = self.subject.evidence
        pair = _last(growing_together(evidence, self.question, other.question))
        if pair is None or not pair.has_value:
            raise no_common_value(evidence, self.question, other.question, pair)
        evidence.was_read.update((self._figure, other._figure))
        return Interval(*pair.difference(factor, evidence.alpha))

    def _require_reachable(self, threshold: float) -> None:
        """Raise `ClaimError` for a lift beyond what all of the attention would be."""
        if self.beyond_corpus:
            return
        base = base_of(self.question, self.subject.evidence.eligible(self.question))
        if base and decimal(threshold) * base > 1:
            raise ClaimError(
                f"{self!r} can never reach {written(threshold)}: uniform attention gives "
                f"{float(base):.4g} there, so that all of the attention is a lift of "
                f"{float(1 / base):.4g}. Lower the threshold, or claim a mass."
            )

    def __repr__(self) -> str:
        beyond = ", beyond_corpus=True" if self.beyond_corpus else ""
        return f"{self.subject.name}.{self.kind}({self.statistic.arguments}{beyond})"


def _documents_read(evidence: Evidence, reading: Reading, undecided: bool) -> int:
    """Return how many documents of the pass a comparison needed, up to the one that decided."""
    if undecided:
        return reading.extent
    last = int(reading.eligible.documents[reading.documents - 1])
    return evidence.place_of(reading.question, last) + 1


def _remedy(more: int | None, reading: Reading) -> str:
    if more is None:
        return "no number of documents is likely to decide it: move the threshold"
    if reading.question.beyond_corpus:
        raised = (
            "every text was read, so raise first= if the corpus has more, name a larger one"
            if reading.documents == len(reading.eligible)
            else "raise headtests_max_documents"
        )
        return f"about {_count(more, 'text')} more would decide it: {raised}, or move the threshold"
    return (
        f"about {_count(more, 'eligible document')} more would decide it: raise "
        "headtests_max_documents, or move the threshold"
    )


def _last(readings: Iterable[Read]) -> Read | None:
    return next(iter(deque(readings, maxlen=1)), None)


def _optional(figure: Fraction | None) -> float | None:
    return None if figure is None else float(figure)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
