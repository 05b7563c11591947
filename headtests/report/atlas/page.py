"""The page of an atlas: what it shows, how much of it, and where it is written.

Records in, HTML out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headtests.records import AtlasRecord
from headtests.records.json_files import write_text_atomically
from headtests.report.atlas.cards import CardCaps, HeadCard, RoleRow, card, role_row
from headtests.report.atlas.maps import (
    Grid,
    HeadMap,
    LegendEntry,
    figure_maps,
    grid,
    legend,
    relation_maps,
    role_map,
)
from headtests.report.atlas.words import (
    NONE,
    Family,
    Totals,
    Unexplained,
    corpus_names,
    extents,
    families,
    family_name,
    figure,
    summary,
    title,
    totals,
    work_list,
)
from headtests.report.page.html import LIMIT, environment
from headtests.report.page.view import moment, versions_of
from headtests.report.words.sessions import SessionText, session_view
from headtests.report.words.text import brief
from headtests.wording import count

_ELEMENTS = 110_000
"""The most elements of a page: a browser does not open a larger one at once."""
_IN_ROW, _IN_HEAD, _IN_ROLE, _IN_CORPUS, _IN_MAP = 50, 14, 20, 14, 70
"""About how many elements a row, a head, a role, a corpus of a head, and a map take."""
_MOST_ROWS, _MOST_WITHOUT = 3, 2
_UNCONFIRMED = 500
"""The most proposals that are listed which were not confirmed."""


@dataclass(frozen=True, slots=True)
class RelationRow:
    """A relation with how many heads it was found for."""

    name: str
    code: str
    family: str
    map: str
    """The key of its map."""
    confirmed: int
    proposed: int
    most: str
    """The largest share of a head, and on which corpus."""
    head: str
    """The name of that head; empty without one."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of the filter."""

    key: str
    name: str
    heads: str


@dataclass(frozen=True, slots=True)
class AtlasPage:
    """Everything that the page shows."""

    model: str
    title: str
    created: str
    versions: list[str]
    complete: bool
    incomplete_reason: str
    totals: Totals
    summary: list[str]
    extents: list[tuple[str, str]]
    relation_count: str
    grid: Grid
    legend: list[LegendEntry]
    roles: HeadMap
    figures: list[HeadMap]
    shares: list[HeadMap]
    corpora: list[str]
    choices: list[Choice]
    heads: list[HeadCard]
    unconfirmed: list[RoleRow]
    unconfirmed_left_out: int
    work_list: list[Unexplained]
    relations: list[RelationRow]
    sessions: list[SessionText]
    environment: dict[str, str]
    level: float


def render_atlas(record: AtlasRecord) -> str:
    """Return an atlas as one self-contained HTML page; the same atlas gives the same page.

    The page loads nothing and runs nothing. All text of the record is escaped. Where it would be
    larger than a browser opens at once, it shows fewer rows, and says so.
    """
    template = environment().get_template("atlas.html")
    caps = fitting(record)
    while True:
        text = template.render(atlas=view(record, caps))
        fewer = CardCaps(caps.rows // 2, 0, caps.rows > 1 and caps.profiles_without, True)
        if caps == fewer or len(text.encode("utf-8")) < LIMIT:
            return text
        caps = fewer


def write_atlas_page(record: AtlasRecord, path: Path) -> None:
    """Write an atlas as one HTML file in UTF-8, creating its folder.

    Raises `OSError` where the file cannot be written.
    """
    write_text_atomically(path, render_atlas(record))


def fitting(record: AtlasRecord) -> CardCaps:
    """Return how much of each head fits on a page that a browser opens at once."""
    corpora, heads = len(record["corpora"]), record["heads"]
    roles = sum(len(head["roles"]) for head in heads)
    found = sum(any(role["confirmed"] for role in head["roles"]) for head in heads)
    others = len(heads) - found
    room = _ELEMENTS - len(heads) * _IN_HEAD - roles * _IN_ROLE - found * corpora * _IN_CORPUS
    room -= (len(record["relations"]) + 5) * corpora * _IN_MAP
    profiles = room > 2 * others * corpora * _IN_CORPUS
    room -= others * corpora * _IN_CORPUS if profiles else 0
    rows = _rows(room, 2 * corpora * found, _MOST_ROWS)
    room -= 2 * corpora * found * rows * _IN_ROW
    return CardCaps(
        rows=rows,
        rows_without=_rows(room, 2 * corpora * others, _MOST_WITHOUT),
        profiles_without=profiles,
        is_narrow=len(heads) > 100,
    )


def _rows(room: int, lists: int, most: int) -> int:
    return max(0, min(most, room // (_IN_ROW * max(1, lists))))


def view(record: AtlasRecord, caps: CardCaps) -> AtlasPage:
    """Return everything that the page shows."""
    named = families(record)
    keys = {family.name: f"r{place}" for place, family in enumerate(named, start=1)}
    unconfirmed = [
        role_row(one, record)
        for family in named
        for one in family.roles
        if not one.role["confirmed"]
    ]
    return AtlasPage(
        model=brief(record["model"]["name"]),
        title=title(record),
        created=moment(record["created"]),
        versions=versions_of(record["environment"]),
        complete=record["complete"],
        incomplete_reason=record["incomplete_reason"],
        totals=totals(record),
        summary=list(summary(record)),
        extents=list(extents(record)),
        relation_count=count(len(record["relations"]), "relation"),
        grid=grid(record),
        legend=legend(named),
        roles=role_map(record, named),
        figures=figure_maps(record),
        shares=relation_maps(record),
        corpora=corpus_names(record),
        choices=_choices(named, keys),
        heads=[card(record, head, keys, caps) for head in record["heads"]],
        unconfirmed=unconfirmed[:_UNCONFIRMED],
        unconfirmed_left_out=max(0, len(unconfirmed) - _UNCONFIRMED),
        work_list=work_list(record),
        relations=_relations(record),
        sessions=[
            session_view(corpus["session"], f"session_{place}")
            for place, corpus in enumerate(record["corpora"], start=1)
        ],
        environment=record["environment"],
        level=record["level"],
    )


def _choices(named: Sequence[Family], keys: dict[str, str]) -> list[Choice]:
    return [
        Choice(keys[family.name], family.name, f"{family.confirmed:,}")
        for family in named
        if family.confirmed
    ]


def _relations(record: AtlasRecord) -> list[RelationRow]:
    """Return the relations, those of most heads first."""
    roles = [(head["name"], role) for head in record["heads"] for role in head["roles"]]
    rows = []
    for place, relation in enumerate(record["relations"]):
        about = [(name, role) for name, role in roles if role["relation"] == place]
        most, head, corpus = _largest(record, place)
        where = f" on {corpus}" if len(record["corpora"]) > 1 and head else ""
        rows.append(
            RelationRow(
                name=relation["name"],
                code=relation["expression"],
                family=family_name(relation),
                map=f"relation_{place}",
                confirmed=len({name for name, role in about if role["confirmed"]}),
                proposed=len({name for name, _ in about}),
                most=figure(most) + where,
                head=head,
            )
        )
    return sorted(rows, key=lambda one: (-one.confirmed, -one.proposed))


def _largest(record: AtlasRecord, relation: int) -> tuple[float | None, str, str]:
    """Return the largest share of a relation, its head and its corpus."""
    best: tuple[float | None, str, str] = (None, "", NONE)
    for name, corpus in zip(corpus_names(record), record["corpora"], strict=True):
        for shares in corpus["relations"]:
            if shares["relation"] != relation:
                continue
            for head, share in zip(record["heads"], shares["shares"], strict=True):
                if share is not None and (best[0] is None or share > best[0]):
                    best = share, head["name"], name
    return best
