"""An atlas and a head of it as HTML for a notebook: small, and legible on light and dark pages.

Colours stand in attributes, since a notebook may drop style sheets. All text is escaped.
"""

from headtests.records import AtlasHeadRecord, AtlasRecord
from headtests.report.atlas.cards import CardCaps, card
from headtests.report.atlas.maps import grid, legend, role_map
from headtests.report.atlas.words import (
    Family,
    families,
    roles_in_brief,
    summary,
    title,
)
from headtests.report.page.html import environment
from headtests.report.words.text import brief

_FAMILIES, _HEADS = 15, 6
"""The most families that are listed, and heads of each."""
_ROWS = 2
"""Rows of each list of a head."""
_LETTERS = 40
"""Heads a layer, and layers, up to which the map is drawn."""
TONES = {
    "f0": "#8a8f98",
    "f1": "#3b7dd8",
    "f2": "#e0812a",
    "f3": "#3fa34d",
    "f4": "#c44fa8",
    "f5": "#7e5bd0",
    "f6": "#c7a500",
    "f7": "#1fa3a3",
    "f8": "#97805a",
}
"""The colours of families, to be drawn half transparent."""


def atlas_html(record: AtlasRecord) -> str:
    """Return an atlas as HTML: the map of the strongest roles, and the heads of each role."""
    named = families(record)
    listed = [family for family in named if family.confirmed]
    model = record["model"]
    fits = model["layers"] <= 2 * _LETTERS and model["heads"] <= _LETTERS
    return (
        environment()
        .get_template("atlas_fragment.html")
        .render(
            model=brief(model["name"]),
            title=title(record),
            incomplete=record["incomplete_reason"] or "no reason was recorded"
            if not record["complete"]
            else "",
            summary=list(summary(record)),
            grid=grid(record) if fits and listed else None,
            map=role_map(record, named).drawings[0],
            tones=TONES,
            families=[
                (entry, _strongest(family))
                for entry, family in zip(legend(named), listed, strict=True)
            ][:_FAMILIES],
            left_out=max(0, len(listed) - _FAMILIES),
        )
    )


def _strongest(family: Family) -> str:
    """Return the strongest heads of a family with their shares."""
    best: dict[str, str] = {}
    for one in family.roles:
        if one.role["confirmed"]:
            best.setdefault(one.head["name"], one.share)
    shown = [f"{name} {share}" for name, share in list(best.items())[:_HEADS]]
    more = [f"{len(best) - _HEADS:,} more"] if len(best) > _HEADS else []
    return ", ".join([*shown, *more])


def head_html(record: AtlasRecord, head: AtlasHeadRecord) -> str:
    """Return the card of a head as HTML: its roles, its profile over distance and some rows."""
    keys = {family.name: "" for family in families(record)}
    return (
        environment()
        .get_template("atlas_head_fragment.html")
        .render(
            head=card(record, head, keys, CardCaps(_ROWS, _ROWS, profiles_without=True)),
            model=brief(record["model"]["name"]),
            words=roles_in_brief(record, head),
            several=len(record["corpora"]) > 1,
            levels=10,
        )
    )
