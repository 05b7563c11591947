"""Heads summed over both halves of the texts, for the built-in explainer: all in one reading.

The explain half is summed over everything that is tried, the measuring half over what was found
there. No figure is kept that no explanation needs, and nothing is put into words here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headtests.atlas.choose import HalfShares, Shares
from headtests.atlas.half_sums import HalfSums
from headtests.claims.definitions import Mass, Question, RowOptions
from headtests.explanations.relation_search import Finding, Tried, findings
from headtests.explanations.signature_sums import SignatureSums
from headtests.explanations.text_halves import Half
from headtests.expressions import Expression, every_row, first
from headtests.expressions.head_names import HeadName
from headtests.measurement.masks import Bools
from headtests.measurement.passes.blocks import Reader
from headtests.measurement.readers.relation_sums import DocumentSums, RelationSums
from headtests.measurement.readers.some_documents import SomeDocuments
from headtests.measurement.relation_plan import (
    MOST_PAIR_RELATIONS,
    RelationPlan,
    relation_plan,
)
from headtests.statistics import QUANTA, DocumentFigures, Eligible
from headtests.statistics.quanta import Float64s, Int64s, quantise


@dataclass(frozen=True, eq=False)
class Found:
    """What the explain half says of a head."""

    findings: list[Finding]
    shares: Mapping[Expression, Shares | None]
    """Its shares on some relations, in the rows that have such keys."""


def read_half(half: Half, heads: Sequence[HeadName], readers: Sequence[Reader]) -> None:
    """Give some heads' rows on the documents of a half, within its limit, to readers.

    Rows come from the spool, or from one pass for all heads together.
    """
    run, documents = half.whole.document_pass, half.within_limit
    if run.overflows(heads, 0, half.extent):
        # Nothing would be kept, so that only these documents are run.
        for _ in run.read_documents(heads, readers, documents):
            pass
    else:
        run.read(heads, [SomeDocuments(readers, documents.tolist())], 0, half.extent)


def find(
    half: Half, heads: Sequence[HeadName], options: RowOptions, shown: Sequence[Expression]
) -> dict[HeadName, Found]:
    """Return what is found of heads on the explain half, and their shares on relations `shown`.

    `shown` are relations of the library.
    """
    population = half.whole.document_pass.population
    tried = Tried.of(population, half.within_limit, options.suppress_first_token)
    groups = [_Explained(group, len(tried.named)) for group in alike(half, heads)]
    readers = [_reader(half, each.heads, tried.relations, options, each.add) for each in groups]
    read_half(half, heads, readers)
    result = {}
    for each in groups:
        shares, of_signatures = HalfShares(each.sums), each.by_signature.averages()
        found = findings(of_signatures, shares.is_distance, tried)
        for place, head in enumerate(each.heads):
            on_shown = {
                relation: shares.of(place, tried.relations.index(relation)) for relation in shown
            }
            result[head] = Found(found[place], on_shown)
    return result


class _Explained:
    """The sums of some heads on the explain half."""

    def __init__(self, heads: Sequence[HeadName], relations: int) -> None:
        self.heads = heads
        self.sums = HalfSums(len(heads), relations)
        self.by_signature = SignatureSums(len(heads), relations)

    def add(self, sums: DocumentSums) -> None:
        """Add a document."""
        self.sums.add(sums, sampled=False)
        self.by_signature.add(sums)


def measure_found(
    half: Half,
    found: Mapping[HeadName, Sequence[Finding]],
    options: RowOptions,
    shown: Sequence[Expression],
    readers: Sequence[Reader] = (),
) -> dict[HeadName, dict[Expression, Shares | None]]:
    """Read the measuring half for what was found, and return the shares on relations `shown`.

    The half then knows the figures of each finding, of what rests, and of what does not. The same
    rows are given to `readers`.
    """
    heads = list(found)
    columns = [
        _MeasuredSums(half, {head: found[head] for head in part}, options, shown)
        for group in alike(half, heads)
        for part in _parts(group, found, shown)
    ]
    read_half(half, heads, [*(each.reader for each in columns), *readers])
    shares: dict[HeadName, dict[Expression, Shares | None]] = {}
    for each in columns:
        each.tell()
        shares |= each.shares()
    return shares


def alike(half: Half, heads: Iterable[HeadName]) -> list[list[HeadName]]:
    """Return heads by layers whose rows may attend to the same keys."""
    groups: dict[int, list[HeadName]] = {}
    for head in heads:
        groups.setdefault(half.whole.document_pass.alike(head.layer), []).append(head)
    return list(groups.values())


def _parts(
    heads: Sequence[HeadName],
    found: Mapping[HeadName, Sequence[Finding]],
    shown: Sequence[Expression],
) -> Iterator[list[HeadName]]:
    """Yield heads, as many together as have few enough relations of query and key for one plan."""
    part: list[HeadName] = []
    together = _of_pairs(shown)
    for head in heads:
        more = _of_pairs(_relations(found[head]))
        if part and len(together | more) > MOST_PAIR_RELATIONS:
            yield part
            part, together = [], _of_pairs(shown)
        part.append(head)
        together |= more
    yield part


def _of_pairs(relations: Iterable[Expression]) -> set[Expression]:
    return {relation for relation in relations if relation.scope != "key"}


def _relations(found: Iterable[Finding]) -> list[Expression]:
    return [each for finding in found for each in (finding.named.relation, *finding.without)]


def _reader(
    half: Half,
    heads: Sequence[HeadName],
    relations: Sequence[Expression],
    options: RowOptions,
    give: Callable[[DocumentSums], object],
) -> RelationSums:
    run = half.whole.document_pass
    return RelationSums(
        heads,
        relations,
        run.population.vocabulary,
        options,
        half.whole.seed,
        give,
        sinks=run.model.facts.sinks,
    )


@dataclass(frozen=True, eq=False)
class _Document:
    """What a document of the measuring half contributes, in quanta; averages over its rows."""

    rows: int
    masses: Int64s
    """Attention on each head's findings, one after another, `[finding]`."""
    resting: Int64s
    """Attention on position 0, `[head]`."""
    others: Int64s
    """Attention on all keys but those of rest, `[head]`."""
    base: "_Base"


@dataclass(frozen=True, eq=False)
class _Base:
    """What uniform attention gives in a document, in quanta; averages over its rows."""

    masses: Int64s
    """On each set of keys, `[set]`."""
    others: int
    """On all keys but position 0."""


class _MeasuredSums:
    """The figures of some heads' findings, from sums over documents of the measuring half."""

    def __init__(
        self,
        half: Half,
        found: Mapping[HeadName, Sequence[Finding]],
        options: RowOptions,
        shown: Sequence[Expression],
    ) -> None:
        self._half = half
        self._found = found
        self._options = options
        self._shown = shown
        self._heads = list(found)
        every = [finding for findings in found.values() for finding in findings]
        self._of_findings = list(dict.fromkeys(_relations(every)))
        self._places = {
            relation: place
            for place, relation in enumerate(dict.fromkeys([*self._of_findings, *shown]))
        }
        # Sets of keys: a relation, without those of earlier findings.
        self._sets = dict.fromkeys((each.named.relation, each.without) for each in every)
        numbers = {each: number for number, each in enumerate(self._sets)}
        self._claims = [
            (place, numbers[finding.named.relation, finding.without])
            for place, findings in enumerate(found.values())
            for finding in findings
        ]
        self._documents: dict[int, _Document] = {}
        self._sums = HalfSums(len(self._heads), len(self._places))
        self.reader = _reader(half, self._heads, list(self._places), options, self._add)

    def _add(self, sums: DocumentSums) -> None:
        self._sums.add(sums, sampled=False)
        plan, scale = sums.plan, 1 / float(sums.plan.rows.sum())
        masses = _quanta(sums.attention @ self._members(plan) * scale)
        places = np.array(self._claims, dtype=np.int64).reshape(-1, 2)
        self._documents[plan.document] = _Document(
            rows=int(plan.rows.sum()),
            masses=masses[places[:, 0], places[:, 1]],
            resting=_quanta(sums.resting * scale),
            others=_quanta(sums.attention.sum(1) * scale),
            base=self._base(plan),
        )

    def _members(self, plan: RelationPlan) -> Float64s:
        """Return which signatures of a document each set of keys has, `[signature, set]`."""
        members = np.zeros((len(plan.signatures), len(self._sets)))
        for number, (relation, without) in enumerate(self._sets):
            inside: Bools = plan.signatures[:, self._places[relation]]
            for other in without:
                inside = inside & ~plan.signatures[:, self._places[other]]
            members[:, number] = inside
        return members

    def _base(self, plan: RelationPlan) -> _Base:
        scale = 1 / float(plan.rows.sum())
        masses = _quanta(plan.uniform @ self._members(plan) * scale)
        return _Base(masses, int(_quanta(np.array(plan.off_rest.sum() * scale))))

    def tell(self) -> None:
        """Have the half know what was summed."""
        read = [each for each in self._half.within_limit.tolist() if each in self._documents]
        documents = [self._documents[each] for each in read]
        if not documents:
            return
        ids = np.array(read, dtype=np.int64)
        masses = np.array([each.masses for each in documents])
        resting = np.array([each.resting for each in documents])
        others = np.array([each.others for each in documents])
        base = np.array([each.base.masses for each in documents])
        off = np.array([each.base.others for each in documents])
        rows = np.array([each.rows for each in documents])

        def know(head: int, on: Expression, mass: Int64s, uniform: Int64s) -> None:
            figures = DocumentFigures(
                ids, mass, None, rows, uniform, None, resting[:, head], np.ones_like(ids)
            )
            self._half.summed[self._question(self._heads[head], on)] = figures

        whole, of_whole = first | ~first, np.full_like(off, QUANTA)
        if self._options.suppress_first_token:
            whole, of_whole = ~first, off
        every = [finding for findings in self._found.values() for finding in findings]
        for head in range(len(self._heads)):
            know(head, first, resting[:, head], QUANTA - off)
            know(head, whole, others[:, head], of_whole)
        for number, (finding, (head, keys)) in enumerate(zip(every, self._claims, strict=True)):
            know(head, finding.relation, masses[:, number], base[:, keys])
        self._tell_uniform(every)

    def _question(self, head: HeadName, on: Expression, of: Expression | None = None) -> Question:
        return Question(head, Mass(on, every_row, of=of), self._options)

    def _tell_uniform(self, found: Sequence[Finding]) -> None:
        """Have the half know what uniform attention gives, on all of its documents."""
        of = ~first if self._options.suppress_first_token else None
        questions = {
            keys: self._question(self._heads[head], finding.relation, of)
            for finding, (head, keys) in zip(found, self._claims, strict=True)
        }
        if all(self._half.knows_uniform(question) for question in questions.values()):
            return
        ids = self._half.with_rows(self._options)
        bases = [self._base_of(document) for document in ids.tolist()]
        masses = np.array([each.masses for each in bases])
        others = np.array([each.others for each in bases])
        population = self._half.whole.document_pass.population
        texts = np.asarray(population.index.texts, dtype=np.int64)[ids]
        for keys, question in questions.items():
            eligible = Eligible(ids, texts, masses[:, keys], None if of is None else others)
            self._half.know_uniform(question, eligible)

    def _base_of(self, document: int) -> _Base:
        if document in self._documents:
            return self._documents[document].base
        run = self._half.whole.document_pass
        plan = relation_plan(
            run.population[document],
            run.allowed(self._heads[0].layer),
            run.population.vocabulary,
            self._of_findings,
            self._options,
        )
        return self._base(plan)

    def shares(self) -> dict[HeadName, dict[Expression, Shares | None]]:
        """Return each head's shares on the relations `shown`."""
        shares = HalfShares(self._sums)
        return {
            head: {relation: shares.of(place, self._places[relation]) for relation in self._shown}
            for place, head in enumerate(self._heads)
        }


def _quanta(values: Float64s) -> Int64s:
    return quantise(np.clip(values, 0.0, 1.0))
