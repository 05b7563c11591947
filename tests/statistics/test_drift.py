"""How far a figure has moved: sums of documents, against double loops and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtests.errors import BaselineError
from headtests.statistics.drift import Drift, RecordedFigures, drift_between
from headtests.statistics.quanta import QUANTA


def figures(values, below=None, scale=1.0):
    quanta = [np.rint(np.array(part) * QUANTA).astype(np.int64) for part in (values, below or [])]
    return RecordedFigures(np.arange(len(values)), quanta[0], quanta[1] if below else None, scale)


shares = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@given(shares, st.data(), st.sampled_from([1.0, 7.5]))
def test_the_difference_is_the_mean_of_the_documents_differences(before, data, scale):
    now = data.draw(st.lists(st.floats(0, 1), min_size=len(before), max_size=len(before)))
    drift = drift_between([figures(before, scale=scale)], [figures(now, scale=scale)])
    paired = np.mean([(b - a) * scale for a, b in zip(before, now, strict=True)])
    assert drift.difference == pytest.approx(paired, abs=1e-6)
    assert drift.before == pytest.approx(np.mean(before) * scale, abs=1e-6)


@given(st.lists(st.tuples(st.floats(0, 0.5), st.floats(0.5, 1)), min_size=1, max_size=20))
def test_of_a_ratio_the_contributions_average_the_ratio(documents):
    tops, below = map(list, zip(*documents, strict=True))
    one = figures(tops, below)
    ratio = sum(tops) / sum(below)
    assert one.value == pytest.approx(ratio, abs=1e-6)
    assert np.mean(one.contributions(ratio)) == pytest.approx(0, abs=1e-6)


@given(shares, shares, st.floats(0.1, 5))
def test_of_two_statistics_it_is_the_difference_of_their_difference(first, second, factor):
    size = min(len(first), len(second))
    first, second = first[:size], second[:size]
    before = [figures(first), figures(second)]
    now = [figures(second), figures(first)]
    drift = drift_between(before, now, factor)
    a, b = np.mean(first), np.mean(second)
    assert drift.before == pytest.approx(a - factor * b, abs=1e-6)
    assert drift.now == pytest.approx(b - factor * a, abs=1e-6)


def test_the_documents_that_moved_most_come_first():
    before, now = figures([0.1, 0.5, 0.9, 0.3]), figures([0.1, 0.9, 0.8, 0.2])
    drift = drift_between([before], [now], most=3)
    moved = [(one.document, round(one.before, 6), round(one.now, 6)) for one in drift.moved]
    assert moved == [(1, 0.5, 0.9), (2, 0.9, 0.8), (3, 0.3, 0.2)]


def test_what_did_not_move_is_not_listed():
    assert drift_between([figures([0.2, 0.4])], [figures([0.2, 0.4])]).moved == ()


@pytest.mark.parametrize(
    ("before", "now", "relative", "status"),
    [
        (0.5, 0.52, False, "unchanged"),
        (0.5, 0.48, False, "unchanged"),
        (0.5, 0.521, False, "drifted"),
        (0.5, 0.479, False, "drifted"),
        (30.0, 30.5, True, "unchanged"),
        (30.0, 30.7, True, "drifted"),
        (30.0, 29.3, True, "drifted"),
        (-0.5, -0.52, False, "unchanged"),
        (0.0, 0.0, True, "unchanged"),
    ],
)
def test_the_margin_is_a_share_or_a_share_of_what_it_was(before, now, relative, status):
    drift = Drift(before, now, 0.02, relative, (), abs(before))
    assert drift.status == status
    assert drift.is_unchanged == (status == "unchanged")


def test_of_two_large_figures_rounding_is_no_drift_however_small_their_difference_is():
    scale = 10.0
    before = [RecordedFigures(np.arange(1), figures([0.50]).numerators, None, scale) for _ in "ab"]
    now = [
        RecordedFigures(np.arange(1), figures([value]).numerators, None, scale)
        for value in (0.503, 0.5)
    ]
    drift = drift_between(before, now, 1.0, 0.02, True)
    assert drift.before == 0
    assert drift.now == pytest.approx(0.03)
    # A share of 5 and 5, not of their difference.
    assert drift.room == pytest.approx(0.2)
    assert drift.is_unchanged
    far = [
        RecordedFigures(np.arange(1), figures([value]).numerators, None, scale)
        for value in (0.53, 0.5)
    ]
    assert not drift_between(before, far, 1.0, 0.02, True).is_unchanged


def test_documents_that_moved_are_told_by_their_own_ratio():
    before = figures([0.1, 0.5], [0.2, 1.0])
    now = figures([0.2, 0.5], [0.2, 1.0])
    (moved,) = drift_between([before], [now]).moved
    assert moved.document == 0
    assert (moved.before, moved.now) == (pytest.approx(0.5), pytest.approx(1.0))


def test_other_documents_are_not_compared():
    moved = RecordedFigures(np.array([0, 2]), np.zeros(2, dtype=np.int64))
    with pytest.raises(BaselineError, match=r"2 documents were recorded"):
        drift_between([figures([0.1, 0.2])], [moved])


def test_nothing_to_divide_by_is_nothing():
    one = figures([0.0, 0.0], [0.0, 0.0])
    assert one.value == 0
    assert one.contributions(0).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("before", "now", "status"),
    [
        (0.018, 0.0, "drifted"),
        (0.017, 0.0, "drifted"),
        (0.018, 0.017, "unchanged"),
        (0.018, 0.016, "drifted"),
        (0.001, 0.0, "drifted"),
        (0.0, 0.018, "drifted"),
        # About as far as bfloat16 moves a small share.
        (0.0012, 0.0014, "unchanged"),
        (0.1, 0.1099, "unchanged"),
        (0.1, 0.111, "drifted"),
        (0.2, 0.2199, "unchanged"),
        (0.99, 0.971, "unchanged"),
    ],
)
def test_a_small_share_may_move_by_a_tenth_of_itself(before, now, status):
    assert Drift(before, now, 0.02, False, (), before).status == status
    assert drift_between([figures([before])], [figures([now])]).status == status


def test_another_margin_scales_that_of_small_shares():
    assert Drift(0.1, 0.1, 0.04, False, (), 0.1).room == pytest.approx(0.02)
    assert Drift(0.1, 0.1, 0.0, False, (), 0.1).room == 0


def test_one_of_few_pairs_moves_a_share_within_the_margin():
    assert Drift(0.06, 0.04, 0.02, False, (), 0.06, step=1 / 50).status == "unchanged"
    assert Drift(0.06, 0.04, 0.02, False, (), 0.06, step=1 / 2000).status == "drifted"
    assert Drift(0.06, 0.0, 0.02, False, (), 0.06, step=1 / 5).status == "drifted"


def test_documents_that_trade_places_show_in_the_mean_absolute_difference():
    one, other = [0.4] * 150 + [0.0] * 150, [0.0] * 150 + [0.4] * 150
    drift = drift_between([figures(one)], [figures(other)])
    assert (drift.status, drift.difference) == ("unchanged", 0)
    assert drift.mean_absolute == pytest.approx(0.4)
    assert drift.traded_places
    still = drift_between([figures(one)], [figures(one)])
    assert (still.mean_absolute, still.traded_places) == (0, False)
    # A figure that drifted says so itself.
    assert not drift_between([figures(one)], [figures([0.4] * 300)]).traded_places


@given(shares, st.data())
def test_the_mean_absolute_difference_is_that_of_a_loop(before, data):
    now = data.draw(st.lists(st.floats(0, 1), min_size=len(before), max_size=len(before)))
    drift = drift_between([figures(before)], [figures(now)])
    moved = [abs(new - old) for old, new in zip(before, now, strict=True)]
    assert drift.mean_absolute == pytest.approx(sum(moved) / len(moved), abs=1e-6)
    assert drift.mean_absolute >= abs(drift.difference) - 1e-6


def as_bfloat16(values, random):
    """Return values with the rounding of bfloat16 in weights and activations: a few parts in 2**8.

    Measured on the demo model, a document's mass moves by about a hundredth of itself.
    """
    return np.clip(values * (1 + random.normal(0, 0.015, len(values))), 0, 1)


@pytest.mark.parametrize("mean", [0.0005, 0.002, 0.006, 0.018, 0.05, 0.15, 0.4, 0.9])
def test_rounding_does_not_drift_and_what_is_lost_does(mean):
    """A simulation: heads of many strengths, rounded, and weakened by a fifth or stopped."""
    random = np.random.default_rng(3)
    rounded, weakened, stopped = 0, 0, 0
    for _ in range(100):
        before = np.clip(random.gamma(2, mean / 2, 300), 0, 1)
        recorded = [figures(before)]
        rounded += not drift_between(recorded, [figures(as_bfloat16(before, random))]).is_unchanged
        fifth = as_bfloat16(before, random) * 0.8
        weakened += not drift_between(recorded, [figures(fifth)]).is_unchanged
        stopped += not drift_between(recorded, [figures(before * 0)]).is_unchanged
    assert rounded == 0
    assert weakened == (100 if mean >= 0.006 else 0)
    assert stopped == (100 if mean >= 0.002 else stopped)
