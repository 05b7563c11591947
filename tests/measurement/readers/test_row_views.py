"""Values that several statistics share are computed once per block, and equal those of a loop."""

import gc
import weakref

import numpy as np
import pytest
import torch

from headtests.claims.definitions import RowOptions
from headtests.measurement.passes.blocks import Block
from headtests.measurement.readers import row_views as module
from headtests.measurement.readers.row_views import RowView
from tests.measurement.several import several


@pytest.fixture
def rows():
    """Rows full of ties, of documents of several lengths, those of layer 1 in windows."""
    return several(2, [9, 12, 5, 1], window=4)


def test_the_most_attended_key_is_the_first_of_equals(rows):
    for block in rows.blocks:
        length = block.rows.shape[-1]
        places = RowView.of(block).top_places.view(block.rows.shape[:3])
        for head, number, q in np.ndindex(*block.rows.shape[:3]):
            if q < len(block.batch.documents[number]):
                row = block.rows[head, number, q].tolist()
                expected = (number * length + q) * length + row.index(max(row))
                assert places[head, number, q] == expected


def test_of_nothing_it_is_the_lowest_key(rows):
    for block in rows.blocks:
        empty = Block(block.tokens, block.heads, torch.zeros_like(block.rows))
        places = RowView.of(empty).top_places.view(block.rows.shape[:3])
        length = block.rows.shape[-1]
        for head, number, q in np.ndindex(*block.rows.shape[:3]):
            if q < len(block.batch.documents[number]):
                lowest = np.flatnonzero(block.tokens.attendable[number, q])[0]
                assert places[head, number, q] == (number * length + q) * length + lowest


@pytest.mark.parametrize("cells", [1, 30, 10**6])
def test_totals_are_those_of_rows(cells, rows, monkeypatch):
    monkeypatch.setattr(module, "CELLS", cells)
    for block in rows.blocks:
        totals = RowView.of(block).totals
        assert totals.dtype == torch.float64
        assert totals.shape == block.rows.shape[:3]
        assert totals.tolist() == pytest.approx(block.rows.double().sum(-1), abs=1e-12)


def test_everything_is_found_once(rows, monkeypatch):
    block = rows.blocks[0]
    made = []
    monkeypatch.setattr(module, "_argmax", lambda rows: made.append("top") or rows.argmax(-1))
    control = module.matched_rows
    monkeypatch.setattr(
        module, "matched_rows", lambda *given: made.append(given[2]) or control(*given)
    )
    for _ in range(2):
        seen = RowView.of(block)
        assert seen.top_places is seen.top_places
        assert seen.totals is seen.totals
        for options in (RowOptions(True), RowOptions(False)):
            assert seen.matched(options).rows.shape == block.rows.shape
    assert made == ["top", RowOptions(True), RowOptions(False)]
    other = Block(block.tokens, block.heads, block.rows)
    assert RowView.of(other) is not RowView.of(block)


@pytest.mark.slow
def test_it_lasts_as_long_as_the_block(rows):
    block = Block(rows.blocks[0].tokens, rows.blocks[0].heads, rows.blocks[0].rows)
    control = weakref.ref(RowView.of(block).matched(RowOptions(True)))
    assert control() is not None
    del block
    gc.collect()
    assert control() is None
