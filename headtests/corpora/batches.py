"""Documents side by side for a forward pass, padded on the right, with what is no padding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headtests.corpora.documents import Document
from headtests.errors import SettingError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Batch:
    """Documents of similar length; on the CPU."""

    documents: tuple[Document, ...]
    """One a row of the tensors."""
    ids: "torch.Tensor"
    """Token ids, int64, shape `[batch, length]`; after a document's end, the padding id."""
    valid: "torch.Tensor"
    """Whether a position belongs to its document, bool, shape `[batch, length]`."""

    def __len__(self) -> int:
        return len(self.documents)


def make_batches(
    documents: Sequence[Document], batch_size: int, pad_id: int = 0
) -> Iterator[Batch]:
    """Yield each document once, in batches of at most `batch_size`.

    The longest come first, so that what does not fit into memory shows at once, and documents of
    similar length stand together, so that little is padding. `pad_id` may be any id that the
    model has an embedding of; nothing attends to it. Raises `SettingError` for a `batch_size`
    below 1.
    """
    if batch_size < 1:
        raise SettingError(f"expected a batch size of 1 or more but got {batch_size}.")
    return _batches(sorted(documents, key=len, reverse=True), batch_size, pad_id)


def _batches(documents: list[Document], batch_size: int, pad_id: int) -> Iterator[Batch]:
    # Imported where it is used: this package is imported where no model is run.
    import torch

    for start in range(0, len(documents), batch_size):
        chosen = tuple(documents[start : start + batch_size])
        ids = torch.full((len(chosen), len(chosen[0])), pad_id, dtype=torch.int64)
        valid = torch.zeros(ids.shape, dtype=torch.bool)
        for row, document in enumerate(chosen):
            ids[row, : len(document)] = torch.from_numpy(document.ids)
            valid[row, : len(document)] = True
        yield Batch(chosen, ids, valid)
