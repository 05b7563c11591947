"""`--headtests-rank` has the pass serve every head of the layers that the tests name."""

import pytest

TEST = """
@pytest.mark.head("L0H2", "L9H9")
def test_it(head):
    assert head.mass(ht.previous) >= 0.1
"""
LAYER = ["L0H0", "L0H1", "L0H2", "L0H3"]


@pytest.fixture
def forwards(monkeypatch):
    """The heads of every call of a model."""
    from headtests.models.loaded import LoadedModel

    called = []
    read = LoadedModel.read

    def counted(self, batch, heads, portions, give):
        called.append([str(head) for head in heads])
        return read(self, batch, heads, portions, give)

    monkeypatch.setattr(LoadedModel, "read", counted)
    return called


@pytest.mark.parametrize("arguments", [("--headtests-rank",), ()], ids=["asked for", "not"])
def test_a_layers_heads_are_read_in_one_pass_where_it_is_asked_for(run_claims, forwards, arguments):
    run = run_claims(TEST, *arguments)
    assert run.outcomes == {"passed": 1, "errors": 1}
    assert forwards == [LAYER if arguments else ["L0H2"]]
    (session,) = run.record["sessions"]
    assert session["tokens_run_twice"] == 0
    (claim,) = run.record["claims"]
    assert claim["left"]["rank"] == ({"rank": 1, "of": 4} if arguments else None)


def test_the_ini_file_may_ask_for_it(run_claims):
    run = run_claims(TEST, ini="headtests_rank = yes")
    assert run.record["claims"][0]["left"]["rank"] == {"rank": 1, "of": 4}


def test_heads_without_a_claim_have_no_place_in_the_report(run_claims):
    run = run_claims(TEST, "--headtests-rank")
    assert [head["name"] for head in run.record["heads"]] == ["L0H2"]
