"""Value-weighted attention: a key's attention times the norm of its value, as a share of the row.

`w[q, k] = A[q, k] |v[k]| / sum over j of A[q, j] |v[j]|`, where the sum is over every key of the
row, key 0 included, and `|v|` is the Euclidean norm (as in Feucht et al. 2025, "The dual-route
model of induction"). A row whose sum is 0 has 0 everywhere.
"""

import numpy as np
import torch

from headtests.measurement.passes.token_view import BatchTokens, Float32s, on_device
from headtests.measurement.readers.counted_rows import CountedRows
from headtests.statistics.quanta import Float64s


def weighted_masses(
    rows: torch.Tensor, norms: torch.Tensor, counted: CountedRows
) -> list[torch.Tensor]:
    """Return the sums of a value-weighted mass, each float64 `[head, column * document]`.

    `rows` is float32 `[head, document, query, key]`, and `norms` are the norms of the heads'
    values, float32 `[head, document, key]`. The columns are those of a mass.
    """
    norms = norms.double()
    totals = torch.stack(
        [(row.double() @ norm[..., None])[..., 0] for row, norm in zip(rows, norms, strict=True)]
    )
    return _masses(counted.pairs.gather(rows).double(), norms, totals, counted)


def evenly_weighted_masses(
    tokens: BatchTokens, norms: torch.Tensor, counted: CountedRows
) -> list[torch.Tensor]:
    """Return the same sums where each row attends to all of its keys alike."""
    norms = norms.double()
    # The norms of padding are 0.
    totals = norms @ on_device(tokens.allowed.T.astype(np.float64), norms.device)
    every = norms.new_ones((len(norms), len(counted.pairs.index)))
    return _masses(every, norms, totals, counted)


def _masses(
    attention: torch.Tensor, norms: torch.Tensor, totals: torch.Tensor, counted: CountedRows
) -> list[torch.Tensor]:
    """Return the sums for attention on the counted pairs, `[head, pair]`.

    `norms` is `[head, document, key]` and `totals`, the sum of each row, `[head, document, query]`.
    """
    length, index = norms.shape[-1], counted.pairs.index
    shares = torch.where(totals > 0, 1 / totals, 0).flatten(1)
    rows = index.div(length, rounding_mode="floor")
    keys = rows.div(length, rounding_mode="floor") * length + index % length
    attention = attention * norms.flatten(1)[:, keys] * shares[:, rows]
    whole = counted.rows.totals(counted.rows.gather((totals > 0).double()))
    return [counted.pairs.totals(attention), whole]


def weighted_rows(rows: Float32s, norms: Float32s) -> Float64s:
    """Return value-weighted rows, float64 `[document, query, key]`.

    `rows` is the attention, of the same shape, and `norms` are the norms of the values,
    `[document, key]`.
    """
    weights = rows.astype(np.float64) * norms[:, None, :]
    # Added from the first key to the last, so that padding does not change the last bit.
    totals = weights.cumsum(-1)[..., -1:]
    shares: Float64s = np.divide(weights, totals, out=np.zeros_like(weights), where=totals > 0)
    return shares
