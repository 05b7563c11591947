"""`assert not` of a claim reads right: the verdict is the claim's, the outcome the test's."""

import re

DENIED = """
@pytest.mark.head("L1H2", "L0H2")
def test_is_no_previous_token_head(head):
    assert not (head.mass(ht.previous) >= 0.9)
"""


def test_a_refuted_claim_that_is_denied_passes_and_both_are_shown(run_claims):
    run = run_claims(DENIED)
    assert run.outcomes == {"passed": 1, "failed": 1}
    assert run.claims == [
        ("test_is_no_previous_token_head[L1H2]", "refuted", "passed"),
        ("test_is_no_previous_token_head[L0H2]", "holds", "failed"),
    ]
    shown = "\n".join(run.section("claims"))
    assert re.search("^refuted passed .*^holds   failed ", shown, re.DOTALL | re.MULTILINE)
