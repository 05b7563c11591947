"""`headtests trace`: run claims on the checkpoints of a training run, and draw their estimates.

Parses arguments and prints a line for each checkpoint. `headtests.cli.checkpoint_runs` runs the
checkpoints, and `headtests.report.trace` draws the page.
"""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtests.cli.parsing import command, complain, say
from headtests.errors import SettingError

if TYPE_CHECKING:
    from headtests.report.trace import Checkpoint

DESCRIPTION = """\
Run claims on one checkpoint of a model after another, and draw each claim's estimate with its
interval over the checkpoints.

Each checkpoint is a run of pytest, with its own record and report in a folder beside the page. The
estimates are those of the first 256 eligible documents, whichever decided the claims. No
explanations are made, and baselines are not compared. Figures stay in the cache, so a checkpoint
that ran before is fast. The exit code is 0 if every checkpoint ran, whatever its verdicts, 1 if a
checkpoint could not run, and 2 for a usage error.
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
        brief="run claims on a model's checkpoints, and draw the estimates",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument(
        "hypotheses", nargs="+", metavar="HYPOTHESES", help="files or folders of tests, for pytest"
    )
    models = parser.add_argument_group(
        "the checkpoints, in order",
        "Names that differ in numbers alone, such as step-9 and step-10, run in numeric order.",
    )
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
        "--pytest", default="", metavar="OPTIONS", help='more options for pytest: --pytest="-x"'
    )
    parser.set_defaults(run=_trace)


def _trace(arguments: argparse.Namespace) -> int:
    from headtests.cli.checkpoint_runs import in_order, models_of, names_of, run_checkpoints
    from headtests.report.trace import warnings, write_trace
    from headtests.report.words.text import plain

    out: Path = arguments.out
    folder = out.with_suffix("")
    if folder == out:
        raise SettingError(f"--out is {out}, but it must be a file such as {out}.html.")
    for name in arguments.hypotheses:
        if not Path(name.partition("::")[0]).exists():
            raise SettingError(f"there is no file or folder {name} with hypotheses.")
    try:
        options = shlex.split(arguments.pytest)
    except ValueError as error:
        raise SettingError(
            f"--pytest is {arguments.pytest!r}, which does not end: {error}."
        ) from error
    revisions = [name.strip() for name in arguments.revisions.split(",") if name.strip()]
    named = models_of(arguments.models, arguments.model, revisions)
    specs = in_order(named)
    if specs != named:
        complain(
            "warning: the checkpoints were not named in the order of their numbers, in "
            f"which they run: {', '.join(map(plain, names_of(specs)))}"
        )
    try:
        checkpoints = run_checkpoints(
            arguments.hypotheses, specs, folder, options=options, on_result=_print_result
        )
        write_trace(checkpoints, out)
    except OSError as error:
        where = error.filename or out
        raise SettingError(
            f"cannot write {where}: {error.strerror}. Name another --out."
        ) from error
    for warning in warnings(checkpoints):
        complain(f"warning: {warning}")
    say(str(out))
    return int(any(checkpoint.record is None for checkpoint in checkpoints))


def _print_result(checkpoint: "Checkpoint") -> None:
    """Print the result of a checkpoint that has run."""
    from headtests.report.trace import verdict_counts
    from headtests.report.words.text import plain

    if checkpoint.record is None:
        complain(plain(f"{checkpoint.name} could not run: {checkpoint.trouble}"))
    else:
        say(f"{plain(checkpoint.name)}: {', '.join(verdict_counts(checkpoint.record))}")
