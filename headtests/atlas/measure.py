"""One corpus: both halves of its texts through the model, each document once.

The first half is summed and chosen from; then the second half is summed, and every proposal decided
on it. An interrupt keeps what was read.
"""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import FrameType

import numpy as np

from headtests.atlas.choose import ROLES, Choice, HalfShares, Shares, choose
from headtests.atlas.decide import Decided, decide
from headtests.atlas.examples import ExampleRows
from headtests.atlas.half_sums import DocumentShares, HalfSums
from headtests.claims.definitions import RowOptions
from headtests.corpora import Population
from headtests.errors import ClaimError
from headtests.expressions.head_names import HeadName
from headtests.expressions.library import LIBRARY, Named
from headtests.measurement.halves import measuring_texts
from headtests.measurement.passes.blocks import Reader
from headtests.measurement.passes.runner import DocumentPass, Progress
from headtests.measurement.readers.relation_sums import DocumentSums, RelationSums
from headtests.models.loaded import LoadedModel
from headtests.settings import Settings
from headtests.statistics.quanta import Int64s, quantise

TOKENS = 4096
"""About how many tokens run at once on the CPU: enough to keep it busy, and little memory."""


@dataclass(frozen=True, eq=False)
class Halves:
    """The documents of a corpus that are read, by half of its texts."""

    choose: Int64s
    """Ids of the documents to choose from, in hash order."""
    measure: Int64s
    """Ids of the documents to decide on."""


def halves_of(
    population: Population, order: Int64s, documents: int, options: RowOptions, seed: int
) -> Halves:
    """Return the first documents with a row of an order, split by text and never by piece.

    Raises `ClaimError` if they do not come from two texts.
    """
    some = order[population.lengths[order] > options.min_query][:documents]
    texts = np.asarray(population.index.texts, dtype=np.int64)
    is_measuring = measuring_texts(population.contents, seed)[texts[some]]
    halves = some[~is_measuring], some[is_measuring]
    if not all(len(half) for half in halves):
        raise ClaimError(
            f"an atlas is chosen from one half of the texts and decided on the other, but the "
            f"first {len(some)} documents of {population.description} are all of one half. Name a "
            "corpus of more texts, or read more --documents."
        )
    return Halves(*halves)


@dataclass(frozen=True, eq=False)
class Proposal:
    """A claim about one head, as it was chosen and as it was decided."""

    head: HeadName
    named: Named
    relation: int
    """The place of the relation in the library."""
    threshold: float
    chosen: Shares
    measured: Shares | None
    """None if the second half has no such row."""
    decided: Decided | None


@dataclass(eq=False)
class _Group:
    """The heads of all layers whose rows may attend to the same keys."""

    heads: list[HeadName]
    halves: tuple[HalfSums, HalfSums]
    choices: list[Choice]
    claimed: list[tuple[int, list[Int64s]]]
    """For each document of the second half, its id and the columns of its claims."""
    cells: Int64s
    """Of the second half, attention by which of a head's chosen relations it lies in, as a share of
    all rows, in quanta: `[head, set of relations]`, a set being the bits of their places."""

    def keep(self, sums: DocumentSums, shares: DocumentShares) -> None:
        """Keep what the claims and the coverage need of a document of the second half."""
        rows = float(sums.plan.rows.sum())
        chosen: dict[int, list[int]] = {}
        for choice in self.choices:
            chosen.setdefault(choice.head, []).append(choice.relation)
        for head in range(len(self.heads)):
            bits = sums.plan.signatures[:, chosen.get(head, [])] @ (
                1 << np.arange(len(chosen.get(head, [])))
            )
            cells = np.bincount(bits.astype(np.int64), sums.attention[head], self.cells.shape[1])
            self.cells[head] += quantise(cells / rows)
        heads = np.array([choice.head for choice in self.choices], dtype=np.int64)
        relations = np.array([choice.relation for choice in self.choices], dtype=np.int64)
        columns = (
            shares.rows[relations],
            shares.mass[heads, relations],
            shares.off_rest[heads, relations],
        )
        self.claimed.append((shares.document, [np.asarray(column) for column in columns]))


class CorpusAtlas:
    """What every head of a model attends to on one corpus."""

    def __init__(
        self,
        model: LoadedModel,
        population: Population,
        options: RowOptions,
        settings: Settings,
        *,
        documents: int,
        library: Sequence[Named] = LIBRARY,
        progress: Progress | None = None,
    ) -> None:
        self.model = model
        self.population = population
        self.options = options
        self.library = tuple(library)
        self.heads = [
            HeadName(layer, index)
            for layer in range(model.shape.layers)
            for index in range(model.shape.heads)
        ]
        self._settings = settings
        longest = int(population.lengths.max())
        size = settings.batch_size
        if model.device.type == "cpu":
            size = max(1, min(size, TOKENS // longest))
        unspooled = replace(settings, spool=0, batch_size=size)
        self.document_pass = DocumentPass(model, population, self.heads, unspooled, progress)
        order = self.document_pass.order()
        self.halves = halves_of(population, order, documents, options, settings.seed)
        self.examples = ExampleRows(self.heads, options, settings.seed)
        self.interrupted = False
        """Whether an interrupt ended the reading."""
        self._progress = progress
        self._groups = self._grouped()
        self._read_ids: tuple[list[int], list[int]] = [], []

    def _grouped(self) -> list[_Group]:
        by_layer: dict[int, list[HeadName]] = {}
        for head in self.heads:
            by_layer.setdefault(self.document_pass.alike(head.layer), []).append(head)
        count = len(self.library)
        return [
            _Group(
                heads,
                (HalfSums(len(heads), count), HalfSums(len(heads), count)),
                [],
                [],
                np.zeros((len(heads), 2**ROLES), dtype=np.int64),
            )
            for heads in by_layer.values()
        ]

    @property
    def documents(self) -> int:
        """The number of documents of both halves."""
        return len(self.halves.choose) + len(self.halves.measure)

    @property
    def tokens(self) -> int:
        """The number of tokens of both halves."""
        lengths = self.population.lengths
        both = np.concatenate([self.halves.choose, self.halves.measure])
        return int(lengths[both].sum())

    def read(self) -> None:
        """Read both halves; an interrupt ends it, and `interrupted` is set."""
        try:
            if self._progress is not None:
                self._progress.start(self.documents)
            self._read(0, self.halves.choose, [])
            self._choose()
            self._read(1, self.halves.measure, [self.examples])
        except KeyboardInterrupt:
            self.interrupted = True
            if not any(group.choices for group in self._groups):
                self._choose()
        finally:
            if self._progress is not None:
                self._progress.finish()

    def _read(self, half: int, documents: Int64s, readers: Sequence[Reader]) -> None:
        """Sum the documents of the first half (0) or the second (1)."""
        relations = [named.relation for named in self.library]
        sums = [
            RelationSums(
                group.heads,
                relations,
                self.population.vocabulary,
                self.options,
                self._settings.seed,
                partial(self._add, half, group),
                sinks=self.model.facts.sinks,
            )
            for group in self._groups
        ]
        for _ in self.document_pass.read_documents(self.heads, [*sums, *readers], documents):
            pass

    def _add(self, half: int, group: _Group, sums: DocumentSums) -> None:
        with _interrupt_held():
            # What is left of a relation without others is asked of the first half alone.
            shares = group.halves[half].add(sums, sampled=half == 0)
            if half == 1:
                group.keep(sums, shares)
            if group is self._groups[0]:
                self._read_ids[half].append(shares.document)

    def _choose(self) -> None:
        for group in self._groups:
            first = group.halves[0]
            if first.documents:
                group.choices = choose(first, self._settings.alpha, len(self.halves.measure))

    @cached_property
    def proposals(self) -> list[Proposal]:
        """What was proposed of each head, decided on what was read of the second half."""
        found = []
        order = {document: at for at, document in enumerate(self.halves.measure.tolist())}
        for group in self._groups:
            second = HalfShares(group.halves[1])
            in_order = sorted(group.claimed, key=lambda claimed: order[claimed[0]])
            # `[document, column, claim]`
            shape = (len(in_order), 3, len(group.choices))
            figures = np.array([columns for _, columns in in_order], np.int64).reshape(shape)
            for place, choice in enumerate(group.choices):
                found.append(self._proposal(group, second, figures[:, :, place], choice))
        return found

    def _proposal(
        self, group: _Group, second: HalfShares, figures: Int64s, choice: Choice
    ) -> Proposal:
        figures = figures[figures[:, 0] > 0]
        rest = figures[:, 2] if self.options.suppress_first_token else None
        decided = decide(figures[:, 1], rest, choice.threshold, self._settings.alpha)
        return Proposal(
            head=group.heads[choice.head],
            named=self.library[choice.relation],
            relation=choice.relation,
            threshold=choice.threshold,
            chosen=choice.shares,
            measured=second.of(choice.head, choice.relation),
            decided=decided,
        )

    def size(self, half: int) -> tuple[int, int]:
        """Return how many documents and texts of the first half (0) or the second (1) were read."""
        texts = np.asarray(self.population.index.texts, dtype=np.int64)
        ids = np.array(self._read_ids[half], dtype=np.int64)
        return len(ids), len(np.unique(texts[ids]))

    @property
    def groups(self) -> list[tuple[Int64s, HalfSums]]:
        """The places among all heads of each group, and its sums for figures.

        Those of the second half, or of the first if nothing of the second was read. The heads of a
        group are of layers whose rows may attend to the same keys.
        """
        half = 1 if self._read_ids[1] else 0
        places = {head: place for place, head in enumerate(self.heads)}
        return [
            (np.array([places[head] for head in group.heads]), group.halves[half])
            for group in self._groups
        ]

    def coverage(self, relations: Sequence[Sequence[int]]) -> list[float | None]:
        """Return the share of what does not rest on keys of some chosen relations of each head.

        `relations` has the places in the library for each head, of those that were chosen for it.
        None if all attention rests, or if nothing of the second half was read.
        """
        result: list[float | None] = [None] * len(self.heads)
        places = {head: place for place, head in enumerate(self.heads)}
        for group in self._groups:
            for row, head in enumerate(group.heads):
                cells, place = group.cells[row], places[head]
                mine = [choice.relation for choice in group.choices if choice.head == row]
                wanted = sum(1 << mine.index(each) for each in relations[place])
                covered = np.arange(len(cells)) & wanted > 0
                if cells.sum() > 0:
                    result[place] = float(cells[covered].sum() / cells.sum())
        return result


@contextmanager
def _interrupt_held() -> Iterator[None]:
    """Hold an interrupt back until the end of the block, so that a document counts whole."""
    before = signal.getsignal(signal.SIGINT)
    # Other threads receive no signals, and a handler that is none of Python's is left alone.
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    held: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: held.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        before(*held[0])
