"""Figures packed into text, and back."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from headtests.errors import BaselineError
from headtests.records.baseline import pack, unpack
from headtests.statistics.quanta import QUANTA


@given(arrays.arrays(np.int64, st.integers(0, 700), elements=st.integers(0, QUANTA)))
def test_what_was_packed_is_unpacked(figures):
    assert unpack(pack(figures), "it").tolist() == figures.tolist()


def test_six_hundred_documents_of_two_columns_stay_under_a_third_of_the_limit():
    figures = np.full(600, QUANTA)
    assert 2 * len(pack(figures)) < 20_000 / 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("AAA", "cannot be read"),
        ("AAAAAA==", None),
        ("AAAA", "cannot be read"),
        ("né", "cannot be read"),
        ("!!!!!!!!", "cannot be read"),
        (base64.b64encode(np.uint32(QUANTA + 1).tobytes()).decode(), "figure of 1"),
    ],
)
def test_what_holds_no_figures_is_refused(text, said):
    if said is None:
        assert unpack(text, "the file").tolist() == [0]
        return
    with pytest.raises(BaselineError, match=rf"^the file holds .*{said}"):
        unpack(text, "the file")
