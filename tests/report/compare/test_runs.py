from typing import Any, cast

import pytest

from headtests.records import ClaimRecord, Record
from headtests.report.compare.runs import RunComparison, compare, kind_of
from tests.report import sample


def claim(verdict: str = "holds", **changes: Any) -> ClaimRecord:
    return sample.claim(**{"verdict": verdict, **changes})


def of(value: float, low: float | None, high: float | None, **changes: Any) -> ClaimRecord:
    """Return a claim whose statistic has this interval."""
    return claim(left=sample.estimate(value=value, low=low, high=high, **changes))


def of_pairs(value: float) -> ClaimRecord:
    return claim(left=sample.fraction(value=value))


def of_two(difference: Any = None, **sides: Any) -> ClaimRecord:
    return claim(left=sample.estimate(), right=sample.other(**sides), difference=difference)


def difference(value: float, low: float | None, high: float | None) -> Any:
    return {"value": value, "low": low, "high": high}


@pytest.mark.parametrize("one", ["holds", "refuted", "undecided"])
@pytest.mark.parametrize("other", ["holds", "refuted", "undecided"])
def test_another_verdict_counts_before_all_else(one: str, other: str) -> None:
    expected = None if one == other else "verdict"
    assert kind_of(claim(one), claim(other)) == expected
    moved = sample.estimate(value=0.9, low=0.8, high=0.95)
    assert kind_of(claim(one), claim(other, left=moved)) == (expected or "moved")


@pytest.mark.parametrize(
    ("one", "other", "moved"),
    [
        ((0.4, 0.3, 0.5), (0.6, 0.45, 0.7), False),
        ((0.4, 0.3, 0.5), (0.6, 0.5, 0.7), False),
        ((0.4, 0.3, 0.5), (0.6, 0.51, 0.7), True),
        ((0.6, 0.51, 0.7), (0.4, 0.3, 0.5), True),
        ((0.4, 0.3, 0.5), (0.45, 0.45, 0.45), False),
        ((0.4, 0.3, 0.5), (0.55, 0.55, 0.55), True),
        ((0.4, 0.4, 0.4), (0.41, 0.41, 0.41), True),
        ((0.4, 0.4, 0.4), (0.4 + 1e-8, 0.4 + 1e-8, 0.4 + 1e-8), False),
        ((0.4, 0.4, 0.4), (0.4 + 1e-6, 0.4 + 1e-6, 0.4 + 1e-6), True),
        ((0.0, 0.0, 0.0), (1e-12, 1e-12, 1e-12), False),
        ((5.0, 4.0, None), (90.0, 80.0, None), False),
        ((5.0, 4.0, None), (3.0, 2.0, 3.5), True),
        ((5.0, None, 6.0), (9.0, 8.0, None), True),
        ((5.0, None, 6.0), (2.0, 1.0, 3.0), False),
        ((5.0, None, None), (90.0, 80.0, 95.0), False),
    ],
)
def test_an_estimate_moves_where_the_intervals_have_no_point_in_common(
    one: Any, other: Any, moved: bool
) -> None:
    assert kind_of(of(*one), of(*other)) == ("moved" if moved else None)
    assert kind_of(of(*other), of(*one)) == ("moved" if moved else None)


@pytest.mark.parametrize(
    ("one", "other", "moved"),
    [(0.62, 0.62, False), (0.62, 0.64, True), (34.2, 34.2 + 1e-5, False), (34.2, 34.201, True)],
)
def test_figures_of_pairs_move_beyond_rounding(one: float, other: float, moved: bool) -> None:
    assert kind_of(of_pairs(one), of_pairs(other)) == ("moved" if moved else None)


def test_of_two_statistics_either_may_move() -> None:
    assert kind_of(of_two(), of_two()) is None
    assert kind_of(of_two(), of_two(value=0.5, low=0.4, high=0.6)) == "moved"


@pytest.mark.parametrize(
    ("one", "other", "moved"),
    [
        (difference(0.03, 0.01, 0.07), difference(0.06, 0.05, 0.08), False),
        (difference(0.03, 0.01, 0.07), difference(0.09, 0.08, 0.1), True),
        (difference(0.03, None, None), difference(9.0, None, None), False),
        (difference(0.03, 0.01, 0.07), None, False),
        (None, None, False),
    ],
)
def test_or_their_difference(one: Any, other: Any, moved: bool) -> None:
    assert kind_of(of_two(one), of_two(other)) == ("moved" if moved else None)


def test_the_same_run_twice_differs_in_nothing() -> None:
    found = compare(sample.record(), sample.record())
    assert found.changes == found.heads == found.environment == []
    assert [session.facts for session in found.sessions] == [[]]
    assert (found.unchanged, found.unchanged_on_other_documents) == (6, 0)


def test_what_a_head_was_measured_on_beside_its_claims_changes_no_claim() -> None:
    after = sample.record(heads=[])
    assert compare(sample.record(), after).changes == []


def test_what_explainers_say_changes_no_claim() -> None:
    found = compare(sample.record(), sample.record(explanations=[]))
    assert found.changes == found.heads == found.environment == []
    assert found.unchanged == 6


def run(*claims: ClaimRecord, **changes: Any) -> Record:
    return sample.record(claims=list(claims), **changes)


def named(test: str, verdict: str, value: float = 0.12, bound: float = 0.4) -> ClaimRecord:
    left = sample.estimate(value=value, low=value, high=value)
    expression = f"L1H3.mass(ht.induction) >= {bound}"
    return claim(verdict, test=test, left=left, right=bound, expression=expression)


def order(found: RunComparison) -> list[tuple[str, str]]:
    return [
        (change.kind, (change.before or change.after or claim())["test"])
        for change in found.changes
    ]


def test_the_worst_comes_first() -> None:
    before = run(
        named("better", "refuted"),
        named("less open", "undecided"),
        named("refound", "refuted"),
        named("moved", "holds"),
        named("eased", "holds"),
        named("gone", "holds"),
        named("worse", "undecided"),
        named("opened", "holds"),
        named("tightened", "holds"),
        named("broken", "holds"),
    )
    after = run(
        named("better", "holds"),
        named("less open", "holds"),
        named("refound", "undecided"),
        named("moved", "holds", value=0.5),
        named("eased", "holds", bound=0.3),
        named("worse", "refuted"),
        named("opened", "undecided"),
        named("tightened", "refuted", bound=0.5),
        named("broken", "refuted"),
        named("new and open", "undecided"),
        named("new and refuted", "refuted"),
        named("new", "holds"),
    )
    found = compare(before, after)
    assert order(found) == [
        ("verdict", "broken"),
        ("claim", "tightened"),
        ("verdict", "opened"),
        ("verdict", "worse"),
        ("new", "new and refuted"),
        ("new", "new and open"),
        ("gone", "gone"),
        ("moved", "moved"),
        ("claim", "eased"),
        ("verdict", "refound"),
        ("verdict", "less open"),
        ("verdict", "better"),
        ("new", "new"),
    ]
    assert found.unchanged == 0


def test_every_pair_of_verdicts_has_its_place() -> None:
    verdicts = ("holds", "refuted", "undecided")
    for one in verdicts:
        for other in verdicts:
            compare(run(named("a", one, bound=0.3)), run(named("a", other)))
        assert order(compare(run(named("a", one)), run())) == [("gone", "a")]
        assert order(compare(run(), run(named("a", one)))) == [("new", "a")]


def test_what_became_of_the_test_of_a_claim_that_is_gone_is_said() -> None:
    unmeasured: Any = [{"test": "a", "outcome": "skipped", "message": "no such model"}]
    found = compare(run(named("a", "holds"), named("b", "holds")), run(unmeasured=unmeasured))
    assert [change.instead for change in found.changes] == ["skipped", ""]


def elsewhere(**corpus: Any) -> Any:
    return [sample.session(**corpus)]


def test_other_documents_are_said_of_every_claim_on_them() -> None:
    before = run(named("a", "holds"), named("b", "holds"), named("c", "holds"))
    after = run(
        named("a", "refuted"),
        named("b", "holds"),
        named("c", "holds", bound=0.3),
        sessions=elsewhere(sha256="cd" * 32),
    )
    found = compare(before, after)
    assert [change.other_documents for change in found.changes] == [True, True]
    assert [session.other_documents for session in found.sessions] == [True]
    assert (found.unchanged, found.unchanged_on_other_documents) == (1, 1)


def test_documents_of_another_name_and_the_same_ids_are_the_same() -> None:
    after = run(named("a", "refuted"), sessions=elsewhere(name="copy", description="a copy"))
    found = compare(run(named("a", "holds")), after)
    assert [change.other_documents for change in found.changes] == [False]
    assert [fact.name for fact in found.sessions[0].facts] == ["corpus name", "corpus description"]


def test_documents_that_the_record_does_not_name_are_not_known_to_be_the_same() -> None:
    before, after = run(named("a", "holds")), run(named("a", "refuted"), sessions=[])
    assert [change.other_documents for change in compare(before, after).changes] == [True]


def test_sessions_of_one_run_alone_are_there_without_facts() -> None:
    other = cast(Any, sample.session(name="wiki"))
    after = sample.record(sessions=[sample.session(), {**other, "key": "wiki"}])
    _, added = compare(sample.record(), after).sessions
    assert (added.before, added.facts, added.other_documents) == (None, [], False)


def test_versions_are_compared() -> None:
    after = sample.record(environment={"headtests": "0.2.0", "Python": "3.11.9", "torch": "2.13"})
    found = compare(sample.record(), after).environment
    assert [(fact.name, fact.before, fact.after) for fact in found] == [
        ("headtests", "0.1.0", "0.2.0"),
        ("commit", "0123abc", None),
        ("torch", None, "2.13"),
    ]


def test_a_hostile_record_is_compared() -> None:
    compare(sample.hostile_record(), sample.record())
    found = compare(sample.hostile_record(), sample.hostile_record())
    assert found.changes == []
