"""Which card shows which explanation: whole under one claim, in brief under the others.

Records in, words and anchors out; no HTML. The text of an explanation is
`headtests.report.words.explanations`.
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
"""From so many explanations with the same error on, the error is shown once."""

_Failure = tuple[str, str, str]
"""Explainer, server, error."""


@dataclass(frozen=True, slots=True)
class Brief:
    """An explanation in brief, which another claim's card shows whole."""

    explainer: str
    """The language model's name; empty for the built-in explainer."""
    text: str
    best: SuggestionText | None
    anchor: str
    """Where it is shown whole."""
    claim: str
    """The sentence of the claim whose card shows it whole."""


@dataclass(slots=True)
class ExplanationCard:
    """The explanations of one head in one card, the built-in one first."""

    head: str
    whole: list[Explanation] = field(default_factory=list)
    brief: list[Brief] = field(default_factory=list)

    @property
    def is_measured(self) -> bool:
        """Whether any suggestion or explanation was measured."""
        return any(item.suggestions or item.scored for item in self.whole) or any(
            item.best for item in self.brief
        )

    @property
    def has_rival(self) -> bool:
        """Whether a language model explains the head: the built-in explanation is its baseline."""
        explanations: list[Explanation | Brief] = [*self.whole, *self.brief]
        return any(item.explainer for item in explanations)


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error that many explanations share."""

    anchor: str
    what: str
    """How many explanations, and by which explainer."""
    trouble: str


@dataclass(frozen=True, slots=True)
class Placed:
    """Explanations by card."""

    claims: Mapping[str, list[ExplanationCard]]
    """By the claim's anchor: one for each explained head."""
    heads: Mapping[str, ExplanationCard]
    """By the head's anchor: whole where no claim's card shows it whole, else in brief."""
    troubles: list[Trouble]


def placed(
    record: Record, claims: Sequence[str], heads: Mapping[tuple[str, str], str], caps: Caps
) -> Placed:
    """Return the explanations of each card.

    `claims` has the anchors of the record's claims in order. `heads` has the anchors of heads, by
    the session's key and the head's name.
    """
    explanations = record["explanations"]
    failures = Counter(_trouble(one) for one in explanations if one["trouble"])
    shared = [failure for failure, times in failures.items() if times >= _MANY]
    trouble_anchors = {failure: f"trouble_{n}" for n, failure in enumerate(shared, start=1)}
    of_claims: defaultdict[str, dict[str, ExplanationCard]] = defaultdict(dict)
    of_heads: dict[str, ExplanationCard] = {}
    sentences = dict(zip(claims, (claim["sentence"] for claim in record["claims"]), strict=True))
    anchors_of = defaultdict(list)
    for claim, anchor in zip(record["claims"], claims, strict=True):
        anchors_of[claim["id"]].append(anchor)
    numbered = sorted(enumerate(explanations, start=1), key=lambda item: bool(explainer(item[1])))
    for place, source in numbered:
        name, anchor = plain(source["name"], NAME_LIMIT), f"explained_{place}"
        targets = {target for claim in source["claims"] for target in anchors_of.get(claim, ())}
        first, *others = [target for target in claims if target in targets] or [""]
        whole = explanation(source, anchor, trouble_anchors.get(_trouble(source), ""), caps)
        head = heads[source["session"], source["name"]]
        in_head = of_heads.setdefault(head, ExplanationCard(name))
        if not first:
            in_head.whole.append(whole)
            continue
        of_claims[first].setdefault(source["head"], ExplanationCard(name)).whole.append(whole)
        brief = _brief(source, anchor, sentences[first])
        in_head.brief.append(brief)
        for other in others:
            of_claims[other].setdefault(source["head"], ExplanationCard(name)).brief.append(brief)
    return Placed(
        claims={anchor: list(cards.values()) for anchor, cards in of_claims.items()},
        heads=of_heads,
        troubles=[
            Trouble(
                anchor=trouble_anchors[failure],
                what=f"{count(failures[failure], 'explanation')} by {failure[0]}",
                trouble=failure[2],
            )
            for failure in shared
        ],
    )


def _trouble(record: ExplanationRecord) -> _Failure:
    return explainer(record) or "the built-in explainer", record["server"], record["trouble"]


def _brief(record: ExplanationRecord, anchor: str, claim: str) -> Brief:
    measured = [suggestion for suggestion in record["suggestions"] if not suggestion["trouble"]]
    return Brief(
        explainer=explainer(record),
        text=plain(record["text"] or record["trouble"], LINE_LIMIT),
        best=suggested(measured[0]) if measured else None,
        anchor=anchor,
        claim=claim,
    )
