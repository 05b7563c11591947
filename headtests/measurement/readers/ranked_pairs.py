"""The reader of ranked multiples: the exact top pairs of every head, of blocks as they come.

Which rows can hold one of them is found from the rows' maxima, so that little else of a block is
looked at. The bottom pairs, and those of a relation, are read by `pairs`.
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
"""Bits of a position in a pair's number: the rows of a longer document fit on no device."""
LANES = 32
"""Floats that a CPU compares at once: rows of a multiple of these take a third of the time."""
LAST = 2**63 - 1
"""A number after that of any pair."""


class RankedReader:
    """The `size` above-average pairs of highest multiple of every head that is read.

    Ties are broken on `(document, query, key)`. No document may be read twice for one head.
    Raises `SettingError` for a size under 1.
    """

    def __init__(self, options: RowOptions, size: int, fixed: bool | None = None) -> None:
        self._options = options
        # Raises what is wrong with the size before anything runs.
        self._size = RankedPairs(size).size
        self._fixed = fixed
        self._found: dict[HeadName, _BestPairs] = {}
        self._kept: dict[tuple[HeadName, ...], _BestPairsOnDevice] = {}
        # Under suppress_first_token, key 0 has no multiple.
        self._skipped = int(options.suppress_first_token)

    def read(self, block: Block) -> None:
        """Take in a block.

        On the CPU only the rows that can matter are read; elsewhere (and with `fixed`) no shape
        depends on the attention, so that nothing waits for the device.
        """
        if block.rows.shape[-1] <= self._skipped:
            return
        fixed = block.rows.device.type != "cpu" if self._fixed is None else self._fixed
        if fixed:
            self._read_fixed(block)
        else:
            self._read_some(block)

    def pairs(self, head: HeadName) -> Pairs:
        """Return a head's pairs, best first; fewer than `size` where fewer are above average."""
        best = RankedPairs(self._size)
        if head in self._found:
            best.update(self._found[head].pairs)
        for heads, kept in self._kept.items():
            if head in heads:
                best.update(kept.pairs(heads.index(head)))
        return best.pairs

    def _read_some(self, block: Block) -> None:
        keys = keys_of_rows(block.tokens, self._options)
        maxima = _maxima(block.rows, self._skipped).numpy() * keys
        for place, head in enumerate(block.heads):
            found = self._found.setdefault(head, _BestPairs(self._size))
            best = maxima[place].reshape(-1)
            lines = np.flatnonzero(best >= found.bound)
            if lines.size:
                self._take(found, block, place, lines, best[lines])

    def _take(
        self, found: "_BestPairs", block: Block, place: int, lines: Int64s, best: Float64s
    ) -> None:
        bound = found.bound
        if lines.size > self._size:
            # So many rows have a pair of at least this.
            bound = float(np.partition(best, -self._size)[-self._size])
            lines = lines[best >= bound]
        length = block.rows.shape[-1]
        attention = block.rows[place].numpy().reshape(-1, length)[lines]
        keys = keys_of_rows(block.tokens, self._options).reshape(-1)[lines]
        multiples = attention * keys[:, None]
        multiples[:, : self._skipped] = 0
        line, key = np.nonzero(multiples >= bound)
        row, query = np.divmod(lines[line], length)
        found.add((ids_of(block.tokens)[row], query, key, multiples[line, key]))

    def _read_fixed(self, block: Block) -> None:
        heads, _, _, length = block.rows.shape
        numbers, keys = self._lines(block.tokens, block.rows.device)
        maxima = block.rows[..., self._skipped :].amax(-1).reshape(heads, -1) * keys
        # A pair of another row has as many pairs before it: the best of each of these.
        lines = _first(maxima, numbers.expand_as(maxima), self._size)
        attention = block.rows.view(heads, -1, length).gather(
            1, lines[:, :, None].expand(-1, -1, length)
        )
        multiples = attention * keys[lines][:, :, None]
        multiples[:, :, : self._skipped] = 0
        positions = torch.arange(length, device=numbers.device)
        pairs = (numbers[lines][:, :, None] + positions).reshape(heads, -1)
        kept = self._kept.setdefault(block.heads, _BestPairsOnDevice(self._size))
        kept.add(multiples.reshape(heads, -1), pairs)

    def _lines(
        self, tokens: BatchTokens, device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the number of each row's pair with key 0, and its keys, `[batch * query]`."""

        def make() -> tuple[torch.Tensor, torch.Tensor]:
            keys = keys_of_rows(tokens, self._options)
            documents = ids_of(tokens)[:, None] << 2 * POSITION_BITS
            numbers = documents + (np.arange(keys.shape[1]) << POSITION_BITS)
            return on_device(numbers.reshape(-1), device), on_device(keys.reshape(-1), device)

        return tokens.remember(
            ("numbered rows", self._options, device),
            make,
            lambda made: sum(tensor.nbytes for tensor in made),
        )


class _BestPairs:
    """A head's best pairs on the CPU."""

    def __init__(self, size: int) -> None:
        self._best = RankedPairs(size)
        self._waiting: list[tuple[Int64s, Int64s, Int64s, Float64s]] = []
        self._count = 0
        self.bound = OVER_AVERAGE
        """What a multiple must reach to matter."""

    def add(self, columns: tuple[Int64s, Int64s, Int64s, Float64s]) -> None:
        """Take in pairs: documents, queries, keys and multiples."""
        self._waiting.append(columns)
        self._count += len(columns[0])
        # Sorting them in costs as much of a few as of many.
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
    """The best pairs of some heads on a device."""

    size: int
    multiples: torch.Tensor | None = None
    """Float64, `[head, pair]`, in no order; those that are not above average mean nothing."""
    numbers: torch.Tensor | None = None
    """Document, query and key in one, in the same places."""

    def add(self, multiples: torch.Tensor, numbers: torch.Tensor) -> None:
        """Take in pairs."""
        if self.multiples is not None and self.numbers is not None:
            multiples = torch.cat((self.multiples, multiples), 1)
            numbers = torch.cat((self.numbers, numbers), 1)
        first = _first(multiples, numbers, self.size)
        self.multiples, self.numbers = multiples.gather(1, first), numbers.gather(1, first)

    def pairs(self, place: int) -> Pairs:
        """Return the pairs of a head, in no order; waits for the device."""
        if self.multiples is None or self.numbers is None:
            return Pairs.empty()
        multiples, numbers = self.multiples[place].cpu().numpy(), self.numbers[place].cpu().numpy()
        chosen = multiples > 1
        numbers = numbers[chosen]
        position = 2**POSITION_BITS - 1
        return Pairs.of(
            numbers >> 2 * POSITION_BITS,
            (numbers >> POSITION_BITS) & position,
            numbers & position,
            multiples[chosen],
        )


def _maxima(rows: torch.Tensor, skipped: int) -> torch.Tensor:
    """Return the greatest of each row, on a CPU, without its first key or with it."""
    if not skipped or rows.shape[-1] <= LANES:
        return rows[..., skipped:].amax(-1)
    start = rows[..., :LANES].clone()
    start[..., 0] = 0
    return torch.maximum(start.amax(-1), rows[..., LANES:].amax(-1))


def _first(values: torch.Tensor, numbers: torch.Tensor, size: int) -> torch.Tensor:
    """Return where the greatest values stand, those of lowest number where values are equal.

    Of each row of two tensors `[head, n]`; the result is `[head, size]` in no order.
    """
    size = min(size, values.shape[1])
    bound = values.topk(size).values[:, -1:]
    # Fewer than `size` are greater, and they come first whichever their numbers.
    order = torch.where(values > bound, -1, numbers).masked_fill(values < bound, LAST)
    return order.topk(size, largest=False, sorted=False).indices
