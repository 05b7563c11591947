from typing import Any

import pytest

from headtests.records import ClaimRecord
from headtests.report.compare.changes import OTHER_DOCUMENTS, ClaimInRun, block, counts
from headtests.report.compare.runs import Change, compare
from tests.report import sample

DOCUMENTS = "64 of 217 documents"


def change(
    before: ClaimRecord | None, after: ClaimRecord | None, kind: Any = "verdict", **changes: Any
) -> Change:
    facts = {"other_documents": False, "instead": "", **changes}
    return Change(kind, before, after, **facts)


def figures(before: ClaimRecord, after: ClaimRecord) -> list[list[str]]:
    return [side.figures for side in block(change(before, after)).sides]


def of(**changes: Any) -> ClaimRecord:
    return sample.claim(left=sample.estimate(**changes))


def test_a_change_names_test_claim_and_both_verdicts_with_their_estimates() -> None:
    before = sample.claim(
        verdict="holds", left=sample.estimate(value=0.45, low=0.41, high=0.49, documents=32)
    )
    said = block(change(before, sample.claim()))
    assert said.heading == "held before, refuted now"
    assert said.test == "hypotheses/test_demo.py::test_induction[L1H3]"
    assert said.expression == "L1H3.mass(ht.induction) >= 0.4"
    assert said.sides == [
        ClaimInRun(
            "before", said.expression, "holds", ["0.45 [0.41, 0.49] over 32 of 217 documents"]
        ),
        ClaimInRun("after", said.expression, "refuted", [f"0.12 [0.09, 0.16] over {DOCUMENTS}"]),
    ]
    assert said.note == ""


def test_figures_of_other_documents_are_never_shown_without_saying_so() -> None:
    said = block(change(sample.claim(), sample.claim(), other_documents=True))
    assert said.note == OTHER_DOCUMENTS


def test_an_altered_claim_shows_both() -> None:
    after = sample.claim(expression="L1H3.mass(ht.induction) >= 0.5", right=0.5)
    said = block(change(sample.claim(), after, "claim"))
    assert said.heading == "changed in the source, refuted in both"
    assert said.expression == ""
    assert [side.expression for side in said.sides] == [
        "L1H3.mass(ht.induction) >= 0.4",
        "L1H3.mass(ht.induction) >= 0.5",
    ]


@pytest.mark.parametrize(
    ("before", "after", "kind", "said"),
    [
        ("holds", "holds", "moved", "estimate moved, held in both"),
        ("holds", "undecided", "verdict", "held before, undecided now"),
        ("undecided", "holds", "claim", "changed in the source, undecided before, held now"),
        ("holds", None, "gone", "gone, held before"),
        (None, "refuted", "new", "new, refuted"),
    ],
)
def test_the_heading_says_what_changed(before: Any, after: Any, kind: str, said: str) -> None:
    claims = [
        None if verdict is None else sample.claim(verdict=verdict) for verdict in (before, after)
    ]
    assert block(change(*claims, kind)).heading == said


def test_of_a_claim_that_is_gone_the_outcome_of_its_test_is_said() -> None:
    said = block(change(sample.claim(), None, "gone", instead="skipped"))
    assert said.sides[1] == ClaimInRun("after", "", "no claim: its test was skipped", [])
    assert [side.run for side in block(change(sample.claim(), None, "gone")).sides] == ["before"]
    assert [side.run for side in block(change(None, sample.claim(), "new")).sides] == ["after"]


def test_of_two_statistics_each_and_their_difference_are_said() -> None:
    _, two, *_ = sample.record()["claims"]
    assert figures(two, two)[0] == [
        "left 0.12 [0.09, 0.16]",
        "right 0.03 [0.01, 0.07]",
        f"difference 0.03 [0.004, 0.07] over {DOCUMENTS}",
    ]


def test_of_two_figures_without_a_difference_each_is_said() -> None:
    two = sample.claim(left=sample.fraction(), right=sample.fraction(value=0.2))
    assert figures(two, two)[0] == ["left 0.62", "right 0.20 over 50 pairs"]


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (of(value=0.12, low=0.12, high=float("0.12")), f"0.12 exact over {DOCUMENTS}"),
        (
            of(value=5.7, low=4.2, high=None, kind="lift"),
            f"5.70\u00d7 [4.20, inf] over {DOCUMENTS}",
        ),
        (of(value=5.7, low=None, high=6.2), f"5.70 [-inf, 6.20] over {DOCUMENTS}"),
        (of(value=0.12, eligible=None, documents=1), "0.12 [0.09, 0.16] over 1 document"),
        (of(value=0.12, eligible=None, documents=2), "0.12 [0.09, 0.16] over 2 documents"),
        (of(value=0.12, texts=31), "0.12 [0.09, 0.16] over 31 texts"),
        (sample.claim(left=sample.fraction()), "0.62 over 50 pairs"),
        (of(value=0.12, documents=None), "0.12 [0.09, 0.16]"),
    ],
)
def test_an_estimate_is_said_with_its_interval_and_its_n(claim: ClaimRecord, said: str) -> None:
    assert figures(claim, claim) == [[said], [said]]


def test_figures_that_differ_look_different() -> None:
    before = of(value=0.40001, low=0.38, high=0.4102)
    after = of(value=0.43, low=0.4103, high=0.45)
    assert figures(before, after) == [
        [f"0.40001 [0.38, 0.4102] over {DOCUMENTS}"],
        [f"0.43 [0.4103, 0.45] over {DOCUMENTS}"],
    ]


def test_figures_that_differ_by_rounding_look_the_same() -> None:
    before, after = of(value=0.3), of(value=0.3 + 1e-9)
    assert figures(before, after)[0] == figures(before, after)[1]


def test_every_kind_of_change_is_counted() -> None:
    record = sample.record()
    after = sample.record()
    after["claims"][1]["verdict"] = "refuted"
    after["claims"][2]["expression"] = after["claims"][2]["expression"].replace("0.625", "0.7")
    after["claims"][3]["left"] = sample.estimate(
        expression="L1H3.mass(ht.first)", value=0.9, low=0.8, high=0.95
    )
    after["claims"][5]["test"] = "another"
    assert counts(compare(record, after)) == (
        "6 claims before, 6 after: 1 with another verdict, 1 changed in the source, "
        "1 with an estimate that moved, 1 gone, 1 new, 2 unchanged"
    )
    assert counts(compare(record, record)) == "6 claims before, 6 after: 6 unchanged"
    after = sample.record(sessions=[sample.session(sha256="cd" * 32)])
    assert counts(compare(record, after)) == (
        "6 claims before, 6 after: 6 unchanged (6 of them on other documents)"
    )
    assert counts(compare(sample.record(claims=[]), record)).startswith(
        "0 claims before, 6 after: 6 new, 0 unchanged"
    )
