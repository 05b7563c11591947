"""A document: exact token ids with a stable id.

Data only. Documents come from `population`; the text of their ids from `vocabulary`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Document:
    """One tokenised piece of a text, with the exact ids that the model gets."""

    id: int
    """The number of the document in the population, from 0."""
    text_id: str
    """The id of its text."""
    piece: int
    """The number of the piece within its text, from 0."""
    ids: npt.NDArray[np.int32]
    """Token ids, special tokens included, shape `[length]`."""

    def __len__(self) -> int:
        return len(self.ids)
