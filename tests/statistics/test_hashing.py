"""The keyed hash: pinned values, a permutation in each field, and a key that counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.statistics.hashing import keyed_hash

FIXED = settings(derandomize=True, deadline=None)
INTEGERS = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((0,), 0xE220A8397B1DCDAF),
        ((0, 0, 1, 0), 0xD9EEF7F073D37C42),
        ((7, 123_456, 511, 509), 0xBF48C80DCFCFAD9F),
        ((-1, -1), 0x6309143E67A47936),
    ],
)
def test_values_never_change_since_samples_would_change_with_them(arguments, expected):
    assert int(keyed_hash(*arguments)) == expected


def test_a_grid_of_pairs_has_no_collision():
    documents, queries, keys = np.ogrid[:40, :50, :50]
    hashes = keyed_hash(0, documents, queries, keys)
    assert np.unique(hashes).size == 40 * 50 * 50


@FIXED
@given(st.lists(INTEGERS, min_size=1, max_size=4), INTEGERS, st.data())
def test_tuples_that_differ_in_one_field_never_collide(fields, other, data):
    place = data.draw(st.integers(0, len(fields) - 1))
    changed = [*fields[:place], other, *fields[place + 1 :]]
    assert (keyed_hash(3, *fields) == keyed_hash(3, *changed)) == (fields == changed)


def test_the_order_of_fields_counts():
    assert keyed_hash(0, 1, 2) != keyed_hash(0, 2, 1)


def test_the_seed_reorders_everything():
    keys = np.arange(1000)
    orders = [np.argsort(keyed_hash(seed, keys)) for seed in range(20)]
    fixed_points = [np.mean(orders[0] == other) for other in orders[1:]]
    assert max(fixed_points) < 0.01


def test_each_bit_is_set_half_the_time():
    hashes = keyed_hash(0, np.arange(20_000))
    shares = [np.mean((hashes >> np.uint64(bit)) & np.uint64(1)) for bit in range(64)]
    # Six standard errors: 6 * 0.5 / sqrt(20,000).
    assert np.abs(np.array(shares) - 0.5).max() < 0.0213


def test_fields_broadcast():
    hashes = keyed_hash(5, 9, np.arange(3)[:, None], np.arange(4))
    assert hashes.shape == (3, 4)
    assert hashes.dtype == np.uint64
    assert hashes[2, 1] == keyed_hash(5, 9, 2, 1)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.int64, np.uint8])
def test_the_dtype_of_a_field_does_not_count(dtype):
    assert keyed_hash(0, np.array([1, 100], dtype)).tolist() == keyed_hash(0, [1, 100]).tolist()


def test_no_rows_hash_to_no_rows():
    assert keyed_hash(0, np.zeros((0, 3), dtype=np.int64)).shape == (0, 3)
