"""From attention rows to what each document contributes to a statistic.

The formulas of every statistic, on one head's blocks. What the figures decide is not asked here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from headtests.claims import ExceedRate, Lift, Mass, Precision, RowOptions, Statistic, Top1Rate
from headtests.corpora import Vocabulary
from headtests.errors import ClaimError
from headtests.expressions.conditions import EveryRow
from headtests.expressions.nodes import And, Expression, Not, Or
from headtests.masks import Masks
from headtests.statistics import DocumentFigures, quantise
from headtests.sweep.forward import Block


@dataclass(frozen=True, eq=False)
class RowView:
    """A block with what every statistic asks of it; float64 throughout."""

    attention: torch.Tensor
    """`[batch, query, key]`; 0 where a row may not attend."""
    attendable: torch.Tensor
    """Boolean, `[batch, query, key]`."""
    counts: torch.Tensor
    """Keys that each row may attend to, `[batch, query]`; 1 where there are none."""
    rows: torch.Tensor
    """Boolean, `[batch, query]`: the query positions that are rows."""
    pairs: torch.Tensor
    """Boolean, `[batch, query, key]`: the pairs of those rows that have a multiple."""
    masks: Masks

    @property
    def multiples(self) -> torch.Tensor:
        """Attention as a multiple of the row's average, `[batch, query, key]`."""
        return self.attention * self.counts[:, :, None]

    def within(self, relation: Expression) -> torch.Tensor:
        """Return the attendable keys in a relation, boolean `[batch, query, key]`."""
        return self.masks.relation(relation) & self.attendable

    def when(self, condition: Expression | None) -> torch.Tensor:
        """Return the rows where a condition holds, boolean `[batch, query]`."""
        return self.rows if condition is None else self.rows & self.masks.rows(condition)


def row_view(block: Block, vocabulary: Vocabulary, options: RowOptions) -> RowView:
    """Return a block as statistics see it."""
    positions = torch.arange(block.batch.ids.shape[1])
    rows = block.batch.valid & (positions >= options.min_query)
    pairs = block.attendable & rows[:, :, None]
    if options.suppress_first_token:
        pairs = pairs & (positions > 0)
    return RowView(
        attention=block.rows.double(),
        attendable=block.attendable,
        counts=block.attendable.sum(-1).clamp(min=1),
        rows=rows,
        pairs=pairs,
        masks=Masks(block.batch, vocabulary, options.suppress_first_token),
    )


@dataclass(frozen=True, eq=False)
class _Shares:
    """What each row gives, `[batch, query]`, or each document, `[batch]`; None for 1."""

    eligible: torch.Tensor
    """Boolean, `[batch, query]`."""
    numerators: torch.Tensor
    denominators: torch.Tensor | None
    base: torch.Tensor
    base_denominators: torch.Tensor | None


def document_figures(
    blocks: Iterable[Block], vocabulary: Vocabulary, statistic: Statistic, options: RowOptions
) -> DocumentFigures:
    """Return the figures of every document that has an eligible row, ordered by document id."""
    columns: list[dict[str, torch.Tensor | None]] = []
    for block in blocks:
        view = row_view(block, vocabulary, options)
        shares = _shares(view, statistic)
        ids = torch.tensor([document.id for document in block.batch.documents])
        counted = shares.eligible.sum(-1)
        kept = counted > 0
        columns.append(
            {
                "documents": ids[kept],
                "rows": counted[kept],
                "numerators": _average(shares.numerators, shares.eligible)[kept],
                "denominators": _optional(shares.denominators, shares.eligible, kept),
                "base_rates": _average(shares.base, shares.eligible)[kept],
                "base_denominators": _optional(shares.base_denominators, shares.eligible, kept),
                "resting": _average(view.attention[:, :, 0], shares.eligible)[kept],
            }
        )
    documents = _joined(columns, "documents").astype(np.int64)
    order = np.argsort(documents, kind="stable")
    has_denominator = bool(columns) and columns[0]["denominators"] is not None
    has_base_denominator = bool(columns) and columns[0]["base_denominators"] is not None

    def quanta(name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return quantise(_joined(columns, name))[order]

    return DocumentFigures(
        documents=documents[order],
        numerators=quanta("numerators"),
        denominators=quanta("denominators") if has_denominator else None,
        rows=_joined(columns, "rows").astype(np.int64)[order],
        base_rates=quanta("base_rates"),
        base_denominators=quanta("base_denominators") if has_base_denominator else None,
        resting=quanta("resting"),
    )


def _average(values: torch.Tensor, eligible: torch.Tensor) -> torch.Tensor:
    """Return the average over a document's eligible rows; figures of documents stay as they are."""
    if values.dim() == 1:
        return values
    counted = eligible.sum(-1).clamp(min=1)
    return values.masked_fill(~eligible, 0.0).sum(-1) / counted


def _optional(
    values: torch.Tensor | None, eligible: torch.Tensor, kept: torch.Tensor
) -> torch.Tensor | None:
    return None if values is None else _average(values, eligible)[kept]


def _joined(
    columns: list[dict[str, torch.Tensor | None]], name: str
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    parts = [part.numpy() for column in columns if (part := column[name]) is not None]
    return np.concatenate(parts) if parts else np.zeros(0)


def _shares(view: RowView, statistic: Statistic) -> _Shares:
    match statistic:
        case Mass(on=on, of=of):
            return _mass(view, statistic, on, of)
        case Lift():
            return _lift(view, statistic)
        case Top1Rate():
            return _top1(view, statistic)
        case ExceedRate(multiple=multiple):
            return _exceed(view, statistic, multiple)
        case Precision(above=above):
            return _precision(view, statistic, above)
        case _:
            raise ClaimError(f"no measurement is known for {statistic!r}.")


def _eligible(view: RowView, statistic: Statistic, within: torch.Tensor) -> torch.Tensor:
    rows = view.when(statistic.when)
    if statistic.when is not None and _counts_every_row(statistic.when):
        return rows
    return rows & within.any(-1)


def _counts_every_row(condition: Expression) -> bool:
    match condition:
        case EveryRow():
            return True
        case And(parts) | Or(parts):
            return any(_counts_every_row(part) for part in parts)
        case Not(part):
            return _counts_every_row(part)
        case _:
            return False


def _uniform(view: RowView, keys: torch.Tensor) -> torch.Tensor:
    return keys.sum(-1).double() / view.counts


def _on(view: RowView, keys: torch.Tensor) -> torch.Tensor:
    return view.attention.masked_fill(~keys, 0.0).sum(-1)


def _mass(view: RowView, statistic: Statistic, on: Expression, of: Expression | None) -> _Shares:
    within = view.within(on)
    eligible = _eligible(view, statistic, within)
    if of is None:
        return _Shares(eligible, _on(view, within), None, _uniform(view, within), None)
    whole = view.within(of)
    both = within & whole
    return _Shares(
        eligible, _on(view, both), _on(view, whole), _uniform(view, both), _uniform(view, whole)
    )


def _lift(view: RowView, statistic: Statistic) -> _Shares:
    within = view.within(statistic.on)
    uniform = _uniform(view, within)
    return _Shares(_eligible(view, statistic, within), _on(view, within), uniform, uniform, uniform)


def _top1(view: RowView, statistic: Statistic) -> _Shares:
    within = view.within(statistic.on)
    # argmax returns the first of equals, which is the lower key.
    top = view.attention.masked_fill(~view.attendable, -1.0).argmax(-1, keepdim=True)
    hit = within.gather(-1, top)[..., 0].double()
    return _Shares(_eligible(view, statistic, within), hit, None, _uniform(view, within), None)


def _exceed(view: RowView, statistic: Statistic, multiple: float) -> _Shares:
    within = view.within(statistic.on)
    # Of a row without such a key there is no pair to count, whatever `when=` says.
    eligible = view.when(statistic.when) & within.any(-1) & (view.counts >= multiple)
    pairs = within & eligible[:, :, None]
    hits = pairs & (view.multiples >= multiple)
    share = _document_share(hits, pairs)
    uniform = torch.full_like(share, float(multiple <= 1))
    return _Shares(eligible, share, None, uniform, None)


def _precision(view: RowView, statistic: Statistic, above: float) -> _Shares:
    possible = view.when(statistic.when) & (view.counts >= above)
    within = view.within(statistic.on) & possible[:, :, None]
    # `on=ht.first` asks for key 0, which has no multiple otherwise.
    pairs = (view.pairs & possible[:, :, None]) | within
    eligible = possible & pairs.any(-1)
    strong = pairs & (view.multiples >= above)
    whole = torch.ones(len(pairs), dtype=torch.float64)
    return _Shares(
        eligible,
        _document_share(strong & within, pairs),
        _document_share(strong, pairs),
        _document_share(within, pairs),
        whole,
    )


def _document_share(hits: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
    return hits.sum((1, 2)).double() / pairs.sum((1, 2)).clamp(min=1)
