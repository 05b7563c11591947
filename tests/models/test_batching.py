"""Rows of a document do not depend on the documents that share its batch."""

import copy

import numpy as np
import pytest
import torch

import headtests as ht
from headtests.errors import CaptureError, ModelError
from headtests.models.batching import SHORT, Batching
from headtests.models.config import shape_of
from headtests.models.loading import adopt_bridge, load_model
from headtests.models.row_reading import Portion
from headtests.settings import ModelSpec
from tests import tiny_models
from tests.models.architectures import CPU, HOOKS, TOLERANCE, alone, boot, every_head

LIMIT = 16
LENGTHS = [40, 30, LIMIT + 1, LIMIT, 9, 2]
FACTORS = {
    "rope_type": "longrope",
    "short_factor": [1.0] * 4,
    "long_factor": [8.0] * 4,
    "rope_theta": 10_000.0,
    "original_max_position_embeddings": LIMIT,
}


@pytest.fixture(scope="module")
def longrope(tmp_path_factory):
    """The folder of a model with two sets of rotary factors."""
    from transformers import AutoConfig

    config = AutoConfig.for_model(
        "phi3",
        **tiny_models._SIZES,
        num_key_value_heads=2,
        original_max_position_embeddings=LIMIT,
        rope_parameters=FACTORS,
    )
    model = tiny_models.random_model(config)
    return tiny_models.write_model(tmp_path_factory.mktemp("longrope"), model)


def assert_as_alone(model, reference, lengths=LENGTHS):
    documents = tiny_models.random_documents(lengths, first_id=2)
    batch = tiny_models.batch_of(documents, model.pad_id)
    heads = every_head(model)
    model.try_batch(batch, heads)
    rows = model.rows(batch, heads)
    for place, document in enumerate(batch.documents):
        inside = slice(0, len(document))
        expected = alone(reference, document).flatten(0, 1)
        found = rows[:, place, inside, inside]
        torch.testing.assert_close(found, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["interface", HOOKS])
def test_documents_on_both_sides_of_a_limit_have_the_rows_that_they_have_alone(way, longrope):
    from transformers import AutoModel

    held = way == HOOKS
    model = adopt_bridge(boot(longrope)) if held else load_model(ModelSpec(longrope), CPU)
    assert model.shape.length_limits == (LIMIT,)
    reference = AutoModel.from_pretrained(longrope, attn_implementation="eager").eval()
    assert_as_alone(model, reference)


@pytest.mark.slow
def test_the_batch_size_changes_no_figure(longrope, tmp_path):
    corpus = tmp_path / "texts.txt"
    short = [f"{number} the cat sat on the mat" for number in range(6)]
    corpus.write_text("\n\n".join([*short, "the module is imported, " * 9]), encoding="utf-8")

    def figure(batch_size):
        settings = ht.Settings(batch_size=batch_size, no_cache=True, device="cpu")
        session = ht.Session(longrope, str(corpus), heads=["L2H3"], settings=settings)
        lengths = session.population.lengths
        assert lengths.min() <= LIMIT < lengths.max()
        return session.head("L2H3").mass(ht.current).value

    assert figure(32) == pytest.approx(figure(1), abs=1e-6)


def limits_of(**options):
    return shape_of(tiny_models.llama_config(**options), "made-up").length_limits


def test_limits_are_those_of_the_configuration():
    assert limits_of(rope_parameters=FACTORS) == (LIMIT,)
    assert limits_of() == ()
    dynamic = {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 10_000.0}
    # Its factors change beyond the context alone.
    assert limits_of(rope_parameters=dynamic) == ()


def batch_of(*lengths):
    return tiny_models.batch_of(tiny_models.random_documents(lengths))


def test_a_batch_is_divided_at_its_limits():
    batching = Batching((4, 8))
    batch = batch_of(10, 9, 8, 5, 4, 1)
    assert [batching.kind(document) for document in batch.documents] == [2, 2, 1, 1, 0, 0]
    assert [batching.end(batch, start, 6) for start in range(6)] == [2, 2, 4, 4, 6, 6]
    assert batching.end(batch, 0, 1) == 1
    portions = [Portion(0, 2), Portion(2, 3), Portion(3, 4), Portion(4, 6)]
    parts = batching.parts(batch, portions)
    assert [start for _, _, start in parts] == [0, 2, 4]
    assert [part.ids.shape for part, _, _ in parts] == [(2, 10), (2, 8), (2, 4)]
    assert [(p.start, p.stop) for p in parts[1][1]] == [(0, 1), (1, 2)]
    for part, _, start in parts:
        assert part.documents == batch.documents[start : start + 2]
        assert torch.equal(part.ids, batch.ids[start : start + 2, : part.ids.shape[1]])
        assert torch.equal(part.valid, batch.valid[start : start + 2, : part.ids.shape[1]])


def test_a_batch_of_one_kind_stays_whole():
    batch = batch_of(7, 6)
    portions = [Portion(0, 2)]
    assert Batching((4, 8)).parts(batch, portions) == [(batch, portions, 0)]


def test_each_document_runs_by_itself_where_others_matter():
    batching, batch = Batching(()), batch_of(7, 6, 5)
    batching.alone = True
    assert [batching.end(batch, start, 3) for start in range(3)] == [1, 2, 3]
    parts = batching.parts(batch, [Portion(start, start + 1) for start in range(3)])
    assert [part.ids.shape for part, _, _ in parts] == [(1, 7), (1, 6), (1, 5)]


def test_a_length_is_tried_once():
    batching = Batching((20,))
    assert batching.untried(batch_of(30), 0) is None
    short, long = batching.untried(batch_of(30, 25), 1)
    # Of the same kind as the long one, and as short as that allows.
    assert (len(short), len(long)) == (21, 30)
    assert np.array_equal(short.ids, long.ids[:21])
    assert batching.untried(batch_of(30, 25), 1) is None
    assert batching.untried(batch_of(29, 25), 0) is None
    assert batching.untried(batch_of(29, 25), 2) is not None
    assert batching.untried(batch_of(31, 25), 1) is not None
    short, _ = batching.untried(batch_of(19, 5), 1)
    assert len(short) == SHORT
    assert Batching(()).untried(batch_of(SHORT, 2), 0) is None


# Models whose rows depend on the batch in a way that no configuration tells.


@pytest.fixture
def rotary(monkeypatch):
    """Return a function that changes the positions that a Llama's rotary embedding is given."""
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    own = LlamaRotaryEmbedding.forward

    def change(of):
        monkeypatch.setattr(
            LlamaRotaryEmbedding,
            "forward",
            lambda self, x, position_ids: own(self, x, of(x, position_ids)),
        )

    return change


@pytest.fixture
def llama(folder_of):
    return load_model(ModelSpec(folder_of("llama")), CPU)


def by_length(x, positions):
    return positions * (1 if x.shape[1] <= 12 else 3)


def by_documents(x, positions):
    return positions * (1 if x.shape[0] == 1 else 3)


@pytest.mark.parametrize("of", [by_length, by_documents])
def test_documents_of_a_model_that_mixes_them_run_by_themselves(of, llama, rotary, reference):
    documents = tiny_models.random_documents([40, 9, 5], first_id=2)
    batch = tiny_models.batch_of(documents, llama.pad_id)
    heads = every_head(llama)
    rotary(of)
    assert "depends on the documents in its batch" in llama.try_batch(batch, heads)
    # Said once.
    assert llama.try_batch(batch, heads) == ""
    rows = llama.rows(batch, heads)
    expected = alone(copy.deepcopy(reference("llama")), batch.documents[1]).flatten(0, 1)
    torch.testing.assert_close(rows[:, 1, :9, :9], expected, rtol=0, atol=TOLERANCE)


def test_a_model_with_a_memory_is_refused(llama, rotary):
    longest = [0]

    def by_history(x, positions):
        longest[0] = max(longest[0], x.shape[1])
        return positions * (1 if longest[0] <= 12 else 3)

    rotary(by_history)
    batch = tiny_models.batch_of(tiny_models.random_documents([40, 9], first_id=2))
    with pytest.raises(ModelError, match=r"documents that ran before.*headtests_max_length"):
        llama.try_batch(batch, every_head(llama))


def test_a_trial_is_two_passes_of_two_documents_at_most(llama):
    batch = tiny_models.batch_of(tiny_models.random_documents([40, 39, 38, 9], first_id=2))
    shapes = []
    handle = llama.capture.network.register_forward_pre_hook(
        lambda module, arguments: shapes.append(tuple(arguments[0].shape))
    )
    for _ in range(2):
        assert llama.try_batch(batch, every_head(llama)) == ""
    handle.remove()
    assert shapes == [(1, SHORT), (2, 40)]


def test_a_trial_without_memory_lets_documents_run_by_themselves(llama, monkeypatch):
    def full(reading):
        raise torch.OutOfMemoryError("Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(llama.capture, "read", full)
    batch = tiny_models.batch_of(tiny_models.random_documents([40, 9], first_id=2))
    assert llama.try_batch(batch, every_head(llama)) == ""
    assert [(part.start, part.stop) for part in llama.portions(batch)] == [(0, 1), (1, 2)]


def test_rows_that_are_wrong_are_left_to_the_documents_to_say(llama, monkeypatch):
    def wrong(reading):
        raise CaptureError("holds NaN")

    monkeypatch.setattr(llama.capture, "read", wrong)
    batch = tiny_models.batch_of(tiny_models.random_documents([40, 9], first_id=2))
    assert llama.try_batch(batch, every_head(llama)) == ""


# What a forward pass raises.


def test_what_a_model_raises_is_an_error_that_names_it(llama, monkeypatch):
    def breaks(reading):
        raise IndexError("index out of range in self")

    monkeypatch.setattr(llama.capture, "read", breaks)
    batch = tiny_models.batch_of(tiny_models.random_documents([9], first_id=2))
    with pytest.raises(ModelError, match=r"llama.*forward pass failed.*index out of range"):
        llama.rows(batch, every_head(llama))


def test_what_a_reader_raises_is_no_error_of_the_model(llama):
    def give(*arguments):
        raise ZeroDivisionError("mine")

    batch = tiny_models.batch_of(tiny_models.random_documents([9], first_id=2))
    with pytest.raises(ZeroDivisionError, match="mine"):
        llama.read(batch, every_head(llama), llama.portions(batch), give)


SIZES = tiny_models._SIZES | {"num_hidden_layers": 2, "num_key_value_heads": 2}
BY_BRIDGES = {
    "granitemoehybrid": {
        "layer_types": ["mamba", "attention"],
        "mamba_n_heads": 4,
        "mamba_d_head": 16,
        "mamba_n_groups": 1,
        "mamba_d_state": 8,
        "mamba_d_conv": 2,
        "mamba_expand": 2,
        "mamba_chunk_size": 8,
        "num_local_experts": 0,
        "shared_intermediate_size": 48,
    },
    "jetmoe": {"kv_channels": 8, "num_local_experts": 2, "num_experts_per_tok": 1},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", BY_BRIDGES)
def test_a_bridge_that_cannot_be_read_is_refused_when_it_is_opened(kind, tmp_path):
    from transformers import AutoConfig

    config = AutoConfig.for_model(kind, **(SIZES | BY_BRIDGES[kind]))
    folder = tiny_models.write_model(tmp_path, tiny_models.random_model(config))
    with pytest.raises(ModelError, match=r"TransformerBridge|has the shape") as raised:
        load_model(ModelSpec(folder), CPU)
    assert folder in str(raised.value)
    with pytest.raises(ModelError):
        adopt_bridge(boot(folder))


def test_a_pattern_of_another_shape_is_refused(held, monkeypatch):
    model = held("gpt2")
    capture = model.capture
    own = capture._hook

    def halved(reading, layer):
        read = own(reading, layer)
        return lambda pattern, hook: read(pattern[:, :2], hook)

    monkeypatch.setattr(capture, "_hook", halved)
    batch = tiny_models.batch_of(tiny_models.random_documents([9], first_id=2))
    with pytest.raises(CaptureError, match=r"shape \(1, 2, 9, 9\).*\(1, 4, 9, 9\) was expected"):
        model.rows(batch, every_head(model))
