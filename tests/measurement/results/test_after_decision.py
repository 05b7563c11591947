"""Once claims are decided, one pass serves overviews of heads and rows against claims."""

from dataclasses import replace

import numpy as np
import pytest

import headtests as ht
from headtests.cache import Store
from headtests.claims.definitions import Entropy, Lift, Mass, Question, RowOptions, Top1Rate
from headtests.corpora import Document
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.runner import DocumentPass
from headtests.measurement.readers.rows_against import RowsAgainstRequest
from headtests.measurement.results.after_decision import ReportMeasurements
from headtests.measurement.results.cache_keys import ResultKeys
from headtests.measurement.results.on_disk import StoredResults
from headtests.settings import Settings
from tests import tiny_models
from tests.judges import Claim, Judge
from tests.measurement.blocks import texts_of
from tests.measurement.pretended import HEAD, OTHER, UNANNOUNCED, Log, Model, Witness
from tests.measurement.several import listed
from tests.oracles import CURRENT, DUPLICATE, PREVIOUS, Reader

SUPPRESSED, PLAIN = RowOptions(True), RowOptions(False, 2)
LENGTHS = [3 + (number * 5) % 14 for number in range(150)]
MASS = Claim("mass", DUPLICATE, ">=", 0.9)
STATISTIC = Mass(DUPLICATE.expression, None)


@pytest.fixture(scope="module")
def population():
    # Few different tokens, so that they repeat; two documents a text.
    documents = [
        Document(one.id, f"text-{one.id // 2}", one.id % 2, one.ids)
        for one in tiny_models.random_documents(LENGTHS, first_id=0, vocabulary=12)
    ]
    with tiny_models.population_of(documents) as made:
        yield made


class Run:
    """A pass of a model whose rows are known, and what is read at its end."""

    def __init__(self, population, model=None, folder=None, **settings):
        self.log = Log()
        self.model = model or Model()
        chosen = Settings(**settings)
        self.document_pass = DocumentPass(self.model, population, (HEAD, OTHER), chosen, self.log)
        self.kept = None
        if folder is not None:
            self.kept = StoredResults(
                Store(folder, 10**8),
                ResultKeys(self.document_pass, "weights", chosen.seed),
                population.lengths,
            )
        self.closing = ReportMeasurements(self.document_pass, chosen.seed, self.kept, self.places)

    def places(self, by_text):
        order = self.document_pass.order(by_text)
        return np.argsort(order)

    @property
    def ran(self):
        return sum(self.log.starts)

    def asked(self, head, documents, statistic=STATISTIC, by_text=False, chosen=SUPPRESSED):
        ids = self.document_pass.order(by_text)[:documents]
        return RowsAgainstRequest(Question(head, statistic, chosen, by_text), ids, ">=", 0.9, 4)

    def texts(self, head):
        return texts_of(self.document_pass.blocks(head), self.document_pass.population.vocabulary)

    def expected(self, asked, claim=MASS):
        options = asked.question.options
        judge = Judge(
            self.texts(asked.question.head), options.suppress_first_token, options.min_query
        )
        return judge.judge(claim, asked.size, asked.documents.tolist())


@pytest.fixture
def run_of(population):
    return lambda *of, **settings: Run(population, *of, **settings)


def told(found):
    """Return what was found as plain values."""
    rows = [(*one.order, one.key, one.figure, one.row.tolist()) for one in found.counterexamples]
    return found.rows_against, found.on.to_dict(), found.others.to_dict(), rows


def assert_found(found, expected):
    assert found.rows_against == expected.rows_against > 0
    assert found.on.count == len(expected.on)
    assert found.others.count == len(expected.others)
    assert [(one.document, one.query, one.key) for one in found.counterexamples] == [
        shown[:3] for shown in expected.counterexamples
    ]


@pytest.mark.slow
@pytest.mark.parametrize("spool", [0, 30_000, 10**9])
def test_one_pass_reads_overviews_and_scrutinies_of_several_heads(spool, run_of):
    run = run_of(spool=spool)
    asked = [
        run.asked(HEAD, 20),
        run.asked(OTHER, 100),
        run.asked(HEAD, 50, Mass(~CURRENT.expression, None), chosen=PLAIN),
    ]
    wanted = [(OTHER, SUPPRESSED, 70), (HEAD, SUPPRESSED, 20)]
    overviews = run.closing.overviews(wanted, 9, asked)
    assert run.ran == 128
    found = run.closing.rows_against(asked)
    # All of it was read before.
    assert run.ran == 128
    claims = [MASS, MASS, Claim("mass", ~CURRENT, ">=", 0.9)]
    for one, claim, of in zip(found, claims, asked, strict=True):
        assert_found(one, run.expected(of, claim))
    for (head, _, documents), overview in zip(wanted, overviews, strict=True):
        first = set(run.document_pass.order()[:documents].tolist())
        reader = Reader([text for text in run.texts(head) if text.number in first], True)
        assert listed(overview.ranked) == reader.ranked(9)
        assert overview.count == len(list(reader.pairs()))


def test_rows_that_were_kept_are_read_and_not_run(run_of):
    run = run_of()
    run.document_pass.read((HEAD, OTHER), [Witness()])
    asked = [run.asked(HEAD, 20), run.asked(OTHER, 150), run.asked(HEAD, 150)]
    run.closing.overviews([(HEAD, SUPPRESSED, 150)], 5, asked)
    found = run.closing.rows_against(asked)
    assert run.ran == 150
    for one, of in zip(found, asked, strict=True):
        assert_found(one, run.expected(of))


def test_rows_of_a_head_are_loaded_once_for_all_that_is_asked_of_it(run_of, monkeypatch):
    run = run_of()
    run.document_pass.read((HEAD, OTHER), [Witness()])
    loads = []
    load = run.document_pass._spool.load
    monkeypatch.setattr(
        run.document_pass._spool, "load", lambda kept: loads.append(1) or load(kept)
    )
    asked = [run.asked(HEAD, documents) for documents in (64, 30, 64)]
    run.closing.overviews([(HEAD, SUPPRESSED, 64)], 5, asked)
    parts = len(loads)
    loads.clear()
    run_alone = run.asked(HEAD, 64)
    run.closing.rows_against([run_alone])
    assert parts == len(loads) > 0


@pytest.mark.parametrize("by_text", [False, True])
def test_documents_are_read_up_to_the_last_that_is_asked_for(by_text, run_of):
    run = run_of()
    asked = run.asked(HEAD, 150, by_text=by_text)
    asked = replace(asked, documents=run.document_pass.order(by_text)[95:105:3])
    (found,) = run.closing.rows_against([asked])
    assert run.ran == 128
    assert_found(found, run.expected(asked))


def test_only_as_many_documents_run_as_are_asked_for(run_of):
    run = run_of()
    run.closing.rows_against([run.asked(HEAD, 20)])
    assert run.ran == 64


def test_heads_of_other_passes_take_one_each(run_of):
    run = run_of(spool=0)
    asked = [run.asked(head, 30) for head in (HEAD, UNANNOUNCED, OTHER)]
    found = run.closing.rows_against(asked)
    assert run.ran == 2 * 64
    for one, of in zip(found, asked, strict=True):
        assert_found(one, run.expected(of))


@pytest.mark.slow
@pytest.mark.parametrize("spool", [0, 10**9])
def test_what_was_read_by_text_is_looked_at_by_text(spool, run_of):
    run = run_of(spool=spool)
    asked = [
        run.asked(HEAD, 10, by_text=True),
        run.asked(HEAD, 10),
        run.asked(OTHER, 100, by_text=True),
    ]
    found = run.closing.rows_against(asked)
    assert asked[0].documents.tolist() != asked[1].documents.tolist()
    # 128 documents in the order of texts, 64 in that of documents.
    assert run.ran == 128 + 64
    for one, of in zip(found, asked, strict=True):
        assert_found(one, run.expected(of))


def test_what_was_read_once_is_known(run_of):
    run = run_of(spool=0)
    asked = run.asked(HEAD, 20)
    (first,) = run.closing.rows_against([asked])
    assert run.closing.rows_against([asked, asked]) == [first, first]
    run.closing.overviews([(HEAD, SUPPRESSED, 20)], 5)
    run.closing.overviews([(HEAD, SUPPRESSED, 20)], 5)
    assert run.ran == 2 * 64


def test_values_are_read_where_a_claim_is_about_them(run_of):
    run = run_of()
    weighted = run.asked(HEAD, 20, Mass(DUPLICATE.expression, None, weights="value"))
    run.closing.rows_against([run.asked(HEAD, 20)])
    assert set(run.model.with_values) == {False}
    # The rows are spooled, but not the norms.
    for _ in range(2):
        (found,) = run.closing.rows_against([weighted])
    assert run.ran == 2 * 64
    blocks = run.document_pass.blocks(HEAD, values=True)
    texts = texts_of(blocks, run.document_pass.population.vocabulary)
    claim = Claim("value mass", DUPLICATE, ">=", 0.9)
    assert_found(found, Judge(texts, True, 1).judge(claim, 4, weighted.documents.tolist()))


def test_nothing_asked_runs_nothing(run_of):
    run = run_of()
    assert run.closing.rows_against([]) == []
    assert run.closing.overviews([], 5) == []
    assert not run.model.tried


@pytest.mark.slow
@pytest.mark.parametrize(("batch_size", "spool"), [(1, 30_000), (7, 0), (64, 30_000)])
def test_batches_and_spool_change_nothing(batch_size, spool, run_of):
    statistics = [
        STATISTIC,
        Lift(ht.previous, None, "distance"),
        Top1Rate(ht.previous, None),
        Entropy(None),
        Mass(ht.previous, None, weights="value"),
    ]

    def found_of(**settings):
        run = run_of(**settings)
        asked = [run.asked(head, 90, one) for one in statistics for head in (OTHER, HEAD)]
        return [told(one) for one in run.closing.rows_against(asked)]

    assert found_of(batch_size=batch_size, spool=spool) == found_of()


def test_what_an_earlier_run_found_is_not_read_again(run_of, tmp_path):
    def everything(run):
        asked = [run.asked(HEAD, 20), run.asked(OTHER, 100, by_text=True)]
        run.closing.overviews([(HEAD, SUPPRESSED, 20)], 5, asked)
        return [told(one) for one in run.closing.rows_against(asked)]

    expected = everything(run_of(folder=tmp_path))
    again = run_of(folder=tmp_path, batch_size=5, spool=0)
    assert everything(again) == expected
    assert not again.model.tried
    assert again.kept.read == 3


def test_what_was_asked_otherwise_is_read(run_of, tmp_path):
    first = run_of(folder=tmp_path)
    first.closing.rows_against([first.asked(HEAD, 20)])
    for change in (
        {"documents": 21},
        {"statistic": Mass(PREVIOUS.expression, None)},
        {"chosen": PLAIN},
        {"by_text": True},
        {"head": OTHER},
    ):
        again = run_of(folder=tmp_path)
        again.closing.rows_against([again.asked(**({"head": HEAD, "documents": 20} | change))])
        assert again.model.tried, change
    same = run_of(folder=tmp_path)
    same.closing.rows_against([same.asked(HeadName(HEAD.layer, HEAD.index), 20)])
    assert not same.model.tried
