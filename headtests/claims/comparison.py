"""The claim that a comparison makes: decided when its truth is asked for, once, and remembered.

How a figure is compared, said and explained. What makes a comparison hold is
`headtests.claims.verdicts`; which documents are read for it is the figure's own affair.
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
from headtests.claims.quantity import Interval, Outcome, Quantity
from headtests.claims.sequential import Stop
from headtests.claims.verdicts import Decision, Verdict
from headtests.errors import ClaimError, UndecidedError
from headtests.wording import OPERATORS_IN_ENGLISH, Operator, telling_digits, written


@dataclass(eq=False, repr=False)
class Comparison:
    """One claim: a quantity compared with a number or with another quantity."""

    left: Quantity
    """Once decided: on the documents that decided it."""
    operator: Operator
    right: Quantity | float
    factor: Fraction = Fraction(1)
    """What a quantity on the right side is multiplied by; over 0."""
    offset: Fraction = Fraction(0)
    """What is added to a quantity on the right side."""
    outcome: Outcome | None = field(default=None, init=False)
    """None until the comparison's truth was asked for."""
    location: Location | None = field(default=None, init=False)
    """The statement that asked."""
    made: Instruction | None = field(default=None, init=False)
    """What made the comparison; None where it was no code outside this package."""

    def __bool__(self) -> bool:
        """Return whether the claim holds; raises `UndecidedError` where the budget left it open."""
        # A debugger stops where it was asked.
        __tracebackhide__ = True
        verdict = self.ask()
        if verdict is Verdict.UNDECIDED:
            raise UndecidedError(self.undecided_message)
        return verdict is Verdict.HOLDS

    def ask(self) -> Verdict:
        """Return the verdict of a claim that somebody makes, and tell the subject's observer."""
        if self.location is None:
            location = calling_location()
            self.decide()
            self.location = location
            if self.left.subject.observer is not None:
                self.left.subject.observer(self)
        return self.decide()

    @property
    def surroundings(self) -> Surroundings:
        """The function around the statement that asked; nothing before."""
        if self.location is None:
            return Surroundings("", 0, None)
        return surroundings(self.location, self.made)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, bool):
            raise ClaimError(
                f"the claim {self.source} was compared with {other} by == or !=, which asks "
                "nothing. Write assert CLAIM, or assert not CLAIM."
            )
        return self is other

    __hash__ = object.__hash__

    def decide(self) -> Verdict:
        """Return the verdict, measured once and remembered; nobody is told of it."""
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
        """What became of the claim; None until its truth was asked for."""
        return None if self.outcome is None else self.outcome.decision.verdict

    @property
    def decision(self) -> Decision:
        """The verdict with its evidence; decides."""
        return self._settled.decision

    @property
    def difference(self) -> Interval | None:
        """The left side less the right one, where both are statistics of documents; decides."""
        return self._settled.difference

    @property
    def course(self) -> Sequence[Stop]:
        """How the interval closed, up to the document that decided; decides.

        Of the left side, or of the difference of two; nothing of figures of pairs.
        """
        return self._settled.course()

    @property
    def more_documents(self) -> int | None:
        """Of an undecided claim, how many eligible documents more it would about take; decides."""
        return self._settled.more_documents

    @property
    def documents_read(self) -> int:
        """How many documents of the pass were read, up to the one that decided; decides."""
        return self._settled.documents_read

    @property
    def alpha(self) -> float | None:
        """How often such a claim is decided falsely, at most; None for an exact comparison."""
        return self._settled.alpha

    @property
    def read_before(self) -> bool:
        """Whether somebody had read a side's figure before it was compared; decides."""
        return self._settled.read_before

    @property
    def basis(self) -> str:
        """What the verdict is about, and how sure it is; decides."""
        sides = [side for side in (self.left, self.right) if isinstance(side, Quantity)]
        # Of ranked and random pairs, each is about its own.
        return "; ".join(dict.fromkeys(side.basis(self._settled) for side in sides))

    @property
    def sentence(self) -> str:
        """The claim in English."""
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
        """What is said of a claim that the documents left open, with what would decide it."""
        return "\n  ".join([f"undecided: {self.source}", *self._found(""), *self._beside()])

    def explanation(self) -> list[str]:
        """Return what was found and what it is to be read beside, a line each; it decides."""
        return [*self._found(f"{self.decide()}: "), *self._beside()]

    def _found(self, word: str) -> list[str]:
        """Return the figures and what was claimed of them, after a word."""
        difference = self._settled.difference
        left, right = self.left, self.right
        claimed = "as" if self.verdict is Verdict.HOLDS else "where"
        if not isinstance(right, Quantity):
            digits = telling_digits(left.value, right)
            return [
                f"{word}{left.summary(digits)},",
                f"  {claimed} {self.operator} {written(right)} was claimed",
            ]
        bound = right.value * float(self.factor)
        digits = telling_digits(left.value, bound)
        so = "" if self.factor == 1 else f", so {bound:.{digits}g}"
        lines = [f"{word}{left.summary(digits)},"]
        if self.offset:
            offset = written(float(self.offset))
            lines.append(f"  {claimed} {self.operator} {offset} more was claimed")
            lines.append(f"  than {self._times}{right!r},")
        else:
            lines.append(f"  {claimed} {self.operator} {self._times}{right!r} was claimed,")
        lines.append(f"  which is {self._times}{right.summary(digits)}{so}")
        if difference is not None:
            lines.append(f"  difference: {_in_bounds(difference, digits)}")
        return lines

    def _beside(self) -> list[str]:
        """Return the controls, a remedy, a warning and what the verdict is about."""
        if isinstance(self.right, Quantity):
            # In brief: pytest cuts what has more than eight lines.
            brief = (("left", self.left), ("right", self.right))
            said = [(name, side.controls_in_brief()) for name, side in brief]
            lines = [f"{name}: {controls}" for name, controls in said if controls]
        else:
            lines = self.left.controls()
        if self._settled.remedy:
            lines.append(self._settled.remedy)
        if self._settled.read_before:
            lines.append(
                "the figure was read before it was compared: a threshold that followed it is not "
                "covered by the rate of false decisions"
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
    """The claim that a figure lies within a margin of a number: it does if both edges hold."""

    source: str
    """The claim as Python."""
    parts: tuple[Comparison, ...]
    """At least the lower edge, at most the upper; one of them where the other claims nothing."""

    def __bool__(self) -> bool:
        """Return whether both hold; raises `UndecidedError` where one is open and none refuted."""
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
        """Return the explanation of the edge that failed, or of the first; it decides."""
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
    # A head's name or a lower-case article may stand first; only the article changes.
    return phrase[0].upper() + phrase[1:]


MIRRORED: dict[str, Operator] = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}
"""Each operator as it reads from the other side."""
