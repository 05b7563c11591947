"""A head that changes drifts, and no other head of its layer: key weights of one are halved."""

import pytest

CLAIMS = """
pytestmark = [pytest.mark.corpus("demo", first=64)]

@pytest.mark.head("L0H0", "L0H1", "L0H2", "L0H3")
def test_layer_0(head):
    assert head.mass(ht.previous) >= 0.001
    assert head.lift(ht.previous | ht.current) >= 0.01
    assert head.top1_rate(ht.first) <= 0.999
"""


@pytest.mark.slow
@pytest.mark.parametrize("head", [0, 2])
def test_halved_key_weights_of_a_head_are_drift_of_its_claims_alone(run_claims, halved_keys, head):
    off = ("-o", "headtests_explain=none")
    run_claims(CLAIMS, *off, "--headtests-record")
    run = run_claims(CLAIMS, *off, f"--headtests-model={halved_keys(head)}")
    drifted = {
        claim["expression"][:4]
        for claim in run.record["claims"]
        if claim["drift"]["status"] == "drifted"
    }
    assert drifted == {f"L0H{head}"}
    assert len(run.record["claims"]) == 12
