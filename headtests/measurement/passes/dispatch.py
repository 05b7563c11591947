"""Gives the rows of a batch to readers and to the row spool, also where memory runs out.

When memory runs out, a batch runs again in smaller parts. No reader receives any rows twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block, Reader
from headtests.measurement.passes.row_spool import RowSpool, SpoolLocation
from headtests.measurement.passes.token_view import BatchTokens
from headtests.models.row_checks import is_out_of_memory
from headtests.models.row_reading import Portion


@dataclass(frozen=True, slots=True)
class SpooledRows:
    """One head's rows on some documents of a batch, saved in the row spool."""

    start: int
    """The first document's position in its batch."""
    stop: int
    """The position after the last document."""
    rows: torch.Tensor | SpoolLocation
    """The handle that `RowSpool.load` takes; the rows are `[document, query, key]`."""


@dataclass(eq=False)
class PortionProgress:
    """Documents of a batch whose rows come together, and which readers have received them."""

    start: int
    """The first document's position in its batch."""
    stop: int
    """The position after the last document."""
    read: set[HeadName] = field(default_factory=set)
    """The heads whose rows every reader has received."""
    readers: dict[HeadName, int] = field(default_factory=dict)
    """For other heads, the number of readers that have received the rows."""
    saved: set[HeadName] = field(default_factory=set)
    """The heads whose rows were passed to the row spool."""

    def within(self, start: int) -> Portion:
        """Return the same documents as a portion, counted from position `start` of the batch."""
        return Portion(self.start - start, self.stop - start, self.read)

    def halves(self) -> list["PortionProgress"]:
        """Return the documents in two halves, each with this progress."""
        middle = (self.start + self.stop) // 2
        return [
            PortionProgress(start, stop, set(self.read), dict(self.readers), set(self.saved))
            for start, stop in ((self.start, middle), (middle, self.stop))
        ]

    def __len__(self) -> int:
        return self.stop - self.start


class Dispatcher:
    """Gives a batch's rows to each reader once, and saves them if they fit."""

    def __init__(
        self,
        readers: Sequence[Reader],
        settled: set[HeadName],
        tokens_of: Callable[[int, int, int], BatchTokens],
        spool: RowSpool,
        shape: tuple[int, ...],
    ) -> None:
        """`settled` are the heads whose rows are in the spool or did not fit: not saved again.

        `shape` is that of the batch, `[document, position]`.

        `tokens_of` takes the first and last position of documents in the batch, and a layer.
        """
        self._readers = readers
        self._tokens_of = tokens_of
        self._spool = spool
        self._settled = settled
        self._shape = shape
        self._norms: dict[HeadName, torch.Tensor] = {}
        self._parts: dict[HeadName, list[SpooledRows] | None] = {}

    def give(
        self,
        heads: tuple[HeadName, ...],
        portion: PortionProgress,
        rows: torch.Tensor,
        norms: torch.Tensor | None = None,
    ) -> None:
        """Give some heads' rows on a portion to readers, `[head, document, query, key]`.

        `norms` are the norms of their values, `[head, document, key]`.
        """
        tokens = self._tokens_of(portion.start, portion.stop, heads[0].layer)
        # One block for all readers: `RowView` caches by block.
        whole = Block(tokens, heads, rows, norms)
        for number, reader in enumerate(self._readers):
            places = [i for i, head in enumerate(heads) if portion.readers.get(head, 0) <= number]
            if not places:
                continue
            unread = tuple(heads[place] for place in places)
            part = whole if unread == heads else whole.of(unread)
            reader.read(part)
            portion.readers |= dict.fromkeys(unread, number + 1)
        for head, head_rows in zip(heads, rows, strict=True):
            if head not in self._settled and head not in portion.saved:
                self._save(head, portion, head_rows)
                portion.saved.add(head)
        for head, head_norms in zip(heads, norms if norms is not None else (), strict=False):
            self._note_norms(head, portion, head_norms)

    def _note_norms(self, head: HeadName, portion: PortionProgress, norms: torch.Tensor) -> None:
        if head not in self._norms:
            self._norms[head] = norms.new_zeros(self._shape)
        self._norms[head][portion.start : portion.stop, : norms.shape[-1]] = norms

    def _save(self, head: HeadName, portion: PortionProgress, rows: torch.Tensor) -> None:
        parts = self._parts.setdefault(head, [])
        if parts is None:
            return
        handle = self._spool.save(rows)
        if handle is None:
            # Half a batch is of no use: a batch runs again as a whole.
            self._parts[head] = None
        else:
            parts.append(SpooledRows(portion.start, portion.stop, handle))

    @property
    def spooled(self) -> dict[HeadName, list[SpooledRows] | None]:
        """The saved rows of heads that were not settled; None for heads that did not fit."""
        return {head: parts for head, parts in self._parts.items() if head not in self._settled}

    @property
    def norms(self) -> dict[HeadName, torch.Tensor]:
        """The norms of heads' values in the whole batch, `[document, key]`, 0 for padding.

        Empty unless the pass reads values.
        """
        return self._norms


class Collector:
    """A reader that copies one head's blocks until they are taken."""

    def __init__(self, head: HeadName) -> None:
        self._head = head
        self._blocks: list[Block] = []

    def read(self, block: Block) -> None:
        """Copy a block, if it has the head."""
        if self._head in block.heads:
            place = block.heads.index(self._head)
            rows = block.rows[place : place + 1].clone()
            norms = None if block.norms is None else block.norms[place : place + 1].clone()
            self._blocks.append(Block(block.tokens, (self._head,), rows, norms))

    def take(self) -> list[Block]:
        """Return the collected blocks, and forget them."""
        blocks, self._blocks = self._blocks, []
        return blocks


class OptionalReader:
    """Wraps a reader whose result is not needed yet: its errors stop nothing else."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.failed = False
        """Whether the reader raised an error; it then reads no more."""

    def read(self, block: Block) -> None:
        """Process a block; raises nothing but the errors of running out of memory."""
        if self.failed:
            return
        try:
            self._reader.read(block)
        except Exception as error:
            # An unknown token in an expression, or an error in a user's function: the test that
            # asks for the result raises it.
            if is_out_of_memory(error):
                raise
            self.failed = True
