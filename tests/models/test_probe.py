"""A model is read by the interface only where the probe found its rows to be right."""

import copy

import pytest
import torch

from headtests.models import attention_interface as interface_module
from headtests.models import probe
from headtests.models.config import shape_of
from headtests.models.loading import load_model
from headtests.models.probe import interface_of
from headtests.settings import ModelSpec
from tests import tiny_models
from tests.models.architectures import (
    CPU,
    EAGER,
    HOOKS,
    NOT_BY_THE_INTERFACE,
    STOCK,
    TOLERANCE,
    alone,
    called,
    every_head,
)

DEVICE = torch.device("cpu")


@pytest.fixture(scope="module")
def network_of(folder_of):
    """Return a function from an architecture to a network of it that a test may break."""
    from transformers import AutoModel

    loaded = {}

    def network(name):
        if name not in loaded:
            loaded[name] = AutoModel.from_pretrained(folder_of(name)).eval()
        return copy.deepcopy(loaded[name])

    return network


def probed(network, dtype=torch.float32):
    """Return what `interface_of` found: the path, or None."""
    shape = shape_of(network.config, "a model")
    found = interface_of(network, shape, DEVICE, dtype)
    assert interface_module._reading.get() is None
    return None if found is None else found[0].path


@pytest.mark.parametrize("name", NOT_BY_THE_INTERFACE)
def test_attention_that_does_not_go_through_the_interface_is_refused(name, network_of):
    assert probed(network_of(name)) is None


def test_soft_capping_of_the_last_layer_is_noticed(network_of):
    # Its attention raises, and a reading that stopped there would never know.
    assert probed(network_of("one layer of gemma2")) == EAGER


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_goes_by_the_interface(dtype, network_of):
    for name in ("gpt2", "llama", "mistral", "roberta"):
        assert probed(network_of(name).to(dtype), dtype) == STOCK
    for name in ("gemma2", "gpt_oss"):
        assert probed(network_of(name).to(dtype), dtype) == EAGER


def test_one_row_that_is_wrong_is_one_too_many(network_of):
    network = network_of("llama")
    attention = network.layers[2].self_attn
    forward = attention.forward

    def last_changed(hidden_states, *arguments, **named):
        if is_ours(attention):
            hidden_states = hidden_states.clone()
            hidden_states[:, -1] *= 1.001
        return forward(hidden_states, *arguments, **named)

    attention.forward = last_changed
    assert probed(network) is None


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_rows_that_are_wrong_on_the_whole_are_refused_in_half_precision(dtype):
    # None of them by more than a single rounding could do in bfloat16.
    network = from_config(tiny_models.llama_config(initializer_range=0.1)).to(dtype)
    assert probed(network, dtype) == STOCK
    attention = network.layers[1].self_attn
    forward = attention.forward

    def halved(hidden_states, *arguments, **named):
        return forward(hidden_states / (2 if is_ours(attention) else 1), *arguments, **named)

    attention.forward = halved
    assert probed(network, dtype) is None


def replaced(network, layer, forward_of):
    """Replace the forward of a layer's attention by what is made of its own."""
    attention = network.layers[layer].self_attn
    attention.forward = forward_of(attention, attention.forward)


def is_ours(attention):
    return attention.config._attn_implementation.startswith("headtests")


def eager_whatever_it_is_told(attention, forward):
    def run(*arguments, **named):
        own = attention.config._attn_implementation
        attention.config._attn_implementation = "eager"
        try:
            return forward(*arguments, **named)
        finally:
            attention.config._attn_implementation = own

    return run


def twice(attention, forward):
    def run(*arguments, **named):
        forward(*arguments, **named)
        return forward(*arguments, **named)

    return run


def not_at_all(attention, forward):
    def run(hidden_states, *arguments, **named):
        if is_ours(attention):
            return torch.zeros_like(hidden_states), None
        return forward(hidden_states, *arguments, **named)

    return run


def other_rows(attention, forward):
    def run(hidden_states, *arguments, **named):
        if is_ours(attention):
            hidden_states = hidden_states.roll(1, -1)
        return forward(hidden_states, *arguments, **named)

    return run


def slightly_other_rows(attention, forward):
    def run(hidden_states, *arguments, **named):
        if is_ours(attention):
            hidden_states = hidden_states * 1.02
        return forward(hidden_states, *arguments, **named)

    return run


def other_masks(attention, forward):
    def run(*arguments, **named):
        if is_ours(attention):
            length = named["hidden_states"].shape[1]
            named["attention_mask"] = torch.ones(1, 1, length, length, dtype=torch.bool)
        return forward(*arguments, **named)

    return run


def nan(attention, forward):
    def run(hidden_states, *arguments, **named):
        if is_ours(attention):
            hidden_states = hidden_states * torch.nan
        return forward(hidden_states, *arguments, **named)

    return run


@pytest.mark.parametrize(
    ("error", "layer"),
    [
        (TypeError, 0),
        (RuntimeError, 2),
        (ValueError, 1),
        (KeyError, 2),
        (AttributeError, 0),
    ],
)
def test_a_model_that_raises_is_refused(layer, error, network_of):
    def raising(attention, forward):
        def run(*arguments, **named):
            if is_ours(attention):
                raise error("not here")
            return forward(*arguments, **named)

        return run

    network = network_of("llama")
    replaced(network, layer, raising)
    assert probed(network) is None


@pytest.mark.slow
@pytest.mark.parametrize("layers", [[0, 1, 2], [0], [2]], ids=["all", "first", "last"])
@pytest.mark.parametrize(
    "change",
    [
        eager_whatever_it_is_told,
        twice,
        not_at_all,
        other_rows,
        slightly_other_rows,
        other_masks,
        nan,
    ],
)
def test_a_model_that_is_wrong_in_some_layer_is_refused(change, layers, network_of):
    network = network_of("llama")
    for layer in layers:
        replaced(network, layer, change)
    assert probed(network) is None


def test_what_is_wrong_with_the_stock_attention_alone_is_read_by_the_eager(network_of, monkeypatch):
    llama = "transformers.models.llama.modeling_llama"
    from transformers.models.llama.modeling_llama import eager_attention_forward

    def colder(module, query, key, value, mask, scaling, **named):
        return eager_attention_forward(module, query, key, value, mask, scaling * 1.5, **named)

    network = network_of("llama")
    assert probed(network) == STOCK
    monkeypatch.setattr(f"{llama}.eager_attention_forward", colder)
    assert probed(network) == EAGER


@pytest.mark.slow
def test_a_refused_model_is_read_by_hooks(folder_of, monkeypatch):
    from transformers.models.llama.modeling_llama import LlamaAttention

    monkeypatch.setattr(LlamaAttention, "forward", _twice(LlamaAttention.forward))
    model = load_model(ModelSpec(folder_of("llama")), CPU)
    assert model.facts.path == HOOKS


def _twice(forward):
    def run(self, *arguments, **named):
        if is_ours(self):
            forward(self, *arguments, **named)
        return forward(self, *arguments, **named)

    return run


def from_config(config):
    from transformers import AutoModel

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return AutoModel.from_config(config).eval()


def windowed(window, context=8192):
    config = tiny_models.mistral_config(sliding_window=window, max_position_embeddings=context)
    return from_config(config)


@pytest.mark.parametrize("window", [4096, 65, 64, 5])
def test_a_wide_window_is_narrowed_while_it_is_tried(window):
    network = windowed(window)
    seen = []
    network.register_forward_pre_hook(
        lambda module, arguments: seen.append((module.config.sliding_window, arguments[0].shape[1]))
    )
    assert probed(network) == STOCK
    assert network.config.sliding_window == window
    tried, lengths = zip(*seen, strict=True)
    assert set(tried) == {window if window <= probe.WIDEST else probe.NARROWED}
    # Longer than the window, and padded.
    assert max(lengths) > tried[0]
    assert max(lengths) < 100


@pytest.mark.parametrize("implementation", ["eager", "headtests"])
def test_a_wide_window_is_restored_whatever_happens(implementation):
    network = windowed(4096)

    def fail(module, arguments):
        if module.config._attn_implementation == implementation:
            raise KeyboardInterrupt

    network.register_forward_pre_hook(fail)
    with pytest.raises(KeyboardInterrupt):
        probed(network)
    assert network.config.sliding_window == 4096


@pytest.mark.parametrize("window", [4096, 5])
def test_a_window_that_is_not_kept_to_is_refused(window, monkeypatch):
    from transformers.masking_utils import create_causal_mask

    network = windowed(window)
    mistral = "transformers.models.mistral.modeling_mistral"
    monkeypatch.setattr(f"{mistral}.create_sliding_window_causal_mask", create_causal_mask)
    assert probed(network) is None
    assert network.config.sliding_window == window


def test_a_window_that_the_configuration_does_not_tell_is_refused(monkeypatch):
    from transformers.masking_utils import create_sliding_window_causal_mask

    network = windowed(None)
    assert probed(network) == STOCK

    def narrow(config, *arguments, **named):
        own = config.sliding_window
        config.sliding_window = 5
        try:
            return create_sliding_window_causal_mask(config, *arguments, **named)
        finally:
            config.sliding_window = own

    mistral = "transformers.models.mistral.modeling_mistral"
    monkeypatch.setattr(f"{mistral}.create_causal_mask", narrow)
    # Its rows would be right, and what they may attend to would not.
    assert probed(network) is None


def test_a_wide_window_is_right_beyond_the_probe(tmp_path):
    from transformers import AutoModel

    config = tiny_models.mistral_config(sliding_window=100, max_position_embeddings=200)
    folder = tiny_models.write_model(tmp_path, tiny_models.random_model(config))
    model = load_model(ModelSpec(folder), CPU)
    assert model.facts.path == STOCK
    (document,) = documents = tiny_models.random_documents([160], first_id=2)
    truth = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    found = model.rows(tiny_models.batch_of(documents), every_head(model))[:, 0]
    expected = alone(truth, document).flatten(0, 1)
    torch.testing.assert_close(found, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("pad", [None, -1, 0, 7, 10**6])
def test_a_padding_id_of_any_kind_is_survived(pad, network_of):
    network = network_of("llama")
    network.config.pad_token_id = pad
    assert probed(network) == STOCK


@pytest.mark.parametrize("name", ["llama", "roberta"])
def test_the_probe_has_padding(name, network_of):
    network = network_of(name)
    padded = []

    def note(module, arguments, named):
        mask = named["attention_mask"]
        padded.append(mask is not None and not mask.all())

    network.register_forward_pre_hook(note, with_kwargs=True)
    assert probed(network) == STOCK
    # Of a causal model, its own attention is told of it, and ours is not.
    assert any(padded) if name == "llama" else padded[0] and padded[-1]


def test_the_probe_is_within_a_short_context():
    network = from_config(tiny_models.gpt2_config(n_positions=6))
    lengths = []
    network.register_forward_pre_hook(
        lambda module, arguments: lengths.append(arguments[0].shape[1])
    )
    assert probed(network) == STOCK
    assert set(lengths) == {6}


def test_what_the_probe_found_does_not_depend_on_chance(network_of):
    network = network_of("llama")
    before = torch.random.get_rng_state()
    probed(network)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_probe_leaves_the_model_in_its_way(network_of):
    network = network_of("gemma2")
    assert probed(network) == EAGER
    assert network.config._attn_implementation == interface_module.EAGER
    with called(network) as names, torch.no_grad():
        network(torch.arange(5)[None])
    assert "norm" in names
