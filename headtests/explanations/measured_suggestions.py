"""What the measuring half says of a suggested relation: a claim like any other.

From a relation to a record of its mass, its lift, its verdict and the Python to paste. Who
suggested it, and how it is said, is told elsewhere.
"""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from headtests.claims.definitions import Mass, Question, RowOptions
from headtests.claims.estimate import Estimate
from headtests.claims.quantity import Subject
from headtests.errors import ClaimError, HeadtestsError, NoEligibleRowError
from headtests.explanations.relation_search import LEAST_LIFT, any_of, gain
from headtests.explanations.text_halves import Half
from headtests.expressions import Expression, every_row, first
from headtests.expressions.head_names import HeadName
from headtests.expressions.library import paste_imports
from headtests.expressions.nodes import leaves
from headtests.expressions.relations import First
from headtests.records import BoundedRecord, SuggestionRecord
from headtests.statistics import QUANTA, Mean, Ratio, bounds, total
from headtests.wording import written

_ORDER = {"holds": 0, "undecided": 1, "refuted": 2}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A relation that somebody says a head attends to."""

    on: Expression
    when: Expression | None = every_row
    at_least: float | None = None
    """What the mass is claimed to be at least; None for half of what the explain half shows."""
    said: str = ""
    """The suggestion as it was written, where it was not ours."""
    english: str = ""
    """The keys as a clause that follows "keys"; empty for the relation's own."""


@dataclass(frozen=True, eq=False)
class Halves:
    """One head on both halves of the texts."""

    head: HeadName
    options: RowOptions
    explain: Half
    measure: Half
    """As far as it is read for every figure."""
    decide: Half
    """As far as it may be read to decide a claim."""

    def mass(self, half: Half, on: Expression, when: Expression | None) -> Estimate:
        """Return the mass on a relation, on a half, which is not read yet."""
        return Estimate(Subject(self.head, half, self.options), Mass(on, when))

    def covering(self, documents: int) -> Half:
        """Return the measuring half as far as figures are read, and so many of the pass at least.

        These are what it took to decide a claim.
        """
        if documents <= self.measure.extents(False)[-1]:
            return self.measure
        extents = self.decide.extents(False)
        return replace(self.decide, limit=next(one for one in extents if one >= documents))

    def resting(self) -> BoundedRecord:
        """Return the attention on position 0 of every row of the measuring half, as it is read."""
        return _bounded(self.mass(self.measure, first, every_row).settled)

    def unexplained(self, relations: Sequence[Expression]) -> BoundedRecord:
        """Return the attention of every row of the measuring half on keys in no relation given.

        Position 0 is left out where it is suppressed. The relations have no pair in common.
        """
        kept = [self.mass(self.measure, on, every_row).reading for on in relations]
        if not kept or self.measure.whole.sweep.model.facts.sinks:
            # Of rows that leave attention to no token, what is left is not what is unexplained.
            others = ~any_of(list(relations)) if relations else first | ~first
            if not relations and self.options.suppress_first_token:
                others = ~first
            return _bounded(self.mass(self.measure, others, every_row).settled)
        figures = kept[0].figures
        left = QUANTA - sum(reading.figures.numerators for reading in kept)
        if self.options.suppress_first_token:
            left = left - figures.resting
        mean = Mean(np.clip(left, 0, QUANTA).astype(np.int64), len(kept[0].eligible))
        low, high = bounds(mean, self.measure.alpha)
        return BoundedRecord(value=float(mean.value), low=low, high=high)


def measured(halves: Halves, suggested: Suggestion) -> SuggestionRecord:
    """Return what the measuring half says of a suggestion.

    Whatever is wrong with it is told in the record and not raised.
    """
    try:
        return _measured(halves, suggested)
    except HeadtestsError as error:
        return in_trouble(suggested.said or repr(suggested.on), str(error))


def in_trouble(said: str, trouble: str) -> SuggestionRecord:
    """Return the record of a suggestion that could not be measured, and why."""
    return SuggestionRecord(
        said=said,
        trouble=trouble,
        english="",
        expression="",
        python="",
        verdict=None,
        threshold=None,
        mass=None,
        lift=None,
        base_rate=None,
        share=None,
        share_lift=None,
        documents=None,
        rows=None,
    )


def _measured(halves: Halves, suggested: Suggestion) -> SuggestionRecord:
    threshold = suggested.at_least
    if threshold is None:
        threshold = _half_of_what_was_seen(halves, suggested)
    if threshold <= 0:
        raise ClaimError(
            f"a mass of at least {threshold:g} holds of any head, so it claims nothing. Expected a "
            "share over 0."
        )
    on, when = suggested.on, suggested.when
    claim = halves.mass(halves.decide, on, when) >= threshold
    verdict = claim.decide()
    shown = halves.covering(claim.documents_read)
    settled = halves.mass(shown, on, when).settled
    base = settled.base_rate
    share, share_lift = _of_what_does_not_rest(halves, settled)
    return SuggestionRecord(
        said=suggested.said or repr(on),
        trouble="",
        english=suggested.english or on.english,
        expression=claim.source,
        python=_python(halves, suggested, threshold),
        verdict=verdict.value,
        threshold=threshold,
        mass=_bounded(settled),
        lift=_over(_bounded(settled), base),
        base_rate=base,
        share=share,
        share_lift=share_lift,
        documents=settled.documents,
        rows=settled.rows,
    )


def _bounded(settled: Estimate) -> BoundedRecord:
    return BoundedRecord(value=settled.value, low=settled.low, high=settled.high)


def _over(figure: BoundedRecord, base: float | None) -> BoundedRecord | None:
    """Return a figure as a multiple of a base rate; None where that is 0."""
    if not base:
        return None
    low, high = (None if end is None else end / base for end in (figure["low"], figure["high"]))
    return BoundedRecord(value=figure["value"] / base, low=low, high=high)


def _of_what_does_not_rest(
    halves: Halves, mass: Estimate
) -> tuple[BoundedRecord | None, BoundedRecord | None]:
    """Return the share of the attention off position 0, and how often it is that of uniform one.

    Of every row without another look at them: what does not rest is all but what rests.
    """
    if not halves.options.suppress_first_token:
        return None, None
    names_first = any(isinstance(leaf, First) for leaf in leaves(mass.statistic.on))
    if mass.statistic.when != every_row or names_first:
        # Of the rows that count for it, position 0 has to be looked at by itself; nor is it to be
        # in a share of what does not rest there.
        statistic = Mass(mass.statistic.on, mass.statistic.when, of=~first)
        share = replace(mass, statistic=statistic, given=None)
        try:
            settled = share.settled
        except NoEligibleRowError:
            return None, None
        found = _bounded(settled)
        return found, _over(found, settled.base_rate)
    figures = mass.reading.figures
    left = np.clip(QUANTA - figures.resting, 0, QUANTA)
    if not total(left):
        return None, None
    inside = np.minimum(figures.numerators, left)
    ratio = Ratio(inside, left, Fraction(1), len(mass.reading.eligible))
    low, high = bounds(ratio, mass.subject.evidence.alpha)
    found = BoundedRecord(value=float(ratio.value), low=low, high=high)
    rests = halves.mass(halves.covering(mass.reading.extent), first, every_row).reading.figures
    uniform_rest = rests.of_documents(figures.documents).base_rate or Fraction(0)
    base = figures.base_rate or Fraction(0)
    return found, _over(found, float(base / (1 - uniform_rest)) if uniform_rest < 1 else None)


def is_enriched(record: SuggestionRecord) -> bool:
    """Return whether the other half bears out that a relation gets more than its uniform share.

    At least half as much again, and surely more than its share. Of the attention that does not
    rest on position 0, where that is left out.
    """
    lift = record["share_lift"] or record["lift"]
    if lift is None or lift["low"] is None:
        return False
    return lift["low"] > 1 and lift["value"] >= LEAST_LIFT


def _half_of_what_was_seen(halves: Halves, suggested: Suggestion) -> float:
    question = Question(halves.head, Mass(suggested.on, suggested.when), halves.options)
    seen = halves.explain.figures(question, halves.explain.extents(False)[-1]).average
    if not seen:
        raise ClaimError(
            f"in the half that it was made from, {halves.head} has no attention on keys "
            f"{suggested.on.english}, so there is nothing to claim of it."
        )
    return rounded_down(seen / 2)


def rounded_down(number: Fraction | float) -> float:
    """Return a number over 0 cut to two significant digits.

    >>> rounded_down(0.12999), rounded_down(0.05), rounded_down(0.00429)
    (0.12, 0.05, 0.0042)
    """
    # As it is written, if it is not less than a quantum.
    exact = Fraction(number).limit_denominator(QUANTA) or Fraction(number)
    digits = 1 - math.floor(math.log10(exact))
    scale = Fraction(10) ** digits
    return float(Fraction(math.floor(exact * scale)) / scale)


def _python(halves: Halves, suggested: Suggestion, threshold: float) -> str:
    """Return a test of the claim, to be pasted into a file: of the same rows, by its own name."""
    when = "" if suggested.when is None else f", when={suggested.when!r}"
    name, options = str(halves.head), halves.options
    relations = [one for one in (suggested.on, suggested.when) if one is not None]
    lines = {line for one in relations for line in paste_imports(one).splitlines()}
    # As an import sorter has them: whole modules first.
    imports = sorted(lines, key=lambda line: (line.startswith("from"), line))
    rows = f"suppress_first_token={options.suppress_first_token}, min_query={options.min_query}"
    source = " ".join(halves.decide.whole.description.split())
    return "\n".join(
        [
            "import pytest",
            *imports,
            "",
            "",
            f"# Found and measured on halves of {source}.",
            f'@pytest.mark.head("{name}", {rows})',
            f"def test_{name.lower()}_{_slug(f'{suggested.on!r}{when}')}(head):",
            f"    assert head.mass({suggested.on!r}{when}) >= {written(threshold)}",
            "",
        ]
    )


def _slug(source: str) -> str:
    """Return a part of a function's name, another for each expression."""
    words = re.sub(r"[^a-z0-9]+", "_", source.replace("ht.", "").lower()).strip("_")
    return f"{words[:40].rstrip('_')}_{hashlib.sha256(source.encode()).hexdigest()[:6]}"


def best_first(suggestions: list[SuggestionRecord]) -> list[SuggestionRecord]:
    """Return suggestions in order: enriched before others, and those that hold before others.

    Among these, those first by which attention is foretold best (`gain`). Those in trouble last.
    """

    def order(one: SuggestionRecord) -> tuple[bool, int, float]:
        share, lift = one["share"] or one["mass"], one["share_lift"] or one["lift"]
        gained = 0.0
        if share is not None and lift is not None and lift["value"] > 0:
            uniform = share["value"] / lift["value"]
            gained = float(gain(np.array([share["value"]]), np.array([uniform]))[0])
        return not is_enriched(one), _ORDER.get(one["verdict"] or "", 3), -gained

    return sorted(suggestions, key=order)
