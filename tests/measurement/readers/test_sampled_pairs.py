"""A hashed sample gives the first pairs in the order of hashes for every head, or None."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.claims.definitions import RowOptions
from headtests.errors import SettingError
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block
from headtests.measurement.readers.sampled_pairs import SampleReader, number_of_pairs
from tests.measurement.blocks import allowed_of, vocabulary
from tests.measurement.several import HEADS, drawn, listed, read_by, several
from tests.oracles import CURRENT, DUPLICATE, FIRST, INDUCTION, PARITY, PREVIOUS, Reader

FIXED = settings(derandomize=True, deadline=None, max_examples=60)
SUPPRESSED, PLAIN = RowOptions(True), RowOptions(False)

options = st.builds(RowOptions, st.booleans(), st.sampled_from([0, 1, 2]))
relations = st.sampled_from(
    [None, PREVIOUS, ~PREVIOUS, FIRST, CURRENT, PREVIOUS | FIRST, DUPLICATE, INDUCTION, PARITY]
)


def by_hand(rows, head, chosen, seed, size=10**6, above_average=False, on=None):
    reader = Reader(rows.texts[head], chosen.suppress_first_token, chosen.min_query)
    return reader.sampled(size, seed, above_average, on)


def pool_of(rows, chosen, seed, size, pairs=None, on=None, layer=None):
    """Return a pool that has read the blocks of a layer, or all."""
    reader = SampleReader(
        chosen, seed, size, pairs, vocabulary(), None if on is None else on.expression
    )
    return read_by(reader, [b for b in rows.blocks if layer in (None, b.heads[0].layer)])


def pools_of(rows, *arguments, **options):
    """Return the pool of each head: one where all may attend to the same keys."""
    layers = [0, 1] if rows.window else [None]
    pools = [pool_of(rows, *arguments, **options, layer=layer) for layer in layers]
    return {head: pools[head.layer % len(pools)] for head in HEADS}


@pytest.mark.slow
@FIXED
@given(drawn(), options, st.integers(0, 9), relations)
def test_a_pool_of_room_holds_every_pair_in_the_order_of_hashes(rows, chosen, seed, on):
    for head, pool in pools_of(rows, chosen, seed, 10**3, on=on).items():
        assert pool.whole
        assert listed(pool.pairs(head)) == by_hand(rows, head, chosen, seed, on=on)


@pytest.mark.slow
@FIXED
@given(drawn(), options, st.integers(1, 30), st.integers(0, 9), st.booleans(), relations)
def test_a_pool_holds_the_first_of_a_hash_order(rows, chosen, size, seed, known, on):
    counts = {head: len(by_hand(rows, head, chosen, seed, on=on)) for head in HEADS}
    most = max(counts.values()) if known else None
    for head, pool in pools_of(rows, chosen, seed, size, most, on).items():
        assert listed(pool.pairs(head)) == by_hand(rows, head, chosen, seed, size, on=on)
        assert len(pool.pairs(head)) == size or pool.whole
        assert pool.whole or counts[head] > size


@pytest.mark.slow
@FIXED
@given(drawn(), options, st.integers(1, 60), st.integers(1, 9), st.integers(0, 9), st.booleans())
def test_a_sample_is_exact_or_none(rows, chosen, pool_size, size, seed, above_average):
    for head, pool in pools_of(rows, chosen, seed, pool_size).items():
        found = pool.sample(head, size, above_average)
        if found is None:
            assert not pool.whole
        else:
            assert listed(found) == by_hand(rows, head, chosen, seed, size, above_average)


def test_a_pool_too_small_to_tell_says_so():
    rows = several(1, [20, 18, 20, 16], window=None)
    pool = pool_of(rows, SUPPRESSED, 0, 60)
    assert not pool.whole
    head = HEADS[0]
    assert len(pool.pairs(head)) == 60
    above = sum(multiple > 1 for multiple, *_ in listed(pool.pairs(head)))
    assert 5 < above < 50
    assert listed(pool.sample(head, above - 5, True)) == by_hand(
        rows, head, SUPPRESSED, 0, above - 5, True
    )
    assert pool.sample(head, 60, above_average=True) is None
    assert listed(pool.sample(head, 60, False)) == by_hand(rows, head, SUPPRESSED, 0, 60)


@pytest.mark.slow
@pytest.mark.parametrize("known", [False, True], ids=["counted on the way", "known before"])
def test_a_pool_stays_within_its_room(known):
    lengths = [30] * 40
    rows = several(2, lengths, at_once=3, remembered=10**6)
    every = by_hand(rows, HEADS[0], SUPPRESSED, 0)
    pool = pool_of(rows, SUPPRESSED, 0, 300, len(every) if known else None)
    assert len(every) == 40 * 29 * 30 // 2
    assert all(values.shape[1] == 450 for values in pool._values.values())
    assert listed(pool.pairs(HEADS[0])) == every[:300]


def test_what_is_known_before_spares_reading():
    rows = several(2, [30] * 40, heads=HEADS[:1], at_once=1)

    def gathered(pairs):
        pool, count = SampleReader(SUPPRESSED, 0, 300, pairs), 0
        for block in rows.blocks:
            pool.read(block)
            count += pool._make_placement(block.tokens, block.rows.device).index.numel()
        return count

    total = 40 * 29 * 30 // 2
    assert gathered(total) < 450 < gathered(None)


def test_a_pool_of_too_many_pairs_foreseen_is_smaller_and_exact():
    rows = several(2, [30] * 10)
    pool = pool_of(rows, SUPPRESSED, 0, 300, 10**6)
    found = listed(pool.pairs(HEADS[0]))
    assert 0 < len(found) < 300
    assert found == by_hand(rows, HEADS[0], SUPPRESSED, 0, len(found))


def test_documents_that_are_read_again_change_nothing():
    rows = several(3, [12, 9, 14, 10], at_once=2)
    pool = pool_of(rows, SUPPRESSED, 0, 40)
    divided = several(3, [12, 9, 14, 10], at_once=1)
    # Divided otherwise, and padded otherwise: as after the end of memory.
    read_by(pool, divided.blocks)
    for head in HEADS:
        assert listed(pool.pairs(head)) == by_hand(rows, head, SUPPRESSED, 0, 40)


def test_blocks_may_be_divided_differently_for_each_layer():
    whole, divided = (several(4, [12, 9, 14, 10], at_once=n) for n in (4, 1))
    first = [block for block in whole.blocks if block.heads[0].layer == 0]
    second = [block for block in divided.blocks if block.heads[0].layer == 1]
    for blocks in ([*first, *second], [*second, *first]):
        pool = read_by(SampleReader(SUPPRESSED, 0, 70), blocks)
        for head in HEADS:
            assert listed(pool.pairs(head)) == by_hand(whole, head, SUPPRESSED, 0, 70)


@pytest.mark.parametrize("remembered", [0, 10**6])
def test_heads_may_come_one_after_the_other(remembered):
    rows = several(6, [12, 9, 14, 10], at_once=1, together=False, remembered=remembered)
    # The pool is full before the second head's first block.
    blocks = sorted(rows.blocks, key=lambda block: block.heads)
    pool = read_by(SampleReader(SUPPRESSED, 0, 50), blocks)
    assert not pool.whole
    for head in HEADS:
        assert listed(pool.pairs(head)) == by_hand(rows, head, SUPPRESSED, 0, 50)


def test_a_head_may_come_among_different_ones():
    together = several(8, [9, 14, 11, 14])
    apart = several(8, [9, 14, 11, 14], together=False)
    blocks = [block for block in apart.blocks if block.tokens.key[0] == 0]
    blocks += [block for block in together.blocks if block.tokens.key[0] != 0]
    pool = read_by(SampleReader(SUPPRESSED, 0, 70), blocks)
    for head in HEADS:
        assert listed(pool.pairs(head)) == by_hand(together, head, SUPPRESSED, 0, 70)


@pytest.mark.parametrize("missing", [0, -1])
def test_of_a_head_that_missed_documents_nothing_is_said(missing):
    rows = several(5, [9, 14, 11, 14], together=False)
    blocks = [block for block in rows.blocks if block.heads == (HEADS[0],)]
    del blocks[missing]
    others = [block for block in rows.blocks if block.heads == (HEADS[1],)]
    pool = read_by(SampleReader(SUPPRESSED, 0, 1000), [*others, *blocks])
    assert pool.pairs(HEADS[0]) is None
    assert pool.sample(HEADS[0], 3, above_average=True) is None
    assert pool.pairs(HEADS[2]) is None
    assert pool.pairs(HeadName(0, 9)) is None
    assert pool.pairs(HEADS[1]) is not None


def test_to_ask_in_between_changes_nothing():
    rows = several(6, [12, 9, 14, 10])
    pool = SampleReader(SUPPRESSED, 0, 50)
    for block in rows.blocks:
        pool.read(block)
        pool.pairs(block.heads[0])
    for head in HEADS:
        assert listed(pool.pairs(head)) == by_hand(rows, head, SUPPRESSED, 0, 50)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("chosen", [SUPPRESSED, PLAIN, RowOptions(True, 0), RowOptions(False, 4)])
def test_the_number_of_pairs_is_that_of_a_double_loop(chosen, window, bidirectional):
    lengths = [1, 2, 9, 5, 9]
    rows = several(0, lengths, HEADS[2:], bidirectional, window)
    texts = rows.texts[HEADS[2]]
    allowed = allowed_of(max(texts, key=lambda text: len(text.ids)))
    assert number_of_pairs(allowed, np.array(lengths), chosen) == len(
        by_hand(rows, HEADS[2], chosen, 0)
    )


def test_away_from_the_cpu_nothing_waits_for_the_device():
    # A device without values: whatever depends on them raises, as do copies from there.
    pool = SampleReader(SUPPRESSED, 0, 20)
    for block in several(3, [9, 5, 7, 9, 12], remembered=10**6).blocks:
        pool.read(Block(block.tokens, block.heads, block.rows.to("meta")))
    assert not pool.whole
    with pytest.raises(NotImplementedError):
        pool.pairs(HEADS[0])


def test_a_long_document_is_hashed_in_parts(monkeypatch):
    monkeypatch.setattr("headtests.measurement.readers.sampled_pairs.HASHED", 64)
    for bidirectional, window in [(False, None), (True, None), (False, 5), (True, 5)]:
        rows = several(3, [19, 40, 23], bidirectional=bidirectional, window=window)
        for head, pool in pools_of(rows, SUPPRESSED, 0, 10**4).items():
            assert listed(pool.pairs(head)) == by_hand(rows, head, SUPPRESSED, 0)


@pytest.mark.parametrize("size", [0, -1, 2.5])
def test_a_size_that_keeps_nothing_is_refused(size):
    with pytest.raises(SettingError, match="at least 1"):
        SampleReader(SUPPRESSED, 0, size)


def test_the_share_of_a_known_number_has_a_margin():
    pool = SampleReader(SUPPRESSED, 0, 100_000, 10**9)
    foreseen = pool._ceiling / 2**64 * 10**9
    assert 100_000 + 5 * math.sqrt(100_000) < foreseen < 103_000
