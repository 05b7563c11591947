"""The best pairs of many heads equal those of a naive sort, ties included, in both methods."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.claims.definitions import RowOptions
from headtests.errors import SettingError
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block
from headtests.measurement.readers.ranked_pairs import RankedReader
from tests.measurement.several import HEADS, drawn, listed, read_by, several
from tests.oracles import Reader

FIXED = settings(derandomize=True, deadline=None, max_examples=60)
SUPPRESSED = RowOptions(True)

options = st.builds(RowOptions, st.booleans(), st.sampled_from([0, 1, 2]))
ways = pytest.mark.parametrize("fixed", [False, True], ids=["some rows", "fixed shapes"])


def naive(given_rows, head, chosen, size):
    reader = Reader(given_rows.texts[head], chosen.suppress_first_token, chosen.min_query)
    return reader.ranked(size)


@pytest.mark.slow
@ways
@FIXED
@given(drawn(), options, st.integers(1, 9))
def test_ranked_pairs_are_the_first_of_a_naive_sort(fixed, drawn_rows, chosen, size):
    reader = read_by(RankedReader(chosen, size, fixed), drawn_rows.blocks)
    for head in HEADS:
        assert listed(reader.pairs(head)) == naive(drawn_rows, head, chosen, size)


@pytest.mark.slow
@ways
@pytest.mark.parametrize("ties", [True, False], ids=["ties", "no ties"])
@pytest.mark.parametrize("size", [3, 40, 5000])
def test_ranked_pairs_of_longer_documents(size, ties, fixed):
    rows = several(5, [40, 31, 38, 40, 12, 3, 40], ties=ties, at_once=3, remembered=10**6)
    reader = read_by(RankedReader(SUPPRESSED, size, fixed), rows.blocks)
    for head in HEADS:
        assert listed(reader.pairs(head)) == naive(rows, head, SUPPRESSED, size)


@ways
def test_blocks_come_in_any_order(fixed):
    rows = several(6, [20, 24, 9, 20, 17, 22])
    forward = read_by(RankedReader(SUPPRESSED, 12, fixed), rows.blocks)
    backward = read_by(RankedReader(SUPPRESSED, 12, fixed), rows.blocks[::-1])
    for head in HEADS:
        assert forward.pairs(head) == backward.pairs(head)


@ways
def test_pairs_may_be_asked_for_between_blocks(fixed):
    rows = several(7, [20, 24, 9, 20, 17, 22])
    reader = RankedReader(SUPPRESSED, 12, fixed)
    for block in rows.blocks:
        reader.read(block)
        reader.pairs(HEADS[0])
    for head in HEADS:
        assert listed(reader.pairs(head)) == naive(rows, head, SUPPRESSED, 12)


@ways
def test_a_head_may_come_among_different_ones(fixed):
    apart = several(8, [9, 14, 11, 14], together=False)
    together = several(8, [9, 14, 11, 14])
    # Of the first batch in one block a head, of the others all of a layer in one.
    first = {id(block.tokens.batch) for block in apart.blocks[:3]}
    blocks = [block for block in apart.blocks if id(block.tokens.batch) in first]
    blocks += [block for block in together.blocks if block.tokens.key[0] != 0]
    reader = read_by(RankedReader(SUPPRESSED, 10, fixed), blocks)
    for head in HEADS:
        assert listed(reader.pairs(head)) == naive(together, head, SUPPRESSED, 10)


@ways
def test_of_a_head_that_was_not_read_there_are_no_pairs(fixed):
    reader = read_by(RankedReader(SUPPRESSED, 10, fixed), several(8, [9]).blocks)
    assert len(reader.pairs(HeadName(7, 7))) == 0


@pytest.mark.parametrize("size", [0, -1, 2.0, True])
def test_a_size_that_keeps_nothing_is_refused(size):
    with pytest.raises(SettingError, match="at least 1"):
        RankedReader(SUPPRESSED, size)


@pytest.fixture
def looked_at(monkeypatch):
    """How many rows were looked at, of each block that any were looked at of."""
    counts = []
    take = RankedReader._take

    def seen(self, found, block, place, lines, best):
        counts.append(len(lines))
        take(self, found, block, place, lines, best)

    monkeypatch.setattr(RankedReader, "_take", seen)
    return counts


def test_rows_that_cannot_matter_are_not_looked_at(looked_at):
    rows = several(9, [30] * 40, heads=HEADS[:1], at_once=1, ties=False)
    reader = read_by(RankedReader(SUPPRESSED, 5, fixed=False), rows.blocks)
    assert listed(reader.pairs(HEADS[0])) == naive(rows, HEADS[0], SUPPRESSED, 5)
    # Of 1,160 rows, those of the first block and the few that are better than what was kept.
    assert sum(looked_at[1:]) < 60


@pytest.mark.parametrize("length", [9, 32, 33, 70])
def test_rows_that_rest_on_key_0_are_not_looked_at(length, looked_at):
    (block,) = several(9, [length], heads=HEADS[:1]).blocks
    block.rows[:] = 0
    block.rows[..., 0] = 1
    reader = RankedReader(SUPPRESSED, 5, fixed=False)
    reader.read(block)
    assert not looked_at
    assert len(reader.pairs(HEADS[0])) == 0


def test_away_from_the_cpu_nothing_waits_for_the_device():
    # A device without values: whatever depends on them raises, as do copies from there.
    reader = RankedReader(SUPPRESSED, 4)
    for block in several(3, [9, 5, 7]).blocks:
        reader.read(Block(block.tokens, block.heads, block.rows.to("meta")))
    kept = reader._best_on_device[HEADS[:2]].multiples
    assert (kept.device.type, kept.shape) == ("meta", (2, 4))
    with pytest.raises(NotImplementedError):
        reader.pairs(HEADS[0])
