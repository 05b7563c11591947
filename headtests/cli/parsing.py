"""Argument parsing that all commands share. Contains no command."""

import argparse
import sys
from typing import Any, NoReturn

from headtests.escaping import legible

PROG = "headtests"
MISTAKE = 2
"""The exit code of a usage error."""


class Parser(argparse.ArgumentParser):
    """An argument parser that prints errors in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the error in one line that names the help, and exit."""
        line = " ".join(legible(message).split())
        self.exit(MISTAKE, f"{self.prog}: {line} (see {self.prog} --help)\n")


def say(text: str) -> None:
    """Print a text that may come from anywhere on standard output."""
    print(legible(text), flush=True)


def complain(text: str) -> None:
    """Print a text that may come from anywhere on standard error, in one line after the name."""
    print(f"{PROG}: {' '.join(legible(text).split())}", file=sys.stderr, flush=True)


def command(
    commands: "argparse._SubParsersAction[Any]",
    name: str,
    *,
    brief: str,
    description: str,
    examples: str,
) -> argparse.ArgumentParser:
    """Add a command and return its parser; the examples keep their line breaks."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=brief,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser
