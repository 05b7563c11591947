"""What figures are measured on: the interface between claims and whatever measured them.

A protocol, so that claims know neither torch nor pytest. `headtests.sessions.session` and the
halves of texts that explanations use implement it; tests implement it with given figures. What
claims about prompts need is `headtests.prompts.evidence`.
"""

from collections.abc import Sequence
from typing import Protocol

from headtests.claims.definitions import Question, RowOptions
from headtests.claims.pairs import Distributed, Distribution, Pair, PairRequest, Ranked, Sampled
from headtests.expressions import Expression
from headtests.expressions.head_names import HeadName
from headtests.statistics import DocumentFigures, Eligible
from headtests.statistics.sketches import Pairs


class Evidence(Protocol):
    """A model over a population of documents, read step by step in hash order."""

    @property
    def description(self) -> str:
        """The model and the population, as in "demo over all 253 documents of demo"."""

    @property
    def budget_description(self) -> str:
        """The model and the documents that a whole pass reads, where the budget cuts it short."""

    @property
    def was_read(self) -> set[Question]:
        """The figures that somebody has read, so that thresholds could follow them."""

    @property
    def alpha(self) -> float:
        """How often a claim may be decided falsely, at most."""

    def extents(self, by_text: bool) -> Sequence[int]:
        """Return how many documents have been read after each step; the last is the budget.

        `by_text`: in the order that keeps the documents of a text together.
        """

    def eligible(self, question: Question) -> Eligible:
        """Return the population's documents with an eligible row, from tokens alone.

        In the order of the pass: of documents, or of texts where the question is about these.
        """

    def figures(self, question: Question, documents: int) -> DocumentFigures:
        """Return what the eligible ones of the first so many documents contribute.

        `documents` is one of the extents. They stand in the order of `eligible`, one a document.
        """

    def matched(self, question: Question, documents: int) -> DocumentFigures:
        """Return the same of attention that follows the head's average at each distance."""

    def place_of(self, question: Question, document: int) -> int:
        """Return the place of a document in the order of the question's pass, from 0."""

    def heads_beside(self, question: Question) -> Sequence[HeadName]:
        """Return the heads that a head's figure is to be ranked among; none unless asked for."""

    def wish(self, wanted: Question | tuple[HeadName, PairRequest]) -> None:
        """Have the next documents that are read serve this, too, when it is asked for."""

    def pairs(self, head: HeadName, request: Ranked | Sampled) -> Pairs:
        """Return a head's ranked or random pairs, over the whole budget."""

    def in_context(self, head: HeadName, pairs: Pairs) -> Sequence[Pair]:
        """Return pairs with their tokens and the rows that they stand in."""

    def distribution(self, head: HeadName, request: Distributed) -> Distribution:
        """Return how the multiples of the pairs are distributed.

        Raises `NoEligibleRowError` where there are none.
        """

    def in_relation(
        self, pairs: Pairs, head: HeadName, relation: Expression, options: RowOptions
    ) -> list[bool]:
        """Return of each pair whether it lies in a relation."""
