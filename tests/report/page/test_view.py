from typing import Any

import pytest

from headtests.report.page.view import report
from headtests.report.words.page_budget import Caps
from tests.report import sample

ROOMY = Caps(50, 50)


def test_what_is_not_shown_is_said() -> None:
    shown = report(sample.record(), Caps(1, 0))
    (against,) = shown.claims[0].counterexamples
    assert (len(against.first), against.left_out) == (1, "1 more in the record")
    ranked = shown.heads[0].measured[0].lists[0]
    assert (ranked.first, ranked.left_out) == ([], "3 rows in the record only")
    # What a claim says of it in brief stays.
    assert len(ranked.taste) == 3


def test_a_head_has_one_card_whatever_corpora_it_was_measured_on() -> None:
    again: Any = {**sample.session(), "key": "again"}
    record = sample.record(
        sessions=[sample.session(), again],
        heads=[sample.head(), sample.head("again L1H3", session="again")],
        claims=[sample.claim(), sample.claim("c2", session="again", heads=["again L1H3"])],
    )
    shown = report(record, ROOMY)
    (card,) = shown.heads
    assert [claim.anchor for claim in card.claims] == ["c1", "c2"]
    assert len(card.measured) == 2
    assert {claim.heads[0].anchor for claim in shown.claims} == {card.anchor}


def test_a_head_that_was_claimed_of_has_a_card_without_its_rows() -> None:
    shown = report(sample.record(heads=[]), ROOMY)
    assert [(card.name, len(card.claims), card.measured) for card in shown.heads] == [
        ("L1H3", 6, []),
        ("L0H1", 2, []),
    ]


def test_claims_are_filtered_by_the_models_that_the_page_names() -> None:
    other: Any = {**sample.session(), "key": "other"}
    other["model"] = {**other["model"], "name": "/models/mine"}
    shown = report(
        sample.record(
            sessions=[sample.session(), other],
            claims=[sample.claim(), sample.claim("c2", session="other")],
        ),
        ROOMY,
    )
    assert shown.models == ["headtests/demo", "\u2026/models/mine"]
    assert [claim.model for claim in shown.claims] == ["model_1", "model_2"]
    assert report(sample.record(sessions=[]), ROOMY).claims[0].model == ""


def test_models_of_one_name_are_told_apart() -> None:
    other: Any = {**sample.session(), "key": "other"}
    other["model"] = {**other["model"], "weights_sha256": "77" * 32, "revision": "step512"}
    shown = report(
        sample.record(
            sessions=[sample.session(), other],
            claims=[sample.claim(), sample.claim("c2", session="other")],
        ),
        ROOMY,
    )
    assert shown.models == [
        "headtests/demo (weights 9f9f9f9f)",
        "headtests/demo (step512)",
    ]
    assert [claim.model for claim in shown.claims] == ["model_1", "model_2"]
    assert [card.model for card in shown.heads][:2] == shown.models


def models(*changes: dict[str, Any]) -> list[str]:
    """Return what the page calls models of one name and revision."""
    sessions: list[Any] = [{**sample.session(), "key": str(n)} for n in range(len(changes))]
    for session, changed in zip(sessions, changes, strict=True):
        session["model"] = {**session["model"], "revision": "main", **changed}
    return report(sample.record(sessions=sessions, claims=[]), ROOMY).models


def test_casts_of_one_model_are_called_by_their_dtype() -> None:
    cast = {"weights_sha256": "77" * 32, "dtype": "bfloat16"}
    assert models({}, cast) == ["headtests/demo (float32)", "headtests/demo (bfloat16)"]
    # Where neither revision nor dtype tells them apart, the weights do.
    assert models({}, {**cast, "dtype": "float32"}) == [
        "headtests/demo (weights 9f9f9f9f)",
        "headtests/demo (weights 77777777)",
    ]
    assert len(set(models({}, cast, {"weights_sha256": "11" * 32}))) == 3


def test_versions_and_the_commit_stand_at_the_top() -> None:
    environment = {"python": "3.11.7", "torch": "2.13", "headtests": "0.1.0", "commit": "0123abc"}
    shown = report(sample.record(environment=environment), ROOMY)
    assert shown.versions == ["commit 0123abc", "headtests 0.1.0", "torch 2.13", "python 3.11.7"]


@pytest.mark.parametrize("operator", [">=", "<="])
def test_the_order_of_claims_is_how_far_they_hold(operator: str) -> None:
    far = sample.claim("far", operator=operator, left=sample.estimate(value=0.9))
    near = sample.claim("near", operator=operator, left=sample.estimate(value=0.41))
    orders = [
        claim.order.beyond for claim in report(sample.record(claims=[near, far]), ROOMY).claims
    ]
    assert orders == sorted(orders, reverse=operator == "<=")


def test_no_claim_takes_the_name_of_a_part_of_the_page() -> None:
    shown = report(
        sample.record(claims=[sample.claim("filters"), sample.claim("filter-text")]), ROOMY
    )
    assert [claim.anchor for claim in shown.claims] == ["claim_1", "claim_2"]
