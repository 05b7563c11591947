"""A map of each model: layers by heads, each head that something was claimed of with its verdicts.

Records in, cells out. Which heads a claim is about is read from its statistics.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from headtests.errors import HeadNameError
from headtests.expressions.head_names import HeadName, parse_head
from headtests.records import ClaimRecord, EstimateRecord, SessionRecord
from headtests.report.words.claims import SYMBOLS, WORST_FIRST, sides, tally
from headtests.report.words.text import brief

_WIDE, _WIDEST = 16, 40
"""Heads a layer from which on cells are small, and smaller."""
_MOST_CELLS = 10_000
"""A model of more heads than any has is drawn by its claimed heads alone."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A head that something was claimed of."""

    name: str
    verdicts: tuple[str, ...]
    """The different verdicts of its claims, the worst first."""
    symbols: str
    words: str
    """Such as "L5H1: 2 held, 1 refuted"."""
    anchor: str
    """Where its claims stand."""


@dataclass(frozen=True, slots=True)
class ModelMap:
    """The heads of one model."""

    model: str
    size: str
    """`large`, `small` or `tiny`: how large a cell is drawn."""
    heads: list[int]
    rows: list[tuple[int, list[Cell | None]]]
    """Layers with their heads; None for one that nothing was claimed of."""


def maps(
    sessions: Iterable[SessionRecord],
    claims: Sequence[ClaimRecord],
    places: Mapping[tuple[str, str], str],
) -> list[ModelMap]:
    """Return a map a model, whatever corpora it ran over.

    `places` has the anchor of each head's card, by the session's key and the head's name.
    """
    models: dict[tuple[str, str], list[SessionRecord]] = {}
    for session in sessions:
        models.setdefault(identity(session), []).append(session)
    found = []
    for of_model in models.values():
        keys = {session["key"] for session in of_model}
        about: defaultdict[HeadName, list[ClaimRecord]] = defaultdict(list)
        for claim in claims:
            for head in heads_of(claim) if claim["session"] in keys else ():
                about[head].append(claim)
        model = of_model[0]["model"]
        cells = {head: _cell(head, of_head, places) for head, of_head in about.items()}
        if cells:
            found.append(_map(brief(model["name"]), model["layers"], model["heads"], cells))
    return found


def identity(session: SessionRecord) -> tuple[str, str]:
    """Return what tells a session's model from another."""
    return session["model"]["name"], session["model"]["weights_sha256"]


def heads_of(claim: ClaimRecord) -> list[HeadName]:
    """Return the heads that a claim is about, each once; those whose statistic names one."""
    found = (_head_of(side) for side in sides(claim))
    return list(dict.fromkeys(head for head in found if head is not None))


def _head_of(estimate: EstimateRecord) -> HeadName | None:
    try:
        return parse_head(estimate["expression"].partition(".")[0]).name
    except (HeadNameError, ValueError):  # Numbers can have more digits than Python reads.
        return None


def _cell(
    head: HeadName, claims: Sequence[ClaimRecord], places: Mapping[tuple[str, str], str]
) -> Cell:
    met = [claim["verdict"] for claim in claims]
    verdicts = tuple(verdict for verdict in WORST_FIRST if verdict in met)
    return Cell(
        name=str(head),
        verdicts=verdicts,
        symbols="".join(SYMBOLS[verdict] for verdict in verdicts),
        words=f"{head}: {', '.join(tally(met, WORST_FIRST))}",
        anchor=places[claims[0]["session"], str(head)],
    )


def _map(name: str, layers: int, heads: int, cells: Mapping[HeadName, Cell]) -> ModelMap:
    fits = 0 < layers * heads <= _MOST_CELLS
    inside = fits and all(head.layer < layers and head.index < heads for head in cells)
    across = list(range(heads)) if inside else sorted({head.index for head in cells})
    down = list(range(layers)) if inside else sorted({head.layer for head in cells})
    size = "large" if len(across) <= _WIDE else "small" if len(across) <= _WIDEST else "tiny"
    return ModelMap(
        model=name,
        size=size,
        heads=across,
        rows=[(layer, [cells.get(HeadName(layer, index)) for index in across]) for layer in down],
    )
