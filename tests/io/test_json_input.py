import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.io.json_input import MAX_DEPTH, DeepJsonError, load_json, require_shallow


def naive_depth(value):
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(naive_depth, value), default=0) if isinstance(value, list) else 0


VALUES = st.recursive(
    st.text(st.sampled_from('[]{}"\\a\n')) | st.integers(0, 9),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.sampled_from('[{"\\')), inner),
    max_leaves=20,
)


@pytest.mark.slow
@settings(derandomize=True, deadline=None)
@given(VALUES)
def test_json_of_usual_depth_is_parsed_and_of_great_depth_refused(value):
    for text in (json.dumps(value), json.dumps(value).encode()):
        assert load_json(text) == value
    allowed = MAX_DEPTH - naive_depth(value)
    for inside in ("[", '{"[":'):
        outside = "]" if inside == "[" else "}"
        require_shallow(inside * allowed + json.dumps(value) + outside * allowed)
        with pytest.raises(DeepJsonError, match=f"{MAX_DEPTH} levels"):
            load_json(inside * (allowed + 1) + json.dumps(value) + outside * (allowed + 1))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":[' * 1000, ("[" * 600 + "]" * 600).encode()])
def test_json_that_is_not_even_whole_is_refused_for_its_depth(text):
    with pytest.raises(DeepJsonError):
        load_json(text)


@pytest.mark.parametrize("text", ["[], " * 1000, "]" * 1000, '["' + "[" * 1000, "", "[1, 2"])
def test_what_is_not_json_is_no_matter_of_depth(text):
    require_shallow(text)
    with pytest.raises(json.JSONDecodeError):
        load_json(text)


def test_brackets_in_strings_are_no_depth():
    value = ["[" * 1000 + '"' + "\\" * 3 + "{" * 1000]
    assert load_json(json.dumps(value)) == value


def test_a_caller_near_the_recursion_limit_gets_the_same_error():
    def deeper():
        try:
            return deeper()
        except RecursionError:
            return load_json("[" * 400 + "]" * 400)

    with pytest.raises((DeepJsonError, RecursionError)):
        deeper()
