"""The chart of a head's profile over distance."""

import re

from headtests.report.atlas.profiles import HEIGHT, WIDTH, profile

DISTANCES = [[0, 0], [1, 1], [2, 2], [3, 6]]


def test_bars_are_as_high_as_the_attention() -> None:
    drawn = profile(DISTANCES, [0.1, 0.4, None, 0.2])
    assert drawn is not None
    bars = re.findall(r"M([\d.]+) 72v-([\d.]+)h", drawn.bars)
    heights = [float(height) for _, height in bars]
    assert len(bars) == 3
    assert heights == [15.0, 60.0, 30.0]
    lefts = [float(left) for left, _ in bars]
    # The bin without a figure leaves a gap.
    assert lefts[2] - lefts[1] == 2 * (lefts[1] - lefts[0])
    assert drawn.most == "0.40"
    assert "most, 0.40, at 1" in drawn.words
    assert drawn.ticks[-1].label == "3\u20136"


def test_labels_stay_few_and_inside() -> None:
    bins = [[place, place] for place in range(200)]
    drawn = profile(bins, [0.5] * 200)
    assert drawn is not None
    assert len(drawn.ticks) <= 6
    assert all(0 < tick.x < WIDTH for tick in drawn.ticks)
    assert HEIGHT == 96


def test_nothing_known_is_no_chart() -> None:
    assert profile(DISTANCES, [None] * 4) is None
    assert profile(DISTANCES, [0.0] * 4) is None
    assert profile([], []) is None


def test_one_bin_is_a_chart() -> None:
    drawn = profile([[-1, -1]], [0.3])
    assert drawn is not None
    assert [tick.label for tick in drawn.ticks] == ["-1"]
