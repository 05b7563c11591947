"""`headtests corpus`: print what a corpus is read as, without running a model.

Parses arguments and prints; `headtests.corpora` reads, and `headtests.report.words.sessions` has
the words.
"""

import argparse
import json
from typing import Any

from headtests.cli.parsing import add_document_options, command, quiet, say, settings_of
from headtests.options import whole_number
from headtests.settings import ModelSpec

DESCRIPTION = """\
Print what a corpus is read as: its files and those left out, rows, texts, documents and tokens, and
how the first, the middle and the last document begin. The report of a run shows the same. Only the
model's configuration and tokenizer are opened, and nothing is run.
"""
EXAMPLES = """\
  headtests corpus my-texts.jsonl
  headtests corpus my-corpus/ --field body --first 1000 --model openai-community/gpt2
"""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the program."""
    parser = command(
        commands,
        "corpus",
        brief="print what a corpus is read as, without running a model",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.set_defaults(run=_corpus)
    parser.add_argument("corpus", metavar="CORPUS", help="a file, a folder or a dataset's name")
    add_document_options(parser)
    parser.add_argument("--bos", help="special tokens: model, always or never (model)")
    parser.add_argument(
        "--model", default="demo", help="a Hugging Face name, a folder or a GGUF file (demo)"
    )
    parser.add_argument("--revision", help="a branch, tag or commit of the hub's repository")
    parser.add_argument("--json", action="store_true", help="print it as JSON, as in a record")


def _corpus(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments, "max_length", "bos")
    options = {
        name: getattr(arguments, name)
        for name in ("config", "split", "field")
        if getattr(arguments, name) is not None
    }
    if arguments.first is not None:
        options["first"] = whole_number("--first", arguments.first, 1)
    quiet()
    from headtests.corpora import CorpusSpec
    from headtests.models.config import model_shape
    from headtests.models.loading import load_tokenizer
    from headtests.report.words.sessions import corpus_facts
    from headtests.report.words.text import plain
    from headtests.sessions.recording.corpus_records import corpus_record
    from headtests.sessions.session import population_of

    spec = ModelSpec(arguments.model, arguments.revision, missing="fail")
    corpus = CorpusSpec(arguments.corpus, **options)
    context = model_shape(spec).context
    with population_of(corpus, load_tokenizer(spec, settings), context, settings) as population:
        record = corpus_record(population)
    if arguments.json:
        say(json.dumps(record))
        return 0
    for fact in corpus_facts(record):
        say(plain(f"{fact.name}: {fact.value}"))
    for note in record["notes"]:
        say(plain(f"Note: {note}"))
    return 0
