"""The two halves of the texts: explanations are made from one and measured on the other.

The split is by text, since the documents of one text resemble each other. A half is evidence like
any other, so that claims can be decided on it. Nothing is explained here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from headtests.cache import Store
from headtests.claims.definitions import Mass, Question, RowOptions
from headtests.claims.evidence import Evidence
from headtests.claims.pairs import (
    Distribution,
    DistributionRequest,
    Pair,
    PairRequest,
    RankedRequest,
    SampledRequest,
)
from headtests.errors import ClaimError
from headtests.expressions import Expression, every_row, first
from headtests.expressions.head_names import HeadName
from headtests.measurement.eligibility import eligible
from headtests.measurement.halves import measuring_texts
from headtests.measurement.passes.runner import DocumentPass
from headtests.measurement.readers.pair_requests import OverviewReader
from headtests.records import HalfRecord
from headtests.statistics import DocumentFigures, Eligible
from headtests.statistics.quanta import Int64s
from headtests.statistics.sketches import Pairs

DOCUMENTS = 200
"""Documents of the pass, of both halves together, that the built-in explainer reads."""


class Explainable(Evidence, Protocol):
    """Evidence that gives access to single rows, which explanations are made from."""

    @property
    def document_pass(self) -> DocumentPass:
        """The pass over the documents."""

    @property
    def seed(self) -> int:
        """The seed of the split of the texts and of every sample of pairs."""

    @property
    def store(self) -> Store | None:
        """The cache of explanations; None without one."""

    @property
    def context_key(self) -> str:
        """A hash of the model, the documents and the seed; empty if nothing is cached."""


@dataclass(frozen=True, eq=False)
class Half:
    """The documents of one half of the texts, as evidence for claims about them.

    Figures come from the pass over all documents, so that nothing runs twice.
    """

    whole: Explainable
    is_measuring: bool
    """Whether explanations are measured on it, rather than made from it."""
    limit: int | None = None
    """How many documents of the pass, of both halves together, may be read; None for the budget.

    Rounded down to whole steps of the pass (64, 128, 256 and so on), except for the first step.
    """
    figures_read: set[Question] = field(default_factory=set)
    summed: dict[Question, DocumentFigures] = field(default_factory=dict, repr=False)
    """Figures of its documents within the limit that are known beforehand."""
    _uniform: dict[tuple[int, Question], Eligible] = field(default_factory=dict, repr=False)

    @cached_property
    def documents(self) -> Int64s:
        """The ids of all its documents, in the order of the pass."""
        population = self.whole.document_pass.population
        texts = np.asarray(population.index.texts, dtype=np.int64)
        measuring = measuring_texts(population.contents, self.whole.seed)
        order = self.whole.document_pass.order()
        chosen: Int64s = order[measuring[texts[order]] == self.is_measuring]
        return chosen

    @cached_property
    def within_limit(self) -> Int64s:
        """The ids of its documents that may be read, in the order of the pass."""
        read = self.whole.document_pass.order()[: self._most]
        return self.documents[np.isin(self.documents, read, assume_unique=True)]

    @property
    def _most(self) -> int:
        return self.extent if self.limit is None else min(self.extent, self.limit)

    @property
    def extent(self) -> int:
        """How many documents of the pass, of both halves together, are read at most."""
        return self.extents(False)[-1]

    def with_rows(self, options: RowOptions) -> Int64s:
        """Return the ids of all its documents that have a row, in the order of the pass."""
        lengths = self.whole.document_pass.population.lengths
        return self.documents[lengths[self.documents] > options.min_query]

    @property
    def record(self) -> HalfRecord:
        """The number of its documents and texts that may be read."""
        texts = np.asarray(self.whole.document_pass.population.index.texts, dtype=np.int64)
        read = self.within_limit
        return HalfRecord(documents=len(read), texts=len(np.unique(texts[read])))

    @property
    def description(self) -> str:
        """The half in words."""
        which = "measuring" if self.is_measuring else "explaining"
        return f"the {which} half of the texts of {self.whole.description}"

    @property
    def budget_description(self) -> str:
        """The half in words."""
        return self.description

    @property
    def alpha(self) -> float:
        """The rate of false decisions of a claim."""
        return self.whole.alpha

    def extents(self, by_text: bool) -> Sequence[int]:
        """Return how many documents of the pass have been read after each step."""
        extents = self.whole.extents(by_text)
        if self.limit is None:
            return extents
        return [extent for extent in extents if extent <= self.limit] or extents[:1]

    def eligible(self, question: Question) -> Eligible:
        """Return the half's documents with an eligible row, in the order of the pass."""
        _refuse_beyond(question)
        statistic = question.statistic
        population = self.whole.document_pass.population
        if isinstance(statistic, Mass) and statistic.when == every_row:
            # Lengths tell which documents have a row: relations need not be evaluated on the
            # whole population.
            kept = self.with_rows(question.options)
            return Eligible(kept, np.asarray(population.index.texts, dtype=np.int64)[kept])
        found = self.whole.eligible(question)
        inside = np.isin(found.documents, self.documents, assume_unique=True)
        base = None if found.base_rates is None else found.base_rates[inside]
        return Eligible(found.documents[inside], found.texts[inside], base)

    def uniform(self, question: Question) -> Eligible:
        """Return all its eligible documents with their figures under uniform attention.

        Known from tokens, so that nothing runs, and cached. For a mass.
        """
        run, layer = self.whole.document_pass, question.head.layer
        key = self._alike(question)
        if key not in self._uniform:
            self._uniform[key] = eligible(
                run.model,
                run.population,
                self.documents,
                layer,
                question.statistic,
                question.options,
                with_base=True,
            )
        return self._uniform[key]

    def know_uniform(self, question: Question, figures: Eligible) -> None:
        """Take what `uniform` returns for a question, so that it is not read from tokens again."""
        self._uniform[self._alike(question)] = figures

    def knows_uniform(self, question: Question) -> bool:
        """Return whether `uniform` need not read tokens."""
        return self._alike(question) in self._uniform

    def _alike(self, question: Question) -> tuple[int, Question]:
        """Return what figures under uniform attention depend on."""
        alike = self.whole.document_pass.alike(question.head.layer)
        return alike, replace(question, head=HeadName(0, 0))

    def figures(self, question: Question, documents: int) -> DocumentFigures:
        """Return the figures of its eligible documents among the first `documents`."""
        _refuse_beyond(question)
        if question in self.summed and documents <= self.extent:
            order = self.whole.document_pass.order()
            return self.summed[question].of_documents(order[:documents])
        return self.whole.figures(question, documents).of_documents(self._readable)

    def resting(self, head: HeadName, options: RowOptions) -> float:
        """Return the attention on position 0 over every row within the limit; 0 without a row."""
        figures = self.figures(Question(head, Mass(first, every_row), options), self.extent)
        return float(figures.resting_mass or 0)

    def overview(self, head: HeadName, options: RowOptions, size: int) -> tuple[Pairs, Pairs]:
        """Return the head's above-average pairs of highest multiple, and random ones."""
        run = self.whole.document_pass
        vocabulary, documents = run.population.vocabulary, self.within_limit
        reader = OverviewReader(vocabulary, head, options, documents, size, self.whole.seed)
        run.read((head,), [reader], 0, self.extent)
        return reader.overview.ranked, reader.overview.random

    def matched(self, question: Question, documents: int) -> DocumentFigures:
        """Return the same figures for attention that follows the head's average by distance."""
        _refuse_beyond(question)
        return self.whole.matched(question, documents).of_documents(self._readable)

    @property
    def _readable(self) -> Int64s:
        # A whole step may contain documents beyond the limit.
        return self.documents if self.limit is None else self.within_limit

    def place_of(self, question: Question, document: int) -> int:
        """Return the place of a document in the order of the pass, from 0."""
        return self.whole.place_of(question, document)

    def heads_beside(self, question: Question) -> Sequence[HeadName]:
        """Return no heads: heads are not ranked on a half."""
        return ()

    def wish(self, wanted: Question | tuple[HeadName, PairRequest]) -> None:
        """Do nothing: a half reads everything at once."""

    def pairs(self, head: HeadName, request: RankedRequest | SampledRequest) -> Pairs:
        """Raise `ClaimError`: pairs are drawn from the whole budget."""
        raise _no_pairs()

    def in_context(self, head: HeadName, pairs: Pairs) -> Sequence[Pair]:
        """Return pairs with their tokens and their rows."""
        return self.whole.in_context(head, pairs)

    def distribution(self, head: HeadName, request: DistributionRequest) -> Distribution:
        """Raise `ClaimError`: distributions are over the whole budget."""
        raise _no_pairs()

    def in_relation(
        self, pairs: Pairs, head: HeadName, relation: Expression, options: RowOptions
    ) -> list[bool]:
        """Return for each pair whether it lies in a relation."""
        return self.whole.in_relation(pairs, head, relation, options)


def _refuse_beyond(question: Question) -> None:
    if question.beyond_corpus:
        raise ClaimError(
            "found beyond_corpus=True in a claim about half of the texts, which is about its "
            "documents alone. Leave it out."
        )


def _no_pairs() -> ClaimError:
    return ClaimError(
        "ranked and random multiples are drawn from the whole budget, not from half of the texts. "
        "Ask the head itself."
    )
