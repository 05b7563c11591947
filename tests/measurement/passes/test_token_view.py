"""Keys of rows, as in the model itself, and the rows that count, from tokens alone."""

import numpy as np
import pytest
import torch

import headtests as ht
from headtests.claims.definitions import RowOptions
from headtests.measurement.passes.token_view import (
    BatchTokens,
    Places,
    TokenView,
    allowed_keys,
    uniform_mass,
)
from tests import tiny_models
from tests.measurement.blocks import alone, by_hand, vocabulary

MODELS = ["gpt2", "llama", "mistral", "gemma3", "gpt-neo", "roberta", "encoder"]


@pytest.mark.slow
@pytest.mark.parametrize("lengths", [[20, 3, 12, 1], [20, 20]], ids=["padded", "of one length"])
@pytest.mark.parametrize("name", MODELS)
def test_the_keys_of_rows_are_those_of_the_model(name, lengths, loaded):
    """Padding apart, they are the same for every document, and of a shorter one the beginning."""
    model = loaded(name)
    batch = tiny_models.batch_of(tiny_models.random_documents(lengths))
    for layer in range(model.shape.layers):
        allowed = allowed_keys(model, layer, 30)[:20, :20]
        tokens = BatchTokens(batch, allowed)
        expected = model.attendable(batch.valid, layer)
        assert torch.equal(torch.from_numpy(tokens.attendable.copy()), expected)
        assert tokens.counts.tolist() == expected.sum(-1).clamp(min=1).tolist()


def view_of(text, options):
    return TokenView(alone(text).tokens, vocabulary(), options)


@pytest.mark.parametrize(("suppress", "pairs"), [(True, 3), (False, 5)])
def test_key_0_has_no_multiple_under_suppression(suppress, pairs):
    (text,) = by_hand([[" a", "et", ","]], [None]).texts
    view = view_of(text, RowOptions(suppress))
    assert int(view.pairs.sum()) == pairs
    assert not (suppress and view.pairs[:, :, 0].any())


def test_uniform_attention_by_hand():
    (text,) = by_hand([[" a", "et", ","]], [None]).texts
    view = view_of(text, RowOptions(False))
    rows = Places.of(view.rows)
    assert uniform_mass(view, view.within(ht.previous), rows) == pytest.approx((1 / 2 + 1 / 3) / 2)
    nothing = Places.of(np.zeros_like(view.rows))
    assert uniform_mass(view, view.within(ht.previous), nothing).tolist() == [0]


def test_places_are_in_order_and_sums_are_of_each_document():
    mask = np.array([[[0, 1], [1, 0]], [[0, 0], [0, 0]], [[0, 0], [0, 1]]], dtype=bool)
    places = Places.of(mask)
    assert places.flat.tolist() == [1, 2, 11]
    assert places.counts.tolist() == [2, 0, 1]
    assert places.sums(np.array([0.25, 0.5, 4], dtype=np.float32)).tolist() == [0.75, 0, 4]
    assert places.sums(np.array([True, True, False])).tolist() == [2, 0, 0]
    many = Places.of(np.ones((1, 1000, 1), dtype=bool))
    tenths = np.full(1000, 0.1, dtype=np.float32)
    assert many.sums(tenths) == pytest.approx(1000 * float(tenths[0]), rel=1e-12)
    assert Places.of(mask & False).sums(np.zeros(0)).tolist() == [0, 0, 0]
