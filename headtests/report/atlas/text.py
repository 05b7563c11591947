"""An atlas as lines of text for a terminal of 80 columns.

Words in, lines out. Every character of the record is made legible.
"""

import textwrap
from collections.abc import Iterator, Sequence

from headtests.records import AtlasHeadRecord, AtlasRecord
from headtests.report.atlas.words import (
    NONE,
    Family,
    RoleText,
    corpus_names,
    extents,
    families,
    figure,
    figures_in_brief,
    role_text,
    roles_in_brief,
    shown,
    summary,
    title,
    totals,
    work_list,
)
from headtests.report.words.markdown_escaping import one_line
from headtests.report.words.text import brief
from headtests.wording import count

WIDTH = 80
_OF_FAMILY, _FAMILIES, _UNCONFIRMED = 12, 15, 10
"""The most heads of a family, families with all of these heads, and proposals without e-BH."""
_CORPUS = 12
"""Characters of a corpus's name."""


def atlas_text(record: AtlasRecord, everything: bool = False, page: str = "atlas.html") -> str:
    """Return an atlas as lines of text: heads by role, then the heads of lowest coverage.

    Lists are cut where they are long, and `page` is named as the place of the rest; with
    `everything`, they are whole.
    """
    return "\n".join(_lines(record, everything, page))


def head_text(record: AtlasRecord, head: AtlasHeadRecord) -> str:
    """Return one head as lines of text: its figures on each corpus, its roles and their claims."""
    place = head["layer"] * record["model"]["heads"] + head["index"]
    lines = [f"{head['name']}: {one_line(roles_in_brief(record, head))}"]
    for name, corpus in zip(corpus_names(record), record["corpora"], strict=True):
        lines += _wrapped(f"{one_line(name)}: {figures_in_brief(corpus, place)}", "  ")
    for role in head["roles"]:
        one = role_text(record, head, role)
        controls = f"{one.over_uniform} uniform"
        if one.over_distance != NONE:
            controls += f", {one.over_distance} distance"
        lines += ["", *_wrapped(f"{one.verdict}: keys {one_line(role['english'])}", "  ")]
        lines.append(f"    {one_line(role['claim'])}")
        lines += _wrapped(
            f"{shown(role['measured'])} on {one_line(one.corpus)}, chosen at "
            f"{shown(role['chosen'])}; {controls}",
            "    ",
        )
    return "\n".join(lines)


def _lines(record: AtlasRecord, everything: bool, page: str) -> Iterator[str]:
    model = one_line(brief(record["model"]["name"]))
    if not record["complete"]:
        reason = one_line(record["incomplete_reason"] or "no reason was recorded")
        yield from _wrapped(f"INCOMPLETE: {reason}. What was known then:")
        yield ""
    yield from _wrapped(
        f"Atlas of {model}: {title(record)}, {count(len(record['relations']), 'relation')}"
    )
    labels = _labels(record)
    for label, (name, extent) in zip(labels, extents(record), strict=True):
        named_so = "" if label == one_line(name) else f"{label}  "
        yield from _wrapped(f"{named_so}{one_line(name)}: {extent}", "  ")
    yield ""
    for sentence in summary(record):
        yield from _wrapped(sentence)
    named = families(record)
    names = max([len("head"), *(len(head["name"]) for head in record["heads"])])
    if named:
        ways = "Confirmed roles, largest share first."
        if len(labels) > 1 and not everything:
            ways += " A head stands on the corpus of its largest share; +1: and on one more."
        yield from _wrapped(ways)
        yield ""
        yield _heading(_width(labels), names)
    found = [family for family in named if family.confirmed]
    kept = found if everything else found[:_FAMILIES]
    for family in kept:
        yield ""
        yield from _family(family, labels, names, everything, page)
    if left := found[len(kept) :]:
        yield ""
        yield from _wrapped(
            f"{count(len(left), 'more relation or role', 'more relations and roles')} with "
            f"{count(sum(family.confirmed for family in left), 'head')}: see {page}"
        )
    yield from _unconfirmed(named, labels, names, everything, page)
    yield ""
    yield f"No role: {count(totals(record).without, 'head')}"
    yield from _work_list(record, names)


def _labels(record: AtlasRecord) -> list[str]:
    """Return what corpora are called in columns: by name, or by number where names are long."""
    names = [one_line(name) for name in corpus_names(record)]
    if max(map(len, names), default=0) <= _CORPUS:
        return names
    return [str(place) for place in range(1, len(names) + 1)]


def _width(labels: Sequence[str]) -> int:
    """Return the width of the column of corpora, and of how many others; 0 for a single corpus."""
    others = len(f" +{len(labels) - 1}")
    return max(len("corpus"), *(len(label) + others for label in labels)) if len(labels) > 1 else 0


def _heading(corpora: int, names: int) -> str:
    corpus = f"{'corpus':{corpora}} " if corpora else ""
    return (
        f"  {'head':{names}} {corpus}{'share [bounds]':17} {'/uniform':>8} {'/distance':>9} "
        f"{'rests':>5} {'covered':>7}"
    )


def _family(
    family: Family, labels: Sequence[str], names: int, everything: bool, page: str
) -> Iterator[str]:
    """Yield a line for each head, of the corpus with its largest share; or a line for each role."""
    confirmed = [one for one in family.roles if one.role["confirmed"]]
    yield from _wrapped(f"{one_line(family.plural)} ({family.confirmed:,})")
    if everything:
        for one in confirmed:
            yield _role(one, labels[one.role["corpus"]], _width(labels), names)
        return
    of_heads: dict[str, list[RoleText]] = {}
    for one in confirmed:
        of_heads.setdefault(one.head["name"], []).append(one)
    for best, *others in list(of_heads.values())[:_OF_FAMILY]:
        corpus, more = best.role["corpus"], {one.role["corpus"] for one in others}
        number = len(more - {corpus})
        label = labels[corpus] + (f" +{number}" if number else "")
        yield _role(best, label, _width(labels), names)
    if len(of_heads) > _OF_FAMILY:
        yield f"  and {count(len(of_heads) - _OF_FAMILY, 'more head')}: see {page}"


def _role(one: RoleText, corpus: str, width: int, names: int) -> str:
    column = f"{corpus:{width}} " if width else ""
    return (
        f"  {one.head['name']:{names}} {column}{shown(one.role['measured']):17} "
        f"{one.over_uniform:>8} {one.over_distance:>9} {one.resting:>5} {one.coverage:>7}"
    ).rstrip()


def _unconfirmed(
    named: Sequence[Family], labels: Sequence[str], names: int, everything: bool, page: str
) -> Iterator[str]:
    """Yield the proposals that were not confirmed, with the share on both halves."""
    found = [(family, one) for family in named for one in family.roles if not one.role["confirmed"]]
    if not found:
        return
    yield ""
    yield f"Not confirmed ({len(found):,}): proposed on the first half, not shown on the second"
    most = len(found) if everything else _UNCONFIRMED
    for family, one in found[:most]:
        label = labels[one.role["corpus"]]
        where = f" on {'corpus ' if label.isdigit() else ''}{label}" if len(labels) > 1 else ""
        yield from _wrapped(
            f"{one.head['name']:{names}} {one_line(family.name)}{where}: {one.verdict}, "
            f"{figure(one.role['chosen']['share']['value'])} then {shown(one.role['measured'])}, "
            f"claimed {one.role['threshold']:g}",
            "  ",
        )
    if len(found) > most:
        yield f"  and {len(found) - most:,} more: see {page}"


def _work_list(record: AtlasRecord, names: int) -> Iterator[str]:
    """Yield the heads whose attention the confirmed relations explain least."""
    listed = work_list(record)
    if not listed:
        return
    several = len(record["corpora"]) > 1
    yield ""
    yield from _wrapped(
        "Work list: the heads whose attention is explained least"
        + (", one figure for each corpus" if several else "")
    )
    width = max(8, *(len(" ".join(one.coverage)) for one in listed))
    yield f"  {'head':{names}} {'covered':>{width}}  {'rests':>{width}}  {'left':>{width}}  role"
    for one in listed:
        figures = "  ".join(
            f"{' '.join(values):>{width}}" for values in (one.coverage, one.resting, one.left)
        )
        line = f"  {one.head['name']:{names}} {figures}  {one_line(one.roles)}"
        yield line if len(line) <= WIDTH else line[: WIDTH - 1] + "\u2026"
    yield from _wrapped(
        "Covered: the share of what does not rest on keys of confirmed relations. Left: the share "
        "of all attention that neither rests nor is covered."
    )


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent + ("  " if indent else "")
    )
