import pytest

from headtests.report.charts.interval_strips import axes_of, axis_of, drawn, strip
from headtests.report.charts.scales import Scale
from tests.report.sample import claim, estimate, fraction, other

AXES = axes_of([])
DIFFERENCE = {"value": 0.03, "low": 0.004, "high": 0.07}


def test_a_share_is_drawn_from_0_to_1() -> None:
    found = strip(claim(), AXES)
    share = Scale(0, 1, found.start, found.stop)
    assert found.bar == (share.place(0.09), share.place(0.16))
    assert (found.estimate, found.threshold) == (share.place(0.12), share.place(0.4))
    assert [end.label for end in found.ends] == ["0", "1"]


def test_a_threshold_is_said_as_it_was_written() -> None:
    assert "to the right of 0.9999" in strip(claim(right=0.9999), AXES).words


@pytest.mark.parametrize("operator", [">=", ">", "<=", "<"])
def test_the_side_on_which_the_claim_holds_is_shaded(operator: str) -> None:
    found = strip(claim(operator=operator), AXES)
    start, wide = found.claimed
    if operator in (">=", ">"):
        assert (start, start + wide) == (found.threshold, found.stop)
        assert "to the right of 0.40" in found.words
    else:
        assert (start, start + wide) == (found.start, pytest.approx(found.threshold))
        assert "to the left of 0.40" in found.words


def test_an_interval_without_a_bound_reaches_the_end_and_none_is_not_drawn() -> None:
    half = strip(claim(left=estimate(low=0.09, high=None)), AXES)
    assert half.bar is not None
    assert half.bar[1] == half.stop
    assert strip(claim(left=fraction()), AXES).bar is None


def test_of_two_statistics_the_difference_is_drawn() -> None:
    asked = claim(right=other(), difference=DIFFERENCE)
    assert drawn(asked) == (0.03, 0)
    assert axis_of(asked, AXES).low == -1
    tripled = claim(right=other(), factor=3, offset=0.02, difference=DIFFERENCE)
    assert drawn(tripled) == (0.03, 0.02)
    assert axis_of(tripled, AXES).low == -3
    assert "the difference 0.03, interval 0.004 to 0.07" in strip(tripled, AXES).words


def test_figures_of_pairs_are_drawn_where_they_are_compared() -> None:
    asked = claim(left=fraction(), right=fraction(value=0.2), factor=3)
    assert drawn(asked) == (0.62, pytest.approx(0.6))
    assert axis_of(asked, AXES) == AXES.share
    less = claim(left=fraction(), right=fraction(value=0.5), offset=-0.25)
    assert drawn(less) == (pytest.approx(0.12), -0.25)
    assert axis_of(less, AXES).low == -1


def test_all_multiples_of_a_report_share_one_axis() -> None:
    lift = {"kind": "lift", "low": 0.3, "high": 50.0, "value": 20.0}
    claims = [claim(left=estimate(**lift), right=10.0), claim(left=estimate(kind="lift"))]
    axes = axes_of(claims)
    assert (axes.multiple.low, axes.multiple.high) == (2.0**-4, 64)
    assert axis_of(claims[0], axes) is axis_of(claims[1], axes)
    assert [end.label for end in strip(claims[0], axes).ends] == ["0.0625\u00d7", "64\u00d7"]


def test_a_difference_of_multiples_has_an_axis_that_holds_it() -> None:
    lift = estimate(kind="lift", value=9.0)
    asked = claim(left=lift, right=lift, difference={"value": 5.0, "low": -3.0, "high": None})
    assert (axis_of(asked, AXES).low, axis_of(asked, AXES).high) == (-8, 8)
