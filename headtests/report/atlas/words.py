"""An atlas in words: its totals, the roles of its heads by family, and the heads to look at next.

Records in, words and order out; no layout. A family is all relations of one role, such as
"induction head", or a single relation that has no name for its heads.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from headtests.records import (
    AtlasCorpusRecord,
    AtlasHeadRecord,
    AtlasRecord,
    AtlasRoleRecord,
    BoundedRecord,
    RelationRecord,
    RoleSharesRecord,
)
from headtests.report.words.text import NAME_LIMIT, brief, plain
from headtests.wording import count, number, times

WORK_LIST = 10
"""The number of heads of lowest coverage that are listed."""
NONE = "\u2013"
"""Stands for a figure that there is not."""


@dataclass(frozen=True, slots=True)
class RoleText:
    """A role of a head, confirmed or only proposed, in words and figures."""

    head: AtlasHeadRecord
    role: AtlasRoleRecord
    corpus: str
    share: str
    interval: str
    """The bounds of the share."""
    over_uniform: str
    over_distance: str
    """None for a relation that is a distance itself."""
    resting: str
    coverage: str
    verdict: str
    """`confirmed`, or the verdict of a proposal that is not."""
    status: str
    """The verdict's name in the style sheet."""
    note: str
    """Why a proposal that holds is not confirmed; else empty."""


@dataclass(frozen=True, slots=True)
class Family:
    """The heads of one role, confirmed ones first, then strongest first."""

    name: str
    """Such as "induction head" or "goes to commas"."""
    plural: str
    relations: frozenset[int]
    roles: list[RoleText]

    @property
    def confirmed(self) -> int:
        """The number of heads that are confirmed."""
        return len({one.head["name"] for one in self.roles if one.role["confirmed"]})


@dataclass(frozen=True, slots=True)
class Totals:
    """How many heads and proposals there are, and how many were confirmed."""

    heads: int
    with_roles: int
    """Heads with a confirmed role."""
    proposed_only: int
    """Heads with proposals of which none is confirmed."""
    proposals: int
    hold: int
    confirmed: int

    @property
    def without(self) -> int:
        """The number of heads that nothing was proposed for."""
        return self.heads - self.with_roles - self.proposed_only


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A head of the work list, with one figure for each corpus."""

    head: AtlasHeadRecord
    coverage: list[str]
    resting: list[str]
    left: list[str]
    """The share of all attention that neither rests nor is covered."""
    roles: str


def corpus_names(record: AtlasRecord) -> list[str]:
    """Return the names of the corpora in brief.

    Where several have one name, each is followed by the other arguments of its marker, or by its
    place in the atlas.
    """
    names = [brief(corpus["session"]["corpus"]["name"]) for corpus in record["corpora"]]
    options = [
        plain(corpus["marker"].partition(", ")[2], NAME_LIMIT) for corpus in record["corpora"]
    ]
    longer = [
        f"{name}, {more}" if more else name for name, more in zip(names, options, strict=True)
    ]
    shown = [
        long if names.count(name) > 1 else name for name, long in zip(names, longer, strict=True)
    ]
    return [
        f"{name}, {place}" if shown.count(name) > 1 else name
        for place, name in enumerate(shown, start=1)
    ]


def totals(record: AtlasRecord) -> Totals:
    """Return the totals of an atlas."""
    roles = [role for head in record["heads"] for role in head["roles"]]
    confirmed = [any(r["confirmed"] for r in head["roles"]) for head in record["heads"]]
    return Totals(
        heads=len(confirmed),
        with_roles=sum(confirmed),
        proposed_only=sum(bool(head["roles"]) for head in record["heads"]) - sum(confirmed),
        proposals=len(roles),
        hold=sum(role["verdict"] == "holds" for role in roles),
        confirmed=sum(role["confirmed"] for role in roles),
    )


def family_name(relation: RelationRecord) -> str:
    """Return what the heads of a relation are called, or what they do."""
    return plain(relation["role"], NAME_LIMIT) or f"goes to {plain(relation['name'], NAME_LIMIT)}"


def _plural(relation: RelationRecord) -> str:
    if relation["role"]:
        name = plain(relation["role"], NAME_LIMIT)
        return name[:1].upper() + name[1:] + "s"
    return f"Heads that go to {plain(relation['name'], NAME_LIMIT)}"


def families(record: AtlasRecord) -> list[Family]:
    """Return the families that any head is in: those with the most confirmed heads first."""
    members: dict[str, list[RoleText]] = {}
    relations: dict[str, set[int]] = {}
    plurals: dict[str, str] = {}
    for place, relation in enumerate(record["relations"]):
        name = family_name(relation)
        relations.setdefault(name, set()).add(place)
        plurals.setdefault(name, _plural(relation))
    for head in record["heads"]:
        for role in head["roles"]:
            name = family_name(record["relations"][role["relation"]])
            members.setdefault(name, []).append(role_text(record, head, role))
    listed = [
        Family(name, plurals[name], frozenset(relations[name]), sorted(roles, key=_strongest_first))
        for name, roles in members.items()
    ]
    return sorted(listed, key=lambda family: (-family.confirmed, _strongest_first(family.roles[0])))


def _strongest_first(one: RoleText) -> tuple[bool, float]:
    return not one.role["confirmed"], -one.role["measured"]["share"]["value"]


def role_text(record: AtlasRecord, head: AtlasHeadRecord, role: AtlasRoleRecord) -> RoleText:
    """Return a role with the figures that stand beside it."""
    place = head["layer"] * record["model"]["heads"] + head["index"]
    corpus, measured = record["corpora"][role["corpus"]], role["measured"]
    share = measured["share"]["value"]
    return RoleText(
        head=head,
        role=role,
        corpus=corpus_names(record)[role["corpus"]],
        share=figure(share) if measured["documents"] else NONE,
        interval=interval(measured["share"]),
        over_uniform=over(share, measured["uniform"]),
        over_distance=NONE if is_distance(record, role) else over(share, measured["distance"]),
        resting=figure(corpus["resting"][place]),
        coverage=figure(corpus["coverage"][place]),
        verdict="confirmed" if role["confirmed"] else role["verdict"],
        status=role["verdict"],
        note="holds by itself, but is no discovery of e-BH"
        if role["verdict"] == "holds" and not role["confirmed"]
        else "",
    )


def figure(share: float | None) -> str:
    """Return a share to two decimals.

    >>> figure(0.9649), figure(0.0004), figure(0.0), figure(None) == NONE
    ('0.96', '<0.01', '0', True)
    """
    if share is None:
        return NONE
    return "0" if share == 0 else "<0.01" if 0 < share < 0.005 else f"{share:.2f}"


def figures_in_brief(corpus: AtlasCorpusRecord, place: int) -> str:
    """Return what the head at a place does with all of its attention."""
    names = ("resting", "coverage", "entropy", "peak")
    lists = (corpus["resting"], corpus["coverage"], corpus["entropy"], corpus["peak"])
    return "; ".join(
        f"{name} {figure(shares[place])}" for name, shares in zip(names, lists, strict=True)
    )


def interval(share: BoundedRecord) -> str:
    """Return the bounds of a share; empty where there are none.

    >>> interval({"value": 0.5, "low": 0.41, "high": 0.588})
    '[0.41, 0.59]'
    """
    if share["low"] is None and share["high"] is None:
        return ""
    return f"[{figure(share['low'])}, {figure(share['high'])}]"


def shown(shares: RoleSharesRecord) -> str:
    """Return a share with its bounds; `NONE` where nothing was measured."""
    if not shares["documents"]:
        return NONE
    return f"{figure(shares['share']['value'])} {interval(shares['share'])}".rstrip()


def over(share: float, control: float) -> str:
    """Return how many times its control a share is; `NONE` over a control of 0 and for no share."""
    return times(share / control) if control > 0 and share > 0 else NONE


def is_distance(record: AtlasRecord, role: AtlasRoleRecord) -> bool:
    """Return whether a role's relation is itself a distance, of which a profile is no control."""
    return any(
        shares["is_distance"]
        for shares in record["corpora"][role["corpus"]]["relations"]
        if shares["relation"] == role["relation"]
    )


def is_suppressed(record: AtlasRecord) -> bool:
    """Return whether key 0 is left out of relations on every corpus."""
    return all(corpus["suppress_first_token"] for corpus in record["corpora"])


def strongest(head: AtlasHeadRecord) -> AtlasRoleRecord | None:
    """Return a head's first confirmed role; None for a head without one."""
    return next((role for role in head["roles"] if role["confirmed"]), None)


def work_list(record: AtlasRecord) -> list[Unexplained]:
    """Return the heads of lowest coverage, averaged over corpora.

    Of equal ones, the head comes first of which more attention does not rest.
    """
    ranked = []
    for place, head in enumerate(record["heads"]):
        coverage = [corpus["coverage"][place] for corpus in record["corpora"]]
        resting = [corpus["resting"][place] or 0.0 for corpus in record["corpora"]]
        known = [share for share in coverage if share is not None]
        if known:
            ranked.append((sum(known) / len(known), sum(resting), place, head))
    return [_unexplained(record, place, head) for *_, place, head in sorted(ranked, key=_order)][
        :WORK_LIST
    ]


def _order(ranked: tuple[float, float, int, AtlasHeadRecord]) -> tuple[float, float, int]:
    return ranked[:3]


def _unexplained(record: AtlasRecord, place: int, head: AtlasHeadRecord) -> Unexplained:
    coverage = [corpus["coverage"][place] for corpus in record["corpora"]]
    resting = [corpus["resting"][place] for corpus in record["corpora"]]
    pairs = zip(coverage, resting, record["corpora"], strict=True)
    return Unexplained(
        head=head,
        coverage=list(map(figure, coverage)),
        resting=list(map(figure, resting)),
        left=[
            figure(None if covered is None else (1 - covered) * _awake(rests, corpus_))
            for covered, rests, corpus_ in (
                (covered, rests, corpus["suppress_first_token"]) for covered, rests, corpus in pairs
            )
        ],
        roles=roles_in_brief(record, head),
    )


def _awake(resting: float | None, is_suppressed: bool) -> float:
    return 1.0 - (resting or 0.0) if is_suppressed else 1.0


def roles_in_brief(record: AtlasRecord, head: AtlasHeadRecord) -> str:
    """Return the families of a head's confirmed roles, or that it has none."""
    names = [
        family_name(record["relations"][role["relation"]])
        for role in head["roles"]
        if role["confirmed"]
    ]
    if names:
        return ", ".join(dict.fromkeys(names))
    return "proposals, none confirmed" if head["roles"] else "no role"


def title(record: AtlasRecord) -> str:
    """Return what the atlas is of, in brief."""
    model = record["model"]
    return f"{count(model['layers'], 'layer')} of {count(model['heads'], 'head')}"


def summary(record: AtlasRecord) -> Iterator[str]:
    """Yield how many heads have roles, how many proposals were confirmed, and what that means."""
    all_of_them = totals(record)
    roles = (
        f"{all_of_them.with_roles:,} of {count(all_of_them.heads, 'head')} "
        f"{'has' if all_of_them.with_roles == 1 else 'have'} a confirmed role"
    )
    if not any(corpus["measure"]["documents"] for corpus in record["corpora"]):
        yield f"{roles}: no document was read that roles are decided on."
    elif all_of_them.without:
        yield (
            f"{roles}, and {all_of_them.without:,} no role at all: nothing that the library knows "
            "exceeds its controls there."
        )
    else:
        yield f"{roles}."
    if all_of_them.proposals:
        yield (
            f"{count(all_of_them.proposals, 'proposal')}: {all_of_them.hold:,} held on the second "
            f"half, {all_of_them.confirmed:,} confirmed by e-BH at level "
            f"{number(record['level'])}."
        )
        yield what_ebh_means(record)
    if is_suppressed(record):
        yield "Shares are of the attention that does not rest on position 0."
    elif not any(corpus["suppress_first_token"] for corpus in record["corpora"]):
        yield "Shares are of all attention: position 0 is a key like any other."
    else:
        yield (
            "Shares are of the attention that does not rest on position 0, on corpora where "
            "position 0 is suppressed, and else of all attention."
        )


def what_ebh_means(record: AtlasRecord) -> str:
    """Return in a sentence what the level of e-BH promises."""
    return (
        f"e-BH: on average, at most {number(100 * record['level'])}% of the confirmed proposals "
        "are false, however many were tried."
    )


def extents(record: AtlasRecord) -> Iterator[tuple[str, str]]:
    """Yield each corpus with the documents that were read of each half."""
    for name, corpus in zip(corpus_names(record), record["corpora"], strict=True):
        choose, measure = corpus["choose"], corpus["measure"]
        yield (
            name,
            f"chosen on {count(choose['documents'], 'document')} of "
            f"{count(choose['texts'], 'text')}, decided on "
            f"{count(measure['documents'], 'other document')} of "
            f"{count(measure['texts'], 'other text')}",
        )
