"""The pass: documents in hash order through the model, rows kept, memory's end survived.

What runs, how often, and with which heads. In which batches is `plan`, who gets their rows is
`feeding`, and what they amount to is `measure` and `pairs`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from traceback import clear_frames
from typing import Protocol

import numpy as np
import torch

from headtests.corpora import Batch, Document, Population, make_batches
from headtests.errors import ModelError
from headtests.expressions.head_names import HeadName
from headtests.measurement.masks import Bools
from headtests.measurement.passes.batch_plan import BatchPlan, plan_batches
from headtests.measurement.passes.blocks import Block, Reader
from headtests.measurement.passes.dispatch import (
    Collector,
    Dispatcher,
    PortionProgress,
    SpooledRows,
    is_out_of_memory,
)
from headtests.measurement.passes.memo import Memo
from headtests.measurement.passes.row_spool import RowSpool
from headtests.measurement.passes.token_view import BatchTokens, Float32s, allowed_keys
from headtests.models.loaded import LoadedModel
from headtests.models.row_reading import Portion
from headtests.settings import Settings
from headtests.statistics.quanta import Int64s

MEMO_BYTES = 2**26
"""The most that what was found out of tokens takes, to serve other heads and statistics."""


class Progress(Protocol):
    """What a pass tells while it runs."""

    def start(self, documents: int) -> None:
        """Begin a pass over so many documents."""

    def advance(self, documents: int, tokens: int) -> None:
        """Count documents and tokens that have been run."""

    def finish(self) -> None:
        """End the pass."""


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
        self._kept = RowSpool(settings.spool, model.device)
        self._parts: dict[tuple[bool, int, HeadName], list[SpooledRows] | None] = {}
        """The rows of each batch that has run, by head; None where there was no room."""
        self._remembered = Memo(MEMO_BYTES)
        self._ran: set[int] = set()
        self._planned = tuple(sorted(set(heads)))
        self._plans: dict[bool, BatchPlan] = {}
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

    def heads_beside(self, head: HeadName) -> tuple[HeadName, ...]:
        """Return the heads that one pass serves with this one, itself among them.

        A head that nobody announced, as in a notebook, has a pass of its own.
        """
        return self._planned if head in self._planned else (head,)

    def keeps(
        self, head: HeadName, start: int = 0, stop: int | None = None, by_text: bool = False
    ) -> bool:
        """Return whether a head's rows on the documents of some places were kept."""
        numbers = self._plan(by_text).between(start, self.budget if stop is None else stop)
        return all(self._has(by_text, number, (head,)) for number in numbers)

    def read(
        self,
        heads: Sequence[HeadName],
        readers: Sequence[Reader],
        start: int = 0,
        stop: int | None = None,
        by_text: bool = False,
    ) -> None:
        """Have readers take in some heads' rows on the documents of some places of the order.

        Those from `start` up to `stop`, each 0 or one of the extents; None is the budget. What
        was not kept is run.
        """
        numbers = self._plan(by_text).between(start, self.budget if stop is None else stop)
        for _ in self._batches(numbers, heads, readers, by_text):
            pass

    def blocks(
        self, head: HeadName, start: int = 0, stop: int | None = None, by_text: bool = False
    ) -> Iterator[Block]:
        """Yield one head's rows on the documents of some places, as `read` has them."""
        numbers = self._plan(by_text).between(start, self.budget if stop is None else stop)
        collector = Collector(head)
        for _ in self._batches(numbers, (head,), [collector], by_text):
            yield from collector.taken()

    def tokens_of(self, layer: int, documents: Collection[int]) -> Iterator[BatchTokens]:
        """Yield what the tokens say of documents, these among them: nothing is run."""
        wanted = set(documents)
        for number in self._holding(wanted):
            for tokens in self._tokens_in_parts(False, number, layer):
                if any(document.id in wanted for document in tokens.batch.documents):
                    yield tokens

    def tokens_between(
        self, layer: int, start: int, stop: int, by_text: bool = False
    ) -> Iterator[BatchTokens]:
        """Yield what the tokens say of the documents of some places of the order."""
        for number in self._plan(by_text).between(start, stop):
            yield from self._tokens_in_parts(by_text, number, layer)

    def allowed(self, layer: int) -> Bools:
        """Return which keys each row may attend to, were all of them tokens, `[query, key]`."""
        return self._allowed(layer)[1]

    def alike(self, layer: int) -> int:
        """Return the first known layer whose rows may attend to the same keys."""
        return self._allowed(layer)[0]

    def rows_at(self, head: HeadName, places: Sequence[tuple[int, int]]) -> list[Float32s]:
        """Return a head's rows at some queries of documents of the budget.

        `places` are documents and queries; each row is float32, `[key]`, as long as its document.
        Documents whose rows were not kept run again, and no others.
        """
        found: dict[int, Float32s] = {}
        wanted: dict[int, list[int]] = {}
        for place, (document, _) in enumerate(places):
            wanted.setdefault(document, []).append(place)

        def take(documents: Sequence[Document], rows: torch.Tensor) -> None:
            for document, of_document in zip(documents, rows, strict=True):
                for place in wanted.get(document.id, ()):
                    row = of_document[places[place][1], : len(document)]
                    found[place] = row.cpu().numpy().copy()

        for number in self._holding(wanted):
            for part in self._parts.get((False, number, head)) or ():
                batch = self._batch(False, number, part.start, part.stop)
                if any(document.id in wanted for document in batch.documents):
                    take(batch.documents, self._kept.load(part.rows))
        missing = {document for place, (document, _) in enumerate(places) if place not in found}
        left = sorted((self.population[number] for number in sorted(missing)), key=len)
        while left:
            documents = left[-self._batch_size :]
            (batch,) = make_batches(documents, len(documents), self.model.pad_id)
            try:
                rows = self.model.rows(batch, [head])[0]
            except (RuntimeError, MemoryError) as error:
                self._shrink(batch, error)
            else:
                take(batch.documents, rows)
                self._count(batch)
                del left[-len(batch) :]
        return [found[place] for place in range(len(places))]

    def _count(self, batch: Batch) -> None:
        for document in batch.documents:
            self.tokens_run += len(document)
            if document.id in self._ran:
                self.tokens_run_twice += len(document)
            self._ran.add(document.id)

    def _holding(self, documents: Collection[int]) -> list[int]:
        wanted = set(documents)
        batches = self._plan(False).batches
        return [number for number, members in enumerate(batches) if not wanted.isdisjoint(members)]

    def _batches(
        self,
        numbers: Sequence[int],
        heads: Sequence[HeadName],
        readers: Sequence[Reader],
        by_text: bool,
    ) -> Iterator[None]:
        """Run or load batches for readers; yields after each batch."""
        batches = self._plan(by_text).batches
        to_run = {number for number in numbers if not self._has(by_text, number, heads)}
        ahead = sum(len(batches[number]) for number in to_run)
        if ahead and self._progress is not None:
            self._progress.start(ahead)
        try:
            for number in numbers:
                if number in to_run:
                    self._run(by_text, number, self._to_run(by_text, number, heads), readers)
                else:
                    self._read_kept(by_text, number, heads, readers)
                yield
        finally:
            if ahead and self._progress is not None:
                self._progress.finish()

    def _to_run(
        self, by_text: bool, number: int, heads: Sequence[HeadName]
    ) -> tuple[HeadName, ...]:
        """Return the heads whose rows are read when a batch runs for some.

        Those beside them, too, for later, but where it is known that there is no room for them.
        """
        beside = (other for head in heads for other in self.heads_beside(head))
        new = (head for head in beside if (by_text, number, head) not in self._parts)
        return tuple(dict.fromkeys((*heads, *new)))

    def _plan(self, by_text: bool) -> BatchPlan:
        if by_text not in self._plans:
            seed = self._settings.seed
            population = self.population
            order = population.text_order(seed) if by_text else population.order(seed)
            self._plans[by_text] = plan_batches(
                order, population.lengths, self.budget, self._settings.batch_size
            )
        return self._plans[by_text]

    def _has(self, by_text: bool, number: int, heads: Sequence[HeadName]) -> bool:
        return all(self._parts.get((by_text, number, head)) for head in heads)

    def _read_kept(
        self, by_text: bool, number: int, heads: Sequence[HeadName], readers: Sequence[Reader]
    ) -> None:
        for head in heads:
            for part in self._parts[by_text, number, head] or ():
                tokens = self._tokens(by_text, number, part.start, part.stop, head.layer)
                block = Block(tokens, (head,), self._kept.load(part.rows)[None])
                # As beside a forward, whose tensors cannot be written to outside of it.
                with torch.inference_mode():
                    for reader in readers:
                        reader.read(block)

    def _tokens(self, by_text: bool, number: int, start: int, stop: int, layer: int) -> BatchTokens:
        """Return what is known of some documents of a batch without attention."""
        like, allowed = self._allowed(layer)
        batch = self._batch(by_text, number, start, stop)
        length = batch.ids.shape[1]
        key = (by_text, number, start, stop, like)
        return BatchTokens(batch, allowed[:length, :length], key, self._remembered)

    def _tokens_in_parts(self, by_text: bool, number: int, layer: int) -> Iterator[BatchTokens]:
        """Yield what is known of a batch without attention, in parts as its rows come."""
        whole = self._batch(by_text, number, 0, len(self._plan(by_text).batches[number]))
        for part in self.model.portions(whole):
            yield self._tokens(by_text, number, part.start, part.stop, layer)

    def _allowed(self, layer: int) -> tuple[int, Bools]:
        """Return the first known layer with the same allowed keys, and these, `[query, key]`."""
        if layer not in self._layers:
            allowed = allowed_keys(self.model, layer, int(self.population.lengths.max()))
            alike = (found for found in self._layers.values() if np.array_equal(found[1], allowed))
            self._layers[layer] = next(alike, (layer, allowed))
        return self._layers[layer]

    def _batch(self, by_text: bool, number: int, start: int, stop: int) -> Batch:
        members = self._plan(by_text).batches[number][start:stop]

        def made() -> Batch:
            documents = [self.population[member] for member in members]
            (batch,) = make_batches(documents, len(documents), self.model.pad_id)
            return batch

        return self._remembered.get((by_text, number, start, stop), made, _bytes_of)

    def _run(
        self,
        by_text: bool,
        number: int,
        heads: Sequence[HeadName],
        readers: Sequence[Reader],
    ) -> None:
        """Run a batch, in parts where memory is short, and feed readers with its rows."""
        whole = self._batch(by_text, number, 0, len(self._plan(by_text).batches[number]))
        left = [PortionProgress(part.start, part.stop) for part in self.model.portions(whole)]
        known = {head for head in heads if (by_text, number, head) in self._parts}
        feed = Dispatcher(
            readers,
            known,
            lambda start, stop, layer: self._tokens(by_text, number, start, stop, layer),
            self._kept,
        )
        while left:
            left = _split(left, self._batch_size)
            start = left[0].start
            now = [share for share in left if share.stop - start <= self._batch_size]
            stop = now[-1].stop
            batch = self._batch(by_text, number, start, stop)
            try:
                self._give(batch, heads, now, feed)
            except (RuntimeError, MemoryError) as error:
                self._shrink(batch, error)
            else:
                left = left[len(now) :]
        for head, parts in feed.kept.items():
            self._parts[by_text, number, head] = parts
        self._count(whole)
        if self._progress is not None:
            self._progress.advance(len(whole), int(whole.valid.sum()))

    def _give(
        self,
        batch: Batch,
        heads: Sequence[HeadName],
        shares: Sequence[PortionProgress],
        feed: Dispatcher,
    ) -> None:
        """Run documents that stand side by side, and feed their rows."""
        shared = {share.start - shares[0].start: share for share in shares}
        portions = [share.within(shares[0].start) for share in shares]

        def give(given: tuple[HeadName, ...], portion: Portion, rows: torch.Tensor) -> None:
            feed.give(given, shared[portion.start], rows)

        self.model.read(batch, heads, portions, give)

    def _shrink(self, batch: Batch, error: Exception) -> None:
        """Have fewer documents run at once from now on.

        Raises the error where it is not the end of memory, and `ModelError` where a single
        document is too large.
        """
        if not is_out_of_memory(error):
            raise error
        found = len(batch)
        if found == 1:
            raise ModelError(
                f"{self.model.spec}: out of memory on a single document of "
                f"{batch.ids.shape[1]} tokens "
                f"({self.model.device}). Lower headtests_max_length, or change device or dtype."
            ) from error
        self._batch_size = found // 2
        self.notes.append(
            f"Memory ended at {found} documents at once; the pass went on with {self._batch_size}."
        )
        if self.model.device.type == "cuda":
            # What failed holds on to its tensors.
            clear_frames(error.__traceback__)
            torch.cuda.empty_cache()

    def close(self) -> None:
        """Drop the rows and masks that were kept."""
        self._kept.close()
        self._parts.clear()
        self._remembered.clear()


def _split(shares: Sequence[PortionProgress], most: int) -> list[PortionProgress]:
    """Return shares of at most so many documents."""
    parts: list[PortionProgress] = []
    for share in shares:
        parts += _split(share.halves(), most) if len(share) > most else [share]
    return parts


def _bytes_of(batch: Batch) -> int:
    # Ids twice, of 8 bytes and of 4, and whether they are valid.
    return 13 * batch.ids.numel()
