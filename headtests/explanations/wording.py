"""The built-in explainer's paragraph: findings and their figures as sentences.

Nothing is measured here.
"""

from collections.abc import Sequence

from headtests.explanations.measured_suggestions import is_enriched
from headtests.explanations.relation_search import Finding
from headtests.explanations.roles import Role
from headtests.records import BoundedRecord, SuggestionRecord

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
    roles: Sequence[Role] = (),
) -> str:
    """Return a paragraph that says what a head's attention is enriched for, with the figures.

    `found` has the findings of the explain half, in order, each with its record of the other half.
    `roles` are those that the head has or seems to have.
    """
    confirmed = [(finding, record) for finding, record in found if is_enriched(record)]
    held = [role for role in roles if role.holds]
    names_held = {role.named.role for role in held}
    others = [
        finding
        for finding, record in found
        if not is_enriched(record) and finding.named.role not in names_held
    ]
    rests = resting is not None and resting["value"] >= MOSTLY_RESTS
    sentences = [_opening(name, confirmed, held, rests)]
    sentences += [_of_role(role, resting is not None) for role in roles]
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


def _opening(
    name: str,
    confirmed: Sequence[tuple[Finding, SuggestionRecord]],
    held: Sequence[Role],
    rests: bool,
) -> str:
    if not confirmed and not held:
        return (
            f"{name} nearly always rests on position 0, and nothing that was tried stands out in "
            "the rest."
            if rests
            else f"Nothing that was tried stands out in what {name} attends to."
        )
    if held:
        does = f"attends {' and '.join(map(_as_role, held))}"
    else:
        does = f"attends more to {confirmed[0][0].named.name} than uniform attention would"
    if rests:
        return f"{name} nearly always rests on position 0; where it does not, it {does}."
    return f"{name} {does}."


def _as_role(role: Role) -> str:
    """Return a role with what it lacks, as in "as an induction head does"."""
    lacks = _lacks(role)
    return f"as {_a(role)} does" + (f", but not {lacks}" if lacks else "")


def _a(role: Role) -> str:
    return f"{'an' if role.named.role[0] in 'aeiou' else 'a'} {role.named.role}"


def _lacks(role: Role) -> str:
    """Return where a role does not hold, to follow "not"; empty if it holds everywhere."""
    lacks = []
    if not role.is_repeated:
        lacks.append("on repeated random tokens")
    if not role.beats_distance:
        lacks.append("beyond its own average at the same distances")
    kinds = {"words": role.words, "punctuation": role.punctuation}
    missing = [kind for kind, shares in kinds.items() if not role.holds_in(shares)]
    if missing:
        lacks.append(f"clearly in rows of {' or of '.join(missing)}")
    return " or ".join(lacks)


def _of_role(role: Role, rests: bool) -> str:
    """Return the figures of a role, and why a head does not have it, where it does not."""
    whole = "what does not rest on position 0" if rests else "its attention"
    every = role.every
    controls = [f"{every.uniform:.1%} by uniform attention"]
    if role.repeats:
        controls.append(f"{every.distance:.1%} by its own average at the same distances")
    parts = [
        f"too few rows of {kind} to tell"
        if shares is None
        else f"{shares.share:.1%} in rows of {kind}"
        for kind, shares in (("words", role.words), ("punctuation", role.punctuation))
    ]
    if role.repeats:
        parts.append(
            "repeated random tokens were not tried, for lack of context"
            if role.random is None
            else f"{role.random:.1%} on repeated random tokens"
        )
    figures = (
        f"in rows that have such a key, {every.share:.1%} of {whole} goes to {role.named.name}, "
        f"against {' and '.join(controls)}: {', '.join(parts)}."
    )
    if role.holds:
        return figures[0].upper() + figures[1:]
    return f"It is not called {_a(role)}, since this does not hold {_lacks(role)}: {figures}"


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
