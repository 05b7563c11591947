import sys
from typing import Any

import pytest

from headtests.report.words.decisions import (
    discovery,
    e_value,
    evidence,
    false_decisions,
    remaining,
    seeds,
    warning,
    what_alpha_means,
)
from tests.report.sample import claim, estimate, record, session


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "exact"),
        (sys.float_info.max, "exact"),
        (1e300, "exact"),
        (9.9e299, "10^299.9 for"),
        (2600.0, "10^3.4 for"),
        (999.9999999999, "10^3 for"),
        (990.0, "10^2.9 for"),
        (1.0, "1 for"),
        (0.02, "10^-1.7 for"),
    ],
)
def test_an_e_value_is_a_power_of_ten_that_never_says_too_much(
    found: float | None, said: str
) -> None:
    against = 0.0 if said == "exact" else 0.5
    assert e_value(claim(verdict="holds", e_value=found, e_value_against=against)) == said


def test_of_a_refuted_claim_the_evidence_against_it_is_said() -> None:
    assert e_value(claim()) == "10^3.1 against"
    # Two ratios whose intervals lie apart: evidence on one side alone, and no certainty.
    assert e_value(claim(e_value=0.0, e_value_against=1000.0)) == "10^3 against"
    assert e_value(claim(e_value=0.0, e_value_against=sys.float_info.max)) == "exact"


def test_an_undecided_claim_is_never_exact() -> None:
    assert e_value(claim(verdict="undecided", e_value=0.0, e_value_against=0.0)) == "0 for"


def test_e_bh_in_a_word() -> None:
    assert [discovery(claim(e_bh=found)) for found in (True, False, None)] == [
        "discovery",
        "no",
        "not counted",
    ]


def test_the_evidence_stands_beside_what_decides() -> None:
    held = {"verdict": "holds", "e_value_against": 0.01}
    assert evidence(claim(**held, e_value=2600.0, e_bh=True)) == (
        "e-value 10^3.4 for the claim, where 10^3 makes it hold (alpha 0.001); "
        "a discovery of e-BH at 0.05"
    )
    assert evidence(claim()) == (
        "e-value 10^3.1 against the claim, where 10^3 refutes it (alpha 0.001); "
        "not a discovery of e-BH at 0.05"
    )
    undecided = claim(verdict="undecided", alpha=0.05)
    assert evidence(undecided) == (
        "e-value 10^-1.7 for the claim and 10^3.1 against it, where 10^1.3 decides (alpha 0.05); "
        "not a discovery of e-BH at 0.05"
    )
    tiny = claim(**held, alpha=5e-324, e_value=2.0)
    assert "where beyond 10^308 makes it hold" in evidence(tiny)
    bare = claim(**held, alpha=0.0, e_value=2.0, e_bh=None)
    assert evidence(bare) == "e-value 10^0.3 for the claim"


def test_what_was_decided_without_chance_is_exact() -> None:
    held = claim(verdict="holds", e_value=sys.float_info.max, e_value_against=0.0, e_bh=True)
    assert evidence(held).startswith("exact: no unread document")
    assert evidence(held).endswith("; a discovery of e-BH at 0.05")
    pairs = claim(alpha=None, e_value=None, e_bh=None)
    assert evidence(pairs) == "exact: the figures themselves were compared"


def test_an_undecided_claim_says_how_much_more_it_would_take() -> None:
    for more, words in ((1240, "1,240 eligible documents more"), (1, "1 eligible document more")):
        assert words in remaining(claim(verdict="undecided", more_documents=more))
    beyond = claim(verdict="undecided", left=estimate(texts=31), more_documents=12)
    assert "12 texts more." in remaining(beyond)
    beyond["more_documents_quartiles"] = [3, None]
    assert "12 texts more (median; quartiles 3 and without end)." in remaining(beyond)
    assert "more documents are unlikely to" in remaining(claim(verdict="undecided"))
    for verdict in ("holds", "refuted"):
        assert remaining(claim(verdict=verdict, more_documents=12)) == ""


def test_a_figure_that_was_read_first_is_warned_of() -> None:
    assert warning(claim()) == ""
    said = warning(claim(read_before=True))
    assert "covers a threshold that was chosen from this one figure" in said
    assert "does not cover a claim that was chosen among several heads or statistics" in said


def test_a_seed_that_was_chosen_or_changed_is_said() -> None:
    default: Any = session() | {"seed": 0}
    assert seeds(record(sessions=[default])) == []
    chosen, tries = seeds(record())
    assert chosen == "Seed 7, where 0 is the default."
    assert "Each seed that was tried adds the rate" in tries
    changed = [claim(baseline_seed=3), claim("c2", baseline_seed=3), claim("c3")]
    found = seeds(record(sessions=[default], claims=changed))
    assert found == [
        "The seed of 2 claims has changed since the baseline: 3, now 0.",
        tries,
    ]


def test_an_undecided_claim_says_what_would_decide_it_where_documents_would_not() -> None:
    hidden = claim(verdict="undecided", remedy="it divides by 1e-09. Choose another of=.")
    assert remaining(hidden).endswith("it divides by 1e-09. Choose another of=.")


def test_the_rate_of_a_run_counts_the_claims_that_have_one() -> None:
    assert false_decisions(record()) == "at most 0.005 (5 claims, 0.001 each)"
    one = record(claims=[claim()], false_decisions=0.001)
    assert false_decisions(one) == "at most 0.001 (1 claim, 0.001 each)"


def test_rates_that_differ_are_told_apart() -> None:
    claims = [claim(alpha=0.05), claim(), claim()]
    mixed = record(claims=claims, false_decisions=0.052)
    assert false_decisions(mixed) == "at most 0.052 (3 claims, 2 at 0.001, 1 at 0.05)"
    assert what_alpha_means(mixed)[0].startswith("Alpha, here 0.001 or 0.05,")


def test_a_bound_of_one_is_none() -> None:
    many = record(claims=[claim(alpha=0.4)] * 3, false_decisions=1.0)
    assert false_decisions(many) == "no bound below 1 (3 claims, 0.40 each)"


def test_alpha_is_said_in_a_plain_sentence_with_what_it_leaves_out() -> None:
    alpha, read, exact = what_alpha_means(record())
    assert "Alpha, here 0.001," in alpha
    assert "Of 1 claim the figure was read" in read
    assert "1 claim was compared exactly" in exact
    several = record(claims=[claim(read_before=True, alpha=None)] * 2)
    assert false_decisions(several) == ""
    read, exact = what_alpha_means(several)
    assert "2 claims" in read
    assert "2 claims were compared exactly" in exact
    assert what_alpha_means(record(claims=[claim()]))[1:] == []
    assert what_alpha_means(record(claims=[])) == []
