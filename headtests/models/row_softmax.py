"""From queries and keys to attention rows: softmax, strip by strip, of the keys that count.

Tensors in, tensors out, in a buffer that stays in cache and is used again. Which model, which
heads and who reads the rows is not known here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

STRIP = 128
"""Queries whose scores are worked out together on the CPU, so that they stay in cache."""


@dataclass(frozen=True, eq=False)
class RowStrip:
    """Some rows, and the keys that any of them may attend to."""

    start: int
    """The first query."""
    stop: int
    """The query behind the last."""
    first: int
    """The first key that one of them may attend to."""
    last: int
    """The key behind the last of these."""
    biases: tuple[tuple[slice, torch.Tensor], ...]
    """Keys, counted from the first, that some of the rows may not attend to, with -inf there."""


def strips(allowed: torch.Tensor, height: int) -> list[RowStrip]:
    """Return how to work out rows of which keys are allowed.

    `allowed` is boolean, `[query, key]`, and each row of it has a key. A strip has at most
    `height` rows.
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
    """Yield the first of each run of consecutive numbers, and the number behind its last."""
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
    """Write the attention rows of some heads on some documents.

    `query` and `key` are float32, `[head, document, position, width]`, the queries scaled;
    `lengths` are the tokens of each document, behind which is padding. `out` is float32,
    `[head, document, query, key]`, and 0 wherever `layout` allows nothing. `hide_padding`: where
    rows could attend to it, as those of a bidirectional model could. Rows of padding become 0.
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
