"""`headtests describe`: describe what heads attend to.

Parses arguments and prints; `headtests.explanations.describe` measures.
"""

import argparse
from typing import TYPE_CHECKING, Any

from headtests.cli.parsing import add_document_options, command, quiet, say, settings_of
from headtests.errors import SettingError
from headtests.options import whole_number
from headtests.settings import ModelSpec, Settings

if TYPE_CHECKING:
    from headtests.explanations.llm.client import Client
    from headtests.sessions.session import Session

DESCRIBE = """\
Describe what attention heads attend to: found on half of the texts, measured on the other half.

The built-in explainer tries a library of relations (the previous token, induction, line starts,
capitals, ...) and needs no network. With --explain-model, a language model explains as well: its
answers are parsed, measured as claims and scored against controls. Its key is read from the
environment (OPENAI_API_KEY) and never printed.
"""
EXAMPLES = """\
  headtests describe L1H2
  headtests describe L5H1 L5H5 --model openai-community/gpt2 --corpus my-texts.jsonl
  headtests describe "L1H*" --explain-model llama3 --explain-url http://localhost:11434/v1
"""

_SETTINGS = (
    "max_length",
    "device",
    "dtype",
    "explain_model",
    "explain_url",
    "explain_calls",
    "explain_tokens",
    "explain_timeout",
)


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the program."""
    parser = command(
        commands,
        "describe",
        brief="describe what heads attend to, measured",
        description=DESCRIBE,
        examples=EXAMPLES,
    )
    parser.set_defaults(run=_describe)
    parser.add_argument("heads", nargs="+", metavar="HEAD", help='such as L5H1, "L5H*" or "L*H*"')
    model = parser.add_argument_group("the model and the documents")
    model.add_argument(
        "--model", default="demo", help="a Hugging Face name, a folder or a GGUF file (demo)"
    )
    model.add_argument("--revision", help="a branch, tag or commit of the hub's repository")
    model.add_argument(
        "--corpus", default="demo", help="a dataset's name, a folder, a file, or demo (demo)"
    )
    add_document_options(model)
    model.add_argument("--device", help="auto, cpu, cuda, mps ... (auto)")
    model.add_argument("--dtype", help="float32, float16 or bfloat16 (float32)")
    model.add_argument(
        "--documents",
        default="200",
        metavar="N",
        help="read at most this many documents, in steps of 64, 128, 256 ... (200)",
    )
    language_model = parser.add_argument_group("a language model as a second explainer")
    language_model.add_argument("--explain-model", metavar="NAME", help="the model's name")
    language_model.add_argument(
        "--explain-url",
        metavar="URL",
        help="an OpenAI-compatible server (OPENAI_BASE_URL, or OpenAI's own)",
    )
    language_model.add_argument(
        "--explain-calls", metavar="N", help="maximum number of requests for all heads (200)"
    )
    language_model.add_argument(
        "--explain-tokens", metavar="N", help="maximum number of tokens for all heads (500000)"
    )
    language_model.add_argument(
        "--explain-timeout", metavar="SECONDS", help="timeout of one attempt (60)"
    )
    parser.add_argument(
        "--json", action="store_true", help="print everything as JSON, one line for each head"
    )


def _describe(arguments: argparse.Namespace) -> int:
    documents = whole_number("--documents", arguments.documents, 2)
    settings = settings_of(arguments, *_SETTINGS)
    options = {
        name: getattr(arguments, name)
        for name in ("config", "split", "field")
        if getattr(arguments, name) is not None
    }
    if arguments.first is not None:
        options["first"] = whole_number("--first", arguments.first, 1)
    if arguments.explain_model is None and arguments.explain_url is not None:
        raise SettingError(
            "--explain-url names a server and nothing names a model to ask there. Add "
            "--explain-model NAME."
        )
    quiet()
    from headtests.expressions.head_names import parse_head
    from headtests.sessions.session import Session

    spec = ModelSpec(arguments.model, arguments.revision, missing="fail")
    session = Session(spec, arguments.corpus, settings=settings, **options)
    try:
        shape = session.model.shape
        names = [
            name
            for text in arguments.heads
            for name in parse_head(text).within(shape.layers, shape.heads)
        ]
        session.announce(names)
        client = None if arguments.explain_model is None else _client(session, settings)
        for place, name in enumerate(dict.fromkeys(names)):
            options_of = session.options()
            description = session.describe(name, options_of, documents=documents, client=client)
            if arguments.json:
                say(description.to_json(indent=None))
            else:
                say(("\n" if place else "") + str(description))
    finally:
        session.close()
    return 0


def _client(session: "Session", settings: Settings) -> "Client":
    """Return the client that all heads share, with one budget."""
    from headtests.explanations.describe import client_of
    from headtests.explanations.llm.server import Server

    server = Server(settings.explain_model, settings.explain_url, timeout=settings.explain_timeout)
    return client_of(server, settings, session.store)
