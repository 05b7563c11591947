"""How certain a verdict is, in words: its evidence, its limits, the error rate of the whole run.

Records in, sentences out. Nothing is decided or computed here.
"""

from collections import Counter

from headtests.records import ClaimRecord, Record
from headtests.settings import Settings
from headtests.wording import count, number, power_of_ten, quartiles

_LARGEST = 1e300
"""An e-value from here on means that no unread document could have refuted the claim."""

_OPEN = "The documents that were read do not decide the claim"
_DECIDES = {"holds": "makes it hold", "refuted": "refutes it", "undecided": "decides"}
"""The effect of a sufficiently large e-value."""


def e_value(claim: ClaimRecord) -> str:
    """Return the e-value for the verdict, or "exact" where no chance is involved."""
    if _is_exact(claim):
        return "exact"
    if claim["verdict"] == "refuted":
        return f"{_power(claim['e_value_against'] or 0.0)} against"
    return f"{_power(claim['e_value'] or 0.0)} for"


def e_value_order(claim: ClaimRecord) -> str:
    """Return the sort key of the e-value that is shown, as a JavaScript number."""
    if _is_exact(claim):
        return "Infinity"
    shown = claim["e_value_against"] if claim["verdict"] == "refuted" else claim["e_value"]
    return f"{shown or 0.0}"


def discovery(claim: ClaimRecord) -> str:
    """Return whether the claim is a discovery of e-BH."""
    if claim["e_bh"] is None:
        return "not counted"
    return "discovery" if claim["e_bh"] else "no"


def evidence(claim: ClaimRecord) -> str:
    """Return the evidence for the verdict: its e-value, the e-value that decides, and e-BH."""
    alpha = claim["alpha"]
    if claim["e_value"] is None:
        words = "exact: the figures themselves were compared"
    elif _is_exact(claim):
        words = "exact: no unread document could have changed the answer"
    else:
        words = f"e-value {e_value(claim)} the claim"
        if claim["verdict"] == "undecided" and claim["e_value_against"] is not None:
            words += f" and {_power(claim['e_value_against'])} against it"
        if alpha is not None and alpha > 0:
            words += f", where {power_of_ten(1 / alpha)} {_DECIDES[claim['verdict']]}"
            words += f" (alpha {number(alpha)})"
    if claim["e_bh"] is None:
        return words
    return f"{words}; {'a' if claim['e_bh'] else 'not a'} discovery of e-BH at 0.05"


def remaining(claim: ClaimRecord) -> str:
    """Return how many more documents an undecided claim would take; empty for a decided one."""
    if claim["verdict"] != "undecided":
        return ""
    more = claim["more_documents"]
    if more is None and claim["remedy"]:
        return f"{_OPEN}: {claim['remedy'].removesuffix('.')}."
    if more is None:
        return f"{_OPEN}, and more documents are unlikely to."
    unit = "eligible document" if claim["left"]["texts"] is None else "text"
    return f"{_OPEN}. It would take about {count(more, unit)} more{_spread(claim)}."


def _spread(claim: ClaimRecord) -> str:
    """Return the quartiles of the number of documents that a claim lacks, in brackets."""
    lower, upper = claim["more_documents_quartiles"] or (None, None)
    return "" if lower is None else f" ({quartiles(lower, upper)})"


def warning(claim: ClaimRecord) -> str:
    """Return a warning where the threshold may depend on the data; empty elsewhere."""
    if not claim["read_before"]:
        return ""
    return (
        "The rate of false decisions covers a threshold that was chosen from this one figure, "
        "since the interval holds for all thresholds at once. It does not cover a claim that was "
        "chosen among several heads or statistics by their figures."
    )


def false_decisions(record: Record) -> str:
    """Return the rate of false decisions of the whole run; empty where no claim has a rate."""
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
    """Return sentences that explain alpha and name the claims that it does not cover."""
    claims = record["claims"]
    alphas = sorted({claim["alpha"] for claim in claims if claim["alpha"] is not None})
    sentences = []
    if alphas:
        shown = " or ".join(number(alpha) for alpha in alphas)
        sentences.append(
            f"Alpha, here {shown}, bounds how often a claim is decided falsely, however often the "
            "evidence was looked at and whatever its threshold, as long as its head and its "
            "statistic were not chosen by looking at these documents."
        )
    if read := sum(claim["read_before"] for claim in claims):
        sentences.append(
            f"Of {count(read, 'claim')} the figure was read before it was compared: the rate does "
            "not cover a choice among several such figures."
        )
    if exact := sum(claim["alpha"] is None for claim in claims):
        sentences.append(
            f"{count(exact, 'claim')} {'was' if exact == 1 else 'were'} compared exactly, without "
            "a rate."
        )
    return sentences


def seeds(record: Record) -> list[str]:
    """Return sentences about seeds that were chosen or changed; empty where all are the default.

    Empty, too, where no claim has a rate.
    """
    if all(claim["alpha"] is None for claim in record["claims"]):
        return []
    default = Settings().seed
    used = sorted({session["seed"] for session in record["sessions"]})
    chosen = [str(seed) for seed in used if seed != default]
    sentences = []
    if chosen:
        sentences.append(f"Seed {' and '.join(chosen)}, where {default} is the default.")
    of_session = {session["key"]: session["seed"] for session in record["sessions"]}
    changed = Counter(
        (claim["baseline_seed"], of_session[claim["session"]])
        for claim in record["claims"]
        if claim["baseline_seed"] is not None and claim["session"] in of_session
    )
    sentences += [
        f"The seed of {count(of, 'claim')} has changed since the baseline: {before}, now {now}."
        for (before, now), of in sorted(changed.items())
    ]
    if sentences:
        sentences.append(
            "Each seed that was tried adds the rate of its run to the rate of false decisions."
        )
    return sentences


def _is_exact(claim: ClaimRecord) -> bool:
    # After the last document, all of the evidence is on one side.
    if claim["e_value"] is None:
        return True
    for_, against = claim["e_value"], claim["e_value_against"]
    if claim["verdict"] == "undecided" or 0 < for_ < _LARGEST:
        return False
    return against is None or not 0 < against < _LARGEST


def _power(e_value: float) -> str:
    return power_of_ten(e_value) if e_value > 0 else "0"
