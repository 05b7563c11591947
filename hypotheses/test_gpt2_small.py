"""Published claims about the attention patterns of GPT-2 small, each with its source.

`pytest hypotheses/test_gpt2_small.py` downloads the weights, or skips with the reason if they are
not available. Every document begins with BOS, as in TransformerLens, where the published scores
were measured. Implementations weigh rows differently, so the thresholds are the cut-offs by which
the source calls a head by its name, not its scores.
"""

import pytest

import headtests as ht
from headtests import query

pytestmark = [
    pytest.mark.model("openai-community/gpt2", missing="skip"),
    pytest.mark.corpus("repeated-random", period=50, repeats=2, documents=128, bos="always"),
]

CUT_OFF = 0.4
"""Above it, ARENA's interpretability course calls a head previous-token, induction or resting."""


@pytest.mark.head("L4H11")
def test_previous_token_head(head):
    """TransformerLens's head-detector demo: L4H11 attends near perfectly to the previous token."""
    assert head.mass(ht.previous) >= CUT_OFF


@pytest.mark.head("L2H2")
def test_weaker_previous_token_head(head):
    """The same demo: L2H2 does so more weakly, so the claim compares with uniform attention."""
    assert head.lift(ht.previous) >= 5


@pytest.mark.head("L5H1", "L5H5", "L6H9", "L7H2", "L7H10")
def test_induction_heads(head):
    """A public run on repeated random tokens of period 50 gives these heads 0.83 to 0.93."""
    assert head.mass(ht.induction, when=query.repeats) >= CUT_OFF


@pytest.mark.head("L3H0", "L0H1")
def test_duplicate_token_heads(head):
    """TransformerLens's demo names L3H0, and Wang et al. 2022 (IOI) both; no figure is published.

    Without a published score, the claim is five times what uniform attention would give.
    """
    assert head.lift(ht.duplicate) >= 5


@pytest.mark.head("L4H10", "L5H6")
def test_resting_heads(head):
    """TransformerLens's head-detector demo: L4H10 and L5H6 rest, and score high without BOS."""
    assert head.mass(ht.first) >= CUT_OFF


@pytest.mark.heads("L4H11", "L2H2")
def test_l4h11_is_the_stronger_previous_token_head(heads):
    """TransformerLens's head-detector demo: L4H11 near perfect, L2H2 weaker."""
    strong, weak = heads
    assert strong.mass(ht.previous) >= weak.mass(ht.previous)


@pytest.mark.heads("L5H5", "L4H11")
def test_induction_is_not_looking_at_the_previous_token(heads):
    """The same statistic on the same documents separates the two roles."""
    induction, previous = heads
    assert induction.mass(ht.induction, when=query.repeats) >= 3 * previous.mass(
        ht.induction, when=query.repeats
    )
