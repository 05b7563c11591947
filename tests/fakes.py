"""Fake evidence: heads whose figures a test gives instead of measuring them.

Each figure is named by the Python that a user writes for it, `"L0H1.mass(ht.previous)"`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from headtests.claims.comparison import Comparison
from headtests.claims.definitions import Lift, Question, RowOptions
from headtests.claims.pairs import (
    Distribution,
    DistributionRequest,
    Pair,
    PairRequest,
    RankedRequest,
    SampledRequest,
)
from headtests.explanations.description import Description
from headtests.expressions import Expression
from headtests.expressions.head_names import HeadName, parse_head
from headtests.prompts.pattern import Pattern
from headtests.sessions.head import Head
from headtests.statistics import DocumentFigures, Eligible, quantise
from headtests.statistics.sketches import Pairs


@dataclass(eq=False)
class FakeEvidence:
    """A model over a population of documents, with the figures that a test gives.

    The figures are those of the whole budget, in the order of the pass.
    """

    given: Mapping[str, DocumentFigures] = field(default_factory=dict)
    """The figures of each statistic, by its Python."""
    on_matched: Mapping[str, DocumentFigures] = field(default_factory=dict)
    """The figures under attention by distance alone; by default, those of `given`."""
    populations: Mapping[str, Eligible] = field(default_factory=dict)
    """The eligible documents; by default, those with figures, each a text of its own."""
    steps: Sequence[int] = ()
    """Documents read after each step; by default, all in one step."""
    alpha: float = 0.001
    beside: Sequence[HeadName] = ()
    """The heads that figures are ranked among."""
    ranked: Sequence[Pair] = ()
    random: Sequence[Pair] = ()
    inside: Mapping[Expression, Callable[[Pair], bool]] = field(default_factory=dict)
    """Which pairs lie in a relation."""
    distributed: Distribution | None = None
    patterns: Mapping[str, Pattern] = field(default_factory=dict)
    description: str = "a model over all 4 documents of a corpus"
    asked: Counter[str] = field(default_factory=Counter)
    """How often each figure was requested."""
    furthest: int = 0
    """The largest step that was requested."""
    figures_read: set[Question] = field(default_factory=set)
    wished: list[Question | tuple[HeadName, PairRequest]] = field(default_factory=list)
    """The requests that were announced."""

    @property
    def budget_description(self) -> str:
        return self.description

    def extents(self, by_text: bool) -> Sequence[int]:
        longest = max((int(one.documents.max(initial=0)) + 1 for one in self._all()), default=1)
        return self.steps or (longest,)

    def _all(self) -> list[DocumentFigures | Eligible]:
        return [*self.given.values(), *self.populations.values()]

    def eligible(self, question: Question) -> Eligible:
        asked = _python(question)
        if asked in self.populations:
            return self.populations[asked]
        given = self.given[asked]
        lift = isinstance(question.statistic, Lift) and question.statistic.over == "uniform"
        return Eligible(given.documents, np.arange(len(given)), given.base_rates if lift else None)

    def figures(self, question: Question, documents: int) -> DocumentFigures:
        self.furthest = max(self.furthest, documents)
        given = self.given[self._asked(_python(question))]
        return given.of_documents(np.arange(documents))

    def matched(self, question: Question, documents: int) -> DocumentFigures:
        given = self.on_matched.get(_python(question), self.given[_python(question)])
        return given.of_documents(np.arange(documents))

    def place_of(self, question: Question, document: int) -> int:
        return document

    def heads_beside(self, question: Question) -> Sequence[HeadName]:
        return self.beside

    def wish(self, wanted: Question | tuple[HeadName, PairRequest]) -> None:
        self.wished.append(wanted)

    def pairs(self, head: HeadName, request: RankedRequest | SampledRequest) -> Pairs:
        given = self.ranked if isinstance(request, RankedRequest) else self.random
        self._asked(f"{head} {request}")
        columns = zip(
            *((pair.document, pair.query, pair.key, pair.multiple) for pair in given), strict=True
        )
        return (
            Pairs.of(*(list(column)[: request.size] for column in columns))
            if given
            else (Pairs.empty())
        )

    def in_context(self, head: HeadName, pairs: Pairs) -> Sequence[Pair]:
        known = {(one.document, one.query, one.key): one for one in (*self.random, *self.ranked)}
        places = (pairs.documents.tolist(), pairs.queries.tolist(), pairs.keys.tolist())
        return [known[place] for place in zip(*places, strict=True)]

    def distribution(self, head: HeadName, request: DistributionRequest) -> Distribution:
        self._asked(f"{head} {request}")
        assert self.distributed is not None
        return self.distributed

    def in_relation(
        self, pairs: Pairs, head: HeadName, relation: Expression, options: RowOptions
    ) -> list[bool]:
        return [self.inside[relation](pair) for pair in self.in_context(head, pairs)]

    def pattern(self, head: HeadName, prompt: str | Sequence[int], options: RowOptions) -> Pattern:
        return self.patterns[self._asked(str(prompt))]

    def describe(
        self,
        head: HeadName,
        options: RowOptions,
        *,
        model: str | None,
        base_url: str | None,
        api_key: str | None,
        documents: int,
    ) -> Description:
        self._asked(f"describe {head} {model} {base_url} {api_key} {documents}")
        return Description(str(head), ())

    def head(self, name: str, observer: Callable[[Comparison], None] | None = None) -> Head:
        """Return a head of this evidence."""
        found = parse_head(name).name
        assert found is not None
        return Head(found, self, RowOptions(suppress_first_token=True), observer)

    def _asked(self, question: str) -> str:
        self.asked[question] += 1
        return question


def _python(question: Question) -> str:
    statistic = question.statistic
    return f"{question.head}.{statistic.kind}({statistic.arguments})"


def figures(
    values: Sequence[float],
    denominators: Sequence[float] | None = None,
    *,
    documents: Sequence[int] | None = None,
    rows: Sequence[int] | None = None,
    base_rates: Sequence[float] | None = None,
    base_denominators: Sequence[float] | None = None,
    resting: Sequence[float] | None = None,
) -> DocumentFigures:
    """Return figures of documents: by default ten rows, base rate 0.1 and resting mass 0.2 each.

    The documents are in the order of the pass, which is that of their ids.
    """
    count = len(values)

    def given(column: Sequence[float] | None, default: float) -> Sequence[float]:
        return [default] * count if column is None else column

    return DocumentFigures(
        documents=np.array(range(count) if documents is None else documents, dtype=np.int64),
        numerators=quantise(values),
        denominators=None if denominators is None else quantise(denominators),
        rows=np.array(given(rows, 10), dtype=np.int64),
        base_rates=quantise(given(base_rates, 0.1)),
        base_denominators=None if base_denominators is None else quantise(base_denominators),
        resting=quantise(given(resting, 0.2)),
        sizes=np.ones(count, dtype=np.int64),
    )


def pair(
    token: str = " a", multiple: float = 2.0, document: int = 0, query: int = 3, key: int = 1
) -> Pair:
    """Return a pair of a document of four tokens."""
    return Pair(
        token=token,
        multiple=multiple,
        document=document,
        text=f"text {document}",
        query=query,
        key=key,
        tokens=("<bos>", token, " b", " c"),
        attendable=(0, 1, 2, 3),
        pattern=(0.0, multiple / 4, 0.0, 0.0),
    )
