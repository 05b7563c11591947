"""A record as short Markdown, for the job summary of GitHub Actions.

A record in, text out: the number of claims by verdict, the claims that did not hold and what their
heads do instead, drift, differences from another model, what ran, and what is left out. The rest is
on the HTML page.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from headtests.records import (
    ClaimRecord,
    Record,
    SearchRecord,
    SessionRecord,
    SuggestionRecord,
    UnmeasuredRecord,
)
from headtests.report.words.claims import (
    SYMBOLS,
    WORST_FIRST,
    after_stop_in_brief,
    comparison,
    documents_in_brief,
    interval_in_brief,
    tally,
)
from headtests.report.words.decisions import false_decisions, seeds
from headtests.report.words.drift import before_and_now, drifted, margin, traded
from headtests.report.words.explanations import in_a_line
from headtests.report.words.markdown_escaping import code, code_cell, escaped, row
from headtests.report.words.other_model import differing, names_of
from headtests.report.words.prompt_searches import refuted, search_result
from headtests.report.words.text import NAME_LIMIT
from headtests.wording import count

CLAIMS_SHOWN = 20
"""The most claims in the table; those that did not hold come first."""

_SESSIONS_SHOWN, _NOTES_SHOWN, _CAUSES_SHOWN, _HEADS_SHOWN = 8, 3, 8, 20
_COMPARED_SHOWN, _COMPARED_LIMIT, _TROUBLES_SHOWN = 10, NAME_LIMIT, 2
_CODE_LIMIT = 200
"""Characters of an expression or a test: GitHub limits the summaries of a job to 1 MiB."""
_EXPECTED = {"holds": "passed", "refuted": "failed", "undecided": "undecided"}
"""The outcome of a test that follows from the verdict alone."""


def markdown(record: Record, report: str) -> str:
    """Return the record as Markdown of less than 150 kB; `report` is its page's path, or empty.

    Every string of the record is escaped, so that GitHub neither renders nor links any of it.
    """
    claims = record["claims"]
    verdicts = ", ".join(tally((claim["verdict"] for claim in claims), WORST_FIRST))
    paragraphs = [f"## headtests: {verdicts or 'no claims'}"]
    if not record["complete"]:
        paragraphs.append(f"**Incomplete:** {escaped(record['incomplete_reason'])}")
    if rate := false_decisions(record):
        paragraphs.append(f"Rate of false decisions of this run: {rate}.")
    if said := seeds(record):
        paragraphs.append(f"**{' '.join(said)}**")
    details: list[str] = []
    if claims:
        paragraphs += _table(sorted(claims, key=_place))
        details += [*_drifted(claims), *_against(record), *_instead(record)]
    details += _searched(record["searches"])
    # Without a paragraph between them, two lists would merge.
    paragraphs += [*details, "What ran:"] if details else []
    paragraphs += _some(
        ["\n  - ".join(_of_session(one)) for one in record["sessions"][:_SESSIONS_SHOWN]],
        len(record["sessions"]),
        "model over its corpus",
        "models over their corpora",
    )
    paragraphs += _unmeasured(record["unmeasured"])
    if without := record["unrecorded"]:
        paragraphs.append(
            f"{count(without, 'claim')} without a baseline (`pytest --headtests-record`)."
        )
    if stale := len(record["stale"]):
        paragraphs.append(f"{count(stale, 'baseline')} of claims that are no longer made.")
    paragraphs.append(f"Report: {code(report)}" if report else "No report was written.")
    return "\n\n".join(paragraphs) + "\n"


def _place(claim: ClaimRecord) -> int:
    return WORST_FIRST.index(claim["verdict"])


def _table(claims: Sequence[ClaimRecord]) -> Iterator[str]:
    headings = ("verdict", "claim", "estimate", "interval", "after the stop", "n", "test")
    lines = [row(headings), row(["---"] * len(headings))]
    lines += [row(_cells(claim)) for claim in claims[:CLAIMS_SHOWN]]
    yield "\n".join(lines)
    if any(claim["after_stop"] is not None for claim in claims[:CLAIMS_SHOWN]):
        yield (
            "Reading stops where a claim is decided, so that the estimate lies beyond the true one "
            "on average; the one after the stop does not."
        )
    if left_out := tally((claim["verdict"] for claim in claims[CLAIMS_SHOWN:]), WORST_FIRST):
        yield f"Not in this table: {', '.join(left_out)}."


def _cells(claim: ClaimRecord) -> Iterator[str]:
    verdict, outcome = claim["verdict"], claim["outcome"]
    ended = "" if outcome in ("", _EXPECTED[verdict]) else f" ({escaped(outcome, NAME_LIMIT)})"
    yield f"{SYMBOLS[verdict]} {verdict}{ended}"
    yield code_cell(claim["expression"], _CODE_LIMIT)
    yield comparison(claim).estimate
    yield interval_in_brief(claim)
    yield after_stop_in_brief(claim)
    yield documents_in_brief(claim)
    yield code_cell(claim["test"], _CODE_LIMIT)


def _searched(searches: Sequence[SearchRecord]) -> Iterator[str]:
    """Yield the claims about prompts, those that a prompt breaks first."""
    if not searches:
        return
    broken = f"{len(refuted(searches)):,} of {count(len(searches), 'searched claim')}"
    yield f"**Broken by a prompt: {broken}** (finding none is no proof):"
    ordered = sorted(searches, key=lambda search: search["breaking"] is None)
    lines = [
        f"{code(search['expression'], _COMPARED_LIMIT)}: {escaped(search_result(search))}"
        for search in ordered[:_COMPARED_SHOWN]
    ]
    yield from _some(lines, len(searches), "searched claim")


def _drifted(claims: Sequence[ClaimRecord]) -> Iterator[str]:
    """Yield how many claims drifted from their baselines, and which."""
    recorded, moved = sum(claim["drift"] is not None for claim in claims), drifted(claims)
    if moved:
        yield f"**{len(moved):,} of {count(recorded, 'claim')} drifted** since the baseline:"
        lines = [
            f"{code(claim['expression'], _COMPARED_LIMIT)}: {before_and_now(claim, drift)}, where "
            f"it may move by {margin(claim, drift)}"
            for claim, drift in moved[:_COMPARED_SHOWN]
        ]
        yield from _some(lines, len(moved), "claim")
    elif recorded:
        yield f"Unchanged since their baselines: {count(recorded, 'claim')}."
    places = [(claim, words) for claim in claims if (words := traded(claim))]
    if places:
        yield "Unchanged on average, though not document by document:"
        lines = [
            f"{code(claim['expression'], _COMPARED_LIMIT)}: {words}"
            for claim, words in places[:_COMPARED_SHOWN]
        ]
        yield from _some(lines, len(places), "claim")


def _against(record: Record) -> Iterator[str]:
    """Yield how many claims have a different verdict on another model, and which."""
    claims, models = record["claims"], {item["key"]: item for item in record["sessions"]}
    asked = [claim["against"] for claim in claims if claim["against"] is not None]
    unlike = differing(claims)
    if unlike:
        share = f"{len(unlike):,} of {count(len(asked), 'claim')}"
        yield f"{share} with another verdict on the other model:"
        lines = []
        for claim, other in unlike[:_COMPARED_SHOWN]:
            _, name = names_of(claim["session"], other["session"], models)
            lines.append(
                f"{code(claim['expression'], _COMPARED_LIMIT)}: {claim['verdict']}, and "
                f"{other['verdict']} on {escaped(name, _COMPARED_LIMIT)}"
            )
        yield from _some(lines, len(unlike), "claim")
    same = sum(other["verdict"] is not None for other in asked) - len(unlike)
    if same:
        yield f"With the same verdict on the other model: {count(same, 'claim')}."
    troubles = Counter(other["trouble"] for other in asked if other["trouble"])
    yield from (
        f"Not compared with the other model, {count(number, 'claim')}: "
        f"{escaped(trouble, _CODE_LIMIT)}"
        for trouble, number in troubles.most_common(_TROUBLES_SHOWN)
    )
    yield from _more(len(troubles) - _TROUBLES_SHOWN, "cause")


def _instead(record: Record) -> Iterator[str]:
    """Yield what the heads of claims that did not hold do instead, as measured.

    One line per head: its best suggestion that held on texts other than those it was made from.
    """
    failed = {claim["id"] for claim in record["claims"] if claim["verdict"] != "holds"}
    best_of: dict[tuple[str, str], SuggestionRecord] = {}
    for explanation in record["explanations"]:
        held = [
            suggestion
            for suggestion in explanation["suggestions"]
            if suggestion["verdict"] == "holds" and _is_enriched(suggestion)
        ]
        if held and not failed.isdisjoint(explanation["claims"]):
            head = explanation["session"], explanation["name"]
            best_of[head] = max([*held, *filter(None, [best_of.get(head)])], key=_mass)
    if best_of:
        yield "What was measured of these heads on other texts:"
        lines = [
            f"{code(name, NAME_LIMIT)}: {escaped(in_a_line(best))}"
            for (_, name), best in list(best_of.items())[:_HEADS_SHOWN]
        ]
        yield from _some(lines, len(best_of), "head")


def _mass(suggestion: SuggestionRecord) -> float:
    return suggestion["mass"]["value"] if suggestion["mass"] else 0.0


def _of_session(session: SessionRecord) -> Iterator[str]:
    """Yield what ran in a session, then the notes on its corpus."""
    model, corpus = session["model"], session["corpus"]
    dtype, device = escaped(model["dtype"], NAME_LIMIT), escaped(model["device"], NAME_LIMIT)
    yield (
        f"{code(model['name'], NAME_LIMIT)} over {escaped(corpus['description'], _CODE_LIMIT)}: "
        f"{session['documents_run']:,} of {count(corpus['documents'], 'document')} run, "
        f"{count(session['tokens_run'], 'token')}, {dtype} on {device}"
    )
    if session["results_kept"]:
        yield f"{count(session['results_kept'], 'result')} kept from earlier runs"
    notes = corpus["notes"]
    yield from (escaped(note, _CODE_LIMIT) for note in notes[:_NOTES_SHOWN])
    yield from _more(len(notes) - _NOTES_SHOWN, "note")


def _unmeasured(tests: Sequence[UnmeasuredRecord]) -> Iterator[str]:
    """Yield the number of tests without a decided claim, by outcome and message."""
    if not tests:
        return
    causes = Counter((test["outcome"], test["message"]) for test in tests)
    yield f"{count(len(tests), 'test')} without a claim:"
    lines = [
        f"{number:,} {escaped(outcome, NAME_LIMIT)}: {escaped(message, _CODE_LIMIT)}"
        for (outcome, message), number in causes.most_common(_CAUSES_SHOWN)
    ]
    yield from _some([line.removesuffix(": ") for line in lines], len(causes), "cause")


def _some(lines: Sequence[str], of: int, singular: str, plural: str = "") -> Iterator[str]:
    """Yield the first lines of a list, and how many of its lines are left out."""
    if lines:
        yield "\n".join(f"- {line}" for line in lines)
    yield from _more(of - len(lines), singular, plural)


def _more(left_out: int, singular: str, plural: str = "") -> Iterator[str]:
    if left_out > 0:
        yield f"and {count(left_out, f'more {singular}', plural and f'more {plural}')}"


def _is_enriched(suggestion: SuggestionRecord) -> bool:
    """Return whether the head attends to those keys more than uniform attention would."""
    lift = suggestion["share_lift"] or suggestion["lift"]
    return lift is not None and lift["low"] is not None and lift["low"] > 1
