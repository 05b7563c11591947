"""What estimates ask for: the interface between claims and whatever measured them.

A protocol, so that claims know neither torch nor pytest. `headtests.sessions` fulfils it; tests
fulfil it with given figures.
"""

from collections.abc import Sequence
from typing import Protocol

from headtests.claims import RowOptions, Statistic
from headtests.expressions import Expression
from headtests.head_names import HeadName
from headtests.multiples import Distribution, Pair
from headtests.patterns import Pattern
from headtests.statistics import DocumentFigures


class Evidence(Protocol):
    """A model over a population of documents."""

    @property
    def description(self) -> str:
        """The model and the documents, as in "demo over all 253 documents of demo"."""

    def figures(self, head: HeadName, statistic: Statistic, options: RowOptions) -> DocumentFigures:
        """Return what each eligible document of the budget contributes to a statistic."""

    def ranked_pairs(
        self, head: HeadName, size: int, reverse: bool, on: Expression | None, options: RowOptions
    ) -> Sequence[Pair]:
        """Return the above-average pairs of highest or lowest multiple, best first."""

    def random_pairs(
        self,
        head: HeadName,
        size: int,
        above_average: bool,
        on: Expression | None,
        options: RowOptions,
    ) -> Sequence[Pair]:
        """Return a seeded uniform sample of the pairs."""

    def distribution(
        self, head: HeadName, on: Expression | None, options: RowOptions
    ) -> Distribution:
        """Return how the multiples of the pairs are distributed."""

    def in_relation(
        self, pairs: Sequence[Pair], head: HeadName, relation: Expression, options: RowOptions
    ) -> list[bool]:
        """Return of each pair whether it lies in a relation."""

    def pattern(self, head: HeadName, prompt: str | Sequence[int], options: RowOptions) -> Pattern:
        """Return the head's attention on one prompt."""
