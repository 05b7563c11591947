"""How the program reads its arguments: what all commands share.

No command lives here.
"""

import argparse
from typing import Any, NoReturn

PROG = "headtests"
MISTAKE = 2
"""The exit code of what cannot be done as it was asked."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """End the program with one line that says what was wrong, and where to look."""
        said = " ".join(message.split())
        self.exit(MISTAKE, f"{self.prog}: {said} (see {self.prog} --help)\n")


def command(
    commands: "argparse._SubParsersAction[Any]",
    name: str,
    *,
    brief: str,
    description: str,
    examples: str,
) -> argparse.ArgumentParser:
    """Return the parser of a new command, with its examples as they are written."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=brief,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser
