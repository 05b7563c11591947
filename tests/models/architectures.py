"""Tiny random models of many architectures, and the way that the rows of each are read.

With what a test of them shares: documents, Hugging Face's own rows, and calls counted.
"""

import math
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from headtests.expressions.head_names import HeadName
from headtests.settings import Settings
from tests import tiny_models

STOCK = "attention interface"
EAGER = "attention interface, eager"
HOOKS = "hook_pattern"

CPU = Settings(device="cpu", no_cache=True)
LENGTHS = [17, 9, 23, 2, 1]
LONG = [300, 129, 128, 127, 1]
"""Around the height of a strip of rows."""
TOLERANCE = 1e-5

SENTENCES = [
    "The cat sat on the mat, and then it left.",
    "A dog.",
    "We measured the attention of each head; none was surprised, least of all the reviewers.",
]


def _config(kind, **changes):
    from transformers import AutoConfig

    return AutoConfig.for_model(kind, **changes)


def _like_llama(kind, **changes):
    return _config(kind, **(tiny_models._SIZES | changes))


def _like_gpt2(kind, **changes):
    sizes = {
        "n_positions": tiny_models.CONTEXT,
        "n_embd": 32,
        "n_layer": tiny_models.LAYERS,
        "n_head": tiny_models.HEADS,
        "vocab_size": tiny_models.VOCABULARY,
        "initializer_range": 0.3,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    return _config(kind, **(sizes | changes))


def _bloom():
    return _config(
        "bloom", hidden_size=32, n_layer=3, n_head=4, vocab_size=1024, initializer_range=0.3
    )


def _falcon():
    return _config(
        "falcon",
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        vocab_size=1024,
        initializer_range=0.3,
        bos_token_id=0,
        eos_token_id=0,
    )


def _opt():
    return _like_llama("opt", ffn_dim=48, word_embed_proj_dim=32, init_std=0.3, pad_token_id=1)


def _distilbert():
    return _config(
        "distilbert",
        vocab_size=1024,
        dim=32,
        hidden_dim=48,
        n_layers=3,
        n_heads=4,
        max_position_embeddings=tiny_models.CONTEXT,
        initializer_range=0.3,
    )


def _gpt_oss():
    return _like_llama(
        "gpt_oss",
        num_key_value_heads=2,
        head_dim=8,
        sliding_window=tiny_models.WINDOW,
        num_local_experts=2,
        num_experts_per_tok=1,
    )


def _gemma2(**changes):
    sizes = {
        "num_key_value_heads": 2,
        "head_dim": 8,
        "sliding_window": tiny_models.WINDOW,
        "query_pre_attn_scalar": 8,
        # Low enough that it shows.
        "attn_logit_softcapping": 2.0,
    }
    return _like_llama("gemma2", **(sizes | changes))


PATHS = {
    "gpt2": STOCK,
    "llama": STOCK,
    "mistral": STOCK,
    "gemma3": STOCK,
    "gpt-neo": HOOKS,
    "roberta": STOCK,
    "encoder": STOCK,
    "long llama": STOCK,
    "long mistral": STOCK,
    "bloom": HOOKS,
    "gptj": HOOKS,
    "falcon": HOOKS,
    "gemma2": EAGER,
    "gpt_oss": EAGER,
    "qwen2": STOCK,
    "qwen3": STOCK,
    "gpt_neox": STOCK,
    "gpt_bigcode": STOCK,
    "opt": STOCK,
    "phi": STOCK,
    "distilbert": STOCK,
}
"""By architecture, the way that a loaded model's rows are read."""

NOT_BY_THE_INTERFACE = ("gpt-neo", "bloom", "gptj", "falcon")
"""Architectures whose attention does not go through transformers' interface."""

HELD = (
    "gpt2",
    "llama",
    "mistral",
    "gemma3",
    "gpt-neo",
    "roberta",
    "encoder",
    "long mistral",
    "bloom",
    "gptj",
    "falcon",
    "gemma2",
    "gpt_oss",
    "qwen3",
    "gpt_neox",
    "opt",
    "phi",
)
"""Architectures that are tried as bridges of the user's, too."""

MAKERS = {
    "long llama": lambda: tiny_models.llama_config(max_position_embeddings=max(LONG)),
    "long mistral": lambda: tiny_models.mistral_config(
        max_position_embeddings=max(LONG), sliding_window=130
    ),
    "gptj": lambda: _like_gpt2("gptj", rotary_dim=4),
    "bloom": _bloom,
    "falcon": _falcon,
    "gemma2": _gemma2,
    "one layer of gemma2": lambda: _gemma2(num_hidden_layers=1),
    "gpt_oss": _gpt_oss,
    "qwen2": lambda: _like_llama("qwen2", num_key_value_heads=2),
    "qwen3": lambda: _like_llama("qwen3", num_key_value_heads=2, head_dim=8),
    "gpt_neox": lambda: _like_llama("gpt_neox"),
    "gpt_bigcode": lambda: _like_gpt2("gpt_bigcode"),
    "opt": _opt,
    "phi": lambda: _like_llama("phi"),
    "distilbert": _distilbert,
}


def random_model(name):
    """Return a Hugging Face language model of one of `MAKERS`, with random weights."""
    from transformers import AutoModelForMaskedLM

    config = MAKERS[name]()
    if name == "distilbert":
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return AutoModelForMaskedLM.from_config(config).eval()
    model = tiny_models.random_model(config)
    with torch.no_grad():
        for parameter, found in model.named_parameters():
            if parameter.endswith("sinks"):
                found.copy_(torch.linspace(-2.0, 2.0, len(found)))
    return model


def write(folder: Path, name: str) -> str:
    """Write the folder of one of `MAKERS` and return its path."""
    return tiny_models.write_model(folder, random_model(name))


def boot(folder):
    """Return a bridge as a user would open it."""
    from transformer_lens.model_bridge import TransformerBridge

    return TransformerBridge.boot_transformers(folder, device="cpu")


def documents_for(name):
    """Return documents of different lengths that a model can read."""
    if name == "encoder":
        tokenizer = tiny_models.encoder_tokenizer()
        return tiny_models.documents_of([tokenizer(text)["input_ids"] for text in SENTENCES])
    return tiny_models.random_documents(LONG if name.startswith("long") else LENGTHS, first_id=2)


def batch_for(name, model):
    """Return these documents in one batch."""
    return tiny_models.batch_of(documents_for(name), model.pad_id)


def every_head(model):
    return [
        HeadName(layer, head)
        for layer in range(model.shape.layers)
        for head in range(model.shape.heads)
    ]


def attentions_of(reference, ids, mask=None):
    """Return Hugging Face's own attention, `[layer, batch, head, query, key]`."""
    with torch.no_grad():
        output = reference(ids, attention_mask=mask, output_attentions=True, use_cache=False)
    return torch.stack(output.attentions)


def alone(reference, document):
    """Return Hugging Face's own attention on a document, `[layer, head, query, key]`."""
    return attentions_of(reference, torch.from_numpy(document.ids.astype(np.int64))[None])[:, 0]


VALUES = ("v_proj", "value", "v_lin", "c_attn", "query_key_value")
"""The names of modules that compute values, alone or behind queries and keys."""


def _values(name, out, model_type, heads, width):
    """Return the values in a module's output `[position, ...]`, `[position, head, width]`."""
    if name == "query_key_value" and model_type != "falcon":
        return out.reshape(len(out), heads, 3, width)[:, :, 2]
    if model_type in ("falcon", "gpt_bigcode"):
        # All heads share the last of what is computed.
        return out[:, None, -width:]
    if name == "c_attn":
        return out[:, 2 * heads * width :].reshape(len(out), heads, width)
    return out.reshape(len(out), -1, width)


def norms_alone(reference, document):
    """Return the norms of Hugging Face's own values, by loops, `[layer][head][position]`."""
    config = reference.config
    heads = getattr(config, "num_attention_heads", None) or config.n_head
    found = []

    def keep(name):
        def hook(module, arguments, output):
            own = getattr(config, "head_dim", None)
            width = own or getattr(config, "hidden_size", None) // heads
            values = _values(name, output[0], config.model_type, heads, width).tolist()
            share = heads // len(values[0])
            found.append(
                [
                    [math.sqrt(sum(x * x for x in place[head // share])) for place in values]
                    for head in range(heads)
                ]
            )

        return hook

    handles = [
        module.register_forward_hook(keep(name.rpartition(".")[2]))
        for name, module in reference.named_modules()
        if name.rpartition(".")[2] in VALUES
    ]
    try:
        with torch.no_grad():
            reference(torch.from_numpy(document.ids.astype(np.int64))[None])
    finally:
        for handle in handles:
            handle.remove()
    return found


@contextmanager
def called(network):
    """Collect the names of the modules that are called."""
    names = []

    def note(name):
        return lambda module, arguments: names.append(name)

    handles = [
        module.register_forward_pre_hook(note(name)) for name, module in network.named_modules()
    ]
    try:
        yield names
    finally:
        for handle in handles:
            handle.remove()


def raising(*arguments, **named):
    """Stand in for what must not be called."""
    raise AssertionError("this was called")
