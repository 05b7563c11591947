"""The peak of resident memory of a pass, each measured in a separate process.

All heads of GPT-2 small's shape at 1,024 tokens, against a bare forward pass; and a small model
with as many heads on 1,000 and on 10,000 documents. The row spool, which has a limit of its own,
is off. Exits with 1 if a figure is over its limit.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

LENGTH, BATCH_SIZE = 1024, 2
LIMIT = 300 * 10**6
"""Bytes over a bare forward pass."""
FEW, MANY = 1_000, 10_000
"""Numbers of documents for which a pass should take the same memory."""
GROWTH = 0.05
"""The relative difference allowed between the two peaks."""
SMALL = {"n_embd": 96, "n_positions": 64, "vocab_size": 1024}
"""Sizes of the small model, which has as many layers and heads as the other."""
PERIOD = 16
"""Tokens that a document of the small model repeats, after BOS."""
MB = 10**6


def plain(folder: str, documents: int) -> int:
    """Return the peak of a bare forward pass with nothing but transformers imported."""
    import torch
    from transformers import AutoModel

    bare = AutoModel.from_pretrained(folder, attn_implementation="sdpa").eval()
    generator = torch.Generator().manual_seed(0)
    _forget_peak()
    with torch.inference_mode():
        for _ in range(0, documents, BATCH_SIZE):
            shape = (BATCH_SIZE, LENGTH)
            ids = torch.randint(0, bare.config.vocab_size, shape, generator=generator)
            bare(ids, use_cache=False)
    return _peak()


def _forget_peak() -> None:
    """Reset the peak: opening a model may take more memory than running it."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    (found,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(found.split()[1]) * 1024


def bare(folder: str, documents: int) -> int:
    """Return the peak of the same in a process that opened the model through headtests."""
    import torch
    import workloads
    from workloads import Workload

    opened = workloads.open_model(Path(folder), "cpu")
    workload = Workload(opened, None, Path(folder) / "corpus.jsonl", LENGTH, documents, "cpu")
    ids = [batch.ids for batch in workload.batches()]
    # The session's own model, as transformers would run it.
    network = opened.capture.network
    network.set_attn_implementation("sdpa")
    _forget_peak()
    with torch.inference_mode():
        for batch in ids:
            network(batch, use_cache=False)
    return _peak()


def ours(folder: str, documents: int) -> int:
    """Return the peak of a pass that serves every figure of all heads."""
    import sweep
    import workloads
    from workloads import Workload

    opened = workloads.open_model(Path(folder), "cpu")
    workload = Workload(opened, None, Path(folder) / "corpus.jsonl", LENGTH, documents, "cpu")
    stages = sweep.all_at_once(workload, workload.names)
    _forget_peak()
    for stage in stages:
        stage()
    return _peak()


def small(folder: str, documents: int, statistics: bool = True) -> int:
    """Return the peak of the same on short documents, with a small model."""
    import workloads

    import headtests as ht

    settings = workloads.settings_of(
        device="cpu", spool=0, max_documents=documents, batch_size=64, max_length=2 * PERIOD + 1
    )
    names = [f"L{layer}H{head}" for layer in range(12) for head in range(12)]
    session = ht.Session(
        folder,
        "repeated-random",
        heads=names,
        settings=settings,
        period=PERIOD,
        repeats=2,
        documents=documents,
    )
    _ = session.document_pass
    asked = workloads.products if statistics else workloads.sketched
    _forget_peak()
    figures = [figure for name in names for figure in asked(session.head(name))]
    for figure in figures:
        # A distribution comes from the same pass, but its examples would run documents again.
        if not workloads.is_distribution(figure):
            workloads.read(figure)
    return _peak()


def sketches(folder: str, documents: int) -> int:
    """Return the peak without statistics, which hold a few numbers of each document."""
    return small(folder, documents, statistics=False)


WAYS = {"plain": plain, "bare": bare, "ours": ours, "small": small, "sketches": sketches}
"""The measurements, each run in a separate process."""


def measured(way: str, folder: Path, documents: int) -> int:
    """Return the peak of one measurement, in bytes."""
    ended = subprocess.run(
        [sys.executable, __file__, "--way", way, str(folder), str(documents)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise RuntimeError(ended.stdout + ended.stderr)
    return int(ended.stdout.split()[-1])


def arguments() -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="processes of each kind")
    parser.add_argument("--documents", type=int, default=8, help="of 1,024 tokens")
    parser.add_argument("--layers", type=int, default=12, help="fewer only to try the script")
    parser.add_argument("--many", type=int, default=MANY)
    parser.add_argument("--few", type=int, default=FEW)
    parser.add_argument("--way", nargs=3, metavar=("WAY", "FOLDER", "DOCUMENTS"))
    return parser.parse_args()


def main() -> int:
    """Print the peaks; return 1 if one is over its limit."""
    given = arguments()
    if given.way:
        way, folder, documents = given.way
        print(WAYS[way](folder, int(documents)))
        return 0
    import workloads

    rows: list[tuple[str, float, float | None]] = []
    with tempfile.TemporaryDirectory() as name:
        large = workloads.write_model(Path(name) / "large", n_layer=given.layers)
        workloads.write_corpus(large, LENGTH * given.documents)
        for line in workloads.machine():
            print(line)
        for number in range(given.rounds):
            peaks = {way: measured(way, large, given.documents) for way in WAYS if way in _LARGE}
            over = peaks["ours"] - peaks["bare"]
            print(
                f"all heads at {LENGTH} tokens: {peaks['ours'] / MB:,.0f} MB; bare forward "
                f"{peaks['bare'] / MB:,.0f} MB, so {over / MB:,.0f} MB over it (limit "
                f"{LIMIT / MB:,.0f}); with nothing but transformers imported "
                f"{peaks['plain'] / MB:,.0f} MB",
                flush=True,
            )
            rows.append((f"MB over the bare forward, {number + 1}", over / MB, LIMIT / MB))
        tiny = workloads.write_model(Path(name) / "small", n_layer=12, n_head=12, **SMALL)
        for way, said in (("small", "every figure"), ("sketches", "ranked, random, distribution")):
            few, many = (measured(way, tiny, number) for number in (given.few, given.many))
            print(
                f"144 heads of a small model, {said}: {few / MB:,.0f} MB on {given.few:,} "
                f"documents, {many / MB:,.0f} MB on {given.many:,}",
                flush=True,
            )
            rows.append((f"growth of the peak, {said}", many / few, 1 + GROWTH))
    return 0 if workloads.limits_met(rows) else 1


_LARGE = ("plain", "bare", "ours")

if __name__ == "__main__":
    sys.exit(main())
