"""Passes on the rows of some documents of a pass to other readers, and leaves out the rest."""

from collections.abc import Collection, Sequence

from headtests.corpora import make_batches
from headtests.measurement.passes.blocks import Block, Reader
from headtests.measurement.passes.token_view import BatchTokens


class SomeDocuments:
    """A reader that passes on the part of each block with some documents."""

    def __init__(self, readers: Sequence[Reader], documents: Collection[int]) -> None:
        """`documents` are ids."""
        self._readers = readers
        self._documents = frozenset(documents)

    def read(self, block: Block) -> None:
        """Process a block."""
        documents = block.batch.documents
        places = [place for place, each in enumerate(documents) if each.id in self._documents]
        if not places:
            return
        if len(places) < len(documents):
            (batch,) = make_batches([documents[place] for place in places], len(places))
            length = batch.ids.shape[1]
            tokens = BatchTokens(batch, block.tokens.allowed[:length, :length])
            rows = block.rows[:, places, :length, :length].contiguous()
            block = Block(tokens, block.heads, rows)
        for reader in self._readers:
            reader.read(block)
