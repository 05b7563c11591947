"""Which documents of a batch may run together: those whose rows do not depend on each other.

A model may compute something from the whole batch: transformers chooses the factors of LongRoPE by
the longest document, and experts of limited capacity drop tokens of some documents for those of
others. Rows of a document are to be those of the document alone.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import groupby

from headtests.corpora import Batch, Document
from headtests.models.row_reading import Portion

SHORT = 6
"""The tokens of the document that is tried alone and beside a long one."""


class Batching:
    """Divides a batch into parts that may run together, by the limits of the model's lengths."""

    def __init__(self, limits: Sequence[int]) -> None:
        """`limits` are the numbers of tokens beyond which documents are encoded in another way."""
        self._limits = limits
        self._tried: dict[int, tuple[int, int]] = {}
        self.alone = False
        """Whether each document runs by itself, since its rows depend on others in its batch."""

    def kind(self, document: Document) -> int:
        """Return how many limits a document is beyond: only documents of one kind run together."""
        return bisect_left(self._limits, len(document))

    def end(self, batch: Batch, start: int, stop: int) -> int:
        """Return the end, at most `stop`, of the documents from `start` that may run together."""
        if self.alone:
            return start + 1
        kind = self.kind(batch.documents[start])
        others = (n for n in range(start, stop) if self.kind(batch.documents[n]) != kind)
        return next(others, stop)

    def untried(self, batch: Batch, layer: int) -> tuple[Document, Document] | None:
        """Return a short document and the longest of a batch, whose rows are to be compared.

        None if no document beside another can matter, or if documents as long were tried up to
        `layer` already. The short one is the beginning of the longest, of the same kind.
        """
        long = batch.documents[0]
        kind = self.kind(long)
        least = self._limits[kind - 1] + 1 if kind else 1
        length, deepest = self._tried.get(kind, (0, -1))
        is_tried = len(long) <= length and layer <= deepest
        if self.alone or len(batch) < 2 or is_tried or len(long) <= max(SHORT, least):
            return None
        self._tried[kind] = max(length, len(long)), max(deepest, layer)
        return Document(-1, "probe", 0, long.ids[: max(SHORT, least)]), long

    def parts(
        self, batch: Batch, portions: Sequence[Portion]
    ) -> Sequence[tuple[Batch, Sequence[Portion], int]]:
        """Return the parts of a batch that run together, and the portions and start of each.

        The portions of a part are counted from its start.
        """

        def key(portion: Portion) -> tuple[int, int]:
            place = portion.start if self.alone else 0
            return self.kind(batch.documents[portion.start]), place

        groups = [list(group) for _, group in groupby(portions, key)]
        if len(groups) == 1:
            return [(batch, portions, 0)]
        parts = []
        for group in groups:
            start, stop = group[0].start, group[-1].stop
            longest = len(batch.documents[start])
            part = Batch(
                batch.documents[start:stop],
                batch.ids[start:stop, :longest],
                batch.valid[start:stop, :longest],
            )
            within = [Portion(each.start - start, each.stop - start, each.read) for each in group]
            parts.append((part, within, start))
        return parts
