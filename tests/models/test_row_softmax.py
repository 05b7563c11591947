"""Rows out of queries and keys are those of a softmax worked out row by row."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.models.config import ModelShape
from headtests.models.row_reading import Layouts
from headtests.models.row_softmax import STRIP, attention_rows, strips

WIDTH = 8
CPU = torch.device("cpu")


def layouts_of(window, bidirectional):
    return Layouts(ModelShape(1, 1, None, (window,)), bidirectional, CPU)


def at_random(heads, documents, length, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (heads, documents, length, WIDTH)
    return torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)


def naive(query, key, lengths, window, bidirectional):
    """Work out each row by itself, in float64."""
    query, key = query.double().numpy(), key.double().numpy()
    heads, documents, longest, _ = query.shape
    rows = np.zeros((heads, documents, longest, longest))
    for head in range(heads):
        for document, length in enumerate(lengths):
            for place in range(length):
                first = 0 if window is None else max(0, place - window + 1)
                last = length if bidirectional else place + 1
                if bidirectional and window is not None:
                    last = min(length, place + window)
                scores = key[head, document, first:last] @ query[head, document, place]
                powers = np.exp(scores - scores.max())
                rows[head, document, place, first:last] = powers / powers.sum()
    return torch.from_numpy(rows)


def assert_rows(query, key, layout, lengths, window, bidirectional, out):
    attention_rows(query, key, layout, lengths, bidirectional, out)
    expected = naive(query, key, lengths, window, bidirectional)
    torch.testing.assert_close(out.double(), expected, rtol=0, atol=1e-6)
    # What a row may not attend to is exactly 0, and not only near it.
    assert not out[expected == 0].any()


@pytest.mark.parametrize(
    ("length", "window", "bidirectional", "height"),
    [
        (1, None, False, STRIP),
        (127, 128, False, STRIP),
        (128, None, True, STRIP),
        (129, 128, False, STRIP),
        (129, 5, True, 10**6),
        (300, None, False, STRIP),
        (300, 5, False, STRIP),
        (300, 200, False, STRIP),
        (300, 5, True, STRIP),
    ],
)
def test_rows_are_a_softmax_of_the_keys_that_count(length, window, bidirectional, height):
    """Around the height of a strip; the law below covers what is shorter."""
    lengths = [length, max(1, length - 3), 1]
    query, key = at_random(2, len(lengths), length)
    allowed = layouts_of(window, bidirectional).allowed(0, length)
    out = torch.zeros(2, len(lengths), length, length)
    assert_rows(query, key, strips(allowed, height), lengths, window, bidirectional, out)


@given(
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=4),
    window=st.none() | st.integers(1, 25),
    bidirectional=st.booleans(),
    height=st.integers(1, 21),
    heads=st.integers(1, 3),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=60, deadline=None)
def test_whatever_the_lengths_the_window_and_the_height(
    lengths, window, bidirectional, height, heads, seed
):
    longest = max(lengths)
    query, key = at_random(heads, len(lengths), longest, seed)
    layout = strips(layouts_of(window, bidirectional).allowed(0, longest), height)
    out = torch.zeros(heads, len(lengths), longest, longest)
    assert_rows(query, key, layout, lengths, window, bidirectional, out)
    # The same buffer, with nothing of the last rows left.
    other = [max(1, longest - length) for length in lengths]
    query, key = at_random(heads, len(lengths), longest, seed + 1)
    assert_rows(query, key, layout, other, window, bidirectional, out)


def test_strips_cover_every_row_and_no_key_in_vain():
    length, window = 300, 20
    allowed = layouts_of(window, False).allowed(0, length)
    layout = strips(allowed, STRIP)
    assert [(strip.start, strip.stop) for strip in layout] == [(0, 128), (128, 256), (256, 300)]
    for strip in layout:
        part = allowed[strip.start : strip.stop]
        assert part[:, strip.first].any()
        assert part[:, strip.last - 1].any()
        assert not part[:, : strip.first].any()
        assert not part[:, strip.last :].any()


def test_keys_that_every_row_attends_to_need_no_bias():
    (whole,) = strips(torch.ones(6, 6, dtype=torch.bool), STRIP)
    assert whole.biases == ()
    _, second = strips(layouts_of(None, False).allowed(0, 2 * STRIP), STRIP)
    ((where, bias),) = second.biases
    # Of the causal diagonal alone; its first column is everybody's.
    assert where == slice(STRIP + 1, 2 * STRIP)
    assert bias.isinf().any(0).all()


def test_scores_far_apart_make_no_nan():
    query = torch.full((1, 1, 3, 1), 1e4)
    key = torch.tensor([-1e4, 0.0, 1e4]).reshape(1, 1, 3, 1)
    out = torch.zeros(1, 1, 3, 3)
    layout = strips(layouts_of(None, False).allowed(0, 3), STRIP)
    attention_rows(query, key, layout, [3], False, out)
    assert torch.equal(out[0, 0], torch.eye(3))
