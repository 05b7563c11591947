"""The attention pattern of one head on one prompt, for claims about a single example."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Pattern:
    """The attention of one head on one prompt; `pattern[query, key]` is one value."""

    tokens: tuple[str, ...]
    """The prompt's tokens, special ones included."""
    ids: tuple[int, ...]
    attention: npt.NDArray[np.float32] = field(repr=False)
    """Shape `[query, key]`, in [0, 1]; 0 for keys that a query may not attend to."""
    attendable: npt.NDArray[np.bool_] = field(repr=False)
    """Shape `[query, key]`: which keys each row may attend to."""

    def __getitem__(self, index: tuple[int, int]) -> float:
        query, key = index
        return float(self.attention[query, key])

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def multiples(self) -> npt.NDArray[np.float64]:
        """Each attention value as a multiple of its row's average, shape `[query, key]`."""
        counts = self.attendable.sum(axis=1, keepdims=True)
        return np.asarray(self.attention.astype(np.float64) * counts)

    def top_key(self, query: int) -> int:
        """Return the position that a query attends to most; ties go to the lower position."""
        return int(np.where(self.attendable[query], self.attention[query], -1.0).argmax())
