from typing import Any, cast

from headtests.records import ClaimRecord, SessionRecord
from headtests.report.compare.matching import match_claims, match_sessions
from tests.report import sample


def claim(
    identity: str, expression: str, left: str = "", test: str = "t", **changes: Any
) -> ClaimRecord:
    statistic = sample.estimate(expression=left or expression.partition(" ")[0])
    return sample.claim(identity, test=test, expression=expression, left=statistic, **changes)


def identities(pairs: list[tuple[ClaimRecord, ClaimRecord]]) -> list[tuple[str, str]]:
    return [(one["id"], other["id"]) for one, other in pairs]


def test_claims_are_the_same_by_test_and_expression() -> None:
    before = [claim("a", "m >= 1"), claim("b", "n >= 1"), claim("c", "m >= 1", test="u")]
    after = [claim("C", "m >= 1", test="u"), claim("A", "m >= 1"), claim("B", "n >= 1")]
    found = match_claims(before, after)
    assert identities(found.same) == [("a", "A"), ("b", "B"), ("c", "C")]
    assert found.altered == found.gone == found.new == []


def test_of_claims_that_are_alike_the_first_goes_with_the_first() -> None:
    before = [claim("a", "m >= 1"), claim("b", "m >= 1")]
    after = [claim(name, "m >= 1") for name in "ABC"]
    found = match_claims(before, after)
    assert identities(found.same) == [("a", "A"), ("b", "B")]
    assert [one["id"] for one in found.new] == ["C"]
    assert identities(match_claims(after, before).same) == [("A", "a"), ("B", "b")]
    assert [one["id"] for one in match_claims(after, before).gone] == ["C"]


def test_another_threshold_alters_a_claim() -> None:
    found = match_claims([claim("a", "m >= 1")], [claim("A", "m >= 2")])
    assert identities(found.altered) == [("a", "A")]
    assert found.same == found.gone == found.new == []


def test_another_test_makes_another_claim() -> None:
    found = match_claims([claim("a", "m >= 1")], [claim("A", "m >= 2", test="u")])
    assert found.altered == []
    assert [one["id"] for one in found.gone] == ["a"]
    assert [one["id"] for one in found.new] == ["A"]


def test_another_left_side_makes_another_claim() -> None:
    found = match_claims([claim("a", "m >= 1")], [claim("A", "n >= 1")])
    assert (found.same, found.altered) == ([], [])


def test_what_is_the_same_is_not_altered_by_what_is_new() -> None:
    found = match_claims([claim("a", "m >= 1")], [claim("B", "m >= 2"), claim("A", "m >= 1")])
    assert identities(found.same) == [("a", "A")]
    assert [one["id"] for one in found.new] == ["B"]


def test_each_side_of_a_range_goes_with_its_own() -> None:
    before = [claim("a", "m >= 1", operator=">="), claim("b", "m <= 5", operator="<=")]
    after = [claim("B", "m <= 6", operator="<=")]
    found = match_claims(before, after)
    assert identities(found.altered) == [("b", "B")]
    assert [one["id"] for one in found.gone] == ["a"]


def test_the_same_two_statistics_go_together_before_any_others() -> None:
    of_two = {"right": sample.other(expression="n")}
    before = [claim("a", "m >= 1"), claim("b", "m >= 2 * n", **of_two)]
    after = [claim("B", "m > 3 * n", operator=">", **of_two), claim("A", "m > 2", operator=">")]
    assert identities(match_claims(before, after).altered) == [("a", "A"), ("b", "B")]


def test_at_last_the_same_left_side_is_enough() -> None:
    of_two = {"right": sample.other(expression="n"), "operator": "<="}
    found = match_claims([claim("a", "m >= 1")], [claim("A", "m <= 2 * n", **of_two)])
    assert identities(found.altered) == [("a", "A")]


def session(key: str, model: str = "demo", corpus: str = "demo") -> SessionRecord:
    found = cast(Any, sample.session(name=corpus))
    return cast(SessionRecord, {**found, "key": key, "model": {**found["model"], "name": model}})


def keys(found: list[tuple[SessionRecord | None, SessionRecord | None]]) -> list[tuple[str, str]]:
    return [(one["key"] if one else "", other["key"] if other else "") for one, other in found]


def test_sessions_go_together_that_the_same_claims_were_measured_in() -> None:
    pair = claim("a", "m >= 1", session="s"), claim("A", "m >= 1", session="S")
    found = match_sessions([session("s", "old")], [session("t"), session("S", "new")], [pair])
    assert keys(found) == [("s", "S"), ("", "t")]


def test_one_session_may_go_with_two() -> None:
    pairs = [
        (claim("a", "m >= 1", session="s"), claim("A", "m >= 1", session="S")),
        (claim("b", "n >= 1", session="s"), claim("B", "n >= 1", session="T")),
        (claim("c", "o >= 1", session="s"), claim("C", "o >= 1", session="T")),
    ]
    assert keys(match_sessions([session("s")], [session("S"), session("T")], pairs)) == [
        ("s", "S"),
        ("s", "T"),
    ]


def test_sessions_without_such_a_claim_go_by_key_then_by_names() -> None:
    before = [session("s", "old"), session("t", "gpt2", "pile"), session("u", "gone")]
    after = [session("v", "gpt2", "pile"), session("w", "gpt2", "wiki"), session("s", "new")]
    assert keys(match_sessions(before, after, [])) == [
        ("s", "s"),
        ("t", "v"),
        ("u", ""),
        ("", "w"),
    ]


def test_a_session_that_the_record_lacks_goes_with_none() -> None:
    pair = claim("a", "m >= 1", session="absent"), claim("A", "m >= 1", session="S")
    assert keys(match_sessions([], [session("S")], [pair])) == [("", "S")]
