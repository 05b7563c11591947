"""The command-line program `headtests`: what is not a test run.

Arguments in, text out; what is printed is measured elsewhere. A mistake ends in one line and exit
code 2. Nothing heavy is imported before it is needed, so that `--help` is quick.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from headtests.errors import HeadtestsError
from headtests.settings import OPTIONS, ModelSpec, Settings, whole_number

PROG = "headtests"
MISTAKE = 2
"""The exit code of what cannot be done as it was asked."""
DESCRIBE = """\
Say what attention heads attend to: found on half of the texts, measured on the other half.

The built-in explainer tries a library of relations (the previous token, induction, line starts,
capitals, ...) and needs no network. With --explain-model, a language model is asked, too: what it
says is parsed, measured as claims and scored against controls. Its key is read from the
environment (OPENAI_API_KEY) and shown nowhere.
"""
EXAMPLES = """\
examples:
  headtests describe L1H2
  headtests describe L5H1 L5H5 --model openai-community/gpt2 --corpus my-texts.jsonl
  headtests describe "L1H*" --explain-model llama3 --explain-url http://localhost:11434/v1
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISTAKE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if not hasattr(given, "run"):
        parser.print_help()
        return 0
    # Tokens may hold what the terminal has no characters for.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return int(given.run(given))
    except HeadtestsError as error:
        print(f"{PROG}: {' '.join(str(error).split())}", file=sys.stderr)
        return MISTAKE
    except BrokenPipeError:
        # Whoever read has seen enough; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=PROG, description="Test what attention heads do. Claims run with pytest.")
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_describe(commands)
    return parser


def _version() -> str:
    from importlib.metadata import version

    return f"{PROG} {version('headtests')}"


def _add_describe(commands: "argparse._SubParsersAction[Any]") -> None:
    parser = commands.add_parser(
        "describe",
        help="say what heads attend to, measured",
        description=DESCRIBE,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_describe)
    parser.add_argument("heads", nargs="+", metavar="HEAD", help='such as L5H1, "L5H*" or "L*H*"')
    model = parser.add_argument_group("the model and the documents")
    model.add_argument("--model", default="demo", help="a Hugging Face name or a folder (demo)")
    model.add_argument("--revision", help="a branch, tag or commit of the hub's repository")
    model.add_argument(
        "--corpus", default="demo", help="a dataset's name, a folder, a file, or demo (demo)"
    )
    model.add_argument("--config", help="a configuration of the dataset")
    model.add_argument("--split", help="a split of the dataset")
    model.add_argument("--field", help="the column that holds the text (text)")
    model.add_argument("--first", metavar="N", help="documents of the corpus (10000)")
    model.add_argument("--max-length", metavar="N", help="tokens of a document at most (256)")
    model.add_argument("--device", help="auto, cpu, cuda, mps ... (auto)")
    model.add_argument("--dtype", help="float32, float16 or bfloat16 (float32)")
    model.add_argument(
        "--documents", default="200", metavar="N", help="documents that are looked at (200)"
    )
    asked = parser.add_argument_group("a language model to ask, too")
    asked.add_argument("--explain-model", metavar="NAME", help="the model's name")
    asked.add_argument(
        "--explain-url",
        metavar="URL",
        help="an OpenAI-compatible server (OPENAI_BASE_URL, or OpenAI's own)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print everything as JSON, a head a line"
    )


def _describe(given: argparse.Namespace) -> int:
    documents = whole_number("--documents", given.documents, 2)
    settings = _settings(given)
    options = {
        name: getattr(given, name)
        for name in ("config", "split", "field")
        if getattr(given, name) is not None
    }
    if given.first is not None:
        options["first"] = whole_number("--first", given.first, 1)
    _quiet()
    from headtests.head_names import parse_head
    from headtests.sessions import Session

    spec = ModelSpec(given.model, given.revision, missing="fail")
    session = Session(spec, given.corpus, settings=settings, **options)
    try:
        shape = session.model.shape
        names = [
            name
            for text in given.heads
            for name in parse_head(text).within(shape.layers, shape.heads)
        ]
        session.announce(names)
        for place, name in enumerate(dict.fromkeys(names)):
            found = session.head(str(name)).describe(
                model=given.explain_model, base_url=given.explain_url, documents=documents
            )
            if given.json:
                print(found.to_json(indent=None))
            else:
                print(("\n" if place else "") + str(found))
    finally:
        session.close()
    return 0


def _settings(given: argparse.Namespace) -> Settings:
    read = {option.name: option.read for option in OPTIONS}
    values = {
        name: read[name](f"--{name.replace('_', '-')}", getattr(given, name))
        for name in ("max_length", "device", "dtype", "explain_url")
        if getattr(given, name) is not None
    }
    return Settings(**values)


def _quiet() -> None:
    """Have the libraries that load models draw no bars: what is printed here is for reading."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")


if __name__ == "__main__":
    sys.exit(main())
