"""Argument parsing that all commands share. Contains no command."""

import argparse
import os
import sys
from typing import Any, NoReturn

from headtests.io.escaping import legible
from headtests.options import OPTIONS
from headtests.settings import Settings

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


def add_document_options(parser: "argparse._ActionsContainer") -> None:
    """Add the options that say which documents of a corpus are read."""
    parser.add_argument("--config", help="a configuration of the dataset")
    parser.add_argument("--split", help="a split of the dataset")
    parser.add_argument("--field", help="the column that holds the text (text)")
    parser.add_argument(
        "--first", metavar="N", help="use the first N documents of the corpus (10000)"
    )
    parser.add_argument(
        "--max-length", metavar="N", help="maximum number of tokens of a document (256)"
    )


def settings_of(arguments: argparse.Namespace, *names: str) -> Settings:
    """Return the settings that options of these names give; raises `SettingError` for a bad one."""
    read = {option.name: option.read for option in OPTIONS}
    return Settings(
        **{
            name: read[name](f"--{name.replace('_', '-')}", getattr(arguments, name))
            for name in names
            if getattr(arguments, name) is not None
        }
    )


def quiet() -> None:
    """Stop the libraries that load models from printing progress bars and warnings."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
