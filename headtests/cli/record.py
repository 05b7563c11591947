"""`headtests record --show`: print a run's record, or a file of baselines, as lines of text.

`headtests.report.words.claims` has the words for a claim's figures.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtests.cli.parsing import command, say

if TYPE_CHECKING:
    from headtests.records import ClaimRecord, Record, SessionRecord
    from headtests.records.baseline import Baseline, BaselineClaim

DESCRIPTION = """\
Print the record of a run: a line for each claim, the tests without a claim, the models and corpora.
Or print a file of baselines, as written by pytest --headtests-record.
"""
EXAMPLES = """\
  headtests record --show reports/headtests.json
  headtests record --show hypotheses/baselines/test_induction.json
"""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the program."""
    parser = command(
        commands,
        "record",
        brief="print a run's record, or a file of baselines",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument(
        "--show",
        required=True,
        type=Path,
        metavar="FILE",
        help="the JSON file that a run wrote, such as reports/headtests.json",
    )
    parser.set_defaults(run=_show)


def _show(options: argparse.Namespace) -> int:
    from headtests.records import read_record
    from headtests.records.baseline_files import read_baseline
    from headtests.records.validation import require_record
    from headtests.report.words.text import plain

    baseline = read_baseline(options.show) if _is_baseline(options.show) else None
    if baseline is None:
        lines = _lines(require_record(read_record(options.show)))
    else:
        lines = _lines_of_baseline(baseline)
    for line in lines:
        say(plain(line))
    return 0


def _is_baseline(path: Path) -> bool:
    """Return whether a file says that it holds baselines; reading a record checks other files."""
    from headtests.records.baseline import FORMAT
    from headtests.records.json_files import format_of

    return format_of(path) == FORMAT


def _table(*rows: tuple[str, ...]) -> Iterator[str]:
    """Yield rows of cells as lines, in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip()


def _lines_of_baseline(baseline: "Baseline") -> Iterator[str]:
    """Yield a line for each recorded claim, then the models and corpora."""
    from headtests.wording import count

    claims = baseline["claims"]
    if claims:
        yield from _table(_RECORDED, *map(_recorded, claims))
    yield count(len(claims), "recorded claim")
    for key, context in baseline["contexts"].items():
        revision = "" if context["revision"] is None else f" at {context['revision']}"
        yield f"{key}: {context['model']}{revision} over {context['corpus']}"
        yield (
            f"  {context['dtype']} on {context['device']}, weights "
            f"{context['weights_sha256'][:16]}, token ids {context['corpus_sha256'][:16]}, "
            f"seed {context['seed']}"
        )
        yield "  " + ", ".join(f"{name} {value}" for name, value in context["versions"].items())


_RECORDED = ("verdict", "value", "documents", "recorded on", "test", "claim")


def _recorded(claim: "BaselineClaim") -> tuple[str, ...]:
    documents = claim["left"]["documents"]
    return (
        claim["verdict"],
        f"{claim['value']:.4g}",
        str(documents) if documents else "of pairs",
        claim["context"],
        claim["test"],
        claim["claim"],
    )


def _lines(record: "Record") -> Iterator[str]:
    """Yield the lines of a run's record."""
    from headtests.report.words.decisions import seeds

    if record["claims"]:
        yield from _table(_HEADINGS, *map(_cells, record["claims"]))
    for test in record["unmeasured"]:
        reason = (test["message"].strip().splitlines() or [""])[0]
        yield f"no claim: {test['test']} ({test['outcome']}){': ' if reason else ''}{reason}"
    yield _tally(record)
    yield from seeds(record)
    if not record["complete"]:
        yield f"incomplete: {record['incomplete_reason'] or 'no reason was recorded'}"
    for session in record["sessions"]:
        yield from _ran(session)
    yield f"run at {record['created']}, record version {record['version']}"
    versions = (f"{name} {value}" for name, value in record["environment"].items())
    yield ", ".join(versions)


_HEADINGS = ("verdict", "test", "measured", "after the stop", "interval", "documents", "claim")


def _cells(claim: "ClaimRecord") -> tuple[str, ...]:
    from headtests.report.words.claims import (
        after_stop_in_brief,
        comparison,
        documents_in_brief,
        interval_in_brief,
    )

    figures = comparison(claim)
    return (
        claim["verdict"],
        claim["outcome"] or "none",
        f"{figures.estimate} {figures.sign} {figures.bound}",
        after_stop_in_brief(claim),
        interval_in_brief(claim),
        documents_in_brief(claim),
        claim["expression"],
    )


def _tally(record: "Record") -> str:
    from headtests.wording import count

    verdicts = [claim["verdict"] for claim in record["claims"]]
    words = (("holds", "held"), ("refuted", "refuted"), ("undecided", "undecided"))
    tally = [f"{verdicts.count(verdict)} {word}" for verdict, word in words if verdict in verdicts]
    return f"{count(len(verdicts), 'claim')}{': ' if tally else ''}{', '.join(tally)}"


def _ran(session: "SessionRecord") -> Iterator[str]:
    model, corpus = session["model"], session["corpus"]
    revision = "" if model["revision"] is None else f" at {model['revision']}"
    yield f"{model['name']}{revision} over {corpus['description']}"
    yield (
        f"  {model['architecture']}, {model['layers']} layers by {model['heads']} heads, "
        f"{model['dtype']} on {model['device']}, weights {model['weights_sha256'][:16]}, "
        f"token ids {corpus['sha256'][:16]}, seed {session['seed']}"
    )
