"""Statistics of a head, as immutable descriptions.

A statistic here is a question, not an answer: it holds relations and numbers, prints as the
Python that makes it, has an English phrase, and knows which thresholds are possible. Some are about
the keys in a relation (`RelationStatistic`), some about whole rows (`RowStatistic`). Measuring is
`headtests.measurement`; deciding a claim is `headtests.claims.verdicts`.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal, get_args

from headtests.claims.numbers import decimal, require_in_range, require_multiple
from headtests.errors import ClaimError
from headtests.expressions import Expression, require_relation, require_row_condition
from headtests.expressions.head_names import HeadName
from headtests.wording import written

Control = Literal["uniform", "distance"]
Weights = Literal["attention", "value"]


@dataclass(frozen=True, slots=True)
class RowOptions:
    """Which rows and keys count, for every statistic of one head."""

    suppress_first_token: bool
    """Whether key 0 is excluded from multiples and from every relation except `ht.first`."""
    min_query: int = 1
    """The first query position that is a row."""


class _Figure(ABC):
    """What is known of a kind of statistic, whatever rows and keys it is about."""

    __slots__ = ()

    kind: ClassVar[str]
    """The name of the method of `Head` that makes it."""
    unit: ClassVar[str] = ""
    """The unit printed after a value."""
    largest: ClassVar[float] = 1.0
    """The largest value that is possible."""

    @property
    def needs_values(self) -> bool:
        """Whether it depends on the value vectors, beside the attention."""
        return False

    @abstractmethod
    def english(self, head: str) -> str:
        """Return the figure as a noun phrase about a head."""

    def require_possible(self, threshold: float) -> None:
        """Raise `ClaimError` for a threshold outside the statistic's range."""
        require_in_range(self.kind, threshold, self.largest)


@dataclass(frozen=True, slots=True)
class RelationStatistic(_Figure):
    """A figure about the keys in a relation, to which each document contributes equally."""

    on: Expression
    """The relation that selects keys."""
    when: Expression | None
    """The condition that selects rows; None for all rows."""

    def __post_init__(self) -> None:
        require_relation(self.on, "on")
        _require_when(self.when)

    @property
    def arguments(self) -> str:
        """The arguments as Python."""
        return self._with_when(repr(self.on))

    def _with_when(self, arguments: str) -> str:
        return arguments if self.when is None else f"{arguments}, when={self.when!r}"

    def _with_rows(self, phrase: str) -> str:
        return _in_rows(phrase, self.when)


@dataclass(frozen=True, slots=True)
class RowStatistic(_Figure):
    """A figure about whole rows, to which each document contributes equally."""

    when: Expression | None
    """The condition that selects rows; None for all rows."""

    least_keys: ClassVar[int] = 1
    """The fewest keys of a row that has such a figure; other rows are left out."""
    phrase: ClassVar[str]
    """The figure as a noun phrase about the head `{head}`."""

    def __post_init__(self) -> None:
        _require_when(self.when)

    @property
    def arguments(self) -> str:
        """The arguments as Python."""
        return "" if self.when is None else f"when={self.when!r}"

    def english(self, head: str) -> str:
        """Return the figure as a noun phrase about a head."""
        return _in_rows(self.phrase.format(head=head), self.when)


Statistic = RelationStatistic | RowStatistic
"""A figure to which each document contributes equally, however many rows it has."""


def _require_when(when: Expression | None) -> None:
    if when is not None:
        require_row_condition(when)


def _in_rows(phrase: str, when: Expression | None) -> str:
    return phrase if when is None else f"{phrase}, in rows {when.english}"


@dataclass(frozen=True, slots=True)
class Mass(RelationStatistic):
    """The share of a row's attention on keys in a relation, averaged over a document's rows."""

    of: Expression | None = None
    """The relation whose attention divides; None for all attention."""
    weights: Weights = "attention"
    """What is shared out: the row's attention, or each key's attention times the norm of its value
    vector, as a share of the row's sum of these."""

    kind: ClassVar[str] = "mass"

    def __post_init__(self) -> None:
        # super() without arguments fails here: a slotted dataclass replaces its class.
        RelationStatistic.__post_init__(self)
        if self.of is not None:
            require_relation(self.of, "of")
        if self.weights not in get_args(Weights):
            raise ClaimError(
                f'expected weights="attention" or weights="value" in mass but found '
                f"{self.weights!r}."
            )

    @property
    def needs_values(self) -> bool:
        """Whether it depends on the value vectors, beside the attention."""
        return self.weights == "value"

    @property
    def shared_out(self) -> str:
        """What it is a share of, as a noun."""
        return "value-weighted attention" if self.needs_values else "attention"

    @property
    def arguments(self) -> str:
        """The arguments as Python."""
        of = "" if self.of is None else f", of={self.of!r}"
        weights = f', weights="{self.weights}"' if self.needs_values else ""
        return self._with_when(repr(self.on)) + of + weights

    def english(self, head: str) -> str:
        """Return the figure as a noun phrase about a head."""
        if self.of is None:
            return self._with_rows(
                f"the share of {head}'s {self.shared_out} that goes to keys {self.on.english}"
            )
        return self._with_rows(
            f"of {head}'s {self.shared_out} on keys {self.of.english}, the share that goes to keys "
            f"{self.on.english}"
        )


@dataclass(frozen=True, slots=True)
class Top1Rate(RelationStatistic):
    """The share of rows whose most attended key lies in a relation; ties go to the lower key."""

    kind: ClassVar[str] = "top1_rate"

    def english(self, head: str) -> str:
        """Return the figure as a noun phrase about a head."""
        which = f"in which {head}'s most attended key is among the keys {self.on.english}"
        if self.when is None:
            return f"the share of rows {which}"
        return f"of the rows {self.when.english}, the share {which}"


@dataclass(frozen=True, slots=True)
class ExceedRate(RelationStatistic):
    """Of the pairs in a relation, the share whose multiple is at least a number."""

    multiple: float = 1.0
    """The least multiple that counts, over 0; rows with too few keys to reach it are left out."""

    kind: ClassVar[str] = "exceed_rate"

    def __post_init__(self) -> None:
        RelationStatistic.__post_init__(self)
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
class Precision(RelationStatistic):
    """Of the pairs whose multiple is at least a number, the share in a relation."""

    above: float = 1.0
    """The least multiple that counts, over 0; rows with too few keys to reach it are left out."""

    kind: ClassVar[str] = "precision"

    def __post_init__(self) -> None:
        RelationStatistic.__post_init__(self)
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
class Lift(RelationStatistic):
    """The mass on a relation over the mass that a control would put there."""

    over: Control = "uniform"
    """Uniform attention, or the head's own average attention at the same distances."""

    kind: ClassVar[str] = "lift"
    unit: ClassVar[str] = "x"
    largest: ClassVar[float] = math.inf

    def __post_init__(self) -> None:
        RelationStatistic.__post_init__(self)
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
class Entropy(RowStatistic):
    """The entropy of a row over that of even attention, averaged over a document's rows.

    A row of one key has none.
    """

    kind: ClassVar[str] = "entropy"
    least_keys: ClassVar[int] = 2
    phrase: ClassVar[str] = (
        "the entropy of {head}'s attention, as a share of that of even attention"
    )


@dataclass(frozen=True, slots=True)
class Peak(RowStatistic):
    """The largest attention of a row, averaged over a document's rows."""

    kind: ClassVar[str] = "peak"
    phrase: ClassVar[str] = "{head}'s attention on the most attended key of a row"


@dataclass(frozen=True, slots=True)
class Question:
    """A request for one statistic of one head, over documents or over texts."""

    head: HeadName
    statistic: Statistic
    options: RowOptions
    beyond_corpus: bool = False
    """Whether the unit is the text, as an independent draw from a larger source."""
