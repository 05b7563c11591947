"""The comparison of two atlases: text for a terminal, and a page.

Facts in, lines and HTML out.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from headtests.records import AtlasRecord
from headtests.records.json_files import write_text_atomically
from headtests.report.atlas.changes import (
    AtlasComparison,
    RoleChange,
    ShareChange,
    compare_atlases,
)
from headtests.report.atlas.maps import Drawing, Grid, marks
from headtests.report.atlas.words import title, totals
from headtests.report.compare.provenance import ChangedFact
from headtests.report.compare.text import shown_fact
from headtests.report.page.html import environment
from headtests.report.page.view import moment
from headtests.report.words.markdown_escaping import one_line
from headtests.report.words.text import brief
from headtests.wording import count

WIDTH = 80
_ROLES = 40
"""The most heads whose roles changed that a terminal lists."""
_SIGNS = {"gained": ("f3", "+"), "lost": ("f2", "-"), "changed": ("f5", "~")}
"""The colour and the character of each kind of change on the map."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two atlases."""

    which: str
    model: str
    created: str
    roles: str


@dataclass(frozen=True, slots=True)
class ComparisonPage:
    """Everything that the page shows."""

    title: str
    sides: list[Side]
    notes: list[str]
    facts: list[tuple[str, list[tuple[str, str, str]]]]
    counts: str
    grid: Grid
    map: Drawing
    roles: list[RoleChange]
    shares: list[ShareChange]
    figures: list[tuple[str, list[ShareChange]]]
    several: bool


def comparison_text(before: AtlasRecord, after: AtlasRecord) -> str:
    """Return how two atlases differ as lines of text; raises what `compare_atlases` raises."""
    return "\n".join(_lines(compare_atlases(before, after)))


def render_comparison(before: AtlasRecord, after: AtlasRecord) -> str:
    """Return how two atlases differ as one self-contained HTML page.

    The page loads nothing and runs nothing. Raises what `compare_atlases` raises.
    """
    template = environment().get_template("atlas_comparison.html")
    return template.render(compared=_view(compare_atlases(before, after)))


def write_comparison(before: AtlasRecord, after: AtlasRecord, path: Path) -> None:
    """Write how two atlases differ as one HTML file in UTF-8, creating its folder.

    Raises what `compare_atlases` raises, and `OSError` where the file cannot be written.
    """
    write_text_atomically(path, render_comparison(before, after))


def _sides(compared: AtlasComparison) -> Iterator[Side]:
    for which, record in (("before", compared.before), ("after", compared.after)):
        model, found = record["model"], totals(record)
        revision = f" at {brief(model['revision'])}" if model["revision"] else ""
        yield Side(
            which=which,
            model=brief(model["name"]) + revision,
            created=moment(record["created"]),
            roles=f"{found.with_roles:,} of {count(found.heads, 'head')} with a confirmed role",
        )


def counts(compared: AtlasComparison) -> str:
    """Return how many heads gained, lost or changed roles."""
    kinds = [change.kind for change in compared.roles]
    named = (
        ("gained", "gained a first role"),
        ("lost", "lost every role"),
        ("changed", "changed roles"),
    )
    parts = [f"{count(kinds.count(kind), 'head')} {words}" for kind, words in named]
    return f"{', '.join(parts)}; {count(compared.unchanged, 'head')} as before."


def _lines(compared: AtlasComparison) -> Iterator[str]:
    yield from _wrapped(f"Two atlases of {title(compared.before)} compared")
    for side in _sides(compared):
        yield from _wrapped(
            f"{side.which:6}  {one_line(side.model)}, {one_line(side.created)}: {side.roles}", "  "
        )
    for note in compared.notes:
        yield from _wrapped(f"! {one_line(note)}", "  ")
    if compared.facts:
        yield ""
        yield "What was run differently"
    for name, facts in compared.facts:
        yield from _wrapped(one_line(name), "  ")
        for fact in facts:
            yield from _wrapped(" ".join(_fact(fact)), "    ")
    yield ""
    yield from _wrapped(counts(compared))
    for change in compared.roles[:_ROLES]:
        yield f"  {change.head} {change.kind}"
        for sign, roles in (("+", change.gained), ("-", change.lost), ("=", change.kept)):
            for role in roles:
                yield from _wrapped(f"{sign} {one_line(role)}", "    ")
    if len(compared.roles) > _ROLES:
        yield f"  and {len(compared.roles) - _ROLES:,} more: see the page"
    yield from _changes("Largest changes of share", compared.shares, compared, of_relation=True)
    for name, changes in compared.figures:
        yield from _changes(f"Largest changes of {name}", changes, compared)


def _changes(
    heading: str,
    changes: Sequence[ShareChange],
    compared: AtlasComparison,
    of_relation: bool = False,
) -> Iterator[str]:
    yield ""
    if not changes:
        yield f"{heading}: none"
        return
    yield heading
    several = len(compared.corpora) > 1
    width = max(len(change.head) for change in changes)
    for change in changes:
        what = [one_line(change.what)] if of_relation else []
        what += [f"on {one_line(change.corpus)}"] if several else []
        yield from _wrapped(f"{change.head:{width}}  {change.words}  {' '.join(what)}", "  ")


def _fact(fact: ChangedFact) -> tuple[str, str, str]:
    name, before, after = shown_fact(fact)
    return f"{one_line(name)}:", one_line(before), f"-> {one_line(after)}"


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        drop_whitespace=True,
    )


def _view(compared: AtlasComparison) -> ComparisonPage:
    signs = {change.head: _SIGNS[change.kind] for change in compared.roles}
    words = {change.head: change.kind for change in compared.roles}
    cells, drawing = marks(
        compared.before, signs, words, f"Heads whose roles changed: {counts(compared)}"
    )
    return ComparisonPage(
        title=title(compared.before),
        sides=list(_sides(compared)),
        notes=compared.notes,
        facts=[(name, [shown_fact(fact) for fact in facts]) for name, facts in compared.facts],
        counts=counts(compared),
        grid=cells,
        map=drawing,
        roles=compared.roles,
        shares=compared.shares,
        figures=compared.figures,
        several=len(compared.corpora) > 1,
    )
