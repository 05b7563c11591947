"""Sums over places equal those of a loop, and depend on no other document of the batch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.measurement.passes.token_view import Places
from headtests.measurement.readers.segment_sums import CHUNK, SegmentSums

FIXED = settings(derandomize=True, deadline=None, max_examples=100)
CPU = torch.device("cpu")
LENGTHS = st.integers(0, 5) | st.sampled_from([CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 3])


def total(sums, values):
    return sums.totals(sums.gather(values))


def places_of(generator, counts, width=500):
    """Return places of documents of a width, so many of each."""
    mask = np.zeros((len(counts), width), dtype=bool)
    for row, count in zip(mask, counts, strict=True):
        row[generator.choice(width, count, replace=False)] = True
    return Places.of(mask), mask


@FIXED
@given(
    st.lists(st.lists(LENGTHS, min_size=2, max_size=2), min_size=1, max_size=3),
    st.integers(1, 3),
    st.integers(0, 10**6),
)
def test_sums_are_those_of_a_loop(counts, heads, seed):
    generator = np.random.default_rng(seed)
    parts = [places_of(generator, of_part) for of_part in counts]
    values = generator.random((heads, 2, 500)).astype(np.float32)
    found = total(SegmentSums.of([part for part, _ in parts], CPU), torch.from_numpy(values))
    assert found.dtype == torch.float64
    expected = [
        [
            float(values[head, row][mask[row]].astype(float).sum())
            for _, mask in parts
            for row in (0, 1)
        ]
        for head in range(heads)
    ]
    assert found.tolist() == [pytest.approx(line, rel=1e-12) for line in expected]


@pytest.mark.parametrize("count", [3, CHUNK - 1, 3 * CHUNK + 40])
def test_the_order_of_a_sum_is_its_own(count):
    """Beside others, among other heads, behind padding: the same to the last bit."""
    generator = np.random.default_rng(count)
    mine, mask = places_of(generator, [count])
    # Values so far apart in size that any other order rounds otherwise.
    values = (10 ** (-30 * generator.random(500))).astype(np.float32)
    (expected,) = total(SegmentSums.of([mine], CPU), torch.from_numpy(values)[None])[0].tolist()
    wider = np.zeros((3, 777), dtype=bool)
    wider[1, :500], wider[0, ::2], wider[2, 100:] = mask[0], True, True
    beside = torch.from_numpy(generator.random((4, 3, 777), dtype=np.float32))
    beside[2, 1, :500] = torch.from_numpy(values)
    found = total(SegmentSums.of([Places.of(wider), Places.of(wider)], CPU), beside)
    assert found[2, 1].item() == found[2, 4].item() == expected


def test_of_no_places_there_is_nothing():
    nothing = SegmentSums.of([Places.of(np.zeros((2, 4), dtype=bool))], CPU)
    assert total(nothing, torch.ones((3, 2, 4))).tolist() == [[0, 0]] * 3
    assert nothing.nbytes == 0


def test_lengths_are_not_checked_on_the_device(monkeypatch):
    """A check would have a GPU's sums waited for."""
    asked = []
    reduce = torch.segment_reduce
    monkeypatch.setattr(
        torch, "segment_reduce", lambda *given, **how: asked.append(how) or reduce(*given, **how)
    )
    places, _ = places_of(np.random.default_rng(0), [CHUNK + 3])
    total(SegmentSums.of([places], CPU), torch.ones((1, 1, 500)))
    assert [how["unsafe"] for how in asked] == [True, True]
