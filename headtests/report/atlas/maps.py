"""Maps of an atlas, layers by heads: a shade and a character for each head.

Records in, paths and words out. Each map is a few paths and a line of text a layer, however many
heads there are, so that a page can hold a map for each relation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase

from headtests.records import AtlasCorpusRecord, AtlasRecord, RelationRecord, RelationSharesRecord
from headtests.report.atlas.words import (
    Family,
    corpus_names,
    figure,
    is_suppressed,
    roles_in_brief,
    strongest,
)
from headtests.report.words.text import NAME_LIMIT, plain
from headtests.wording import count

CELL = 24
"""The side of a cell, the least that a finger hits."""
COLOURS = 8
"""Families with a colour of their own; all have a letter."""
_STRONGEST = 8
"""Heads that are listed beside a map."""
_LETTERS = ascii_uppercase + ascii_lowercase
_MANY = 100
"""Heads a layer beyond which not every column is labelled."""


@dataclass(frozen=True, slots=True)
class Shade:
    """All cells of one colour."""

    name: str
    """The class in the style sheet."""
    outline: str


@dataclass(frozen=True, slots=True)
class Characters:
    """The characters of one layer."""

    x: str
    """The middle of each."""
    y: int
    text: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A head that stands out on a map."""

    name: str
    words: str
    is_confirmed: bool
    """Whether it has a confirmed role with this relation on this corpus."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A map of one corpus."""

    corpus: int
    """Its place among the corpora, from 1 on; 0 for a map of all."""
    corpus_name: str
    shades: list[Shade]
    characters: list[Characters]
    words: str
    """What an image is called that cannot be seen."""
    facts: str
    listed: list[Listed]


@dataclass(frozen=True, slots=True)
class HeadMap:
    """One figure of every head, on each corpus."""

    key: str
    name: str
    code: str
    """The relation as Python; empty for other figures."""
    note: str
    drawings: list[Drawing]


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """What a letter and a colour of the map of roles mean."""

    letter: str
    shade: str
    name: str
    heads: str


@dataclass(frozen=True, slots=True)
class Link:
    """A cell that leads to a head's card."""

    name: str
    words: str
    """What is said of the head; empty for a cell that leads nowhere."""


@dataclass(frozen=True, slots=True)
class Grid:
    """What all maps have in common."""

    width: int
    height: int
    lines: str
    """The outline of the lines between cells."""
    columns: list[str]
    """The labels of heads; empty where there is no room."""
    rows: list[tuple[str, list[Link]]]


def grid(record: AtlasRecord) -> Grid:
    """Return the cells of every map, with a link each."""
    return _grid(
        record, [Link(head["name"], roles_in_brief(record, head)) for head in record["heads"]]
    )


def marks(
    record: AtlasRecord,
    signs: Mapping[str, tuple[str, str]],
    words: Mapping[str, str],
    called: str,
) -> tuple[Grid, Drawing]:
    """Return a map of some heads, each with a shade, a character and a link with its words."""
    names = [head["name"] for head in record["heads"]]
    links = [Link(name, words.get(name, "")) for name in names]
    return _grid(record, links), _drawn(record, [signs.get(name) for name in names], words=called)


def _grid(record: AtlasRecord, links: Sequence[Link]) -> Grid:
    layers, across = record["model"]["layers"], record["model"]["heads"]
    every = 1 if across <= _MANY else 8
    width, height = across * CELL, layers * CELL
    down = "".join(f"M{place * CELL} 0V{height}" for place in range(across + 1))
    right = "".join(f"M0 {place * CELL}H{width}" for place in range(layers + 1))
    return Grid(
        width=width,
        height=height,
        lines=down + right,
        columns=[f"H{place}" if place % every == 0 else "" for place in range(across)],
        rows=[(f"L{n}", list(links[n * across :][:across])) for n in range(layers)],
    )


def legend(families: Sequence[Family]) -> list[LegendEntry]:
    """Return the families with confirmed heads, those with most heads first."""
    return [
        LegendEntry(
            letter=_letter(place),
            shade=_family_shade(place),
            name=family.name,
            heads=count(family.confirmed, "head"),
        )
        for place, family in enumerate(_confirmed(families))
    ]


def _confirmed(families: Sequence[Family]) -> list[Family]:
    return [family for family in families if family.confirmed]


def _letter(place: int) -> str:
    return _LETTERS[place : place + 1] or "+"


def _family_shade(place: int) -> str:
    return f"f{place + 1}" if place < COLOURS else "f0"


def role_map(record: AtlasRecord, families: Sequence[Family]) -> HeadMap:
    """Return the map of each head's strongest confirmed role, on any corpus."""
    places = {
        relation: place
        for place, family in enumerate(_confirmed(families))
        for relation in family.relations
    }
    roles = [strongest(head) for head in record["heads"]]
    cells = [None if role is None else places[role["relation"]] for role in roles]
    found = sum(cell is not None for cell in cells)
    drawing = _drawn(
        record,
        [None if cell is None else (_family_shade(cell), _letter(cell)) for cell in cells],
        words=f"Strongest role of each head, layers by heads: {found:,} of "
        f"{count(len(cells), 'head')} have one",
    )
    note = "The confirmed role with the most of the head's attention over its control, by letter."
    return HeadMap("strongest", "Strongest role", "", note, [drawing])


def figure_maps(record: AtlasRecord) -> list[HeadMap]:
    """Return the maps of what each head does with all of its attention."""
    awake = "what does not rest" if is_suppressed(record) else "all attention"
    measured: list[tuple[str, str, str, Callable[[AtlasCorpusRecord], list[float | None]]]] = [
        ("resting", "Resting mass", "Attention on position 0.", lambda one: one["resting"]),
        (
            "coverage",
            "Coverage",
            f"The share of {awake} that lies on keys of the head's confirmed relations.",
            lambda one: one["coverage"],
        ),
        (
            "entropy",
            "Row entropy",
            "Over the logarithm of the number of keys: 1 is an even row, 0 a row with one key.",
            lambda one: one["entropy"],
        ),
        ("peak", "Peak", "The largest attention of a row.", lambda one: one["peak"]),
    ]
    return [
        HeadMap(
            key,
            name,
            "",
            note,
            [
                _shares(record, place, read(corpus), name, "", set())
                for place, corpus in enumerate(record["corpora"])
            ],
        )
        for key, name, note, read in measured
    ]


def relation_maps(record: AtlasRecord) -> list[HeadMap]:
    """Return a map for each relation, with the share of each head."""
    measured = [
        {shares["relation"]: shares for shares in corpus["relations"]}
        for corpus in record["corpora"]
    ]
    return [
        HeadMap(
            f"relation_{place}",
            _capital(plain(relation["name"], NAME_LIMIT)),
            relation["expression"],
            "",
            [
                _relation(record, corpus, place, relation, shares[place])
                for corpus, shares in enumerate(measured)
                if place in shares
            ],
        )
        for place, relation in enumerate(record["relations"])
    ]


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _relation(
    record: AtlasRecord,
    corpus: int,
    place: int,
    relation: RelationRecord,
    measured: RelationSharesRecord,
) -> Drawing:
    confirmed = {
        head["name"]
        for head in record["heads"]
        for role in head["roles"]
        if role["confirmed"] and (role["corpus"], role["relation"]) == (corpus, place)
    }
    facts = (
        f"Uniform attention would give {_range(measured['uniform'])}; over "
        f"{count(measured['rows'], 'row')} with such a key of "
        f"{count(measured['documents'], 'document')}."
        if measured["documents"]
        else "No document has a row with such a key."
    )
    beside = None if measured["is_distance"] else measured["distance"]
    called = f"Share on {plain(relation['name'], NAME_LIMIT)}"
    return _shares(record, corpus, measured["shares"], called, facts, confirmed, beside)


def _range(shares: Sequence[float | None]) -> str:
    """Return the smallest and the largest of some shares, which differ between windows alone."""
    known = [share for share in shares if share is not None]
    if not known:
        return figure(None)
    ends = figure(min(known)), figure(max(known))
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _shares(
    record: AtlasRecord,
    corpus: int,
    shares: Sequence[float | None],
    called: str,
    facts: str,
    confirmed: set[str],
    distance: Sequence[float | None] | None = None,
) -> Drawing:
    names = [head["name"] for head in record["heads"]]
    known = [(share, place) for place, share in enumerate(shares) if share is not None]
    best = sorted(known, key=lambda one: (-one[0], one[1]))[:_STRONGEST]
    listed = [
        Listed(
            names[place],
            figure(share)
            + (f", {figure(distance[place])} by distance" if distance is not None else ""),
            names[place] in confirmed,
        )
        for share, place in best
    ]
    most = f"; most in {listed[0].name}, {figure(best[0][0])}" if listed else ""
    return _drawn(
        record,
        [None if share is None else shade_of(share) for share in shares],
        words=f"{called}, layers by heads{most}",
        corpus=corpus + 1,
        corpus_name=corpus_names(record)[corpus],
        facts=facts,
        listed=listed,
    )


def shade_of(share: float) -> tuple[str, str] | None:
    """Return the class and the character of a share: its first decimal, 9 for all above.

    >>> shade_of(0.96), shade_of(0.1), shade_of(0.07), shade_of(0.01), shade_of(1.0)
    (('s10', '9'), ('s2', '1'), ('s1', ' '), None, ('s10', '9'))
    """
    if share < 0.05:
        return None
    tenths = min(9, int(share * 10 + 1e-9))
    return f"s{tenths + 1}", str(tenths) if tenths else " "


def _drawn(
    record: AtlasRecord,
    cells: Sequence[tuple[str, str] | None],
    words: str,
    corpus: int = 0,
    corpus_name: str = "",
    facts: str = "",
    listed: Sequence[Listed] = (),
) -> Drawing:
    across = record["model"]["heads"]
    outlines: dict[str, list[str]] = {}
    characters = []
    for start in range(0, len(cells), across):
        top = start // across * CELL
        shown: list[tuple[int, str]] = []
        for column, cell in enumerate(cells[start : start + across]):
            if cell is None:
                continue
            shade, character = cell
            left = column * CELL
            outlines.setdefault(shade, []).append(f"M{left} {top}h{CELL}v{CELL}H{left}z")
            if character != " ":
                shown.append((left + CELL // 2, character))
        if shown:
            characters.append(
                Characters(
                    x=" ".join(str(middle) for middle, _ in shown),
                    y=top + CELL - 8,
                    text="".join(character for _, character in shown),
                )
            )
    return Drawing(
        corpus=corpus,
        corpus_name=corpus_name,
        shades=[Shade(name, "".join(parts)) for name, parts in sorted(outlines.items())],
        characters=characters,
        words=words,
        facts=facts,
        listed=list(listed),
    )
