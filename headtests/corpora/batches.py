"""Batches: documents padded on the right for a forward pass."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headtests.corpora.documents import Document
from headtests.errors import SettingError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Batch:
    """Documents of similar length, padded to one length; tensors are on the CPU."""

    documents: tuple[Document, ...]
    """The documents, in the order of the rows of the tensors."""
    ids: "torch.Tensor"
    """Token ids, int64, shape `[batch, length]`; the padding id after the end of a document."""
    valid: "torch.Tensor"
    """Whether a position is a token of its document, bool, shape `[batch, length]`."""

    def __len__(self) -> int:
        return len(self.documents)


def make_batches(
    documents: Sequence[Document], batch_size: int, pad_id: int = 0
) -> Iterator[Batch]:
    """Yield each document once, in batches of at most `batch_size`.

    The longest documents come first, so that a lack of memory shows at once, and documents of
    similar length are batched together, so that little is padding. `pad_id` may be any id that
    has an embedding; no row attends to it. Raises `SettingError` for a `batch_size` below 1.
    """
    if batch_size < 1:
        raise SettingError(f"expected a batch size of 1 or more but got {batch_size}.")
    return _batches(sorted(documents, key=len, reverse=True), batch_size, pad_id)


def _batches(documents: list[Document], batch_size: int, pad_id: int) -> Iterator[Batch]:
    # Imported here, since this package is also imported where no model is run.
    import torch

    for start in range(0, len(documents), batch_size):
        chosen = tuple(documents[start : start + batch_size])
        ids = torch.full((len(chosen), len(chosen[0])), pad_id, dtype=torch.int64)
        valid = torch.zeros(ids.shape, dtype=torch.bool)
        for row, document in enumerate(chosen):
            ids[row, : len(document)] = torch.from_numpy(document.ids)
            valid[row, : len(document)] = True
        yield Batch(chosen, ids, valid)
