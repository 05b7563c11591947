"""`python -m headtests.report RECORD.json [--out FILE.html]`: draw a run's report again."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from headtests.errors import RecordError
from headtests.records import read_record
from headtests.report.drawing import write_html
from headtests.report.shape import require_record
from headtests.report.text import plain

_PROGRAM = "python -m headtests.report"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End with one line, without the usage that argparse puts before it."""
        _fail(f"{message}. Try {_PROGRAM} --help.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the report of a record and print its path.

    Ends with `SystemExit` of code 2 and one line on stderr for arguments or a record that cannot
    be used, and for a file that cannot be written.
    """
    parser = _Parser(prog=_PROGRAM, description="Draw the report of a run from its record.")
    parser.add_argument("record", type=Path, help="the JSON file that the run wrote")
    parser.add_argument(
        "--out", type=Path, help="the HTML file to write (default: beside the record)"
    )
    options = parser.parse_args(arguments)
    record_path: Path = options.record
    try:
        record = read_record(record_path)
    except RecordError as error:
        _fail(str(error))
    except RecursionError:
        _fail(f"{record_path} is nested too deeply to be a record of headtests.")
    out: Path = options.out or record_path.with_name(record_path.stem + ".html")
    if out.resolve() == record_path.resolve():
        _fail(f"{out} is the record itself. Name another file with --out.")
    try:
        write_html(require_record(record), out)
    except RecordError as error:
        _fail(f"{record_path} is {error}")
    except OSError as error:
        _fail(f"cannot write {out}: {error.strerror}. Name another file with --out.")
    print(out)


def _fail(message: str) -> NoReturn:
    print(plain(message).replace("\n", " "), file=sys.stderr)
    raise SystemExit(2)


if __name__ == "__main__":
    main()
