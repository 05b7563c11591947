"""Of a batch, what is asked is given once, in buffers that nobody else writes to."""

import pytest
import torch

from headtests.errors import CaptureError
from headtests.expressions.head_names import HeadName
from headtests.models import row_reading as reading_module
from headtests.models.config import ModelShape
from headtests.models.row_reading import Layouts, Portion, RowRequest, documents_of_a_block
from tests import tiny_models

CPU = torch.device("cpu")
LENGTHS = [7, 5, 5, 1]
WIDTH = 4


def shape_of(*windows, heads=4):
    return ModelShape(len(windows), heads, None, windows)


def reading_of(
    heads,
    give=lambda *_: None,
    *,
    windows=(None, 3),
    bidirectional=False,
    strict=False,
    lengths=LENGTHS,
    portions=None,
    sinks=False,
):
    documents = tiny_models.random_documents(lengths)
    batch = tiny_models.batch_of(documents)
    return RowRequest(
        batch,
        heads,
        portions or [Portion(0, len(batch))],
        give,
        layouts=Layouts(shape_of(*windows), bidirectional, CPU),
        bidirectional=bidirectional,
        sinks=sinks,
        tolerance=1e-4,
        name="a model",
        strict=strict,
    )


def queries(heads=4, length=LENGTHS[0], seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(LENGTHS), heads, length, WIDTH, generator=generator)


L0H0, L0H1, L0H3, L1H2 = HeadName(0, 0), HeadName(0, 1), HeadName(0, 3), HeadName(1, 2)


def test_layers_are_asked_once_each_and_the_deepest_is_last():
    reading = reading_of([L1H2, L0H3, L0H0, L0H3])
    assert reading.by_layer == {1: [L1H2], 0: [L0H3, L0H0]}
    assert reading.deepest == 1
    assert reading.pending == {0, 1}
    reading.take_queries(0, queries(), queries(seed=1), 0.5)
    assert reading.pending == {1}


def test_heads_that_share_keys_are_read_with_their_own():
    query, key = queries(), queries(heads=2, seed=1)
    found = {}

    def give(heads, portion, rows):
        for head, part in zip(heads, rows, strict=True):
            found[head] = part.clone()

    every = [HeadName(0, index) for index in range(4)]
    reading_of(every, give).take_queries(0, query, key, 0.5)
    scores = query @ key.repeat_interleave(2, 1).transpose(-1, -2) * 0.5
    above = torch.ones(7, 7, dtype=torch.bool).triu(1)
    expected = scores.masked_fill(above, -torch.inf).softmax(-1)
    for head in every:
        for row, length in enumerate(LENGTHS):
            own = found[head][row, :length, :length]
            torch.testing.assert_close(own, expected[row, head.index, :length, :length])


def test_blocks_hold_as_many_heads_as_fit(monkeypatch):
    every = [HeadName(0, index) for index in range(4)]
    for heads, sizes in ((1, [1, 1, 1, 1]), (2, [2, 2]), (3, [3, 1]), (4, [4]), (9, [4])):
        monkeypatch.setattr(reading_module, "CPU_ELEMENTS", heads * len(LENGTHS) * LENGTHS[0] ** 2)
        for pattern in (False, True):
            given = []
            reading = reading_of(every, lambda heads, portion, rows, g=given: g.append(heads))
            if pattern:
                reading.take_pattern(0, torch.eye(7).expand(4, 4, 7, 7))
            else:
                reading.take_queries(0, queries(), queries(seed=1), 0.5)
            assert [len(group) for group in given] == sizes
            assert [head for group in given for head in group] == every


def test_documents_of_a_block_are_at_least_one():
    assert documents_of_a_block(CPU, 1024) == 1
    assert documents_of_a_block(CPU, 4096) == 1
    assert documents_of_a_block(CPU, 128) == 64
    assert documents_of_a_block(torch.device("cuda"), 1024) == 64


def test_a_buffer_is_used_again_and_clean():
    layouts = Layouts(shape_of(None, 3), False, CPU)
    with layouts.buffer(2, 3, 5, 0) as rows:
        first = rows.data_ptr()
        assert not rows.any()
        rows += torch.ones(5, 5).tril()
    with layouts.buffer(2, 3, 5, 0) as rows:
        assert rows.data_ptr() == first
        # 0 where nothing may be, which is all that is promised.
        assert not rows.triu(1).any()
    # A window allows less, and other sizes have other places.
    for asked in ((2, 3, 5, 1), (1, 3, 5, 0), (2, 2, 5, 0), (2, 3, 4, 0)):
        with layouts.buffer(2, 3, 5, 0) as rows:
            rows.fill_(1.0)
        with layouts.buffer(*asked) as rows:
            assert rows.shape == (asked[0], asked[1], asked[2], asked[2])
            assert not rows.any()


def test_a_buffer_that_is_lent_is_lent_to_nobody_else():
    layouts = Layouts(shape_of(None), False, CPU)
    with layouts.buffer(1, 1, 5, 0) as first, layouts.buffer(1, 1, 5, 0) as second:
        assert first.data_ptr() != second.data_ptr()


@pytest.mark.parametrize("where", ["query", "key"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf, 1e30])
def test_queries_and_keys_that_are_not_finite_are_unsound(where, value):
    query, key = queries(), queries(seed=1)
    reading = reading_of([L0H0])
    reading.take_queries(0, query, key, 0.5)
    assert reading.is_sound
    {"query": query, "key": key}[where][2, 1, 3, 2] = value
    reading = reading_of([L0H0])
    reading.take_queries(0, query, key, 0.5)
    assert not reading.is_sound


def test_scores_that_would_overflow_are_unsound():
    # Each is finite, and so is its sum.
    big = torch.full((len(LENGTHS), 4, LENGTHS[0], WIDTH), 1e25)
    reading = reading_of([L0H0])
    reading.take_queries(0, big, -big, 0.5)
    assert not reading.is_sound


def test_a_reading_that_took_nothing_is_sound():
    assert reading_of([L0H0]).is_sound


def expected_mask(window=None, bidirectional=False, padded=False):
    layouts = Layouts(shape_of(window), bidirectional, CPU)
    mask = layouts.allowed(0, LENGTHS[0]).expand(len(LENGTHS), 1, -1, -1).clone()
    if padded:
        for row, length in enumerate(LENGTHS):
            mask[row, :, :, length:] = False
    return mask


def additive(mask, dtype=torch.float32):
    return torch.zeros(mask.shape, dtype=dtype).masked_fill(~mask, torch.finfo(dtype).min)


@pytest.mark.parametrize("kind", ["boolean", "float32", "bfloat16"])
@pytest.mark.parametrize("padded", [True, False], ids=["told of padding", "not told"])
@pytest.mark.parametrize("layer", [0, 1], ids=["causal", "window"])
def test_masks_of_the_configuration_are_sound(layer, padded, kind):
    mask = expected_mask((None, 3)[layer], padded=padded)
    reading = reading_of([HeadName(layer, 0)], strict=True)
    reading.take_mask(
        layer, mask if kind == "boolean" else additive(mask, getattr(torch, kind)), True
    )
    assert reading.is_sound


def test_one_mask_for_all_documents_is_sound():
    reading = reading_of([L0H0], strict=True)
    reading.take_mask(0, expected_mask()[:1], True)
    assert reading.is_sound


@pytest.mark.parametrize("kind", ["boolean", "float32"])
@pytest.mark.parametrize("place", [(1, 0, 2, 1), (1, 0, 2, 3), (0, 0, 6, 6)])
@pytest.mark.parametrize("layer", [0, 1])
def test_a_mask_that_allows_other_keys_is_unsound(layer, place, kind):
    mask = expected_mask((None, 3)[layer])
    mask[place] = ~mask[place]
    given = mask if kind == "boolean" else additive(mask)
    reading = reading_of([HeadName(layer, 0)])
    reading.take_mask(layer, given, True)
    assert not reading.is_sound
    strict = reading_of([HeadName(layer, 0)], strict=True)
    with pytest.raises(CaptureError, match=f"a model: the mask of layer {layer}"):
        strict.take_mask(layer, given, True)


def test_masks_of_padding_are_not_looked_at():
    mask = expected_mask()
    mask[3, :, 1:] = False
    reading = reading_of([L0H0], strict=True)
    reading.take_mask(0, mask, True)
    assert reading.is_sound


def test_one_mask_of_layers_with_other_windows_is_looked_at_in_each():
    mask = expected_mask()
    reading = reading_of([L0H0, L1H2])
    reading.take_mask(0, mask, True)
    assert reading.is_sound
    reading.take_mask(1, mask, True)
    assert not reading.is_sound


def test_padding_that_a_model_attends_to_in_both_directions_is_unsound():
    for padded in (True, False):
        reading = reading_of([L0H0], windows=(None,), bidirectional=True)
        reading.take_mask(0, expected_mask(bidirectional=True, padded=padded), False)
        assert reading.is_sound == padded


@pytest.mark.parametrize(
    ("windows", "bidirectional", "is_causal", "lengths", "sound"),
    [
        ((None,), False, True, LENGTHS, True),
        ((None,), False, False, LENGTHS, False),
        ((7,), False, True, LENGTHS, True),
        ((6,), False, True, LENGTHS, False),
        ((None,), True, False, [5, 5], True),
        ((None,), True, False, [5, 4], False),
        ((None,), True, True, [5, 5], False),
    ],
)
def test_no_mask_is_sound_where_none_is_needed(windows, bidirectional, is_causal, lengths, sound):
    named = {"windows": windows, "bidirectional": bidirectional, "lengths": lengths}
    reading = reading_of([L0H0], **named)
    reading.take_mask(0, None, is_causal)
    assert reading.is_sound == sound
    if not sound:
        with pytest.raises(CaptureError, match="mask of layer 0"):
            reading_of([L0H0], **named, strict=True).take_mask(0, None, is_causal)


def test_rows_of_patterns_are_checked_and_cut_to_what_counts():
    pattern = expected_mask().float().expand(-1, 4, -1, -1)
    pattern = pattern / pattern.sum(-1, keepdim=True)
    given = []
    portions = [Portion(0, 1), Portion(1, 4)]
    reading = reading_of(
        [L0H1], lambda heads, portion, rows: given.append(rows.clone()), portions=portions
    )
    # What stands in rows of padding is nobody's.
    spoilt = pattern.clone()
    for row, length in enumerate(LENGTHS):
        spoilt[row, :, length:] = torch.nan
    reading.take_pattern(0, spoilt)
    assert [tuple(rows.shape) for rows in given] == [(1, 1, 7, 7), (1, 3, 5, 5)]
    assert torch.equal(given[0][0, 0], pattern[0, 1])
    for row, length in enumerate(LENGTHS[1:]):
        assert torch.equal(
            given[1][0, row, :length, :length], pattern[1 + row, 1, :length, :length]
        )
        assert not given[1][0, row, length:].any()
        assert not given[1][0, row, :, length:].any()
    spoilt[2, 1, 3, 4] = 0.5
    with pytest.raises(CaptureError, match=r"L0H1.*query 3 .*may not attend"):
        reading_of([L0H1]).take_pattern(0, spoilt)
    reading_of([L0H0]).take_pattern(0, spoilt)


def test_strict_readings_check_rows_before_they_are_given():
    query, key = queries(), queries(seed=1)
    query[1, 1, 2] = torch.nan
    given = []
    reading = reading_of([L0H0, L0H1], lambda *found: given.append(found), strict=True)
    with pytest.raises(CaptureError, match=r"L0H1.*query 2 .*NaN") as caught:
        reading.take_queries(0, query, key, 0.5)
    assert f"document {reading.batch.documents[1].id}" in str(caught.value)
    reading = reading_of([L0H0], lambda *found: given.append(found), strict=True)
    reading.take_queries(0, query, key, 0.5)
    assert len(given) == 1


# Values.


def with_values(values, heads, lengths=LENGTHS, strict=False, portions=None):
    """Return the norms that are given for values of layer 0, by head, and the request."""
    found = {}

    def give_values(asked, portion, norms):
        for head, part in zip(asked, norms, strict=True):
            found.setdefault(head, []).append(part)

    reading = reading_of(heads, strict=strict, lengths=lengths, portions=portions)
    reading._give_values = give_values
    reading.take_values(0, values)
    reading.take_queries(0, queries(), queries(seed=1), 0.5)
    return found, reading


def test_heads_that_share_values_have_the_same_norms():
    values = queries(heads=2, seed=3)
    every = [HeadName(0, index) for index in range(4)]
    found, reading = with_values(values, every, portions=[Portion(0, 2), Portion(2, 4)])
    assert reading.is_sound
    for head in every:
        for start, part in zip((0, 2), found[head], strict=True):
            assert part.dtype == torch.float32
            for row in range(2):
                length = LENGTHS[start + row]
                own = values[start + row, head.index // 2, :length]
                expected = [sum(x * x for x in value) ** 0.5 for value in own.tolist()]
                assert part[row, :length].tolist() == pytest.approx(expected)
                assert not part[row, length:].any()


def test_nobody_who_asks_for_none_pays_for_values():
    reading = reading_of([L0H0])
    assert not reading.needs_values
    reading.take_values(0, None)
    assert reading._value_norms == {}


@pytest.mark.parametrize(
    "values",
    [
        None,
        queries(heads=3),
        queries(length=6),
        queries()[:3],
        queries().flatten(2),
        queries()[:, :0],
    ],
    ids=["nothing", "three heads", "short", "few documents", "flat", "no head"],
)
def test_values_of_another_shape_are_refused(values):
    with pytest.raises(CaptureError) as caught:
        with_values(values, [L0H0])
    for part in ("a model", "layer 0", "weights="):
        assert part in str(caught.value)


def test_a_value_that_is_not_finite_is_named():
    values = queries(seed=3)
    values[1, 3, 2, 0] = torch.inf
    assert not with_values(values, [L0H3])[1].is_sound
    with pytest.raises(CaptureError) as caught:
        with_values(values, [L0H1, L0H3], strict=True, portions=[Portion(0, 1), Portion(1, 4)])
    for part in ("a model", "L0H3", "key 2", "document 1", "text-1", "inf"):
        assert part in str(caught.value)
    # That of another head is none of this one's business, and neither is one of padding.
    with_values(values, [L0H1], strict=True)
    values = queries(seed=3)
    values[3, :, 1:] = torch.nan
    found, reading = with_values(values, [L0H3])
    assert reading.is_sound
    assert found[L0H3][0].isfinite().all()
