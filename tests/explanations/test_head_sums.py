"""Sums of both halves against figures of the same questions, read one by one."""

import numpy as np
import pytest

import headtests as ht
from headtests.claims.definitions import Mass, Question, RowOptions
from headtests.explanations.head_sums import find, measure_found
from headtests.explanations.relation_search import Finding
from headtests.explanations.text_halves import Half
from headtests.expressions import every_row, first, query
from headtests.expressions.library import CAPITAL, NEWLINE, Named, last_8
from headtests.statistics import QUANTA
from tests.explanations import planted

HEADS = [planted.name("L0H0"), planted.name("L0H1")]
FOUND = {
    HEADS[0]: [
        Finding(Named(ht.previous, ""), 0.1, 0.1),
        Finding(Named(NEWLINE, ""), 0.1, 0.1, (ht.previous,)),
    ],
    HEADS[1]: [Finding(Named(last_8, ""), 0.1, 0.1, (NEWLINE, ht.induction))],
}
SHOWN = [ht.induction, ht.induction & query.matches(CAPITAL.pattern)]


@pytest.fixture(scope="module", params=[(True, 1), (False, 0)], ids=str)
def options(request):
    return RowOptions(*request.param)


@pytest.fixture(scope="module")
def measured(heads, options):
    """A half that knows what was found, and the shares on what is shown."""
    half = Half(heads, True, 128)
    return half, measure_found(half, FOUND, options, SHOWN)


def questions(options):
    whole = ~first if options.suppress_first_token else first | ~first
    for head, found in FOUND.items():
        for on in (first, whole, *(finding.relation for finding in found)):
            yield Question(head, Mass(on, every_row), options)


@pytest.mark.slow
def test_the_half_knows_the_figures_that_would_be_read(heads, measured, options):
    half, _ = measured
    plain = Half(heads, True, 128)
    assert set(half.summed) == set(questions(options))
    for question in questions(options):
        for extent in (64, 128):
            known, read = half.figures(question, extent), plain.figures(question, extent)
            assert known.documents.tolist() == read.documents.tolist()
            assert known.rows.tolist() == read.rows.tolist()
            for name in ("numerators", "base_rates", "resting"):
                gap = getattr(known, name) - getattr(read, name)
                assert np.abs(gap).max() <= QUANTA * 1e-6, (question, name)


@pytest.mark.slow
def test_the_half_knows_what_uniform_attention_gives_on_all_its_documents(heads, measured, options):
    half, _ = measured
    plain = Half(heads, True, 128)
    of = ~first if options.suppress_first_token else None
    for head, found in FOUND.items():
        for finding in found:
            question = Question(head, Mass(finding.relation, every_row, of=of), options)
            assert half.knows_uniform(question)
            known, read = half.uniform(question), plain.uniform(question)
            assert known.documents.tolist() == read.documents.tolist()
            assert known.texts.tolist() == read.texts.tolist()
            assert np.abs(known.base_rates - read.base_rates).max() <= 2
            assert float(known.base_rate) == pytest.approx(float(read.base_rate))


@pytest.mark.slow
def test_what_does_not_fit_into_the_spool_runs_once_and_says_the_same(demo_model, heads):
    options = RowOptions(suppress_first_token=True)
    small = planted.session(demo_model, spool=0)
    # What does not fit is known once something was read.
    small.document_pass.read(HEADS, [], 0, 128)
    ran = small.document_pass.tokens_run
    shares = {}
    for source in (heads, small):
        half = Half(source, True, 128)
        shares[source] = measure_found(half, FOUND, options, SHOWN)
    for head in HEADS:
        for relation in SHOWN:
            one, other = (shares[source][head][relation] for source in (heads, small))
            assert one.rows == other.rows
            assert one.share == pytest.approx(other.share, abs=1e-8)
    measuring = small.population.lengths[Half(small, True, 128).within_limit].sum()
    assert small.document_pass.tokens_run - ran == measuring
    small.close()


def test_shares_are_those_of_every_head_however_many_relations_there_are(
    heads, measured, options, monkeypatch
):
    from headtests.explanations import head_sums

    # A plan of its own for each head.
    monkeypatch.setattr(head_sums, "MOST_PAIR_RELATIONS", 4)
    half, (_, together) = Half(heads, True, 128), measured
    apart = measure_found(half, FOUND, options, SHOWN)
    assert list(apart) == HEADS
    for head in HEADS:
        for relation in SHOWN:
            one, other = apart[head][relation], together[head][relation]
            assert one.share == pytest.approx(other.share, abs=1e-8)
            assert one.rows == other.rows
    assert half.summed.keys() == measured[0].summed.keys()


def test_the_explain_half_shows_the_shares_that_are_asked_for(heads):
    options = RowOptions(suppress_first_token=True)
    found = find(Half(heads, False, 128), HEADS, options, [ht.induction])
    shares = found[HEADS[1]].shares[ht.induction]
    question = Question(HEADS[1], Mass(ht.induction, None, of=~first), options)
    figures = Half(heads, False, 128).figures(question, 128)
    assert shares.share == pytest.approx(float(figures.average), abs=1e-6)
    assert shares.rows == int(figures.rows.sum())
    assert [one.relation for one in found[HEADS[1]].findings] == [ht.induction]


def test_a_half_without_documents_is_read_without_an_error(demo_model):
    session = ht.Session(demo_model, "repeated-random", documents=1, period=8)
    options = RowOptions(suppress_first_token=True)
    empty = next(
        half for half in (Half(session, side) for side in (False, True)) if not len(half.documents)
    )
    heads = session.named("L1H0")
    assert find(empty, heads, options, [ht.induction])[heads[0]].findings == []
    session.close()
