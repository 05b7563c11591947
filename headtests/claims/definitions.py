"""Statistics of a head, as immutable descriptions.

A statistic here is a question, not an answer: it holds relations and numbers, prints as the
Python that makes it, has an English phrase, and knows which thresholds are possible. Measuring is
`headtests.measurement`; deciding a claim is `headtests.claims.verdicts`.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal, get_args

from headtests.claims.numbers import decimal, require_in_range, require_multiple
from headtests.errors import ClaimError
from headtests.expressions import Expression, require_relation, require_row_condition
from headtests.expressions.head_names import HeadName
from headtests.wording import written

Control = Literal["uniform", "distance"]


@dataclass(frozen=True, slots=True)
class RowOptions:
    """Which rows and keys count, for every statistic of one head."""

    suppress_first_token: bool
    """Whether key 0 is excluded from multiples and from every relation except `ht.first`."""
    min_query: int = 1
    """The first query position that is a row."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """A figure to which each document contributes equally, however many rows it has."""

    on: Expression
    """The relation that selects keys."""
    when: Expression | None
    """The condition that selects rows; None for all rows."""

    kind: ClassVar[str]
    """The name of the method of `Head` that makes it."""
    unit: ClassVar[str] = ""
    """The unit printed after a value."""
    largest: ClassVar[float] = 1.0
    """The largest value that is possible."""

    def __post_init__(self) -> None:
        require_relation(self.on, "on")
        if self.when is not None:
            require_row_condition(self.when)

    @property
    def arguments(self) -> str:
        """The arguments as Python."""
        return self._with_when(repr(self.on))

    def english(self, head: str) -> str:
        """Return the figure as a noun phrase about a head."""
        return self._with_rows(
            f"the share of {head}'s attention that goes to keys {self.on.english}"
        )

    def _with_when(self, arguments: str) -> str:
        return arguments if self.when is None else f"{arguments}, when={self.when!r}"

    def _with_rows(self, phrase: str) -> str:
        return phrase if self.when is None else f"{phrase}, in rows {self.when.english}"

    def require_possible(self, threshold: float) -> None:
        """Raise `ClaimError` for a threshold outside the statistic's range."""
        require_in_range(self.kind, threshold, self.largest)


@dataclass(frozen=True, slots=True)
class Mass(Statistic):
    """The share of a row's attention on keys in a relation, averaged over a document's rows."""

    of: Expression | None = None
    """The relation whose attention divides; None for all attention."""

    kind: ClassVar[str] = "mass"

    def __post_init__(self) -> None:
        # super() without arguments fails here: a slotted dataclass replaces its class.
        Statistic.__post_init__(self)
        if self.of is not None:
            require_relation(self.of, "of")

    @property
    def arguments(self) -> str:
        """The arguments as Python."""
        of = "" if self.of is None else f", of={self.of!r}"
        return self._with_when(repr(self.on)) + of

    def english(self, head: str) -> str:
        """Return the figure as a noun phrase about a head."""
        if self.of is None:
            return Statistic.english(self, head)
        return self._with_rows(
            f"of {head}'s attention on keys {self.of.english}, the share that goes to keys "
            f"{self.on.english}"
        )


@dataclass(frozen=True, slots=True)
class Top1Rate(Statistic):
    """The share of rows whose most attended key lies in a relation; ties go to the lower key."""

    kind: ClassVar[str] = "top1_rate"

    def english(self, head: str) -> str:
        """Return the figure as a noun phrase about a head."""
        which = f"in which {head}'s most attended key is among the keys {self.on.english}"
        if self.when is None:
            return f"the share of rows {which}"
        return f"of the rows {self.when.english}, the share {which}"


@dataclass(frozen=True, slots=True)
class ExceedRate(Statistic):
    """Of the pairs in a relation, the share whose multiple is at least a number."""

    multiple: float = 1.0
    """The least multiple that counts, over 0; rows with too few keys to reach it are left out."""

    kind: ClassVar[str] = "exceed_rate"

    def __post_init__(self) -> None:
        Statistic.__post_init__(self)
        require_multiple(self.multiple, "exceed_rate(multiple)")

    @property
    def arguments(self) -> str:
        """The arguments as Python."""
        return self._with_when(f"{written(self.multiple)}, {self.on!r}")

    def english(self, head: str) -> str:
        """Return the figure as a noun phrase about a head."""
        return self._with_rows(
            f"of {head}'s pairs with keys {self.on.english}, the share whose multiple is at least "
            f"{written(self.multiple)}"
        )


@dataclass(frozen=True, slots=True)
class Precision(Statistic):
    """Of the pairs whose multiple is at least a number, the share in a relation."""

    above: float = 1.0
    """The least multiple that counts, over 0; rows with too few keys to reach it are left out."""

    kind: ClassVar[str] = "precision"

    def __post_init__(self) -> None:
        Statistic.__post_init__(self)
        require_multiple(self.above, "precision(above=)")

    @property
    def arguments(self) -> str:
        """The arguments as Python."""
        return self._with_when(f"{self.on!r}, above={written(self.above)}")

    def largest_share(self, suppress_first_token: bool) -> Fraction:
        """Return an upper bound on the share of pairs with a multiple of `above`, in (0, 1].

        The multiples of a row of n keys sum to n, so at most n / above of them reach `above`. The
        row with the fewest keys gives the largest share. Known without a model.
        """
        above = decimal(self.above)
        keys = max(math.ceil(above), 1)
        pairs = keys - suppress_first_token
        # Rows of a low-precision model may sum to slightly more than 1.
        return min(Fraction(1), Fraction(17, 16) * keys / (above * pairs) if pairs else Fraction(1))

    def english(self, head: str) -> str:
        """Return the figure as a noun phrase about a head."""
        return self._with_rows(
            f"of {head}'s pairs with a multiple of at least {written(self.above)}, the share with "
            f"keys {self.on.english}"
        )


@dataclass(frozen=True, slots=True)
class Lift(Statistic):
    """The mass on a relation over the mass that a control would put there."""

    over: Control = "uniform"
    """Uniform attention, or the head's own average attention at the same distances."""

    kind: ClassVar[str] = "lift"
    unit: ClassVar[str] = "x"
    largest: ClassVar[float] = math.inf

    def __post_init__(self) -> None:
        Statistic.__post_init__(self)
        if self.over not in get_args(Control):
            raise ClaimError(
                f'expected over="uniform" or over="distance" in lift but found {self.over!r}.'
            )

    @property
    def arguments(self) -> str:
        """The arguments as Python."""
        over = "" if self.over == "uniform" else f", over={self.over!r}"
        return self._with_when(repr(self.on)) + over.replace("'", '"')

    def english(self, head: str) -> str:
        """Return the figure as a noun phrase about a head."""
        control = (
            "uniform attention would give"
            if self.over == "uniform"
            else f"{head}'s average attention at the same distances would give"
        )
        return self._with_rows(
            f"{head}'s attention on keys {self.on.english}, as a multiple of what {control}"
        )


@dataclass(frozen=True, slots=True)
class Question:
    """A request for one statistic of one head, over documents or over texts."""

    head: HeadName
    statistic: Statistic
    options: RowOptions
    beyond_corpus: bool = False
    """Whether the unit is the text, as an independent draw from a larger source."""
