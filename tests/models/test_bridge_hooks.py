"""By the hooks of a bridge: no more runs than must, and what arrives is checked."""

import threading
from contextlib import contextmanager

import pytest
import torch

from headtests.errors import CaptureError, ModelError
from headtests.expressions.head_names import HeadName
from headtests.models import bridge_hooks
from headtests.models.row_reading import Portion
from tests import tiny_models
from tests.models.architectures import HOOKS, batch_for, called, every_head

pytestmark = pytest.mark.slow  # opens models of many architectures


@pytest.fixture(params=["held", "last way"])
def hooked(request, opened, held):
    """A model whose rows are read by hooks, and its Hugging Face model's layers."""
    if request.param == "held":
        model = held("gpt2")
        return model, "gpt2", model.capture.network.transformer.h
    model = opened("gpt-neo")
    return model, "gpt-neo", model.capture.network.transformer.h


def test_both_are_read_by_hooks(hooked):
    model, _, _ = hooked
    assert model.facts.path == model.capture.path == HOOKS


def mlp_of(layer):
    """Return a module of a block behind its attention that is called as it is."""
    return next(
        module
        for name, module in layer.named_modules()
        if type(module).__name__ in ("Conv1D", "Linear") and "mlp" in name
    )


@pytest.mark.parametrize("deepest", range(2))
def test_the_forward_stops_after_the_deepest_asked_pattern(deepest, hooked):
    model, name, layers = hooked
    batch = batch_for(name, model)
    network = model.capture.network
    of = {id(module): path for path, module in network.named_modules()}
    behind = [of[id(mlp_of(layer))] for layer in layers]
    with called(network) as names:
        model.rows(batch, [HeadName(0, 0), HeadName(deepest, 1)])
    # The MLP of the deepest asked block comes after its pattern, so it never runs either.
    assert [names.count(path) for path in behind] == [1] * deepest + [0] * (len(layers) - deepest)
    assert not {of[id(network.lm_head)]} & set(names)


def test_a_whole_forward_would_be_seen(hooked):
    model, name, layers = hooked
    batch = batch_for(name, model)
    network = model.capture.network
    of = {id(module): path for path, module in network.named_modules()}
    with called(network) as names, torch.no_grad():
        model.capture.bridge(batch.ids, attention_mask=batch.valid.long())
    assert {of[id(mlp_of(layers[-1]))], of[id(network.lm_head)]} <= set(names)


def hooks_of(model):
    points = model.capture.bridge.hook_dict.values()
    return [len(point.fwd_hooks) for point in points]


def test_hooks_are_gone_after_a_capture(hooked):
    model, name, _ = hooked
    batch = batch_for(name, model)
    hooks = hooks_of(model)
    before = model.rows(batch, [HeadName(0, 0)])
    assert hooks_of(model) == hooks
    with torch.no_grad():
        whole = model.capture.bridge(batch.ids, attention_mask=batch.valid.long())
    assert whole.shape[-1] == tiny_models.VOCABULARY
    assert torch.equal(model.rows(batch, [HeadName(0, 0)]), before)


def test_hooks_are_gone_where_a_reader_raises(hooked):
    model, name, _ = hooked
    batch = batch_for(name, model)
    hooks = hooks_of(model)
    before = model.rows(batch, every_head(model))

    def give(heads, portion, rows):
        raise KeyError("a reader's own")

    for heads in ([HeadName(0, 0), HeadName(1, 0)], [HeadName(1, 0)]):
        with pytest.raises(KeyError, match="a reader's own"):
            model.read(batch, heads, model.portions(batch), give)
        assert hooks_of(model) == hooks
    assert torch.equal(model.rows(batch, every_head(model)), before)


def test_hooks_of_the_users_own_stay(held):
    model = held("gpt2")
    bridge = model.capture.bridge
    seen = []
    bridge.add_hook("blocks.0.attn.hook_pattern", lambda pattern, hook: seen.append(hook.name))
    try:
        model.rows(batch_for("gpt2", model), [HeadName(0, 0)])
        model.rows(batch_for("gpt2", model), [HeadName(0, 0)])
        assert len(seen) == 2
    finally:
        bridge.reset_hooks()


def test_two_threads_do_not_take_each_others_rows(held):
    model = held("gpt2")
    first = tiny_models.batch_of(tiny_models.random_documents([9, 9], seed=1))
    second = tiny_models.batch_of(tiny_models.random_documents([9, 9], seed=2))
    heads = [HeadName(0, 0), HeadName(1, 0)]
    expected = [model.rows(batch, heads) for batch in (first, second)]
    other, given, threads = [], [], []

    def run():
        other.append(model.rows(second, heads))

    def give(asked, portion, rows):
        given.append((asked, rows.clone()))
        if not threads:
            threads.append(threading.Thread(target=run))
            threads[0].start()
            # It waits its turn: without one, it would be done by now.
            threads[0].join(0.5)

    model.read(first, heads, [Portion(0, 2)], give)
    threads[0].join()
    assert [asked for asked, _ in given] == [(heads[0],), (heads[1],)]
    for (_, rows), own in zip(given, expected[0], strict=True):
        assert torch.equal(rows[0], own)
    (found,) = other
    assert torch.equal(found, expected[1])


# What is wrong with a model.


@contextmanager
def tampered(model, layer, change):
    """Change the pattern of a layer before it arrives."""
    point = model.capture.bridge.hook_dict[f"blocks.{layer}.attn.hook_pattern"]
    handle = point.register_forward_hook(lambda module, arguments, output: change(output.clone()))
    try:
        yield
    finally:
        handle.remove()


def nan_at(pattern):
    pattern[1, 2, 5, 3] = float("nan")
    return pattern


def infinite_at(pattern):
    pattern[1, 2, 5, 3] = float("inf")
    return pattern


def short_sum_at(pattern):
    pattern[1, 2, 5] *= 0.99
    return pattern


def leak_on_later_key_at(pattern):
    pattern[1, 2, 5, 6] = 1e-3
    return pattern


def leak_on_padding_at(pattern):
    pattern[1, 2, 5, -1] = 1e-3
    return pattern


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (nan_at, "NaN"),
        (infinite_at, "inf"),
        (short_sum_at, "sums to 0.99"),
        (leak_on_later_key_at, "may not attend"),
        (leak_on_padding_at, "may not attend"),
    ],
)
def test_rows_that_are_no_distribution_are_refused_by_name(change, what, hooked):
    model, name, _ = hooked
    batch = batch_for(name, model)
    document = batch.documents[1]
    assert len(document) < batch.ids.shape[1]
    asked = [HeadName(0, 2), HeadName(1, 0), HeadName(1, 2)]
    with tampered(model, 1, change), pytest.raises(CaptureError) as caught:
        model.rows(batch, asked)
    message = str(caught.value)
    assert what in message
    for part in (
        str(model.spec),
        "L1H2",
        "layer 1",
        "head 2",
        "query 5",
        f"document {document.id}",
        repr(document.text_id),
    ):
        assert part in message


def test_a_leak_outside_a_window_is_refused(held, opened):
    # Of GPT-Neo, the second layer has a window.
    for model, name, layer in ((held("mistral"), "mistral", 0), (opened("gpt-neo"), "gpt-neo", 1)):

        def leak(pattern):
            pattern[0, 0, 2 * tiny_models.WINDOW, 1] = 1e-3
            return pattern

        batch = batch_for(name, model)
        with tampered(model, layer, leak), pytest.raises(CaptureError, match="may not attend"):
            model.rows(batch, [HeadName(layer, 0)])


def test_what_is_wrong_with_a_head_or_layer_that_was_not_asked_is_no_error(hooked):
    model, name, _ = hooked
    batch = batch_for(name, model)
    with tampered(model, 1, nan_at):
        assert torch.isfinite(model.rows(batch, [HeadName(1, 1)])).all()
        assert torch.isfinite(model.rows(batch, every_head(model)[:4])).all()


def test_nan_of_a_layer_is_named(fresh):
    model = fresh("llama", HOOKS)
    batch = batch_for("llama", model)
    before = model.rows(batch, [HeadName(0, 0)])
    (weights,) = (
        parameter
        for name, parameter in model.capture.network.named_parameters()
        if "layers.1.self_attn.q_proj.weight" in name.replace("_original_component.", "")
    )
    with torch.no_grad():
        weights.fill_(torch.nan)
    assert torch.equal(model.rows(batch, [HeadName(0, 0)]), before)
    for heads, named in (([HeadName(1, 2)], "L1H2"), ([HeadName(0, 0), HeadName(2, 1)], "L2H1")):
        with pytest.raises(CaptureError, match=f"{named} .*query 0 of document 2 .*NaN"):
            model.rows(batch, heads)


def test_a_mask_that_allows_later_keys_is_refused(fresh, monkeypatch):
    model = fresh("gpt2", HOOKS)
    batch = batch_for("gpt2", model)

    def everywhere(config, inputs_embeds, *arguments, **named):
        documents, length = inputs_embeds.shape[:2]
        return torch.zeros(documents, 1, length, length)

    monkeypatch.setattr("transformers.models.gpt2.modeling_gpt2.create_causal_mask", everywhere)
    with pytest.raises(CaptureError, match=r"L1H2 .*may not attend"):
        model.rows(batch, [HeadName(1, 2)])


def test_rows_of_padding_are_not_checked_and_are_zero(hooked):
    model, name, _ = hooked
    batch = batch_for(name, model)

    def spoil(pattern):
        pattern.transpose(1, 2)[~batch.valid] = float("nan")
        return pattern

    with tampered(model, 1, spoil):
        rows = model.rows(batch, [HeadName(1, 1)])
    assert torch.isfinite(rows).all()
    assert not rows[0][~batch.valid].any()


def test_a_pattern_that_never_arrives_is_an_error(held, monkeypatch):
    model = held("gpt2")
    bridge = type(model.capture.bridge)
    monkeypatch.setattr(bridge, "run_with_hooks", lambda *args, **kwargs: None)
    with pytest.raises(CaptureError, match="layer 1"):
        model.rows(batch_for("gpt2", model), [HeadName(1, 1)])


def test_a_layer_without_a_pattern_is_named(held, monkeypatch):
    model = held("gpt2")
    points = dict(model.capture.bridge.hook_dict)
    del points["blocks.1.attn.hook_pattern"]
    monkeypatch.setattr(type(model.capture.bridge), "hook_dict", points)
    with pytest.raises(ModelError, match="layer 1 has no attention pattern"):
        model.rows(batch_for("gpt2", model), [HeadName(0, 0), HeadName(1, 1)])
    model.rows(batch_for("gpt2", model), [HeadName(0, 0)])


def norms_by_head(model, batch, heads):
    """Return the norms of some heads' values, `[document, position]`, by head."""
    found = {}

    def give_values(asked, portion, norms):
        found.update(zip(asked, norms, strict=True))

    model.read(batch, heads, [Portion(0, len(batch))], lambda *_: None, give_values)
    return found


def test_a_layer_without_values_is_named(fresh, monkeypatch):
    model = fresh("gpt2", HOOKS)
    points = dict(model.capture.bridge.hook_dict)
    del points["blocks.1.attn.hook_v"]
    monkeypatch.setattr(type(model.capture.bridge), "hook_dict", points)
    batch = batch_for("gpt2", model)
    model.require_values(0)
    for _ in range(2):
        with pytest.raises(CaptureError) as caught:
            model.require_values(1)
        for part in (str(model.spec), "layer 1", "blocks.1.attn.hook_v", "Leave weights= out"):
            assert part.lower() in str(caught.value).lower()
    norms_by_head(model, batch, [HeadName(0, 0)])
    # Whoever asks for attention alone gets it.
    model.rows(batch, [HeadName(1, 0)])


def test_values_that_never_arrive_are_an_error(fresh, monkeypatch):
    model = fresh("gpt2", HOOKS)
    monkeypatch.setattr(bridge_hooks, "_values_hook", lambda *_: lambda value, hook: None)
    with pytest.raises(CaptureError, match=r"values of layer 1 never arrived\..*weights="):
        model.require_values(1)


def test_whether_values_are_there_is_tried_once(fresh):
    model = fresh("gpt2", HOOKS)
    model.require_values(1)
    with called(model.capture.network) as names:
        model.require_values(1)
        assert not names
        model.require_values(2)
        assert names
