"""Models are opened by the way that the probe found, known again, and refused by name."""

import copy
import json
import shutil
from logging import Handler
from pathlib import Path

import pytest
import torch

from headtests.errors import CacheWarning, ModelError
from headtests.models import loading
from headtests.models.loading import READ_BY, adopt_bridge, load_model, resolve_device
from headtests.settings import ModelSpec, Settings
from tests import tiny_models
from tests.models.architectures import CPU, batch_for, boot, every_head, raising

pytestmark = pytest.mark.slow  # opens models of many architectures


@pytest.mark.parametrize("name", ["nonsense", "cuda:999", "xla"])
def test_a_device_that_is_not_there_is_named(name, folder_of):
    with pytest.raises(ModelError, match=name):
        resolve_device(name)
    with pytest.raises(ModelError, match=name):
        load_model(ModelSpec(folder_of("gpt2"), device=name), CPU)


def test_auto_is_a_device_that_is_there():
    assert torch.ones(1, device=resolve_device("auto")).item() == 1


def test_an_architecture_that_nothing_opens_is_named(tmp_path):
    from transformers import AlbertConfig, AlbertForMaskedLM

    # Its layers are one module, called again and again.
    config = AlbertConfig(
        vocab_size=tiny_models.VOCABULARY,
        embedding_size=16,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
    )
    folder = tiny_models.write_model(tmp_path, AlbertForMaskedLM(config))
    with pytest.raises(ModelError, match="attention interface, and TransformerBridge") as caught:
        load_model(ModelSpec(folder), CPU)
    assert folder in str(caught.value)


def assert_own_tokenizer(found, folder):
    from transformers import AutoTokenizer

    own = AutoTokenizer.from_pretrained(folder)
    assert found("a text")["input_ids"] == own("a text")["input_ids"]
    for said in ("bos_token_id", "cls_token_id", "pad_token_id", "all_special_ids"):
        assert getattr(found, said) == getattr(own, said)


@pytest.fixture(scope="module")
def bare_bridge(bare_folder):
    """A bridge of a model whose own tokenizer puts nothing around a text."""
    return boot(bare_folder)


def test_a_tokenizer_is_used_as_its_folder_has_it(bare_folder, bare_bridge, opened, held):
    assert_own_tokenizer(load_model(ModelSpec(bare_folder), CPU).tokenizer, bare_folder)
    assert_own_tokenizer(opened("encoder").tokenizer, tiny_models.encoder_folder())
    # A bridge reconfigures the tokenizer that it opens, BOS included.
    assert_own_tokenizer(adopt_bridge(bare_bridge).tokenizer, bare_folder)
    assert_own_tokenizer(held("encoder").tokenizer, tiny_models.encoder_folder())


def test_a_tokenizer_of_no_folder_is_used_as_it_is(bare_bridge, monkeypatch):
    monkeypatch.setattr(bare_bridge.tokenizer, "name_or_path", "/no/such/folder")
    assert adopt_bridge(bare_bridge).tokenizer is bare_bridge.tokenizer


def test_a_tokenizer_that_the_user_widened_is_used_as_it_is(bare_bridge, monkeypatch):
    monkeypatch.setattr(bare_bridge, "tokenizer", copy.deepcopy(bare_bridge.tokenizer))
    bare_bridge.tokenizer.add_tokens(["<mine>"])
    assert adopt_bridge(bare_bridge).tokenizer is bare_bridge.tokenizer


def test_a_bridge_without_a_tokenizer_is_refused(bare_bridge, monkeypatch):
    monkeypatch.setattr(bare_bridge, "tokenizer", None)
    with pytest.raises(ModelError, match="no tokenizer"):
        adopt_bridge(bare_bridge)


def test_a_bridge_in_training_mode_is_refused(bare_bridge):
    bare_bridge.train()
    try:
        with pytest.raises(ModelError, match=r"training mode.*bridge\.eval\(\)"):
            adopt_bridge(bare_bridge)
    finally:
        bare_bridge.eval()
    assert adopt_bridge(bare_bridge).capture.bridge is bare_bridge


def test_the_weights_hash_is_of_the_weights(folder_of, opened, tmp_path):
    again = load_model(ModelSpec(folder_of("gpt2")), CPU)
    assert again.weights_sha256() == opened("gpt2").weights_sha256()
    other = tiny_models.random_model(tiny_models.gpt2_config(), seed=1)
    folder = tiny_models.write_model(tmp_path, other)
    assert load_model(ModelSpec(folder), CPU).weights_sha256() != again.weights_sha256()


def test_the_weights_hash_is_not_of_what_was_made_at_random(folder_of):
    hashes = set()
    for seed in range(2):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = load_model(ModelSpec(folder_of("roberta")), CPU)
        hashes.add(model.weights_sha256())
    assert len(hashes) == 1


def test_roberta_has_a_pooler_that_its_files_have_not(folder_of, opened):
    from safetensors import safe_open

    with safe_open(Path(folder_of("roberta")) / "model.safetensors", "pt") as file:
        assert not any("pooler" in name for name in file.keys())  # noqa: SIM118  # no mapping
    names = dict(opened("roberta").capture.network.named_parameters())
    assert "pooler.dense.weight" in names


def without(folder, *names):
    """Take weights out of a folder's file."""
    from safetensors.torch import load_file, save_file

    path = Path(folder) / "model.safetensors"
    weights = load_file(path)
    for name in names:
        del weights[name]
    save_file(weights, path, {"format": "pt"})


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (tiny_models.llama_config, "model.layers.1.self_attn.k_proj.weight"),
        (tiny_models.gpt2_config, "transformer.h.2.attn.c_attn.weight"),
        # It would be read by hooks.
        (tiny_models.gpt_neo_config, "transformer.h.0.attn.attention.q_proj.weight"),
    ],
)
def test_weights_that_are_missing_are_named(config, name, tmp_path):
    folder = tiny_models.write_model(tmp_path, tiny_models.random_model(config()))
    without(folder, name)
    base = name.partition(".")[2]
    with pytest.raises(ModelError, match=rf"no weights for 1 of its .*{base}\.") as caught:
        load_model(ModelSpec(folder), CPU)
    assert repr(folder) in str(caught.value)


@pytest.mark.parametrize(
    "config", [tiny_models.gpt2_config, tiny_models.llama_config, tiny_models.roberta_config]
)
def test_a_folder_without_a_tokenizer_is_named(config, tmp_path):
    # Of some classes, transformers makes one out of nothing.
    tiny_models.random_model(config()).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="tokenizer") as caught:
        load_model(ModelSpec(str(tmp_path)), CPU)
    assert repr(str(tmp_path)) in str(caught.value)


# What an earlier run wrote down.


@pytest.fixture
def own_folder(tmp_path):
    """A folder of a model that a test may change."""
    model = tiny_models.random_model(tiny_models.gpt2_config())
    return tiny_models.write_model(tmp_path / "model", model)


@pytest.fixture
def stored(tmp_path):
    return Settings(device="cpu", cache=str(tmp_path / "results"))


@pytest.fixture
def no_weights(monkeypatch):
    """Let nobody read weights."""
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import AutoModel

    def close():
        monkeypatch.setattr(AutoModel, "from_pretrained", raising)
        monkeypatch.setattr(TransformerBridge, "boot_transformers", raising)

    return close


@pytest.mark.parametrize("name", ["gpt2", "roberta"])
def test_a_second_load_reads_no_weights_until_rows_are_asked_for(
    name, folder_of, stored, no_weights, monkeypatch
):
    spec = ModelSpec(folder_of(name))
    first = load_model(spec, stored)
    batch = batch_for(name, first)
    rows = first.rows(batch, every_head(first))
    with monkeypatch.context() as patched:
        from transformer_lens.model_bridge import TransformerBridge
        from transformers import AutoModel

        patched.setattr(AutoModel, "from_pretrained", raising)
        patched.setattr(TransformerBridge, "boot_transformers", raising)
        second = load_model(spec, stored)
        assert second.facts == first.facts
        assert second.identity == first.identity
        assert second.shape == first.shape
        assert second.pad_id == first.pad_id
        assert second.weights_sha256() == first.weights_sha256()
        assert second.architecture == first.architecture
        assert torch.equal(second.attendable(batch.valid, 0), first.attendable(batch.valid, 0))
        with pytest.raises(ModelError, match="this was called"):
            load_model(spec, stored).rows(batch, every_head(second))
    assert torch.equal(second.rows(batch, every_head(second)), rows)
    # Loaded once.
    no_weights()
    assert torch.equal(second.rows(batch, every_head(second)), rows)


def test_without_a_store_nothing_has_an_identity(folder_of):
    assert load_model(ModelSpec(folder_of("gpt2")), CPU).identity is None


def test_bridges_have_no_identity(held):
    assert held("gpt2").identity is None
    assert held("roberta").identity is None


def test_an_identity_is_of_the_files_and_of_what_reads_them(own_folder, stored, tmp_path):
    spec = ModelSpec(own_folder)
    first = load_model(spec, stored)
    assert len(first.identity) == 64
    seen = {first.identity}

    def is_another(model):
        other = model.identity not in seen
        seen.add(model.identity)
        return other

    assert not is_another(load_model(spec, stored))
    assert is_another(load_model(ModelSpec(own_folder, dtype="float16"), stored))
    half = Settings(device="cpu", dtype="bfloat16", cache=stored.cache)
    assert is_another(load_model(spec, half))
    # The same files elsewhere are the same model.
    assert not is_another(
        load_model(ModelSpec(str(shutil.copytree(own_folder, tmp_path / "b"))), stored)
    )
    config = Path(own_folder) / "config.json"
    said = json.loads(config.read_text())
    config.write_text(json.dumps(said | {"layer_norm_epsilon": 1e-3}))
    changed = load_model(spec, stored)
    assert is_another(changed)
    batch = batch_for("gpt2", first)
    assert not torch.equal(
        changed.rows(batch, every_head(first)), first.rows(batch, every_head(first))
    )
    tiny_models.random_model(tiny_models.gpt2_config(), seed=1).save_pretrained(own_folder)
    other = load_model(spec, stored)
    assert is_another(other)
    assert other.weights_sha256() != first.weights_sha256()


def test_another_release_of_what_reads_it_is_another_identity(own_folder, stored, monkeypatch):
    spec = ModelSpec(own_folder)
    own, identities = loading.version, {load_model(spec, stored).identity}
    for package in READ_BY:
        monkeypatch.setattr(
            loading, "version", lambda name, other=package: "0" if name == other else own(name)
        )
        identities.add(load_model(spec, stored).identity)
    monkeypatch.setattr(loading, "version", own)
    monkeypatch.setattr(loading, "CAPTURE_VERSION", loading.CAPTURE_VERSION + 1)
    identities.add(load_model(spec, stored).identity)
    assert len(identities) == len(READ_BY) + 2


def test_facts_that_are_damaged_are_found_again(own_folder, stored):
    spec = ModelSpec(own_folder)
    first = load_model(spec, stored)
    for file in Path(stored.cache).rglob(f"*{first.identity}*"):
        file.write_bytes(b"nonsense")
    with pytest.warns(CacheWarning):
        second = load_model(spec, stored)
    assert second.facts == first.facts


@pytest.mark.parametrize("found", [3, "gpt2", torch.nn.Linear(1, 1)])
def test_what_is_no_bridge_is_refused(found):
    with pytest.raises(ModelError, match=type(found).__name__):
        adopt_bridge(found)


def test_a_bidirectional_model_with_windows_is_refused(held, monkeypatch):
    bridge = held("roberta").capture.bridge
    monkeypatch.setattr(bridge.original_model.config, "sliding_window", 5, raising=False)
    with pytest.raises(ModelError, match="bidirectional model with sliding windows"):
        adopt_bridge(bridge)


@pytest.mark.parametrize("bar", [True, False])
def test_a_load_is_quiet_and_leaves_bars_and_notices_as_they_were(bar, folder_of, capfd):
    from transformers.utils import logging

    said = []
    handler = Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logging.add_handler(handler)

    shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    try:
        (logging.enable_progress_bar if bar else logging.disable_progress_bar)()
        logging.set_verbosity_warning()
        for name in ("gpt2", "roberta", "gpt-neo") if bar else ("gpt2",):
            load_model(ModelSpec(folder_of(name)), CPU)
        assert logging.is_progress_bar_enabled() == bar
        assert logging.get_verbosity() == logging.WARNING
        assert "Loading" not in capfd.readouterr().err
        assert said == []
    finally:
        logging.remove_handler(handler)
        logging.set_verbosity(verbosity)
        (logging.enable_progress_bar if shown else logging.disable_progress_bar)()
