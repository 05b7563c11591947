"""The command-line program `headtests`: what is not a test run.

Arguments in, text out; what is printed is measured elsewhere. A mistake ends in one line and exit
code 2. Nothing heavy is imported before it is needed, so that `--help` is quick.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from headtests.errors import HeadtestsError, SettingError
from headtests.settings import OPTIONS, ModelSpec, Settings, whole_number

if TYPE_CHECKING:
    from headtests.explanations.client import Client
    from headtests.sessions import Session

PROG = "headtests"
MISTAKE = 2
"""The exit code of what cannot be done as it was asked."""
INTERRUPTED = 130
"""The exit code of what somebody stopped, as shells have it."""
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
    except KeyboardInterrupt:
        print(f"{PROG}: interrupted", file=sys.stderr)
        return INTERRUPTED
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
        "--documents",
        default="200",
        metavar="N",
        help="documents looked at, at most, in steps of 64, 128, 256 ... (200)",
    )
    asked = parser.add_argument_group("a language model to ask, too")
    asked.add_argument("--explain-model", metavar="NAME", help="the model's name")
    asked.add_argument(
        "--explain-url",
        metavar="URL",
        help="an OpenAI-compatible server (OPENAI_BASE_URL, or OpenAI's own)",
    )
    asked.add_argument("--explain-calls", metavar="N", help="questions, of all heads (200)")
    asked.add_argument("--explain-tokens", metavar="N", help="tokens, of all heads (500000)")
    asked.add_argument("--explain-timeout", metavar="SECONDS", help="of one attempt (60)")
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
    if given.explain_model is None and given.explain_url is not None:
        raise SettingError(
            "--explain-url names a server and nothing names a model to ask there. Add "
            "--explain-model NAME."
        )
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
        client = None if given.explain_model is None else _client(session, settings)
        for place, name in enumerate(dict.fromkeys(names)):
            options_of = session.options()
            found = session.describe(name, options_of, documents=documents, client=client)
            if given.json:
                print(found.to_json(indent=None), flush=True)
            else:
                print(("\n" if place else "") + str(found), flush=True)
    finally:
        session.close()
    return 0


def _client(session: "Session", settings: Settings) -> "Client":
    """Return the one client that is asked of all heads, within one budget."""
    from headtests.explanations.describing import client_of
    from headtests.explanations.servers import Server

    server = Server(settings.explain_model, settings.explain_url, timeout=settings.explain_timeout)
    return client_of(server, settings, session.store)


def _settings(given: argparse.Namespace) -> Settings:
    read = {option.name: option.read for option in OPTIONS}
    values = {
        name: read[name](f"--{name.replace('_', '-')}", getattr(given, name))
        for name in (
            "max_length",
            "device",
            "dtype",
            "explain_model",
            "explain_url",
            "explain_calls",
            "explain_tokens",
            "explain_timeout",
        )
        if getattr(given, name) is not None
    }
    return Settings(**values)


def _quiet() -> None:
    """Have the libraries that load models draw no bars: what is printed here is for reading."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")


if __name__ == "__main__":
    sys.exit(main())
