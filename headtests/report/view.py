"""What the page shows, in the order in which it shows it: the record as plain words and anchors.

The one place that knows how claims, heads and sessions refer to each other. No HTML.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from headtests.records import ClaimRecord, ModelRecord, Record, SessionRecord, UnmeasuredRecord
from headtests.report.cards import Claim, HeadCard, Places, claim_card, head_cards
from headtests.report.claims import SYMBOLS
from headtests.report.decisions import false_decisions, what_alpha_means
from headtests.report.explained import Trouble, placed
from headtests.report.figures import count
from headtests.report.heads import head_view
from headtests.report.maps import ModelMap, heads_of, identity, maps
from headtests.report.room import Caps
from headtests.report.sessions import Session, session_view
from headtests.report.strips import axes_of
from headtests.report.text import NAME_LIMIT, brief, plain

_ANCHOR = re.compile(r"[A-Za-z0-9-]+")
_OF_THE_PAGE = (
    "filters",
    *(f"filter-{part}" for part in ("verdict", "head", "model", "text", "clear", "count")),
)
"""What the page calls its filters, which are no claim's to take."""
_VERDICTS = (("holds", "held"), ("refuted", "refuted"), ("undecided", "undecided"))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many claims met one verdict."""

    verdict: str
    symbol: str
    number: int
    words: str


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """Tests that ended alike, and for the same reason, without a decided claim."""

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
    """What ran, in brief: the commit, and the versions of what matters most."""
    complete: bool
    incomplete_reason: str
    tallies: list[Tally]
    false_decisions: str
    """The rate of the whole run; empty where no claim has one."""
    what_alpha_means: list[str]
    claims: list[Claim]
    troubles: list[Trouble]
    """Why many explanations were not to be had."""
    maps: list[ModelMap]
    unmeasured: list[Unmeasured]
    unmeasured_in_words: str
    sessions: list[Session]
    heads: list[HeadCard]
    environment: Mapping[str, str]


def report(record: Record, caps: Caps) -> Report:
    """Return everything that a page shows of a record, and no more rows than it may."""
    sessions = {
        session["key"]: session_view(session, f"session_{place}")
        for place, session in enumerate(record["sessions"], start=1)
    }
    claims, of_claims = record["claims"], _anchors(record["claims"])
    anchors, models = _head_anchors(record)
    labels = _labels(record["sessions"])
    numbers = {model: f"model_{place}" for place, model in enumerate(labels, start=1)}
    places = Places(
        sessions=sessions,
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
    tallies = [
        Tally(verdict, SYMBOLS[verdict], sum(c.verdict == verdict for c in cards), words)
        for verdict, words in _VERDICTS
    ]
    summary = ", ".join(f"{tally.number} {tally.words}" for tally in tallies if tally.number)
    unmeasured = len(record["unmeasured"])
    return Report(
        title=f"headtests: {summary or 'no claims'}",
        claims_in_words=count(len(cards), "claim"),
        models=list(labels.values()),
        created=_moment(record["created"]),
        versions=_versions(record["environment"]),
        complete=record["complete"],
        incomplete_reason=record["incomplete_reason"],
        tallies=tallies,
        false_decisions=false_decisions(record),
        what_alpha_means=what_alpha_means(record),
        claims=cards,
        troubles=places.explained.troubles,
        maps=maps(record["sessions"], claims, anchors),
        unmeasured=_unmeasured(record["unmeasured"]),
        unmeasured_in_words=f"{'test' if unmeasured == 1 else 'tests'} without a claim",
        sessions=list(sessions.values()),
        heads=head_cards(cards, places, models),
        environment=record["environment"],
    )


def _head_anchors(record: Record) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    """Return the anchor of each head, by session and name, and the model of each anchor.

    A head of one model has one card, whatever corpora it was measured on.
    """
    models = {session["key"]: identity(session) for session in record["sessions"]}
    labels = _labels(record["sessions"])
    mentioned = [
        (claim["session"], str(head)) for claim in record["claims"] for head in heads_of(claim)
    ]
    mentioned += [(head["session"], head["name"]) for head in record["heads"]]
    mentioned += [(one["session"], one["name"]) for one in record["explanations"]]
    anchors: dict[tuple[tuple[str, ...], str], str] = {}
    found: dict[tuple[str, str], str] = {}
    of_model: dict[str, str] = {}
    for session, name in dict.fromkeys(mentioned):
        model = models.get(session, (session,))
        anchor = anchors.setdefault((model, name), f"head_{len(anchors) + 1}")
        found[session, name] = anchor
        of_model[anchor] = labels.get(model) or brief(model[0])
    return found, of_model


def _labels(sessions: Sequence[SessionRecord]) -> dict[tuple[str, ...], str]:
    """Return what each model is called on the page, by its identity: no two alike."""
    models = {identity(session): session["model"] for session in sessions}
    called = Counter(brief(model["name"]) for model in models.values())
    return {
        key: brief(model["name"])
        if called[brief(model["name"])] == 1
        else f"{brief(model['name'])} ({_version_of(model)})"
        for key, model in models.items()
    }


def _version_of(model: ModelRecord) -> str:
    """Return what tells a model from another of its name: its revision, or its weights."""
    return plain(model["revision"] or f"weights {model['weights_sha256'][:8]}", NAME_LIMIT)


def _unmeasured(tests: list[UnmeasuredRecord]) -> list[Unmeasured]:
    """Return the tests by how they ended: one model that is not to be had stops many of them."""
    alike: dict[tuple[str, str], list[str]] = {}
    for test in tests:
        alike.setdefault((test["outcome"], test["message"]), []).append(test["test"])
    return [Unmeasured(outcome, message, names) for (outcome, message), names in alike.items()]


def _anchors(claims: Sequence[ClaimRecord]) -> list[str]:
    """Return an anchor a claim: its id where that is fit and free, else its number.

    The page's other anchors have an underscore, which a fit id has not, so that they never meet.
    """
    anchors: list[str] = []
    taken = set(_OF_THE_PAGE)
    for place, claim in enumerate(claims, start=1):
        fit = _ANCHOR.fullmatch(claim["id"]) and claim["id"] not in taken
        anchors.append(claim["id"] if fit else f"claim_{place}")
        taken.add(claim["id"])
    return anchors


def _versions(environment: Mapping[str, str]) -> list[str]:
    shown = ("headtests", "torch", "transformers", "transformer-lens", "python")
    found = [f"{name} {environment[name]}" for name in shown if name in environment]
    commit = environment.get("commit")
    return [*([f"commit {commit}"] if commit else []), *found]


def _moment(created: str) -> str:
    """Return a time to the minute, in figures alone: names of months vary with the locale."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return created
    return f"{moment:%Y-%m-%d, %H:%M %Z}".strip()
