"""Correctness and speed on a GPU: `make gpu-check`.

Compares rows with the model's own eager attention, on the device and in each dtype, and verdicts,
pairs and figures with the CPU's. Checks that a pass synchronises at most once for each batch, and
that it survives running out of memory. Then prints the table of `sweep.py` with the device's
memory. Without CUDA it says so and exits with 0. `--device cpu` runs everything that needs no GPU,
to check this script.
"""

import argparse
import math
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import sweep
import torch
import workloads
from transformers import AutoModel
from workloads import Workload

import headtests as ht
from headtests.claims.pair_samples import Multiples
from headtests.corpora import Batch
from headtests.errors import UndecidedError
from headtests.expressions.head_names import HeadName
from headtests.models.loaded import LoadedModel
from tests import tiny_models

DTYPES = ("float32", "bfloat16", "float16")
ARCHITECTURES: dict[str, Callable[[], Any]] = {
    "GPT-2": tiny_models.gpt2_config,
    "Llama": tiny_models.llama_config,
    "Mistral": tiny_models.mistral_config,
    "Gemma 3": tiny_models.gemma3_config,
    "GPT-Neo": tiny_models.gpt_neo_config,
    "RoBERTa": tiny_models.roberta_config,
}
"""Tiny random models, read through the attention interface and through hooks."""
LENGTHS = (41, 17, 9, 2, 1)
"""Lengths of the documents on which rows are compared: padded, and longer than any window."""
CHECKED_LENGTH, CHECKED_DOCUMENTS = 128, 32
"""The documents on which pairs are compared: two batches of 2,048 tokens."""
SUM_TOLERANCE = 1e-4
"""The tolerance of a row's sum, 1, in float32, for any dtype of the model."""
TIE = 1e-4
"""The share by which two multiples may differ and still tie."""
CLAIMS = (
    "L0H2.mass(ht.previous) >= 0.9",
    "L0H2.top1_rate(ht.previous) >= 0.9",
    "L0H2.precision(ht.previous, above=10) >= 0.5",
    "L0H1.exceed_rate(10, ht.previous) >= 0.5",
    "L1H2.lift(ht.induction, when=query.repeats, over='distance') >= 4",
    "L1H0.mass(ht.first) >= 0.5",
    "L0H0.mass(ht.induction, when=query.repeats) >= 0.4",
    "L1H3.mass(ht.induction, of=~ht.first) <= 0.1",
    "L0H2.entropy() <= 0.1",
    "L1H2.peak(when=query.repeats) >= 0.5",
    "L1H0.mass(ht.induction, of=~ht.first, weights='value') >= 0.4",
)
"""Claims about the bundled model, some of them false."""


def rows_are_exact(device: str, dtype: str) -> bool:
    """Compare rows with each architecture's own eager attention on the same device and type.

    Rows are worked out in float32 from queries and keys of the type, so that they may differ by
    the type's rounding of scores and of attention; their sums must be float32's all the same.
    """
    good = True
    eps = torch.finfo(getattr(torch, dtype)).eps
    for name, config in ARCHITECTURES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = tiny_models.write_model(Path(folder), tiny_models.random_model(config()))
            model = workloads.open_model(Path(path), device, dtype)
            truth = AutoModel.from_pretrained(
                path, attn_implementation="eager", dtype=getattr(torch, dtype)
            )
        documents = tiny_models.random_documents(LENGTHS, first_id=2)
        batch = tiny_models.batch_of(documents, model.pad_id)
        good &= _are_exact(f"{name} in {dtype}", model, truth.to(device).eval(), batch, eps)
    return good


def _are_exact(name: str, model: LoadedModel, truth: Any, batch: Batch, eps: float) -> bool:
    heads = [
        HeadName(layer, index)
        for layer in range(model.shape.layers)
        for index in range(model.shape.heads)
    ]
    found = model.rows(batch, heads).unflatten(0, (model.shape.layers, model.shape.heads))
    with torch.inference_mode():
        own = truth(
            batch.ids.to(model.device),
            attention_mask=batch.valid.to(model.device).long(),
            output_attentions=True,
        ).attentions
    worst, total, count, off = 0.0, 0.0, 0, 0.0
    for row, document in enumerate(batch.documents):
        inside = slice(0, len(document))
        ours = found[:, :, row, inside, inside]
        theirs = torch.stack([layer[row, :, inside, inside].float().cpu() for layer in own])
        apart = (ours - theirs).abs()
        worst = max(worst, float(apart.max()))
        total, count = total + float(apart.sum()), count + apart.numel()
        off = max(off, float((ours.sum(-1) - 1).abs().max()))
    limit, mean_limit = max(1e-5, 16 * eps), max(1e-6, eps / 4)
    good = worst <= limit and total / count <= mean_limit
    # A pattern that hooks read has the type's own rounding.
    if model.facts.path == "attention interface":
        good &= off <= SUM_TOLERANCE
    return said(
        good,
        f"rows of {name} ({model.facts.path}): at most {worst:.1e} from eager attention, "
        f"{total / count:.1e} on average; sums off by {off:.1e}",
    )


def said(good: bool, what: str) -> bool:
    """Print a result and whether it is right; return whether it is right."""
    print(f"{'ok    ' if good else 'WRONG '}{what}", flush=True)
    return good


def claim_of(session: ht.Session, claim: str) -> tuple[str, float, int]:
    """Return a claim's verdict, its figure and the documents that decided it."""
    head, rest = claim.split(".", 1)
    names = {"head": session.head(head), "ht": ht, "query": ht.query, "key": ht.key}
    comparison = eval(f"head.{rest}", names)
    try:
        verdict = "holds" if comparison else "refuted"
    except UndecidedError:
        verdict = "undecided"
    return verdict, float(comparison.left.value), int(comparison.left.documents)


def claims_agree(device: str) -> bool:
    """Compare verdicts on the bundled model with the CPU's."""
    sessions = [demo_session(place) for place in ("cpu", device)]
    good = True
    for claim in CLAIMS:
        on_cpu, here = (claim_of(session, claim) for session in sessions)
        same = on_cpu[0] == here[0] and on_cpu[2] == here[2]
        same &= math.isclose(on_cpu[1], here[1], rel_tol=1e-4, abs_tol=1e-6)
        good &= said(same, f"{claim}: {here[0]}, {here[1]:.6f} on {here[2]} documents")
        if not same:
            print(f"      on the CPU {on_cpu[0]}, {on_cpu[1]:.6f} on {on_cpu[2]} documents")
    return good


def demo_session(device: str) -> ht.Session:
    """Return the bundled model over its corpus."""
    settings = workloads.settings_of(device=device)
    return ht.Session("demo", "demo", heads=["L*H*"], settings=settings)


Found = dict[tuple[int, int, int], float]
"""Multiples by document, query and key."""


def found_of(pairs: Multiples) -> Found:
    """Return pairs without their context."""
    columns = pairs.columns
    places = zip(
        columns.documents.tolist(), columns.queries.tolist(), columns.keys.tolist(), strict=True
    )
    return dict(zip(places, columns.multiples.tolist(), strict=True))


def ranked_agree(one: Found, other: Found) -> bool:
    """Return whether two rankings hold the same pairs, up to ties inside rounding."""
    if len(one) != len(other) or not one:
        return len(one) == len(other)
    last = min(min(one.values()), min(other.values()))
    apart = one.keys() ^ other.keys()
    tied = all(math.isclose((one | other)[pair], last, rel_tol=TIE) for pair in apart)
    return tied and _close(one, other)


def sampled_agree(one: Found, other: Found, above_average: bool) -> bool:
    """Return whether two samples hold the same pairs.

    Which pairs are in a sample depends on no multiple, but for whether it is above average: a
    pair whose multiple is 1 inside rounding may be in one alone, and then displaces another.
    """
    apart = one.keys() ^ other.keys()
    edge = [
        pair
        for pair in one.keys() | other.keys()
        if above_average and math.isclose((one | other)[pair], 1.0, rel_tol=TIE)
    ]
    return len(apart) <= 2 * len(edge) and _close(one, other)


def _close(one: Found, other: Found) -> bool:
    both = one.keys() & other.keys()
    return all(math.isclose(one[pair], other[pair], rel_tol=TIE, abs_tol=1e-6) for pair in both)


def pairs_agree(workload: Workload, on_cpu: Workload) -> bool:
    """Compare ranked and random multiples, statistics and distributions with the CPU's."""
    names = workload.names
    here, there = (one.session(names, spool=0) for one in (workload, on_cpu))
    asked = [
        [workloads.products(session.head(name)) for name in names] for session in (here, there)
    ]
    ranked = sampled = above = figures = distributions = True
    for place, (ours, theirs) in enumerate(zip(*asked, strict=True)):
        for one, other in zip(ours[:4], theirs[:4], strict=True):
            figures &= math.isclose(one.value, other.value, rel_tol=1e-4, abs_tol=1e-6)
        ranked &= ranked_agree(found_of(ours[4]), found_of(theirs[4]))
        above &= sampled_agree(found_of(ours[5]), found_of(theirs[5]), above_average=True)
        sampled &= sampled_agree(found_of(ours[6]), found_of(theirs[6]), above_average=False)
        if place % 13:
            # Examples run documents again: one head of a layer is enough.
            continue
        distributions &= ours[7].count == theirs[7].count
        distributions &= math.isclose(ours[7].mean, theirs[7].mean, rel_tol=1e-5)
        for share in (0.05, 0.5, 0.95):
            # To the resolution of a histogram's bins.
            one, other = ours[7].quantile(share), theirs[7].quantile(share)
            distributions &= math.isclose(one, other, rel_tol=0.04)
    what = f"{len(names)} heads of {workload.length} tokens"
    return all(
        [
            said(ranked, f"{what}: the same {workloads.RANKED} ranked pairs as on the CPU"),
            said(above, f"{what}: the same {workloads.SAMPLED} random above-average pairs"),
            said(sampled, f"{what}: the same {workloads.SAMPLED} random pairs"),
            said(figures, f"{what}: the same statistics, to 1e-4"),
            said(distributions, f"{what}: the same distributions, to a bin"),
        ]
    )


def synchronisations(act: Callable[[], object], device: str) -> Counter[str] | None:
    """Return the places that synchronise with the device, and how often; None if unknown."""
    if not device.startswith("cuda"):
        act()
        return None
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            act()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return Counter(
        f"{one.filename}:{one.lineno}" for one in caught if "synchroniz" in str(one.message)
    )


def synchronises_once(workload: Workload) -> bool:
    """Count the synchronisations of passes of few and of twice as many batches.

    The difference is what each further batch costs; what a pass costs once falls out of it.
    """
    counts, places = [], Counter[str]()
    for documents in (workload.documents, 2 * workload.documents):
        sized = replace(workload, documents=documents)
        run, *rest = sweep.all_at_once(sized, sized.names)
        found = synchronisations(run, workload.device)
        for stage in rest:
            stage()
        if found is None:
            print("      no CUDA device, so synchronisations cannot be counted")
            return True
        counts.append(found.total())
        places = found
    batches = workload.documents / workload.batch_size
    each = (counts[1] - counts[0]) / batches
    good = said(
        each <= 1,
        f"synchronisations: {counts[0]} in a pass of {batches:g} batches, {counts[1]} in one of "
        f"twice as many, so {each:.2f} a batch",
    )
    if not good:
        for place, count in places.most_common(8):
            print(f"      {count} at {place}")
    return good


@contextmanager
def little_memory(workload: Workload, most: int) -> Iterator[None]:
    """Make memory run out if more than a number of documents run at once."""
    if workload.device.startswith("cuda"):
        peaks = [
            _peak_of(replace(workload, documents=documents), documents)
            for documents in (most, workload.documents)
        ]
        whole = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction((peaks[0] + peaks[1]) / 2 / whole)
        try:
            yield
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        return

    def refuse(module: Any, given: tuple[Any, ...]) -> None:
        if len(given[0]) > most:
            raise torch.OutOfMemoryError("out of memory, as this check has it")

    handle = workload.model.capture.network.register_forward_pre_hook(refuse)
    try:
        yield
    finally:
        handle.remove()


def _peak_of(workload: Workload, batch_size: int) -> int:
    """Return the peak memory of a pass over all documents at once, in bytes."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    session = workload.session(workload.names, spool=0, batch_size=batch_size)
    workloads.read(session.head(workload.names[0]).ranked_multiples(workloads.RANKED))
    return torch.cuda.max_memory_reserved()


def survives_little_memory(workload: Workload) -> bool:
    """Make memory run out during a pass, and compare its results with those of a normal pass."""
    name = workload.names[-1]

    def ranked() -> tuple[Found, list[str]]:
        session = workload.session(workload.names, spool=0, batch_size=workload.documents)
        found = found_of(session.head(name).ranked_multiples(workloads.RANKED))
        return found, list(session.document_pass.notes)

    whole, notes = ranked()
    with little_memory(workload, max(1, workload.documents // 8)):
        halved, halving = ranked()
    good = not notes and len(halving) > 0 and ranked_agree(whole, halved)
    return said(good, f"the end of memory: {' '.join(halving) or 'did not come'}")


def memory_line(workload: Workload) -> None:
    """Print the device's memory at the peak of a pass, over that of a bare pass."""
    if not workload.device.startswith("cuda"):
        print("      no CUDA device, so its memory cannot be told")
        return
    forward = workload.forward()
    stages = sweep.all_at_once(workload, workload.names)
    peaks = []
    for acts in ([forward], stages):
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        for act in acts:
            act()
        torch.cuda.synchronize()
        peaks.append(torch.cuda.max_memory_allocated())
    bare, ours = peaks
    print(
        f"      memory at {workload.length} tokens: {ours / 1e6:,.0f} MB, bare "
        f"{bare / 1e6:,.0f} MB, so {(ours - bare) / 1e6:,.0f} MB over it"
    )


def table(workload: Workload, lengths: Sequence[int], tokens: int, pairs: int) -> bool:
    """Print the rows of the table; return whether all limits hold."""
    rows = []
    for length in lengths:
        sized = replace(workload, length=length, documents=max(2, tokens // length))
        rows += sweep.rows_of(sized, pairs)
        memory_line(sized)
    return workloads.limits_met(
        [(f"{row.name} at {row.length}", row.ratios.median, row.limit) for row in rows]
    )


def open_workload(folder: Path, device: str, dtype: str = "float32") -> Workload:
    """Return a workload on a device."""
    return Workload(
        workloads.open_model(folder, device, dtype),
        workloads.open_bare(folder, device, dtype),
        folder / "corpus.jsonl",
        CHECKED_LENGTH,
        CHECKED_DOCUMENTS,
        device,
    )


def arguments() -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tokens", type=int, default=2**18, help="of a timed run")
    parser.add_argument("--batch-tokens", type=int, default=2**15, help="at once")
    parser.add_argument("--pairs", type=int, default=workloads.PAIRS, help="of timed runs")
    parser.add_argument("--layers", type=int, default=12, help="fewer only to try the script")
    parser.add_argument("--lengths", type=int, nargs="+", default=list(workloads.LENGTHS))
    parser.add_argument("--dtypes", nargs="+", default=list(DTYPES))
    parser.add_argument("--no-table", action="store_true", help="only the checks")
    return parser.parse_args()


def main() -> int:
    """Run the checks and print the table; return 1 if something is wrong or over its limit."""
    given = arguments()
    device = given.device
    if device.startswith("cuda") and not torch.cuda.is_available():
        print("There is no CUDA device on this machine, so nothing was checked.")
        return 0
    torch.set_float32_matmul_precision("highest")
    for line in workloads.machine(device):
        print(line)
    good = [rows_are_exact(device, dtype) for dtype in given.dtypes]
    good.append(claims_agree(device))
    with tempfile.TemporaryDirectory() as name:
        folder = workloads.write_model(Path(name), n_layer=given.layers)
        workloads.write_corpus(folder, given.tokens)
        here, on_cpu = open_workload(folder, device), open_workload(folder, "cpu")
        good.append(pairs_agree(here, on_cpu))
        good.append(synchronises_once(here))
        # On a device, enough that memory is a matter of documents and not of the weights.
        crowded = replace(here, length=1024, documents=64) if "cuda" in device else here
        good.append(survives_little_memory(crowded))
        for dtype in [] if given.no_table else given.dtypes:
            print(f"in {dtype}:")
            workload = open_workload(folder, device, dtype)
            workload = replace(workload, batch_tokens=given.batch_tokens)
            good.append(table(workload, given.lengths, given.tokens, given.pairs))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
