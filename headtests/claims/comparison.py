"""The claim that a comparison makes: decided once, when its truth value is asked for.

How a claim is printed and explained. The decision itself is `headtests.claims.verdicts`; the
figure decides which documents are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from headtests.claims.call_site import (
    Instruction,
    Location,
    Surroundings,
    calling_location,
    surroundings,
)
from headtests.claims.numbers import written_factor
from headtests.claims.quantity import AfterStop, Interval, Outcome, Quantity
from headtests.claims.sequential import Stop
from headtests.claims.verdicts import Decision, Verdict
from headtests.errors import ClaimError, UndecidedError
from headtests.wording import OPERATORS_IN_ENGLISH, Operator, telling_digits, written


@dataclass(eq=False, repr=False)
class Comparison:
    """One claim: a quantity compared with a number or with another quantity.

    Its truth value decides it: `bool(claim)`, `assert claim` and `if claim` read as many documents
    as it takes, at a rate of false decisions of at most `alpha`, and remember the verdict. Raises
    `UndecidedError` if the budget of documents ends first.

    >>> claim = head.mass(ht.previous) >= 0.4
    >>> claim
    L0H2.mass(ht.previous) >= 0.4
    >>> bool(claim)
    True
    >>> print(claim.verdict)
    holds
    """

    left: Quantity
    """The left side; once decided, on the documents that decided the claim."""
    operator: Operator
    right: Quantity | float
    factor: Fraction = Fraction(1)
    """The factor of a quantity on the right side; over 0."""
    offset: Fraction = Fraction(0)
    """The number added to a quantity on the right side."""
    outcome: Outcome | None = field(default=None, init=False)
    """The result; None until the comparison is decided."""
    location: Location | None = field(default=None, init=False)
    """The statement that asked for the truth value."""
    made: Instruction | None = field(default=None, init=False)
    """The user's instruction that made the comparison; None if this package made it."""

    def __bool__(self) -> bool:
        """Return whether the claim holds; raises `UndecidedError` if the budget ends first."""
        # pytest and debuggers then show the user's statement and not this frame.
        __tracebackhide__ = True
        verdict = self.ask()
        if verdict is Verdict.UNDECIDED:
            raise UndecidedError(self.undecided_message)
        return verdict is Verdict.HOLDS

    def ask(self) -> Verdict:
        """Return the verdict, record who asked, and notify the subject's observer once."""
        if self.location is None:
            location = calling_location()
            self.decide()
            self.location = location
            if self.left.subject.observer is not None:
                self.left.subject.observer(self)
        return self.decide()

    @property
    def surroundings(self) -> Surroundings:
        """The function around the statement that asked; empty before anything asked."""
        if self.location is None:
            return Surroundings("", 0, None)
        return surroundings(self.location, self.made)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, bool):
            raise ClaimError(
                f"the claim {self.source} was compared with {other} by == or !=, which does not "
                "decide it. Write assert CLAIM, or assert not CLAIM."
            )
        return self is other

    __hash__ = object.__hash__

    def decide(self) -> Verdict:
        """Return the verdict, measured once and remembered, without notifying the observer.

        >>> print((head.mass(ht.previous) >= 0.99).decide())
        refuted
        """
        if self.outcome is None:
            self.outcome = self.left.settle(self.operator, self.right, self.factor, self.offset)
            self.left, self.right = self.outcome.left, self.outcome.right
        return self.outcome.decision.verdict

    @property
    def _settled(self) -> Outcome:
        self.decide()
        if self.outcome is None:
            raise ClaimError(f"{self.source} was not decided.")
        return self.outcome

    @property
    def verdict(self) -> Verdict | None:
        """The verdict; None until the claim is decided."""
        return None if self.outcome is None else self.outcome.decision.verdict

    @property
    def decision(self) -> Decision:
        """The verdict with its evidence; decides."""
        return self._settled.decision

    @property
    def difference(self) -> Interval | None:
        """Left side minus right side, if both are statistics of documents; decides."""
        return self._settled.difference

    @property
    def after_stop(self) -> AfterStop | None:
        """An unbiased estimate, from documents read after the one that decided; decides.

        The figure at the document that decided lies beyond the true one on average, since reading
        stops where the figure is far from the threshold. None if the claim is undecided, or if no
        document was read after that one.
        """
        return self._settled.after_stop

    @property
    def remedy(self) -> str:
        """What would decide an undecided claim, and why it is not; decides."""
        return self._settled.remedy

    @property
    def course(self) -> Sequence[Stop]:
        """How the interval narrowed, up to the document that decided; decides.

        The interval of the left side, or of the difference of two figures. Empty for figures of
        pairs.
        """
        return self._settled.course()

    @property
    def more_documents(self) -> int | None:
        """About how many more eligible documents would decide an undecided claim; decides.

        A median: about a half of such claims take more.
        """
        more = self._settled.more_documents
        return None if more is None else more.median

    @property
    def more_documents_quartiles(self) -> tuple[int, int | None] | None:
        """The quartiles of `more_documents`; the upper is None if no number is enough; decides."""
        more = self._settled.more_documents
        return None if more is None else (more.lower, more.upper)

    @property
    def documents_read(self) -> int:
        """Number of documents of the pass that were read, up to the one that decided; decides."""
        return self._settled.documents_read

    @property
    def alpha(self) -> float | None:
        """Maximum rate of false decisions; None for an exact comparison; decides."""
        return self._settled.alpha

    @property
    def read_before(self) -> bool:
        """Whether the user read a side's value before the comparison; decides."""
        return self._settled.read_before

    @property
    def basis(self) -> str:
        """What the verdict is about, and its error rate; decides."""
        sides = [side for side in (self.left, self.right) if isinstance(side, Quantity)]
        # A figure of ranked pairs and one of random pairs have different bases.
        return "; ".join(dict.fromkeys(side.basis(self._settled) for side in sides))

    @property
    def sentence(self) -> str:
        """The claim in English.

        >>> print((head.lift(ht.previous) >= 10).sentence.split(", as")[0])
        L0H2's attention on keys one position before the query
        """
        left, relation = self.left.english, OPERATORS_IN_ENGLISH[self.operator]
        if not isinstance(self.right, Quantity):
            return f"{_capital(left)}{self.left.averaged} is {relation} {written(self.right)}."
        if not self.offset:
            right = f"{self._times}{self.right.english}"
            return f"{_capital(left)}{self.left.averaged} is {relation} {right}."
        right = f"{self._times}{self.right.english}"
        return f"{_capital(left)} less {right} is {relation} {written(float(self.offset))}."

    @property
    def _times(self) -> str:
        return "" if self.factor == 1 else f"{written_factor(self.factor)} times "

    @property
    def undecided_message(self) -> str:
        """The message of an undecided claim, with what would decide it; decides."""
        return "\n  ".join([f"undecided: {self.source}", *self._figures(""), *self._context()])

    def explanation(self) -> list[str]:
        """Return the figures, what was claimed of them and their controls as lines; decides."""
        return [*self._figures(f"{self.decide()}: "), *self._context()]

    def _figures(self, prefix: str) -> list[str]:
        """Return the figures and what was claimed of them, after a prefix."""
        difference = self._settled.difference
        left, right = self.left, self.right
        claimed = "as" if self.verdict is Verdict.HOLDS else "where"
        if not isinstance(right, Quantity):
            digits = telling_digits(left.value, right)
            return [
                f"{prefix}{left.summary(digits)},",
                f"  {claimed} {self.operator} {written(right)} was claimed{self._after_stop}",
            ]
        bound = right.value * float(self.factor)
        digits = telling_digits(left.value, bound)
        so = "" if self.factor == 1 else f", so {bound:.{digits}g}"
        lines = [f"{prefix}{left.summary(digits)},"]
        if self.offset:
            offset = written(float(self.offset))
            lines.append(f"  {claimed} {self.operator} {offset} more was claimed")
            lines.append(f"  than {self._times}{right!r},")
        else:
            lines.append(f"  {claimed} {self.operator} {self._times}{right!r} was claimed,")
        lines.append(f"  which is {self._times}{right.summary(digits)}{so}")
        if difference is not None:
            lines.append(f"  difference: {_in_bounds(difference, digits)}{self._after_stop}")
        return lines

    @property
    def _after_stop(self) -> str:
        """The estimate after the stop, as the end of a line; empty without one."""
        after = self._settled.after_stop
        if after is None:
            return ""
        # Short, since pytest cuts an explanation of more than 640 characters.
        unit = "" if self.left.is_share else "x"
        return f"; after the stop {after.value:.4g}{unit}"

    def _context(self) -> list[str]:
        """Return the controls, a remedy, a warning and what the verdict is about."""
        if isinstance(self.right, Quantity):
            # In one line per side: pytest truncates an explanation of more than eight lines.
            sides = (("left", self.left), ("right", self.right))
            brief = [(name, side.controls_in_brief()) for name, side in sides]
            lines = [f"{name}: {controls}" for name, controls in brief if controls]
        else:
            lines = self.left.controls()
        if self.remedy:
            lines.append(self.remedy)
        if self._settled.read_before:
            lines.append(
                "the figure was read before it was compared: the rate covers a threshold chosen "
                "from it, but no choice among heads or statistics"
            )
        return [f"  {line}" for line in [*lines, self.basis]]

    @property
    def source(self) -> str:
        """The claim as Python."""
        if not isinstance(self.right, Quantity):
            return f"{self.left!r} {self.operator} {written(self.right)}"
        times = "" if self.factor == 1 else f"{written_factor(self.factor)} * "
        if not self.offset:
            return f"{self.left!r} {self.operator} {times}{self.right!r}"
        offset = written(float(self.offset))
        return f"{self.left!r} - {times}{self.right!r} {self.operator} {offset}"

    def __repr__(self) -> str:
        if self.verdict is None:
            return self.source
        return f"{self.source} [{self.verdict}: {self.left.summary()}]"


@dataclass(eq=False, repr=False)
class Equivalence:
    """The claim that a figure lies within a margin of a number; holds if both edges hold."""

    source: str
    """The claim as Python."""
    parts: tuple[Comparison, ...]
    """At least the lower edge and at most the upper; an edge that claims nothing is left out."""

    def __bool__(self) -> bool:
        """Return whether both hold; raises `UndecidedError` if one is open and none refuted."""
        __tracebackhide__ = True
        verdicts = [part.ask() for part in self.parts]
        if Verdict.REFUTED in verdicts:
            return False
        for part, verdict in zip(self.parts, verdicts, strict=True):
            if verdict is Verdict.UNDECIDED:
                raise UndecidedError(part.undecided_message)
        return True

    __hash__ = object.__hash__

    def explanation(self) -> list[str]:
        """Return the explanation of the edge that failed, or else of the first; decides."""
        failed = [part for part in self.parts if part.decide() is not Verdict.HOLDS]
        part = (failed or list(self.parts))[0]
        return [part.source, *part.explanation()]

    def __repr__(self) -> str:
        return self.source


def _in_bounds(interval: Interval, digits: int) -> str:
    if interval.is_exact:
        return f"{interval.value:.{digits}g}"
    return f"{interval.value:.{digits}g} [{interval.low:.{digits}g}, {interval.high:.{digits}g}]"


def _capital(phrase: str) -> str:
    # The phrase begins with a head's name or a lower-case word.
    return phrase[0].upper() + phrase[1:]


MIRRORED: dict[str, Operator] = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}
"""Each operator after swapping the sides."""
