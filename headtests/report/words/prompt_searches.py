"""Claims about every prompt of a family, in words: the result of the search and the breaking row.

Records in, words and rows out; no HTML. The page around the cards is `headtests.report.page.view`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from headtests.records import BreakingRecord, SearchRecord
from headtests.report.words.page_budget import Caps
from headtests.report.words.text import NAME_LIMIT, WHOLE_LIMIT, plain
from headtests.report.words.token_rows import TokenRow, counterexample_row
from headtests.wording import count, number

REFUTED, WITHSTOOD = "refuted", "withstood"
SYMBOLS = {REFUTED: "✕", WITHSTOOD: "○"}
"""The symbol of each status; withstanding a search is not the same as holding."""
NO_PROOF = (
    "Finding no such prompt is no proof: it shows how hard the search was, and says nothing about "
    "prompts that were not tried. The rate of false decisions does not include these claims."
)


@dataclass(frozen=True, slots=True)
class SearchCard:
    """A claim about prompts with everything that a page shows of it."""

    anchor: str
    status: str
    symbol: str
    head: str
    session: str
    """The page's name of its session; empty where it is not in the record."""
    sentence: str
    result: str
    """The result of the search, in a sentence."""
    effort: str
    how_found: str
    """How the prompt was found; empty without one."""
    row: TokenRow | None
    replay: str
    """The line of Python to paste; empty without a prompt."""
    quiet: list[str]
    """Sentences about kept prompts that no longer break it or were not tried."""
    expression: str
    test: str
    outcome: str
    reason: str
    place: str


def search_card(search: SearchRecord, anchor: str, session: str, caps: Caps) -> SearchCard:
    """Return the card of a claim about prompts."""
    breaking = search["breaking"]
    status, result = status_of(search), search_result(search)
    return SearchCard(
        anchor=anchor,
        status=status,
        symbol=SYMBOLS[status],
        head=plain(search["head"], NAME_LIMIT),
        session=session,
        sentence=plain(search["sentence"], WHOLE_LIMIT),
        result=f"{result[0].upper()}{result[1:]}.",
        effort=effort(search),
        how_found="" if breaking is None else _found(breaking, search["shrinking"]),
        row=None if breaking is None else _row(breaking, caps.is_narrow),
        replay="" if breaking is None else plain(breaking["replay"], WHOLE_LIMIT),
        quiet=_quiet(search),
        expression=search["expression"],
        test=plain(search["test"], NAME_LIMIT),
        outcome=plain(search["outcome"], NAME_LIMIT),
        reason=plain(search["reason"], WHOLE_LIMIT),
        place=plain(f"{search['file']}:{search['line']}", NAME_LIMIT) if search["file"] else "",
    )


def status_of(search: SearchRecord) -> str:
    """Return the status of a claim about prompts."""
    return WITHSTOOD if search["breaking"] is None else REFUTED


def search_result(search: SearchRecord) -> str:
    """Return the result of the search as a clause without a full stop."""
    breaking = search["breaking"]
    if breaking is not None:
        only = "" if search["is_least"] else "at most "
        return (
            f"a prompt of {count(len(breaking['ids']), 'token')} breaks it: row "
            f"{breaking['row']['query']} gives {number(breaking['value'])} where {only}"
            f"{number(search['threshold'])} was claimed"
        )
    if search["worst"] is None:
        return f"no violation in {tried(search)}; none has an eligible row"
    return f"no violation in {tried(search)}; worst margin {number(search['worst'])}"


def tried(search: SearchRecord) -> str:
    """Return how many prompts were tried."""
    if search["is_whole"]:
        return f"all {count(search['prompts'], 'prompt')} of the family"
    return count(search["prompts"], "prompt")


def effort(search: SearchRecord) -> str:
    """Return the effort of a search, in a sentence."""
    guided = search["prompts"] - search["unguided"]
    ways = f", {search['unguided']:,} of them drawn at random" if guided else ""
    smaller = ""
    if search["shrinking"]:
        smaller = f" and {search['shrinking']:,} more to make the prompt simpler"
    first = f"{count(search['known'], 'kept prompt')} first; " if search["known"] else ""
    if not search["prompts"]:
        passes = count(search["passes"], "pass", "passes")
        return f"{count(search['known'], 'kept prompt')} tried, in {passes} through the model."
    return (
        f"{first}{count(search['prompts'], 'prompt')} tried{ways}{smaller}, in "
        f"{count(search['passes'], 'pass', 'passes')} through the model."
    )


def _found(breaking: BreakingRecord, shrinking: int) -> str:
    if breaking["how"] == "kept":
        return "The prompt was kept from an earlier run and tried first."
    way = "at random" if breaking["how"] == "unguided" else "by changing prompts that came close"
    smaller = ""
    if shrinking:
        smaller = f" It had {count(breaking['found_with'], 'token')} then and was simplified."
    least = "" if breaking["is_smallest"] else " A simpler prompt may break the claim, too."
    alone = " Run by itself, it breaks the claim by more than rounding error."
    return f"The prompt was found {way}.{smaller}{least}{alone}"


def _row(breaking: BreakingRecord, is_narrow: bool) -> TokenRow:
    drawn = counterexample_row(breaking["row"], number(breaking["value"]), is_narrow)
    place = f"prompt of {count(len(breaking['ids']), 'token')}"
    return replace(drawn, place=place)


def _quiet(search: SearchRecord) -> list[str]:
    sentences = []
    for prompt in search["quiet"]:
        tokens, margin = plain("".join(prompt["tokens"]), NAME_LIMIT), prompt["margin"]
        words = "without an eligible row" if margin is None else f"margin {number(margin)}"
        sentences.append(f"A kept prompt no longer breaks it: {tokens!r}, {words}.")
    if foreign := search["foreign"]:
        verb = "is" if foreign == 1 else "are"
        sentences.append(
            f"{count(foreign, 'kept prompt')} {verb} no longer in the family and not tried."
        )
    return sentences


def refuted(searches: Sequence[SearchRecord]) -> list[SearchRecord]:
    """Return the claims that a prompt breaks."""
    return [search for search in searches if search["breaking"] is not None]
