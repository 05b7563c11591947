"""A map of each model, layers by heads, with the verdicts of the claims about each head.

Records in, cells out. The heads of a claim are read from its expressions.
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
"""Heads per layer beyond which cells are small, and tiny."""
_MOST_CELLS = 10_000
"""For models with more heads, only the heads with claims are drawn."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A head with claims."""

    name: str
    verdicts: tuple[str, ...]
    """The distinct verdicts of its claims, worst first."""
    symbols: str
    words: str
    """Such as "L5H1: 2 held, 1 refuted"."""
    anchor: str
    """The anchor of its card."""


@dataclass(frozen=True, slots=True)
class ModelMap:
    """The heads of one model."""

    model: str
    size: str
    """The size of a cell: `large`, `small` or `tiny`."""
    heads: list[int]
    rows: list[tuple[int, list[Cell | None]]]
    """Each layer with its heads; None for a head without claims."""


def maps(
    sessions: Iterable[SessionRecord],
    claims: Sequence[ClaimRecord],
    places: Mapping[tuple[str, str], str],
) -> list[ModelMap]:
    """Return one map per model, over all of its corpora.

    `places` has the anchor of each head's card, by the session's key and the head's name.
    """
    models: dict[tuple[str, str], list[SessionRecord]] = {}
    for session in sessions:
        models.setdefault(identity(session), []).append(session)
    drawn = []
    for of_model in models.values():
        keys = {session["key"] for session in of_model}
        about: defaultdict[HeadName, list[ClaimRecord]] = defaultdict(list)
        for claim in claims:
            for head in heads_of(claim) if claim["session"] in keys else ():
                about[head].append(claim)
        model = of_model[0]["model"]
        cells = {head: _cell(head, of_head, places) for head, of_head in about.items()}
        if cells:
            drawn.append(_map(brief(model["name"]), model["layers"], model["heads"], cells))
    return drawn


def identity(session: SessionRecord) -> tuple[str, str]:
    """Return the name and the weights' hash of a session's model."""
    return session["model"]["name"], session["model"]["weights_sha256"]


def heads_of(claim: ClaimRecord) -> list[HeadName]:
    """Return the distinct heads that a claim's expressions name."""
    heads = (_head_of(side) for side in sides(claim))
    return list(dict.fromkeys(head for head in heads if head is not None))


def _head_of(estimate: EstimateRecord) -> HeadName | None:
    try:
        return parse_head(estimate["expression"].partition(".")[0]).name
    except (HeadNameError, ValueError):  # ValueError: a number with more digits than int() reads.
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
