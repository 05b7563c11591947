"""The time of a second run of an unchanged suite, against a first run and a run without a cache.

Whole runs of pytest in separate folders: the claims about the bundled model, and a suite about a
model of GPT-2 small's shape. Another run, which is not timed, checks that no weights are loaded.
Exits with 1 if the second run loads weights, or if one of its verdicts differs from the first's.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import workloads

DEMO = Path(__file__).parents[1] / "hypotheses" / "test_demo.py"
WATCH = """\
import atexit, os
from torch.nn.modules.module import register_module_parameter_registration_hook

counted = 0


def count(module, name, parameter):
    global counted
    counted += 0 if parameter is None else parameter.numel()


register_module_parameter_registration_hook(count)
atexit.register(lambda: open(os.environ["PARAMETERS_FILE"], "w").write(str(counted)))
"""
"""A plugin that counts the parameters of every module that a run makes."""
SMALL = """\
import pytest
import headtests as ht
from headtests import key, query

pytestmark = [
    pytest.mark.model({model!r}),
    pytest.mark.corpus({corpus!r}, first=64, max_length=256),
]


@pytest.mark.head("L0H0", "L3H5", "L5H1", "L8H2", "L11H11")
def test_nothing_was_learned(head):
    assert head.mass(ht.induction, when=query.repeats) <= 0.5
    assert head.mass(ht.previous) <= 0.5
    assert head.lift(key.matches(r"^ ?[A-Z]")) <= 5
    assert head.top1_rate(ht.previous) <= 0.9


@pytest.mark.head("L0H0", "L5H1", "L11H11")
def test_pairs(head):
    top, control = head.ranked_multiples(50), head.random_multiples(200)
    assert top.fraction(ht.previous) <= 1
    assert control.median >= 0
    assert head.distribution().quantile(0.5) >= 0
"""
VARYING = ("created", "durations", "seconds", "duration")
"""Fields of a record that describe its run and not the results."""


@dataclass(frozen=True)
class Suite:
    """A folder with claims."""

    name: str
    folder: Path

    def run(self, *options: str, watched: bool = False) -> tuple[float, dict[str, Any], int | None]:
        """Return the seconds of a run, its record, and the parameters made, if counted."""
        environment = os.environ | {"HF_HUB_OFFLINE": "1"}
        counted = self.folder / "parameters"
        plugins = ["-p", "no:cacheprovider"]
        if watched:
            here = os.pathsep.join(filter(None, [str(self.folder), os.environ.get("PYTHONPATH")]))
            environment |= {"PYTHONPATH": here, "PARAMETERS_FILE": str(counted)}
            plugins += ["-p", "watching_weights"]
        start = time.perf_counter()
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--no-header", *plugins, *options],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - start
        if ended.returncode:
            raise RuntimeError(ended.stdout + ended.stderr)
        record = json.loads((self.folder / "reports" / "headtests.json").read_text())
        return seconds, record, int(counted.read_text()) if watched else None


def suites(folder: Path, layers: int) -> list[Suite]:
    """Write the suites and return them."""
    demo, small = folder / "demo", folder / "small"
    for one in (demo, small):
        one.mkdir()
        (one / "pytest.ini").write_text("[pytest]\n")
        (one / "watching_weights.py").write_text(WATCH)
    (demo / "test_demo.py").write_text(DEMO.read_text())
    model = workloads.write_model(folder / "model", n_layer=layers)
    source = SMALL.format(model=str(model), corpus=str(workloads.write_corpus(folder)))
    for head in ("L3H5", "L5H1", "L8H2", "L11H11"):
        if int(head[1 : head.index("H")]) >= layers:
            source = source.replace(f', "{head}"', "")
    (small / "test_small.py").write_text(source)
    return [Suite("claims about the bundled model", demo), Suite("GPT-2 small's shape", small)]


def verdicts(record: dict[str, Any]) -> list[tuple[str, str, str, float]]:
    """Return the part of a record that has to be the same in every run."""
    return [
        (claim["test"], claim["expression"], claim["verdict"], claim["left"]["value"])
        for claim in record["claims"]
    ]


def measure(suite: Suite, rounds: int) -> bool:
    """Print the times of a suite; return whether the second run passed the checks."""
    times: dict[str, list[float]] = {"without": [], "first": [], "second": []}
    good = True
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as store:
            ways = {
                "without": ("--headtests-no-cache",),
                "first": (f"--headtests-cache={store}",),
                "second": (f"--headtests-cache={store}",),
            }
            found = {}
            for way, options in ways.items():
                seconds, record, _ = suite.run(*options)
                times[way].append(seconds)
                found[way] = verdicts(record)
            good &= found["without"] == found["first"] == found["second"]
    with tempfile.TemporaryDirectory() as store:
        counts = [
            suite.run(*options, watched=True)[2] or 0
            for options in (
                ("--headtests-no-cache",),
                (f"--headtests-cache={store}",),
                (f"--headtests-cache={store}",),
            )
        ]
    if not counts[0] or not counts[1]:
        raise RuntimeError("the first runs made no parameters, so counting them tells nothing")
    shown = {
        way: f"{statistics.median(taken):.1f} s ({min(taken):.1f} to {max(taken):.1f})"
        for way, taken in times.items()
    }
    ratios = [second / first for first, second in zip(times["first"], times["second"], strict=True)]
    print(
        f"{suite.name}, n={rounds}: without a store {shown['without']}, first run "
        f"{shown['first']}, second {shown['second']}: {statistics.median(ratios):.2f} of the first "
        f"({min(ratios):.2f} to {max(ratios):.2f})"
    )
    print(
        f"  parameters made: {counts[0]:,} without a store, {counts[1]:,} in the first run, "
        f"{counts[2]:,} in the second; verdicts and figures are "
        f"{'equal in all runs' if good else 'NOT equal'}",
        flush=True,
    )
    return good and counts[2] == 0


def main() -> int:
    """Print the times of each suite; return 1 if a second run failed the checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, default=12, help="fewer only to try the script")
    given = parser.parse_args()
    for line in workloads.machine():
        print(line)
    with tempfile.TemporaryDirectory() as name:
        good = [measure(suite, given.rounds) for suite in suites(Path(name), given.layers)]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
