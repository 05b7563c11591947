from typing import Any

from headtests.report.page.cards import Claim
from headtests.report.page.explanation_cards import ExplanationCard
from headtests.report.page.view import Report, report
from headtests.report.words.page_budget import Caps
from tests.report import sample

ROOMY = Caps(50, 50, prompts=True)


def drawn(*explanations: Any, **changes: Any) -> Report:
    return report(sample.record(explanations=list(explanations), **changes), ROOMY)


def of_claim(shown: Report, anchor: str) -> list[ExplanationCard]:
    claims: dict[str, Claim] = {claim.anchor: claim for claim in shown.claims}
    return claims[anchor].explained


def test_an_explanation_stands_under_the_claim_that_it_was_asked_for() -> None:
    shown = drawn(sample.explanation(claims=["c3"]))
    (found,) = of_claim(shown, "c3")
    assert found.head == "L1H3"
    assert [one.anchor for one in found.whole] == ["explained_1"]
    assert found.brief == []
    assert found.is_measured
    for other in ("c1", "c2", "c4"):
        assert of_claim(shown, other) == []


def test_of_several_claims_the_first_shows_it_whole_and_the_others_lead_there() -> None:
    shown = drawn(sample.explanation(claims=["c4", "c1", "c3"]))
    (first,) = of_claim(shown, "c1")
    assert len(first.whole) == 1
    for other in ("c3", "c4"):
        (found,) = of_claim(shown, other)
        assert found.whole == []
        (brief,) = found.brief
        assert brief.anchor == first.whole[0].anchor
        assert brief.text == sample.BUILT_IN_TEXT
        assert brief.best == first.whole[0].suggestions[0]
        assert brief.claim == shown.claims[0].record["sentence"]
        assert found.is_measured


def test_the_built_in_explanation_is_first_and_the_baseline_of_a_models() -> None:
    shown = drawn(sample.of_a_model(), sample.explanation())
    (found,) = of_claim(shown, "c1")
    assert [one.explainer for one in found.whole] == ["", "gpt-x"]
    assert found.has_rival
    (alone,) = of_claim(drawn(sample.explanation()), "c1")
    assert not alone.has_rival


def test_each_head_of_a_claim_is_told_by_itself() -> None:
    other = sample.explanation(claims=["c2"], head="demo L0H1", name="L0H1")
    shown = drawn(sample.explanation(claims=["c2"]), other, sample.of_a_model(claims=["c2"]))
    assert [(one.head, len(one.whole)) for one in of_claim(shown, "c2")] == [
        ("L1H3", 2),
        ("L0H1", 1),
    ]


def test_one_that_was_asked_for_no_claim_stands_with_its_head() -> None:
    shown = drawn(
        sample.explanation(claims=[]),
        sample.explanation(claims=["gone"], head="demo L0H1", name="L0H1"),
    )
    assert not any(claim.explained for claim in shown.claims)
    for card, anchor in zip(shown.heads, ("explained_1", "explained_2"), strict=True):
        assert card.explained is not None
        assert [one.anchor for one in card.explained.whole] == [anchor]
        assert card.explained.brief == []


def test_a_head_leads_to_what_is_told_under_its_claims() -> None:
    shown = drawn(sample.explanation(claims=["c1", "c3"]), sample.of_a_model(claims=["c3"]))
    card, other = shown.heads
    assert card.explained is not None
    assert [(one.anchor, one.explainer) for one in card.explained.brief] == [
        ("explained_1", ""),
        ("explained_2", "gpt-x"),
    ]
    assert other.explained is None


def test_a_head_that_nobody_claims_anything_of_has_a_card() -> None:
    shown = drawn(sample.explanation(claims=[], head="demo L0H3", name="L0H3"))
    assert [card.name for card in shown.heads] == ["L1H3", "L0H1", "L0H3"]
    explained = shown.heads[-1].explained
    assert explained is not None
    assert len(explained.whole) == 1


def test_claims_of_one_id_are_one_claims_places() -> None:
    shown = drawn(
        sample.explanation(claims=["twice"]),
        claims=[sample.claim("twice"), sample.claim("twice")],
    )
    assert [len(claim.explained[0].whole) for claim in shown.claims] == [1, 0]
    assert [len(claim.explained[0].brief) for claim in shown.claims] == [0, 1]


def test_a_trouble_that_many_share_is_told_once() -> None:
    many = [sample.not_explained(claims=[claim]) for claim in ("c1", "c2", "c3")]
    shown = drawn(*many, sample.not_explained(claims=["c4"], trouble="Another."))
    (trouble,) = shown.troubles
    assert trouble.what == "3 explanations by gpt-x"
    assert trouble.trouble.startswith("The server answered 503")
    anchors = [claim.explained[0].whole[0].trouble_anchor for claim in shown.claims[:4]]
    assert anchors == [trouble.anchor] * 3 + [""]
    assert drawn(*many[:2]).troubles == []


def test_troubles_of_other_servers_and_models_are_others() -> None:
    servers = [sample.not_explained(server=f"http://{n}/v1") for n in range(3)]
    models = [sample.not_explained(explainer=f"gpt-{n}") for n in range(3)]
    assert drawn(*servers, *models).troubles == []


def test_nothing_was_measured_of_what_is_only_trouble() -> None:
    (found,) = of_claim(drawn(sample.not_explained(claims=["c1"])), "c1")
    assert not found.is_measured
    scored = sample.explanation(suggestions=[], text="Nothing stands out.")
    (found,) = of_claim(drawn(scored), "c1")
    assert found.is_measured
