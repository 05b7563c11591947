"""The time that the installed plugin adds to the start of pytest in a project without claims.

`pytest --collect-only` on 200 empty tests in 10 files, with the plugin and with `-p no:headtests`,
in alternating processes. Exits with 1 if the median difference of the pairs, in elapsed seconds, is
over its limit. Processor seconds are also printed: they are more reliable on a busy machine.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

FILES, TESTS = 10, 20
ROUNDS = 20
LIMIT = 0.05
"""Seconds."""
COMMAND = ("-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider")
OFF = ("-p", "no:headtests")


class Seconds(NamedTuple):
    """The time of a process."""

    passed: float
    of_processor: float


class Pair(NamedTuple):
    """A collection with the plugin, and one without it."""

    on: Seconds
    off: Seconds


def collection(folder: Path, *arguments: str) -> Seconds:
    """Return the time of a collection of the tests."""
    start, used = time.perf_counter(), processor()
    ended = subprocess.run(
        [sys.executable, *COMMAND, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    taken = Seconds(time.perf_counter() - start, processor() - used)
    if ended.returncode or f"{FILES * TESTS} tests collected" not in ended.stdout:
        raise RuntimeError(ended.stdout + ended.stderr)
    return taken


def processor() -> float:
    """Return the processor seconds of all child processes so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def pairs(folder: Path, rounds: int) -> list[Pair]:
    """Return the times of collections, one pair for each round."""
    tests = "".join(f"def test_{number}():\n    pass\n\n\n" for number in range(TESTS))
    for number in range(FILES):
        (folder / f"test_file_{number}.py").write_text(tests)
    # Warm up: compiles the files, and reads everything from the disk once.
    for arguments in ((), OFF):
        collection(folder, *arguments)
    found = []
    for number in range(rounds):
        # Alternately, since the second of a pair may profit from the first.
        if number % 2:
            on, off = collection(folder), collection(folder, *OFF)
        else:
            off, on = collection(folder, *OFF), collection(folder)
        found.append(Pair(on, off))
    return found


def shown(found: list[Pair], kind: str) -> tuple[str, float]:
    """Return a line of medians and their difference, and the median difference."""
    on = [getattr(pair.on, kind) for pair in found]
    off = [getattr(pair.off, kind) for pair in found]
    low, middle, high = statistics.quantiles(
        [one - other for one, other in zip(on, off, strict=True)], n=4
    )
    medians = [1000 * statistics.median(times) for times in (on, off)]
    line = (
        f"{medians[0]:.0f} ms with the plugin, {medians[1]:.0f} ms without; difference "
        f"{1000 * middle:.0f} ms, quartiles {1000 * low:.0f} to {1000 * high:.0f}"
    )
    return line, middle


def main() -> int:
    """Print medians and their difference; return 1 if it is over the limit."""
    with tempfile.TemporaryDirectory() as name:
        found = pairs(Path(name), ROUNDS)
    passed, difference = shown(found, "passed")
    of_processor, _ = shown(found, "of_processor")
    print(f"pytest --collect-only, {FILES * TESTS} tests, n = {len(found)} pairs")
    print(f"time passed:  {passed} (limit {1000 * LIMIT:.0f})")
    print(f"of processor: {of_processor}")
    return int(difference > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
