"""Claims about every prompt of a family: what the search found, with the row that breaks one.

Records in, words and rows out; no HTML. The page around the cards is `view`.
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
"""The mark of each; a search without a find is no claim that holds."""
NO_PROOF = (
    "That none was found is no proof: it says how hard the search was, and nothing of prompts that "
    "were not tried. No rate of false decisions is about it."
)


@dataclass(frozen=True, slots=True)
class SearchCard:
    """One claim about prompts, with everything that is said of it."""

    anchor: str
    status: str
    symbol: str
    head: str
    session: str
    """What the page calls its session; empty where the record has none."""
    sentence: str
    said: str
    """What was found, in words."""
    effort: str
    found: str
    """How the prompt was found; empty without one."""
    row: TokenRow | None
    replay: str
    """The line to paste; empty without a prompt."""
    quiet: list[str]
    """Kept prompts that no longer break it, in words."""
    expression: str
    test: str
    outcome: str
    reason: str
    place: str


def search_card(search: SearchRecord, anchor: str, session: str, caps: Caps) -> SearchCard:
    """Return the card of a claim about prompts."""
    breaking = search["breaking"]
    status, said = status_of(search), in_words(search)
    return SearchCard(
        anchor=anchor,
        status=status,
        symbol=SYMBOLS[status],
        head=plain(search["head"], NAME_LIMIT),
        session=session,
        sentence=plain(search["sentence"], WHOLE_LIMIT),
        said=f"{said[0].upper()}{said[1:]}.",
        effort=effort(search),
        found="" if breaking is None else _found(breaking, search["shrinking"]),
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
    """Return in a word what became of a claim about prompts."""
    return WITHSTOOD if search["breaking"] is None else REFUTED


def in_words(search: SearchRecord) -> str:
    """Return what was found, in a clause that ends no sentence."""
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
    """Return how many prompts were tried, in words."""
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
        return "The prompt is kept from an earlier run, and was tried first."
    way = "at random" if breaking["how"] == "unguided" else "by changing prompts that came near"
    smaller = ""
    if shrinking:
        smaller = f" It had {count(breaking['found_with'], 'token')} then, and was made simpler."
    least = "" if breaking["is_smallest"] else " A simpler one may break the claim, too."
    alone = " Put through the model alone, it breaks the claim by more than rounding."
    return f"The prompt was found {way}.{smaller}{least}{alone}"


def _row(breaking: BreakingRecord, is_narrow: bool) -> TokenRow:
    drawn = counterexample_row(breaking["row"], number(breaking["value"]), is_narrow)
    place = f"prompt of {count(len(breaking['ids']), 'token')}"
    return replace(drawn, place=place)


def _quiet(search: SearchRecord) -> list[str]:
    said = [
        f"A kept prompt no longer breaks it: {plain(''.join(one['tokens']), NAME_LIMIT)!r}, "
        + ("without an eligible row." if one["margin"] is None else f"margin {one['margin']:.3g}.")
        for one in search["quiet"]
    ]
    if search["foreign"]:
        said.append(
            f"{count(search['foreign'], 'kept prompt')} {'is' if search['foreign'] == 1 else 'are'}"
            " none of the family's any more, and not tried."
        )
    return said


def refuted(searches: Sequence[SearchRecord]) -> list[SearchRecord]:
    """Return the claims that a prompt breaks."""
    return [one for one in searches if one["breaking"] is not None]
