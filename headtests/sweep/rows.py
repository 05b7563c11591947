"""What the readers of pairs share: the keys of each row, and arrays on the device of the rows.

From tokens alone. Which pairs count is `ranking`, `pool` and `histograms`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from headtests.claims import RowOptions
from headtests.statistics.quanta import Float64s, Int64s
from headtests.sweep.tokens import Tokens, rows_of


def keys_of_rows(tokens: Tokens, options: RowOptions) -> Float64s:
    """Return how many keys each row has, `[batch, query]`; 0 of what is no row.

    So multiplied, the attention of padding and of positions under `min_query` is no multiple.
    """
    return tokens.remember(
        ("keys of rows", options),
        lambda: np.where(rows_of(tokens, options), tokens.counts, 0.0),
        lambda found: found.nbytes,
    )


def ids_of(tokens: Tokens) -> Int64s:
    """Return the id of each document, `[batch]`."""
    return np.array([document.id for document in tokens.batch.documents], dtype=np.int64)


def on_device(array: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    """Return an array as a tensor on a device, without waiting for what runs there."""
    tensor = torch.from_numpy(array)
    if device.type == "cpu":
        return tensor
    # A copy from memory that may be paged out waits for the device.
    pinned = tensor.pin_memory() if device.type == "cuda" else tensor
    return pinned.to(device, non_blocking=True)
