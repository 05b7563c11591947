"""Suggested relations, measured on the measuring half as claims like any other.

From a relation to a record of its mass, lift and verdict, with Python to paste. Both explainers use
it; nothing is suggested here.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from headtests.atlas.choose import LEAST_LIFT, round_down
from headtests.claims.definitions import Mass, Question, RelationStatistic, RowOptions
from headtests.claims.estimate import Estimate
from headtests.claims.quantity import Subject
from headtests.errors import ClaimError, HeadtestsError, NoEligibleRowError
from headtests.explanations.relation_search import any_of, gains
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
    """A relation that an explainer says a head attends to."""

    on: Expression
    when: Expression | None = every_row
    at_least: float | None = None
    """The threshold of the claim about the mass; None for half of the mass on the explain half."""
    said: str = ""
    """The suggestion as a language model wrote it, if one did."""
    english: str = ""
    """The keys as a clause that follows "keys"; empty for the relation's own."""


@dataclass(frozen=True, eq=False)
class Halves:
    """One head on both halves of the texts."""

    head: HeadName
    options: RowOptions
    explain: Half
    measure: Half
    """Limited to the documents that are read for every figure."""
    decide: Half
    """Limited to the documents that may be read to decide a claim."""

    def mass(self, half: Half, on: Expression, when: Expression | None) -> Estimate:
        """Return the mass on a relation, on a half; nothing is read yet."""
        return Estimate(Subject(self.head, half, self.options), Mass(on, when))

    def covering(self, documents: int) -> Half:
        """Return the measuring half with the documents of `measure` and those that a claim took.

        `documents` are those of the pass that were read to decide the claim.
        """
        if documents <= self.measure.extents(False)[-1]:
            return self.measure
        extents = self.decide.extents(False)
        return replace(self.decide, limit=next(each for each in extents if each >= documents))

    def resting(self) -> BoundedRecord:
        """Return the mass on position 0 over every row of the measuring half."""
        return _bounded(self.mass(self.measure, first, every_row).settled)

    def unexplained(self, relations: Sequence[Expression]) -> BoundedRecord:
        """Return the mass on keys in none of the relations, over every row of the measuring half.

        Without position 0 if it is suppressed. The relations must be disjoint.
        """
        readings = [self.mass(self.measure, on, every_row).reading for on in relations]
        if not readings or self.measure.whole.document_pass.model.facts.sinks:
            # With attention sinks a row sums to less than 1, so that the rest has to be measured.
            others = ~any_of(list(relations)) if relations else first | ~first
            if not relations and self.options.suppress_first_token:
                others = ~first
            return _bounded(self.mass(self.measure, others, every_row).settled)
        figures = readings[0].figures
        rest = QUANTA - sum(reading.figures.numerators for reading in readings)
        if self.options.suppress_first_token:
            rest = rest - figures.resting
        mean = Mean(np.clip(rest, 0, QUANTA).astype(np.int64), len(readings[0].eligible))
        low, high = bounds(mean, self.measure.alpha)
        return BoundedRecord(value=float(mean.value), low=low, high=high)


def measure(halves: Halves, suggested: Suggestion) -> SuggestionRecord:
    """Return the record of a suggestion on the measuring half; problems are in it, not raised."""
    try:
        return _measured(halves, suggested)
    except HeadtestsError as error:
        return unmeasured(suggested.said or repr(suggested.on), str(error))


def unmeasured(said: str, trouble: str) -> SuggestionRecord:
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
        threshold = _half_of_the_explain_mass(halves, suggested)
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
    share = _of_what_does_not_rest(halves, settled)
    base, share_base = _base_rates(halves, settled)
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
        share_lift=_over(share, share_base),
        documents=settled.documents,
        rows=settled.rows,
    )


def _bounded(settled: Estimate) -> BoundedRecord:
    return BoundedRecord(value=settled.value, low=settled.low, high=settled.high)


def _over(figure: BoundedRecord | None, base: Fraction | None) -> BoundedRecord | None:
    """Return a figure as a multiple of a base rate; None if that is 0."""
    if figure is None or not base:
        return None
    low, high = (
        None if end is None else end / float(base) for end in (figure["low"], figure["high"])
    )
    return BoundedRecord(value=figure["value"] / float(base), low=low, high=high)


def _base_rates(halves: Halves, mass: Estimate) -> tuple[Fraction | None, Fraction | None]:
    """Return what uniform attention gives: as a mass, and as a share of what does not rest.

    Over all documents of the half, from their tokens. The rate of the documents that were read is a
    sample, and the bounds of a lift would not account for that.
    """
    if not halves.options.suppress_first_token:
        return halves.measure.uniform(mass.question).base_rate, None
    uniform = halves.measure.uniform(_off_position_0(mass).question)
    share = uniform.base_rate
    if _names_first(mass):
        return halves.measure.uniform(mass.question).base_rate, share
    return replace(uniform, base_denominators=None).base_rate, share


def _off_position_0(mass: Estimate) -> Estimate:
    """Return a mass as a share of the attention off position 0; nothing is read yet."""
    statistic = Mass(_relation_of(mass), mass.statistic.when, of=~first)
    return replace(mass, statistic=statistic, given=None)


def _names_first(mass: Estimate) -> bool:
    return any(isinstance(leaf, First) for leaf in leaves(_relation_of(mass)))


def _relation_of(mass: Estimate) -> Expression:
    if not isinstance(mass.statistic, RelationStatistic):
        raise TypeError(f"expected a mass but found {mass!r}")
    return mass.statistic.on


def _of_what_does_not_rest(halves: Halves, mass: Estimate) -> BoundedRecord | None:
    """Return the share of the attention off position 0; None if there is none.

    For every row it follows from the mass and the resting mass, without reading rows again.
    """
    if not halves.options.suppress_first_token:
        return None
    if mass.statistic.when != every_row or _names_first(mass):
        # The resting mass of these rows alone has to be read; position 0 is not in the share.
        try:
            return _bounded(_off_position_0(mass).settled)
        except NoEligibleRowError:
            return None
    figures = mass.reading.figures
    rest = np.clip(QUANTA - figures.resting, 0, QUANTA)
    if not total(rest):
        return None
    inside = np.minimum(figures.numerators, rest)
    ratio = Ratio(inside, rest, Fraction(1), len(mass.reading.eligible))
    low, high = bounds(ratio, mass.subject.evidence.alpha)
    return BoundedRecord(value=float(ratio.value), low=low, high=high)


def is_enriched(record: SuggestionRecord) -> bool:
    """Return whether a relation gets more than its uniform share on the measuring half.

    At least 1.5 times as much, with a lower bound over 1. Of the attention off position 0 if that
    is suppressed.
    """
    lift = record["share_lift"] or record["lift"]
    if lift is None or lift["low"] is None:
        return False
    return lift["low"] > 1 and lift["value"] >= LEAST_LIFT


def share_of(record: SuggestionRecord) -> float:
    """Return the share of what does not rest that a suggestion is about, or else of all."""
    figure = record["share"] or record["mass"]
    return 0.0 if figure is None else figure["value"]


def _half_of_the_explain_mass(halves: Halves, suggested: Suggestion) -> float:
    question = Question(halves.head, Mass(suggested.on, suggested.when), halves.options)
    seen = halves.explain.figures(question, halves.explain.extents(False)[-1]).average
    if not seen:
        raise ClaimError(
            f"in the half that it was made from, {halves.head} has no attention on keys "
            f"{suggested.on.english}, so there is nothing to claim of it."
        )
    return round_down(seen / 2)


def _python(halves: Halves, suggested: Suggestion, threshold: float) -> str:
    """Return a test of the claim to paste into a file, on the same rows and with a unique name."""
    when = "" if suggested.when is None else f", when={suggested.when!r}"
    name, options = str(halves.head), halves.options
    relations = [each for each in (suggested.on, suggested.when) if each is not None]
    lines = {line for each in relations for line in paste_imports(each).splitlines()}
    # In the order of import sorters: whole modules first.
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
    """Return part of a function's name, different for each expression."""
    words = re.sub(r"[^a-z0-9]+", "_", source.replace("ht.", "").lower()).strip("_")
    digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{words[:40].rstrip('_')}_{digest[:6]}"


def best_first(suggestions: list[SuggestionRecord]) -> list[SuggestionRecord]:
    """Return suggestions in order: enriched ones first, then by verdict, then by `gains`.

    Those that could not be measured come last.
    """

    def order(record: SuggestionRecord) -> tuple[bool, int, float]:
        share, lift = record["share"] or record["mass"], record["share_lift"] or record["lift"]
        gained = 0.0
        if share is not None and lift is not None and lift["value"] > 0:
            uniform = share["value"] / lift["value"]
            gained = float(gains(np.array([share["value"]]), np.array([uniform]))[0])
        return not is_enriched(record), _ORDER.get(record["verdict"] or "", 3), -gained

    return sorted(suggestions, key=order)
