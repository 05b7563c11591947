"""The interface through which claims read measured figures.

A protocol, so that claims need neither torch nor pytest. `headtests.sessions.session` and
`headtests.explanations` implement it; tests implement it with fixed figures. Claims about prompts
use `headtests.prompts.evidence`.
"""

from collections.abc import Sequence
from typing import Protocol

from headtests.claims.definitions import Question, RowOptions
from headtests.claims.pairs import (
    Distribution,
    DistributionRequest,
    Pair,
    PairRequest,
    RankedRequest,
    SampledRequest,
)
from headtests.expressions import Expression
from headtests.expressions.head_names import HeadName
from headtests.statistics import DocumentFigures, Eligible
from headtests.statistics.sketches import Pairs


class Evidence(Protocol):
    """A model over a population of documents, read step by step in hash order."""

    @property
    def description(self) -> str:
        """The model and the population, such as "demo over all 217 documents of demo"."""

    @property
    def budget_description(self) -> str:
        """The model and the documents that a whole pass reads, which the budget may limit."""

    @property
    def figures_read(self) -> set[Question]:
        """The figures whose values the user has read, so that a threshold could depend on them."""

    @property
    def alpha(self) -> float:
        """Maximum rate of false decisions per claim."""

    def extents(self, by_text: bool) -> Sequence[int]:
        """Return the number of documents read after each step; the last is the budget.

        `by_text` selects the order that keeps the documents of a text together.
        """

    def eligible(self, question: Question) -> Eligible:
        """Return the population's documents with an eligible row, from tokens alone.

        They are in the order of the pass over documents, or over texts if the question goes
        beyond the corpus.
        """

    def figures(self, question: Question, documents: int) -> DocumentFigures:
        """Return the figures of the eligible documents among the first `documents` of the pass.

        `documents` is one of the extents. One figure per document, in the order of `eligible`.
        """

    def matched(self, question: Question, documents: int) -> DocumentFigures:
        """Return `figures` for attention that equals the head's average at each distance."""

    def place_of(self, question: Question, document: int) -> int:
        """Return the index of a document in the order of the question's pass."""

    def heads_beside(self, question: Question) -> Sequence[HeadName]:
        """Return the heads to rank a head's figure among; empty unless ranking is on."""

    def wish(self, wanted: Question | tuple[HeadName, PairRequest]) -> None:
        """Announce a request, so that the next pass over the documents also measures it."""

    def pairs(self, head: HeadName, request: RankedRequest | SampledRequest) -> Pairs:
        """Return a head's ranked or random pairs over the whole budget."""

    def in_context(self, head: HeadName, pairs: Pairs) -> Sequence[Pair]:
        """Return pairs with their tokens and rows."""

    def distribution(self, head: HeadName, request: DistributionRequest) -> Distribution:
        """Return the distribution of the pairs' multiples.

        Raises `NoEligibleRowError` if there are no pairs.
        """

    def in_relation(
        self, pairs: Pairs, head: HeadName, relation: Expression, options: RowOptions
    ) -> list[bool]:
        """Return for each pair whether it lies in a relation."""
