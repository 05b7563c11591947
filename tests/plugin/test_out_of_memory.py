"""Out of memory in a pass: the batch is halved, it is said, and nothing else changes."""

import pytest

TESTS = """
pytestmark = [pytest.mark.corpus("repeated-random", documents=20, period=6)]

@pytest.mark.head("L0H2", "L1H2")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1
"""


def without_time(run):
    """Return what of the record must not depend on batches."""
    claims = [
        {**claim, "left": {**claim["left"], "value": round(claim["left"]["value"], 5)}}
        for claim in run.record["claims"]
    ]
    return [(claim["expression"], claim["verdict"], claim["left"]["value"]) for claim in claims]


@pytest.fixture
def little_memory(monkeypatch):
    """Return a function that lets so many documents through a model at once."""
    import torch

    from headtests.models.loaded import LoadedModel

    read = LoadedModel.read

    def limit(most):
        def limited(self, batch, heads, portions, give):
            if len(batch.documents) > most:
                raise torch.OutOfMemoryError("out of memory")
            return read(self, batch, heads, portions, give)

        monkeypatch.setattr(LoadedModel, "read", limited)

    return limit


@pytest.mark.slow
def test_the_batch_is_halved_and_the_verdicts_are_the_same(run_claims, little_memory):
    expected = without_time(run_claims(TESTS))
    little_memory(5)
    run = run_claims(TESTS)
    assert run.outcomes == {"passed": 1, "failed": 1}
    assert without_time(run) == expected
    notes = [
        "Out of memory with 20 documents at once; the pass continued with 10.",
        "Out of memory with 10 documents at once; the pass continued with 5.",
    ]
    (session,) = run.record["sessions"]
    assert session["corpus"]["notes"] == notes
    assert [line.strip() for line in run.section("claims")][-3:-1] == notes
    assert session["tokens_run_twice"] == 0


@pytest.mark.slow
def test_one_document_that_is_too_much_is_one_clear_error(run_claims, little_memory):
    little_memory(0)
    run = run_claims(TESTS, "--headtests-batch-size=2")
    assert run.outcomes == {"failed": 2}
    for name in ("L0H2", "L1H2"):
        outcome, message = run.unmeasured[f"test_it[{name}]"]
        assert outcome == "failed"
        assert message.startswith("demo: out of memory on a single document of 13 tokens (cpu). ")
