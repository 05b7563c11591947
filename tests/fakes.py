"""Evidence that was given and not measured: heads whose every figure a test writes down.

What was measured is named as the user would ask for it, `"L0H1.mass(ht.previous)"`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from headtests.claims import RowOptions, Statistic
from headtests.expressions import Expression
from headtests.head_names import HeadName, parse_head
from headtests.heads import Head
from headtests.multiples import Distribution, Pair
from headtests.patterns import Pattern
from headtests.quantities import Comparison
from headtests.statistics import DocumentFigures, quantise


@dataclass(eq=False)
class FakeEvidence:
    """A model over a population of documents, as far as a test gives it."""

    given: Mapping[str, DocumentFigures] = field(default_factory=dict)
    """What each statistic measured, by the Python that asks for it."""
    ranked: Sequence[Pair] = ()
    random: Sequence[Pair] = ()
    inside: Mapping[Expression, Callable[[Pair], bool]] = field(default_factory=dict)
    """Which pairs lie in a relation."""
    distributed: Distribution | None = None
    patterns: Mapping[str, Pattern] = field(default_factory=dict)
    description: str = "a model over all 4 documents of a corpus"
    asked: Counter[str] = field(default_factory=Counter)
    """How often each thing was asked for."""

    def figures(self, head: HeadName, statistic: Statistic, options: RowOptions) -> DocumentFigures:
        return self.given[self._asked(f"{head}.{statistic.kind}({statistic.arguments})")]

    def ranked_pairs(
        self, head: HeadName, size: int, reverse: bool, on: Expression | None, options: RowOptions
    ) -> Sequence[Pair]:
        self._asked(f"{head} ranked {size} {reverse} {on}")
        return self.ranked[:size]

    def random_pairs(
        self,
        head: HeadName,
        size: int,
        above_average: bool,
        on: Expression | None,
        options: RowOptions,
    ) -> Sequence[Pair]:
        self._asked(f"{head} random {size} {above_average} {on}")
        return self.random[:size]

    def distribution(
        self, head: HeadName, on: Expression | None, options: RowOptions
    ) -> Distribution:
        self._asked(f"{head} distribution {on}")
        assert self.distributed is not None
        return self.distributed

    def in_relation(
        self, pairs: Sequence[Pair], head: HeadName, relation: Expression, options: RowOptions
    ) -> list[bool]:
        return [self.inside[relation](pair) for pair in pairs]

    def pattern(self, head: HeadName, prompt: str | Sequence[int], options: RowOptions) -> Pattern:
        return self.patterns[self._asked(str(prompt))]

    def head(self, name: str, observer: Callable[[Comparison], None] | None = None) -> Head:
        """Return a head of this evidence."""
        found = parse_head(name).name
        assert found is not None
        return Head(found, self, RowOptions(suppress_first_token=True), observer)

    def _asked(self, question: str) -> str:
        self.asked[question] += 1
        return question


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
    """Return what documents contribute: of each ten rows, a base rate of 0.1, 0.2 at rest."""
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
