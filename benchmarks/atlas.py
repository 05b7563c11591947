"""An atlas against the bare forward pass: every head by the whole library, in one process.

A model of SmolLM2-135M's shape with random weights (30 layers of 9 heads, 3 of which are keys),
documents of exactly one length, and the two runs alternately. The atlas's time is all of it: sums,
choosing, deciding. Memory is the peak over that of the bare pass, each in a process of its own.
Exits with 1 if a figure is over its limit.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

LIMITS = {128: 1.3, 512: 1.5, 1024: 1.6}
"""The most time over the bare pass, by tokens of a document."""
DOCUMENTS = {128: 200, 512: 48, 1024: 16}
"""Documents of one run: fewer of the long ones, so that the benchmark ends."""
PAIRS = 3
"""Timed runs of each of the two, after one of each that is not counted."""
MEMORY = 300 * 10**6
"""Bytes over the bare pass."""
FEW, MANY = 40, 400
"""Numbers of documents for which an atlas should take about the same memory."""
GROWTH = 50 * 10**6
"""Bytes by which the peaks of the two may differ."""
CHARACTERS = 16
"""Characters of text for each token: more than a token has on average."""
MB = 10**6


def write_model(folder: Path) -> Path:
    """Write a Llama of SmolLM2-135M's shape with random weights, and a tokenizer."""
    import torch
    import workloads
    from transformers import LlamaConfig, LlamaForCausalLM

    workloads.write_model(folder, n_layer=1, n_head=2, n_embd=16)
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        vocab_size=50257,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
    )
    for weights in folder.glob("*.safetensors"):
        weights.unlink()
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def texts_of(documents: int, length: int) -> Any:
    """Return as many texts of Python's own documentation, each longer than a document."""
    from headtests.corpora import GivenTexts

    whole = "\n\n".join(topics[name] for name in sorted(topics))
    size = length * CHARACTERS
    step = max(1, (len(whole) - size) // documents)
    starts = (number * step for number in range(documents))
    texts = GivenTexts.of([whole[start : start + size] for start in starts])
    return replace(texts, max_length=length)


def measured(model: Any, documents: int, length: int) -> Any:
    """Return an atlas of a model on documents of one length, nothing read yet."""
    import headtests as ht
    from headtests.atlas.measure import CorpusAtlas
    from headtests.sessions.session import Session

    settings = ht.Settings(no_cache=True, device="cpu")
    session = Session(model, texts_of(documents, length), settings=settings)
    lengths = set(session.population.lengths.tolist())
    if lengths != {length}:
        raise RuntimeError(f"expected documents of {length} tokens but found {lengths}")
    return CorpusAtlas(
        session.model, session.population, session.options(), settings, documents=documents
    )


def forward(bare: Any, documents: int, length: int) -> None:
    """Run the bare forward pass over as many tokens, in batches of the same size."""
    import torch

    from headtests.atlas.measure import TOKENS

    size = max(1, min(32, TOKENS // length))
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        for start in range(0, documents, size):
            shape = (min(size, documents - start), length)
            ids = torch.randint(0, bare.config.vocab_size, shape, generator=generator)
            bare(ids, use_cache=False)


def times(folder: Path, length: int) -> tuple[str, float, float]:
    """Print and return the ratio at one length, with its limit."""
    import workloads

    model = workloads.open_model(folder, "cpu")
    bare = workloads.open_bare(folder, "cpu")
    documents = DOCUMENTS[length]

    def prepare() -> list[Any]:
        atlas = measured(model, documents, length)
        return [lambda: (atlas.read(), atlas.proposals)]

    (ratios,) = workloads.alternate(prepare, lambda: forward(bare, documents, length), PAIRS, "cpu")
    print(f"{documents:4} documents of {length:5} tokens: {ratios}")
    return f"{length} tokens", ratios.median, LIMITS[length]


def peak(folder: Path, what: str, documents: int, length: int) -> int:
    """Return the peak of resident memory of a process of its own."""
    command = [sys.executable, __file__, "--peak", what, str(folder), str(documents), str(length)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def run_peak(what: str, folder: str, documents: int, length: int) -> None:
    """Print the peak of a bare pass or of an atlas, the opening of the model left out."""
    import workloads

    model = workloads.open_model(Path(folder), "cpu")
    atlas = measured(model, documents, length) if what == "atlas" else None
    Path("/proc/self/clear_refs").write_text("5")
    if atlas is None:
        forward(model.capture.network, documents, length)
    else:
        atlas.read()
        _ = atlas.proposals
    lines = Path("/proc/self/status").read_text().splitlines()
    (found,) = (line for line in lines if line.startswith("VmHWM:"))
    print(int(found.split()[1]) * 1024)


def main() -> int:
    """Print the figures; return 1 if one is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peak", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--lengths", nargs="*", type=int, default=sorted(LIMITS))
    parser.add_argument("--no-memory", action="store_true")
    options = parser.parse_args()
    if options.peak:
        what, folder, documents, length = options.peak
        run_peak(what, folder, int(documents), int(length))
        return 0
    import workloads

    with tempfile.TemporaryDirectory() as temporary:
        folder = write_model(Path(temporary))
        print(json.dumps(list(workloads.machine())))
        rows: list[tuple[str, float, float | None]] = [
            times(folder, length) for length in options.lengths
        ]
        if not options.no_memory:
            base = peak(folder, "bare", 16, 512)
            over = peak(folder, "atlas", 16, 512) - base
            few, many = (peak(folder, "atlas", documents, 64) for documents in (FEW, MANY))
            print(f"memory over the bare pass at 512 tokens: {over / MB:.0f} MB")
            print(f"{MANY} documents over {FEW}, of 64 tokens: {(many - few) / MB:+.0f} MB")
            rows += [("memory, MB", over / MB, MEMORY / MB)]
            rows += [("growth, MB", (many - few) / MB, GROWTH / MB)]
        return 0 if workloads.limits_met(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
