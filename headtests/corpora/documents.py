"""What a document is: exact token ids with a stable id.

The shape only. Where documents come from is `population`; what their ids say is `vocabulary`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Document:
    """One tokenised piece of a text, with the exact ids that the model sees."""

    id: int
    """The document's place in the population, from 0."""
    text_id: str
    """The id of its text."""
    piece: int
    """Which piece of its text it is, from 0."""
    ids: npt.NDArray[np.int32]
    """Token ids, shape `[length]`, those of special tokens included."""

    def __len__(self) -> int:
        return len(self.ids)
