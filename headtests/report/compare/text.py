"""The comparison of two runs as text, for a terminal or as Markdown.

Facts in, text out. Every string of the records is made legible, and escaped in Markdown.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from headtests.records import Record
from headtests.report.compare.changes import ClaimChange, block, counts
from headtests.report.compare.provenance import ChangedFact
from headtests.report.compare.runs import RunComparison, SessionChange
from headtests.report.words.markdown_escaping import code, code_cell, escaped, one_line, row
from headtests.report.words.text import WHOLE_LIMIT, brief
from headtests.wording import written

_WIDTH = 80
_HASH = 12
"""Characters of a hash that are shown, where they differ between the runs."""
_SAME = "Models, documents, settings and versions are the same in both runs."
_NOTE = "The documents differ: the figures of the runs are not from the same texts."


class Shown(NamedTuple):
    """A fact of both runs in words."""

    name: str
    before: str
    after: str


def as_text(compared: RunComparison, names: Sequence[str]) -> str:
    """Return the comparison of two runs with these names as text of mostly 80 columns."""
    lines = [
        f"{'' if place else run:<6}  {one_line(line)}"
        for run, name, record in _runs(compared, names)
        for place, line in enumerate([name, _made(record), *_cut_short(record)])
    ]
    groups = list(_provenance(compared))
    lines += ["", "What ran differently" if groups else _SAME]
    for title, note, facts in groups:
        lines.append(f"  {one_line(title)}")
        for fact in facts:
            lines += _fact_lines(fact)
        lines += [f"    {note}"] if note else []
    lines += ["", *textwrap.wrap(counts(compared), _WIDTH, subsequent_indent="  ")]
    for change in compared.changes:
        lines += ["", *_block_lines(block(change))]
    return "\n".join(lines) + "\n"


def as_markdown(compared: RunComparison, names: Sequence[str]) -> str:
    """Return the comparison of two runs with these names as Markdown."""
    lines = ["## Two runs compared", ""]
    for run, name, record in _runs(compared, names):
        facts = [code(name), code(_made(record)), *map(escaped, _cut_short(record))]
        lines.append(f"- {run}: {', '.join(facts)}")
    groups = list(_provenance(compared))
    lines += ["", "### What ran differently" if groups else _SAME]
    for title, note, shown in groups:
        lines += ["", escaped(title), ""]
        if shown:
            lines += [row(["", "before", "after"]), row(["---"] * 3)]
        for fact in shown:
            lines.append(row([escaped(fact.name), *map(code_cell, (fact.before, fact.after))]))
        lines += ["", note] if note else []
    lines += ["", "### Claims", "", counts(compared)]
    for change in compared.changes:
        lines += ["", *_block_markdown(block(change))]
    return "\n".join(lines) + "\n"


def _runs(compared: RunComparison, names: Sequence[str]) -> Iterator[tuple[str, str, Record]]:
    yield from zip(("before", "after"), names, (compared.before, compared.after), strict=True)


def _made(record: Record) -> str:
    """Return the time and the commit of a run."""
    commit = record["environment"].get("commit")
    return record["created"] + (f", commit {commit}" if commit else "")


def _cut_short(record: Record) -> list[str]:
    return [] if record["complete"] else [f"incomplete: {record['incomplete_reason']}"]


def _provenance(compared: RunComparison) -> Iterator[tuple[str, str, list[Shown]]]:
    """Yield the differences in groups: a title, a note and facts."""
    for session in compared.sessions:
        if session.before is None or session.after is None:
            yield _title(session), f"only in the run {_which(session)}", []
        elif session.facts:
            note = _NOTE if session.other_documents else ""
            yield _title(session), note, [shown_fact(fact) for fact in session.facts]
    for title, facts in (("rows", compared.heads), ("environment", compared.environment)):
        if facts:
            yield title, "", [shown_fact(fact) for fact in facts]


def _title(session: SessionChange) -> str:
    shown = session.before or session.after
    if shown is None:
        return ""
    return f"{brief(shown['model']['name'])} on {brief(shown['corpus']['name'])}"


def _which(session: SessionChange) -> str:
    return "before" if session.after is None else "after"


def shown_fact(fact: ChangedFact) -> Shown:
    """Return a fact that differs in words: of hashes, as much as tells them apart."""
    before, after = (_value(value) for value in (fact.before, fact.after))
    if fact.name.endswith("sha256") and before[:_HASH] != after[:_HASH]:
        before, after = before[:_HASH], after[:_HASH]
    return Shown(fact.name.replace("_", " "), before, after)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return written(value)
    return "none" if value is None else str(value)


def _fact_lines(fact: Shown) -> list[str]:
    name, before, after = map(one_line, (fact.name, fact.before, fact.after))
    line = f"    {name}: {before} -> {after}"
    return [line] if len(line) <= _WIDTH else [f"    {name}:", f"      {before}", f"      {after}"]


def _block_lines(change: ClaimChange) -> Iterator[str]:
    yield change.heading
    for shown in (change.test, change.expression):
        if shown:
            yield f"  {one_line(shown, WHOLE_LIMIT)}"
    for side in change.sides:
        lines = [] if change.expression or not side.expression else [side.expression]
        lines += _verdict_lines(side.verdict, side.figures)
        for place, line in enumerate(lines):
            yield f"    {side.run if place == 0 else '':<6}  {one_line(line, WHOLE_LIMIT)}"
    if change.note:
        yield f"    {change.note}"


def _verdict_lines(verdict: str, figures: Iterable[str]) -> list[str]:
    values = list(figures)
    return [f"{verdict}, {values[0]}"] if len(values) == 1 else [verdict, *values]


def _block_markdown(change: ClaimChange) -> Iterator[str]:
    yield f"#### {change.heading}"
    yield ""
    names = [code(shown, WHOLE_LIMIT) for shown in (change.test, change.expression) if shown]
    yield "  \n".join(names)
    yield ""
    for side in change.sides:
        is_shown = side.expression and not change.expression
        parts = [code(side.expression, WHOLE_LIMIT)] if is_shown else []
        # Figures need no escape: brackets around digits make no link.
        parts += [escaped(side.verdict), *side.figures]
        yield f"- {side.run}: {', '.join(parts)}"
    if change.note:
        yield ""
        yield change.note
