"""The built-in explainer's paragraph: findings and their figures as sentences.

Nothing is measured here.
"""

from collections.abc import Sequence

from headtests.explanations.measured_suggestions import is_enriched
from headtests.explanations.relation_search import Finding
from headtests.records import BoundedRecord, SuggestionRecord

LEAST_MAIN = 0.3
"""The least share of the non-resting attention on a relation that a head is named after."""
MOSTLY_RESTS = 0.9
"""The least attention on position 0 with which a head is said to rest nearly always."""


def english_of(finding: Finding) -> str:
    """Return a finding's keys as a clause that follows "keys"."""
    if not finding.is_custom:
        return finding.relation.english
    besides = " and were not found before" if finding.is_rest else ""
    return f"that are {finding.named.name}{besides}"


def paragraph(
    name: str,
    found: Sequence[tuple[Finding, SuggestionRecord]],
    resting: BoundedRecord | None,
    unexplained: BoundedRecord | None,
) -> str:
    """Return a paragraph that says what a head's attention is enriched for, with the figures.

    `found` has the findings of the explain half, in order, each with its record of the other half.
    """
    confirmed = [(finding, record) for finding, record in found if is_enriched(record)]
    others = [finding for finding, record in found if not is_enriched(record)]
    rests = resting is not None and resting["value"] >= MOSTLY_RESTS
    sentences = [_opening(name, confirmed, rests)]
    sentences += [_enrichment(*pair, place) for place, pair in enumerate(confirmed)]
    if others:
        names = " and ".join(finding.named.name for finding in others)
        sentences.append(
            f"The half of the texts that this was made from also suggested {names}, but on the "
            "other half that is not surely more than uniform attention would give."
        )
    if resting is not None:
        sentences.append(f"{_percent(resting)} of its attention rests on position 0.")
    if unexplained is not None:
        by = "none of this" if confirmed else "nothing that was tried"
        sentences.append(f"{_percent(unexplained)} of it is explained by {by}.")
    return " ".join(sentences)


def role_of(confirmed: Sequence[tuple[Finding, SuggestionRecord]]) -> str:
    """Return the role that the first finding gives a head; empty if it gives none."""
    if not confirmed:
        return ""
    finding, record = confirmed[0]
    share = record["share"] or record["mass"]
    return finding.named.role if share is not None and share["value"] >= LEAST_MAIN else ""


def _opening(name: str, confirmed: Sequence[tuple[Finding, SuggestionRecord]], rests: bool) -> str:
    role = role_of(confirmed)
    if not confirmed:
        return (
            f"{name} nearly always rests on position 0, and nothing that was tried stands out in "
            "the rest."
            if rests
            else f"Nothing that was tried stands out in what {name} attends to."
        )
    does = f"attends more to {confirmed[0][0].named.name} than uniform attention would"
    if role:
        does = f"attends as {'an' if role[0] in 'aeiou' else 'a'} {role} does"
    if rests:
        return f"{name} nearly always rests on position 0; where it does not, it {does}."
    return f"{name} {does}."


def _enrichment(finding: Finding, record: SuggestionRecord, place: int) -> str:
    mass, share, lift = record["mass"], record["share"], record["share_lift"]
    if mass is None:
        return ""
    keys = f"{finding.named.name}{' otherwise' if finding.is_rest else ''}"
    beginning = (
        f"{_percent(mass)} of its attention goes to" if not place else f"{_percent(mass)} to"
    )
    if share is not None and lift is not None:
        return (
            f"{beginning} {keys}: {_percent(share)} of what does not rest on position 0, "
            f"{_times(lift)}."
        )
    lift = record["lift"]
    return f"{beginning} {keys}." if lift is None else f"{beginning} {keys}, {_times(lift)}."


def _percent(figure: BoundedRecord) -> str:
    """Return a share as in "21.3% [15.0%, 28.4%]"."""
    return f"{figure['value']:.1%}{_between(figure, '.1%')}"


def _times(figure: BoundedRecord) -> str:
    """Return a lift as in "12.1 times [8.2, 15.4] what uniform attention would give"."""
    times = f"{figure['value']:.3g} times{_between(figure, '.3g')}"
    return f"{times} what uniform attention would give"


def _between(figure: BoundedRecord, how: str) -> str:
    """Return the bounds of a figure after a space; empty if it is exact."""
    if figure["low"] == figure["value"] == figure["high"]:
        return ""
    low = "0" if figure["low"] is None else format(figure["low"], how)
    high = "inf" if figure["high"] is None else format(figure["high"], how)
    return f" [{low}, {high}]"
