"""Names of heads: what they select, how they print, and their errors."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.errors import HeadNameError
from headtests.expressions.head_names import HeadName, HeadSelector, parse_head

FIXED = settings(derandomize=True, deadline=None)
NUMBERS = st.none() | st.integers(0, 200)


@FIXED
@given(NUMBERS, NUMBERS)
def test_a_selector_reads_back_from_what_it_prints(layer, index):
    selector = HeadSelector(layer, index)
    assert parse_head(str(selector)) == selector


def test_one_head_is_named_by_layer_and_place():
    assert parse_head("L5H11").name == HeadName(layer=5, index=11)
    assert str(HeadName(5, 11)) == "L5H11"


@pytest.mark.parametrize("text", ["L5H*", "L*H1", "L*H*"])
def test_a_star_names_no_single_head(text):
    assert parse_head(text).name is None


@pytest.mark.parametrize(
    ("text", "heads"),
    [
        ("L1H2", ["L1H2"]),
        ("L0H*", ["L0H0", "L0H1", "L0H2"]),
        ("L*H2", ["L0H2", "L1H2"]),
        ("L*H*", ["L0H0", "L0H1", "L0H2", "L1H0", "L1H1", "L1H2"]),
    ],
)
def test_within_a_model_of_two_layers_of_three_heads(text, heads):
    assert [str(name) for name in parse_head(text).within(layers=2, heads=3)] == heads


def test_within_a_model_of_one_head_every_selector_means_it():
    for text in ("L0H0", "L0H*", "L*H0", "L*H*"):
        assert parse_head(text).within(layers=1, heads=1) == [HeadName(0, 0)]


def test_heads_sort_by_layer_and_then_by_place():
    assert sorted([HeadName(10, 0), HeadName(2, 9), HeadName(2, 1)]) == [
        HeadName(2, 1),
        HeadName(2, 9),
        HeadName(10, 0),
    ]


@pytest.mark.parametrize("text", ["L9H0", "L2H0", "L2H*", "L0H3", "L*H3", "L9H9"])
def test_a_head_that_the_model_lacks_is_told_what_it_has(text):
    with pytest.raises(HeadNameError) as raised:
        parse_head(text).within(layers=2, heads=3)
    assert str(raised.value) == (
        f"{text} is no head of this model: it has 2 layers of 3 heads, L0H0 to L1H2. "
        "Layers and heads count from 0."
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("5.1", "L5H1"),
        ("l5h1", "L5H1"),
        ("L5.H1", "L5H1"),
        ("(5, 11)", "L5H11"),
        ("L5H1 ", "L5H1"),
        ("layer 5 head 11", "L5H11"),
    ],
)
def test_two_numbers_in_another_notation_are_told_the_name_that_was_meant(text, meant):
    with pytest.raises(HeadNameError) as raised:
        parse_head(text)
    assert str(raised.value).startswith(f"{text!r} is not a head's name. Heads are named like ")
    assert str(raised.value).endswith(f'; did you mean "{meant}"?')


@pytest.mark.parametrize("text", ["L5", "", "H1", "L5H", "LxHy", "*", "1.2.3", "L5H1, L5H2"])
def test_what_has_not_two_numbers_is_told_how_heads_are_named(text):
    with pytest.raises(HeadNameError) as raised:
        parse_head(text)
    assert str(raised.value) == (
        f'{text!r} is not a head\'s name. Heads are named like "L5H1" (head 1 of layer 5, both '
        'from 0) or "L5H*" (every head).'
    )


@pytest.mark.parametrize("found", [5, None, 5.1, (5, 1), HeadName(5, 1)])
def test_a_head_is_named_by_a_string(found):
    with pytest.raises(HeadNameError) as raised:
        parse_head(found)
    assert str(raised.value) == (
        f'expected a head\'s name but found {found!r}. Heads are named like "L5H1" (head 1 of '
        'layer 5, both from 0) or "L5H*" (every head).'
    )
