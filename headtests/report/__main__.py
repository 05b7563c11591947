"""`python -m headtests.report RECORD.json [RECORD.json]`: draw a report or compare two runs."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from headtests.errors import RecordError
from headtests.io.escaping import legible
from headtests.records import Record, read_record
from headtests.records.validation import require_record
from headtests.report.compare.runs import compare
from headtests.report.compare.text import as_markdown, as_text
from headtests.report.page.html import write_html
from headtests.report.words.text import plain

_PROGRAM = "python -m headtests.report"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End with one line, without the usage that argparse would print."""
        _fail(f"{message}. Try {_PROGRAM} --help.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the report of one record and print its path, or print how two records differ.

    Ends with `SystemExit` of code 2 and one line on stderr for arguments or a record that cannot
    be used, and for a file that cannot be written.
    """
    parser = _Parser(
        prog=_PROGRAM,
        description="Draw the report of a run from its record, or compare the records of two runs.",
    )
    add_arguments(parser)
    draw_or_compare(parser.parse_args(arguments), parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `draw_or_compare` to a parser."""
    parser.add_argument(
        "record",
        type=Path,
        nargs="+",
        help="the JSON file that a run wrote; two are compared, the earlier run first",
    )
    parser.add_argument(
        "--out", type=Path, help="the HTML file to write (default: beside the record)"
    )
    parser.add_argument(
        "--markdown", action="store_true", help="print the comparison of two records as Markdown"
    )


def draw_or_compare(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Draw one record or compare two; raises what `main` raises.

    `parser` reports arguments that exclude each other.
    """
    paths: list[Path] = options.record
    if len(paths) > 2:
        parser.error(
            f"{len(paths)} records were given. Name one to draw it, or two to compare them"
        )
    if len(paths) == 2 and options.out is not None:
        parser.error("--out is for one record: the comparison of two is printed")
    if len(paths) == 1 and options.markdown:
        parser.error("--markdown is for a comparison: name two records")
    records = list(map(_read, paths))
    if len(paths) == 1:
        _draw(records[0], paths[0], options.out)
    else:
        form = as_markdown if options.markdown else as_text
        _print(form(compare(*records), list(map(str, paths))))


def _read(path: Path) -> Record:
    try:
        record = read_record(path)
    except RecordError as error:
        _fail(str(error))
    try:
        return require_record(record)
    except RecordError as error:
        _fail(f"{path} is {error}")


def _draw(record: Record, path: Path, chosen: Path | None) -> None:
    out = chosen or path.with_name(path.stem + ".html")
    if out.resolve() == path.resolve():
        _fail(f"{out} is the record itself. Name another file with --out.")
    try:
        write_html(record, out)
    except OSError as error:
        _fail(f"cannot write {out}: {error.strerror}. Name another file with --out.")
    _print(f"{out}\n")


def _print(text: str) -> None:
    """Print a text from records, with what a terminal would obey or cannot encode written out."""
    encoding = sys.stdout.encoding or "utf-8"
    print(legible(text).encode(encoding, "backslashreplace").decode(encoding), end="")


def _fail(message: str) -> NoReturn:
    print(plain(message).replace("\n", " "), file=sys.stderr)
    raise SystemExit(2)


if __name__ == "__main__":
    main()
