"""Attention rows from queries and keys: a softmax over the attendable keys, strip by strip.

Tensors in, tensors out, into a buffer that stays in the processor's cache and is reused. Nothing
here depends on the model or on what the rows are used for.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

STRIP = 128
"""Queries whose scores are computed together on the CPU, so that they stay in its cache."""


@dataclass(frozen=True, eq=False)
class RowStrip:
    """Consecutive rows, and the range of keys that any of them may attend to."""

    start: int
    """The first query."""
    stop: int
    """The end of the queries, exclusive."""
    first: int
    """The first key that a row of the strip may attend to."""
    last: int
    """The end of the keys, exclusive."""
    biases: tuple[tuple[slice, torch.Tensor], ...]
    """Ranges of keys, relative to `first`, that some rows may not attend to, each with a bias of
    -inf where they may not and 0 elsewhere, shape `[query, key]`."""


def strips(allowed: torch.Tensor, height: int) -> list[RowStrip]:
    """Return the rows split into strips of at most `height` rows.

    `allowed` is boolean, `[query, key]`: whether a row may attend to a key, at least one per row.

    >>> [(part.start, part.stop, part.last) for part in strips(torch.ones(5, 5).tril().bool(), 3)]
    [(0, 3, 3), (3, 5, 5)]
    """
    return list(_strips(allowed, height))


def _strips(allowed: torch.Tensor, height: int) -> Iterator[RowStrip]:
    length = len(allowed)
    on_cpu = allowed.cpu()
    for start in range(0, length, height):
        stop = min(length, start + height)
        some = on_cpu[start:stop].any(0).nonzero()
        first, last = int(some[0]), int(some[-1]) + 1
        part = on_cpu[start:stop, first:last]
        partly = (~part.all(0)).nonzero().flatten().tolist()
        biases = []
        for begin, end in _runs(partly):
            bias = torch.zeros(stop - start, end - begin)
            bias.masked_fill_(~part[:, begin:end], -torch.inf)
            biases.append((slice(begin, end), bias.to(allowed.device)))
        yield RowStrip(start, stop, first, last, tuple(biases))


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Yield `(first, last + 1)` of each run of consecutive numbers."""
    start = 0
    for place in range(1, len(numbers) + 1):
        if place == len(numbers) or numbers[place] != numbers[place - 1] + 1:
            yield numbers[start], numbers[place - 1] + 1
            start = place


def attention_rows(
    query: torch.Tensor,
    key: torch.Tensor,
    layout: list[RowStrip],
    lengths: list[int],
    hide_padding: bool,
    out: torch.Tensor,
) -> None:
    """Write the attention rows of some heads on some documents into `out`.

    A row is `softmax(query @ key.T)` over its attendable keys (Vaswani et al. 2017, "Attention is
    all you need", equation 1). `query` and `key` are float32,
    `[head, document, position, width]`, with the scaling already applied to the queries. `lengths`
    are the tokens of each document; later positions are padding, whose rows become 0. `out` is
    float32, `[head, document, query, key]`, and must be 0 where `layout` allows nothing.
    `hide_padding` masks keys of padding, which is needed for bidirectional models only.
    """
    longest = out.shape[-1]
    padded = [(row, length) for row, length in enumerate(lengths) if length < longest]
    keys = key.transpose(-1, -2)
    hidden = None
    if hide_padding and padded:
        hidden = torch.zeros(len(lengths), 1, longest, device=out.device)
        for row, length in padded:
            hidden[row, :, length:] = -torch.inf
    for strip in layout:
        scores = query[:, :, strip.start : strip.stop] @ keys[..., strip.first : strip.last]
        for where, bias in strip.biases:
            scores[..., where] += bias
        if hidden is not None:
            scores += hidden[..., strip.first : strip.last]
        torch.softmax(scores, -1, out=out[:, :, strip.start : strip.stop, strip.first : strip.last])
    for row, length in padded:
        out[:, row, length:] = 0
