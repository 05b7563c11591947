"""The contents of the page, in its order: the record as words and anchors.

Resolves how claims, heads and sessions refer to each other. No HTML.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from headtests.records import ClaimRecord, ModelRecord, Record, SessionRecord, UnmeasuredRecord
from headtests.report.charts.head_maps import ModelMap, heads_of, identity, maps
from headtests.report.charts.interval_strips import axes_of
from headtests.report.page.cards import Anchors, Claim, HeadCard, claim_card, head_cards
from headtests.report.page.explanation_cards import Trouble, placed
from headtests.report.words.claims import PAST, SYMBOLS, tally
from headtests.report.words.decisions import false_decisions, seeds, what_alpha_means
from headtests.report.words.drift import DRIFTED, Stale, drifted, stale
from headtests.report.words.heads import head_view
from headtests.report.words.other_model import differing
from headtests.report.words.page_budget import Caps
from headtests.report.words.prompt_searches import NO_PROOF, SearchCard, refuted, search_card
from headtests.report.words.sessions import SessionText, session_view
from headtests.report.words.text import NAME_LIMIT, brief, plain
from headtests.wording import count

_ANCHOR = re.compile(r"[A-Za-z0-9-]+")
_OF_THE_PAGE = (
    "filters",
    *(
        f"filter-{part}"
        for part in ("verdict", "head", "model", "compared", "text", "clear", "count")
    ),
)
"""Ids of the page's filters, which no claim may use as its anchor."""
_COMPARED = (
    ("drifted", "drifted"),
    ("unchanged", "unchanged"),
    ("differs", "different verdict on the other model"),
    ("same", "same verdict on the other model"),
    ("none", "no verdict on the other model"),
)
"""The results of comparisons with baselines and other models."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many claims have one verdict, or one result of a comparison."""

    verdict: str
    symbol: str
    number: int
    words: str


@dataclass(frozen=True, slots=True)
class UnmeasuredTests:
    """Tests without a decided claim that ended with the same outcome and message."""

    outcome: str
    message: str
    tests: list[str]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole page."""

    title: str
    claims_in_words: str
    models: list[str]
    created: str
    versions: list[str]
    """The commit and the most important versions."""
    complete: bool
    incomplete_reason: str
    tallies: list[Tally]
    comparisons: list[Tally]
    """How many claims drifted, and how many have a different verdict on another model; no zeros."""
    compared: list[tuple[str, str]]
    """The filter's options for comparisons: value and label."""
    false_decisions: str
    """The rate of the whole run; empty where no claim has a rate."""
    seeds: list[str]
    """What to know of seeds that were chosen or changed; empty where all are the default."""
    what_alpha_means: list[str]
    claims: list[Claim]
    troubles: list[Trouble]
    """Errors that many explanations share."""
    searches: list[SearchCard]
    no_proof: str
    broken: int
    """How many claims about prompts are broken by a prompt."""
    broken_in_words: str
    maps: list[ModelMap]
    unmeasured: list[UnmeasuredTests]
    unmeasured_in_words: str
    sessions: list[SessionText]
    stale: list[Stale]
    """Baselines whose claims are no longer made, by file."""
    stale_in_words: str
    unrecorded: str
    """How many claims have no baseline, in words; empty where all have one."""
    heads: list[HeadCard]
    environment: Mapping[str, str]


def report(record: Record, caps: Caps) -> Report:
    """Return everything that a page shows of a record, with as many rows as `caps` allows."""
    sessions = {
        session["key"]: session_view(session, f"session_{place}")
        for place, session in enumerate(record["sessions"], start=1)
    }
    claims, of_claims = record["claims"], _anchors(record["claims"])
    anchors, models = _head_anchors(record)
    labels = _labels(record["sessions"])
    numbers = {model: f"model_{place}" for place, model in enumerate(labels, start=1)}
    places = Anchors(
        sessions=sessions,
        records={session["key"]: session for session in record["sessions"]},
        models={session["key"]: numbers[identity(session)] for session in record["sessions"]},
        heads=anchors,
        measured={
            head["key"]: (
                head,
                head_view(head, sessions.get(head["session"]), caps),
            )
            for head in record["heads"]
        },
        explained=placed(record, of_claims, anchors, caps),
    )
    axes = axes_of(claims)
    cards = [
        claim_card(claim, anchor, places, axes, caps)
        for claim, anchor in zip(claims, of_claims, strict=True)
    ]
    verdicts = Counter[str](claim["verdict"] for claim in claims)
    tallies = [
        Tally(verdict, SYMBOLS[verdict], verdicts[verdict], words)
        for verdict, words in PAST.items()
    ]
    summary = ", ".join(tally(verdicts.elements()))
    unmeasured = len(record["unmeasured"])
    broken = len(refuted(record["searches"]))
    if broken:
        summary = f"{summary or 'no claims'}, {broken} broken by a prompt"
    return Report(
        title=f"headtests: {summary or 'no claims'}",
        claims_in_words=_in_words(len(cards), len(record["searches"])),
        models=list(labels.values()),
        created=moment(record["created"]),
        versions=versions_of(record["environment"]),
        complete=record["complete"],
        incomplete_reason=record["incomplete_reason"],
        tallies=tallies,
        comparisons=_comparisons(claims),
        compared=_compared(cards),
        false_decisions=false_decisions(record),
        seeds=seeds(record),
        what_alpha_means=what_alpha_means(record),
        claims=cards,
        troubles=places.explained.troubles,
        searches=[
            search_card(search, f"search_{place}", _named(sessions, search["session"]), caps)
            for place, search in enumerate(record["searches"], start=1)
        ],
        no_proof=NO_PROOF,
        broken=broken,
        broken_in_words=f"of {count(len(record['searches']), 'claim')} broken by a prompt",
        maps=maps(record["sessions"], claims, anchors),
        unmeasured=_unmeasured(record["unmeasured"]),
        unmeasured_in_words=f"{'test' if unmeasured == 1 else 'tests'} without a claim",
        sessions=list(sessions.values()),
        stale=stale(record["stale"]),
        stale_in_words=count(len(record["stale"]), "baseline"),
        unrecorded=f"{count(record['unrecorded'], 'claim')} without a baseline"
        if record["unrecorded"]
        else "",
        heads=head_cards(cards, places, models),
        environment=record["environment"],
    )


def _in_words(claims: int, searches: int) -> str:
    """Return how many claims of each kind there are."""
    parts = [count(claims, "claim")] if claims or not searches else []
    return " and ".join([*parts, *([count(searches, "searched claim")] if searches else [])])


def _named(sessions: Mapping[str, SessionText], key: str) -> str:
    return sessions[key].model if key in sessions else ""


def _comparisons(claims: Sequence[ClaimRecord]) -> list[Tally]:
    moved, unlike = len(drifted(claims)), len(differing(claims))
    recorded = sum(claim["drift"] is not None for claim in claims)
    both = sum(claim["against"] is not None for claim in claims)
    tallies = [
        Tally("drifted", DRIFTED, moved, f"of {count(recorded, 'claim')} drifted"),
        Tally("differs", DRIFTED, unlike, f"of {both:,} with another verdict on the other model"),
    ]
    return [item for item in tallies if item.number]


def _compared(claims: Sequence[Claim]) -> list[tuple[str, str]]:
    """Return the filter's options for comparisons, with the number of claims of each."""
    numbers = Counter(word for claim in claims for word in claim.compared_with.split())
    return [(word, f"{words} ({numbers[word]})") for word, words in _COMPARED if numbers[word]]


def _head_anchors(record: Record) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    """Return the anchor of each head by session and name, and the model of each anchor.

    A head of one model has one card for all of its corpora.
    """
    models = {session["key"]: identity(session) for session in record["sessions"]}
    labels = _labels(record["sessions"])
    mentioned = [
        (claim["session"], str(head)) for claim in record["claims"] for head in heads_of(claim)
    ]
    mentioned += [(head["session"], head["name"]) for head in record["heads"]]
    mentioned += [(item["session"], item["name"]) for item in record["explanations"]]
    anchors: dict[tuple[tuple[str, ...], str], str] = {}
    of_head: dict[tuple[str, str], str] = {}
    of_model: dict[str, str] = {}
    for session, name in dict.fromkeys(mentioned):
        model = models.get(session, (session,))
        anchor = anchors.setdefault((model, name), f"head_{len(anchors) + 1}")
        of_head[session, name] = anchor
        of_model[anchor] = labels.get(model) or brief(model[0])
    return of_head, of_model


def _labels(sessions: Sequence[SessionRecord]) -> dict[tuple[str, ...], str]:
    """Return a distinct name for each model, by its identity."""
    models = {identity(session): session["model"] for session in sessions}
    by_name: dict[str, list[ModelRecord]] = {}
    for model in models.values():
        by_name.setdefault(brief(model["name"]), []).append(model)
    return {
        key: brief(model["name"])
        if len(namesakes := by_name[brief(model["name"])]) == 1
        else f"{brief(model['name'])} ({_version_of(model, namesakes)})"
        for key, model in models.items()
    }


def _version_of(model: ModelRecord, namesakes: Sequence[ModelRecord]) -> str:
    """Return what tells a model from others of the same name: its revision, dtype or weights."""
    weights = f"weights {model['weights_sha256'][:8]}"
    if len({namesake["revision"] for namesake in namesakes}) == len(namesakes):
        return plain(model["revision"] or weights, NAME_LIMIT)
    differ = len({namesake["dtype"] for namesake in namesakes}) == len(namesakes)
    return plain(model["dtype"] if differ else weights, NAME_LIMIT)


def _unmeasured(tests: list[UnmeasuredRecord]) -> list[UnmeasuredTests]:
    """Return the tests grouped by outcome and message: one missing model stops many tests."""
    alike: dict[tuple[str, str], list[str]] = {}
    for test in tests:
        alike.setdefault((test["outcome"], test["message"]), []).append(test["test"])
    return [UnmeasuredTests(outcome, message, names) for (outcome, message), names in alike.items()]


def _anchors(claims: Sequence[ClaimRecord]) -> list[str]:
    """Return an anchor for each claim: its id where that is valid and free, else its number.

    All other anchors of the page contain an underscore, which a valid id does not.
    """
    anchors: list[str] = []
    taken = set(_OF_THE_PAGE)
    for place, claim in enumerate(claims, start=1):
        is_valid = _ANCHOR.fullmatch(claim["id"]) and claim["id"] not in taken
        anchors.append(claim["id"] if is_valid else f"claim_{place}")
        taken.add(claim["id"])
    return anchors


def versions_of(environment: Mapping[str, str]) -> list[str]:
    """Return the commit and the most important versions."""
    shown = ("headtests", "torch", "transformers", "transformer-lens", "python")
    versions = [f"{name} {environment[name]}" for name in shown if name in environment]
    commit = environment.get("commit")
    return [*([f"commit {commit}"] if commit else []), *versions]


def moment(created: str) -> str:
    """Return a time to the minute, in digits only: names of months depend on the locale."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return created
    return f"{moment:%Y-%m-%d, %H:%M %Z}".strip()
