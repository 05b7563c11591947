"""Steps double, and within a step, documents of similar length share a batch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.measurement.passes.batch_plan import FIRST_STEP, plan_batches

FIXED = settings(derandomize=True, deadline=None, max_examples=100)


def plan(documents, budget, batch_size, seed=0):
    generator = np.random.default_rng(seed)
    lengths = generator.integers(2, 30, size=documents)
    return plan_batches(generator.permutation(documents), lengths, budget, batch_size), lengths


@pytest.mark.parametrize(
    ("budget", "extents"),
    [
        (1, (1,)),
        (63, (63,)),
        (64, (64,)),
        (65, (64, 65)),
        (128, (64, 128)),
        (129, (64, 128, 129)),
        (2000, (64, 128, 256, 512, 1024, 2000)),
    ],
)
def test_extents_double_up_to_the_budget(budget, extents):
    assert FIRST_STEP == 64
    assert plan(2000, budget, 32)[0].extents == extents


@FIXED
@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([1, 7, 32, 64, 1000]))
def test_batches_divide_the_steps_longest_first(documents, budget, batch_size):
    budget = min(documents, budget)
    found, lengths = plan(documents, budget, batch_size)
    start = 0
    for number, stop in enumerate(found.extents):
        members = [
            batch for batch, step in zip(found.batches, found.steps, strict=True) if step == number
        ]
        step = [document for batch in members for document in batch]
        assert sorted(step) == sorted(found.order[start:stop].tolist())
        assert lengths[step].tolist() == sorted(lengths[step].tolist(), reverse=True)
        assert all(len(batch) == batch_size for batch in members[:-1])
        assert 0 < len(members[-1]) <= batch_size
        start = stop
    assert sum(map(len, found.batches)) == budget


@pytest.mark.parametrize(
    ("start", "stop", "steps"),
    [(0, 64, {0}), (64, 128, {1}), (0, 128, {0, 1}), (0, 150, {0, 1, 2}), (64, 64, set())],
)
def test_batches_between_places_are_those_of_the_steps(start, stop, steps):
    found, _ = plan(150, 150, 16)
    numbers = found.between(start, stop)
    assert numbers == sorted(numbers)
    assert {found.steps[number] for number in numbers} == steps
    assert sum(len(found.batches[number]) for number in numbers) == stop - start
