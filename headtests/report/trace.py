"""The page of a trace: the same claims at successive checkpoints of a model.

Records in, HTML out. Running the checkpoints is `headtests.cli.checkpoint_runs`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from headtests.records import ClaimRecord, Record, SessionRecord
from headtests.records.json_files import write_text_atomically
from headtests.report.charts.checkpoint_tracks import MISSING, Track, track
from headtests.report.page.html import environment
from headtests.report.words.claims import (
    SYMBOLS,
    at_fixed,
    comparison,
    documents_in_brief,
    interval_in_brief,
)
from headtests.report.words.claims import tally as by_verdict
from headtests.report.words.sessions import Fact, session_view
from headtests.report.words.text import brief, plain
from headtests.wording import count

_NUMBERED = re.compile(r"(\D*?)[-_ ]*(\d+)")
_REASON_LIMIT = 300
"""Characters of the reason why a claim is missing; the checkpoint's own report has all of it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint and the record of its run."""

    name: str
    record: Record | None
    """None where it could not run."""
    trouble: str = ""
    """Why it could not run; else empty."""
    page: str = ""
    """The path of its own report, relative to the trace's page; empty where there is none."""


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A claim at one checkpoint: a row of its table."""

    name: str
    verdict: str
    """Empty where the claim was not measured."""
    symbol: str
    words: str
    """The verdict, or why there is none."""
    estimate: str = ""
    interval: str = ""
    documents: str = ""
    """Those of the estimate: as many at each checkpoint."""
    decided_by: str = ""
    """The documents that decided the claim."""


@dataclass(frozen=True, slots=True)
class Series:
    """One claim at every checkpoint."""

    anchor: str
    record: ClaimRecord
    """The claim at the first checkpoint where it was measured."""
    rows: list[CheckpointRow]
    track: Track


@dataclass(frozen=True, slots=True)
class Ran:
    """One checkpoint as the page shows it."""

    name: str
    label: str
    """Its name on the axes."""
    page: str
    models: list[str]
    weights: list[str]
    """The hash of each model's weights."""
    tally: str
    trouble: str
    groups: list[tuple[str, list[Fact]]]


@dataclass(frozen=True, slots=True)
class TracePage:
    """The whole page."""

    heading: str
    created: str
    warnings: list[str]
    troubled: str
    """How many checkpoints could not run, in words; empty where all ran."""
    runs: list[Ran]
    claims: list[Series]
    environment: Mapping[str, str]
    """The environment of the last checkpoint that ran."""


def write_trace(checkpoints: Sequence[Checkpoint], path: Path) -> None:
    """Write the page as one HTML file in UTF-8, creating its folder.

    Raises `OSError` where the file cannot be written.
    """
    write_text_atomically(path, render_trace(checkpoints))


def render_trace(checkpoints: Sequence[Checkpoint]) -> str:
    """Return the page of some checkpoints, in the given order: self-contained, without a script."""
    return environment().get_template("trace.html").render(trace=trace(checkpoints))


def trace(checkpoints: Sequence[Checkpoint]) -> TracePage:
    """Return everything that the page shows."""
    title, labels = short_names([checkpoint.name for checkpoint in checkpoints])
    runs = [_numbered(checkpoint.record) for checkpoint in checkpoints]
    claims = [
        _series(f"claim_{place}", key, checkpoints, runs, labels, title)
        for place, key in enumerate(_in_order(runs), start=1)
    ]
    ran = [item.record for item in checkpoints if item.record is not None]
    troubled = len(checkpoints) - len(ran)
    return TracePage(
        heading=f"{count(len(claims), 'claim')} along {count(len(checkpoints), 'checkpoint')}",
        created=ran[-1]["created"][:16].replace("T", ", ") if ran else "",
        warnings=warnings(checkpoints),
        troubled=count(troubled, "checkpoint") if troubled else "",
        runs=[
            _ran(item, label, len(claims)) for item, label in zip(checkpoints, labels, strict=True)
        ],
        claims=claims,
        environment=ran[-1]["environment"] if ran else {},
    )


def short_names(names: Sequence[str]) -> tuple[str, list[str]]:
    """Return the title of the axis of checkpoints, and a label for each checkpoint.

    Labels are the numbers at the end of the names where the names differ only in these; else the
    positions in the list.

    >>> short_names(["step-000000", "step-000125", "step-004000"])
    ('step', ['0', '125', '4,000'])
    >>> short_names(["early", "late"])
    ('checkpoint', ['1', '2'])
    """
    numbered = [_NUMBERED.fullmatch(name) for name in names]
    prefixes = {match[1] for match in numbered if match}
    # A longer number is not a count of steps, and may have more digits than int() reads.
    if all(match and len(match[2]) < 16 for match in numbered) and len(prefixes) == 1:
        return prefixes.pop() or "checkpoint", [f"{int(match[2]):,}" for match in numbered if match]
    return "checkpoint", [str(place) for place in range(1, len(names) + 1)]


def warnings(checkpoints: Sequence[Checkpoint]) -> list[str]:
    """Return why figures of these checkpoints may not be comparable, a sentence per reason."""
    ran = [(item.name, item.record) for item in checkpoints if item.record is not None]
    sentences: list[str] = []
    shapes = {name: _shapes(record) for name, record in ran}
    if len(set(shapes.values())) > 1:
        listed = "; ".join(f"{name}: {', '.join(shape)}" for name, shape in shapes.items())
        sentences.append(
            "These are not checkpoints of one model, so heads of one name are not the same head "
            f"({listed})."
        )
    corpora = {name: _ids(record) for name, record in ran}
    names = dict.fromkeys(corpus for ids in corpora.values() for corpus in ids)
    differ = [
        name for name in names if len({ids[name] for ids in corpora.values() if name in ids}) > 1
    ]
    if differ:
        sentences.append(
            f"The documents of {', '.join(differ)} differ between checkpoints, because of the "
            "tokenizer or the texts, so figures are not of the same rows."
        )
    return sentences


def _shapes(record: Record) -> tuple[str, ...]:
    shapes = []
    for session in record["sessions"]:
        model = session["model"]
        size = f"{count(model['layers'], 'layer')} by {model['heads']} heads"
        shapes.append(f"{model['architecture']} of {size}")
    return tuple(dict.fromkeys(shapes))


def _ids(record: Record) -> dict[str, str]:
    """Return the hash of the token ids of each corpus, by its name."""
    return {
        session["corpus"]["name"]: session["corpus"]["sha256"] for session in record["sessions"]
    }


_Key = tuple[str, str, int]
"""Test, expression, and a number among claims that have both in common."""


def _numbered(record: Record | None) -> dict[_Key, ClaimRecord]:
    seen: Counter[tuple[str, str]] = Counter()
    numbered = {}
    for claim in record["claims"] if record is not None else ():
        alike = claim["test"], claim["expression"]
        numbered[*alike, seen[alike]] = claim
        seen[alike] += 1
    return numbered


def _in_order(runs: Sequence[Mapping[_Key, ClaimRecord]]) -> list[_Key]:
    """Return the claims of all checkpoints, those of a test together, in the order they were made.

    A test that fails makes no more claims, so the record with the most claims comes first.
    """
    of_tests: dict[str, dict[_Key, None]] = {}
    for claims in sorted(runs, key=len, reverse=True):
        for key in claims:
            of_tests.setdefault(key[0], {})[key] = None
    return [key for keys in of_tests.values() for key in keys]


def _series(
    anchor: str,
    key: _Key,
    checkpoints: Sequence[Checkpoint],
    runs: Sequence[Mapping[_Key, ClaimRecord]],
    labels: Sequence[str],
    title: str,
) -> Series:
    claims = [run.get(key) for run in runs]
    return Series(
        anchor=anchor,
        record=next(claim for claim in claims if claim is not None),
        rows=[_row(item, claim, key) for item, claim in zip(checkpoints, claims, strict=True)],
        track=track(
            [None if claim is None else at_fixed(claim) for claim in claims], labels, title
        ),
    )


def _row(checkpoint: Checkpoint, claim: ClaimRecord | None, key: _Key) -> CheckpointRow:
    if claim is None:
        return CheckpointRow(checkpoint.name, "", MISSING, _why_missing(checkpoint, key[0]))
    return CheckpointRow(
        name=checkpoint.name,
        verdict=claim["verdict"],
        symbol=SYMBOLS[claim["verdict"]],
        words=claim["verdict"],
        estimate=comparison(at_fixed(claim)).estimate,
        interval=interval_in_brief(at_fixed(claim)),
        documents=documents_in_brief(at_fixed(claim)),
        decided_by=documents_in_brief(claim),
    )


def _why_missing(checkpoint: Checkpoint, test: str) -> str:
    if checkpoint.record is None:
        return "missing: the checkpoint could not run"
    ended = [item for item in checkpoint.record["unmeasured"] if item["test"] == test]
    if ended:
        reason = (ended[0]["message"].strip().splitlines() or [""])[0]
        more = f": {plain(reason, _REASON_LIMIT)}" if reason else ""
        return f"missing: its test ended without it ({ended[0]['outcome']}{more})"
    others = [claim["outcome"] for claim in checkpoint.record["claims"] if claim["test"] == test]
    if others:
        return f"missing: its test ended before it ({others[-1] or 'no outcome'})"
    return "missing: its test did not run"


def _ran(checkpoint: Checkpoint, label: str, claims: int) -> Ran:
    record = checkpoint.record
    sessions = record["sessions"] if record is not None else []
    models = {
        (model["name"], model["revision"]): model
        for model in (session["model"] for session in sessions)
    }
    return Ran(
        name=checkpoint.name,
        label=label,
        page=checkpoint.page,
        models=[
            brief(name) if revision is None else f"{brief(name)} at {revision}"
            for name, revision in models
        ],
        weights=list(dict.fromkeys(model["weights_sha256"] for model in models.values())),
        tally="" if record is None else ", ".join(verdict_counts(record, claims)),
        trouble=checkpoint.trouble,
        groups=[group for session in sessions for group in _facts(session)],
    )


def verdict_counts(record: Record, claims: int = 0) -> Iterator[str]:
    """Yield how many claims have each verdict, and how many of `claims` are missing."""
    yield from by_verdict(claim["verdict"] for claim in record["claims"])
    if len(record["claims"]) < claims:
        yield f"{claims - len(record['claims'])} missing"


def _facts(session: SessionRecord) -> list[tuple[str, list[Fact]]]:
    view = session_view(session, "")
    return [(f"{name} ({view.name})", facts) for name, facts in view.groups]
