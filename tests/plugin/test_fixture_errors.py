"""An error of another fixture, before a claim's test or after it."""


def test_before_it_the_test_is_an_error_without_a_claim(run_claims):
    run = run_claims(
        """
@pytest.fixture
def broken():
    raise ValueError("no table")

@pytest.mark.head("L0H2")
def test_it(head, broken):
    assert head.mass(ht.previous) >= 0.1
"""
    )
    assert run.outcomes == {"errors": 1}
    assert run.claims == []
    assert run.unmeasured == {"test_it[L0H2]": ("error", "ValueError: no table")}


def test_after_it_the_claim_keeps_its_verdict(run_claims):
    run = run_claims(
        """
@pytest.fixture
def untidy():
    yield
    raise ValueError("left open")

@pytest.mark.head("L0H2")
def test_it(head, untidy):
    assert head.mass(ht.previous) >= 0.1
"""
    )
    assert run.outcomes == {"passed": 1, "errors": 1}
    assert run.claims == [("test_it[L0H2]", "holds", "error")]


def test_a_claim_of_a_fixture_counts(run_claims):
    run = run_claims(
        """
@pytest.fixture
def checked(head):
    assert head.mass(ht.previous) <= 0.1
    return head

@pytest.mark.head("L0H2")
def test_it(checked):
    pass
"""
    )
    assert run.outcomes == {"errors": 1}
    assert run.claims == [("test_it[L0H2]", "refuted", "error")]


def test_a_test_that_skips_itself_is_skipped(run_claims):
    run = run_claims(
        """
@pytest.mark.head("L0H2")
def test_it(head):
    pytest.skip("on Sundays")
"""
    )
    assert run.outcomes == {"skipped": 1}
    assert run.unmeasured == {"test_it[L0H2]": ("skipped", "on Sundays")}
