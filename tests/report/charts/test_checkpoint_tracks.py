import itertools
import re
from typing import Any

import pytest

from headtests.records import ClaimRecord
from headtests.report.charts.checkpoint_tracks import MISSING, track
from tests.report import sample

BOTTOM, TOP = 156.0, 14.0


def at(value: float, **changes: Any) -> ClaimRecord:
    left = sample.estimate(value=value, low=value - 0.1, high=value + 0.1)
    return sample.claim(left=left, **changes)


def height(share: float) -> float:
    return round(BOTTOM - share * (BOTTOM - TOP), 1)


def test_a_figure_stands_as_high_as_it_is() -> None:
    drawn = track([at(0.25), at(0.75)], ["0", "1"], "step")
    assert [point.y for point in drawn.points] == [height(0.25), height(0.75)]
    assert [point.bar for point in drawn.points] == [
        (height(0.15), height(0.35)),
        (height(0.65), height(0.85)),
    ]
    assert drawn.threshold == f"M52 {height(0.4):g}H388"
    assert drawn.mark.label == "0.40 claimed"


def test_checkpoints_stand_equally_far_apart_from_the_left() -> None:
    drawn = track([at(0.2)] * 5, list("abcde"), "step")
    places = [point.x for point in drawn.points]
    assert places == sorted(places)
    steps = [after - before for before, after in itertools.pairwise(places)]
    assert steps == pytest.approx([steps[0]] * 4, abs=0.2)
    assert places[0] > 52
    assert places[-1] < 388
    assert [tick.label for tick in drawn.across] == list("abcde")


def test_one_checkpoint_alone_is_a_point_without_a_line() -> None:
    drawn = track([at(0.2)], ["1"], "checkpoint")
    assert (drawn.line, len(drawn.points)) == ("", 1)


def test_where_a_claim_is_missing_the_line_has_a_gap() -> None:
    drawn = track([at(0.1), at(0.2), None, at(0.3), None], list("abcde"), "step")
    assert len(drawn.points) == 3
    # The line joins the first two alone: nobody knows what lies on the way over the gap.
    assert re.findall("[ML]", drawn.line) == ["M", "L"]
    assert [sign.symbol for sign in drawn.signs] == ["\u2715", "\u2715", MISSING, "\u2715", MISSING]
    assert [sign.verdict for sign in drawn.signs] == ["refuted", "refuted", "", "refuted", ""]
    assert drawn.words == (
        "the estimate at 3 checkpoints, from 0.10 to 0.30, against 0.40 claimed, and missing at 2"
    )


def test_each_checkpoint_has_the_mark_of_its_own_verdict() -> None:
    claims = [at(0.1, verdict=verdict) for verdict in ("refuted", "undecided", "holds")]
    drawn = track(claims, list("abc"), "step")
    assert [point.verdict for point in drawn.points] == ["refuted", "undecided", "holds"]
    assert [sign.symbol for sign in drawn.signs] == ["\u2715", "?", "\u2713"]


def test_multiples_of_all_checkpoints_lie_on_one_axis() -> None:
    def lift(value: float) -> ClaimRecord:
        left = sample.estimate(kind="lift", value=value, low=value / 2, high=None)
        return sample.claim(left=left, right=5)

    drawn = track([lift(0.9), lift(12), lift(60)], list("abc"), "step")
    heights = [point.y for point in drawn.points]
    assert heights == sorted(heights, reverse=True)
    assert min(heights) > TOP
    assert max(heights) < BOTTOM
    # Without an upper bound, the interval reaches as far as there is room.
    assert drawn.points[0].bar is not None
    assert drawn.points[0].bar[1] == TOP
    assert drawn.mark.label == "5\u00d7 claimed"


def test_differences_are_drawn_against_what_was_claimed_of_them() -> None:
    def difference(value: float) -> ClaimRecord:
        return at(
            0.8,
            right=sample.estimate(value=0.3),
            difference={"value": value, "low": value - 0.1, "high": value + 0.1},
        )

    drawn = track([difference(-0.5), difference(0.5)], list("ab"), "step")
    middle = (TOP + BOTTOM) / 2
    assert [point.y for point in drawn.points] == [middle + 35.5, middle - 35.5]
    # The bar is the interval of the difference, and not of one of the two.
    assert drawn.points[1].bar == pytest.approx((middle - 0.4 * 71, middle - 0.6 * 71), abs=0.1)
    assert drawn.threshold == f"M52 {middle:g}H388"


def test_the_axis_of_differences_reaches_as_far_as_the_largest() -> None:
    def difference(value: float) -> ClaimRecord:
        return sample.claim(
            left=sample.estimate(kind="lift", value=40),
            right=sample.estimate(kind="lift", value=40 - value),
            difference={"value": value, "low": value, "high": value},
        )

    drawn = track([difference(2), difference(30)], list("ab"), "step")
    middle, half = (TOP + BOTTOM) / 2, (BOTTOM - TOP) / 2
    assert [point.y for point in drawn.points] == pytest.approx(
        [middle - 2 / 32 * half, middle - 30 / 32 * half], abs=0.1
    )


def test_a_threshold_that_is_another_figure_goes_its_own_way() -> None:
    def pairs(value: float, other: float) -> ClaimRecord:
        return sample.claim(left=sample.fraction(value=value), right=sample.fraction(value=other))

    drawn = track([pairs(0.5, 0.1), pairs(0.5, 0.3)], list("ab"), "step")
    first, last = (point.x for point in drawn.points)
    assert drawn.threshold == f"M{first:g} {height(0.1):g}L{last:g} {height(0.3):g}"
    assert drawn.mark.label == "the other figure"
    assert [point.bar for point in drawn.points] == [None, None]


def test_of_many_checkpoints_some_are_labelled_and_the_last_is() -> None:
    labels = [str(place) for place in range(95)]
    drawn = track([at(0.2)] * 95, labels, "step")
    assert len(drawn.across) <= 10
    assert drawn.across[-1].label == "94"
    assert len(drawn.signs) == 95


@pytest.mark.parametrize(
    ("values", "first", "below"),
    [
        # (estimates, whether the label stands at the first ones, whether below the threshold)
        ((0.1, 0.1, 0.1, 0.8), True, False),
        ((0.1, 0.8, 0.8, 0.8), False, True),
        ((0.8, 0.8, 0.8, 0.1), True, True),
        ((0.8, 0.1, 0.1, 0.1), False, False),
        ((0.8,), True, True),
    ],
)
def test_the_thresholds_label_stands_where_no_interval_is(
    values: tuple[float, ...], first: bool, below: bool
) -> None:
    drawn = track([at(value) for value in values], list("abcd")[: len(values)], "step")
    assert (drawn.marked_first, drawn.mark.flips) == (first, below)


def test_a_label_never_stands_outside_of_the_drawing() -> None:
    low = track([at(0.3, right=0.0)], ["0"], "step")
    high = track([at(0.3, right=1.0)], ["0"], "step")
    assert (low.mark.flips, high.mark.flips) == (False, True)
