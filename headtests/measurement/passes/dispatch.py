"""One batch's rows on their way to readers and to what keeps them, through the end of memory.

A batch that runs again in smaller parts, since memory ended, gives no reader anything twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block, Reader
from headtests.measurement.passes.row_spool import RowSpool, SpoolLocation
from headtests.measurement.passes.token_view import BatchTokens
from headtests.models.row_reading import Portion


@dataclass(frozen=True, slots=True)
class SpooledRows:
    """One head's rows on some documents of a batch, as they were kept."""

    start: int
    """The first document's place in its batch."""
    stop: int
    """The place behind the last."""
    rows: torch.Tensor | SpoolLocation
    """What they are loaded by."""


@dataclass(eq=False)
class PortionProgress:
    """Documents of a batch whose rows come together, and who has had them."""

    start: int
    """The first document's place in its batch."""
    stop: int
    """The place behind the last."""
    read: set[HeadName] = field(default_factory=set)
    """The heads whose rows went to everybody."""
    readers: dict[HeadName, int] = field(default_factory=dict)
    """Of other heads, how many readers have had them."""
    kept: set[HeadName] = field(default_factory=set)
    """The heads whose rows were kept, as far as there was room."""

    def within(self, start: int) -> Portion:
        """Return the same documents, counted from another place of the batch."""
        return Portion(self.start - start, self.stop - start, self.read)

    def halves(self) -> list["PortionProgress"]:
        """Return its documents in two shares, each of which was read as far as this one."""
        middle = (self.start + self.stop) // 2
        return [
            PortionProgress(start, stop, set(self.read), dict(self.readers), set(self.kept))
            for start, stop in ((self.start, middle), (middle, self.stop))
        ]

    def __len__(self) -> int:
        return self.stop - self.start


class Dispatcher:
    """Gives a batch's rows to each reader once, and keeps them where there is room."""

    def __init__(
        self,
        readers: Sequence[Reader],
        known: set[HeadName],
        tokens_of: Callable[[int, int, int], BatchTokens],
        rows: RowSpool,
    ) -> None:
        """`known` are the heads whose rows were kept, or had no room, and are not kept again."""
        self._readers = readers
        self._tokens_of = tokens_of
        self._rows = rows
        self._known = known
        self._parts: dict[HeadName, list[SpooledRows] | None] = {}

    def give(self, heads: tuple[HeadName, ...], share: PortionProgress, rows: torch.Tensor) -> None:
        """Take in the rows of some heads on a share, `[head, document, query, key]`."""
        tokens = self._tokens_of(share.start, share.stop, heads[0].layer)
        # One for all readers, which find what they share by it.
        whole = Block(tokens, heads, rows)
        for number, reader in enumerate(self._readers):
            places = [i for i, head in enumerate(heads) if share.readers.get(head, 0) <= number]
            if not places:
                continue
            chosen = tuple(heads[place] for place in places)
            reader.read(whole if chosen == heads else Block(tokens, chosen, rows[places]))
            share.readers |= dict.fromkeys(chosen, number + 1)
        for head, of_head in zip(heads, rows, strict=True):
            if head not in self._known and head not in share.kept:
                self._keep(head, share, of_head)
                share.kept.add(head)

    def _keep(self, head: HeadName, share: PortionProgress, rows: torch.Tensor) -> None:
        parts = self._parts.setdefault(head, [])
        if parts is None:
            return
        kept = self._rows.keep(rows)
        if kept is None:
            # Of half a batch nothing is gained: it runs again as a whole.
            self._parts[head] = None
        else:
            parts.append(SpooledRows(share.start, share.stop, kept))

    @property
    def kept(self) -> dict[HeadName, list[SpooledRows] | None]:
        """The rows of heads that were not known, as a whole; None of those without room."""
        return {head: parts for head, parts in self._parts.items() if head not in self._known}


class Collector:
    """A reader that keeps one head's blocks until they are taken."""

    def __init__(self, head: HeadName) -> None:
        self._head = head
        self._blocks: list[Block] = []

    def read(self, block: Block) -> None:
        """Take in a block, copied."""
        if self._head in block.heads:
            place = block.heads.index(self._head)
            rows = block.rows[place : place + 1].clone()
            self._blocks.append(Block(block.tokens, (self._head,), rows))

    def taken(self) -> list[Block]:
        """Return the blocks, and forget them."""
        blocks, self._blocks = self._blocks, []
        return blocks


class OptionalReader:
    """A reader that nobody waits for yet: what it stumbles over stops nothing else."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.failed = False
        """Whether it stumbled, and reads no more."""

    def read(self, block: Block) -> None:
        """Take in a block; raises nothing but the end of memory."""
        if self.failed:
            return
        try:
            self._reader.read(block)
        except Exception as error:
            # An expression that the tokenizer does not know, a user's function: an error of the
            # test that asks for it, when it does.
            if is_out_of_memory(error):
                raise
            self.failed = True


def is_out_of_memory(error: Exception) -> bool:
    """Return whether memory ended, on whichever device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text
