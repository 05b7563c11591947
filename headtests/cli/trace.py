"""`headtests trace`: run claims along a training run, and draw what becomes of them.

Arguments in, a line a checkpoint and a page out; running is `headtests.cli.checkpoint_runs`,
drawing `headtests.report.trace`.
"""

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtests.cli.parsing import PROG, command
from headtests.errors import SettingError

if TYPE_CHECKING:
    from headtests.report.trace import Checkpoint

DESCRIPTION = """\
Run claims on one checkpoint of a model after another, and draw each claim's estimate with its
interval over the checkpoints.

Each checkpoint is a run of pytest, with its own record and report in a folder beside the page; no
explanations are made, and baselines are not looked at. Figures stay in the cache, so that a
checkpoint that was run before is quick. The program ends with 0 where every checkpoint ran,
whatever its verdicts, with 1 where one could not run, and with 2 for a mistake.
"""
EXAMPLES = """\
  headtests trace hypotheses --models checkpoints/step-*
  headtests trace hypotheses/test_induction.py --models step-1000 step-2000 step-4000
  headtests trace hypotheses --model EleutherAI/pythia-70m --revisions step1,step512,step4000
  headtests trace hypotheses --models a b --pytest="-k induction --headtests-dtype bfloat16"
"""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the program."""
    parser = command(
        commands,
        "trace",
        brief="run claims along a training run, and draw what becomes of them",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument(
        "hypotheses", nargs="+", metavar="HYPOTHESES", help="files or folders of tests, for pytest"
    )
    models = parser.add_argument_group("the checkpoints, in their order")
    models.add_argument(
        "--models", nargs="+", default=[], metavar="NAME", help="folders or Hugging Face names"
    )
    models.add_argument("--model", metavar="NAME", help="one model of the hub, with --revisions")
    models.add_argument(
        "--revisions",
        default="",
        metavar="A,B,C",
        help="its branches, tags or commits, separated by commas",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("reports/trace.html"),
        help="the page to write (reports/trace.html); records go into a folder of its name",
    )
    parser.add_argument(
        "--pytest", default="", metavar="OPTIONS", help='further options of pytest: --pytest="-x"'
    )
    parser.set_defaults(run=_trace)


def _trace(given: argparse.Namespace) -> int:
    from headtests.cli.checkpoint_runs import models_of, run_checkpoints
    from headtests.report.trace import warnings, write_trace

    out: Path = given.out
    folder = out.with_suffix("")
    if folder == out:
        raise SettingError(f"--out is {out}, but it must be a file such as {out}.html.")
    for name in given.hypotheses:
        if not Path(name.partition("::")[0]).exists():
            raise SettingError(f"there is no file or folder {name} with hypotheses.")
    try:
        options = shlex.split(given.pytest)
    except ValueError as error:
        raise SettingError(f"--pytest is {given.pytest!r}, which does not end: {error}.") from error
    revisions = [name.strip() for name in given.revisions.split(",") if name.strip()]
    specs = models_of(given.models, given.model, revisions)
    try:
        found = run_checkpoints(given.hypotheses, specs, folder, options=options, told=_tell)
        write_trace(found, out)
    except OSError as error:
        where = error.filename or out
        raise SettingError(
            f"cannot write {where}: {error.strerror}. Name another --out."
        ) from error
    for warning in warnings(found):
        print(f"{PROG}: warning: {warning}", file=sys.stderr)
    print(out)
    return int(any(one.record is None for one in found))


def _tell(checkpoint: "Checkpoint") -> None:
    """Print what became of a checkpoint as soon as it is known."""
    from headtests.report.trace import tally
    from headtests.report.words.text import plain

    if checkpoint.record is None:
        said = f"{PROG}: {checkpoint.name} could not run: {checkpoint.trouble}"
        print(plain(said).replace("\n", " "), file=sys.stderr, flush=True)
    else:
        print(f"{plain(checkpoint.name)}: {', '.join(tally(checkpoint.record))}", flush=True)
