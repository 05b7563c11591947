"""The workload of the benchmarks of a pass, and the comparison of two runs.

A model of GPT-2 small's shape with random weights, a corpus of documents of exactly one length, the
bare forward pass, and the alternation of two runs in one process. The scripts define what they
measure.
"""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModel, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
from transformers.utils import logging

import headtests as ht
from headtests import key
from headtests.corpora import Batch, CorpusSpec, Population, build_population, make_batches
from headtests.models.loaded import LoadedModel

BATCH_TOKENS = 2048
"""Tokens that go through the model at once, in every row of the table on the CPU."""
LENGTHS = (128, 512, 1024)
"""Tokens of a document."""
TOKENS = 8192
"""Tokens of one timed run."""
PAIRS = 5
"""Timed runs of each of the two, after one of each that is not counted."""
RANKED, SAMPLED = 50, 64
"""Pairs that are requested of each head: ranked, and in each random sample."""
CAPITAL = key.matches(r"^ ?[A-Z]")
"""A relation that holds for a good part of all pairs, unlike induction or the previous token."""
CHARACTERS = 6
"""Characters of text for each token of the corpus: more than a token has on average."""
END = "<|endoftext|>"

logging.disable_progress_bar()
logging.set_verbosity_error()


def write_model(folder: Path, sharpness: float = 1.0, **sizes: int) -> Path:
    """Write a GPT-2 with random weights, of GPT-2 small's shape unless told, and a tokenizer.

    `sharpness` multiplies every query: with 1, rows are almost even.
    """
    torch.manual_seed(0)
    config = GPT2Config(**sizes)
    model = GPT2LMHeadModel(config).eval()
    for block in model.transformer.h:
        block.attn.c_attn.weight.data[:, : config.n_embd] *= sharpness
    model.save_pretrained(folder)
    backend = _own_bpe(min(config.vocab_size, 4096))
    missing = config.vocab_size - backend.get_vocab_size()
    # One token for each embedding, as GPT-2 has it: what reads the vocabulary reads all of it.
    backend.add_tokens([f"<|unused {number}|>" for number in range(missing)])
    PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=END, eos_token=END, pad_token=END, unk_token=END
    ).save_pretrained(folder)
    return folder


def _own_bpe(size: int) -> Tokenizer:
    bpe = _byte_level(Tokenizer(models.BPE()))
    bpe.train_from_iterator(
        topics.values(),
        trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=[END],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    return bpe


def _byte_level(bpe: Tokenizer) -> Tokenizer:
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    return bpe


def write_corpus(folder: Path, tokens: int = TOKENS) -> Path:
    """Write Python's own documentation as one text, so that every document but one is full.

    As often as it takes for so many tokens; then a document begins elsewhere each time.
    """
    path = folder / "corpus.jsonl"
    text = "\n\n".join(topics[name] for name in sorted(topics))
    copies = 1 + tokens * CHARACTERS // len(text)
    path.write_text(json.dumps({"text": "\n\n".join([text] * copies)}) + "\n")
    return path


@dataclass(frozen=True, eq=False)
class Workload:
    """A model, and documents of one length."""

    model: LoadedModel
    """The model as headtests opens it."""
    bare: Any
    """The same weights as a `GPT2Model` of stock SDPA, without unembedding."""
    corpus: Path
    length: int
    documents: int
    device: str
    batch_tokens: int = BATCH_TOKENS

    @property
    def batch_size(self) -> int:
        """Documents that go through the model at once."""
        return max(1, self.batch_tokens // self.length)

    @property
    def tokens(self) -> int:
        """Tokens of one run."""
        return self.length * self.documents

    def session(self, heads: Sequence[str], **settings: Any) -> ht.Session:
        """Return a session with the model open and the documents tokenised; nothing was run."""
        given = {
            "device": self.device,
            "batch_size": self.batch_size,
            "max_documents": self.documents,
            "max_length": self.length,
        }
        session = ht.Session(
            self.model, self.spec, heads=heads, settings=settings_of(**(given | settings))
        )
        # Tokenising is not to be timed.
        session.__dict__["population"] = self.population
        if session.document_pass.budget != self.documents:
            raise RuntimeError(f"the pass has {session.document_pass.budget} documents")
        return session

    @cached_property
    def population(self) -> Population:
        """The documents; raises `RuntimeError` if they are not all of one length."""
        population = build_population(
            self.spec,
            self.model.tokenizer,
            max_length=self.length,
            context=self.model.shape.context,
            vocab_size=self.model.vocabulary_size,
        )
        lengths = set(population.lengths.tolist())
        if lengths != {self.length} or len(population) != self.documents:
            raise RuntimeError(
                f"expected {self.documents} documents of {self.length} tokens but found "
                f"{len(population)} of {lengths}. Ask for fewer: the corpus is not longer."
            )
        return population

    @property
    def spec(self) -> CorpusSpec:
        """Which documents."""
        return CorpusSpec(str(self.corpus), first=self.documents, max_length=self.length)

    def batches(self) -> list[Batch]:
        """Return batches of the documents in the order of the pass."""
        order = self.population.order(ht.Settings().seed).tolist()
        documents = [self.population[number] for number in order]
        return list(make_batches(documents, self.batch_size, self.model.pad_id))

    def forward(self, layers: int | None = None) -> Callable[[], None]:
        """Return the bare forward pass over the documents, of the first `layers` layers."""
        bare, ids = self.bare, [batch.ids.to(self.device) for batch in self.batches()]
        blocks = bare.h

        def run() -> None:
            bare.h = blocks[:layers]
            try:
                with torch.inference_mode():
                    for batch in ids:
                        # Without a cache and a mask, which is the fastest.
                        bare(batch, use_cache=False)
            finally:
                bare.h = blocks

        return run

    @property
    def names(self) -> list[str]:
        """The names of all heads."""
        shape = self.model.shape
        return [f"L{layer}H{head}" for layer in range(shape.layers) for head in range(shape.heads)]


def settings_of(**settings: Any) -> ht.Settings:
    """Return settings under which every run measures."""
    return ht.Settings(**({"no_cache": True} | settings))


def open_model(folder: Path, device: str, dtype: str = "float32") -> LoadedModel:
    """Return a folder's model as headtests opens it."""
    session = ht.Session(str(folder), settings=settings_of(device=device, dtype=dtype))
    model = session.model
    _ = model.capture
    return model


def open_bare(folder: Path, device: str, dtype: str = "float32") -> Any:
    """Return the same as a plain Hugging Face model, without unembedding."""
    bare = AutoModel.from_pretrained(
        folder, attn_implementation="sdpa", dtype=getattr(torch, dtype)
    )
    return bare.to(device).eval()


def statistics_of(head: ht.Head) -> list[Any]:
    """Return the relations' statistics of a head, none of them read."""
    return [
        head.mass(ht.induction),
        head.mass(ht.previous),
        head.top1_rate(ht.previous),
        head.mass(CAPITAL),
    ]


def products(head: ht.Head) -> list[Any]:
    """Return all figures of a head that the first rows of the table request, none of them read."""
    return [*statistics_of(head), *sketched(head)]


def sketched(head: ht.Head) -> list[Any]:
    """Return the pairs and the distribution of a head, none of them read."""
    return [
        head.ranked_multiples(RANKED),
        head.random_multiples(SAMPLED),
        head.random_multiples(SAMPLED, above_average=False),
        head.distribution(),
    ]


def is_distribution(figure: Any) -> bool:
    """Return whether a figure is a distribution, whose examples cost rows to read."""
    return hasattr(figure, "quantile")


def read(figure: Any) -> float:
    """Return a number of a figure, so that it is measured: its value, its mean or itself."""
    if hasattr(figure, "value"):
        return float(figure.value)
    if hasattr(figure, "median"):
        return float(figure.mean.value)
    return float(figure.mean)


@dataclass(frozen=True)
class Ratios:
    """Two runs that alternated, in seconds."""

    ours: list[float]
    theirs: list[float]

    @property
    def each(self) -> list[float]:
        """The ratio of each pair of runs."""
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def median(self) -> float:
        """The median of the pairs' ratios."""
        return statistics.median(self.each)

    def __str__(self) -> str:
        each = self.each
        return (
            f"{statistics.median(self.ours):8.2f} s / {statistics.median(self.theirs):7.2f} s = "
            f"{self.median:6.2f}  ({min(each):.2f} to {max(each):.2f}, n={len(each)})"
        )


def synchronise(device: str) -> None:
    """Synchronise with the device."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def timed(act: Callable[[], object], device: str) -> float:
    """Return the seconds that a call takes, including the device's work."""
    synchronise(device)
    start = time.perf_counter()
    act()
    synchronise(device)
    return time.perf_counter() - start


def alternate(
    prepare: Callable[[], Sequence[Callable[[], object]]],
    baseline: Callable[[], object],
    pairs: int,
    device: str,
) -> list[Ratios]:
    """Time two calls alternately, baseline first, after one of each that is not counted.

    `prepare` gets everything ready that is not to be timed, and returns what is, in stages; of
    each stage there is a result, of the time up to its end.
    """
    theirs: list[float] = []
    stages: list[list[float]] = []
    for _ in range(pairs + 1):
        theirs.append(timed(baseline, device))
        seconds = [timed(act, device) for act in prepare()]
        stages.append(list(accumulate(seconds)))
    return [Ratios(list(ours), theirs[1:]) for ours in zip(*stages[1:], strict=True)]


def limits_met(rows: Sequence[tuple[str, float, float | None]]) -> bool:
    """Print the rows over their limits; return whether there are none."""
    over = [(name, found, limit) for name, found, limit in rows if limit and found > limit]
    for name, found, limit in over:
        print(f"over the limit: {name}: {found:.2f}, where {limit:.2f} was to be met")
    return not over


def machine(device: str = "cpu") -> Iterator[str]:
    """Yield lines with the machine and the versions, on which figures depend."""
    yield f"date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    yield f"processor: {_processor()}, {torch.get_num_threads()} threads"
    if device.startswith("cuda"):
        yield f"device: {torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
    packages = ("headtests", "torch", "transformers", "transformer-lens", "numpy")
    yield f"versions: Python {platform.python_version()}, " + ", ".join(
        f"{name} {version(name)}" for name in packages
    )
    busy = os.getloadavg()[0]
    yield f"load before the run: {busy:.1f}" + (
        "; other processes ran, so the figures are not to be kept" if busy > 0.5 else ""
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    model = fields.get("model name", platform.machine())
    family = f"family {fields.get('cpu family', '?')} model {fields.get('model', '?')}"
    return f"{model} ({family})"
