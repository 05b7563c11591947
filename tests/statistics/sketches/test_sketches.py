"""The laws of sketches: they depend on the multiset of what they were given and on nothing else."""

import json
import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headtests.errors import HeadtestsError, RecordError, SettingError
from headtests.statistics.hashing import keyed_hash
from headtests.statistics.sketches import (
    BINS_PER_OCTAVE,
    PLACE_OFFSET,
    PLACE_SHIFT,
    PLACES,
    Histogram,
    Moments,
    ObservationError,
    Pairs,
    RankedPairs,
    SampledPairs,
    coarsened,
)

FIXED = settings(derandomize=True, deadline=None, max_examples=60)

MAKERS = {
    "top 3": lambda: RankedPairs(3),
    "bottom 3": lambda: RankedPairs(3, reverse=True),
    "top 1": lambda: RankedPairs(1),
    "sample of 3": lambda: SampledPairs(3, seed=7),
    "sample of 1": lambda: SampledPairs(1, seed=7),
    "moments": Moments,
    "histogram": Histogram,
}
every_sketch = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())

MULTIPLES = st.sampled_from([0.0, 0.5, 1.0, 1.5, 3.0]) | st.floats(0, 2.0**32, exclude_max=True)
IDS = st.integers(0, 3)
ROWS = st.lists(st.tuples(IDS, IDS, IDS, MULTIPLES), max_size=14)
TIED_ROWS = st.lists(st.tuples(IDS, IDS, IDS, st.sampled_from([0.0, 1.0, 2.0])), max_size=40)


def pairs_of(rows):
    return Pairs.of(*zip(*rows, strict=True)) if rows else Pairs.empty()


def rows_of(pairs):
    columns = (pairs.documents, pairs.queries, pairs.keys, pairs.multiples)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def feed(sketch, rows):
    pairs = pairs_of(rows)
    sketch.update(pairs if hasattr(sketch, "pairs") else pairs.multiples)
    return sketch


def merged(make, shards):
    whole = make()
    for shard in shards:
        whole = whole.merge(feed(make(), shard))
    return whole


def state(sketch):
    """Return all that can be seen of a sketch, since what is written could leave something out."""
    if isinstance(sketch, Moments):
        figures = (sketch.count, sketch.minimum, sketch.maximum, sketch.mean, sketch.variance)
    elif isinstance(sketch, Histogram):
        quantiles = [sketch.quantile(share) for share in (0, 0.25, 0.5, 0.75, 1)]
        figures = (sketch.count, sketch.minimum, sketch.maximum, sketch.bins(), quantiles)
    else:
        figures = (rows_of(sketch.pairs), sketch.threshold)
    return sketch.to_dict(), figures


@st.composite
def shards_of(draw, rows=ROWS):
    """Draw rows and a division of them, in another order, into shards that may be empty."""
    whole = draw(rows)
    shuffled = draw(st.permutations(whole))
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    bounds = [0, *cuts, len(whole)]
    shards = [shuffled[low:high] for low, high in pairwise(bounds)]
    return whole, shards


# Laws of every sketch.


@pytest.mark.slow
@every_sketch
@FIXED
@given(left=ROWS, right=ROWS)
def test_merge_is_commutative(make, left, right):
    one, other = feed(make(), left), feed(make(), right)
    assert state(one.merge(other)) == state(other.merge(one))


@pytest.mark.slow
@every_sketch
@FIXED
@given(rows=st.tuples(ROWS, ROWS, ROWS))
def test_merge_is_associative(make, rows):
    first, second, third = (feed(make(), part) for part in rows)
    assert state(first.merge(second).merge(third)) == state(first.merge(second.merge(third)))


@pytest.mark.slow
@every_sketch
@FIXED
@given(division=shards_of())
@example(division=([(0, 1, 0, 2.0)], [[], [(0, 1, 0, 2.0)], []]))
@example(division=([(0, 1, 0, 2.0), (1, 1, 0, 3.0)], [[(1, 1, 0, 3.0)], [(0, 1, 0, 2.0)]]))
def test_merged_shards_equal_the_whole(make, division):
    whole, shards = division
    assert state(merged(make, shards)) == state(feed(make(), whole))


@pytest.mark.slow
@every_sketch
@FIXED
@given(rows=ROWS)
def test_shards_of_one_equal_the_whole(make, rows):
    assert state(merged(make, [[row] for row in rows])) == state(feed(make(), rows))


@pytest.mark.slow
@every_sketch
@FIXED
@given(division=shards_of())
def test_batches_in_any_order_equal_the_whole(make, division):
    whole, batches = division
    sketch = make()
    for batch in batches:
        feed(sketch, batch)
    assert state(sketch) == state(feed(make(), whole))


@pytest.mark.slow
@every_sketch
@FIXED
@given(rows=ROWS)
def test_an_empty_sketch_changes_nothing(make, rows):
    sketch = feed(make(), rows)
    assert state(sketch.merge(make())) == state(sketch)
    assert state(make().merge(sketch)) == state(sketch)


@pytest.mark.slow
@every_sketch
@FIXED
@given(left=ROWS, right=ROWS)
def test_merge_shares_nothing_with_what_it_merged(make, left, right):
    one, other = feed(make(), left), feed(make(), right)
    before = state(one), state(other)
    joined = one.merge(other)
    feed(joined, [(9, 9, 9, 0.25), (9, 9, 8, 9.0)])
    assert (state(one), state(other)) == before
    joined = one.merge(other)
    before = state(joined)
    feed(one, [(9, 9, 9, 0.25), (9, 9, 8, 9.0)])
    feed(other, [(9, 9, 9, 0.25), (9, 9, 8, 9.0)])
    assert state(joined) == before


@pytest.mark.slow
@every_sketch
@FIXED
@given(rows=ROWS, more=ROWS)
@example(rows=[(0, 1, 0, 1.0)] * 5, more=[])
def test_a_round_trip_through_json_loses_nothing(make, rows, more):
    sketch = feed(make(), rows)
    text = json.dumps(sketch.to_dict(), allow_nan=False)
    read = type(sketch).from_dict(json.loads(text))
    assert state(read) == state(sketch)
    assert state(feed(read, more)) == state(feed(sketch, more))


@every_sketch
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, -1.0, 2.0**32])
def test_a_multiple_that_cannot_be_is_refused_and_changes_nothing(make, wrong):
    sketch = feed(make(), [(0, 1, 0, 1.0)])
    before = state(sketch)
    with pytest.raises(ObservationError, match="1 of 3 multiples"):
        feed(sketch, [(0, 1, 0, 1.0), (0, 1, 1, wrong), (0, 2, 0, 5.0)])
    assert state(sketch) == before


def test_a_refused_observation_is_a_value_error_of_the_house():
    assert issubclass(ObservationError, HeadtestsError)
    assert issubclass(ObservationError, ValueError)


@every_sketch
@pytest.mark.parametrize("drop", [True, False])
def test_what_is_no_sketch_cannot_be_read(make, drop):
    written = feed(make(), [(0, 1, 0, 1.0)]).to_dict()
    for name in written:
        broken = {**written, name: "?"}
        if drop:
            del broken[name]
        with pytest.raises(RecordError, match="to_dict"):
            type(make()).from_dict(broken)


# Ranked pairs.


def ranked_by_hand(rows, size, reverse):
    return sorted(rows, key=lambda row: (row[3] if reverse else -row[3], row[:3]))[:size]


@FIXED
@given(shards_of(TIED_ROWS), st.integers(1, 12), st.booleans())
def test_ranked_pairs_are_those_of_a_sorted_list(division, size, reverse):
    rows, batches = division
    ranked = RankedPairs(size, reverse=reverse)
    for batch in batches:
        feed(ranked, batch)
    assert rows_of(ranked.pairs) == ranked_by_hand(rows, size, reverse)


@pytest.mark.parametrize("reverse", [False, True])
def test_ranked_pairs_of_many_are_those_of_a_sorted_list(reverse):
    random = np.random.default_rng(0)
    documents, queries, keys = random.integers(0, 30, (3, 20_000))
    pairs = Pairs.of(documents, queries, keys, random.integers(0, 4, 20_000))
    ranked = RankedPairs(100, reverse=reverse)
    for part in np.array_split(np.arange(20_000), 7):
        ranked.update(pairs.take(part))
    assert rows_of(ranked.pairs) == ranked_by_hand(rows_of(pairs), 100, reverse)


@FIXED
@given(TIED_ROWS, TIED_ROWS, st.integers(1, 6), st.booleans())
def test_pairs_that_do_not_reach_the_threshold_do_not_matter(rows, more, size, reverse):
    ranked = feed(RankedPairs(size, reverse=reverse), rows)
    limit = ranked.threshold
    assert (limit is None) == (len(rows) < size)
    if limit is not None:
        reached = [row for row in more if (row[3] <= limit if reverse else row[3] >= limit)]
        assert limit == ranked_by_hand(rows, size, reverse)[-1][3]
        assert state(feed(ranked, reached)) == state(
            feed(feed(RankedPairs(size, reverse=reverse), rows), more)
        )


def test_a_pair_that_ties_with_the_threshold_can_matter():
    ranked = feed(RankedPairs(1), [(5, 1, 0, 2.0)])
    feed(ranked, [(4, 1, 0, 2.0)])
    assert ranked.pairs.documents.tolist() == [4]


# Sampled pairs.


@FIXED
@given(shards_of(), st.integers(1, 6), st.integers(-3, 3))
def test_sampled_pairs_are_those_of_the_smallest_hashes(division, size, seed):
    rows, batches = division
    sample = SampledPairs(size, seed)
    for batch in batches:
        feed(sample, batch)
    by_hand = sorted(rows, key=lambda row: (int(keyed_hash(seed, *row[:3])), row))
    assert rows_of(sample.pairs) == by_hand[:size]


def test_pairs_of_one_hash_are_ordered_by_the_pair(monkeypatch):
    monkeypatch.setattr(
        "headtests.statistics.sketches.pairs.keyed_hash",
        lambda seed, *ids: np.zeros(ids[0].size, np.uint64),
    )
    rows = [(d, q, k, 9.0 - d - k) for d in (2, 1, 0) for q in (1, 0) for k in (0, 1)]
    sample = feed(feed(SampledPairs(5, seed=0), rows[:6]), rows[6:])
    assert rows_of(sample.pairs) == sorted(rows)[:5]


@FIXED
@given(ROWS, ROWS, st.integers(1, 6))
def test_pairs_whose_hash_is_over_the_threshold_do_not_matter(rows, more, size):
    sample = feed(SampledPairs(size, seed=1), rows)
    limit = sample.threshold
    assert (limit is None) == (len(rows) < size)
    if limit is not None:
        reached = [row for row in more if int(keyed_hash(1, *row[:3])) <= limit]
        whole = feed(feed(SampledPairs(size, seed=1), rows), more)
        assert state(feed(sample, reached)) == state(whole)


def test_the_sample_does_not_depend_on_the_multiples():
    documents, queries, keys = np.indices((5, 6, 7)).reshape(3, -1)
    drawn = []
    for multiples in (np.arange(210.0), np.arange(210.0)[::-1]):
        sample = SampledPairs(20, seed=4)
        sample.update(Pairs.of(documents, queries, keys, multiples))
        drawn.append([row[:3] for row in rows_of(sample.pairs)])
    assert drawn[0] == drawn[1]


def test_the_sample_is_uniform():
    documents, queries, keys = np.indices((2, 4, 5)).reshape(3, -1)
    population = Pairs.of(documents, queries, keys, 1.0)
    chosen = np.zeros((2000, 40))
    for seed in range(2000):
        sample = SampledPairs(10, seed)
        sample.update(population)
        drawn = sample.pairs
        chosen[seed, (drawn.documents * 4 + drawn.queries) * 5 + drawn.keys] = 1
    # Six standard errors of each share, and of each share of two pairs drawn together.
    assert np.abs(chosen.mean(axis=0) - 0.25).max() < 6 * math.sqrt(0.25 * 0.75 / 2000)
    together = (chosen.T @ chosen / 2000)[np.triu_indices(40, k=1)]
    expected = 10 / 40 * 9 / 39
    assert np.abs(together - expected).max() < 6 * math.sqrt(expected * (1 - expected) / 2000)


# Moments.


def ticks(multiple):
    return Fraction(round(Fraction(multiple) * 2**30), 2**30)


@FIXED
@given(st.lists(MULTIPLES, min_size=1))
@example([2.0**32 - 2.0**-20] * 5)
def test_moments_are_those_of_exact_fractions(multiples):
    moments = Moments()
    moments.update(multiples)
    values = [ticks(multiple) for multiple in multiples]
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    assert moments.count == len(multiples)
    assert (moments.minimum, moments.maximum) == (min(multiples), max(multiples))
    assert moments.mean == min(max(float(mean), min(multiples)), max(multiples))
    assert moments.variance == float(variance)


def test_sums_past_64_bits_do_not_overflow():
    moments = Moments()
    for _ in range(3):
        moments.update(np.full(100_000, 2.0**31))
    moments.update(np.zeros(300_000))
    assert moments.mean == 2.0**30
    assert moments.variance == 2.0**60


def test_sums_are_written_to_the_last_bit():
    moments = Moments()
    moments.update([2.0**31, 2.0**-30])
    written = json.loads(json.dumps(moments.to_dict()))
    assert written["sum"] == str(2**61 + 1)
    assert written["sum_of_squares"] == str(2**122 + 1)


@pytest.mark.parametrize("multiple", [0.0, 2.0**-40, 1 / 3, 2.0**20 / 3])
def test_one_multiple_is_its_own_mean_and_does_not_vary(multiple):
    moments = Moments()
    moments.update(multiple)
    assert (moments.count, moments.mean, moments.variance) == (1, multiple, 0.0)


@pytest.mark.parametrize("make", [Moments, Histogram])
@pytest.mark.parametrize("zeros", [[0.0, -0.0], [-0.0, 0.0], [-0.0]])
def test_no_extreme_is_a_negative_zero(make, zeros):
    sketch = make()
    sketch.update(zeros)
    assert [math.copysign(1, sketch.minimum), math.copysign(1, sketch.maximum)] == [1, 1]


def test_moments_of_none_are_none():
    moments = Moments()
    moments.update([])
    figures = (moments.count, moments.mean, moments.variance, moments.minimum, moments.maximum)
    assert figures == (0, None, None, None, None)


DOCUMENTS = st.lists(st.lists(MULTIPLES, max_size=8), max_size=6)


def sums_of(multiples):
    """Return what a reader elsewhere finds of a document: its sums are floats, added in float64."""
    values = np.array(multiples)
    if not values.size:
        return 0, 0.0, 0.0, math.inf, -math.inf
    return values.size, values.sum(), np.square(values).sum(), values.min(), values.max()


@FIXED
@given(DOCUMENTS)
@example([[1.6 * 2.0**-30]])
def test_sums_found_elsewhere_are_rounded_once_and_then_exact(documents):
    moments = Moments()
    for multiples in documents:
        moments.add(*sums_of(multiples))
    whole = [one for multiples in documents for one in multiples]
    written = moments.to_dict()
    sums = [sums_of(multiples) for multiples in documents]
    assert int(written["sum"]) == sum(round(Fraction(total) * 2**30) for _, total, *_ in sums)
    assert int(written["sum_of_squares"]) == sum(
        round(Fraction(squares) * 2**60) for _, _, squares, *_ in sums
    )
    assert moments.count == len(whole)
    if whole:
        assert (moments.minimum, moments.maximum) == (min(whole), max(whole))
        assert moments.mean == pytest.approx(np.mean(whole), rel=1e-12, abs=2.0**-30)
        assert moments.variance == pytest.approx(
            np.var(whole), rel=1e-9, abs=2.0**-30 + 1e-12 * max(whole) ** 2
        )


@FIXED
@given(DOCUMENTS, st.randoms(use_true_random=False), st.integers(0, 6))
def test_the_order_and_sharding_of_sums_found_elsewhere_do_not_matter(documents, random, cut):
    shuffled = random.sample(documents, len(documents))
    one, left, right = Moments(), Moments(), Moments()
    for multiples in documents:
        one.add(*sums_of(multiples))
    for place, multiples in enumerate(shuffled):
        (left if place < cut else right).add(*sums_of(multiples))
    assert state(left.merge(right)) == state(one)


@FIXED
@given(st.lists(st.integers(0, 2**12).map(lambda whole: whole / 2**8), max_size=20))
def test_sums_that_floats_hold_exactly_give_the_moments_of_the_multiples(multiples):
    summed, updated = Moments(), Moments()
    summed.add(*sums_of(multiples))
    updated.update(multiples)
    assert state(summed) == state(updated)


def test_sums_and_multiples_can_be_taken_in_by_one_sketch():
    mixed, updated = Moments(), Moments()
    mixed.update([1.0, 3.0])
    mixed.add(2, 2.5, 4.25, 0.5, 2.0)
    updated.update([1.0, 3.0, 0.5, 2.0])
    assert state(mixed) == state(updated)


def test_a_variance_is_never_negative_for_squares_that_were_rounded_down():
    moments = Moments()
    moments.add(3, 1.0, math.nextafter(1 / 3, 0), 1 / 3, 1 / 3)
    assert moments.variance == 0.0


def test_what_is_found_elsewhere_is_written_as_plain_numbers():
    moments, histogram = Moments(), Histogram()
    moments.add(np.int64(1), np.float64(2), np.float64(4), np.float64(2), np.float64(2))
    histogram.add(np.bincount([1345], minlength=PLACES), np.float64(2), np.float64(2))
    for sketch in (moments, histogram):
        written = sketch.to_dict()
        assert {type(value) for value in written.values()} <= {int, float, str, list}
        assert type(sketch.count) is int


@pytest.mark.parametrize(
    ("count", "total", "squares", "minimum", "maximum"),
    [
        (2, 9.0, 5.0, 1.0, 2.0),
        (2, 1.0, 5.0, 1.0, 2.0),
        (2, 3.0, 9.0, 1.0, 2.0),
        (2, 3.0, 1.0, 1.0, 2.0),
        (2, math.nan, 5.0, 1.0, 2.0),
        (2, 3.0, math.nan, 1.0, 2.0),
        (2, 3.0, 5.0, math.nan, 2.0),
        (2, 3.0, 5.0, 1.0, math.nan),
        (2, 3.0, 5.0, 2.0, 1.0),
        (2, 3.0, 5.0, -1.0, 2.0),
        (1, 2.0**32, 2.0**64, 2.0**32, 2.0**32),
        (1, math.inf, math.inf, 1e200, 1e200),
        (-1, 0.0, 0.0, 0.0, 0.0),
    ],
)
def test_sums_that_no_multiples_have_are_refused_and_change_nothing(
    count, total, squares, minimum, maximum
):
    moments = feed(Moments(), [(0, 1, 0, 1.0)])
    before = state(moments)
    with pytest.raises(ObservationError, match="multiples"):
        moments.add(count, total, squares, minimum, maximum)
    assert state(moments) == before


def test_sums_of_no_multiples_change_nothing():
    moments = feed(Moments(), [(0, 1, 0, 1.0)])
    before = state(moments)
    moments.add(0, 0.0, 0.0, math.inf, -math.inf)
    assert state(moments) == before


# Histograms.


@FIXED
@given(st.lists(MULTIPLES | st.floats(0, 2.0**-19), max_size=20))
@example([0.0, 2.0**-20, 2.0**20, 2.0**21, 1.0, math.nextafter(1.0, 0), math.nextafter(2.0, 0)])
def test_bins_hold_what_lies_between_their_edges(multiples):
    histogram = Histogram()
    histogram.update(np.array(multiples))
    bins = histogram.bins()
    assert histogram.count == len(multiples) == sum(count for _, _, count in bins)
    for low, high, count in bins:
        last = low == 2.0**20
        assert count == sum(
            low <= one and (one <= high if last else one < high) for one in multiples
        )
        assert count > 0
        # A 64th of the power of two at or below, which floats hold exactly.
        assert low == 0 or last or high - low == 2.0 ** math.floor(math.log2(low)) / 64
    assert bins == sorted(bins)


def test_octaves_are_exact_edges():
    histogram = Histogram()
    histogram.update([2.0**power for power in range(-20, 20)])
    assert [low for low, _, _ in histogram.bins()] == [2.0**power for power in range(-20, 20)]


@FIXED
@given(st.lists(MULTIPLES | st.floats(0, 2.0**-19), max_size=20))
@example([0.0, -0.0, 2.0**-20, math.nextafter(2.0**-20, 0), 5e-324, math.nextafter(2.0**20, 0)])
@example([1 + place / 64 for place in range(64)])
@example([math.nextafter(1 + place / 64, 0) for place in range(64)])
def test_places_are_those_between_edges_on_a_number_line(multiples):
    edges = [2.0**power * (1 + place / 64) for power in range(-20, 20) for place in range(64)]
    by_hand = np.searchsorted([*edges, 2.0**20], multiples, side="right")
    assert Histogram.places(np.array(multiples, dtype=np.float64)).tolist() == by_hand.tolist()
    assert len(edges) + 2 == PLACES
    assert BINS_PER_OCTAVE == 64


def test_places_have_the_shape_of_the_multiples():
    grid = np.linspace(0, 9, 12).reshape(3, 4)
    places = Histogram.places(grid.T[::2])
    assert places.tolist() == [[int(Histogram.places(one)) for one in row] for row in grid.T[::2]]


@FIXED
@given(st.lists(MULTIPLES | st.floats(0, 2.0**-19), max_size=20))
@example([0.0, -0.0, 5e-324, 2.0**-20, 1.0, 2.0**20, 2.0**31])
def test_a_tensor_finds_the_same_places(multiples):
    bits = torch.tensor(multiples, dtype=torch.float64).view(torch.int64)
    places = ((bits >> PLACE_SHIFT) - PLACE_OFFSET).clamp(0, PLACES - 1)
    assert places.tolist() == Histogram.places(np.array(multiples, dtype=np.float64)).tolist()


@FIXED
@given(st.lists(st.lists(MULTIPLES, max_size=9), max_size=5))
def test_counts_found_elsewhere_give_the_histogram_of_the_multiples(parts):
    counted, updated = Histogram(), Histogram()
    for part in parts:
        values = np.array(part, dtype=np.float64)
        counts = np.bincount(Histogram.places(values), minlength=PLACES)
        counted.add(counts, values.min(initial=math.inf), values.max(initial=-math.inf))
        updated.update(values)
    assert state(counted) == state(updated)


def test_counts_that_were_given_stay_the_givers_own():
    counts = np.bincount([1345], minlength=PLACES)
    histogram = Histogram()
    histogram.add(counts, 2.0, 2.0)
    counts[:] = 7
    assert histogram.bins() == [(2.0, 2.03125, 1)]


@pytest.mark.parametrize(
    ("counts", "minimum", "maximum"),
    [
        (np.ones(PLACES - 1, np.int64), 0.0, 2.0**21),
        (np.ones((1, PLACES), np.int64), 0.0, 2.0**21),
        (np.ones(PLACES), 0.0, 2.0**21),
        (np.array([2, -1, *[1] * (PLACES - 2)]), 0.0, 2.0**21),
        (np.ones(PLACES, np.int64), 1.0, 2.0**21),
        (np.ones(PLACES, np.int64), 0.0, 2.0**19),
        (np.ones(PLACES, np.int64), math.nan, 2.0**21),
        (np.ones(PLACES, np.int64), 0.0, math.nan),
        (np.ones(PLACES, np.int64), 0.0, 2.0**32),
        (np.ones(PLACES, np.int64), -1.0, 2.0**21),
        (np.bincount([1281], minlength=PLACES), math.nextafter(1.0, 2), 1.0),
    ],
)
def test_counts_that_cannot_be_are_refused_and_change_nothing(counts, minimum, maximum):
    histogram = feed(Histogram(), [(0, 1, 0, 1.0)])
    before = state(histogram)
    with pytest.raises(ObservationError, match="multiples"):
        histogram.add(counts, minimum, maximum)
    assert state(histogram) == before


def nearest_rank(multiples, share):
    return sorted(multiples)[max(1, math.ceil(share * len(multiples))) - 1]


@FIXED
@given(st.lists(st.floats(2.0**-20, 2.0**20, exclude_max=True), min_size=1), st.floats(0, 1))
@example([0.5, 1.0, 9.0], 0.5)
@example([0.5, math.nextafter(1 + 1 / 64, 0), 9.0], 0.5)
@example([0.5, math.nextafter(2.0, 0), 9.0], 0.5)
def test_a_quantile_is_right_to_the_resolution_of_the_bins(multiples, share):
    histogram = Histogram()
    histogram.update(multiples)
    exact = nearest_rank(multiples, share)
    found = histogram.quantile(share)
    assert max(found / exact, exact / found) <= math.sqrt(65 / 64) + 1e-12


@FIXED
@given(st.lists(st.floats(0, 2.0**-20, exclude_max=True), min_size=1), st.floats(0, 1))
def test_a_quantile_below_the_bins_is_right_to_their_lower_end(multiples, share):
    histogram = Histogram()
    histogram.update(multiples)
    assert abs(histogram.quantile(share) - nearest_rank(multiples, share)) < 2.0**-20


@FIXED
@given(st.lists(MULTIPLES, min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_never_fall_and_are_exact_at_the_ends(multiples, one, other):
    histogram = Histogram()
    histogram.update(multiples)
    low, high = sorted((one, other))
    assert histogram.quantile(0) == min(multiples) == histogram.minimum
    assert histogram.quantile(1) == max(multiples) == histogram.maximum
    assert min(multiples) <= histogram.quantile(low) <= histogram.quantile(high) <= max(multiples)


def test_quantiles_of_uneven_counts():
    histogram = Histogram()
    histogram.update([0.0] * 90 + [4.0] * 9 + [2.0**22])
    assert [histogram.quantile(share) for share in (0.5, 0.9)] == [0.0, 0.0]
    assert histogram.quantile(0.95) == pytest.approx(4.0, rel=0.008)
    assert histogram.quantile(0.999) == 2.0**22


def test_a_histogram_of_none_has_no_quantile():
    histogram = Histogram()
    figures = (histogram.count, histogram.bins(), histogram.quantile(0.5), histogram.maximum)
    assert figures == (0, [], None, None)


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_outside_0_to_1_is_refused(share):
    with pytest.raises(SettingError, match=r"\[0, 1\]"):
        Histogram().quantile(share)


def test_a_histogram_of_other_bins_cannot_be_read():
    with pytest.raises(RecordError, match="32 bins"):
        Histogram.from_dict({**Histogram().to_dict(), "bins_per_octave": 32})


@pytest.mark.parametrize(
    "change",
    [
        {"places": [-1]},
        {"places": [PLACES]},
        {"places": [1346]},
        {"places": [1345, 1345]},
        {"counts": [-1]},
        {"minimum": 1.0},
        {"maximum": 4.0},
        {"maximum": None},
    ],
)
def test_a_histogram_whose_bins_and_extremes_disagree_cannot_be_read(change):
    histogram = Histogram()
    histogram.update(2.0)
    with pytest.raises(RecordError, match="to_dict"):
        Histogram.from_dict({**histogram.to_dict(), **change})


# Settings.


@pytest.mark.parametrize("size", [0, -1, 2.0, True, "3"])
@pytest.mark.parametrize("make", [RankedPairs, lambda size: SampledPairs(size, seed=0)])
def test_a_size_that_keeps_nothing_is_refused(make, size):
    with pytest.raises(SettingError, match="at least 1"):
        make(size)


def test_a_direction_that_is_not_a_bool_is_refused():
    with pytest.raises(SettingError, match="reverse"):
        RankedPairs(3, reverse=10)


@pytest.mark.parametrize("seed", [None, 0.5, "0"])
def test_a_seed_that_is_no_integer_is_refused(seed):
    with pytest.raises(SettingError, match="seed"):
        SampledPairs(3, seed)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (RankedPairs(3), RankedPairs(4)),
        (RankedPairs(3), RankedPairs(3, reverse=True)),
        (SampledPairs(3, seed=0), SampledPairs(2, seed=0)),
        (SampledPairs(3, seed=0), SampledPairs(3, seed=1)),
        (RankedPairs(3), SampledPairs(3, seed=0)),
    ],
    ids=repr,
)
def test_sketches_made_differently_do_not_merge(left, right):
    with pytest.raises(SettingError, match="cannot merge"):
        left.merge(right)
    with pytest.raises(SettingError, match="cannot merge"):
        right.merge(left)


# Pairs.


def test_pairs_are_made_from_any_integers_and_numbers():
    pairs = Pairs.of(3, np.array([1, 2], np.int32), range(2), np.array([1, 2], np.float32))
    assert rows_of(pairs) == [(3, 1, 0, 1.0), (3, 2, 1, 2.0)]
    assert [column.dtype for column in (pairs.documents, pairs.queries, pairs.keys)] == ["i8"] * 3
    assert pairs.multiples.dtype == np.float64


def test_pairs_are_taken_by_place_and_by_condition():
    pairs = pairs_of([(0, 1, 0, 1.0), (0, 2, 0, 2.0), (0, 3, 0, 3.0)])
    assert rows_of(pairs.take(np.array([2, 0]))) == [(0, 3, 0, 3.0), (0, 1, 0, 1.0)]
    assert rows_of(pairs.take(pairs.multiples > 1.5)) == [(0, 2, 0, 2.0), (0, 3, 0, 3.0)]


def test_pairs_concatenate_in_order():
    one, two = pairs_of([(0, 1, 0, 1.0)]), pairs_of([(1, 2, 0, 2.0), (1, 1, 1, 0.5)])
    assert rows_of(Pairs.concatenate(iter([two, Pairs.empty(), one]))) == rows_of(two) + rows_of(
        one
    )
    assert Pairs.concatenate([]) == Pairs.empty()
    assert len(Pairs.empty()) == 0


def test_pairs_are_equal_by_value():
    rows = [(0, 1, 0, 1.0), (0, 2, 1, 2.0)]
    assert pairs_of(rows) == pairs_of(rows)
    for place in range(4):
        changed = [*rows[0][:place], 9, *rows[0][place + 1 :]]
        assert pairs_of([tuple(changed), rows[1]]) != pairs_of(rows)
    assert pairs_of(rows[:1]) != pairs_of(rows)
    assert pairs_of(rows) != rows


@pytest.mark.parametrize(
    "columns",
    [
        (0, [1, 2], [0, 0, 0], 1.0),
        (0, [1.0, 2.0], 0, 1.0),
        (["a"], 1, 0, 1.0),
        (0, 1, 0, ["a"]),
        (0, [[1, 2]], 0, 1.0),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns):
    with pytest.raises(ObservationError, match="pairs"):
        Pairs.of(*columns)


def test_columns_are_not_converted_without_being_asked():
    ones = np.ones(2, np.int64)
    for wrong in (np.ones(2, np.float32), np.ones(3), np.ones((2, 1))):
        with pytest.raises(ObservationError, match=r"Pairs\.of"):
            Pairs(ones, ones, ones, wrong)


# Histograms to be shown.


@FIXED
@given(st.lists(st.lists(MULTIPLES, max_size=20), max_size=3))
def test_coarse_bins_count_what_lies_in_them(lists):
    histograms = [Histogram() for _ in lists]
    for histogram, multiples in zip(histograms, lists, strict=True):
        histogram.update(multiples)
    edges, counts = coarsened(histograms)
    assert edges == sorted(set(edges))
    assert len(counts) == len(lists)
    for multiples, found in zip(lists, counts, strict=True):
        assert found == [
            sum(low <= multiple < high for multiple in multiples) for low, high in pairwise(edges)
        ]
        assert sum(found) == len(multiples)
    if edges:
        # Only bins from the first that is filled to the last.
        assert all(any(found[end] for found in counts) for end in (0, -1))


def test_coarse_bins_are_four_an_octave_and_one_for_what_is_tiny():
    histogram = Histogram()
    histogram.update([0.0, 2.0**-30, 2.0**-9, 2.0**-8, 1.0, 1.25, 1.499, 1.75, 2.0, 2.0**30])
    edges, (counts,) = coarsened([histogram])
    assert edges[:3] == [0.0, 2.0**-8, 1.25 * 2.0**-8]
    assert counts[:2] == [3, 1]
    place = edges.index(1.0)
    assert edges[place : place + 5] == [1.0, 1.25, 1.5, 1.75, 2.0]
    assert counts[place : place + 5] == [1, 2, 0, 1, 1]
    assert edges[-2:] == [2.0**20, 2.0**32]
    assert counts[-1] == 1
    assert all(type(count) is int for count in counts)


def test_coarse_bins_of_several_are_common_ones():
    one, other = Histogram(), Histogram()
    one.update([1.0])
    other.update([1.6, 1.7])
    assert coarsened([one, other]) == ([1.0, 1.25, 1.5, 1.75], [[1, 0, 0], [0, 0, 2]])
    assert coarsened([one, Histogram()]) == ([1.0, 1.25], [[1], [0]])
    assert coarsened([Histogram(), Histogram()]) == ([], [[], []])
    assert coarsened([]) == ([], [])
