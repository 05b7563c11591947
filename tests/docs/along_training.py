"""The example of docs/trace.md: train the bundled model again, and trace its claims.

`python -m tests.docs.along_training FOLDER` prints the table of the page, and fails if induction
does not appear. It takes minutes, most of them training. Checkpoints that are in the folder already
are not trained again.
"""

import os
import subprocess
import sys
from pathlib import Path

from headtests.records import read_record
from headtests.report.words.claims import SYMBOLS
from tests.docs.pages import DOCS, blocks

DOC = DOCS / "trace.md"
STEPS = 1200
CLAIMS = "along_training.py"


def source():
    """Return the file of claims that the page shows."""
    (block,) = blocks(DOC, "python")
    assert block.title == CLAIMS
    return block.text


def run(folder):
    """Train and trace into a folder; return the records in the order of the checkpoints."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CLAIMS).write_text(source())
    kept = folder / "checkpoints"
    # One thread, so that sums come out in one order.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if not (kept / f"step-{STEPS:06}").exists():
        train = ["headtests.demo.train", "--steps", str(STEPS), "--checkpoints", "checkpoints"]
        subprocess.run([sys.executable, "-m", *train], cwd=folder, check=True, env=environment)
    models = [f"checkpoints/{one.name}" for one in sorted(kept.iterdir())]
    trace = ["headtests", "trace", CLAIMS, "--models", *models]
    subprocess.run([sys.executable, "-m", *trace], cwd=folder, check=True, env=environment)
    records = [Path("reports/trace", Path(one).name, "headtests.json") for one in models]
    return [read_record(folder / one) for one in records]


def table(records):
    """Return the estimates as Markdown: a line a checkpoint, a column a head."""
    heads = [claim["left"]["expression"].partition(".")[0] for claim in records[-1]["claims"]]
    lines = [("step", *heads), ("---",) * (len(heads) + 1)]
    for record in records:
        step = int(record["sessions"][0]["model"]["name"].rpartition("-")[2])
        claims = record["claims"]
        cells = [f"{c['fixed']['left']['value']:.2f} {SYMBOLS[c['verdict']]}" for c in claims]
        lines.append((f"{step:,}", *cells))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def verdicts(record):
    """Return the verdicts of the claims of induction."""
    return {claim["verdict"] for claim in record["claims"] if "test_induction" in claim["test"]}


if __name__ == "__main__":
    found = run(Path(sys.argv[1]))
    print(table(found))
    if verdicts(found[0]) != {"refuted"} or verdicts(found[-1]) != {"holds"}:
        sys.exit("induction did not appear")
