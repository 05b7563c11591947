"""Two models side by side: every claim asked of both, and no verdict of either changed by it."""

import pytest

from tests.tiny_models import gpt2_config, random_model, write_model

CLAIMS = """
@pytest.mark.head("L0H2")
def test_previous(head):
    assert head.mass(ht.previous) >= 0.5

@pytest.mark.heads("L0H2", "L0H3")
def test_of_two(heads):
    first, second = heads
    assert first.mass(ht.previous) >= second.mass(ht.previous)
    assert first.ranked_multiples(5).mean >= 1
"""
OFF = ("-o", "headtests_explain=none", "-o", "headtests_drift=off")


@pytest.fixture(scope="module")
def changed(halved_keys):
    """The bundled model with the key weights of L0H2 halved."""
    return halved_keys(2)


def others(run):
    return {claim["expression"]: claim["against"] for claim in run.record["claims"]}


@pytest.mark.slow
def test_without_another_model_nothing_is_asked(run_claims):
    assert set(others(run_claims(CLAIMS, *OFF)).values()) == {None}


@pytest.mark.slow
def test_every_claim_is_asked_of_both(run_claims, changed):
    alone = run_claims(CLAIMS, *OFF)
    run = run_claims(CLAIMS, *OFF, f"--headtests-against={changed}")
    assert run.claims == alone.claims
    found = others(run)
    assert len(found) == 3
    assert {one["trouble"] for one in found.values()} == {""}
    mass = found["L0H2.mass(ht.previous) >= 0.5"]
    own = run.record["claims"][0]["left"]
    assert mass["verdict"] in ("holds", "refuted", "undecided")
    assert mass["difference"] < -0.01
    assert mass["difference_documents"] == 8
    assert mass["low"] <= mass["value"] <= mass["high"]
    assert own["value"] != mass["value"]
    two = found["L0H2.mass(ht.previous) >= L0H3.mass(ht.previous)"]
    assert two["difference"] == pytest.approx(mass["difference"], abs=1e-3)
    pairs = found["L0H2.ranked_multiples(5).mean >= 1"]
    assert (pairs["documents"], pairs["difference_documents"], pairs["low"]) == (None, None, None)


@pytest.mark.slow
def test_the_other_model_has_its_place_in_the_record(run_claims, changed):
    run = run_claims(CLAIMS, *OFF, f"--headtests-against={changed}")
    sessions = {one["key"]: one["model"]["name"] for one in run.record["sessions"]}
    assert list(sessions.values()) == ["demo", changed]
    assert {one["session"] for one in others(run).values()} == {list(sessions)[1]}
    assert any(line.startswith("against the other model: ") for line in run.lines)


@pytest.mark.slow
def test_the_figures_are_those_of_a_run_of_that_model(run_claims, changed):
    beside = others(run_claims(CLAIMS, *OFF, f"--headtests-against={changed}"))
    itself = run_claims(CLAIMS, *OFF, f"--headtests-model={changed}")
    for claim in itself.record["claims"]:
        other = beside[claim["expression"]]
        assert other["verdict"] == claim["verdict"]
        if claim["difference"] is None:
            assert other["value"] == pytest.approx(claim["left"]["value"], abs=1e-6)


def test_the_same_model_in_another_type(run_claims):
    run = run_claims(CLAIMS, *OFF, "--headtests-against-dtype=bfloat16")
    mass = others(run)["L0H2.mass(ht.previous) >= 0.5"]
    assert mass["verdict"] == "holds"
    assert 0 < abs(mass["difference"]) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--headtests-against=demo", "names demo itself"),
        ("--headtests-against-dtype=float32", "names demo itself"),
        ("--headtests-against=step512", "demo has no revisions"),
        ("--headtests-against=./nowhere/at-all", "nowhere"),
    ],
)
def test_what_cannot_be_compared_is_told_and_changes_no_verdict(run_claims, option, said):
    run = run_claims(CLAIMS, *OFF, option)
    assert run.outcomes == {"passed": 2}
    troubles = {one["trouble"] for one in others(run).values()}
    assert len(troubles) == 1
    assert said in troubles.pop()
    assert any(line.startswith("  not compared: ") for line in run.lines)


@pytest.mark.slow
def test_a_model_of_other_tokens_means_nothing(run_claims, model_folder):
    run = run_claims(CLAIMS, *OFF, f"--headtests-against={model_folder('encoder')}")
    troubles = {one["trouble"] for one in others(run).values()}
    assert any("does not read the same documents" in trouble for trouble in troubles)


def test_a_model_without_that_head_says_so(run_claims, tmp_path):
    small = random_model(gpt2_config(n_head=2))
    run = run_claims(CLAIMS, *OFF, f"--headtests-against={write_model(tmp_path / 'small', small)}")
    assert any("has no L0H2" in one["trouble"] for one in others(run).values())


@pytest.mark.parametrize("option", ["--headtests-against=", "--headtests-against-dtype=int8"])
def test_bad_options_are_refused(run_claims, option):
    assert run_claims(CLAIMS, option).exit_code == 4
