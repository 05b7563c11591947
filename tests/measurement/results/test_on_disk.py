"""A later run reads the results of an earlier one bit for bit, without loading the model."""

import json
from dataclasses import fields

import numpy as np
import pytest

import headtests as ht
from headtests import key
from headtests.cache import Store, fingerprint
from headtests.claims.definitions import Lift, Mass, Question, RowOptions
from headtests.claims.pairs import DistributionRequest, DistributionSketch, Overview, RankedRequest
from headtests.errors import CacheWarning
from headtests.expressions.head_names import HeadName, parse_head
from headtests.measurement.readers.rows_against import (
    RowAgainst,
    RowsAgainstRequest,
    RowsAgainstResult,
)
from headtests.measurement.results.on_disk import StoredResults
from headtests.models.loaded import LoadedModel
from headtests.sessions.session import Session
from headtests.settings import ModelSpec, Settings
from headtests.statistics import DocumentFigures
from headtests.statistics.quanta import QUANTA
from headtests.statistics.sketches import Histogram, Moments, Pairs

SUPPRESSED = RowOptions(True)
SENTENCES = [
    "The cat sat on the mat. The cat left the mat, and the mat stayed.",
    "A dog",
    "We measured the attention of each head; none was surprised.",
    "Yes.",
    "The claim holds, the claim is refuted, or the claim is undecided.",
]
PROMPT = "The cat sat on the mat"


LENGTHS = np.full(500, 128)
"""The number of tokens of each document of a population."""


class EveryKey:
    """Keys that say no more than what they are of."""

    def __getattr__(self, name):
        return lambda *asked: fingerprint(name, *map(repr, asked))


@pytest.fixture
def results(tmp_path):
    return StoredResults(Store(tmp_path / "cache", 10**8), EveryKey(), LENGTHS)


# Bit for bit.


def assert_equal_figures(found, expected):
    for field in fields(DocumentFigures):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        assert (one is None) == (other is None)
        if one is not None:
            assert (one.dtype, one.tolist()) == (other.dtype, other.tolist())


def some_figures(count, ratio, seed=0):
    """Return the documents of a span, in order, and figures of some of them."""
    generator = np.random.default_rng([count, seed])
    order = generator.permutation(len(LENGTHS))[: count + 14]
    columns = {
        field.name: generator.integers(0, QUANTA + 1, count) for field in fields(DocumentFigures)
    }
    columns["documents"] = order[np.sort(generator.permutation(count + 14)[:count])]
    columns["rows"] = generator.integers(1, 128, count)
    columns["sizes"] = np.ones(count, np.int64)
    if not ratio:
        columns["denominators"] = columns["base_denominators"] = None
    return order, DocumentFigures(**columns)


@pytest.mark.parametrize("ratio", [False, True], ids=["average", "ratio"])
@pytest.mark.parametrize("documents", [0, 1, 50])
def test_figures_come_back_as_they_were(documents, ratio, results):
    statistic = Mass(ht.previous, None, of=~ht.first if ratio else None)
    asked = Question(HeadName(0, 0), statistic, SUPPRESSED), False, 0, 64
    order, given = some_figures(documents, ratio)
    assert results.figures(*asked, order) is None
    results.keep_figures(*asked, given)
    assert_equal_figures(results.figures(*asked, order), given)
    assert results.read == 1


def some_pairs(count, seed=0):
    """Return pairs above average, from the highest multiple to the lowest."""
    generator = np.random.default_rng(seed)
    ids = [generator.integers(0, size, size=count) for size in (len(LENGTHS), 128, 128)]
    return Pairs.of(*ids, 1 + np.sort(generator.random(count))[::-1] * 120)


@pytest.mark.parametrize("count", [0, 1, 300])
def test_pairs_come_back_as_they_were(count, results):
    asked, given = (HeadName(0, 0), RankedRequest(300, SUPPRESSED), True), some_pairs(count)
    assert results.pairs(*asked) is None
    results.keep_pairs(*asked, given)
    assert results.pairs(*asked) == given
    assert isinstance(results.pairs(*asked), Pairs)


@pytest.mark.parametrize("sample_of", [None, 10**12])
@pytest.mark.parametrize("count", [0, 1, 500])
def test_distributions_come_back_as_they_were(count, sample_of, results):
    pairs, histogram, moments = some_pairs(count), Histogram(), Moments()
    histogram.update(pairs.multiples)
    moments.update(pairs.multiples)
    asked = HeadName(0, 0), DistributionRequest(SUPPRESSED), True
    results.keep_pairs(*asked, DistributionSketch(histogram, moments, pairs, sample_of))
    found = results.pairs(*asked)
    assert found.histogram.to_dict() == histogram.to_dict()
    assert found.moments.to_dict() == moments.to_dict()
    assert (found.sample, found.sample_of) == (pairs, sample_of)


def test_overviews_come_back_as_they_were(results):
    given = Overview(some_pairs(10, 1), some_pairs(7, 2), 12345)
    asked = HeadName(0, 0), SUPPRESSED, 70, 10
    assert results.overview(*asked) is None
    results.keep_overview(*asked, given)
    found = results.overview(*asked)
    assert (found.ranked, found.random, found.count) == (given.ranked, given.random, 12345)


@pytest.mark.parametrize("count", [0, 1, 10])
def test_scrutinies_come_back_as_they_were(count, results):
    generator = np.random.default_rng(count)
    on, others = Histogram(), Histogram()
    on.update(generator.random(5 * count) * 9)
    others.update(generator.random(100) * 2)
    rows = tuple(
        RowAgainst(
            *(
                int(number)
                for number in generator.integers((-(2**40), 0, 0, 0), (2**40, 9, 99, 99))
            ),
            *generator.random(2).tolist(),
            np.sort(generator.permutation(99)[:place]),
            generator.random(128, dtype=np.float32),
        )
        for place in range(count)
    )
    question = Question(HeadName(0, 0), Mass(ht.previous, None), SUPPRESSED)
    asked = RowsAgainstRequest(question, np.arange(9), ">=", 0.4, 10)
    assert results.rows_against(asked, 64) is None
    results.keep_scrutinised(asked, 64, RowsAgainstResult(12345, on, others, rows))
    found = results.rows_against(asked, 64)
    assert found.rows_against == 12345
    assert (found.on.to_dict(), found.others.to_dict()) == (on.to_dict(), others.to_dict())
    for one, given in zip(found.counterexamples, rows, strict=True):
        for name in ("score", "document", "query", "key", "multiple", "figure"):
            assert getattr(one, name) == getattr(given, name)
            assert type(getattr(one, name)) is type(getattr(given, name))
        for name in ("claimed", "row"):
            assert getattr(one, name).dtype == getattr(given, name).dtype
            assert getattr(one, name).tolist() == getattr(given, name).tolist()


def test_rows_come_back_as_they_were(results):
    generator = np.random.default_rng(5)
    rows = [generator.random(128, dtype=np.float32) for _ in range(3)]
    asked = HeadName(0, 0), some_pairs(3)
    assert results.rows(*asked) is None
    results.keep_rows(*asked, rows)
    for found, given in zip(results.rows(*asked), rows, strict=True):
        assert (found.dtype, found.tolist()) == (given.dtype, given.tolist())


# From run to run.


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A corpus of sentences in a file."""
    path = tmp_path_factory.mktemp("corpus") / "sentences.jsonl"
    texts = ["One of a kind: no other text is this one.", *(SENTENCES * 14)[1:]]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return str(path)


@pytest.fixture
def session_of(model_folder, corpus, tmp_path):
    """Return a function that opens a session that keeps results in a folder of this test."""
    sessions = []

    def make(name="gpt2", heads=("L0H1", "L1H2"), **settings):
        chosen = {"device": "cpu", "cache": str(tmp_path / "cache")} | settings
        model = ModelSpec(model_folder(name)) if isinstance(name, str) else name
        sessions.append(Session(model, corpus, heads=heads, settings=Settings(**chosen)))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


def loads(session):
    """Return whether a session has asked for a model's weights."""
    return "capture" in vars(session.model)


@ht.relation
def before(document):
    return np.eye(len(document), k=-1, dtype=bool)


def shown(pair):
    return [getattr(pair, name) for name in pair.__slots__]


def everything(session):
    """Return whatever a session may be asked, as plain values."""
    found = []
    for name in ("L0H1", "L1H2"):
        head = session.head(name)
        for figure in (
            head.mass(ht.previous),
            head.mass(~ht.current, of=~ht.first, beyond_corpus=True),
            head.lift(key.repeats, over="distance"),
            head.exceed_rate(1.5, before),
            head.precision(key.repeats, above=1.2),
        ):
            found.append((figure.value, figure.documents, figure.rows, figure.base_rate))
        claim = head.mass(ht.previous) >= 0.9
        found.append((bool(claim), claim.left.documents, claim.left.matched_rate))
        for multiples in (
            head.ranked_multiples(7),
            head.ranked_multiples(7, reverse=True, on=before),
            head.random_multiples(7),
            head.random_multiples(7, above_average=False),
        ):
            found.append([shown(pair) for pair in multiples])
            found.append(multiples.fraction(ht.previous).value)
        for distribution in (head.distribution(), head.distribution(on=before)):
            found.append((distribution.histogram.to_dict(), distribution.moments.to_dict()))
            found.append([[shown(pair) for pair in band.examples] for band in distribution.bands])
        pattern = head.pattern(PROMPT)
        found.append((pattern.tokens, pattern.attention.tolist(), pattern.attendable.tolist()))
    wanted = [(HeadName(0, 1), SUPPRESSED, 70), (HeadName(1, 2), SUPPRESSED, 20)]
    asked = [
        RowsAgainstRequest(Question(*of), np.arange(40), ">", 5.0, 5)
        for of in (
            (HeadName(0, 1), Mass(before, None), SUPPRESSED),
            (HeadName(1, 2), Mass(~ht.current, None, of=~ht.first), SUPPRESSED, True),
            (HeadName(1, 2), Lift(key.repeats, None, "distance"), RowOptions(False)),
        )
    ]
    for ranked, random, count in session.overviews(wanted, 5, asked):
        found.append(([shown(pair) for pair in ranked], [shown(pair) for pair in random], count))
    for one, pairs in session.rows_against(asked):
        found.append((one.rows_against, one.on.to_dict(), one.others.to_dict()))
        found.append([shown(pair) for pair in pairs])
        assert len(pairs) == 5
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gpt2", "gpt-neo", "encoder"])
def test_a_second_run_loads_no_weights_and_finds_the_same(name, session_of):
    first = session_of(name)
    expected = everything(first)
    assert loads(first)
    again = session_of(name)
    assert everything(again) == expected
    assert not loads(again)
    assert (again.document_pass.tokens_run, again.document_pass.documents_run) == (0, 0)
    assert again.passes.results_read > 20


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed", [{"batch_size": 3}, {"spool": 0}, {"alpha": 0.05}, {"batch_size": 1}], ids=repr
)
def test_how_results_were_come_by_is_nothing_to_a_later_run(changed, session_of):
    first = session_of(**changed)
    expected = first.head("L0H1").mass(ht.previous).value
    top = list(first.head("L1H2").ranked_multiples(5))
    again = session_of()
    assert list(again.head("L1H2").ranked_multiples(5)) == top
    assert again.head("L0H1").mass(ht.previous).value == expected
    assert not loads(again)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed", [{"seed": 1}, {"max_documents": 66}, {"min_query": 2}], ids=repr
)
def test_another_question_is_measured(changed, session_of):
    float(session_of().head("L0H1").mass(ht.previous))
    again = session_of(**changed)
    float(again.head("L0H1").mass(ht.previous))
    assert loads(again)


def test_a_new_question_runs_and_an_old_one_does_not(session_of):
    float(session_of().head("L0H1").mass(ht.previous))
    again = session_of()
    float(again.head("L0H1").mass(ht.previous))
    # Measured beside it, since one pass served both heads.
    float(again.head("L1H2").mass(ht.previous))
    assert not loads(again)
    float(again.head("L0H1").mass(ht.current))
    assert loads(again)
    assert again.document_pass.tokens_run == again.population.tokens


def test_some_kept_and_some_new_results_take_one_pass(session_of):
    first = session_of(spool=0)
    expected = list(first.head("L0H1").ranked_multiples(5))
    again = session_of(spool=0)
    head, other = again.head("L0H1"), again.head("L1H2")
    known, new = head.ranked_multiples(5), other.random_multiples(5)
    figures = [other.mass(ht.previous), head.lift(ht.current)]
    assert len(new.columns) == 5
    assert again.document_pass.tokens_run == again.population.tokens
    assert all(float(figure) > 0 for figure in figures)
    assert list(known) == expected
    assert again.document_pass.tokens_run == again.population.tokens


def edited(ids):
    """Return a relation of the same name that differs in one pair of one document."""

    @ht.relation
    def before(document):
        found = np.eye(len(document), k=-1, dtype=bool)
        if document.ids.tolist() == ids:
            found[3, 3] = True
        return found

    return before


@pytest.mark.slow
def test_an_edited_relation_is_never_stale(session_of):
    found = []
    for relation in (before, edited(session_of().population.ids(0).tolist())):
        assert relation.name == "before"
        found.append(asked(session_of(no_cache=True), relation))
        for _ in range(2):
            assert asked(session_of(), relation) == found[-1]
    assert all(one != other for one, other in zip(*found, strict=True))


def asked(session, relation):
    head = session.head("L0H1")
    return [
        head.mass(relation).value,
        head.mass(relation, when=ht.every_row).value,
        [shown(pair) for pair in head.random_multiples(5000, above_average=False, on=relation)],
        head.distribution(on=relation).moments.to_dict(),
    ]


@pytest.mark.slow
def test_damaged_results_are_computed_again(session_of, tmp_path):
    expected = everything(session_of())
    files = sorted((tmp_path / "cache").glob("*.result"))
    assert len(files) > 20
    for file in files:
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
    again = session_of()
    with pytest.warns(CacheWarning, match="cannot be used") as warned:
        assert everything(again) == expected
    assert loads(again)
    assert len(warned) > 20
    third = session_of()
    assert everything(third) == expected
    assert not loads(third)


@pytest.mark.slow
def test_results_that_were_deleted_are_computed_again(session_of, tmp_path):
    expected = everything(session_of())
    for file in sorted((tmp_path / "cache").glob("*.result"))[::3]:
        file.unlink()
    assert everything(session_of()) == expected


@pytest.mark.slow
def test_without_a_cache_nothing_is_read_or_written(session_of, tmp_path, monkeypatch):
    def refused(*anything):
        pytest.fail("the store was asked")

    with monkeypatch.context() as patch:
        for name in ("read", "write"):
            patch.setattr(Store, name, refused)
        session = session_of(no_cache=True)
        expected = everything(session)
    assert not (tmp_path / "cache").exists()
    everything(session_of())
    with monkeypatch.context() as patch:
        for name in ("read", "write"):
            patch.setattr(Store, name, refused)
        again = session_of(no_cache=True)
        assert everything(again) == expected
    assert loads(again)


def test_a_bridge_that_is_held_leaves_nothing(model_folder, session_of, tmp_path):
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(model_folder("gpt2"), device="cpu")
    for _ in range(2):
        session = session_of(bridge)
        assert session.model.identity is None
        assert session.head("L0H1").mass(ht.previous).value > 0
        assert session.head("L0H1").pattern(PROMPT).ids
        assert session.document_pass.tokens_run == session.population.tokens
    assert not (tmp_path / "cache").exists()


def test_heads_that_were_measured_beside_are_kept_too(session_of):
    session = session_of(heads=["L0H*", "L1H*", "L2H*"])
    named = [f"L{layer}H{index}" for layer in range(3) for index in range(4)]
    top = list(session.head("L0H0").ranked_multiples(5))
    found = session.head("L0H0").distribution()
    assert found.count > 0
    again = session_of(heads=["L0H*", "L1H*", "L2H*"])
    assert list(again.head("L0H0").ranked_multiples(5)) == top
    for name in named:
        assert len(again.head(name).ranked_multiples(5).columns) == 5
    assert not loads(again)


def test_distributions_of_all_pairs_and_of_a_sample_are_told_apart(session_of, monkeypatch):
    monkeypatch.setattr("headtests.measurement.readers.pair_requests.SHARED_SAMPLE", 200)
    few, many = ["L0H0"], ["L0H*", "L1H*", "L2H*"]
    for _ in range(2):
        assert session_of(heads=many).head("L0H0").distribution().sampled == 200
        assert session_of(heads=few).head("L0H0").distribution().sampled is None


def test_a_run_that_was_interrupted_leaves_its_finished_steps(session_of, monkeypatch):
    read, calls = LoadedModel.read, []

    def interrupted(self, batch, heads, portions, give):
        calls.append(len(batch))
        if sum(calls) > 64:
            raise KeyboardInterrupt
        read(self, batch, heads, portions, give)

    with monkeypatch.context() as patch:
        patch.setattr(LoadedModel, "read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            float(session_of(batch_size=16).head("L0H1").mass(ht.previous))
    again = session_of(batch_size=16)
    value = again.head("L0H1").mass(ht.previous).value
    # The first 64 documents are known.
    assert again.document_pass.documents_run == 70 - 64
    whole = session_of(no_cache=True, batch_size=16).head("L0H1").mass(ht.previous)
    assert value == whole.value


def test_a_folder_that_takes_nothing_stops_nothing(session_of, tmp_path):
    place = tmp_path / "file"
    place.write_text("no folder")
    plain = session_of(no_cache=True).head("L0H1").mass(ht.previous).value
    session = session_of(cache=str(place))
    with pytest.warns(CacheWarning):
        assert session.head("L0H1").mass(ht.previous).value == plain


def test_what_was_kept_by_another_format_is_not_read(session_of, monkeypatch):
    float(session_of().head("L0H1").mass(ht.previous))
    monkeypatch.setattr("headtests.measurement.results.cache_keys.RESULTS_VERSION", 10**6)
    again = session_of()
    float(again.head("L0H1").mass(ht.previous))
    assert loads(again)


def test_announced_names_are_heads(session_of):
    assert session_of().document_pass.heads_beside(parse_head("L0H1").name) == (
        HeadName(0, 1),
        HeadName(1, 2),
    )
