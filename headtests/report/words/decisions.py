"""How sure a verdict is, in words: its evidence, what it does not cover, the rate of a whole run.

Records in, sentences out. The figures are the record's; nothing is decided or summed here.
"""

from collections import Counter

from headtests.records import ClaimRecord, Record
from headtests.wording import count, number, power_of_ten

_LARGEST = 1e300
"""From here on, an e-value stands for a claim that nothing left to read could have refuted."""

_DECIDES = {"holds": "makes it hold", "refuted": "refutes it", "undecided": "decides"}
"""What an e-value that is large enough does."""


def e_value(claim: ClaimRecord) -> str:
    """Return the e-value that speaks for the verdict, or that it was decided without chance."""
    if _is_exact(claim):
        return "exact"
    if claim["verdict"] == "refuted":
        return f"{_power(claim['e_value_against'] or 0.0)} against"
    return f"{_power(claim['e_value'] or 0.0)} for"


def e_value_order(claim: ClaimRecord) -> str:
    """Return what the e-value that is shown is sorted by, as JavaScript reads numbers."""
    if _is_exact(claim):
        return "Infinity"
    found = claim["e_value_against"] if claim["verdict"] == "refuted" else claim["e_value"]
    return f"{found or 0.0}"


def discovery(claim: ClaimRecord) -> str:
    """Return whether e-BH counts the claim among its discoveries."""
    if claim["e_bh"] is None:
        return "not counted"
    return "discovery" if claim["e_bh"] else "no"


def evidence(claim: ClaimRecord) -> str:
    """Return what speaks for the verdict: its e-value beside what decides, and e-BH."""
    alpha = claim["alpha"]
    if claim["e_value"] is None:
        words = "exact: the figures themselves were compared"
    elif _is_exact(claim):
        words = "exact: nothing that was left to read could have changed the answer"
    else:
        words = f"e-value {e_value(claim)} the claim"
        if claim["verdict"] == "undecided" and claim["e_value_against"] is not None:
            words += f" and {_power(claim['e_value_against'])} against it"
        if alpha is not None and alpha > 0:
            words += f", where {power_of_ten(1 / alpha)} {_DECIDES[claim['verdict']]}"
            words += f" (alpha {number(alpha)})"
    if claim["e_bh"] is None:
        return words
    return f"{words}; {'a' if claim['e_bh'] else 'no'} discovery of e-BH at 0.05"


def remaining(claim: ClaimRecord) -> str:
    """Return, of an undecided claim, how many more documents it would take; else nothing."""
    if claim["verdict"] != "undecided":
        return ""
    more = claim["more_documents"]
    if more is None:
        return (
            "The documents read say neither that it holds nor that it does not, and no number of "
            "them is likely to decide it."
        )
    unit = "eligible document" if claim["left"]["texts"] is None else "text"
    return (
        "The documents read say neither that it holds nor that it does not. It would take about "
        f"{count(more, unit)} more."
    )


def warning(claim: ClaimRecord) -> str:
    """Return that the threshold may have followed the data, where it may have; else nothing."""
    if not claim["read_before"]:
        return ""
    return (
        "The threshold may have been chosen to fit these documents, so the rate of false "
        "decisions does not cover this claim."
    )


def false_decisions(record: Record) -> str:
    """Return the rate of false decisions of the whole run, in a sentence; empty without claims."""
    rates = Counter(claim["alpha"] for claim in record["claims"] if claim["alpha"] is not None)
    if not rates:
        return ""
    claims = count(sum(rates.values()), "claim")
    each = ", ".join(
        f"{number(alpha)} each" if len(rates) == 1 else f"{of:,} at {number(alpha)}"
        for alpha, of in sorted(rates.items())
    )
    bound = record["false_decisions"]
    if bound >= 1:
        return f"no bound below 1 ({claims}, {each})"
    return f"at most {number(bound)} ({claims}, {each})"


def what_alpha_means(record: Record) -> list[str]:
    """Return in plain sentences what the rate of false decisions is, and what it leaves out."""
    claims = record["claims"]
    alphas = sorted({claim["alpha"] for claim in claims if claim["alpha"] is not None})
    sentences = []
    if alphas:
        shown = " or ".join(number(alpha) for alpha in alphas)
        sentences.append(
            f"Alpha, here {shown}, is how often a claim is decided falsely, at most, however often "
            "the evidence was looked at, as long as its threshold was chosen without looking at "
            "these documents."
        )
    if read := sum(claim["read_before"] for claim in claims):
        sentences.append(
            f"{count(read, 'claim')} {'was' if read == 1 else 'were'} read before "
            f"{'it was' if read == 1 else 'they were'} compared, which the rate does not cover."
        )
    if exact := sum(claim["alpha"] is None for claim in claims):
        sentences.append(
            f"{count(exact, 'claim')} {'was' if exact == 1 else 'were'} compared exactly and "
            f"{'has' if exact == 1 else 'have'} no such rate."
        )
    return sentences


def _is_exact(claim: ClaimRecord) -> bool:
    # Exhaustion leaves nothing between: all of the evidence on one side, and none on the other.
    if claim["e_value"] is None:
        return True
    for_, against = claim["e_value"], claim["e_value_against"]
    if claim["verdict"] == "undecided" or 0 < for_ < _LARGEST:
        return False
    return against is None or not 0 < against < _LARGEST


def _power(e_value: float) -> str:
    return power_of_ten(e_value) if e_value > 0 else "0"
