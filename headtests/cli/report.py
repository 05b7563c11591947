"""`headtests report`: draw a run's report from its record, or compare two runs.

The same as `python -m headtests.report`.
"""

import argparse
from typing import Any

from headtests.cli.parsing import command

DESCRIPTION = """\
Draw the report of a run again, from the record that it wrote, without its model; or, given two
records, print how the later run differs from the earlier: what was run, verdicts, estimates.
"""
EXAMPLES = """\
  headtests report reports/headtests.json
  headtests report before.json reports/headtests.json
  headtests report before.json reports/headtests.json --markdown >> "$GITHUB_STEP_SUMMARY"
"""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the program."""
    from headtests.report.__main__ import add_arguments

    parser = command(
        commands,
        "report",
        brief="draw a run's report again, or compare two runs",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    add_arguments(parser)
    parser.set_defaults(run=_report, parser=parser)


def _report(options: argparse.Namespace) -> int:
    from headtests.report.__main__ import draw_or_compare

    draw_or_compare(options, options.parser)
    return 0
