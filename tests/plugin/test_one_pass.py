"""One pass over the documents serves every selected test of a model and corpus."""

import pytest

from tests.plugin.conftest import TOKENS

TESTS = """
@pytest.mark.head("L0H2", "L1H*")
def test_previous(head):
    assert head.mass(ht.previous) <= 1

class TestMore:
    @pytest.mark.heads("L0H0", "L1H3")
    def test_two(self, heads):
        assert heads[0].mass(ht.previous) <= 1
        assert heads[1].lift(ht.current) >= 0
        assert heads[1].ranked_multiples(5).fraction(ht.induction) >= 0

@pytest.mark.head("L0H1")
def test_options(head):
    assert head.mass(ht.first) <= 1
"""


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


@pytest.mark.slow
def test_documents_run_once_for_all_heads(run_claims, forwards):
    run = run_claims(TESTS)
    assert run.outcomes == {"passed": 7}
    (session,) = run.record["sessions"]
    assert (session["tokens_run"], session["tokens_run_twice"]) == (TOKENS, 0)
    # Eight documents are one batch, for the heads of all tests.
    assert forwards == [["L0H0", "L0H1", "L0H2", "L1H0", "L1H1", "L1H2", "L1H3"]]


def test_only_the_heads_of_selected_tests_are_read(run_claims, forwards):
    run_claims(TESTS, "-k", "test_two or L1H2")
    assert forwards == [["L0H0", "L1H2", "L1H3"]]


def test_another_corpus_is_another_pass(run_claims, forwards):
    run = run_claims(
        """
@pytest.mark.head("L0H2")
def test_it(head):
    assert head.mass(ht.previous) <= 1

@pytest.mark.corpus("repeated-random", documents=4, period=6)
@pytest.mark.head("L0H1")
def test_other(head):
    assert head.mass(ht.previous) <= 1
"""
    )
    assert forwards == [["L0H2"], ["L0H1"]]
    assert [session["documents_run"] for session in run.record["sessions"]] == [8, 4]


def test_a_model_is_loaded_once_for_all_corpora(run_claims, monkeypatch):
    from headtests.models import loading

    loads = []
    load = loading.load_model

    def load_model(spec, settings):
        loads.append(str(spec))
        return load(spec, settings)

    monkeypatch.setattr(loading, "load_model", load_model)
    run_claims(
        """
@pytest.mark.corpus("repeated-random", documents=4, period=6)
@pytest.mark.head("L0H2")
def test_it(head):
    assert head.mass(ht.previous) <= 1

@pytest.mark.head("L0H1")
def test_other(head):
    assert head.mass(ht.previous) <= 1
"""
    )
    assert loads == ["demo"]


def test_rows_that_were_not_kept_run_twice_and_it_is_said(run_claims):
    run = run_claims(TESTS, "--headtests-spool=0", "-k", "L0H2 or L0H1")
    (session,) = run.record["sessions"]
    total, twice = session["tokens_run"], session["tokens_run_twice"]
    assert twice > 0
    assert total == twice + TOKENS
    assert f"  8 documents, {total:,} tokens run on cpu, {twice:,} of them twice" in run.lines


def test_a_test_with_a_bad_marker_takes_no_head_from_the_others(run_claims, forwards):
    run_claims(
        """
@pytest.mark.head("L0H2", "L9H9", "2.1", 21)
def test_it(head):
    assert head.mass(ht.previous) <= 1
"""
    )
    assert forwards == [["L0H2"]]


def test_what_becomes_of_a_missing_model_makes_it_no_other_model(run_claims, forwards):
    run = run_claims(
        """
@pytest.mark.model("demo", missing="skip")
@pytest.mark.head("L0H2")
def test_it(head):
    assert head.mass(ht.previous) <= 1

@pytest.mark.head("L0H1")
def test_other(head):
    assert head.mass(ht.previous) <= 1
"""
    )
    assert forwards == [["L0H1", "L0H2"]]
    assert len(run.record["sessions"]) == 1
