"""The terminal output at the end of a run: undecided tests, claims, and what was run.

Text only; every figure comes from the record.
"""

import os
import textwrap
from collections import Counter

import pytest

from headtests.io.escaping import legible
from headtests.plugin import claim_table, could_not_run, undecided
from headtests.plugin.undecided import YELLOW
from headtests.records import (
    AgainstRecord,
    ClaimRecord,
    DriftRecord,
    ExplanationRecord,
    Record,
    SearchRecord,
    SessionRecord,
)
from headtests.report.words.decisions import seeds
from headtests.report.words.drift import traded
from headtests.report.words.prompt_searches import search_result
from headtests.wording import quartiles

COLOURS = {
    "passed": {"green": True},
    "failed": {"red": True},
    "error": {"red": True},
}
"""The colours of outcomes, as in pytest; all other outcomes are yellow."""
OWN_OUTCOMES = ("undecided", could_not_run.OUTCOME)
"""The outcomes that pytest does not know."""
SHOWN_EXPLANATIONS = 5
"""How many explanations are shown, a sentence each; the report has all."""
WITHOUT_CLAIM = {
    "passed": "passed without a claim",
    "failed": "failed before a claim",
    "error": "error before a claim",
}
"""The words for a test without a claim, by its outcome; other outcomes are printed as they are."""
SUMMARISED = {
    "x": "xfailed",
    "X": "xpassed",
    "f": "failed",
    "s": "skipped",
    "p": "passed",
    "E": "error",
}
"""The letters of pytest's `-r` with lines in its short summary, and their outcomes."""


def write_line(reporter: pytest.TerminalReporter, text: str, **markup: bool) -> None:
    """Print a line of text that may come from anywhere."""
    reporter.write_line(legible(text), **markup)


def failure_sections(reporter: pytest.TerminalReporter) -> None:
    """Print the messages of undecided tests and of tests that could not run, as for failures."""
    for outcome in OWN_OUTCOMES:
        _messages(reporter, outcome)


def _messages(reporter: pytest.TerminalReporter, outcome: str) -> None:
    option = reporter.config.option
    # A report for which the debugger was entered was shown there.
    reports = [
        report for report in reporter.stats.get(outcome, ()) if not hasattr(report, "_pdbshown")
    ]
    if option.tbstyle == "no" or option.no_summary or not reports:
        return
    reporter.write_sep("=", outcome.upper(), **YELLOW)
    for report in reports:
        if option.tbstyle == "line":
            crash = getattr(report.longrepr, "reprcrash", None)
            place = "" if crash is None else f"{crash.path}:{crash.lineno}: "
            write_line(reporter, f"{place}{_first_line(report)}")
        else:
            reporter.write_sep("_", legible(report.head_line or ""), **YELLOW, bold=True)
            _message(reporter, report)


def _message(reporter: pytest.TerminalReporter, report: pytest.TestReport) -> None:
    if report.skipped:
        write_line(reporter, _reason(report))
    else:
        report.toterminal(reporter.config.get_terminal_writer())
    captured = reporter.config.option.showcapture
    for name, content in report.sections:
        if captured == "all" or (captured != "no" and captured in name):
            reporter.write_sep("-", name)
            reporter.write_line(content.removesuffix("\n"))


def _reason(report: pytest.TestReport) -> str:
    """Return the message of a report."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return report.longreprtext if crash is None else str(crash.message)


def _first_line(report: pytest.TestReport) -> str:
    return _reason(report).partition("\n")[0]


def short_summary(reporter: pytest.TerminalReporter) -> None:
    """Print a line for each undecided test, and each that could not run, in the short summary.

    `-rf` (`-rs` if they are skipped) shows undecided tests; `-rE` shows those that could not run.
    """
    letters, option = reporter.reportchars, reporter.config.option
    reports = [
        report
        for report in reporter.stats.get("undecided", ())
        if ("s" if report.skipped else "f") in letters
    ]
    reports += reporter.stats.get(could_not_run.OUTCOME, ()) if "E" in letters else ()
    if not reports or option.no_summary:
        return
    if not any(
        reporter.stats.get(SUMMARISED[letter]) for letter in letters if letter in SUMMARISED
    ):
        reporter.write_sep("=", "short test summary info", cyan=True, bold=True)
    for report in reports:
        _short_line(reporter, report)


def _short_line(reporter: pytest.TerminalReporter, report: pytest.TestReport) -> None:
    config, writer = reporter.config, reporter.config.get_terminal_writer()
    file, _, name = report.nodeid.partition("::")
    place = os.path.relpath(config.rootpath / file, config.invocation_params.dir)
    word, reason = _word(report), _first_line(report)
    for outcome in OWN_OUTCOMES:
        reason = reason.removeprefix(f"{outcome}: ")
    whole = config.option.verbose >= 2 or any(map(os.environ.get, ("CI", "BUILD_NUMBER")))
    room = writer.fullwidth - len(f"{word} {place}::{name} - ")
    if (config.option.force_short_summary or not whole) and len(reason) > room:
        reason = f"{reason[: room - 3]}..." if room > 3 else ""
    word, place, name, reason = map(legible, (word, place, name, reason))
    reporter.write_line(
        f"{writer.markup(word, **YELLOW)} {place}::{writer.markup(name, bold=True)}"
        f"{' - ' if reason else ''}{reason}"
    )


def _word(report: pytest.TestReport) -> str:
    return could_not_run.WORD if could_not_run.could_not_run(report) else undecided.word(report)


def summary(reporter: pytest.TerminalReporter, record: Record) -> None:
    """Print a line a claim, then what was run."""
    reporter.write_sep("=", "claims")
    _claims(reporter, record["claims"])
    _unmeasured(reporter, record)
    _verdicts(reporter, record["claims"])
    _rate(reporter, record)
    _against(reporter, record["claims"])
    _drift(reporter, record)
    _searches(reporter, record["searches"])
    _explanations(reporter, record["explanations"])
    for session in record["sessions"]:
        _session(reporter, session)
    if not record["complete"]:
        write_line(reporter, f"incomplete: {record['incomplete_reason']}", yellow=True)


def _claims(reporter: pytest.TerminalReporter, claims: list[ClaimRecord]) -> None:
    if not claims:
        return
    writer = reporter.config.get_terminal_writer()
    colours = [{}, *(COLOURS.get(claim["outcome"], YELLOW) for claim in claims)]
    lines = claim_table.lines(claims, writer.fullwidth)
    for line, colour in zip(lines, colours, strict=True):
        before, outcome, behind = map(legible, (line.before, line.outcome, line.behind))
        reporter.write_line(f"{before}{writer.markup(outcome, **colour)}{behind}")
        if line.below:
            write_line(reporter, line.below)
    after = any(claim["after_stop"] is not None for claim in claims)
    if any(map(claim_table.is_of_two, claims)):
        also = "interval and after are those" if after else "the interval is that"
        _wrapped(reporter, f"Of two statistics, {also} of their difference.")
    if after:
        _wrapped(
            reporter,
            "Reading stops where a claim is decided, so what was measured lies beyond the truth on "
            "average; with the documents after the stop (after), it does not.",
        )
    copies = [claim["left"]["merged_texts"] for claim in claims]
    if beyond := [number for number in copies if number is not None]:
        equal = f" ({_counted(max(beyond), 'text')} left out)" if max(beyond) else ""
        _wrapped(
            reporter,
            "Beyond the corpus, texts are taken for independent draws: equal ones count once"
            f"{equal}, and near-copies void the rate.",
        )


def _unmeasured(reporter: pytest.TerminalReporter, record: Record) -> None:
    """Print the tests without a claim, one line for each outcome and reason."""
    causes: dict[tuple[str, str], list[str]] = {}
    for test in record["unmeasured"]:
        reason = test["message"] if test["outcome"] == "skipped" else ""
        causes.setdefault((test["outcome"], reason), []).append(test["test"])
    for (outcome, reason), tests in causes.items():
        more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
        _wrapped(reporter, f"{WITHOUT_CLAIM.get(outcome, outcome)}: {tests[0]}{more}")
        _wrapped(reporter, reason, indent="  ")


def _verdicts(reporter: pytest.TerminalReporter, claims: list[ClaimRecord]) -> None:
    counts: Counter[str] = Counter(claim["verdict"] for claim in claims)
    tally = ", ".join(
        f"{counts[verdict]} {word}"
        for verdict, word in (("holds", "held"), ("refuted", "refuted"), ("undecided", "undecided"))
        if counts[verdict]
    )
    if tally:
        write_line(reporter, f"{_counted(len(claims), 'claim')}: {tally}")
    undecided_claims = [claim for claim in claims if claim["verdict"] == "undecided"]
    passed = [claim["test"] for claim in undecided_claims if claim["outcome"] == "passed"]
    for test in dict.fromkeys(passed):
        _wrapped(reporter, f"passed with an undecided claim: {test}")
    for line in dict.fromkeys(
        f"{claim['expression']}: {_more(claim)}" for claim in undecided_claims
    ):
        _wrapped(reporter, f"undecided: {line}", indent="  ")


def _more(claim: ClaimRecord) -> str:
    more = claim["more_documents"]
    if more is None:
        return claim["remedy"] or "no number of documents is likely to decide it"
    unit = "document" if claim["left"]["texts"] is None else "text"
    lower, upper = claim["more_documents_quartiles"] or (None, None)
    spread = "" if lower is None else f" ({quartiles(lower, upper)})"
    return f"about {_counted(more, unit)} more{spread}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _rate(reporter: pytest.TerminalReporter, record: Record) -> None:
    """Print the rate of false decisions of the run, and the claims that it does not cover."""
    alphas = [claim["alpha"] for claim in record["claims"] if claim["alpha"] is not None]
    if not alphas:
        return
    each = f", {alphas[0]:g} each" if len(set(alphas)) == 1 else ""
    _wrapped(
        reporter,
        f"rate of false decisions of this run: at most {record['false_decisions']:.3g} "
        f"({_counted(len(alphas), 'claim')}{each})",
    )
    for sentence in seeds(record):
        _wrapped(reporter, sentence, indent="  ")
    before = sum(claim["read_before"] for claim in record["claims"])
    if before:
        _wrapped(
            reporter,
            f"The statistic of {_counted(before, 'claim')} was read before it was compared: the "
            "rate covers a threshold read off it, but no choice among heads or statistics.",
            indent="  ",
        )


def _against(reporter: pytest.TerminalReporter, claims: list[ClaimRecord]) -> None:
    """Print the claims with another verdict on the other model, and the difference of figures."""
    pairs = [(claim, claim["against"]) for claim in claims if claim["against"] is not None]
    if not pairs:
        return
    compared = [(claim, other) for claim, other in pairs if not other["trouble"]]
    differing = [
        (claim, other) for claim, other in compared if other["verdict"] != claim["verdict"]
    ]
    same = _counted(len(compared) - len(differing), "claim")
    write_line(
        reporter,
        f"against the other model: {same} of the same verdict, {len(differing)} of another",
    )
    for claim, other in differing:
        _wrapped(
            reporter,
            f"{claim['expression']}: {claim['verdict']}, there {other['verdict']}{_apart(other)}",
            indent="  ",
        )
    if any(other["verdict"] is not None for _, other in compared):
        _wrapped(
            reporter,
            "The other model's verdicts are decided at the same rate each, which is not in that of "
            "this run.",
            indent="  ",
        )
    for trouble in dict.fromkeys(other["trouble"] for _, other in pairs if other["trouble"]):
        _wrapped(reporter, f"not compared: {trouble}", indent="  ")


def _apart(other: AgainstRecord) -> str:
    """Return the other model's figure, with the difference of both where there is one."""
    value = "" if other["value"] is None else f" at {other['value']:.4g}"
    if other["difference"] is None:
        return value
    on = ""
    if other["difference_documents"] is not None:
        on = f" on the {_counted(other['difference_documents'], 'document')} of both"
    return f"{value} (other less this{on}: {other['difference']:+.4g})"


def _drift(reporter: pytest.TerminalReporter, record: Record) -> None:
    """Print how many claims are unchanged since their baselines, and those that drifted."""
    pairs = [(claim, claim["drift"]) for claim in record["claims"] if claim["drift"] is not None]
    drifted = [(claim, drift) for claim, drift in pairs if drift["status"] == "drifted"]
    if pairs:
        unchanged = len(pairs) - len(drifted)
        write_line(reporter, f"against baselines: {unchanged} unchanged, {len(drifted)} drifted")
    if without := record["unrecorded"]:
        has = "has" if without == 1 else "have"
        _wrapped(
            reporter,
            f"{_counted(without, 'claim')} {has} no baseline (pytest --headtests-record)",
        )
    for claim, drift in drifted:
        difference = "difference " if isinstance(claim["right"], dict) else ""
        _wrapped(
            reporter,
            f"drifted: {claim['expression']}: {difference}{drift['before']:.4g}, now "
            f"{drift['now']:.4g} (margin {drift['room']:.3g}{_documents_moved(drift)})",
            indent="  ",
        )
    for claim, _ in pairs:
        if words := traded(claim):
            _wrapped(reporter, f"unchanged: {claim['expression']}: {words}", indent="  ")
    for stale in record["stale"]:
        _wrapped(
            reporter,
            f"stale: {stale['file']} holds {stale['claim']} of {stale['test']}, which is no longer "
            "made",
            indent="  ",
        )


def _documents_moved(drift: DriftRecord) -> str:
    by = drift["mean_absolute"]
    return "" if by is None else f"; its documents moved by {by:.3g} on average"


def _searches(reporter: pytest.TerminalReporter, searches: list[SearchRecord]) -> None:
    """Print the result of each claim about prompts, and kept prompts that no longer break it."""
    for search in searches:
        _wrapped(reporter, f"searched: {search['expression']}: {search_result(search)}")
        if search["breaking"] is not None:
            _wrapped(reporter, search["breaking"]["replay"], indent="  ")
        for quiet in search["quiet"]:
            value = quiet["margin"]
            margin = "no eligible row" if value is None else f"margin {value:.3g}"
            tokens = f"{len(quiet['ids'])} tokens"
            _wrapped(
                reporter, f"a kept prompt of {tokens} no longer breaks it: {margin}", indent="  "
            )
        if search["foreign"]:
            kept = _counted(search["foreign"], "kept prompt")
            _wrapped(reporter, f"{kept} of another family, and not tried", indent="  ")


def _explanations(reporter: pytest.TerminalReporter, explanations: list[ExplanationRecord]) -> None:
    """Print the built-in explanations, a sentence each, and errors of all explainers."""
    sentences = [
        explanation["text"].partition(". ")[0].removesuffix(".") + "."
        for explanation in explanations
        if explanation["text"] and not explanation["server"]
    ]
    for sentence in sentences[:SHOWN_EXPLANATIONS]:
        _wrapped(reporter, f"explained: {sentence}")
    if len(sentences) > SHOWN_EXPLANATIONS:
        more = _counted(len(sentences) - SHOWN_EXPLANATIONS, "head")
        write_line(reporter, f"  and {more} more, in the report")
    troubles: dict[tuple[str, str], dict[str, None]] = {}
    for explanation in explanations:
        if explanation["trouble"]:
            key = explanation["explainer"], explanation["trouble"]
            troubles.setdefault(key, {})[explanation["name"]] = None
    for (explainer, trouble), heads in troubles.items():
        _wrapped(reporter, f"not explained by {explainer}: {', '.join(heads)}: {trouble}")


def _session(reporter: pytest.TerminalReporter, session: SessionRecord) -> None:
    corpus, model = session["corpus"], session["model"]
    budget = session["budget"]
    cut = f"{budget:,} of " if budget < corpus["documents"] else ""
    name = model["name"] if model["revision"] is None else f"{model['name']} at {model['revision']}"
    _wrapped(reporter, f"{name} over {cut}{corpus['description']}")
    documents = _counted(session["documents_run"], "document")
    run = f"{documents}, {session['tokens_run']:,} tokens run on {model['device']}"
    notes = [f"{run}, {session['tokens_run_twice']:,} of them twice"]
    if session["results_kept"]:
        results = _counted(session["results_kept"], "result")
        notes.append(f"{results} kept from earlier runs (--headtests-no-cache measures again)")
    for note in (*notes, *corpus["notes"]):
        _wrapped(reporter, note, indent="  ")


def _wrapped(reporter: pytest.TerminalReporter, text: str, indent: str = "") -> None:
    """Print a text, wrapped at the terminal's width; paths are not broken."""
    for line in textwrap.wrap(
        legible(text),
        reporter.config.get_terminal_writer().fullwidth,
        initial_indent=indent,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    ):
        write_line(reporter, line)
