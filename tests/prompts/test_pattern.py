"""One prompt's pattern: its values, multiples and top keys."""

import numpy as np
import pytest

from headtests.prompts.pattern import Pattern


@pytest.fixture
def pattern():
    return Pattern(
        tokens=("<bos>", " a", " b"),
        ids=(0, 1, 2),
        attention=np.array([[1, 0, 0], [0.25, 0.75, 0], [0.25, 0.5, 0.25]], dtype=np.float32),
        attendable=np.tri(3, dtype=bool),
    )


def test_one_value_is_read_by_query_and_key(pattern):
    assert pattern[1, 0] == 0.25
    assert pattern[1, 1] == 0.75
    assert type(pattern[1, 1]) is float


def test_a_multiple_is_the_value_times_the_keys_that_its_row_may_attend_to(pattern):
    assert pattern.multiples.tolist() == [[1, 0, 0], [0.5, 1.5, 0], [0.75, 1.5, 0.75]]


def test_the_top_key_is_the_one_attended_to_most(pattern):
    assert [pattern.top_key(query) for query in range(3)] == [0, 1, 1]
    assert type(pattern.top_key(0)) is int


def test_of_keys_attended_to_alike_the_lower_is_the_top_key():
    even = Pattern(("a", "b"), (1, 2), np.full((2, 2), 0.5, np.float32), np.ones((2, 2), bool))
    assert even.top_key(1) == 0


def test_a_key_that_may_not_be_attended_to_is_never_the_top_key():
    attendable = np.array([[False, True], [True, True]])
    nothing = Pattern(("a", "b"), (1, 2), np.zeros((2, 2), np.float32), attendable)
    assert nothing.top_key(0) == 1


def test_a_pattern_is_as_long_as_its_prompt(pattern):
    assert len(pattern) == 3


def test_a_pattern_prints_without_its_arrays(pattern):
    assert repr(pattern) == "Pattern(tokens=('<bos>', ' a', ' b'), ids=(0, 1, 2))"
