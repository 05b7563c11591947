"""Rows that are no distribution over the keys that count are refused by name."""

import pytest
import torch

from headtests.errors import CaptureError
from headtests.expressions.head_names import HeadName
from headtests.models.row_checks import check_rows, tolerance_of
from tests import tiny_models

HEADS = [HeadName(3, 1), HeadName(3, 2)]
DOCUMENTS = tiny_models.random_documents([4, 4])
CAUSAL = torch.ones(4, 4, dtype=torch.bool).tril()


def uniform():
    """Return uniform causal rows, `[document, head, query, key]`."""
    rows = CAUSAL / CAUSAL.sum(-1, keepdim=True)
    return rows.expand(2, 2, 4, 4).clone()


def check(rows, attendable=CAUSAL, sinks=False, tolerance=1e-4):
    check_rows(rows, attendable, DOCUMENTS, HEADS, tolerance, sinks, "a model")


def test_distributions_pass():
    check(uniform())


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (float("nan"), "holds NaN"),
        (float("inf"), "sums to inf"),
        (-float("inf"), "sums to -inf"),
        (0.5, "sums to 1.16667"),
        (0.0, "sums to 0.666667"),
    ],
)
@pytest.mark.parametrize("sinks", [False, True])
def test_a_bad_row_is_named(value, what, sinks):
    rows = uniform()
    rows[1, 1, 2, 0] = value
    if sinks and value == 0.0:
        check(rows, sinks=True)
        return
    with pytest.raises(CaptureError) as caught:
        check(rows, sinks=sinks)
    document = DOCUMENTS[1]
    for part in (
        what,
        "a model",
        "L3H2 (layer 3, head 2)",
        "query 2",
        f"document {document.id}",
        repr(document.text_id),
    ):
        assert part in str(caught.value)


def test_with_sinks_a_row_may_be_empty_and_not_negative():
    rows = uniform()
    rows[0, 0, 1] = 0.0
    check(rows, sinks=True)
    rows[0, 0, 1, 0] = -0.01
    with pytest.raises(CaptureError, match=r"sums to -0\.01"):
        check(rows, sinks=True)


@pytest.mark.parametrize("sinks", [False, True])
@pytest.mark.parametrize("leak", [1e-3, -1e-3, 2e-6])
def test_a_leak_is_refused(leak, sinks):
    rows = uniform()
    rows[0, 1, 1, 3] = leak
    with pytest.raises(CaptureError, match=r"L3H2.*query 1 .*may not attend"):
        check(rows, sinks=sinks)


def test_dust_on_a_key_that_does_not_count_is_none():
    rows = uniform()
    rows[0, 1, 1, 3] = 1e-7
    check(rows)


def test_rows_that_attend_to_nothing_are_not_looked_at():
    attendable = CAUSAL.clone()
    attendable[3] = False
    rows = uniform()
    rows[:, :, 3] = torch.nan
    check(rows, attendable)


def test_what_is_near_enough_to_1_depends_on_the_precision():
    rows = uniform()
    rows[0, 0, 3] *= 1.01
    check(rows, tolerance=tolerance_of(torch.bfloat16))
    for dtype in (torch.float32, torch.float16):
        with pytest.raises(CaptureError, match=r"sums to 1\.01"):
            check(rows, tolerance=tolerance_of(dtype))
    rows = uniform()
    rows[0, 0, 3] *= 1.0005
    check(rows, tolerance=tolerance_of(torch.float16))
    with pytest.raises(CaptureError, match="sums to"):
        check(rows, tolerance=tolerance_of(torch.float32))
