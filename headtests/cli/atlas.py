"""`headtests atlas`: what every head of a model attends to, or two atlases compared.

Parses arguments, prints and writes files; `headtests.sessions.atlas` measures, and
`headtests.report.atlas` has the words and the pages.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtests.cli.parsing import add_document_options, command, complain, quiet, say, settings_of
from headtests.errors import SettingError
from headtests.options import whole_number
from headtests.settings import ModelSpec

if TYPE_CHECKING:
    from headtests.corpora import CorpusSpec
    from headtests.sessions.atlas import Bill

DESCRIPTION = """\
What does every head of a model do? Every head by every relation of the library, in one pass.

Relations and thresholds are chosen on half of the texts, and each claim is decided on the other
half. Prints the heads by role and writes atlas.html, atlas.json and a file of tests that holds the
confirmed claims. Two records are compared instead: headtests atlas a.json b.json.
"""
EXAMPLES = """\
  headtests atlas demo
  headtests atlas openai-community/gpt2 --corpus my-texts.jsonl --corpus repeated-random
  headtests atlas model.gguf --documents 400 --out atlases/model
  headtests atlas before/atlas.json after/atlas.json
"""
CORPORA = ("demo", "repeated-random")
"""What is read where no corpus is named."""
_SETTINGS = ("max_length", "device", "dtype", "seed", "batch_size", "cache", "no_cache")


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the program."""
    parser = command(
        commands,
        "atlas",
        brief="map what every head attends to, or compare two maps",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.set_defaults(run=_atlas)
    parser.add_argument(
        "model",
        nargs="*",
        metavar="MODEL",
        help="a Hugging Face name, a folder or a GGUF file (demo); or two atlas.json to compare",
    )
    parser.add_argument(
        "--corpus",
        action="append",
        metavar="TEXTS",
        help="a dataset's name, a folder, a file, demo or repeated-random; may be given several "
        "times (demo and repeated-random)",
    )
    parser.add_argument(
        "--documents",
        default="200",
        metavar="N",
        help="read this many documents of each corpus, of both halves together (200)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("reports"), help="the folder to write into (reports)"
    )
    parser.add_argument("--all", action="store_true", help="print every head")
    parser.add_argument("--revision", help="a branch, tag or commit of the hub's repository")
    add_document_options(parser)
    parser.add_argument("--device", help="auto, cpu, cuda, mps ... (auto)")
    parser.add_argument("--dtype", help="float32, float16 or bfloat16 (float32)")
    parser.add_argument("--seed", metavar="N", help="seed of the halves and of samples (0)")
    parser.add_argument("--batch-size", metavar="N", help="documents per forward pass (32)")


def _atlas(arguments: argparse.Namespace) -> int:
    names: list[str] = arguments.model
    if len(names) == 2 and all(name.endswith(".json") for name in names):
        return _compare(Path(names[0]), Path(names[1]), arguments.out)
    if len(names) > 1:
        raise SettingError(
            f"expected one model, or two records to compare, but found {len(names)} names: "
            f"{', '.join(names)}. Records end in .json."
        )
    return _measure(names[0] if names else "demo", arguments)


def _measure(model: str, arguments: argparse.Namespace) -> int:
    if model.endswith(".json"):
        raise SettingError(
            f"{model} is one record, and two are compared. Name another one, or a model."
        )
    documents = whole_number("--documents", arguments.documents, 2)
    settings = settings_of(arguments, *(name for name in _SETTINGS if hasattr(arguments, name)))
    _require_folder(arguments.out)
    quiet()
    from headtests.sessions.atlas import both_periods, longest_document, measure_atlas
    from headtests.sessions.session import Session

    names = arguments.corpus or CORPORA
    _require_a_use(names, arguments)
    corpora = [_corpus(name, arguments) for name in names]
    bar = _Bar()
    spec = ModelSpec(model, arguments.revision, missing="fail")
    sessions: list[Session] = []
    try:
        opened = Session(spec, settings=settings)
        for corpus in both_periods(corpora, longest_document(opened)):
            sessions.append(Session(opened.model, corpus, settings=settings, progress=bar))
        atlas = measure_atlas(sessions, documents=documents, announce=_print_bill)
        say(atlas.table(everything=arguments.all))
        try:
            written = atlas.save(arguments.out)
        except OSError as error:
            where = error.filename or arguments.out
            raise SettingError(
                f"cannot write {where}: {error.strerror}. Name another --out."
            ) from error
        say("")
        for path in written:
            say(str(path))
    finally:
        for session in sessions:
            session.close()
    return 0 if atlas.record["complete"] else 130


def _require_a_use(names: Sequence[str], arguments: argparse.Namespace) -> None:
    """Raise `SettingError` for an option of corpora that concerns none of those named."""
    from headtests.corpora import DEMO, REPEATED_RANDOM

    without = {"first": {REPEATED_RANDOM}}
    for option in ("config", "split", "field", "first"):
        concerned = set(names) - without.get(option, {DEMO, REPEATED_RANDOM})
        if getattr(arguments, option) is not None and not concerned:
            raise SettingError(
                f"--{option} is for a --corpus of your own, and {' and '.join(names)} take none. "
                f"Name a corpus, or leave --{option} out."
            )


def _corpus(name: str, arguments: argparse.Namespace) -> "str | CorpusSpec":
    """Return a corpus with the options that concern it: those of datasets, and `--first`."""
    from headtests.corpora import DEMO, REPEATED_RANDOM, CorpusSpec

    options: dict[str, Any] = {}
    if name not in (DEMO, REPEATED_RANDOM):
        options = {
            option: getattr(arguments, option)
            for option in ("config", "split", "field")
            if getattr(arguments, option) is not None
        }
    if arguments.first is not None and name != REPEATED_RANDOM:
        options["first"] = whole_number("--first", arguments.first, 1)
    return CorpusSpec(name, **options) if name != REPEATED_RANDOM else name


def _require_folder(folder: Path) -> None:
    """Raise `SettingError` at once for a place that nothing can be written to later."""
    place = folder
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if not place.exists():
        raise SettingError(f"--out is {folder}, but {place} is a link to nothing. Name a folder.")
    if not place.is_dir():
        what = "which is a file" if place == folder else f"but {place} is a file"
        raise SettingError(f"--out is {folder}, {what}. Name a folder.")
    if not os.access(place, os.W_OK | os.X_OK):
        raise SettingError(f"--out is {folder}, but {place} cannot be written to. Name another.")


def _compare(before: Path, after: Path, out: Path) -> int:
    from headtests.records.atlas_files import read_atlas
    from headtests.report.atlas import comparison_text, write_comparison

    _require_folder(out)
    earlier, later = read_atlas(before), read_atlas(after)
    say(comparison_text(earlier, later))
    page = out / "atlas-comparison.html"
    try:
        write_comparison(earlier, later, page)
    except OSError as error:
        raise SettingError(
            f"cannot write {error.filename or page}: {error.strerror}. Name another --out."
        ) from error
    say("")
    say(str(page))
    return 0


def _print_bill(bill: "Bill") -> None:
    complain(str(bill))


class _Bar:
    """A progress bar on a terminal; on anything else, how long it will take, after a batch."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._began = 0.0
        self._total = 0
        self._done = 0

    def start(self, documents: int) -> None:
        """Begin a pass over so many documents."""
        self._total, self._done, self._began = documents, 0, time.monotonic()
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=documents, unit=" documents", leave=False, file=sys.stderr)

    def advance(self, documents: int, tokens: int) -> None:
        """Add documents that have just run."""
        first = not self._done
        self._done += documents
        if self._bar is not None:
            self._bar.update(documents)
        elif first and self._done < self._total:
            seconds = (time.monotonic() - self._began) / self._done * (self._total - self._done)
            complain(f"about {max(1, round(seconds)):,} s to go, by the first batch")

    def finish(self) -> None:
        """End the pass."""
        if self._bar is not None:
            with suppress(OSError):
                self._bar.close()
            self._bar = None
