"""The command-line program `headtests`: every command that is not a test run, one module each.

A usage error prints one line and exits with code 2. Heavy modules are imported when they are
needed, so that `--help` is fast.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence

from headtests.cli import atlas, corpus, describe, record, report, trace
from headtests.cli.parsing import MISTAKE, PROG, Parser, complain
from headtests.errors import HeadtestsError

INTERRUPTED = 130
"""The exit code after an interrupt, as in shells."""
DESCRIPTION = """\
Test what attention heads do. Claims are written in test files, and pytest runs them:

  pytest hypotheses          run the claims, write reports/headtests.html
  pytest --help              its options begin with --headtests-

The commands of this program do everything that is not a test run.
"""
EXAMPLES = """\
Each command has its own help: headtests trace --help
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not hasattr(options, "run"):
        parser.print_help()
        return 0
    # Tokens may contain characters that the terminal cannot encode.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return int(options.run(options))
    except HeadtestsError as error:
        complain(str(error))
        return MISTAKE
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader closed the pipe; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> Parser:
    parser = Parser(
        prog=PROG,
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for module in (atlas, describe, corpus, trace, report, record):
        module.add(commands)
    return parser


def _version() -> str:
    from importlib.metadata import version

    return f"{PROG} {version('headtests')}"
