"""GGUF files open as transformers opens them, at once the second time, and never half."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from headtests.cache import store_of
from headtests.errors import CacheWarning, ModelError
from headtests.models import gguf_source
from headtests.models.gguf_source import GgufSource
from headtests.models.loading import load_model, load_tokenizer
from headtests.settings import ModelSpec, Settings
from tests import tiny_ggufs, tiny_models
from tests.models import architectures
from tests.models.architectures import CPU

pytestmark = pytest.mark.slow  # opens models of several architectures
pytest.importorskip("gguf", reason="the test extra")

CONFIGS = {
    "llama": tiny_ggufs.llama_config,
    "qwen2": lambda: architectures._like_llama("qwen2", num_key_value_heads=2, **tiny_ggufs.SIZES),
    # Of GPT-2, transformers takes the context to be of the usual length.
    "gpt2": lambda: tiny_models.gpt2_config(n_layer=2, n_positions=1024),
    "gemma2": lambda: architectures._gemma2(
        **tiny_ggufs.SIZES, attn_logit_softcapping=50.0, query_pre_attn_scalar=256
    ),
    "falcon": architectures._falcon,
    "starcoder2": lambda: architectures._like_llama(
        "starcoder2", num_key_value_heads=2, **tiny_ggufs.SIZES
    ),
}
TEXTS = ["The cat sat.", " two  spaces\n", "<|endoftext|>naïve 12", ""]


@pytest.fixture
def kept(tmp_path):
    """Settings with a cache of their own."""
    return Settings(device="cpu", cache=str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def llama():
    """A random Llama's metadata and weights."""
    config = tiny_ggufs.llama_config()
    return (
        tiny_ggufs.metadata_of(config),
        tiny_ggufs.tensors_of(tiny_models.random_model(config)),
    )


@pytest.fixture
def file(tmp_path, llama):
    """A function that writes the Llama, with other metadata and tensors."""

    def write(metadata=(), tensors=(), kind="F32"):
        chosen, weights = llama[0] | dict(metadata), llama[1] | dict(tensors)
        kept = {name: array for name, array in weights.items() if array is not None}
        return tiny_ggufs.write_gguf(tmp_path / "files" / "model.gguf", chosen, kept, kind)

    return write


def assert_rows_of_transformers(model, path):
    from transformers import AutoModelForCausalLM

    reference = AutoModelForCausalLM.from_pretrained(
        Path(path).parent, gguf_file=Path(path).name, attn_implementation="eager"
    ).eval()
    (document,) = tiny_models.random_documents([23])
    expected = architectures.alone(reference.base_model, document)
    rows = model.rows(tiny_models.batch_of([document]), architectures.every_head(model))[:, 0]
    assert torch.allclose(rows, expected.flatten(0, 1).float(), atol=1e-5)
    assert rows.std() > 0.01


@pytest.mark.parametrize("kind", ["F32", "F16", "Q8_0", "Q4_0"])
def test_rows_of_each_quantisation_are_those_of_transformers(kind, file, kept):
    path = file(kind=kind)
    model = load_model(ModelSpec(path), kept)
    assert_rows_of_transformers(model, path)
    assert model.spec.name == path
    sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert model.notes == (f"The weights were dequantised from model.gguf, of SHA-256 {sha256}.",)


@pytest.mark.parametrize("name", CONFIGS)
def test_rows_of_each_architecture_are_those_of_transformers(name, kept, tmp_path):
    path = tiny_ggufs.write_model(tmp_path / "model.gguf", CONFIGS[name]())
    copied, direct = load_model(ModelSpec(path), kept), load_model(ModelSpec(path), CPU)
    assert_rows_of_transformers(copied, path)
    assert copied.facts == direct.facts
    assert direct.identity is None


def test_documents_are_tokenised_as_the_file_says(file, kept):
    from transformers import AutoTokenizer

    for add_bos in (True, False):
        path = file({"tokenizer.ggml.add_bos_token": add_bos})
        own = AutoTokenizer.from_pretrained(Path(path).parent, gguf_file="model.gguf")
        load_model(ModelSpec(path), kept)
        for settings in (CPU, kept):
            found = load_tokenizer(ModelSpec(path), settings)
            for text in TEXTS:
                assert found(text)["input_ids"] == own(text)["input_ids"]
            assert found.all_special_ids == own.all_special_ids
            assert found.bos_token_id == own.bos_token_id
            assert (found("a")["input_ids"][0] == 0) is add_bos


def test_the_second_opening_dequantises_nothing(file, kept, monkeypatch):
    path = file(kind="Q8_0")
    first = load_model(ModelSpec(path), kept)
    monkeypatch.setattr(GgufSource, "_write", None)
    again = load_model(ModelSpec(path), kept)
    assert (again.facts, again.identity) == (first.facts, first.identity)
    assert_rows_of_transformers(again, path)
    renamed = Path(path).rename(Path(path).with_name("other.GGUF"))
    assert load_model(ModelSpec(str(renamed)), kept).identity == first.identity
    narrow = load_model(ModelSpec(str(renamed), dtype="bfloat16"), kept)
    assert narrow.capture.network.dtype == torch.bfloat16
    assert narrow.identity != first.identity


def test_another_file_or_release_is_another_copy(file, kept, monkeypatch):
    identity = load_model(ModelSpec(file()), kept).identity
    assert load_model(ModelSpec(file(kind="F16")), kept).identity != identity
    path = file()
    key = GgufSource(ModelSpec(path), Path(path), store_of(kept))._key
    monkeypatch.setattr(gguf_source, "version", lambda name: "0")
    assert GgufSource(ModelSpec(path), Path(path), store_of(kept))._key != key


def copy_of(settings):
    (folder,) = Path(settings.cache).glob("*.files")
    return folder


def test_weights_are_the_same_in_a_lower_precision_either_way(file, kept):
    spec = ModelSpec(file(kind="Q8_0"), dtype="bfloat16")
    assert load_model(spec, kept).facts == load_model(spec, CPU).facts


def damage(folder):
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1
    weights.write_bytes(content)


def link(folder):
    weights = folder / "model.safetensors"
    weights.rename(folder.parent / "elsewhere.safetensors")
    weights.symlink_to(folder.parent / "elsewhere.safetensors")


def name_code(folder):
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "evil.Model"}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    "forge",
    [
        damage,
        link,
        name_code,
        lambda folder: (folder / "evil.py").write_text("raise SystemExit"),
        lambda folder: folder.chmod(0o777),
    ],
)
def test_a_copy_that_is_not_as_it_was_written_is_made_again(forge, file, kept):
    path = file()
    facts = load_model(ModelSpec(path), kept).facts
    forge(copy_of(kept))
    with pytest.warns(CacheWarning, match=r"\.files"):
        model = load_model(ModelSpec(path), kept)
    assert_rows_of_transformers(model, path)
    assert model.facts == facts
    assert not (copy_of(kept) / "evil.py").exists()


def test_a_copy_that_another_process_deletes_is_made_again(file, kept):
    path = file()
    load_model(ModelSpec(path), kept)
    model = load_model(ModelSpec(path), kept)
    for entry in copy_of(kept).iterdir():
        entry.unlink()
    copy_of(kept).rmdir()
    with pytest.warns(CacheWarning):
        assert_rows_of_transformers(model, path)


def test_a_full_disk_costs_the_copy_alone(file, kept, monkeypatch):
    from safetensors import SafetensorError

    def full(*_, **__):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(gguf_source, "save_file", full)
    path = file()
    with pytest.warns(CacheWarning, match="No space left"):
        model = load_model(ModelSpec(path), kept)
    assert_rows_of_transformers(model, path)
    assert not [*Path(kept.cache).glob("*.files"), *Path(kept.cache).glob(".headtests-files*")]


def test_a_copy_beyond_the_size_of_the_cache_is_not_made(file, tmp_path):
    path = file()
    settings = Settings(device="cpu", cache=str(tmp_path / "cache"), cache_size=50_000)
    with pytest.warns(CacheWarning, match="headtests_cache_size"):
        model = load_model(ModelSpec(path), settings)
    assert_rows_of_transformers(model, path)


def test_what_stands_beside_the_file_plays_no_part(file, kept):
    path = file()
    facts = load_model(ModelSpec(path), CPU).facts
    for name in ("tokenizer_config.json", "config.json", "adapter_config.json"):
        Path(path).with_name(name).write_text('{"auto_map": {"AutoTokenizer": ["evil.T", null]}')
    for settings in (CPU, kept):
        assert load_model(ModelSpec(path), settings).facts == facts


@pytest.mark.parametrize(
    ("metadata", "tensors", "named"),
    [
        ({}, {"blk.0.attn_q.bias": np.ones(32, np.float32)}, "blk.0.attn_q.bias"),
        ({}, {"rope_freqs.weight": np.ones(4, np.float32)}, "rope_freqs.weight"),
        ({}, {"blk.1.attn_k.weight": None}, "layers.1.self_attn.k_proj"),
        ({}, {"blk.1.attn_k.weight": np.ones((32, 32), np.float32)}, "layers.1.self_attn.k_proj"),
        ({"llama.attention.head_count": 8}, {}, "self_attn"),
        ({"llama.vocab_size": 1000}, {}, "1000"),
        ({"llama.rope.scaling.type": "linear"}, {}, "llama.rope.scaling.type is 'linear'"),
        ({"llama.attention.sliding_window": 8}, {}, "sliding_window is 8"),
        ({"llama.context_length": "long"}, {}, "max_position_embeddings"),
        ({"tokenizer.ggml.model": "rwkv"}, {}, "rwkv"),
        ({"tokenizer.ggml.bos_token_id": 10**6}, {}, "tokenizer"),
        ({"tokenizer.ggml.merges": ["no such tokens"]}, {}, "tokenizer"),
    ],
)
def test_what_does_not_fit_is_one_error_that_names_it(metadata, tensors, named, file, kept):
    path = file(metadata, tensors)
    with pytest.raises(ModelError) as caught:
        load_model(ModelSpec(path), kept)
    assert named in str(caught.value)
    assert path in str(caught.value)
    assert "config.json" not in str(caught.value)
    assert not [*Path(kept.cache).glob("*.files")]


def test_an_architecture_that_transformers_does_not_open_is_named(tmp_path, llama, kept):
    metadata = {
        key.replace("llama.", "bert."): "bert" if value == "llama" else value
        for key, value in llama[0].items()
    }
    path = tiny_ggufs.write_gguf(tmp_path / "model.gguf", metadata, llama[1])
    with pytest.raises(ModelError, match="'bert'") as caught:
        load_model(ModelSpec(path), kept)
    assert path in str(caught.value)


def test_an_old_package_is_as_none(file, monkeypatch):
    from transformers.utils import import_utils

    path = file()
    monkeypatch.setattr(import_utils, "is_gguf_available", lambda: False)
    with pytest.raises(ModelError, match=r"from 0\.10\.0 on"):
        load_model(ModelSpec(path), CPU)
