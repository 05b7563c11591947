"""By the attention interface: no more runs than must, faults are named, and nothing is left."""

import threading
from importlib import import_module

import numpy as np
import pytest
import torch

from headtests.errors import CaptureError
from headtests.expressions.head_names import HeadName
from headtests.models import attention_interface as interface_module
from headtests.models.attention_interface import FAST, InterfaceCapture
from headtests.models.row_reading import Portion
from tests import tiny_models
from tests.models.architectures import EAGER, PATHS, STOCK, batch_for, called, every_head

GPT2_LAYER = "transformers.models.gpt2.modeling_gpt2"


@pytest.mark.slow
@pytest.mark.parametrize("deepest", range(tiny_models.LAYERS))
@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma2", "roberta"])
def test_the_forward_stops_in_the_attention_of_the_deepest_asked_layer(name, deepest, opened):
    model = opened(name)
    network = model.capture.network
    layers = {"gpt2": "h", "roberta": "encoder.layer"}.get(name, "layers")
    behind = {
        "gpt2": {"attn.c_proj", "ln_2", "mlp"},
        "roberta": {"attention.output", "intermediate", "output"},
    }.get(name, {"self_attn.o_proj", "mlp"})
    batch = batch_for(name, model)
    with called(network) as names:
        model.rows(batch, [HeadName(0, 0), HeadName(deepest, 1)])
    seen = set(names)
    assert len(names) == len(seen)
    for layer in range(tiny_models.LAYERS):
        own = {found for found in seen if found.startswith(f"{layers}.{layer}")}
        assert bool(own) == (layer <= deepest)
        for part in behind:
            assert (f"{layers}.{layer}.{part}" in own) == (layer < deepest)
    assert not seen & {"norm", "ln_f", "pooler"}


@pytest.mark.parametrize("name", ["gpt2", "gemma2"])
def test_a_whole_forward_would_be_seen(name, opened):
    model = opened(name)
    batch = batch_for(name, model)
    with called(model.capture.network) as names, torch.no_grad():
        model.capture.network(batch.ids)
    assert set(names) & {"norm", "ln_f"}


def last_states(network, batch):
    with torch.no_grad():
        return network(batch.ids, attention_mask=batch.valid.long()).last_hidden_state


def assert_nothing_is_left(model, truth, batch):
    """Check that the model runs as it would have, and nobody reads."""
    assert interface_module._reading.get() is None
    network = model.capture.network
    torch.testing.assert_close(
        last_states(network, batch)[batch.valid],
        last_states(truth, batch)[batch.valid],
        rtol=1e-4,
        atol=1e-4,
    )
    with torch.no_grad():
        output = network(batch.ids, output_hidden_states=True)
    assert len(output.hidden_states) == model.shape.layers + 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma3", "roberta", "gemma2", "gpt_oss"])
def test_nothing_is_left_after_a_capture(name, opened, reference):
    model = opened(name)
    batch = batch_for(name, model)
    hooks = [len(module._forward_hooks) for module in model.capture.network.modules()]
    model.rows(batch, [HeadName(1, 0)])
    assert hooks == [len(module._forward_hooks) for module in model.capture.network.modules()]
    assert_nothing_is_left(model, reference(name), batch)


@pytest.mark.parametrize("name", ["gpt2", "gemma2"])
@pytest.mark.parametrize("layer", [0, 2])
def test_nothing_is_left_where_a_reader_raises(layer, name, opened, reference):
    model = opened(name)
    batch = batch_for(name, model)
    before = model.rows(batch, every_head(model))

    def give(heads, portion, rows):
        if heads[0].layer == layer:
            raise KeyError("a reader's own")

    with pytest.raises(KeyError, match="a reader's own"):
        model.read(batch, every_head(model), model.portions(batch), give)
    assert_nothing_is_left(model, reference(name), batch)
    assert torch.equal(model.rows(batch, every_head(model)), before)


def test_two_threads_do_not_write_to_one_place(opened):
    model = opened("gpt2")
    first = tiny_models.batch_of(tiny_models.random_documents([9, 9], seed=1))
    second = tiny_models.batch_of(tiny_models.random_documents([9, 9], seed=2))
    head = HeadName(1, 0)
    expected = [model.rows(batch, [head])[0] for batch in (first, second)]
    other = []

    def run():
        other.append(model.rows(second, [head])[0])

    def give(heads, portion, rows):
        # While this reader holds its rows, another thread reads its own.
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        assert torch.equal(rows[0], expected[0])

    model.read(first, [head], [Portion(0, 2)], give)
    (found,) = other
    assert torch.equal(found, expected[1])


def test_a_reader_may_read_others_rows(opened):
    model, another = opened("gpt2"), opened("gemma2")
    batch = batch_for("gpt2", model)
    whole = model.rows(batch, every_head(model))
    others = another.rows(batch, every_head(another))
    given = []

    def give(heads, portion, rows):
        own = rows.clone()
        assert torch.equal(model.rows(batch, every_head(model)), whole)
        assert torch.equal(another.rows(batch, every_head(another)), others)
        assert torch.equal(rows, own)
        given.append(heads)

    model.read(batch, every_head(model), model.portions(batch), give)
    assert len(given) == model.shape.layers


@pytest.mark.parametrize("implementation", ["sdpa", "eager", FAST])
def test_a_model_of_the_users_own_is_unaffected(implementation, opened, folder_of):
    from transformers import AutoModel

    own = AutoModel.from_pretrained(folder_of("gpt2"), attn_implementation="sdpa").eval()
    batch = tiny_models.batch_of(tiny_models.random_documents([9, 4]))
    before = last_states(own, batch)
    own.set_attn_implementation(implementation)
    torch.testing.assert_close(last_states(own, batch)[batch.valid], before[batch.valid])
    model = opened("gpt2")
    read = []

    def give(heads, portion, rows):
        torch.testing.assert_close(last_states(own, batch)[batch.valid], before[batch.valid])
        read.append(heads)

    model.read(batch, every_head(model), model.portions(batch), give)
    assert len(read) == model.shape.layers
    torch.testing.assert_close(last_states(own, batch)[batch.valid], before[batch.valid])
    assert own.config._attn_implementation == implementation


def test_nothing_of_transformers_own_is_replaced(opened):
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward
    from transformers.masking_utils import eager_mask, sdpa_mask

    opened("gpt2")
    assert AttentionInterface()["sdpa"] is sdpa_attention_forward
    assert "eager" not in AttentionInterface()
    assert AttentionMaskInterface()["sdpa"] is sdpa_mask
    assert AttentionMaskInterface()["eager"] is eager_mask
    ours = {name for name in AttentionInterface() if "headtests" in name}
    assert ours == {interface_module.FAST, interface_module.EAGER}


def test_padding_of_a_causal_model_is_no_mask(opened):
    # So that the stock attention may take the way of no mask, which is the fast one.
    model = opened("gpt2")
    masks = []
    attention = model.capture.network.h[0].attn

    def note(module, arguments, named):
        masks.append(named["attention_mask"] if "attention_mask" in named else arguments[2])

    handle = attention.register_forward_pre_hook(note, with_kwargs=True)
    try:
        model.rows(batch_for("gpt2", model), [HeadName(0, 0)])
    finally:
        handle.remove()
    assert masks == [None]


# What is wrong with a model.


def spoil(model, layer, name="self_attn.q_proj.weight"):
    layers = model.capture.network.layers
    with torch.no_grad():
        layers[layer].get_parameter(name).fill_(torch.nan)


@pytest.mark.parametrize("name", ["llama", "gemma2"])
def test_nan_of_a_layer_is_named_and_that_of_none_that_was_asked_is_no_error(name, fresh):
    model = fresh(name)
    assert model.facts.path == PATHS[name]
    batch = batch_for(name, model)
    before = model.rows(batch, [HeadName(0, 0), HeadName(0, 3)])
    spoil(model, 1)
    assert torch.equal(model.rows(batch, [HeadName(0, 0), HeadName(0, 3)]), before)
    document = batch.documents[0]
    for heads, named in (
        ([HeadName(0, 0), HeadName(1, 2)], HeadName(1, 2)),
        ([HeadName(1, 3), HeadName(2, 0)], HeadName(1, 3)),
        # Where it comes to light, if nobody asked where it began.
        ([HeadName(0, 1), HeadName(2, 0)], HeadName(2, 0)),
    ):
        with pytest.raises(CaptureError) as caught:
            model.rows(batch, heads)
        for part in (
            str(model.spec),
            f"{named} (layer {named.layer}, head {named.index})",
            "query 0",
            f"document {document.id}",
            repr(document.text_id),
            "NaN",
        ):
            assert part in str(caught.value)


@pytest.mark.parametrize("name", ["gpt2", "gemma2"])
def test_nan_of_one_token_is_of_its_document(name, fresh):
    model = fresh(name)
    documents = tiny_models.random_documents([9, 8, 7], first_id=2, vocabulary=1000)
    documents[2].ids[4] = 1010
    batch = tiny_models.batch_of(documents)
    with torch.no_grad():
        model.capture.network.get_input_embeddings().weight[1010] = torch.nan
    with pytest.raises(CaptureError, match=r"L1H2 .*of document 2 .*NaN"):
        model.rows(batch, [HeadName(1, 2)])
    # The documents beside it are right.
    assert torch.isfinite(model.rows(tiny_models.batch_of(documents[:2]), [HeadName(1, 2)])).all()


@pytest.mark.parametrize("name", ["gpt2", "gemma2"])
def test_what_is_wrong_with_a_head_that_was_not_asked_is_no_error(name, fresh):
    model = fresh(name)
    batch = batch_for(name, model)
    heads = [HeadName(1, 0), HeadName(1, 1)]
    before = model.rows(batch, heads)
    network = model.capture.network
    with torch.no_grad():
        if name == "gpt2":
            network.h[1].attn.c_attn.weight[:, 2 * 8 : 3 * 8] = torch.nan
        else:
            network.layers[1].self_attn.q_proj.weight[2 * 8 : 3 * 8] = torch.nan
    assert torch.equal(model.rows(batch, heads), before)
    with pytest.raises(CaptureError, match=r"L1H2 .*NaN"):
        model.rows(batch, [*heads, HeadName(1, 2)])


def masks_by(mask_of):
    """Stand in for a function of transformers that makes the model's mask."""

    def make(config, inputs_embeds, *arguments, **named):
        documents, length = inputs_embeds.shape[:2]
        mask = mask_of(length).expand(documents, 1, length, length).clone()
        if "headtests_eager" in config._attn_implementation:
            return torch.zeros(mask.shape).masked_fill(~mask, torch.finfo(torch.float32).min)
        return mask

    return make


def causal(length):
    return torch.ones(length, length, dtype=torch.bool).tril()


def fewer(length):
    mask = causal(length)
    mask[-1, 1] = False
    return mask


def more(length):
    mask = causal(length)
    mask[3, 5] = True
    return mask


@pytest.mark.parametrize("mask_of", [fewer, more])
def test_a_mask_that_is_not_of_the_configuration_is_refused(mask_of, fresh, monkeypatch):
    model = fresh("gpt2")
    batch = batch_for("gpt2", model)
    before = model.rows(batch, [HeadName(1, 2)])
    monkeypatch.setattr(f"{GPT2_LAYER}.create_causal_mask", masks_by(causal))
    assert torch.equal(model.rows(batch, [HeadName(1, 2)]), before)
    monkeypatch.setattr(f"{GPT2_LAYER}.create_causal_mask", masks_by(mask_of))
    with pytest.raises(CaptureError, match="the mask of layer 1 ") as caught:
        model.rows(batch, [HeadName(1, 2)])
    assert str(model.spec) in str(caught.value)


@pytest.mark.parametrize(
    ("mask_of", "what"),
    [(fewer, "the mask of layer 1 "), (more, "L1H2 .*query 3 .*may not attend")],
)
def test_eager_attention_by_another_mask_is_refused(mask_of, what, fresh, monkeypatch):
    model = fresh("gemma2")
    assert model.facts.path == EAGER
    batch = batch_for("gemma2", model)
    # Its second layer has no window.
    assert model.shape.windows[1] is None
    module = "transformers.models.gemma2.modeling_gemma2.create_causal_mask"
    monkeypatch.setattr(module, masks_by(causal))
    model.rows(batch, [HeadName(1, 2)])
    monkeypatch.setattr(module, masks_by(mask_of))
    with pytest.raises(CaptureError, match=what):
        model.rows(batch, [HeadName(1, 2)])


def test_a_window_that_a_model_does_not_keep_to_is_refused(fresh, monkeypatch):
    from transformers.masking_utils import create_causal_mask

    model = fresh("mistral")
    batch = batch_for("mistral", model)
    module = "transformers.models.mistral.modeling_mistral.create_sliding_window_causal_mask"
    monkeypatch.setattr(module, create_causal_mask)
    with pytest.raises(CaptureError, match="the mask of layer 2 "):
        model.rows(batch, [HeadName(2, 0)])
    # Within the window, there is nothing to keep to.
    short = tiny_models.batch_of(tiny_models.random_documents([tiny_models.WINDOW], first_id=2))
    model.rows(short, [HeadName(2, 0)])


def test_one_mask_for_layers_of_other_windows_is_refused(fresh, monkeypatch):
    model = fresh("gemma3")
    batch = batch_for("gemma3", model)
    mask = causal(batch.ids.shape[1]).expand(len(batch), 1, -1, -1)
    gemma3 = "transformers.models.gemma3.modeling_gemma3"
    for maker in ("create_causal_mask", "create_sliding_window_causal_mask"):
        monkeypatch.setattr(f"{gemma3}.{maker}", lambda *arguments, **named: mask)
    # The layer without a window comes between two that have one.
    model.rows(batch, [HeadName(1, 0)])
    for heads in ([HeadName(0, 0)], [HeadName(1, 0), HeadName(2, 0)]):
        with pytest.raises(CaptureError, match=f"the mask of layer {heads[-1].layer} "):
            model.rows(batch, heads)


def test_padding_that_an_encoder_attends_to_is_refused(fresh, monkeypatch):
    model = fresh("roberta")
    batch = batch_for("roberta", model)
    assert not batch.valid.all()
    roberta = "transformers.models.roberta.modeling_roberta.create_bidirectional_mask"
    everywhere = masks_by(lambda length: torch.ones(length, length, dtype=torch.bool))
    for maker in (everywhere, lambda *arguments, **named: None):
        monkeypatch.setattr(roberta, maker)
        with pytest.raises(CaptureError, match="the mask of layer 0 "):
            model.rows(batch, [HeadName(0, 0)])
        # Without padding, it is as it should be.
        single = tiny_models.batch_of(tiny_models.random_documents([9], first_id=2))
        model.rows(single, [HeadName(0, 0)])


def test_a_mask_of_a_layer_that_was_not_asked_is_no_error(fresh):
    model = fresh("llama")
    batch = batch_for("llama", model)

    def widen(module, arguments, named):
        return arguments, named | {"attention_mask": masked}

    length = batch.ids.shape[1]
    masked = torch.ones(len(batch), 1, length, length, dtype=torch.bool)
    attention = model.capture.network.layers[1].self_attn
    attention.register_forward_pre_hook(widen, with_kwargs=True)
    model.rows(batch, [HeadName(0, 0), HeadName(2, 0)])
    with pytest.raises(CaptureError, match="the mask of layer 1 "):
        model.rows(batch, [HeadName(0, 0), HeadName(1, 3), HeadName(2, 0)])


@pytest.mark.parametrize(
    ("name", "factor", "refused"),
    [("gemma2", 0.99, True), ("gemma2", 1.01, True), ("gpt_oss", 0.99, False)],
)
def test_eager_rows_that_do_not_sum_to_1_are_refused(name, factor, refused, fresh, monkeypatch):
    model = fresh(name)
    assert model.facts.path == EAGER
    batch = batch_for(name, model)
    module = f"transformers.models.{name}.modeling_{name}"
    forward = import_module(module).eager_attention_forward

    def scaled(*arguments, **named):
        output, pattern = forward(*arguments, **named)
        return output, pattern * factor

    monkeypatch.setattr(f"{module}.eager_attention_forward", scaled)
    if refused:
        with pytest.raises(CaptureError, match=rf"L1H0 .*sums to {factor}, where 1"):
            model.rows(batch, [HeadName(1, 0)])
    else:
        # What is missing is what sinks took.
        model.rows(batch, [HeadName(1, 0)])


def test_rows_with_sinks_that_sum_to_more_than_1_are_refused(fresh, monkeypatch):
    model = fresh("gpt_oss")
    module = "transformers.models.gpt_oss.modeling_gpt_oss"
    forward = import_module(module).eager_attention_forward

    def doubled(*arguments, **named):
        output, pattern = forward(*arguments, **named)
        return output, pattern / pattern.sum(-1, keepdim=True) * 1.01

    monkeypatch.setattr(f"{module}.eager_attention_forward", doubled)
    with pytest.raises(CaptureError, match=r"L1H0 .*sums to 1\.01"):
        model.rows(batch_for("gpt_oss", model), [HeadName(1, 0)])


# Which module is which layer.


def test_layers_are_found_by_number_or_in_order(folder_of):
    from transformers import AutoModel

    ids = torch.from_numpy(np.arange(8)[None])
    for forget in (False, True):
        network = AutoModel.from_pretrained(folder_of("llama")).eval()
        if forget:
            for layer in network.layers:
                del layer.self_attn.layer_idx
        capture = InterfaceCapture(network, False, FAST)
        assert capture.path == STOCK
        assert capture.find_layers(ids, tiny_models.LAYERS)
        assert capture._layer_of == {
            id(layer.self_attn): number for number, layer in enumerate(network.layers)
        }
        assert not capture.find_layers(ids, tiny_models.LAYERS + 1)
        assert not capture.find_layers(ids, tiny_models.LAYERS - 1)


def test_a_number_that_two_layers_have_is_none(folder_of):
    from transformers import AutoModel

    network = AutoModel.from_pretrained(folder_of("llama")).eval()
    network.layers[2].self_attn.layer_idx = 1
    capture = InterfaceCapture(network, False, FAST)
    assert not capture.find_layers(torch.arange(8)[None], tiny_models.LAYERS)
