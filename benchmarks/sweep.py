"""The time of reading attention against the bare forward pass, and of other implementations.

The table of `README.md`: GPT-2 small's shape with random weights, 2,048 tokens in a batch. Each row
alternates with a plain `GPT2Model` of the same weights and depth in one process. `--profile` prints
where the first row spends its time. Exits with 1 if a median is over its limit.
"""

import argparse
import cProfile
import pstats
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import peers
import torch
import workloads
from workloads import Ratios, Workload

import headtests as ht
from headtests.measurement.passes import row_spool

ALL_HEADS = {128: 1.10, 512: 1.35, 1024: 1.40}
"""The limit of the first row at each length; other lengths have none."""
FEW_HEADS = {128: 1.05, 512: 1.08, 1024: 1.10}
"""The limit of the second row."""
FEW = [f"L{layer}H{head}" for layer in range(4) for head in (0, 6)]
"""Eight heads over four layers; the bare pass then has four layers, too."""
FEW_LAYERS = 4
OLD_TEXTS, OLD_LENGTH = 100, 30
"""The number of texts on which the first version was timed, and their tokens."""
MODULES = 14
FUNCTIONS = 25
"""Lines of a profile."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    length: int
    ratios: Ratios
    tokens: int
    limit: float | None = None

    def __str__(self) -> str:
        limit = "" if self.limit is None else f"  limit {self.limit:.2f}"
        rate = self.tokens / min(self.ratios.ours)
        return f"{self.name:<44} {self.length:5} {self.ratios}  {rate:9,.0f} tokens/s{limit}"


def all_at_once(
    workload: Workload,
    heads: Sequence[str],
    asked: Callable[[ht.Head], list[Any]] = workloads.products,
) -> list[Callable[[], None]]:
    """Return a pass that serves every figure of some heads, then the reading of them.

    The documents are ready; figures are asked for, and the first is read: that is the pass. Then
    statistics, ranked and random pairs are read, and at last one head's distribution, whose
    examples stand in their context.
    """
    session = workload.session(heads, spool=0)
    figures: list[Any] = []

    def run() -> None:
        figures.extend(figure for name in heads for figure in asked(session.head(name)))
        workloads.read(figures[0])

    def rest() -> None:
        for figure in figures:
            if not workloads.is_distribution(figure):
                workloads.read(figure)

    def examples() -> None:
        for figure in [*filter(workloads.is_distribution, figures)][:1]:
            workloads.read(figure)
        session.document_pass.close()

    return [run, rest, examples]


def kept_rows(workload: Workload, heads: Sequence[str]) -> list[Callable[[], None]]:
    """Return one statistic of each of some heads, then a second one, from rows that are kept."""
    session = workload.session(heads)
    found = [session.head(name) for name in heads]

    def first() -> None:
        for head in found:
            workloads.read(head.mass(ht.induction))

    def second() -> None:
        for head in found:
            workloads.read(head.mass(ht.previous))
        session.document_pass.close()

    return [first, second]


def rows_of(workload: Workload, pairs: int) -> list[Row]:
    """Measure and print the rows of headtests itself at one length."""
    length = workload.length
    few = [name for name in FEW if name in workload.names]
    layers = min(FEW_LAYERS, workload.model.shape.layers)
    whole, part = workload.forward(), workload.forward(layers)
    result: list[Row] = []

    def add(names: Sequence[str], found: list[Ratios], limits: Sequence[float | None]) -> None:
        for name, ratios, limit in zip(names, found, limits, strict=True):
            result.append(Row(name, length, ratios, workload.tokens, limit))
            print(result[-1], flush=True)

    for number, forward, heads, limits in (
        (len(workload.names), whole, workload.names, ALL_HEADS),
        (len(few), part, few, FEW_HEADS),
    ):
        found = workloads.alternate(
            lambda heads=heads: all_at_once(workload, heads), forward, pairs, workload.device
        )
        limit = limits.get(length)
        add(
            [f"{number} heads, one pass", "  and its figures read", "  and one distribution"],
            found,
            [limit, limit, None],
        )
    for where, in_memory in (("memory", row_spool.IN_MEMORY), ("a spool", 0)):
        before, row_spool.IN_MEMORY = row_spool.IN_MEMORY, in_memory
        try:
            found = workloads.alternate(
                lambda: kept_rows(workload, few), part, pairs, workload.device
            )
        finally:
            row_spool.IN_MEMORY = before
        names = [f"{len(few)} heads, one statistic, rows in {where}", "  and a second statistic"]
        add(names, found, [None, None])
    return result


def peer_row(workload: Workload, folder: Path, pairs: int) -> Row:
    """Measure and print TransformerLens's cache of all patterns with a top-k of each head."""
    bridge = peers.open_bridge(str(folder), workload.device)
    ids = peers.ids_of(workload.batches(), workload.device)

    def prepare() -> list[Callable[[], object]]:
        return [lambda: peers.cached_top_k(bridge, ids, workloads.RANKED)]

    (found,) = workloads.alternate(prepare, workload.forward(), pairs, workload.device)
    row = Row("TransformerLens, all patterns, top-k", workload.length, found, workload.tokens)
    print(row, flush=True)
    return row


def first_version(workload: Workload, folder: Path) -> None:
    """Print the time of the first version's algorithm on its own texts, against a bare pass."""
    workload = replace(workload, length=OLD_LENGTH, documents=OLD_TEXTS)
    device, forward = workload.device, workload.forward()
    bridge = peers.open_bridge(str(folder), device)
    texts = [row for ids in peers.ids_of(workload.batches(), device) for row in ids]
    shape = workload.model.shape
    heads = [(layer, head) for layer in range(shape.layers) for head in range(shape.heads)]
    held: list[peers.FirstVersion] = []

    def ask(head: ht.Head) -> list[Any]:
        return [head.ranked_multiples(workloads.RANKED), head.random_multiples(workloads.SAMPLED)]

    def rank() -> None:
        for layer, head in heads:
            held[0].ranked(layer, head, workloads.RANKED)
            held[0].random(layer, head, workloads.SAMPLED)

    workloads.timed(forward, device)
    bare = min(workloads.timed(forward, device) for _ in range(3))
    cache = workloads.timed(lambda: held.append(peers.FirstVersion(bridge, texts)), device)
    ranking = workloads.timed(rank, device)
    ours = sum(workloads.timed(act, device) for act in all_at_once(workload, workload.names, ask))
    size = held.pop().bytes
    print(
        f"first version, {OLD_TEXTS} texts of {OLD_LENGTH} tokens, {len(heads)} heads: cached in "
        f"{cache:.1f} s ({size / 1e9:.2f} GB), ranked and sampled in {ranking:.1f} s; "
        f"bare {bare:.2f} s, so {(cache + ranking) / bare:.1f} times; headtests {ours:.2f} s, "
        f"so {ours / bare:.2f} times and {(cache + ranking) / ours:.1f} times faster"
    )
    long = min(512, shape.context or 512)
    ids = torch.randint(0, workload.model.vocabulary_size, (long,), device=device)
    size = peers.FirstVersion(bridge, [ids]).bytes
    print(f"first version, kept of eight texts of {long} tokens: {8 * size / 1e9:.1f} GB")


LEFT_OUT: dict[str, tuple[str, ...]] = {
    "everything": (),
    "without ranked": ("ranked",),
    "without random": ("random",),
    "without distributions": ("distribution",),
    "without random and distributions": ("random", "distribution"),
    "without statistics": ("statistics",),
    "one statistic alone": ("ranked", "random", "distribution", "statistics"),
}
"""Kinds of figures that a profile leaves out in turn; the last leaves out all but one figure."""


def some_products(left_out: Sequence[str]) -> Callable[[ht.Head], list[Any]]:
    """Return a function that requests all figures of a head except some kinds."""

    def asked(head: ht.Head) -> list[Any]:
        figures = [head.mass(ht.previous)]
        if "statistics" not in left_out:
            figures = workloads.statistics_of(head)
        if "ranked" not in left_out:
            figures.append(head.ranked_multiples(workloads.RANKED))
        if "random" not in left_out:
            figures.append(head.random_multiples(workloads.SAMPLED))
            figures.append(head.random_multiples(workloads.SAMPLED, above_average=False))
        if "distribution" not in left_out:
            figures.append(head.distribution())
        return figures

    return asked


def profile(workload: Workload, heads: Sequence[str], layers: int | None, pairs: int) -> None:
    """Print the time that each kind of figure adds to a pass, then the time of each module."""
    forward = workload.forward(layers)
    for name, left_out in LEFT_OUT.items():
        asked = some_products(left_out)
        found = workloads.alternate(
            lambda asked=asked: all_at_once(workload, heads, asked),
            forward,
            pairs,
            workload.device,
        )
        print(Row(f"{len(heads)} heads, {name}", workload.length, found[0], workload.tokens))
    run, *rest = all_at_once(workload, heads)
    profiler = cProfile.Profile()
    start = time.perf_counter()
    profiler.runcall(run)
    seconds = time.perf_counter() - start
    for stage in rest:
        stage()
    statistics = pstats.Stats(profiler)
    print(f"a pass under the profiler: {seconds:.2f} s; by module, with the torch calls it makes:")
    for module, own in _by_module(statistics).most_common(MODULES):
        print(f"  {own:8.3f} s {own / seconds:6.1%}  {module}")
    statistics.sort_stats("tottime").print_stats(FUNCTIONS)


def _by_module(profiled: pstats.Stats) -> Counter[str]:
    """Return each module's own seconds, including the built-in functions that it calls."""
    found: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, callers) in profiled.stats.items():  # type: ignore[attr-defined]
        if file.startswith("~") and callers:
            for (caller, _, _), (*_, of_caller, _) in callers.items():
                found[_module(caller)] += of_caller
        else:
            found[_module(file)] += own
    return found


def _module(file: str) -> str:
    parts = Path(file).with_suffix("").parts
    for root in ("headtests", "torch", "transformers", "transformer_lens", "numpy"):
        if root in parts:
            start = len(parts) - 1 - parts[::-1].index(root)
            return ".".join(parts[start:])
    return parts[-1] if parts else file


def arguments() -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=list(workloads.LENGTHS))
    parser.add_argument("--tokens", type=int, default=workloads.TOKENS, help="of a timed run")
    parser.add_argument("--pairs", type=int, default=workloads.PAIRS, help="of timed runs")
    parser.add_argument("--layers", type=int, default=12, help="fewer only to try the script")
    parser.add_argument("--sharpness", type=float, default=1.0, help="what multiplies queries")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--no-peers", action="store_true", help="only headtests' own rows")
    parser.add_argument("--only-peers", action="store_true")
    parser.add_argument("--profile", action="store_true", help="where the time of a pass goes")
    parser.add_argument("--few", action="store_true", help="profile the eight heads")
    return parser.parse_args()


def main() -> int:
    """Print the table; return 1 if a median is over its limit."""
    given = arguments()
    for line in workloads.machine(given.device):
        print(line)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = workloads.write_model(Path(name), given.sharpness, n_layer=given.layers)
        workload = Workload(
            workloads.open_model(folder, given.device),
            workloads.open_bare(folder, given.device),
            workloads.write_corpus(folder, given.tokens),
            given.lengths[0],
            1,
            given.device,
        )
        for length in given.lengths:
            sized = replace(workload, length=length, documents=max(2, given.tokens // length))
            if given.profile:
                few = [head for head in FEW if head in workload.names]
                heads, layers = (few, FEW_LAYERS) if given.few else (workload.names, None)
                profile(sized, heads, layers, given.pairs)
                continue
            if not given.only_peers:
                rows += rows_of(sized, given.pairs)
            if not given.no_peers:
                rows.append(peer_row(sized, folder, given.pairs))
        if not given.no_peers and not given.profile:
            first_version(workload, folder)
    met = workloads.limits_met(
        [(f"{row.name} at {row.length}", row.ratios.median, row.limit) for row in rows]
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
