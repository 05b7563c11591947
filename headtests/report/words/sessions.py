"""A session as a list of facts: the model, the corpus and the run.

Records in, words out. Every field of the record's session is here.
"""

from dataclasses import dataclass

from headtests.records import CorpusRecord, FilesLeftOutRecord, ModelRecord, SessionRecord
from headtests.report.words.text import NAME_LIMIT, brief, plain
from headtests.wording import count, number

_FILES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Fact:
    """A named fact."""

    name: str
    value: str
    code: bool = False
    """Whether the value is a name or a hash rather than words."""


@dataclass(frozen=True, slots=True)
class SessionText:
    """One model over one corpus."""

    anchor: str
    name: str
    model: str
    revision: str
    """Empty where none was recorded."""
    size: str
    device: str
    population: str
    extent: str
    """How much of the population ran."""
    seed: str
    groups: list[tuple[str, list[Fact]]]
    notes: list[str]


def session_view(session: SessionRecord, anchor: str) -> SessionText:
    """Return what a page shows of a session."""
    model, corpus = session["model"], session["corpus"]
    name = brief(model["name"])
    return SessionText(
        anchor=anchor,
        name=f"{name} on {brief(corpus['name'])}",
        model=name,
        revision=model["revision"] or "",
        size=_layers_by_heads(model),
        device=plain(f"{model['dtype']} on {model['device']}", NAME_LIMIT),
        population=corpus["description"].replace(corpus["name"], brief(corpus["name"])),
        extent=_extent(session),
        seed=str(session["seed"]),
        groups=[
            ("Model", _model_facts(model)),
            ("Corpus", corpus_facts(corpus)),
            ("Run", _run_facts(session)),
        ],
        notes=corpus["notes"],
    )


def _extent(session: SessionRecord) -> str:
    run, documents = session["documents_run"], session["corpus"]["documents"]
    if not run and session["results_kept"]:
        return f"none of {count(documents, 'document')} run: all from results of earlier runs"
    return f"{run:,} of {count(documents, 'document')} run"


def _layers_by_heads(model: ModelRecord) -> str:
    return f"{count(model['layers'], 'layer')} \u00d7 {count(model['heads'], 'head')}"


def _model_facts(model: ModelRecord) -> list[Fact]:
    direction = "bidirectional" if model["bidirectional"] else "causal"
    return [
        Fact("Model", model["name"], code=True),
        Fact("Revision", model["revision"] or "none recorded", code=bool(model["revision"])),
        Fact("Architecture", f"{model['architecture']}, {direction}"),
        Fact("Size", _layers_by_heads(model)),
        Fact("Data type", model["dtype"]),
        Fact("Device", model["device"]),
        Fact("Weights, SHA-256", model["weights_sha256"], code=True),
        Fact("Tokenizer", model["tokenizer"], code=True),
        Fact("Tokenizer, SHA-256", model["tokenizer_sha256"], code=True),
        Fact("Rows read from", model["capture"], code=True),
    ]


def corpus_facts(corpus: CorpusRecord) -> list[Fact]:
    """Return every fact of a corpus but its notes."""
    return [
        Fact("Corpus", corpus["name"], code=True),
        Fact("Population", corpus["description"]),
        Fact(
            "Extent",
            f"{count(corpus['documents'], 'document')} of {count(corpus['texts'], 'text')}, "
            f"{count(corpus['tokens'], 'token')}, at most {corpus['max_length']:,} a document",
        ),
        *_reading_facts(corpus),
        Fact("BOS", f"{corpus['bos']}: {corpus['bos_effect']}"),
        Fact("Token ids, SHA-256", corpus["sha256"], code=True),
    ]


def _reading_facts(corpus: CorpusRecord) -> list[Fact]:
    """Return what the documents were read from, and how some of them begin."""
    facts = []
    if corpus["files"]:
        facts.append(Fact("Files read", _files(corpus["files"], corpus["file_names"])))
    if corpus["files"] and not corpus["files_left_out"]:
        facts.append(Fact("Files left out", "none"))
    if corpus["files_after"]:
        facts.append(Fact("Files after the last document", f"{corpus['files_after']:,}"))
    facts += [
        Fact("Files left out", f"{_files(left['files'], left['names'])} ({_reason(left)})")
        for left in corpus["files_left_out"]
    ]
    if corpus["rows"]:
        facts.append(Fact("Rows read", f"{corpus['rows']:,}"))
    facts += [
        Fact(
            f"Document {sample['document']:,} begins",
            plain(sample["beginning"]).replace("\n", "\u21b5"),
            code=True,
        )
        for sample in corpus["samples"]
    ]
    return facts


def _files(number_of: int, names: list[str]) -> str:
    shown = [plain(name, NAME_LIMIT) for name in names[:_FILES_SHOWN]]
    more = [f"{number_of - len(shown):,} more"] if number_of > len(shown) else []
    return f"{number_of:,}: {', '.join([*shown, *more])}"


def _reason(left: FilesLeftOutRecord) -> str:
    reason = plain(left["reason"].strip(", "), NAME_LIMIT * 2)
    return reason[:1].lower() + reason[1:]


def _run_facts(session: SessionRecord) -> list[Fact]:
    return [
        Fact("Budget", count(session["budget"], "document")),
        Fact("Documents run", f"{session['documents_run']:,}"),
        Fact("Tokens run", f"{session['tokens_run']:,}"),
        Fact("Tokens run twice", f"{session['tokens_run_twice']:,}"),
        Fact("Results kept from earlier runs", f"{session['results_kept']:,}"),
        Fact("Seed", str(session["seed"])),
        Fact("Alpha", f"{number(session['alpha'])}, the rate of false decisions of each claim"),
    ]
