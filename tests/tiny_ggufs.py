"""Tiny random models as GGUF files, with the demo model's tokenizer."""

import json
from pathlib import Path

import numpy as np

from tests import tiny_models

SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
"""Rows of whole blocks of every quantisation that is tried."""


def llama_config(**changes):
    """Return the configuration of a random Llama of 2 layers whose heads share keys two by two."""
    return tiny_models.llama_config(**(SIZES | {"num_key_value_heads": 2} | changes))


def metadata_of(config, tokenizer=None) -> dict:
    """Return the metadata of a model, as llama.cpp converts it."""
    architecture = {"gemma3_text": "gemma3"}.get(config.model_type, config.model_type)
    heads = config.num_attention_heads
    rope = getattr(config, "rope_parameters", None) or {}
    of_model = {
        "block_count": config.num_hidden_layers,
        "context_length": tiny_models.CONTEXT,
        "embedding_length": config.hidden_size,
        "feed_forward_length": getattr(config, "intermediate_size", None) or 4 * config.hidden_size,
        "attention.head_count": heads,
        "attention.head_count_kv": getattr(config, "num_key_value_heads", heads),
        "rope.dimension_count": int(
            config.hidden_size // heads * rope.get("partial_rotary_factor", 1)
        ),
    }
    if hasattr(config, "rms_norm_eps"):
        of_model["attention.layer_norm_rms_epsilon"] = config.rms_norm_eps
    else:
        of_model["attention.layer_norm_epsilon"] = 1e-5
    if getattr(config, "head_dim", None):
        of_model["attention.key_length"] = config.head_dim
    if getattr(config, "sliding_window", None):
        of_model["attention.sliding_window"] = config.sliding_window
    if rope.get("rope_theta"):
        of_model["rope.freq_base"] = float(rope["rope_theta"])
    named = {f"{architecture}.{key}": value for key, value in of_model.items()}
    return {"general.architecture": architecture} | named | tokenizer_metadata(tokenizer)


def tokenizer_metadata(tokenizer=None) -> dict:
    """Return the metadata of a byte-level tokenizer."""
    backend = (tokenizer or tiny_models.demo_tokenizer()).backend_tokenizer
    content = json.loads(backend.to_str())
    tokens = [backend.id_to_token(number) for number in range(backend.get_vocab_size())]
    special = {token["id"] for token in content["added_tokens"]}
    merges = content["model"]["merges"]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3 if i in special else 1 for i in range(len(tokens))],
        "tokenizer.ggml.merges": [
            merge if isinstance(merge, str) else " ".join(merge) for merge in merges
        ],
        "tokenizer.ggml.bos_token_id": 0,
        "tokenizer.ggml.eos_token_id": 0,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.ggml.add_bos_token": True,
    }


def tensors_of(model) -> dict[str, np.ndarray]:
    """Return the weights of a model by their names in GGUF, as llama.cpp converts them."""
    import gguf

    config = model.config
    architecture = metadata_of(config)["general.architecture"]
    (number,) = (n for n, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    names = gguf.get_tensor_name_map(number, config.num_hidden_layers)
    result = {}
    for name, weights in model.state_dict().items():
        stem, _, suffix = name.rpartition(".")
        known = names.get_name(stem) or names.get_name(stem.removeprefix("transformer."))
        if known is None or (known == "output" and config.tie_word_embeddings):
            continue
        array = weights.float().numpy()
        if architecture == "llama" and stem.endswith(("q_proj", "k_proj")):
            heads = config.num_attention_heads if "q_proj" in stem else config.num_key_value_heads
            halves = array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:])
            array = halves.swapaxes(1, 2).reshape(array.shape)
        if architecture == "gpt2" and suffix == "weight" and ".h." in stem and array.ndim == 2:
            array = array.T
        if architecture in ("gemma2", "gemma3", "nemotron") and stem.endswith("norm"):
            array = array + 1
        result[f"{known}.{suffix}"] = np.ascontiguousarray(array)
    return result


def write_gguf(file: Path, metadata: dict, tensors: dict, kind: str = "F32", **options) -> str:
    """Write a GGUF file and return its path; matrices get the type of GGML named `kind`."""
    import gguf

    file.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(file, metadata.get("general.architecture", "llama"), **options)
    for key, value in metadata.items():
        add = {
            bool: writer.add_bool,
            int: writer.add_uint32,
            float: writer.add_float32,
            str: writer.add_string,
            list: writer.add_array,
        }[type(value)]
        if key != "general.architecture":
            add(key, value)
    wanted = gguf.GGMLQuantizationType[kind]
    for name, array in tensors.items():
        if array.ndim < 2:
            writer.add_tensor(name, array)
        else:
            writer.add_tensor(name, gguf.quantize(array, wanted), raw_dtype=wanted)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return str(file)


def write_model(file: Path, config, kind: str = "F32") -> str:
    """Write a random model of a configuration as a GGUF file and return its path."""
    model = tiny_models.random_model(config)
    return write_gguf(file, metadata_of(config), tensors_of(model), kind)
