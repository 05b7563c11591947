"""Attention rows are Hugging Face's own, no more of them is computed than asked, and they are
checked on arrival.
"""

from contextlib import contextmanager

import numpy as np
import pytest
import tiny_models
import torch

from headtests.capture import LoadedModel, adopt_bridge, load_model, resolve_device
from headtests.errors import CaptureError, ModelError
from headtests.head_names import HeadName
from headtests.settings import ModelSpec, Settings

LENGTHS = [17, 9, 23, 2, 1]
TOLERANCE = 1e-5
CPU = Settings(device="cpu")

SENTENCES = [
    "The cat sat on the mat, and then it left.",
    "A dog.",
    "We measured the attention of each head; none was surprised, least of all the reviewers.",
]


def documents_for(name):
    """Return documents of different lengths that a model can read."""
    if name == "encoder":
        tokenizer = tiny_models.encoder_tokenizer()
        return tiny_models.documents_of([tokenizer(text)["input_ids"] for text in SENTENCES])
    return tiny_models.random_documents(LENGTHS, first_id=2)


def every_head(model):
    return [
        HeadName(layer, head)
        for layer in range(model.shape.layers)
        for head in range(model.shape.heads)
    ]


def attentions_of(reference, ids, mask=None):
    """Return Hugging Face's own attention, `[layer, batch, head, query, key]`."""
    with torch.no_grad():
        return torch.stack(reference(ids, attention_mask=mask, output_attentions=True).attentions)


@pytest.fixture(scope="session")
def reference(model_folder):
    from transformers import AutoModel

    def load(name):
        return AutoModel.from_pretrained(model_folder(name), attn_implementation="eager").eval()

    return load


@pytest.mark.parametrize("together", [True, False], ids=["padded together", "one by one"])
@pytest.mark.parametrize(
    "name", ["gpt2", "llama", "mistral", "gemma3", "gpt-neo", "roberta", "encoder"]
)
def test_rows_are_those_of_hugging_face(name, together, loaded, reference):
    model, truth = loaded(name), reference(name)
    documents = documents_for(name)
    groups = [documents] if together else [[document] for document in documents]
    for group in groups:
        batch = tiny_models.batch_of(group, model.pad_id)
        found = model.rows(batch, every_head(model))
        assert found.dtype == torch.float32
        found = found.unflatten(0, (model.shape.layers, model.shape.heads))
        padded = attentions_of(truth, batch.ids, batch.valid.long())
        for row, document in enumerate(batch.documents):
            length = len(document)
            ids = torch.from_numpy(document.ids.astype(np.int64))[None]
            alone = attentions_of(truth, ids)[:, 0]
            inside = found[:, :, row, :length, :length]
            torch.testing.assert_close(inside, alone, rtol=0, atol=TOLERANCE)
            torch.testing.assert_close(
                inside, padded[:, row, :, :length, :length], rtol=0, atol=TOLERANCE
            )
            outside = found[:, :, row].clone()
            outside[..., :length, :length] = 0
            assert not outside.any()
            for layer in range(model.shape.layers):
                attendable = model.attendable(batch.valid, layer)[row]
                # Of any head, since a single one may put less on a key than a float can hold.
                attended = (alone[layer] > 0).any(0)
                assert torch.equal(attendable[:length, :length], attended)
                assert int(attendable.sum()) == int(attended.sum())


def test_a_window_is_shorter_than_the_documents_of_these_tests(loaded):
    assert max(LENGTHS) > 2 * tiny_models.WINDOW
    assert loaded("mistral").shape.windows == (tiny_models.WINDOW,) * tiny_models.LAYERS


def test_rows_come_in_the_order_of_the_asked_heads(loaded):
    model = loaded("gpt2")
    batch = tiny_models.batch_of(documents_for("gpt2"))
    heads = every_head(model)
    whole = model.rows(batch, heads)
    asked = [HeadName(2, 1), HeadName(0, 3), HeadName(2, 0)]
    found = model.rows(batch, asked)
    assert found.shape[0] == len(asked)
    for place, head in enumerate(asked):
        torch.testing.assert_close(found[place], whole[heads.index(head)], rtol=0, atol=0)


def test_an_id_behind_the_embeddings_is_no_padding(model_folder, loaded):
    # A padding token that was added to the tokenizer, and the model never resized.
    from transformers import AutoTokenizer

    model = loaded("gpt2")
    tokenizer = AutoTokenizer.from_pretrained(model_folder("gpt2"))
    tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    assert tokenizer.pad_token_id >= model.vocabulary_size
    widened = LoadedModel(
        model.spec, model.bridge, tokenizer, model.shape, False, model.device, model.dtype
    )
    batch = tiny_models.batch_of(documents_for("gpt2"), widened.pad_id)
    torch.testing.assert_close(
        widened.rows(batch, [HeadName(1, 1)]), model.rows(batch, [HeadName(1, 1)])
    )


def test_the_longest_document_of_the_context_runs(loaded):
    for name in ("gpt2", "roberta"):
        model = loaded(name)
        documents = tiny_models.random_documents([model.shape.context], first_id=2)
        rows = model.rows(tiny_models.batch_of(documents, model.pad_id), [HeadName(0, 0)])
        assert torch.isfinite(rows).all()


@contextmanager
def counted(*modules):
    """Count the forward calls of some modules."""
    calls = dict.fromkeys(range(len(modules)), 0)

    def counter(place):
        def count(module, arguments, output):
            calls[place] += 1

        return count

    handles = [module.register_forward_hook(counter(i)) for i, module in enumerate(modules)]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def linear_modules(model, layer):
    """Return the modules of one block, and the unembedding, of a bridged GPT-2."""
    original = model.bridge.original_model
    block = original.transformer.h[layer]
    linears = [
        module
        for name, module in block.named_modules()
        if type(module).__name__ in ("Conv1D", "Linear") and "mlp" in name
    ]
    return linears, original.lm_head


@pytest.mark.parametrize("deepest", range(tiny_models.LAYERS))
def test_the_forward_stops_after_the_deepest_asked_pattern(deepest, loaded):
    model = loaded("gpt2")
    batch = tiny_models.batch_of(documents_for("gpt2"))
    watched = []
    for layer in range(tiny_models.LAYERS):
        linears, unembedding = linear_modules(model, layer)
        assert linears
        watched.append(linears[0])
    with counted(*watched, unembedding) as calls:
        model.rows(batch, [HeadName(0, 0), HeadName(deepest, 1)])
    # The MLP of the deepest asked block comes after its pattern, so it never runs either.
    assert list(calls.values()) == [1] * deepest + [0] * (tiny_models.LAYERS - deepest) + [0]


def test_a_whole_forward_would_be_counted(loaded):
    model = loaded("gpt2")
    linears, unembedding = linear_modules(model, tiny_models.LAYERS - 1)
    batch = tiny_models.batch_of(documents_for("gpt2"))
    with counted(linears[0], unembedding) as calls, torch.no_grad():
        model.bridge(batch.ids, attention_mask=batch.valid.long())
    assert list(calls.values()) == [1, 1]


def test_hooks_are_gone_after_a_capture(loaded):
    model = loaded("gpt2")
    batch = tiny_models.batch_of(documents_for("gpt2"))
    before = model.rows(batch, [HeadName(0, 0)])
    with torch.no_grad():
        whole = model.bridge(batch.ids, attention_mask=batch.valid.long())
    assert whole.shape[-1] == tiny_models.VOCABULARY
    assert torch.equal(model.rows(batch, [HeadName(0, 0)]), before)


@contextmanager
def tampered(model, layer, change):
    """Change the pattern of a layer before it arrives."""
    point = model.bridge.hook_dict[f"blocks.{layer}.attn.hook_pattern"]
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
def test_rows_that_are_no_distribution_are_refused_by_name(change, what, loaded):
    model = loaded("gpt2")
    batch = tiny_models.batch_of(documents_for("gpt2"))
    document = batch.documents[1]
    assert len(document) < batch.ids.shape[1]
    with tampered(model, 1, change), pytest.raises(CaptureError) as caught:
        model.rows(batch, [HeadName(0, 2), HeadName(1, 0), HeadName(1, 2)])
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


def test_a_leak_outside_a_window_is_refused(loaded):
    model = loaded("mistral")

    def leak(pattern):
        pattern[0, 0, 2 * tiny_models.WINDOW, 1] = 1e-3
        return pattern

    batch = tiny_models.batch_of(documents_for("mistral"))
    with tampered(model, 0, leak), pytest.raises(CaptureError, match="may not attend"):
        model.rows(batch, [HeadName(0, 0)])


def test_what_is_wrong_with_a_head_that_was_not_asked_is_no_error(loaded):
    model = loaded("gpt2")
    batch = tiny_models.batch_of(documents_for("gpt2"))
    with tampered(model, 1, nan_at):
        assert torch.isfinite(model.rows(batch, [HeadName(1, 1)])).all()


def test_rows_of_padding_are_not_checked_and_are_zero(loaded):
    model = loaded("gpt2")
    batch = tiny_models.batch_of(documents_for("gpt2"))

    def spoil(pattern):
        pattern[~batch.valid] = float("nan")
        return pattern.transpose(1, 2)

    with tampered(model, 1, lambda pattern: spoil(pattern.transpose(1, 2))):
        rows = model.rows(batch, [HeadName(1, 1)])
    assert torch.isfinite(rows).all()
    assert not rows[0][~batch.valid].any()


def test_a_pattern_that_never_arrives_is_an_error(loaded, monkeypatch):
    model = loaded("gpt2")
    monkeypatch.setattr(type(model.bridge), "run_with_hooks", lambda *args, **kwargs: None)
    with pytest.raises(CaptureError, match="layer 1"):
        model.rows(tiny_models.batch_of(documents_for("gpt2")), [HeadName(1, 1)])


def test_bfloat16_gives_rows_near_float32(model_folder, loaded):
    model = load_model(ModelSpec(model_folder("llama"), dtype="bfloat16"), CPU)
    assert model.dtype == torch.bfloat16
    batch = tiny_models.batch_of(documents_for("llama"))
    found = model.rows(batch, [HeadName(0, 0), HeadName(0, 3)])
    exact = loaded("llama").rows(batch, [HeadName(0, 0), HeadName(0, 3)])
    assert found.dtype == torch.float32
    # bfloat16 has 8 bits: 3 decimal digits, and here an activation of a few hundred times that.
    torch.testing.assert_close(found, exact, rtol=0, atol=0.15)
    assert float((found - exact).abs().mean()) < 0.01
    assert not torch.equal(found, exact)


@pytest.mark.parametrize("name", ["nonsense", "cuda:999", "xla"])
def test_a_device_that_is_not_there_is_named(name, model_folder):
    with pytest.raises(ModelError, match=name):
        resolve_device(name)
    with pytest.raises(ModelError, match=name):
        load_model(ModelSpec(model_folder("gpt2"), device=name), CPU)


def test_auto_is_a_device_that_is_there():
    assert torch.ones(1, device=resolve_device("auto")).item() == 1


def test_an_architecture_that_the_bridge_does_not_open_is_named(tmp_path):
    from transformers import DistilBertConfig, DistilBertForMaskedLM

    config = DistilBertConfig(
        vocab_size=tiny_models.VOCABULARY, dim=16, hidden_dim=16, n_layers=1, n_heads=2
    )
    folder = tiny_models.write_model(tmp_path, DistilBertForMaskedLM(config))
    with pytest.raises(ModelError, match="TransformerBridge") as caught:
        load_model(ModelSpec(folder), CPU)
    assert folder in str(caught.value)


@pytest.fixture(scope="session")
def bare_folder(tmp_path_factory):
    """A GPT-2 whose tokenizer puts nothing around a text."""
    return tiny_models.write_model(
        tmp_path_factory.mktemp("bare"),
        tiny_models.random_model(tiny_models.gpt2_config()),
        tiny_models.bare_tokenizer(),
    )


def assert_own_tokenizer(found, folder):
    from transformers import AutoTokenizer

    own = AutoTokenizer.from_pretrained(folder)
    assert found("a text")["input_ids"] == own("a text")["input_ids"]
    for said in ("bos_token_id", "cls_token_id", "pad_token_id", "all_special_ids"):
        assert getattr(found, said) == getattr(own, said)


@pytest.mark.parametrize("name", ["bare", "encoder"])
def test_a_tokenizer_is_used_as_its_folder_has_it(name, bare_folder):
    from transformer_lens.model_bridge import TransformerBridge

    folder = bare_folder if name == "bare" else tiny_models.encoder_folder()
    assert_own_tokenizer(load_model(ModelSpec(folder), CPU).tokenizer, folder)
    # A bridge reconfigures the tokenizer that it opens, BOS included.
    bridge = TransformerBridge.boot_transformers(folder, device="cpu")
    assert_own_tokenizer(adopt_bridge(bridge).tokenizer, folder)


def test_a_tokenizer_of_no_folder_is_used_as_it_is(bare_folder):
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(bare_folder, device="cpu")
    bridge.tokenizer.name_or_path = "/no/such/folder"
    assert adopt_bridge(bridge).tokenizer is bridge.tokenizer


def test_a_bridge_without_a_tokenizer_is_refused(bare_folder):
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(bare_folder, device="cpu")
    bridge.tokenizer = None
    with pytest.raises(ModelError, match="no tokenizer"):
        adopt_bridge(bridge)


def test_a_bridge_in_training_mode_is_refused(bare_folder):
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(bare_folder, device="cpu")
    bridge.train()
    with pytest.raises(ModelError, match=r"training mode.*bridge\.eval\(\)"):
        adopt_bridge(bridge)
    bridge.eval()
    assert adopt_bridge(bridge).bridge is bridge


def test_a_tokenizer_that_the_user_widened_is_used_as_it_is(bare_folder):
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(bare_folder, device="cpu")
    bridge.tokenizer.add_tokens(["<mine>"])
    assert adopt_bridge(bridge).tokenizer is bridge.tokenizer


def test_the_weights_hash_is_of_the_weights(model_folder, loaded, tmp_path):
    again = load_model(ModelSpec(model_folder("gpt2")), CPU)
    assert again.weights_sha256() == loaded("gpt2").weights_sha256()
    other = tiny_models.random_model(tiny_models.gpt2_config(), seed=1)
    folder = tiny_models.write_model(tmp_path, other)
    assert load_model(ModelSpec(folder), CPU).weights_sha256() != again.weights_sha256()


def test_a_bridge_that_is_held_gives_the_same_rows(model_folder, loaded):
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(model_folder("llama"), device="cpu")
    held = adopt_bridge(bridge)
    batch = tiny_models.batch_of(documents_for("llama"))
    heads = every_head(held)
    assert torch.equal(held.rows(batch, heads), loaded("llama").rows(batch, heads))
    assert held.shape == loaded("llama").shape
    assert not held.bidirectional


@pytest.mark.parametrize("found", [3, "gpt2", torch.nn.Linear(1, 1)])
def test_what_is_no_bridge_is_refused(found):
    with pytest.raises(ModelError, match=type(found).__name__):
        adopt_bridge(found)


def test_directions_are_the_models_own(loaded):
    assert not loaded("gpt2").bidirectional
    assert loaded("encoder").bidirectional
