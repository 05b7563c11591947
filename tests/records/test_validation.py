from collections.abc import Iterator
from typing import Any

import pytest

from headtests.errors import RecordError
from headtests.records.validation import require_record
from tests.report import sample


def refused(keys: tuple[Any, ...], to: Any) -> str:
    """Return what is said of a record in which one field is another."""
    content: Any = sample.record()
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = to
    with pytest.raises(RecordError) as raised:
        require_record(content)
    return str(raised.value)


@pytest.mark.parametrize("make", [sample.record, sample.hostile_record])
def test_a_whole_record_is_returned(make: Any) -> None:
    content = make()
    assert require_record(content) is content
    assert content == make()


@pytest.mark.parametrize(
    ("keys", "to", "said"),
    [
        ((), None, "explanations should be a list, not None"),
        ((0,), [], "explanations[0] should be an object"),
        ((0, "claims"), [3], "explanations[0].claims[0] should be text, not 3"),
        ((0, "text"), None, "explanations[0].text should be text"),
        ((0, "explain"), {"documents": 1}, "explanations[0].explain.texts is missing"),
        ((0, "explain", "texts"), 1.5, "explain.texts should be a whole number, not 1.5"),
        ((0, "resting_mass"), 0.3, "resting_mass should be an object, not 0.3"),
        ((0, "unexplained_mass"), {"value": 1, "low": 0}, "unexplained_mass.high is missing"),
        ((0, "suggestions", 0, "verdict"), "maybe", "suggestions[0].verdict should be"),
        ((0, "suggestions", 0, "mass"), {"value": None}, "mass.value should be a finite number"),
        ((0, "suggestions", 0, "python"), 1, "suggestions[0].python should be text"),
        (
            (0, "detection", 0, "of"),
            "a third",
            "detection[0].of should be 'explanation', 'shuffled' or",
        ),
        ((0, "detection", 0, "pairs"), None, "detection[0].pairs should be a whole number"),
        ((0, "detection", 0, "low"), float("inf"), "detection[0].low should be"),
        ((0, "calls", 0, "messages"), ["a"], "calls[0].messages[0] should be an object"),
        ((0, "calls", 0, "messages", 0), {"role": 1}, "messages[0].role should be text, not 1"),
        ((0, "calls", 0, "parameters"), {"a": None}, "calls[0].parameters.a should be"),
        ((0, "calls", 0, "cached"), 0, "calls[0].cached should be true or false, not 0"),
    ],
)
def test_an_explanation_has_the_shape_that_it_promises(keys: Any, to: Any, said: str) -> None:
    assert said in refused(("explanations", *keys), to)


def objects(content: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of a record whose fields are named by its types; of each list, the first.

    Names of packages and parameters are data.
    """
    if isinstance(content, list):
        yield from objects(content[0] if content else None)
    elif isinstance(content, dict):
        yield content
        for name, value in content.items():
            if name not in ("environment", "parameters", "messages"):
                yield from objects(value)


@pytest.mark.parametrize("make", [sample.beside, sample.searched_record])
def test_no_field_may_be_missing(make: Any) -> None:
    content = make()
    for inner in objects(content):
        for name, value in list(inner.items()):
            del inner[name]
            with pytest.raises(RecordError, match=rf"\b{name} is missing"):
                require_record(content)
            inner[name] = value


def test_fields_that_no_type_names_are_let_pass_as_they_are() -> None:
    deep: Any = []
    for _ in range(10_000):
        deep = [deep]
    content = sample.record()
    for inner in list(objects(content)):
        inner["mood"] = deep
    assert require_record(content) is content
    assert content["claims"][0]["left"]["mood"] is deep


def test_a_lone_surrogate_is_text() -> None:
    require_record(sample.record(created="\ud800", environment={"\ud800": "\ud800"}))


def test_a_name_of_a_type_is_no_place() -> None:
    place = ("explanations", 0, "calls", 0, "parameters")
    assert "parameters.float should be text or a whole number or a finite number, not []" in (
        refused(place, {"float": []})
    )
    right = sample.other(float=1)
    del right["value"]
    assert "claims[1].right.value is missing" in refused(("claims", 1, "right"), right)


def test_a_long_value_is_cut_short() -> None:
    said = refused(("heads", 0, "ranked", 0, "pattern"), [["x" * 1000] * 1000] * 10_000)
    assert "heads[0].ranked[0].pattern[0] should be a finite number, not ['xxx" in said
    assert len(said) < 500


RANKED = ("heads", 0, "ranked", 0)
LEFT = ("claims", 0, "left")


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([[0, 11]], "position 11 of 11 tokens"),
        ([[-1, 3]], "position -1 of 11 tokens"),
        ([[0, 3], [5, 99]], "position 99 of 11 tokens"),
        ([[3, 2]], "runs of attendable positions that do not ascend"),
        ([[4, 5], [0, 1]], "runs of attendable positions that do not ascend"),
        ([[0, 4], [4, 5]], "runs of attendable positions that do not ascend"),
        ([[0]], "a run of attendable positions that is not its first and its last"),
        ([[0, 1, 2]], "a run of attendable positions that is not its first and its last"),
        ([[]], "a run of attendable positions that is not its first and its last"),
        ([0, 1], "attendable[0] should be a list, not 0"),
    ],
)
def test_runs_of_positions_lie_in_the_tokens_and_ascend(runs: Any, said: str) -> None:
    assert said in refused((*RANKED, "attendable"), runs)
    place = (*LEFT, "counterexamples", 0, "attendable")
    assert said in refused(place, runs)


@pytest.mark.parametrize("runs", [[], [[0, 0]], [[0, 10]], [[0, 0], [2, 2], [3, 10]]])
def test_runs_may_be_of_one_position_and_touch(runs: Any) -> None:
    content = sample.record(heads=[sample.head(ranked=[{**sample.pair(), "attendable": runs}])])
    require_record(content)


@pytest.mark.parametrize(
    ("name", "to", "said"),
    [
        ("query", 11, "claims[0].left.counterexamples[1]: position 11 of 11 tokens"),
        ("key", -1, "claims[0].left.counterexamples[1]: position -1 of 11 tokens"),
        ("claimed", [7, 11], "claims[0].left.counterexamples[1]: position 11 of 11 tokens"),
        ("pattern", [0.5], "claims[0].left.counterexamples[1]: 1 attention values for 11 tokens"),
        ("pattern", [-0.5, *[0.1] * 10], "counterexamples[1]: attention outside 0 to 1"),
        ("pattern", [1.7e308] * 11, "counterexamples[1]: attention outside 0 to 1"),
        ("figure", None, "claims[0].left.counterexamples[1].figure should be a finite number"),
    ],
)
def test_a_counterexample_lies_in_its_tokens(name: str, to: Any, said: str) -> None:
    assert said in refused((*LEFT, "counterexamples", 1, name), to)


def test_the_other_statistics_rows_are_looked_at_too() -> None:
    row = sample.counterexample(claimed=[99])
    other = sample.other(counterexamples=[row])
    assert "claims[1].right.counterexamples[0]: position 99" in refused(
        ("claims", 1, "right"), other
    )
    uneven = sample.other(multiples=sample.multiples(on=[1]))
    assert "claims[1].right.multiples: 1 counts" in refused(("claims", 1, "right"), uneven)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"on": [1, 2]}, "multiples: 2 counts in on for 7 bins"),
        ({"others": [0] * 8}, "multiples: 8 counts in others for 7 bins"),
        ({"edges": []}, "multiples: 7 counts in on for 0 bins"),
        ({"edges": [0, 1, 2, 3, 5, 4, 6, 7]}, "multiples: edges that do not ascend"),
        ({"edges": [0, 1, 1, 3, 4, 5, 6, 7]}, "multiples: edges that do not ascend"),
        ({"on": [2**63, *[0] * 6]}, "multiples.on[0] should be a whole number"),
    ],
)
def test_multiples_have_as_many_counts_as_bins(changes: Any, said: str) -> None:
    assert f"claims[0].left.{said}" in refused((*LEFT, "multiples"), sample.multiples(**changes))


def test_multiples_may_have_no_bins() -> None:
    none = sample.multiples(edges=[], on=[], others=[])
    require_record(sample.record(claims=[sample.claim(left=sample.estimate(multiples=none))]))


@pytest.mark.parametrize("span", [[0], [0, 1, 2], [5, 4], [-1, 4], [0, 10_000], [1] * 50])
def test_a_span_lies_in_the_function(span: list[int]) -> None:
    said = refused(("claims", 0, "span"), span)
    assert f"in a source of {len(sample.FUNCTION)} characters" in said
    assert len(said) < 200


@pytest.mark.parametrize(
    ("function", "span"),
    [(sample.FUNCTION, []), (sample.FUNCTION, [0, len(sample.FUNCTION)]), ("", [7, 13]), ("", [])],
)
def test_a_span_may_be_empty_or_of_the_statement(function: str, span: list[int]) -> None:
    require_record(sample.record(claims=[sample.claim(function=function, span=span)]))


def test_without_a_function_a_span_lies_in_the_statement() -> None:
    statement = sample.claim(function="", source="assert it", span=[0, 10])
    with pytest.raises(RecordError, match=r"\[0, 10\] in a source of 9 characters"):
        require_record(sample.record(claims=[statement]))
