"""The split of the texts into two halves."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headtests.measurement.halves import measuring_texts


@given(st.integers(1, 200), st.integers(0, 2**32))
def test_the_halves_are_of_a_size(texts, seed):
    measuring = measuring_texts(np.arange(texts), seed)
    assert measuring.shape == (texts,)
    assert int(measuring.sum()) == texts // 2


def test_the_seed_decides_which_text_is_where():
    first, again, other = (measuring_texts(np.arange(40), seed).tolist() for seed in (0, 0, 1))
    assert first == again != other


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(0, 100))
def test_texts_that_say_the_same_stay_together(contents, seed):
    measuring = measuring_texts(np.array(contents), seed)
    for content in set(contents):
        same = {bool(one) for one, of in zip(measuring, contents, strict=True) if of == content}
        assert len(same) == 1
