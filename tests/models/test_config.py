"""What a configuration says of a model, and the errors of those that cannot be had."""

import json
import shutil
import socket
import time
from types import SimpleNamespace

import pytest

from headtests.demo import MODEL_FOLDER
from headtests.errors import ModelError, ModelUnavailableError
from headtests.models.config import location_of, model_shape, shape_of
from headtests.models.loading import load_model
from headtests.settings import ModelSpec, Settings
from tests import tiny_models

WINDOW = tiny_models.WINDOW


def write_config(folder, config, **changes):
    """Write a configuration and nothing else; return the spec of the folder."""
    config.save_pretrained(folder)
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return ModelSpec(str(folder))


def test_the_demo_model_is_a_bundled_folder():
    assert location_of(ModelSpec()) == str(MODEL_FOLDER)
    shape = model_shape(ModelSpec("demo"))
    assert (shape.layers, shape.heads, shape.context) == (2, 4, 128)
    assert shape.windows == (None, None)


def test_a_shape_is_read_without_weights(tmp_path):
    spec = write_config(tmp_path, tiny_models.gpt2_config(n_layer=5, n_head=8))
    assert not list(tmp_path.glob("*.safetensors"))
    shape = model_shape(spec)
    assert (shape.layers, shape.heads, shape.context) == (5, 8, tiny_models.CONTEXT)


@pytest.mark.parametrize(
    ("config", "windows"),
    [
        (tiny_models.llama_config, (None, None, None)),
        (tiny_models.mistral_config, (WINDOW, WINDOW, WINDOW)),
        (tiny_models.gemma3_config, (WINDOW, None, WINDOW)),
        (tiny_models.gpt_neo_config, (None, WINDOW)),
    ],
    ids=["llama", "mistral", "gemma 3", "gpt-neo"],
)
def test_windows_are_those_of_each_layer(tmp_path, config, windows):
    assert model_shape(write_config(tmp_path, config())).windows == windows


def test_a_window_that_is_switched_off_is_none(tmp_path):
    from transformers import Qwen2Config

    config = Qwen2Config(num_hidden_layers=2, use_sliding_window=False, sliding_window=7)
    assert model_shape(write_config(tmp_path, config)).windows == (None, None)


def test_chunked_attention_limits_the_context_to_a_chunk(tmp_path):
    spec = write_config(
        tmp_path,
        tiny_models.llama_config(),
        layer_types=["chunked_attention", "full_attention", "chunked_attention"],
        attention_chunk_size=16,
    )
    assert model_shape(spec).context == 16


def test_positions_that_padding_takes_are_no_context(tmp_path):
    # RoBERTa numbers positions from the padding id's successor on.
    spec = write_config(tmp_path, tiny_models.roberta_config(pad_token_id=1))
    assert model_shape(spec).context == tiny_models.CONTEXT - 2


def test_a_configuration_that_contradicts_itself_is_an_error(tmp_path):
    spec = write_config(tmp_path, tiny_models.llama_config(), layer_types=["full_attention"])
    with pytest.raises(ModelError, match=r"contradicts itself.*num_hidden_layers"):
        model_shape(spec)


def made_up(**said):
    """Return a configuration of an architecture that nobody knows, three layers of two heads."""
    config = SimpleNamespace(
        model_type="made-up", num_hidden_layers=3, num_attention_heads=2, **said
    )
    config.get_text_config = lambda: config
    return config


def test_windows_for_some_of_the_layers_are_an_error():
    config = made_up(attention_layers=["global", "local"], window_size=WINDOW)
    with pytest.raises(ModelError, match="2 attention layers of 3"):
        shape_of(config, "made-up")


@pytest.mark.parametrize(
    ("said", "window"),
    [
        ({}, None),
        ({"sliding_window": None}, None),
        ({"sliding_window": 7}, 7),
        ({"sliding_window": 7, "use_sliding_window": True}, 7),
        ({"sliding_window": 7, "use_sliding_window": False}, None),
    ],
    ids=str,
)
def test_a_window_without_kinds_of_layers_is_that_of_all(said, window):
    assert shape_of(made_up(**said), "made-up").windows == (window,) * 3


def test_an_encoder_decoder_is_refused_by_its_configuration(tmp_path):
    from transformers import T5Config

    spec = write_config(tmp_path, T5Config(num_layers=2, num_heads=2))
    for opened in (model_shape, lambda spec: load_model(spec, Settings(device="cpu"))):
        with pytest.raises(ModelError, match="encoder-decoder") as caught:
            opened(spec)
        assert not isinstance(caught.value, ModelUnavailableError)


def test_a_model_without_attention_heads_is_refused(tmp_path):
    from transformers import MambaConfig

    spec = write_config(tmp_path, MambaConfig(num_hidden_layers=2))
    with pytest.raises(ModelError, match="attention heads"):
        model_shape(spec)


@pytest.mark.parametrize(
    "name",
    [
        "/no/such/folder",
        "./no-such-folder",
        "a/b/c",
        "folder/",
        "~no-such-user/model",
        "no hub name",
        "two--dashes",
        "a-repository.git",
        "escape\x1b[31m",
        f"./{'a' * 300}",
        "~nobody-of-this-name/a",
    ],
)
def test_a_folder_that_is_not_there_is_named(name):
    with pytest.raises(ModelUnavailableError, match="no folder") as caught:
        model_shape(ModelSpec(name))
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize("name", ["./no-such-folder", "no hub name", "no-such-org/no-such-model"])
def test_a_model_is_unavailable_where_the_working_directory_was_deleted(
    name, tmp_path, monkeypatch
):
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    with pytest.raises(ModelUnavailableError, match="no folder"):
        model_shape(ModelSpec(name))


@pytest.mark.parametrize("opened", [model_shape, lambda spec: load_model(spec, Settings())])
def test_a_hub_name_is_unavailable_offline_without_a_try_or_a_wait(opened, monkeypatch):
    def unwanted(*arguments, **named):
        pytest.fail("offline, the network was tried or waited for")

    monkeypatch.setattr(socket, "getaddrinfo", unwanted)
    monkeypatch.setattr(time, "sleep", unwanted)
    with pytest.raises(ModelUnavailableError, match="no-such-org/no-such-model"):
        opened(ModelSpec("no-such-org/no-such-model"))


def test_a_folder_without_a_configuration_is_broken_and_not_missing(tmp_path):
    with pytest.raises(ModelError, match="configuration cannot be read") as raised:
        model_shape(ModelSpec(str(tmp_path)))
    assert not isinstance(raised.value, ModelUnavailableError)


def test_a_folder_of_an_unknown_kind_is_broken_and_not_missing(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "no-such-kind"}', "utf-8")
    with pytest.raises(ModelError, match="configuration cannot be read") as raised:
        model_shape(ModelSpec(str(tmp_path)))
    assert not isinstance(raised.value, ModelUnavailableError)


def test_a_folder_without_weights_is_broken_and_not_missing(tmp_path):
    spec = write_config(tmp_path, tiny_models.gpt2_config())
    tiny_models.demo_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"no weights: expected model\.safetensors") as raised:
        load_model(spec, Settings(device="cpu"))
    assert not isinstance(raised.value, ModelUnavailableError)


def test_a_revision_is_part_of_the_name_that_errors_say():
    with pytest.raises(ModelUnavailableError, match="no-such-org/model at v2"):
        model_shape(ModelSpec("no-such-org/model", revision="v2"))


@pytest.mark.parametrize(
    "name",
    [
        *("config.json", "generation_config.json", "adapter_config.json"),
        *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
        "model.safetensors.index.json",
    ],
)
def test_json_that_a_parser_could_die_of_is_refused_before_it_is_parsed(name, tmp_path):
    shutil.copytree(MODEL_FOLDER, tmp_path / "model")
    (tmp_path / "model" / name).write_text('{"a":' + "[" * 100_000 + "]" * 100_000 + "}")
    with pytest.raises(ModelError, match=f"{name} cannot be read: it is nested more than"):
        load_model(ModelSpec(str(tmp_path / "model")), Settings(no_cache=True))
