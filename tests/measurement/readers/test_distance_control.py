"""The distance control equals a double loop over pairs with the head's own averages."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import headtests as ht
from headtests.claims.definitions import (
    Entropy,
    ExceedRate,
    Lift,
    Mass,
    Peak,
    Precision,
    RowOptions,
    Top1Rate,
)
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.token_view import BatchTokens, TokenView
from headtests.measurement.readers import distance_control as module
from headtests.measurement.readers.distance_control import matched_rows
from tests import tiny_models
from tests.measurement.blocks import (
    HEAD,
    at_random,
    by_hand,
    figures_of,
    measured,
    vocabulary,
    with_norms,
)
from tests.measurement.several import several
from tests.oracles import (
    DUPLICATE,
    EVERY_ROW,
    FIRST,
    INDUCTION,
    ON_KEY,
    ON_QUERY,
    PREVIOUS,
    Reader,
    follows_distance,
)

FIXED = settings(derandomize=True, deadline=None, max_examples=50)
NEAR = 1e-6
options = st.builds(RowOptions, st.booleans(), st.sampled_from([0, 1, 2]))


def control(block, chosen):
    """Return a block's rows as the control has them."""
    return matched_rows(block.tokens, block.rows, chosen).numpy()


def control_of(measured, chosen):
    """Return the texts with the control's attention, by hand."""
    return [
        follows_distance(text, chosen.suppress_first_token, chosen.min_query)
        for text in measured.texts
    ]


@pytest.mark.slow
@FIXED
@given(measured(), options)
def test_rows_follow_the_average_at_each_distance(measured, chosen):
    expected = {text.number: text.attention for text in control_of(measured, chosen)}
    for block in measured.blocks:
        (found,) = control(block, chosen)
        assert found.shape == tuple(block.rows[0].shape)
        for row, document in enumerate(block.batch.documents):
            length = len(document)
            lines = range(chosen.min_query, length)
            hoped = np.array(expected[document.id], dtype=float).reshape(length, length)
            assert found[row, lines, :length] == pytest.approx(hoped[lines], abs=NEAR)
            assert not found[row, length:].any()
            assert not found[row, :, length:].any()


@pytest.mark.slow
@FIXED
@given(measured(), options)
def test_each_row_sums_to_what_it_does(measured, chosen):
    for block in measured.blocks:
        (found,), (read,) = control(block, chosen), block.rows.numpy()
        rests = 1 if chosen.suppress_first_token else 0
        for row, document in enumerate(block.batch.documents):
            for q in range(chosen.min_query, len(document)):
                if found[row, q, rests:].any():
                    assert found[row, q].sum() == pytest.approx(1, abs=NEAR)
                if rests:
                    assert found[row, q, 0] == read[row, q, 0]


@pytest.fixture(
    scope="module",
    params=[{}, {"window": 4}, {"bidirectional": True}],
    ids=["causal", "windowed", "bidirectional"],
)
def some(request):
    """Documents of several lengths in whose rows nothing ties."""
    return with_norms(at_random(2, [7, 12, 2, 9, 1, 5], ties=False, **request.param), few=False)


CHOSEN = [RowOptions(True), RowOptions(False), RowOptions(True, 3)]
CONDITIONS = [None, EVERY_ROW, ON_QUERY["query repeats"]]
RELATIONS = [PREVIOUS, ~PREVIOUS, FIRST, DUPLICATE, INDUCTION, PREVIOUS | FIRST, ON_KEY["key < 3"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("on", "when", "chosen"),
    # Each relation with each option, and each condition with each of both.
    [
        (on, CONDITIONS[(place + turn) % 3], chosen)
        for place, on in enumerate(RELATIONS)
        for turn, chosen in enumerate(CHOSEN)
    ],
    ids=repr,
)
def test_every_statistic_of_the_control(on, when, chosen, some):
    control = Reader(control_of(some, chosen), chosen.suppress_first_token, chosen.min_query)
    relation, condition = on.expression, None if when is None else when.expression
    for statistic, expected in (
        (Mass(relation, condition), control.mass(on, when)),
        (Mass(relation, condition, ht.duplicate), control.mass(on, when, DUPLICATE)),
        (Lift(relation, condition), control.lift(on, when)),
        (Mass(relation, condition, weights="value"), control.value_mass(on, when)),
        (Entropy(condition), control.entropy(when)),
        (Peak(condition), control.peak(when)),
        (Top1Rate(relation, condition), control.top1_rate(on, when)),
        (ExceedRate(relation, condition, 1.3), control.exceed_rate(1.3, on, when)),
        (Precision(relation, condition, 0.7), control.precision(on, 0.7, when)),
    ):
        found = figures_of(some.blocks, statistic, chosen, matched=True)
        assert found.documents.tolist() == expected.documents
        assert found.rows.tolist() == expected.rows
        for value, hoped in (
            (found.average, expected.value),
            (found.base_rate, expected.base),
            (found.resting_mass, expected.resting),
        ):
            assert (value is None) == (hoped is None)
            assert value is None or float(value) == pytest.approx(hoped, rel=NEAR, abs=NEAR)


@pytest.mark.slow
@FIXED
@given(measured(), st.sampled_from([PREVIOUS, DUPLICATE, ~PREVIOUS, FIRST]), options)
def test_lift_over_distance_is_the_mass_over_that_of_the_control(measured, on, chosen):
    lift = Lift(on.expression, None, "distance")
    found = figures_of(measured.blocks, lift, chosen)
    mass = figures_of(measured.blocks, Mass(on.expression, None), chosen)
    control = figures_of(measured.blocks, Mass(on.expression, None), chosen, matched=True)
    assert found.documents.tolist() == mass.documents.tolist()
    assert found.numerators.tolist() == mass.numerators.tolist()
    assert found.denominators.tolist() == control.numerators.tolist()
    assert found.base_rates.tolist() == mass.base_rates.tolist()
    assert found.base_denominators.tolist() == control.numerators.tolist()
    itself = figures_of(measured.blocks, lift, chosen, matched=True)
    assert itself.average in (None, Fraction(1))


def test_a_document_read_by_hand():
    rows = [[1.0], [0.5, 0.5], [0.25, 0.75, 0.0], [0.5, 0.0, 0.25, 0.25]]
    one = by_hand([[" a", "et", ",", "I"]], [rows])
    # Key 0 takes no part: a(0) = (0.5 + 0 + 0.25) / 3, a(1) = (0.75 + 0.25) / 2, a(2) = 0.
    found = control(one.blocks[0], RowOptions(True))[0, 0]
    assert found[1].tolist() == [0.5, 0.5, 0, 0]
    assert found[2].tolist() == [0.25, 0.5, 0.25, 0]
    assert found[3] == pytest.approx([0.5, 0, 1 / 3, 1 / 6])


def test_a_head_that_attends_by_distance_alone_is_its_own_control():
    weights = [0.25, 0.375, 0.125, 0.125]
    rows = [[1.0]]
    for q in range(1, 5):
        behind = weights[:q][::-1]
        rows.append([1 - sum(behind), *behind])
    one = by_hand([["et"] * 5], [rows])
    found = control(one.blocks[0], RowOptions(True))
    assert found[0, 0, 1:] == pytest.approx(one.blocks[0].rows[0, 0, 1:].numpy())


def test_small_averages_on_one_side_keep_their_digits_beside_large_ones_on_the_other():
    (block,) = at_random(0, [6], bidirectional=True).blocks
    rows = torch.zeros((1, 1, 6, 6))
    for q in range(5):
        rows[0, 0, q, q + 1] = 1
    rows[0, 0, 5, 1], rows[0, 0, 5, 4] = 2e-18, 4e-18
    # One pair has the distance 4, and four the distance 1.
    found = control(Block(block.tokens, (HEAD,), rows), RowOptions(True))[0, 0, 5]
    assert found == pytest.approx([0, 2 / 3, 0, 0, 1 / 3, 0])


@pytest.mark.parametrize(
    ("chosen", "strip"),
    [(RowOptions(True), 3), (RowOptions(False, 3), 1), (RowOptions(True), 64)],
    ids=repr,
)
@pytest.mark.parametrize("kind", ["causal", "windowed", "bidirectional", "apart", "ahead"])
def test_any_keys_of_long_documents(kind, strip, chosen, monkeypatch):
    """By a loop over pairs, of several heads, looked at a few rows and documents at a time."""
    monkeypatch.setattr(module, "QUERIES", strip)
    monkeypatch.setattr(module, "CELLS", strip * 40)
    generator = np.random.default_rng(4)
    allowed = np.tri(19, dtype=bool)
    if kind == "windowed":
        allowed = np.triu(allowed, -5)
    elif kind == "bidirectional":
        allowed[:] = True
    elif kind == "apart":
        allowed &= (generator.random((19, 19)) < 0.6) | np.eye(19, dtype=bool)
    elif kind == "ahead":
        # One key behind the query, and otherwise as windows have them.
        allowed = np.tri(19, k=1, dtype=bool)
    batch = tiny_models.batch_of(tiny_models.random_documents([19, 18, 7, 1]))
    tokens = BatchTokens(batch, allowed)
    weights = generator.random((2, *tokens.attendable.shape)) * tokens.attendable
    rows = (weights / np.maximum(weights.sum(-1, keepdims=True), 1e-9)).astype(np.float32)
    found = matched_rows(tokens, torch.from_numpy(rows), chosen).numpy()
    pairs = TokenView(tokens, vocabulary(), chosen).pairs
    for head, number in np.ndindex(found.shape[:2]):
        assert found[head, number] == pytest.approx(
            by_loops(rows[head, number], pairs[number], chosen), abs=NEAR
        )


def by_loops(rows, pairs, chosen):
    """Return a document's control, a pair at a time."""
    at_distance = {}
    for q, k in zip(*np.nonzero(pairs), strict=True):
        at_distance.setdefault(q - k, []).append(float(rows[q, k]))
    averages = {distance: np.mean(values) for distance, values in at_distance.items()}
    result = np.zeros_like(rows)
    for q in range(len(rows)):
        keys = np.flatnonzero(pairs[q])
        total = sum(averages[q - k] for k in keys)
        whole = 1 - rows[q, 0] if chosen.suppress_first_token else 1
        for k in keys:
            result[q, k] = whole * averages[q - k] / total if total else 0
        if chosen.suppress_first_token:
            result[q, 0] = rows[q, 0]
    return result


def test_a_head_has_its_own_averages():
    rows = several(4, [9, 12, 5], ties=False)
    for block in rows.blocks:
        together = matched_rows(block.tokens, block.rows, RowOptions(True))
        for place in range(len(block.heads)):
            one = block.rows[place : place + 1]
            alone = matched_rows(block.tokens, one, RowOptions(True))
            assert torch.equal(alone[0], together[place])


def test_rows_that_were_read_stay_as_they_were():
    (block,) = at_random(0, [9]).blocks
    before = block.rows.clone()
    matched_rows(block.tokens, block.rows, RowOptions(True))
    assert torch.equal(block.rows, before)
