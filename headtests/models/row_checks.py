"""Whether attention rows are what they should be: probabilities on the keys that count."""

from collections.abc import Sequence

import torch

from headtests.corpora import Document
from headtests.errors import CaptureError
from headtests.expressions.head_names import HeadName

LEAK = 1e-6
"""Attention on a key that the row may not attend to, above which rows are refused."""


def tolerance_of(dtype: torch.dtype) -> float:
    """Return how far the sum of a row may be from 1."""
    return max(1e-4, 4 * torch.finfo(dtype).eps)


def check_rows(
    rows: torch.Tensor,
    attendable: torch.Tensor,
    documents: Sequence[Document],
    heads: Sequence[HeadName],
    tolerance: float,
    sinks: bool,
    name: str,
) -> None:
    """Raise `CaptureError` where a row is no distribution over the keys that it may attend to.

    `rows` is float32, `[document, head, query, key]`, and `attendable` broadcasts to it. With
    `sinks`, learned ones that are no token, a row may sum to less than 1. `name` is the model's.
    """
    sums = rows.masked_fill(~attendable, 0.0).sum(-1)
    leaks = rows.masked_fill(attendable, 0.0).abs().amax(-1)
    # Negated, so that NaN, for which every comparison is false, is among the bad.
    bad = ~(sums - 1 <= tolerance) | ~(leaks <= LEAK)
    bad |= ~(sums >= 0) if sinks else ~(1 - sums <= tolerance)
    bad &= attendable.any(-1)
    if not bool(bad.any()):
        return
    row, place, query = (int(index) for index in bad.nonzero()[0])
    if bool(rows[row, place, query].isnan().any()):
        what = "holds NaN"
    elif float(leaks[row, place, query]) > LEAK:
        what = (
            f"puts {float(leaks[row, place, query]):.3g} on a key that it may not attend to, "
            "where 0 was expected"
        )
    else:
        what = f"sums to {float(sums[row, place, query]):.6g}, where 1 was expected"
    document = documents[row]
    raise CaptureError(
        f"{name}: the attention row of {heads[place]} (layer {heads[place].layer}, head "
        f"{heads[place].index}) at query {query} of document {document.id} (text "
        f"{document.text_id!r}) {what}. The rows cannot be trusted: try dtype float32, and "
        "report the model's architecture."
    )
