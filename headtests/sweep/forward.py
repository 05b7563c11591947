"""The pass: documents in hash order through the model, rows kept, memory's end survived.

Which documents run, in which batches, and how often. What rows amount to is `measure` and
`pairs`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from headtests.capture import LoadedModel
from headtests.corpora import Batch, Population, make_batches
from headtests.errors import ModelError
from headtests.head_names import HeadName
from headtests.settings import Settings
from headtests.sweep.kept import KeptRows, OnDisk

FIRST_STEP = 64
"""Documents of the first step; each step doubles what was run, whatever the batch size."""

BATCH_BYTES = 2**28
"""The most that the rows of one batch take, of all asked heads together."""
FLOAT_BYTES = 4


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

    batch: Batch
    rows: torch.Tensor
    """Float32 on the CPU, `[batch, query, key]`; 0 where a row may not attend."""
    attendable: torch.Tensor
    """Boolean, `[batch, query, key]`: the keys that each row may attend to."""


@dataclass(eq=False)
class _Lane:
    """One pass for a set of heads, as far as it was run."""

    heads: tuple[HeadName, ...]
    kept: list[list[torch.Tensor | OnDisk | None]]
    """Of each batch that was run, in order, what each head's rows are loaded by."""


class Sweep:
    """A model over the first documents of a population in hash order, up to the budget."""

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
        self._batch_size = settings.batch_size
        self._kept = KeptRows(settings.spool)
        self._ran: set[int] = set()
        self._order: list[int] = population.order(settings.seed)[: settings.max_documents].tolist()
        planned = tuple(sorted(set(heads)))
        self._batches = list(
            _planned(population, self._order, settings.batch_size, max(1, len(planned)))
        )
        self._lanes = [_Lane(planned, [])] if planned else []

    @property
    def budget(self) -> int:
        """How many documents the run may put through the model."""
        return len(self._order)

    @property
    def documents_run(self) -> int:
        """How many documents have been run, for any head."""
        return max(
            (
                sum(len(members) for members in self._batches[: len(lane.kept)])
                for lane in self._lanes
            ),
            default=0,
        )

    def is_complete(self, head: HeadName) -> bool:
        """Return whether a head's rows were read on every document of the budget."""
        return any(
            head in lane.heads and len(lane.kept) == len(self._batches) for lane in self._lanes
        )

    def blocks(self, head: HeadName) -> Iterator[Block]:
        """Yield a head's rows on every document of the budget, running what was not run."""
        lane = self._lane_of(head)
        first_pass = len(lane.kept) < len(self._batches)
        if first_pass and self._progress is not None:
            self._progress.start(sum(map(len, self._batches[len(lane.kept) :])))
        try:
            for number in range(len(self._batches)):
                batch = self._batch(self._batches[number])
                rows = self._rows(lane, number, batch, head)
                yield Block(batch, rows, self.model.attendable(batch.valid, head.layer))
        finally:
            if first_pass and self._progress is not None:
                self._progress.finish()

    def block_of(self, head: HeadName, documents: Sequence[int]) -> Iterator[Block]:
        """Yield the blocks of a head that hold some of these documents."""
        wanted = set(documents)
        lane = self._lane_of(head)
        for number, members in enumerate(self._batches):
            if wanted.isdisjoint(members):
                continue
            batch = self._batch(members)
            rows = self._rows(lane, number, batch, head)
            yield Block(batch, rows, self.model.attendable(batch.valid, head.layer))

    def _lane_of(self, head: HeadName) -> _Lane:
        for lane in self._lanes:
            if head in lane.heads:
                return lane
        # A head that nobody announced, as in a notebook: the documents run again for it.
        lane = _Lane((head,), [])
        self._lanes.append(lane)
        return lane

    def _batch(self, members: Sequence[int]) -> Batch:
        documents = [self.population[member] for member in members]
        (batch,) = make_batches(documents, len(documents), self.model.pad_id)
        return batch

    def _rows(self, lane: _Lane, number: int, batch: Batch, head: HeadName) -> torch.Tensor:
        place = lane.heads.index(head)
        if number < len(lane.kept):
            kept = lane.kept[number][place]
            return self._run(number, batch, (head,))[0] if kept is None else self._kept.load(kept)
        if number > len(lane.kept):
            # A batch asked for ahead of the pass: what is kept stands in the batches' order.
            return self._run(number, batch, (head,))[0]
        rows = self._run(number, batch, lane.heads)
        lane.kept.append([self._kept.keep(rows[of]) for of in range(len(lane.heads))])
        if self._progress is not None:
            self._progress.advance(len(batch.documents), int(batch.valid.sum()))
        return rows[place]

    def _run(self, number: int, batch: Batch, heads: Sequence[HeadName]) -> torch.Tensor:
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
        tokens = int(batch.valid.sum())
        self.tokens_run += tokens
        if number in self._ran:
            self.tokens_run_twice += tokens
        self._ran.add(number)
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
        """Drop the rows that were kept."""
        self._kept.close()


def _planned(
    population: Population, order: Sequence[int], batch_size: int, heads: int
) -> Iterator[tuple[int, ...]]:
    """Yield the members of each batch: within a step, documents of like length together.

    No batch's rows exceed `BATCH_BYTES`, but for those of a single document.
    """
    lengths = population.lengths
    start, size = 0, FIRST_STEP
    while start < len(order):
        # The longest first, so that the end of memory shows at once.
        step = sorted(order[start : start + size], key=lambda number: -int(lengths[number]))
        first = 0
        while first < len(step):
            row_bytes = FLOAT_BYTES * heads * int(lengths[step[first]]) ** 2
            last = first + min(batch_size, max(1, BATCH_BYTES // row_bytes))
            yield tuple(step[first:last])
            first = last
        start, size = start + size, start + size


def _part(batch: Batch, start: int, stop: int) -> Batch:
    if start == 0 and stop >= len(batch.documents):
        return batch
    return Batch(batch.documents[start:stop], batch.ids[start:stop], batch.valid[start:stop])


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text
