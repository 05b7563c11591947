"""What the measuring half says of a suggested relation: a claim like any other.

From a relation to a record of its mass, its lift, its verdict and the Python to paste. Who
suggested it, and how it is said, is told elsewhere.
"""

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from headtests.claims import Lift, Mass, Question, RowOptions, written
from headtests.errors import ClaimError, HeadtestsError, NoEligibleRowError
from headtests.estimates import Estimate
from headtests.explanations.halves import Half
from headtests.expressions import Expression, every_row, first
from headtests.head_names import HeadName
from headtests.library import paste_imports
from headtests.quantities import Subject
from headtests.records import BoundedRecord, SuggestionRecord
from headtests.statistics import QUANTA, total

_ORDER = {"holds": 0, "undecided": 1, "refuted": 2}


@dataclass(frozen=True, slots=True)
class Suggested:
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

    def bounded(self, on: Expression) -> BoundedRecord:
        """Return the mass on a relation over every row of the measuring half, as it is read."""
        settled = self.mass(self.measure, on, every_row).settled
        return BoundedRecord(value=settled.value, low=settled.low, high=settled.high)


def measured(halves: Halves, suggested: Suggested) -> SuggestionRecord:
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


def _measured(halves: Halves, suggested: Suggested) -> SuggestionRecord:
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
    base = base_rate(halves, on, when)
    share, share_lift = _of_what_does_not_rest(halves, shown, on, when)
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
        base_rate=None if base is None else float(base),
        share=share,
        share_lift=share_lift,
        documents=settled.documents,
        rows=settled.rows,
    )


def _bounded(settled: Estimate) -> BoundedRecord:
    return BoundedRecord(value=settled.value, low=settled.low, high=settled.high)


def base_rate(halves: Halves, on: Expression, when: Expression | None) -> Fraction | None:
    """Return what uniform attention puts on a relation, over the whole measuring half.

    Known exactly from tokens; None where no document counts.
    """
    question = Question(halves.head, Lift(on, when), halves.options)
    found = halves.decide.eligible(question).base_rates
    if found is None or not len(found):
        return None
    return Fraction(total(found), len(found) * QUANTA)


def _over(figure: BoundedRecord, base: Fraction | None) -> BoundedRecord | None:
    """Return a figure as a multiple of a base rate; None where that is 0."""
    if not base:
        return None
    low, high = (None if end is None else end / base for end in (figure["low"], figure["high"]))
    return BoundedRecord(
        value=figure["value"] / base,
        low=low,
        high=high,
    )


def _of_what_does_not_rest(
    halves: Halves, shown: Half, on: Expression, when: Expression | None
) -> tuple[BoundedRecord | None, BoundedRecord | None]:
    """Return the share of the attention off position 0, and how often it is that of uniform one."""
    if not halves.options.suppress_first_token:
        return None, None
    share = Estimate(Subject(halves.head, shown, halves.options), Mass(on, when, of=~first))
    try:
        settled = share.settled
    except NoEligibleRowError:
        return None, None
    bases = (base_rate(halves, one, when) for one in (on, ~first))
    own, whole = ((Fraction(0) if base is None else base) for base in bases)
    found = _bounded(settled)
    return found, _over(found, own / whole if whole else None)


def _half_of_what_was_seen(halves: Halves, suggested: Suggested) -> float:
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
    exact = Fraction(number).limit_denominator(QUANTA)
    digits = 1 - math.floor(math.log10(exact))
    scale = Fraction(10) ** digits
    return float(Fraction(math.floor(exact * scale)) / scale)


def _python(halves: Halves, suggested: Suggested, threshold: float) -> str:
    """Return a test of the claim, to be pasted into a file."""
    when = "" if suggested.when is None else f", when={suggested.when!r}"
    name = str(halves.head)
    relations = [one for one in (suggested.on, suggested.when) if one is not None]
    lines = {line for one in relations for line in paste_imports(one).splitlines()}
    # As an import sorter has them: whole modules first.
    imports = sorted(lines, key=lambda line: (line.startswith("from"), line))
    return "\n".join(
        [
            "import pytest",
            *imports,
            "",
            "",
            f'@pytest.mark.head("{name}")',
            f"def test_{name.lower()}_attends_as_suggested(head):",
            f"    assert head.mass({suggested.on!r}{when}) >= {written(threshold)}",
            "",
        ]
    )


def best_first(suggestions: list[SuggestionRecord]) -> list[SuggestionRecord]:
    """Return suggestions that hold first, by their mass, then undecided, refuted, in trouble."""

    def order(one: SuggestionRecord) -> tuple[int, float]:
        mass = one["mass"]
        return _ORDER.get(one["verdict"] or "", 3), 0.0 if mass is None else -mass["value"]

    return sorted(suggestions, key=order)
