"""Histograms and moments of all pairs of some heads equal those of a naive double loop."""

from statistics import fmean

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.claims.definitions import RowOptions
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block
from headtests.measurement.readers import distributions
from headtests.measurement.readers.distributions import EXAMPLE_SAMPLE, DistributionReader
from headtests.statistics.sketches import Histogram, ObservationError
from tests.measurement.blocks import vocabulary
from tests.measurement.several import HEADS, drawn, listed, read_by, several
from tests.oracles import CURRENT, DUPLICATE, FIRST, INDUCTION, ON_KEY, PARITY, PREVIOUS, Reader

FIXED = settings(derandomize=True, deadline=None, max_examples=60)
SUPPRESSED = RowOptions(True)

options = st.builds(RowOptions, st.booleans(), st.sampled_from([0, 1, 2]))
relations = st.sampled_from(
    [None, PREVIOUS, ~PREVIOUS, FIRST, CURRENT, PREVIOUS | FIRST, DUPLICATE, INDUCTION, PARITY]
)


def reader_of(chosen=SUPPRESSED, on=None, seed=0):
    return DistributionReader(chosen, seed, vocabulary(), None if on is None else on.expression)


def multiples_of(rows, head, chosen=SUPPRESSED, on=None):
    reader = Reader(rows.texts[head], chosen.suppress_first_token, chosen.min_query)
    return [pair[0] for pair in reader.pairs(on, above_average=False)]


def check(found, multiples):
    histogram, moments = found
    expected = Histogram()
    expected.update(multiples)
    assert histogram.to_dict() == expected.to_dict()
    assert moments.count == len(multiples)
    if multiples:
        assert (moments.minimum, moments.maximum) == (min(multiples), max(multiples))
        assert moments.mean == pytest.approx(fmean(multiples), abs=1e-9)
        assert moments.variance == pytest.approx(np.var(multiples), abs=1e-8)


@pytest.mark.slow
@FIXED
@given(drawn(), options, relations)
def test_a_distribution_is_that_of_a_double_loop(rows, chosen, on):
    reader = read_by(reader_of(chosen, on), rows.blocks)
    for head in HEADS:
        check(reader.distribution(head), multiples_of(rows, head, chosen, on))


@pytest.mark.parametrize(
    ("together", "bidirectional", "on"),
    [
        (1, False, None),
        (1, True, PREVIOUS),
        (7, True, None),
        (7, False, ~PREVIOUS),
        (100, False, PREVIOUS),
        (100, True, ~PREVIOUS),
        (10**6, False, None),
        (10**6, True, PREVIOUS),
    ],
)
def test_the_size_of_pieces_changes_nothing(together, bidirectional, on, monkeypatch):
    monkeypatch.setattr(distributions, "TOGETHER", together)
    rows = several(3, [19, 40, 23, 1], bidirectional=bidirectional, ties=False)
    reader = read_by(reader_of(on=on), rows.blocks)
    for head in HEADS:
        check(reader.distribution(head), multiples_of(rows, head, on=on))


def test_multiples_that_are_0_count_and_what_is_no_pair_does_not():
    rows = several(1, [9, 4])
    multiples = multiples_of(rows, HEADS[0])
    assert 0.0 in multiples
    check(read_by(reader_of(), rows.blocks).distribution(HEADS[0]), multiples)
    positive = several(1, [9, 4], ties=False)
    assert min(multiples_of(positive, HEADS[0])) > 0
    expected = multiples_of(positive, HEADS[0])
    check(read_by(reader_of(), positive.blocks).distribution(HEADS[0]), expected)


@pytest.fixture
def two_cores():
    """Let tensors be summed on two cores, where the order of a sum may depend on what is beside."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("on", [None, ~PREVIOUS], ids=repr)
def test_not_a_bit_depends_on_what_stands_beside_a_document(on):
    # The first is of more pairs than one core sums alone.
    lengths = [300, 41, 130, 130]
    found = []
    for at_once, together in [(1, False), (1, True), (4, False), (4, True)]:
        rows = several(2, lengths, HEADS[:2], at_once=at_once, together=together, ties=False)
        reader = read_by(reader_of(on=on), rows.blocks)
        found.append([[part.to_dict() for part in reader.distribution(head)] for head in HEADS[:2]])
    assert all(one == found[0] for one in found)


def test_many_blocks_are_put_together(monkeypatch):
    monkeypatch.setattr(distributions, "WAITING", 3)
    rows = several(4, [7] * 11, at_once=1)
    reader = read_by(reader_of(), rows.blocks)
    for head in HEADS:
        check(reader.distribution(head), multiples_of(rows, head))


def test_away_from_the_cpu_nothing_waits_for_the_device():
    # A device without values: whatever depends on them raises, as do copies from there.
    for on in (None, PREVIOUS, ~PREVIOUS):
        reader = reader_of(on=on)
        for block in several(3, [9, 5, 7, 9, 12], remembered=10**6).blocks:
            reader.read(Block(block.tokens, block.heads, block.rows.to("meta")))
        with pytest.raises(NotImplementedError):
            reader.distribution(HEADS[0])


@pytest.mark.parametrize("on", [None, ON_KEY["key repeats"], FIRST], ids=repr)
def test_a_sample_comes_along(on):
    rows = several(5, [30, 42, 40, 21], ties=False)
    reader = read_by(reader_of(on=on, seed=4), rows.blocks)
    for head in HEADS:
        oracle = Reader(rows.texts[head], suppress=True)
        expected = oracle.sampled(EXAMPLE_SAMPLE, 4, above_average=False, on=on)
        assert listed(reader.sample(head)) == expected
        assert expected


def test_of_no_pairs_everything_is_empty():
    absent = CURRENT & ON_KEY["key special"] & ~ON_KEY["key special"]
    reader = read_by(reader_of(on=absent), several(5, [5, 9]).blocks)
    for head in (HEADS[0], HeadName(7, 7)):
        histogram, moments = reader.distribution(head)
        assert (histogram.count, moments.count, len(reader.sample(head))) == (0, 0, 0)


def test_attention_that_is_no_number_is_refused():
    rows = several(5, [9, 9])
    rows.blocks[0].rows[0, 0, 5, 2] = float("nan")
    reader = read_by(reader_of(), rows.blocks)
    with pytest.raises(ObservationError, match="NaN"):
        reader.distribution(HEADS[0])
