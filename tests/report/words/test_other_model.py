from typing import Any, cast

from headtests.report.words.other_model import Against, against, differing, names_of
from headtests.report.words.sessions import session_view
from tests.report import sample


def sessions(**other: Any) -> dict[str, Any]:
    """Return two sessions by their keys; the other's model differs in what is given."""
    second = cast(Any, sample.session())
    second["model"] |= {"name": "other/model", "weights_sha256": "7a" * 32, **other}
    return {"demo": sample.session(), "other": second}


def of(claim: Any = None, **changes: Any) -> Against:
    """Return what a card shows of a claim beside another model's."""
    records = sessions()
    views = {key: session_view(one, f"session_{key}") for key, one in records.items()}
    content = {**(claim or sample.claim()), "against": sample.against(**changes)}
    found = against(cast(Any, content), records, views)
    assert found is not None
    return found


def lines(found: Against) -> dict[str, list[str]]:
    return {line.name: line.values for line in found.lines}


def test_a_claim_that_no_other_model_was_asked_has_none() -> None:
    assert against(sample.claim(), {}, {}) is None


def test_both_models_have_their_verdict_and_lead_to_their_sessions() -> None:
    found = of()
    assert found.models == (
        ("headtests/demo", "session_demo", "refuted", "\u2715"),
        ("other/model", "session_other", "holds", "\u2713"),
    )
    assert found.differs
    assert not of(verdict="refuted").differs


def test_both_models_have_their_estimate_interval_and_documents() -> None:
    assert lines(of()) == {
        "Estimate": ["0.12", "0.47"],
        "Interval": ["between 0.09 and 0.16", "between 0.43 and 0.52"],
        "Measured on": ["64 of 217 eligible documents (4,310 rows)", "80 documents"],
    }


def test_of_two_statistics_it_is_their_difference() -> None:
    two = sample.claim(
        left=sample.estimate(),
        right=sample.other(),
        factor=3,
        difference={"value": 0.031, "low": 0.004, "high": None},
    )
    found = lines(of(two, value=0.05, low=None, high=0.1))
    assert found["Difference"] == ["0.031", "0.05"]
    assert found["Interval"] == ["at least 0.004", "at most 0.10"]
    # Of two figures of pairs the record has no difference, which is then one of figures.
    pairs = sample.claim(
        left=sample.fraction(value=0.7), right=sample.fraction(value=0.1), factor=3
    )
    assert lines(of(pairs, value=0.2, low=None, high=None, documents=None)) == {
        "Difference": ["0.40", "0.20"],
        "Measured on": ["50 pairs", ""],
    }


def test_the_paired_difference_says_its_sign_its_documents_and_that_it_is_arithmetic() -> None:
    assert of().paired.startswith(
        "other/model minus headtests/demo: +0.351 on average, over the 217"
    )
    assert "arithmetic, not an inference" in of().paired
    assert (
        "demo: -0.12. This is arithmetic" in of(difference=-0.12, difference_documents=None).paired
    )
    assert of(difference=None).paired == ""
    lift = sample.claim(left=sample.estimate(kind="lift"))
    assert "+0.351\u00d7 on average" in of(lift).paired


def test_a_model_that_was_not_to_be_asked_says_why_and_has_no_figures() -> None:
    found = of(**cast(Any, sample.not_compared()))
    assert found.trouble == "other/model has 1 layer, and L1H3 is in the second."
    assert (found.lines, found.paired, found.models[1].verdict) == ([], "", "")
    assert not found.differs


def test_models_are_called_what_tells_them_apart() -> None:
    name = {"name": "headtests/demo"}
    weights = {"weights_sha256": "9f" * 32}
    assert names_of("demo", "other", sessions()) == ("headtests/demo", "other/model")
    assert names_of("demo", "other", sessions(**name, **weights, dtype="bfloat16")) == (
        "headtests/demo, float32",
        "headtests/demo, bfloat16",
    )
    assert names_of("demo", "other", sessions(**name, revision="step512")) == (
        "headtests/demo",
        "headtests/demo at step512",
    )
    assert names_of("demo", "other", sessions(**name)) == (
        "headtests/demo, weights 9f9f9f9f",
        "headtests/demo, weights 7a7a7a7a",
    )
    assert names_of("demo", "gone", sessions()) == ("headtests/demo", "gone")


def test_a_session_that_the_record_lacks_leads_nowhere() -> None:
    assert of(session="gone").models[1][:2] == ("gone", "")
    # What could not be opened has no session.
    assert of(**cast(Any, sample.not_compared(session=""))).models[1].name == "another model"


def test_only_claims_of_another_verdict_differ() -> None:
    claims = sample.beside()["claims"]
    assert [claim["id"] for claim, _ in differing(claims)] == ["c1"]
