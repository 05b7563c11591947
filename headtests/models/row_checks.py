"""Validation of attention rows: each is a probability distribution over its attendable keys."""

from collections.abc import Sequence

import torch

from headtests.corpora import Document
from headtests.errors import CaptureError
from headtests.expressions.head_names import HeadName

LEAK = 1e-6
"""The most attention that a row may put on a key that it may not attend to."""


def tolerance_of(dtype: torch.dtype) -> float:
    """Return how far the sum of a row may be from 1: four machine epsilons, at least 1e-4.

    >>> tolerance_of(torch.float32), tolerance_of(torch.bfloat16)
    (0.0001, 0.03125)
    """
    return max(1e-4, 4 * torch.finfo(dtype).eps)


def rows_agree(rows: torch.Tensor, expected: torch.Tensor, dtype: torch.dtype) -> bool:
    """Return whether rows of one shape are equal, up to the rounding of a model's dtype."""
    eps = torch.finfo(dtype).eps
    error = (rows - expected).abs()
    # False for NaN.
    return bool(error.max() <= max(1e-4, 32 * eps) and error.mean() <= max(1e-5, eps / 2))


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error says that memory ran out, on any device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text


def check_rows(
    rows: torch.Tensor,
    attendable: torch.Tensor,
    documents: Sequence[Document],
    heads: Sequence[HeadName],
    tolerance: float,
    sinks: bool,
    name: str,
) -> None:
    """Raise `CaptureError` for a row that is not a distribution over its attendable keys.

    `rows` is float32, `[document, head, query, key]`; `attendable` is boolean and broadcasts to it.
    Rows without an attendable key are not checked. With `sinks`, learned attention sinks that are
    not tokens, a row may sum to less than 1. `name` is the name of the model, for the message.
    """
    sums = rows.masked_fill(~attendable, 0.0).sum(-1)
    leaks = rows.masked_fill(attendable, 0.0).abs().amax(-1)
    # Negated, since comparisons with NaN are false.
    bad = ~(sums - 1 <= tolerance) | ~(leaks <= LEAK)
    bad |= ~(sums >= 0) if sinks else ~(1 - sums <= tolerance)
    bad &= attendable.any(-1)
    if not bool(bad.any()):
        return
    row, place, query = (int(index) for index in bad.nonzero()[0])
    if bool(rows[row, place, query].isnan().any()):
        problem = "holds NaN"
    elif float(leaks[row, place, query]) > LEAK:
        problem = (
            f"puts {float(leaks[row, place, query]):.3g} on a key that it may not attend to, "
            "where 0 was expected"
        )
    else:
        problem = f"sums to {float(sums[row, place, query]):.6g}, where 1 was expected"
    document = documents[row]
    raise CaptureError(
        f"{name}: the attention row of {heads[place]} (layer {heads[place].layer}, head "
        f"{heads[place].index}) at query {query} of document {document.id} (text "
        f"{document.text_id!r}) {problem}. The rows cannot be trusted: try dtype float32, and "
        "report the model's architecture."
    )
