"""Which card shows which explanation: whole under one claim, in brief under the others.

Records in, words and anchors out; no HTML. What an explanation says is `explanations`.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headtests.records import ExplanationRecord, Record
from headtests.report.words.explanations import (
    Explanation,
    SuggestionText,
    explainer,
    explanation,
    suggested,
)
from headtests.report.words.page_budget import Caps
from headtests.report.words.text import LINE_LIMIT, NAME_LIMIT, plain
from headtests.wording import count

_MANY = 3
"""Explanations with the same trouble, from which on it is told once."""

_Alike = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Brief:
    """An explanation that stands in another claim's card."""

    explainer: str
    """The language model's name; empty of the built-in explainer."""
    text: str
    best: SuggestionText | None
    anchor: str
    """Where it stands whole."""
    claim: str
    """The sentence of the claim that it stands under."""


@dataclass(slots=True)
class ExplanationCard:
    """What a card says that one head does: the built-in explanation first."""

    head: str
    whole: list[Explanation] = field(default_factory=list)
    brief: list[Brief] = field(default_factory=list)

    @property
    def is_measured(self) -> bool:
        """Whether something of it was measured."""
        return any(one.suggestions or one.scored for one in self.whole) or any(
            one.best for one in self.brief
        )

    @property
    def has_rival(self) -> bool:
        """Whether a language model explains the head: the built-in explanation is its baseline."""
        return any(one.explainer for one in self.whole) or any(one.explainer for one in self.brief)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why many explanations were not to be had."""

    anchor: str
    what: str
    """Whose explanations, and how many."""
    trouble: str


@dataclass(frozen=True, slots=True)
class Placed:
    """Explanations by the cards that they stand in."""

    claims: Mapping[str, list[ExplanationCard]]
    """By the claim's anchor: one for each of its heads that was explained."""
    heads: Mapping[str, ExplanationCard]
    """By the head's anchor: whole where no claim shows it, else in brief."""
    troubles: list[Trouble]


def placed(
    record: Record, claims: Sequence[str], heads: Mapping[tuple[str, str], str], caps: Caps
) -> Placed:
    """Return where explanations stand, and what of them.

    `claims` has the anchors of the record's claims in their order, `heads` those of heads' cards.
    """
    explanations = record["explanations"]
    alike = Counter(_trouble(one) for one in explanations if one["trouble"])
    many = [one for one, times in alike.items() if times >= _MANY]
    told = {one: f"trouble_{place}" for place, one in enumerate(many, start=1)}
    of_claims: defaultdict[str, dict[str, ExplanationCard]] = defaultdict(dict)
    of_heads: dict[str, ExplanationCard] = {}
    sentences = dict(zip(claims, (c["sentence"] for c in record["claims"]), strict=True))
    asked = defaultdict(list)
    for claim, anchor in zip(record["claims"], claims, strict=True):
        asked[claim["id"]].append(anchor)
    numbered = sorted(enumerate(explanations, start=1), key=lambda one: bool(explainer(one[1])))
    for place, one in numbered:
        name = plain(one["name"], NAME_LIMIT)
        card = heads[one["session"], one["name"]]
        anchor = f"explained_{place}"
        wanted = {anchor for claim in one["claims"] for anchor in asked.get(claim, ())}
        first, *others = [anchor for anchor in claims if anchor in wanted] or [""]
        whole = explanation(one, anchor, told.get(_trouble(one), ""), caps)
        in_head = of_heads.setdefault(card, ExplanationCard(name))
        if not first:
            in_head.whole.append(whole)
            continue
        of_claims[first].setdefault(one["head"], ExplanationCard(name)).whole.append(whole)
        brief = _brief(one, anchor, sentences[first])
        in_head.brief.append(brief)
        for other in others:
            of_claims[other].setdefault(one["head"], ExplanationCard(name)).brief.append(brief)
    return Placed(
        claims={anchor: list(found.values()) for anchor, found in of_claims.items()},
        heads=of_heads,
        troubles=[
            Trouble(told[one], f"{count(alike[one], 'explanation')} by {one[0]}", one[2])
            for one in many
        ],
    )


def _trouble(record: ExplanationRecord) -> _Alike:
    return explainer(record) or "the built-in explainer", record["server"], record["trouble"]


def _brief(record: ExplanationRecord, anchor: str, claim: str) -> Brief:
    measured = [one for one in record["suggestions"] if not one["trouble"]]
    return Brief(
        explainer=explainer(record),
        text=plain(record["text"] or record["trouble"], LINE_LIMIT),
        best=suggested(measured[0]) if measured else None,
        anchor=anchor,
        claim=claim,
    )
