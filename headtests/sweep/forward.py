"""The pass: documents in hash order through the model, rows kept, memory's end survived.

Which documents run, in which batches, and how often. What rows amount to is `measure` and
`pairs`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch

from headtests.capture import LoadedModel
from headtests.corpora import Batch, Population, make_batches
from headtests.errors import ModelError
from headtests.head_names import HeadName
from headtests.masks import Bools
from headtests.settings import Settings
from headtests.statistics.quanta import Int64s
from headtests.sweep.kept import KeptRows, OnDisk
from headtests.sweep.remembered import Remembered
from headtests.sweep.tokens import Tokens, allowed_keys

FIRST_STEP = 64
"""Documents of the first step; each step doubles what was run, whatever the batch size."""

BATCH_BYTES = 2**28
"""The most that the rows of one batch take, of all asked heads together."""
FLOAT_BYTES = 4

REMEMBERED_BYTES = 2**28
"""The most that what was found out of tokens takes, to serve other heads and statistics."""


class Progress(Protocol):
    """What a pass tells while it runs."""

    def start(self, documents: int) -> None:
        """Begin a pass over so many documents."""

    def advance(self, documents: int, tokens: int) -> None:
        """Count documents and tokens that have been run."""

    def finish(self) -> None:
        """End the pass."""


@dataclass(frozen=True, eq=False)
class Block:
    """One head's rows on a batch of documents."""

    tokens: Tokens
    rows: torch.Tensor
    """Float32 on the CPU, `[batch, query, key]`; 0 where a row may not attend."""

    @property
    def batch(self) -> Batch:
        """The documents."""
        return self.tokens.batch


@dataclass(frozen=True, eq=False)
class _Plan:
    """Which documents run, and in which batches, in one of the two orders."""

    order: Int64s
    """The ids of the whole population; the budget is the first part."""
    extents: tuple[int, ...]
    """Documents that have run after each step."""
    batches: list[tuple[int, ...]]
    """The members of each batch, none of which goes beyond its step."""
    steps: list[int]
    """The number of each batch's step."""

    def between(self, start: int, stop: int) -> list[int]:
        """Return the numbers of the batches of the steps that cover some places."""
        begins = (0, *self.extents[:-1])
        return [
            number
            for number, step in enumerate(self.steps)
            if begins[step] < stop and self.extents[step] > start
        ]


@dataclass(eq=False)
class _Lane:
    """One pass for a set of heads in one order, as far as it was run."""

    heads: tuple[HeadName, ...]
    by_text: bool
    kept: dict[int, list[torch.Tensor | OnDisk | None]] = field(default_factory=dict)
    """Of each batch that was run, what each head's rows are loaded by."""


class Sweep:
    """A model over the first documents of a population in hash order, up to the budget.

    In one of two orders: of documents, or of texts, whose documents then stand together.
    """

    def __init__(
        self,
        model: LoadedModel,
        population: Population,
        heads: Iterable[HeadName],
        settings: Settings,
        progress: Progress | None = None,
    ) -> None:
        self.model = model
        self.population = population
        self.tokens_run = 0
        self.tokens_run_twice = 0
        self.notes: list[str] = []
        """What a reader of the results should know of the pass."""
        self._progress = progress
        self._settings = settings
        self._batch_size = settings.batch_size
        self._kept = KeptRows(settings.spool)
        self._remembered = Remembered(REMEMBERED_BYTES)
        self._ran: set[int] = set()
        self._planned = tuple(sorted(set(heads)))
        self._lanes: list[_Lane] = []
        self._plans: dict[bool, _Plan] = {}
        self._layers: dict[int, tuple[int, Bools]] = {}

    @property
    def budget(self) -> int:
        """How many documents the run may put through the model."""
        return min(self._settings.max_documents, len(self.population))

    @property
    def documents_run(self) -> int:
        """How many different documents have been run, for any head in any order."""
        return len(self._ran)

    def extents(self, by_text: bool = False) -> tuple[int, ...]:
        """Return how many documents have been read after each step; the last is the budget."""
        return self._plan(by_text).extents

    def order(self, by_text: bool = False) -> Int64s:
        """Return the ids of the whole population in the order of the pass, shape `[documents]`.

        The budget is its first part. `by_text`: texts in hash order, each one's documents
        together.
        """
        return self._plan(by_text).order

    def blocks(
        self, head: HeadName, start: int = 0, stop: int | None = None, by_text: bool = False
    ) -> Iterator[Block]:
        """Yield a head's rows on the documents of some places of the order.

        Those from `start` up to `stop`, each 0 or one of the extents; None is the budget. What
        was not run is run.
        """
        plan = self._plan(by_text)
        numbers = plan.between(start, self.budget if stop is None else stop)
        return self._blocks(self._lane_of(head, by_text), head, numbers)

    def block_of(self, head: HeadName, documents: Collection[int]) -> Iterator[Block]:
        """Yield the blocks of a head that hold some of these documents of the budget."""
        return self._blocks(self._lane_of(head, False), head, self._holding(documents))

    def tokens_of(self, head: HeadName, documents: Collection[int]) -> Iterator[Tokens]:
        """Yield what the tokens of those blocks say, for which nothing is run."""
        return (self._tokens(False, number, head.layer) for number in self._holding(documents))

    def _holding(self, documents: Collection[int]) -> list[int]:
        wanted = set(documents)
        batches = self._plan(False).batches
        return [number for number, members in enumerate(batches) if not wanted.isdisjoint(members)]

    def _blocks(self, lane: _Lane, head: HeadName, numbers: Sequence[int]) -> Iterator[Block]:
        batches = self._plan(lane.by_text).batches
        ahead = sum(len(batches[number]) for number in numbers if number not in lane.kept)
        if ahead and self._progress is not None:
            self._progress.start(ahead)
        try:
            for number in numbers:
                tokens = self._tokens(lane.by_text, number, head.layer)
                yield Block(tokens, self._rows(lane, number, tokens.batch, head))
        finally:
            if ahead and self._progress is not None:
                self._progress.finish()

    def _plan(self, by_text: bool) -> _Plan:
        if by_text not in self._plans:
            seed = self._settings.seed
            population = self.population
            order = population.text_order(seed) if by_text else population.order(seed)
            self._plans[by_text] = _plan_of(
                population, order, self.budget, self._settings.batch_size, len(self._planned)
            )
        return self._plans[by_text]

    def _lane_of(self, head: HeadName, by_text: bool) -> _Lane:
        for lane in self._lanes:
            if head in lane.heads and lane.by_text == by_text:
                return lane
        # A head that nobody announced, as in a notebook: the documents run again for it.
        lane = _Lane(self._planned if head in self._planned else (head,), by_text)
        self._lanes.append(lane)
        return lane

    def _tokens(self, by_text: bool, number: int, layer: int) -> Tokens:
        batch = self._remembered.get(
            (by_text, number), lambda: self._batch(by_text, number), _bytes_of
        )
        like, allowed = self._allowed(layer)
        length = batch.ids.shape[1]
        key = (by_text, number, like)
        return Tokens(batch, allowed[:length, :length], key, self._remembered)

    def _allowed(self, layer: int) -> tuple[int, Bools]:
        """Return the first known layer with the same allowed keys, and these, `[query, key]`."""
        if layer not in self._layers:
            allowed = allowed_keys(self.model, layer, int(self.population.lengths.max()))
            alike = (found for found in self._layers.values() if np.array_equal(found[1], allowed))
            self._layers[layer] = next(alike, (layer, allowed))
        return self._layers[layer]

    def _batch(self, by_text: bool, number: int) -> Batch:
        documents = [self.population[member] for member in self._plan(by_text).batches[number]]
        (batch,) = make_batches(documents, len(documents), self.model.pad_id)
        return batch

    def _rows(self, lane: _Lane, number: int, batch: Batch, head: HeadName) -> torch.Tensor:
        place = lane.heads.index(head)
        if number in lane.kept:
            kept = lane.kept[number][place]
            return self._run(batch, (head,))[0] if kept is None else self._kept.load(kept)
        rows = self._run(batch, lane.heads)
        lane.kept[number] = [self._kept.keep(rows[of]) for of in range(len(lane.heads))]
        if self._progress is not None:
            self._progress.advance(len(batch.documents), int(batch.valid.sum()))
        return rows[place]

    def _run(self, batch: Batch, heads: Sequence[HeadName]) -> torch.Tensor:
        length = batch.ids.shape[1]
        rows = torch.zeros((len(heads), len(batch.documents), length, length))
        done = 0
        while done < len(batch.documents):
            part = _part(batch, done, done + self._batch_size)
            try:
                rows[:, done : done + len(part.documents)] = self.model.rows(part, heads)
            except (RuntimeError, MemoryError) as error:
                if not _is_out_of_memory(error):
                    raise
                self._shrink(len(part.documents), length, error)
                continue
            done += len(part.documents)
        for document in batch.documents:
            self.tokens_run += len(document)
            if document.id in self._ran:
                self.tokens_run_twice += len(document)
            self._ran.add(document.id)
        return rows

    def _shrink(self, found: int, length: int, error: Exception) -> None:
        if found == 1:
            raise ModelError(
                f"{self.model.spec}: out of memory on a single document of {length} tokens "
                f"({self.model.device}). Lower headtests_max_length, or change device or dtype."
            ) from error
        self._batch_size = found // 2
        self.notes.append(
            f"Memory ended at {found} documents at once; the pass went on with {self._batch_size}."
        )
        if self.model.device.type == "cuda":
            torch.cuda.empty_cache()

    def close(self) -> None:
        """Drop the rows and masks that were kept."""
        self._kept.close()
        self._remembered.clear()


def _plan_of(
    population: Population, order: Int64s, budget: int, batch_size: int, heads: int
) -> _Plan:
    """Return the steps and batches: within a step, documents of like length together.

    No batch's rows exceed `BATCH_BYTES`, but for those of a single document.
    """
    extents = [FIRST_STEP]
    while extents[-1] < budget:
        extents.append(2 * extents[-1])
    extents[-1] = budget
    batches: list[tuple[int, ...]] = []
    steps: list[int] = []
    start = 0
    for number, stop in enumerate(extents):
        # The longest first, so that the end of memory shows at once.
        step = order[start:stop]
        step = step[np.argsort(-population.lengths[step], kind="stable")]
        first, start = 0, stop
        while first < len(step):
            row_bytes = FLOAT_BYTES * max(1, heads) * int(population.lengths[step[first]]) ** 2
            last = first + min(batch_size, max(1, BATCH_BYTES // row_bytes))
            batches.append(tuple(step[first:last].tolist()))
            steps.append(number)
            first = last
    return _Plan(order, tuple(extents), batches, steps)


def _bytes_of(batch: Batch) -> int:
    # Ids twice, of 8 bytes and of 4, and whether they are valid.
    return 13 * batch.ids.numel()


def _part(batch: Batch, start: int, stop: int) -> Batch:
    if start == 0 and stop >= len(batch.documents):
        return batch
    return Batch(batch.documents[start:stop], batch.ids[start:stop], batch.valid[start:stop])


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text
