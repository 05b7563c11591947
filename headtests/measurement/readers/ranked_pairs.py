"""The reader of ranked multiples: the exact top pairs of every head, block by block.

The maximum of each row tells whether it can have one of them, so that most of a block is not read.
`pair_requests` reads the bottom pairs, and pairs in a relation.
"""

from dataclasses import dataclass

import numpy as np
import torch

from headtests.claims.definitions import RowOptions
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.token_view import BatchTokens, ids_of, keys_of_rows, on_device
from headtests.statistics.quanta import Float64s, Int64s
from headtests.statistics.sketches import Pairs, RankedPairs

OVER_AVERAGE = float(np.nextafter(1.0, 2.0))
"""The least multiple that is above average."""

POSITION_BITS = 17
"""Bits of a position in a pair's number; rows of a longer document do not fit on any device."""
LANES = 32
"""Floats that a CPU compares at once; rows of a multiple of 32 values take a third of the time."""
LAST = 2**63 - 1
"""A number larger than the number of any pair."""


class RankedReader:
    """Finds the `size` above-average pairs of highest multiple of every head that it reads.

    Ties are broken on `(document, query, key)`. No document may be read twice for one head.
    Raises `SettingError` for a size under 1.
    """

    def __init__(self, options: RowOptions, size: int, fixed: bool | None = None) -> None:
        self._options = options
        # Raises the error for an invalid size before anything runs.
        self._size = RankedPairs(size).size
        self._fixed = fixed
        self._best: dict[HeadName, _BestPairs] = {}
        self._best_on_device: dict[tuple[HeadName, ...], _BestPairsOnDevice] = {}
        # Under suppress_first_token, key 0 has no multiple.
        self._skipped = int(options.suppress_first_token)

    def read(self, block: Block) -> None:
        """Process a block.

        On the CPU, only the rows that can matter are read. On other devices, and with `fixed`, no
        shape depends on attention values, so that there is no synchronisation with the device.
        """
        if block.rows.shape[-1] <= self._skipped:
            return
        fixed = block.rows.device.type != "cpu" if self._fixed is None else self._fixed
        if fixed:
            self._read_fixed(block)
        else:
            self._read_some(block)

    def pairs(self, head: HeadName) -> Pairs:
        """Return a head's pairs, best first; fewer than `size` if fewer are above average."""
        best = RankedPairs(self._size)
        if head in self._best:
            best.update(self._best[head].pairs)
        for heads, device_best in self._best_on_device.items():
            if head in heads:
                best.update(device_best.pairs(heads.index(head)))
        return best.pairs

    def _read_some(self, block: Block) -> None:
        keys = keys_of_rows(block.tokens, self._options)
        maxima = _maxima(block.rows, self._skipped).numpy() * keys
        for place, head in enumerate(block.heads):
            best = self._best.setdefault(head, _BestPairs(self._size))
            greatest = maxima[place].reshape(-1)
            lines = np.flatnonzero(greatest >= best.bound)
            if lines.size:
                self._take(best, block, place, lines, greatest[lines])

    def _take(
        self, best: "_BestPairs", block: Block, place: int, lines: Int64s, greatest: Float64s
    ) -> None:
        bound = best.bound
        if lines.size > self._size:
            # As many rows as are needed have a pair of at least this.
            bound = float(np.partition(greatest, -self._size)[-self._size])
            lines = lines[greatest >= bound]
        length = block.rows.shape[-1]
        attention = block.rows[place].numpy().reshape(-1, length)[lines]
        keys = keys_of_rows(block.tokens, self._options).reshape(-1)[lines]
        multiples = attention * keys[:, None]
        multiples[:, : self._skipped] = 0
        line, key = np.nonzero(multiples >= bound)
        row, query = np.divmod(lines[line], length)
        best.add((ids_of(block.tokens)[row], query, key, multiples[line, key]))

    def _read_fixed(self, block: Block) -> None:
        heads, _, _, length = block.rows.shape
        numbers, keys = self._lines(block.tokens, block.rows.device)
        maxima = block.rows[..., self._skipped :].amax(-1).reshape(heads, -1) * keys
        # Any pair of another row comes after at least `size` pairs: the best of each of these rows.
        lines = _first(maxima, numbers.expand_as(maxima), self._size)
        attention = block.rows.view(heads, -1, length).gather(
            1, lines[:, :, None].expand(-1, -1, length)
        )
        multiples = attention * keys[lines][:, :, None]
        multiples[:, :, : self._skipped] = 0
        positions = torch.arange(length, device=numbers.device)
        pairs = (numbers[lines][:, :, None] + positions).reshape(heads, -1)
        best = self._best_on_device.setdefault(block.heads, _BestPairsOnDevice(self._size))
        best.add(multiples.reshape(heads, -1), pairs)

    def _lines(
        self, tokens: BatchTokens, device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the number of each row's pair with key 0, and its key count, `[batch * query]`."""

        def make() -> tuple[torch.Tensor, torch.Tensor]:
            keys = keys_of_rows(tokens, self._options)
            documents = ids_of(tokens)[:, None] << 2 * POSITION_BITS
            numbers = documents + (np.arange(keys.shape[1]) << POSITION_BITS)
            return on_device(numbers.reshape(-1), device), on_device(keys.reshape(-1), device)

        return tokens.cached(
            ("numbered rows", self._options, device),
            make,
            lambda tensors: sum(tensor.nbytes for tensor in tensors),
        )


class _BestPairs:
    """A head's best pairs, on the CPU."""

    def __init__(self, size: int) -> None:
        self._best = RankedPairs(size)
        self._waiting: list[tuple[Int64s, Int64s, Int64s, Float64s]] = []
        self._count = 0
        self.bound = OVER_AVERAGE
        """The least multiple that a new pair needs to be among the best."""

    def add(self, columns: tuple[Int64s, Int64s, Int64s, Float64s]) -> None:
        """Add pairs: documents, queries, keys and multiples, each `[pair]`."""
        self._waiting.append(columns)
        self._count += len(columns[0])
        # Merging a few pairs costs as much as merging many.
        if self._count >= self._best.size:
            self._settle()

    def _settle(self) -> None:
        if not self._count:
            return
        self._best.update(Pairs(*map(np.concatenate, zip(*self._waiting, strict=True))))
        self._waiting.clear()
        self._count = 0
        if self._best.threshold is not None:
            self.bound = self._best.threshold

    @property
    def pairs(self) -> Pairs:
        """The pairs, best first."""
        self._settle()
        return self._best.pairs


@dataclass(eq=False)
class _BestPairsOnDevice:
    """The best pairs of some heads, on their device."""

    size: int
    multiples: torch.Tensor | None = None
    """Float64 `[head, pair]`, in no order; values up to 1 are to be ignored."""
    numbers: torch.Tensor | None = None
    """Document, query and key packed into one int64 each, `[head, pair]`."""

    def add(self, multiples: torch.Tensor, numbers: torch.Tensor) -> None:
        """Add pairs, each tensor `[head, pair]`."""
        if self.multiples is not None and self.numbers is not None:
            multiples = torch.cat((self.multiples, multiples), 1)
            numbers = torch.cat((self.numbers, numbers), 1)
        first = _first(multiples, numbers, self.size)
        self.multiples, self.numbers = multiples.gather(1, first), numbers.gather(1, first)

    def pairs(self, place: int) -> Pairs:
        """Return the pairs of the head at a place, in no order; synchronises with the device."""
        if self.multiples is None or self.numbers is None:
            return Pairs.empty()
        multiples, numbers = self.multiples[place].cpu().numpy(), self.numbers[place].cpu().numpy()
        above = multiples > 1
        numbers = numbers[above]
        position = 2**POSITION_BITS - 1
        return Pairs.of(
            numbers >> 2 * POSITION_BITS,
            (numbers >> POSITION_BITS) & position,
            numbers & position,
            multiples[above],
        )


def _maxima(rows: torch.Tensor, skipped: int) -> torch.Tensor:
    """Return each row's maximum over the last axis, on a CPU, without its first `skipped` keys."""
    if not skipped or rows.shape[-1] <= LANES:
        return rows[..., skipped:].amax(-1)
    start = rows[..., :LANES].clone()
    start[..., 0] = 0
    return torch.maximum(start.amax(-1), rows[..., LANES:].amax(-1))


def _first(values: torch.Tensor, numbers: torch.Tensor, size: int) -> torch.Tensor:
    """Return the indices of each head's greatest values; ties go to the lowest number.

    `values` and `numbers` are `[head, n]`; the result is `[head, size]`, in no order.
    """
    size = min(size, values.shape[1])
    bound = values.topk(size).values[:, -1:]
    # Fewer than `size` values are greater, and those come first whatever their numbers.
    order = torch.where(values > bound, -1, numbers).masked_fill(values < bound, LAST)
    return order.topk(size, largest=False, sorted=False).indices
