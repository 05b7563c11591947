"""Sums of every head's attention over the signatures of a document's pairs, with their control.

What an atlas and the built-in explainer read: for each document one number a head and signature,
from which the mass of every relation, and of what is left of one without others, follows exactly.
Nothing per row is kept. `relation_plan` says which pair has which signature.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from headtests.claims.definitions import RowOptions
from headtests.corpora import Vocabulary
from headtests.expressions import Expression
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.token_view import on_device
from headtests.measurement.relation_plan import RelationPlan, relation_plans
from headtests.statistics.hashing import keyed_hash
from headtests.statistics.quanta import Float64s, Int64s

ENTROPY_ROWS = 16
"""The rows of a document whose entropy and largest attention are read, by hash."""
DISTANCES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
"""The first distance of each bin of a profile; a bin ends before the next one."""
_OF_ROWS = 9
"""Part of the hash key of rows."""


@dataclass(frozen=True, eq=False)
class DocumentSums:
    """What one document gives, for every head that is read; arrays `[head, ...]`, float64."""

    plan: RelationPlan
    attention: Float64s
    """The sum of attention over each signature's pairs, `[head, signature]`."""
    control: Float64s
    """The same for the distance control (`matched_rows`)."""
    off_rest: Float64s
    """Attention off position 0, summed over the rows with a key in a relation,
    `[head, relation]`; whole rows if key 0 is not suppressed."""
    resting: Float64s
    """Attention on position 0, summed over all rows, `[head]`."""
    distances: Float64s
    """The sum of attention at each `query - key + length - 1`, `[head, 2 * length - 1]`."""
    entropy: Float64s
    """The average row entropy over the logarithm of the number of keys, `[head]`; NaN for none."""
    peak: Float64s
    """The average of the rows' largest attention, `[head]`."""


@dataclass(eq=False)
class _Unfinished:
    """The sums of a document of which some layers have been read; arrays `[head, ...]`.

    Those that are merged by signature have the heads last, which takes a twentieth of the time.
    """

    plan: RelationPlan
    columns: Float64s
    column_controls: Float64s
    segments: Float64s
    segment_controls: Float64s
    off_rest: Float64s
    resting: Float64s
    distances: Float64s
    entropy: Float64s
    peak: Float64s
    left: set[HeadName]


class RelationSums:
    """A reader that calls `give` with each document's sums once all of its heads were read.

    All heads must be of layers whose rows may attend to the same keys: a plan is of such layers.
    """

    def __init__(
        self,
        heads: Sequence[HeadName],
        relations: Sequence[Expression],
        vocabulary: Vocabulary,
        options: RowOptions,
        seed: int,
        give: Callable[[DocumentSums], object],
        *,
        sinks: bool = False,
    ) -> None:
        """`sinks`: rows give attention to learned sinks that are no tokens, and sum to less."""
        self._places = {head: place for place, head in enumerate(heads)}
        self._relations = tuple(relations)
        self._vocabulary = vocabulary
        self._options = options
        self._seed = seed
        self._give = give
        self._sinks = sinks
        self._plans: dict[tuple[int, ...], _BlockPlan] = {}
        self._unfinished: dict[int, _Unfinished] = {}

    def read(self, block: Block) -> None:
        """Process a block; heads that are not among those of the reader are ignored."""
        some = [place for place, head in enumerate(block.heads) if head in self._places]
        if not some:
            return
        heads = [block.heads[place] for place in some]
        rows = block.rows if len(some) == len(block.heads) else block.rows[some]
        plan = self._plan(block)
        sums = _block_sums(rows, plan, self._options.suppress_first_token, self._sinks)
        places = self._places_of(heads)
        for index, document_plan in enumerate(plan.documents):
            if document_plan is None:
                continue
            unfinished = self._unfinished.get(document_plan.document)
            if unfinished is None:
                unfinished = self._begin(document_plan)
                self._unfinished[document_plan.document] = unfinished
            sums.copy_to(unfinished, index, plan, places)
            unfinished.left.difference_update(heads)
            if not unfinished.left:
                del self._unfinished[document_plan.document]
                self._give(_finished(unfinished))

    def _places_of(self, heads: Sequence[HeadName]) -> slice | list[int]:
        places = [self._places[head] for head in heads]
        start, stop = places[0], places[0] + len(places)
        # Faster than indexing with a list.
        return slice(start, stop) if places == list(range(start, stop)) else places

    def _plan(self, block: Block) -> "_BlockPlan":
        key = tuple(document.id for document in block.batch.documents)
        if key not in self._plans:
            # Documents come back for each layer until all heads were read.
            waiting = self._unfinished.keys()
            self._plans = {
                known: plan for known, plan in self._plans.items() if not waiting.isdisjoint(known)
            }
            self._plans[key] = _BlockPlan(self._plans_of(block), block, self._seed)
        return self._plans[key]

    def _plans_of(self, block: Block) -> list[RelationPlan | None]:
        """Return the plan of each document of a block; None for those without a row."""
        documents = block.batch.documents
        known = [self._unfinished.get(document.id) for document in documents]
        if any(known):
            # Memory ran out, and what is left of these documents comes in other blocks.
            return [None if each is None else each.plan for each in known]
        plans = relation_plans(block.tokens, self._vocabulary, self._relations, self._options)
        return [
            plan if len(document) > self._options.min_query else None
            for document, plan in zip(documents, plans, strict=True)
        ]

    def _begin(self, plan: RelationPlan) -> _Unfinished:
        def zeros(*shape: int) -> Float64s:
            return np.zeros((len(self._places), *shape))

        def by_head(count: int) -> Float64s:
            return np.zeros((count, len(self._places)))

        keys, segments = plan.length - plan.first_key, len(plan.segments)
        return _Unfinished(
            plan,
            by_head(keys),
            by_head(keys),
            by_head(segments),
            by_head(segments),
            zeros(len(self._relations)),
            zeros(),
            zeros(2 * plan.length - 1),
            zeros(),
            zeros(),
            set(self._places),
        )


class _BlockPlan:
    """The plans of a block's documents as indices into the block, on its device."""

    def __init__(self, plans: Sequence[RelationPlan | None], block: Block, seed: int) -> None:
        documents, width = len(plans), block.rows.shape[-1]
        spread = 2 * width - 1
        self.documents = plans
        self.width = width
        real = [(place, plan) for place, plan in enumerate(plans) if plan is not None]
        self.looks_ahead = any(plan.looks_ahead for _, plan in real)
        self.first_key = max((plan.first_key for _, plan in real), default=0)
        rows = np.zeros((documents, width), dtype=np.float32)
        apart = np.ones((documents, spread))
        relations = max((plan.eligible.shape[1] for _, plan in real), default=0)
        eligible = np.zeros((documents, width, relations), dtype=np.float32)
        chosen = np.zeros((documents, ENTROPY_ROWS), dtype=np.int64)
        self.chosen = np.zeros(documents, dtype=np.int64)
        flat, distances, queries, segments = [], [], [], []
        for place, plan in real:
            rows[place, : plan.length] = plan.rows
            middle = slice(width - plan.length, width + plan.length - 1)
            apart[place, middle] = np.maximum(plan.apart, 1)
            eligible[place, : plan.length] = plan.eligible
            some = _rows_of_entropy(plan, seed)
            self.chosen[place] = len(some)
            chosen[place, : len(some)] = some
            flat.append((place * width + plan.queries) * width + plan.keys)
            distances.append(place * spread + plan.queries - plan.keys + width - 1)
            queries.append(place * width + plan.queries)
            segments.append(plan.segments)
        device = block.rows.device

        def joined(parts: list[npt.NDArray[Any]], dtype: type) -> torch.Tensor:
            return on_device(np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype), device)

        lengths = np.array([len(document) for document in block.batch.documents])
        starts = np.arange(width) + np.maximum(width - lengths, 0)[:, None]
        self.starts = on_device(np.minimum(starts, spread), device)
        self.rows = on_device(rows, device)
        self.apart = on_device(apart, device)
        self.eligible = on_device(eligible, device)
        self.flat = joined(flat, np.int32)
        self.distances = joined(distances, np.int32)
        self.queries = joined(queries, np.int32)
        self.segments = joined(segments, np.int64)
        keys = np.maximum(block.tokens.counts[np.arange(documents)[:, None], chosen], 2)
        self.keys_of_rows = on_device(keys.astype(np.float32), device)
        self.entropy_rows = on_device((chosen + np.arange(documents)[:, None] * width), device)
        ends = np.cumsum([0, *(0 if plan is None else len(plan.segments) for plan in plans)])
        self.segments_of = [slice(first, last) for first, last in pairwise(ends.tolist())]


@dataclass(frozen=True, eq=False)
class _BlockSums:
    """The sums of a block, float64 on the CPU, `[head, document, ...]`."""

    columns: Float64s
    column_controls: Float64s
    segments: Float64s
    """Of all documents, `[head, segment]`."""
    segment_controls: Float64s
    off_rest: Float64s
    resting: Float64s
    distances: Float64s
    entropy: Float64s
    """Summed over the rows that are read for it."""
    peak: Float64s

    def copy_to(
        self, into: _Unfinished, index: int, plan: _BlockPlan, places: slice | list[int]
    ) -> None:
        """Copy the sums of one document to some of its heads."""
        length, first = into.plan.length, into.plan.first_key
        middle = slice(plan.width - length, plan.width + length - 1)
        some, rows = plan.segments_of[index], max(int(plan.chosen[index]), 1)
        into.columns[:, places] = self.columns[:, index, first:length].T
        into.column_controls[:, places] = self.column_controls[:, index, first:length].T
        into.segments[:, places] = self.segments[:, some].T
        into.segment_controls[:, places] = self.segment_controls[:, some].T
        into.off_rest[places] = self.off_rest[:, index]
        into.resting[places] = self.resting[:, index]
        into.distances[places] = self.distances[:, index, middle]
        into.entropy[places] = self.entropy[:, index] / rows
        into.peak[places] = self.peak[:, index] / rows


def _rows_of_entropy(plan: RelationPlan, seed: int) -> Int64s:
    rows = np.flatnonzero(plan.rows)
    # A row of one key has no entropy to speak of.
    rows = rows if plan.looks_ahead else rows[rows > 0]
    hashed = keyed_hash(seed, _OF_ROWS, plan.document, rows)
    chosen: Int64s = np.sort(rows[np.argsort(hashed, kind="stable")[:ENTROPY_ROWS]])
    return chosen


def _block_sums(rows: torch.Tensor, plan: _BlockPlan, suppress: bool, sinks: bool) -> _BlockSums:
    """Return the sums of some heads' rows, float32 `[head, document, query, key]`."""
    heads = len(rows)
    resting = rows[..., 0] * plan.rows
    target = plan.rows - resting if suppress else plan.rows.expand(heads, -1, -1)
    off_rest = target
    if sinks and suppress:
        off_rest = rows[..., 1:].sum(-1) * plan.rows
    columns = torch.matmul(plan.rows[:, None], rows)[:, :, 0]
    distances = _diagonals(rows, plan, suppress)
    averages = distances / plan.apart
    scales = _scales(averages, target.double(), plan)
    gathered = rows.reshape(heads, -1).index_select(1, plan.flat)
    control = averages.float().flatten(1).index_select(1, plan.distances)
    control *= scales.float().flatten(1).index_select(1, plan.queries)
    some = rows.reshape(heads, -1, plan.width).index_select(1, plan.entropy_rows.flatten())
    entropy, peak = _entropies(some.view(heads, *plan.entropy_rows.shape, plan.width), plan)
    return _BlockSums(
        *(
            values.double().cpu().numpy()
            for values in (
                columns,
                _column_controls(scales, averages, plan),
                _segment_sums(gathered, plan.segments),
                _segment_sums(control, plan.segments),
                torch.matmul(off_rest[:, :, None], plan.eligible)[:, :, 0],
                resting.sum(-1),
                distances,
                entropy,
                peak,
            )
        )
    )


def _diagonals(rows: torch.Tensor, plan: _BlockPlan, suppress: bool) -> torch.Tensor:
    """Return the sum of attention at each `query - key + width - 1`, `[head, document, ...]`.

    Over pairs that have a multiple, float64, `2 * width - 1` of them.
    """
    heads, documents, width, _ = rows.shape
    sums = rows.new_zeros((heads, documents, 2 * width - 1), dtype=torch.float64)
    if not plan.looks_ahead and rows.is_contiguous() and width > 1:
        # Seen one place further to the right with each row, diagonals are columns. Row 0 has its
        # own key alone, and what is after a row's own key is 0.
        skewed = rows.as_strided(
            (heads, documents, width - 1, width),
            (*rows.stride()[:2], width + 1, 1),
            rows.storage_offset() + 2,
        )
        sums[:, :, width - 1 :] = torch.matmul(plan.rows[:, None, 1:], skewed)[:, :, 0].flip(-1)
        sums[:, :, width - 1] += rows[:, :, 0, 0] * plan.rows[:, 0]
    else:
        padded = rows.new_zeros((heads, documents, width, 2 * width))
        padded[..., :width] = rows.flip(-1) * plan.rows[:, :, None]
        skewed = padded.as_strided(
            (heads, documents, width, 2 * width - 1),
            (*padded.stride()[:2], 2 * width - 1, 1),
        )
        sums += skewed.sum(2, dtype=torch.float64)
    if suppress:
        sums[:, :, width - 1 :] -= rows[..., 0] * plan.rows
    return sums.clamp_(min=0)


def _scales(averages: torch.Tensor, target: torch.Tensor, plan: _BlockPlan) -> torch.Tensor:
    """Return what each row's control is scaled by, so that it sums to `target`; its shape."""
    running = torch.nn.functional.pad(averages.cumsum(-1), (1, 0))
    width = plan.width
    # Keys from `first_key` to a document's last: distances from `query - length + 1` on.
    last = width - plan.first_key
    before = running.gather(-1, plan.starts.expand(len(running), -1, -1))
    totals = running[..., last : last + width] - before
    return torch.where(totals > 0, target / totals, 0.0)


def _column_controls(
    scales: torch.Tensor, averages: torch.Tensor, plan: _BlockPlan
) -> torch.Tensor:
    """Return the control's sum over each key's column, `[head, document, key]`.

    `sum over q of scales[q] * averages[q - k + width - 1]`: a correlation, by Fourier transform.
    """
    width = plan.width
    if not plan.looks_ahead:
        averages = averages[..., width - 1 :]
    size = 1 << (averages.shape[-1] + width - 1).bit_length()
    product = torch.fft.rfft(averages, size).conj() * torch.fft.rfft(scales, size)
    # Place m holds the sum over q of scales[q + m] * averages[q], indices modulo the size.
    correlation: torch.Tensor = torch.fft.irfft(product, size)
    first = 0 if not plan.looks_ahead else 1 - width
    keys = torch.arange(width, device=scales.device) + first
    return correlation[..., keys % size].clamp(min=0)


def _segment_sums(values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the sums of consecutive runs of values, float64 `[head, segment]`."""
    if not values.shape[1]:
        return values.new_zeros((len(values), len(lengths)), dtype=torch.float64)
    if values.device.type == "cpu":
        starts = (lengths.cumsum(0) - lengths).numpy()
        sums = np.add.reduceat(values.numpy(), starts, axis=1, dtype=np.float64)
        return torch.from_numpy(sums)
    each = lengths.expand(len(values), -1)
    return torch.segment_reduce(values.double(), "sum", lengths=each, axis=1, unsafe=True)


def _entropies(rows: torch.Tensor, plan: _BlockPlan) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the sums of entropies over the logarithm of keys, and of largest attentions.

    `rows` is `[head, document, row, key]`, of which each document has `plan.chosen`.
    """
    is_row = np.arange(rows.shape[2]) < plan.chosen[:, None]
    keys = plan.keys_of_rows
    entropies = torch.special.entr(rows).sum(-1) / keys.log()
    used = on_device(is_row.astype(np.float32), rows.device)
    return (entropies * used).sum(-1), (rows.amax(-1) * used).sum(-1)


def bins(plan: RelationPlan) -> list[tuple[int, int]]:
    """Return the first and the last distance of each bin of a document's profile.

    Ascending; distances after the query are negative, and only there if rows look ahead.
    """
    ends = [*DISTANCES[1:], plan.length]
    ahead = [
        (first, min(end, plan.length) - 1)
        for first, end in zip(DISTANCES, ends, strict=True)
        if min(end, plan.length) > first
    ]
    if not plan.looks_ahead:
        return ahead
    return [(-last, -first) for first, last in reversed(ahead) if first > 0] + ahead


def _finished(sums: _Unfinished) -> DocumentSums:
    plan = sums.plan

    def by_signature(columns: Float64s, segments: Float64s) -> Float64s:
        # Sums over whole columns count gathered pairs with the others of their key.
        result = torch.zeros((len(plan.signatures), columns.shape[1]), dtype=torch.float64)
        result.index_add_(0, torch.from_numpy(plan.columns), torch.from_numpy(columns))
        gathered = torch.from_numpy(segments)
        result.index_add_(0, torch.from_numpy(plan.own), gathered)
        result.index_add_(0, torch.from_numpy(plan.of_columns), gathered, alpha=-1)
        sums: Float64s = result.clamp_(min=0).numpy().T
        return sums

    return DocumentSums(
        plan,
        by_signature(sums.columns, sums.segments),
        by_signature(sums.column_controls, sums.segment_controls),
        sums.off_rest,
        sums.resting,
        sums.distances,
        sums.entropy,
        sums.peak,
    )
