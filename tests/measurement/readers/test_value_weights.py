"""Value-weighted rows by themselves: what no pass can reach."""

import numpy as np
import pytest

from headtests.measurement.readers.value_weights import weighted_rows


def test_rows_are_shared_out_by_attention_times_norm():
    rows = np.array([[[1, 0, 0], [0.25, 0.75, 0], [0.5, 0.25, 0.25]]], dtype=np.float32)
    weighted = weighted_rows(rows, np.array([[1, 0, 2]], dtype=np.float32))
    assert weighted.dtype == np.float64
    assert weighted.tolist() == [[[1, 0, 0], [1, 0, 0], [0.5, 0, 0.5]]]


def test_a_row_whose_values_are_all_0_has_nothing():
    rows = np.array([[[1, 0], [0.5, 0.5]]], dtype=np.float32)
    assert weighted_rows(rows, np.zeros((1, 2), dtype=np.float32)).tolist() == [[[0, 0], [0, 0]]]


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_only_the_ratio_of_norms_counts(scale):
    rows = np.array([[[1, 0], [0.5, 0.5]]], dtype=np.float32)
    norms = np.array([[1, 3]], dtype=np.float32) * np.float32(scale)
    assert weighted_rows(rows, norms)[0, 1] == pytest.approx([0.25, 0.75])


def test_padding_does_not_change_the_last_bit():
    generator = np.random.default_rng(0)
    rows = generator.random((1, 9, 9), dtype=np.float32)
    norms = generator.random((1, 9), dtype=np.float32)
    wide = np.pad(rows, ((0, 0), (0, 0), (0, 30)))
    assert (
        weighted_rows(wide, np.pad(norms, ((0, 0), (0, 30))))[..., :9].tolist()
        == weighted_rows(rows, norms).tolist()
    )
