"""What differs between two atlases of one shape: roles, shares, and what they were measured with.

Records in, facts out. The text and the page are `headtests.report.atlas.comparison`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from headtests.errors import RecordError
from headtests.records import AtlasCorpusRecord, AtlasHeadRecord, AtlasRecord
from headtests.report.atlas.words import corpus_names, family_name, figure, title
from headtests.report.compare.provenance import ChangedFact, differing, of_sessions
from headtests.report.words.text import brief

SHARES, FIGURES = 20, 10
"""The most changes of shares that are listed, and of each other figure."""
_ROUNDING = 1e-5
"""Smaller changes are of rounding."""
_SETTINGS: dict[str, Callable[[AtlasRecord], object]] = {
    "seed": lambda record: record["seed"],
    "alpha": lambda record: record["alpha"],
    "level of e-BH": lambda record: record["level"],
}


@dataclass(frozen=True, slots=True)
class RoleChange:
    """The roles of a head that differ."""

    head: str
    kind: str
    """`gained` or `lost` where it has no role in one atlas, else `changed`."""
    gained: list[str]
    lost: list[str]
    """Each family with its corpus and the shares of both atlases."""
    kept: list[str]


@dataclass(frozen=True, slots=True)
class ShareChange:
    """A figure of a head in both atlases."""

    head: str
    what: str
    corpus: str
    before: float
    after: float

    @property
    def moved(self) -> float:
        """How much larger it is in the later atlas."""
        return self.after - self.before

    @property
    def words(self) -> str:
        """Both figures and their difference."""
        return f"{figure(self.before)} \u2192 {figure(self.after)} ({self.moved:+.2f})"


@dataclass(frozen=True, slots=True)
class CorpusPair:
    """A corpus of both atlases, by its place in each."""

    name: str
    before: int
    after: int
    other_documents: bool


@dataclass(frozen=True, slots=True)
class AtlasComparison:
    """The differences between two atlases."""

    before: AtlasRecord
    after: AtlasRecord
    corpora: list[CorpusPair]
    notes: list[str]
    """What only one of them has, a sentence each."""
    facts: list[tuple[str, list[ChangedFact]]]
    """What was run differently, by its name."""
    roles: list[RoleChange]
    """In the order of heads."""
    unchanged: int
    """The number of heads with the same roles, or with none, in both."""
    shares: list[ShareChange]
    """The largest changes of relations' shares first."""
    figures: list[tuple[str, list[ShareChange]]]
    """The same for resting mass and coverage."""


def compare_atlases(before: AtlasRecord, after: AtlasRecord) -> AtlasComparison:
    """Return what differs between two atlases.

    Roles and shares are compared by the corpora and relations that both have. Raises `RecordError`
    for models that do not have the same layers and heads.
    """
    shapes = [(record["model"]["layers"], record["model"]["heads"]) for record in (before, after)]
    if shapes[0] != shapes[1]:
        raise RecordError(
            f"cannot compare an atlas of {title(before)} ({brief(before['model']['name'])}) with "
            f"one of {title(after)} ({brief(after['model']['name'])}): heads of one name are then "
            "not in one place. Name two atlases of models with the same layers and heads."
        )
    corpora = list(_pairs(before, after))
    relations = _common_relations(before, after)
    roles = list(_role_changes(before, after, corpora, relations))
    return AtlasComparison(
        before=before,
        after=after,
        corpora=corpora,
        notes=list(_notes(before, after, corpora)),
        facts=list(_facts(before, after, corpora)),
        roles=roles,
        unchanged=len(before["heads"]) - len(roles),
        shares=_largest(_share_changes(before, after, corpora, relations), SHARES),
        figures=[
            (name, _largest(_figure_changes(before, after, corpora, name, read), FIGURES))
            for name, read in _FIGURES.items()
        ],
    )


_FIGURES: dict[str, Callable[[AtlasCorpusRecord], list[float | None]]] = {
    "resting mass": lambda corpus: corpus["resting"],
    "coverage": lambda corpus: corpus["coverage"],
}


def _pairs(before: AtlasRecord, after: AtlasRecord) -> Iterator[CorpusPair]:
    """Yield the corpora of both atlases: those of one marker and name, in order."""
    free = dict(enumerate(after["corpora"]))
    names = corpus_names(before)
    for place, corpus in enumerate(before["corpora"]):
        same = [at for at, other in free.items() if _identity(other) == _identity(corpus)]
        if same:
            other = free.pop(same[0])
            hashes = (one["session"]["corpus"]["sha256"] for one in (corpus, other))
            yield CorpusPair(names[place], place, same[0], len(set(hashes)) > 1)


def _identity(corpus: AtlasCorpusRecord) -> tuple[str, str]:
    return corpus["session"]["corpus"]["name"], corpus["marker"]


def _common_relations(before: AtlasRecord, after: AtlasRecord) -> dict[int, int]:
    """Return the place in the later atlas of each relation that both have."""
    places = {one["expression"]: place for place, one in enumerate(after["relations"])}
    return {
        place: places[one["expression"]]
        for place, one in enumerate(before["relations"])
        if one["expression"] in places
    }


def _notes(before: AtlasRecord, after: AtlasRecord, corpora: list[CorpusPair]) -> Iterator[str]:
    paired = ({pair.before for pair in corpora}, {pair.after for pair in corpora})
    sides = (("earlier", before, after), ("later", after, before))
    for (which, record, _), places in zip(sides, paired, strict=True):
        if not record["complete"]:
            yield f"The {which} atlas is incomplete: {record['incomplete_reason'] or 'no reason'}."
        for place, name in enumerate(corpus_names(record)):
            if place not in places:
                yield f"Only the {which} atlas has the corpus {name}: it is not compared."
    for which, record, other in sides:
        known = {one["expression"] for one in other["relations"]}
        only = [one["expression"] for one in record["relations"] if one["expression"] not in known]
        if only:
            shown = ", ".join(only[:8]) + (f" and {len(only) - 8:,} more" if len(only) > 8 else "")
            yield f"Only the {which} atlas has relations, which are not compared: {shown}."
    for pair in corpora:
        if pair.other_documents:
            yield (
                f"The documents of {pair.name} differ, in text or tokens: a change there may be "
                "of the texts."
            )


def _facts(
    before: AtlasRecord, after: AtlasRecord, corpora: list[CorpusPair]
) -> Iterator[tuple[str, list[ChangedFact]]]:
    """Yield what was run differently, in groups; a model is named once."""
    told: set[ChangedFact] = set()
    for pair in corpora:
        old, new = before["corpora"][pair.before], after["corpora"][pair.after]
        facts = [
            *of_sessions(old["session"], new["session"]),
            *differing(_options(old), _options(new)),
        ]
        facts = [fact for fact in facts if not (fact.name.startswith("model ") and fact in told)]
        told.update(fact for fact in facts if fact.name.startswith("model "))
        if facts:
            yield pair.name, facts
    if not corpora and (model := differing(before["model"], after["model"])):
        yield "model", model
    settings = [{name: read(one) for name, read in _SETTINGS.items()} for one in (before, after)]
    if changed := differing(*settings):
        yield "settings", changed
    if changed := differing(before["environment"], after["environment"]):
        yield "environment", changed


def _options(corpus: AtlasCorpusRecord) -> dict[str, object]:
    return {
        "suppress first token": corpus["suppress_first_token"],
        "min query": corpus["min_query"],
        "documents chosen on": corpus["choose"]["documents"],
        "documents decided on": corpus["measure"]["documents"],
    }


def _role_changes(
    before: AtlasRecord,
    after: AtlasRecord,
    corpora: list[CorpusPair],
    relations: dict[int, int],
) -> Iterator[RoleChange]:
    to_before = {pair.after: pair.before for pair in corpora}
    same = {pair.before: pair.before for pair in corpora}
    back = {new: old for old, new in relations.items()}
    names = {pair.before: pair.name for pair in corpora}
    after_places = {pair.before: pair.after for pair in corpora}
    for place, (old, new) in enumerate(zip(before["heads"], after["heads"], strict=True)):
        had = _confirmed(before, old, same, {one: one for one in relations})
        has = _confirmed(before, new, to_before, back)
        gained, lost, kept = (
            [
                _told(family, names[corpus], len(corpora) > 1)
                + _both(
                    _share(before["corpora"][corpus], relation, place),
                    _share(after["corpora"][after_places[corpus]], relations[relation], place),
                )
                for (family, corpus), relation in chosen.items()
            ]
            for chosen in (
                {key: one for key, one in has.items() if key not in had},
                {key: one for key, one in had.items() if key not in has},
                {key: one for key, one in has.items() if key in had},
            )
        )
        if gained or lost:
            kind = "changed" if had and has else "gained" if has else "lost"
            yield RoleChange(old["name"], kind, gained, lost, kept)


def _confirmed(
    names: AtlasRecord, head: AtlasHeadRecord, corpora: dict[int, int], relations: dict[int, int]
) -> dict[tuple[str, int], int]:
    """Return the relation of each confirmed family and corpus, by their places in `names`."""
    found: dict[tuple[str, int], int] = {}
    for role in head["roles"]:
        if role["confirmed"] and role["corpus"] in corpora and role["relation"] in relations:
            relation = relations[role["relation"]]
            key = family_name(names["relations"][relation]), corpora[role["corpus"]]
            found.setdefault(key, relation)
    return found


def _told(family: str, corpus: str, several: bool) -> str:
    return f"{family} on {corpus}" if several else family


def _both(before: float | None, after: float | None) -> str:
    return f", {figure(before)} \u2192 {figure(after)}"


def _share(corpus: AtlasCorpusRecord, relation: int, place: int) -> float | None:
    return next(
        (one["shares"][place] for one in corpus["relations"] if one["relation"] == relation), None
    )


def _share_changes(
    before: AtlasRecord,
    after: AtlasRecord,
    corpora: list[CorpusPair],
    relations: dict[int, int],
) -> Iterator[ShareChange]:
    heads = [head["name"] for head in before["heads"]]
    for pair in corpora:
        old = before["corpora"][pair.before]["relations"]
        new = {one["relation"]: one for one in after["corpora"][pair.after]["relations"]}
        for measured in old:
            place = measured["relation"]
            other = new.get(relations[place]) if place in relations else None
            if other is None:
                continue
            name = before["relations"][place]["name"]
            for head, left, right in zip(heads, measured["shares"], other["shares"], strict=True):
                if left is not None and right is not None:
                    yield ShareChange(head, name, pair.name, left, right)


def _figure_changes(
    before: AtlasRecord,
    after: AtlasRecord,
    corpora: list[CorpusPair],
    name: str,
    read: Callable[[AtlasCorpusRecord], list[float | None]],
) -> Iterator[ShareChange]:
    for pair in corpora:
        old, new = read(before["corpora"][pair.before]), read(after["corpora"][pair.after])
        for head, left, right in zip(before["heads"], old, new, strict=True):
            if left is not None and right is not None:
                yield ShareChange(head["name"], name, pair.name, left, right)


def _largest(changes: Iterator[ShareChange], most: int) -> list[ShareChange]:
    moved = [change for change in changes if abs(change.moved) > _ROUNDING]
    return sorted(moved, key=lambda change: -abs(change.moved))[:most]
