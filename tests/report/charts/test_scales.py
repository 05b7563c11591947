import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtests.report.charts.scales import Scale, log_scale

figures = st.floats(0.001, 1000)


@given(st.floats(0, 1), st.floats(0, 1))
def test_places_have_the_order_of_figures_and_stay_on_the_axis(one: float, other: float) -> None:
    scale = Scale(0, 1, 10, 110)
    assert 10 <= scale.place(one) <= 110
    if one <= other:
        assert scale.place(one) <= scale.place(other)


def test_an_axis_may_grow_upwards() -> None:
    assert [Scale(0, 1, 164, 14).place(share) for share in (0, 0.5, 1)] == [164, 89, 14]


def test_what_lies_beyond_an_end_lies_on_it() -> None:
    scale = Scale(1, 100, 0, 10, is_log=True)
    assert (scale.place(0), scale.place(1e9)) == (0, 10)


@pytest.mark.slow
@given(st.lists(st.one_of(st.none(), figures), max_size=5))
def test_every_figure_and_a_multiple_of_one_lie_on_a_logarithmic_axis(
    found: list[float | None],
) -> None:
    scale = log_scale(found, 0, 100)
    known = [1.0, *(figure for figure in found if figure is not None)]
    assert scale.low <= max(min(known), 2.0**-10)
    assert scale.high >= max(known)
    assert math.log2(scale.low).is_integer()


def test_nothing_has_no_place_on_a_logarithmic_axis_and_stands_at_its_end() -> None:
    scale = log_scale([0.0, 3.0], 0, 100)
    assert scale.low == 0.5
    assert scale.place(0.0) == 0


@given(figures, st.floats(1.001, 1e6), st.booleans(), st.integers(2, 9))
def test_ticks_are_few_and_stand_on_the_axis_in_order(
    low: float, wide: float, is_log: bool, most: int
) -> None:
    scale = Scale(low, low * wide, 0, 100, is_log=is_log)
    ticks = scale.ticks(most)
    assert len(ticks) <= most
    places = [tick.place for tick in ticks]
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (-1, 1, ["-1", "-0.50", "0", "0.50", "1"]),
        (-3, 1, ["-3", "-2", "-1", "0", "1"]),
        (0, 0.07, ["0", "0.02", "0.04", "0.06"]),
    ],
)
def test_ticks_are_round(low: float, high: float, labels: list[str]) -> None:
    assert [tick.label for tick in Scale(low, high, 0, 100).ticks()] == labels


def test_ticks_of_less_than_a_power_of_ten_are_doublings_and_have_the_unit() -> None:
    scale = Scale(2, 9, 0, 100, is_log=True, unit="x")
    assert [tick.label for tick in scale.ticks()] == ["2x", "4x", "8x"]
    assert [tick.label for tick in scale.ends] == ["2x", "9x"]
