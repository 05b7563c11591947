"""One pass serves all requests, and the order and batches of requests change no result."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import headtests as ht
from headtests import key
from headtests.claims.definitions import (
    Entropy,
    ExceedRate,
    Lift,
    Mass,
    Peak,
    Precision,
    Question,
    RowOptions,
    Top1Rate,
)
from headtests.claims.pairs import DistributionRequest, RankedRequest, SampledRequest
from headtests.errors import CaptureError, ExpressionError
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.runner import DocumentPass
from headtests.measurement.readers import pair_requests
from headtests.measurement.readers.document_figures import FigureReader
from headtests.measurement.results import measurements
from headtests.measurement.results.measurements import Measurements
from headtests.models.loaded import LoadedModel
from headtests.settings import Settings
from headtests.statistics import DocumentFigures
from headtests.statistics.quanta import QUANTA
from tests import tiny_models
from tests.measurement.blocks import figures_of, texts_of
from tests.measurement.pretended import Log
from tests.oracles import PREVIOUS, Reader

# Shrinking what fails takes minutes, since every example runs a model.
FIXED = settings(
    derandomize=True, deadline=None, max_examples=8, phases=[Phase.explicit, Phase.generate]
)
SUPPRESSED, PLAIN = RowOptions(True), RowOptions(False, 2)
LENGTHS = [3 + (number * 5) % 14 for number in range(150)]
HEADS = [HeadName(0, 1), HeadName(1, 0), HeadName(1, 2)]
"""Of which the last two have a window in GPT-Neo."""
TWELVE = [HeadName(layer, index) for layer in range(3) for index in range(4)]
STATISTICS = [
    Mass(ht.previous, None),
    Mass(~ht.current, ht.every_row, of=~ht.first),
    Lift(key.repeats, None),
    Lift(ht.duplicate, None, "distance"),
    Top1Rate(ht.current, None),
    ExceedRate(ht.previous, None, 1.5),
    Precision(key.repeats, None, 1.2),
    Entropy(None),
    Peak(None),
    Mass(ht.previous, None, weights="value"),
]
REQUESTS = [
    RankedRequest(20, SUPPRESSED),
    SampledRequest(15, SUPPRESSED),
    SampledRequest(10, PLAIN, above_average=False),
    DistributionRequest(SUPPRESSED),
    RankedRequest(7, SUPPRESSED, PREVIOUS.expression),
    RankedRequest(7, PLAIN, reverse=True),
    SampledRequest(9, SUPPRESSED, PREVIOUS.expression, above_average=False),
    DistributionRequest(SUPPRESSED, PREVIOUS.expression),
]
PATHS = {"gpt2": "attention interface", "gpt-neo": "hook_pattern"}
ways = pytest.mark.parametrize("name", list(PATHS))


@pytest.fixture(scope="module")
def population():
    # Few different tokens, so that they repeat, special ones among them; two a text.
    documents = [
        type(document)(document.id, f"text-{document.id // 2}", document.id % 2, document.ids)
        for document in tiny_models.random_documents(LENGTHS, first_id=0, vocabulary=12)
    ]
    with tiny_models.population_of(documents) as made:
        yield made


class Asked:
    """A pass of a tiny model and what is asked of it."""

    def __init__(self, model, population, heads, **options):
        self.log = Log()
        self.settings = Settings(device="cpu", **options)
        self.document_pass = DocumentPass(model, population, heads, self.settings, self.log)
        self.passes = Measurements(self.document_pass, self.settings.seed)

    @property
    def ran(self):
        """How many documents passes ran, those of single rows aside."""
        return sum(self.log.starts)

    def figure(self, head, statistic, documents=None, by_text=False, matched=False, chosen=None):
        question = Question(head, statistic, chosen or SUPPRESSED, by_text)
        return self.passes.figures(question, documents or self.document_pass.budget, matched)

    def sketch(self, head, request):
        if isinstance(request, DistributionRequest):
            return self.passes.distribution(head, request)
        return self.passes.pairs(head, request)

    def wish(self, head, wanted):
        statistic = not isinstance(wanted, RankedRequest | SampledRequest | DistributionRequest)
        self.passes.wish(Question(head, wanted, SUPPRESSED) if statistic else (head, wanted))

    def reader(self, head, chosen=SUPPRESSED):
        """Return the double loops of a head."""
        window = self.document_pass.model.shape.windows[head.layer]
        blocks = self.document_pass.blocks(head)
        texts = texts_of(blocks, self.document_pass.population.vocabulary, window=window)
        return Reader(texts, chosen.suppress_first_token, chosen.min_query)


@pytest.fixture
def asked(loaded, population):
    def make(name="gpt2", heads=HEADS, **options):
        return Asked(loaded(name), population, heads, **options)

    return make


COLUMNS = [field.name for field in fields(DocumentFigures)]
COUNTS = ["documents", "rows", "sizes"]
PAIR = ("documents", "queries", "keys")


def assert_same_figures(found, expected, within=1e-5):
    """Fail unless figures are the same, measured ones to the last bits of float32."""
    for name in COLUMNS:
        one, other = getattr(found, name), getattr(expected, name)
        assert (one is None) == (other is None)
        if name in COUNTS:
            assert one.tolist() == other.tolist()
        elif one is not None:
            np.testing.assert_allclose(one / QUANTA, other / QUANTA, rtol=0, atol=within)


def assert_same_pairs(found, expected):
    np.testing.assert_allclose(found.multiples, expected.multiples, rtol=1e-5)
    assert identities(found) == identities(expected)


def assert_same_ranking(found, expected):
    """Fail unless ranked pairs are the same, but for places that tie inside rounding.

    How a batch is made up decides the last bits of its rows, and so the order of such pairs.
    """
    np.testing.assert_allclose(found.multiples, expected.multiples, rtol=1e-5)
    known = dict(zip(identities(expected), expected.multiples.tolist(), strict=True))
    ours = identities(found)
    assert len(set(ours)) == len(ours)
    for pair, multiple in zip(ours, found.multiples.tolist(), strict=True):
        # One that ties with the last may stand in its place.
        assert known.get(pair, expected.multiples[-1]) == pytest.approx(multiple, rel=1e-5)


def identities(pairs):
    return list(zip(*(getattr(pairs, name).tolist() for name in PAIR), strict=True))


def assert_same_sketch(found, expected, request):
    if isinstance(request, RankedRequest):
        assert_same_ranking(found, expected)
        return
    if hasattr(expected, "multiples"):
        assert_same_pairs(found, expected)
        return
    assert (found.count, found.pairs, found.sampled) == (
        expected.count,
        expected.pairs,
        expected.sampled,
    )
    assert found.mean == pytest.approx(expected.mean, rel=1e-5)
    assert found.moments.variance == pytest.approx(expected.moments.variance, rel=1e-4)
    for share in (0, 0.1, 0.5, 0.9, 1):
        # To a bin: a multiple may lie on another side of an edge.
        assert found.quantile(share) == pytest.approx(expected.quantile(share), rel=0.02)
    for band, other in zip(found.bands, expected.bands, strict=True):
        assert (band.low, band.high) == (other.low, other.high)
        assert len(band.examples) == len(other.examples)


def listed(found):
    columns = (found.multiples, found.documents, found.queries, found.keys)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.slow
@ways
def test_both_ways_to_rows_are_tested(name, loaded):
    assert loaded(name).facts.path == PATHS[name]


# One pass.


@pytest.mark.slow
@ways
@pytest.mark.parametrize("first", ["pairs", "figure", "distribution"])
def test_one_pass_serves_everything_that_was_wished(first, name, asked, population):
    run = asked(name, spool=0, batch_size=16)
    for place, wanted in enumerate([*STATISTICS, *REQUESTS]):
        run.wish(HEADS[place % 3], wanted)
    assert run.ran == 0
    if first == "pairs":
        run.sketch(HEADS[1], REQUESTS[1])
    elif first == "figure":
        run.figure(HEADS[2], STATISTICS[1])
    else:
        run.sketch(HEADS[2], REQUESTS[3])
    assert run.ran == len(population)
    for head in HEADS:
        for statistic in STATISTICS:
            assert len(run.figure(head, statistic)) > 0
        for request in REQUESTS:
            assert run.sketch(head, request)
    assert run.ran == len(population)


def test_a_figure_of_another_announced_head_needs_no_run(asked, population):
    run = asked(spool=0)
    run.figure(HEADS[0], STATISTICS[0])
    run.figure(HEADS[0], STATISTICS[1])
    assert run.ran == 2 * len(population)
    # The first was measured again, of nobody, and the second of every head.
    for head in HEADS:
        for statistic in STATISTICS[:2]:
            run.figure(head, statistic)
    assert run.ran == 2 * len(population)
    run.figure(HeadName(2, 3), STATISTICS[0])
    assert run.ran == 3 * len(population)


def test_what_was_asked_before_is_measured_of_later_documents_too(asked):
    run = asked(spool=0)
    run.figure(HEADS[0], STATISTICS[0], 64)
    run.figure(HEADS[1], STATISTICS[1], 150)
    assert run.ran == 64 + 150
    run.figure(HEADS[2], STATISTICS[0], 150)
    assert run.ran == 64 + 150


def test_only_the_latest_statistics_are_measured_for_others(asked, population, monkeypatch):
    monkeypatch.setattr(measurements, "REQUESTED_STATISTICS", 2)
    run = asked(spool=0, max_documents=20)
    for statistic in STATISTICS[:3]:
        run.wish(HEADS[0], statistic)
    run.figure(HEADS[0], STATISTICS[2])
    assert run.ran == 20
    run.figure(HEADS[0], STATISTICS[1])
    assert run.ran == 20
    run.figure(HEADS[0], STATISTICS[0])
    assert run.ran == 40


def test_of_kept_rows_only_what_is_asked_is_measured(asked, population, monkeypatch):
    measured = []
    read = FigureReader.read

    def seen(self, block):
        measured.extend((self._statistic, head) for head in block.heads)
        read(self, block)

    monkeypatch.setattr(FigureReader, "read", seen)
    run = asked()
    run.figure(HEADS[0], STATISTICS[0])
    assert set(measured) == {(STATISTICS[0], head) for head in HEADS}
    measured.clear()
    run.figure(HEADS[1], STATISTICS[0])
    assert not measured
    run.figure(HEADS[1], STATISTICS[1])
    assert set(measured) == {(STATISTICS[1], HEADS[1])}
    measured.clear()
    run.sketch(HEADS[1], REQUESTS[0])
    assert not measured
    assert run.ran == len(population)


def test_a_claim_that_stops_early_does_not_read_the_budget(asked):
    run = asked()
    for request in REQUESTS:
        run.wish(HEADS[0], request)
    found = run.figure(HEADS[0], STATISTICS[0], 64)
    assert run.ran == 64 == run.document_pass.documents_run
    assert set(found.documents.tolist()) <= set(run.document_pass.order()[:64].tolist())
    run.figure(HEADS[0], STATISTICS[0], 128)
    assert run.ran == 128 == run.document_pass.documents_run


def test_a_figure_over_texts_reads_no_pairs(asked):
    run = asked()
    run.wish(HEADS[0], REQUESTS[0])
    run.figure(HEADS[0], STATISTICS[0], by_text=True)
    ran = run.ran
    run.sketch(HEADS[0], REQUESTS[0])
    assert run.ran == 2 * ran


def test_what_is_wished_and_known_costs_nothing(asked, population):
    run = asked(spool=0)
    run.sketch(HEADS[0], REQUESTS[0])
    run.wish(HEADS[0], REQUESTS[0])
    run.wish(HEADS[1], REQUESTS[0])
    run.figure(HEADS[0], STATISTICS[0])
    assert run.ran == 2 * len(population)


def test_what_was_wished_and_found_is_not_looked_for_again(asked, population, monkeypatch):
    looked_for = []

    class RowView(pair_requests.PairReaders):
        def __init__(self, document_pass, heads, requests, *others):
            looked_for.append(list(requests))
            super().__init__(document_pass, heads, requests, *others)

    monkeypatch.setattr(measurements, "PairReaders", RowView)
    run = asked(spool=0)
    run.wish(HEADS[1], REQUESTS[0])
    run.wish(HEADS[0], REQUESTS[1])
    run.sketch(HEADS[0], REQUESTS[0])
    run.figure(HEADS[0], STATISTICS[0])
    run.sketch(HEADS[2], REQUESTS[1])
    assert looked_for == [REQUESTS[:2]]
    assert run.ran == 2 * len(population)


def test_what_is_wished_of_a_head_of_another_pass_waits_for_it(asked, population):
    run = asked(spool=0)
    alone = HeadName(2, 3)
    run.wish(alone, REQUESTS[0])
    run.wish(HEADS[1], REQUESTS[1])
    run.figure(HEADS[0], STATISTICS[0])
    assert run.ran == len(population)
    run.sketch(HEADS[0], REQUESTS[1])
    assert run.ran == len(population)
    run.wish(alone, STATISTICS[0])
    run.sketch(alone, REQUESTS[0])
    assert run.ran == 2 * len(population)
    run.figure(alone, STATISTICS[0])
    assert run.ran == 2 * len(population)


BAD = key.is_("no single token of this tokenizer")


@pytest.mark.parametrize("spool", [0, 10**9])
@pytest.mark.parametrize(
    "wished",
    [Mass(BAD, None), RankedRequest(5, SUPPRESSED, BAD), DistributionRequest(SUPPRESSED, BAD)],
    ids=repr,
)
def test_what_is_wrong_with_a_wish_is_told_to_who_asks_for_it(wished, spool, asked):
    run = asked(spool=spool)
    run.wish(HEADS[0], wished)
    run.wish(HEADS[1], REQUESTS[0])
    assert len(run.figure(HEADS[0], STATISTICS[0])) > 0
    assert len(run.sketch(HEADS[0], REQUESTS[0])) == 20
    ask = run.figure if isinstance(wished, Mass) else run.sketch
    for _ in range(2):
        with pytest.raises(ExpressionError, match="no single token"):
            ask(HEADS[0], wished)
    assert len(run.figure(HEADS[1], STATISTICS[0])) > 0


def test_a_head_of_kept_rows_is_served_without_a_run(asked, population):
    run = asked()
    run.figure(HEADS[0], STATISTICS[0])
    for head in HEADS:
        for request in REQUESTS:
            run.sketch(head, request)
    assert (run.ran, run.document_pass.tokens_run) == (len(population), population.tokens)


# Figures.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "by_text", "matched"),
    [
        ("gpt2", False, False),
        ("gpt2", True, True),
        ("gpt-neo", True, False),
        ("gpt-neo", False, True),
    ],
)
def test_figures_are_those_of_all_blocks_at_once(matched, by_text, name, asked):
    run = asked(name, spool=0, batch_size=16, max_documents=100)
    places = run.passes.places(by_text)
    assert places[run.document_pass.order(by_text)].tolist() == list(range(len(LENGTHS)))
    for head in HEADS[:2]:
        blocks = list(run.document_pass.blocks(head, by_text=by_text))
        for statistic in STATISTICS[:4]:
            for chosen in (SUPPRESSED, PLAIN):
                found = run.figure(head, statistic, None, by_text, matched, chosen)
                expected = figures_of(blocks, statistic, chosen, matched, places, head)
                assert_same_figures(found, expected, within=0)


def test_figures_of_fewer_documents_are_the_first_of_more(asked):
    run = asked()
    every = run.figure(HEADS[0], STATISTICS[0])
    for documents in (64, 128):
        found = run.figure(HEADS[0], STATISTICS[0], documents)
        assert found.documents.tolist() == every.documents[: len(found)].tolist()
        assert set(found.documents.tolist()) == set(every.documents.tolist()) & set(
            run.document_pass.order()[:documents].tolist()
        )


# Pairs.


@pytest.mark.slow
@ways
def test_pairs_are_those_of_double_loops(name, asked):
    run = asked(name, seed=3, batch_size=16)
    on = {None: None, PREVIOUS.expression: PREVIOUS}
    for head in HEADS[:2]:
        for request in REQUESTS:
            reader = run.reader(head, request.options)
            match request:
                case RankedRequest(size=size, on=relation, reverse=reverse):
                    expected = reader.ranked(size, reverse, on[relation])
                case SampledRequest(size=size, on=relation, above_average=above):
                    expected = reader.sampled(size, 3, above, on[relation])
                case DistributionRequest(on=relation):
                    every = [pair[0] for pair in reader.pairs(on[relation], False)]
                    found = run.sketch(head, request)
                    assert found.count == found.pairs == len(every)
                    assert found.mean == pytest.approx(sum(every) / len(every), abs=1e-9)
                    assert (found.quantile(0), found.quantile(1)) == (min(every), max(every))
                    assert found.sampled is None
                    continue
            assert listed(run.sketch(head, request)) == expected


@pytest.mark.slow
@ways
@pytest.mark.parametrize("request_", REQUESTS[:3], ids=["ranked", "above average", "all"])
def test_the_fast_way_is_the_general_way(request_, name, asked):
    run = asked(name, seed=2)
    general = pair_requests.general_reader(run.document_pass, request_, 2, HEADS)
    run.document_pass.read(HEADS, [general])
    for head in HEADS:
        assert listed(run.sketch(head, request_)) == listed(general.pairs(head))


def test_a_distribution_shows_pairs_of_each_band(asked):
    run = asked()
    found = run.sketch(HEADS[0], DistributionRequest(SUPPRESSED))
    reader = run.reader(HEADS[0])
    every = {pair[1:]: pair[0] for pair in reader.pairs(above_average=False)}
    for band in found.bands:
        assert band.examples
        for pair in band.examples:
            assert pair.multiple == every[pair.document, pair.query, pair.key]
            assert band.multiples[0] <= pair.multiple <= band.multiples[1]


def test_a_distribution_of_no_pairs_is_none(asked):
    run = asked(max_documents=5)
    assert run.sketch(HEADS[0], DistributionRequest(SUPPRESSED, ht.offset(-1000))) is None


# Many heads, and samples.


def test_up_to_eight_heads_have_distributions_of_all_pairs(asked, monkeypatch):
    monkeypatch.setattr(pair_requests, "SHARED_SAMPLE", 500)
    for heads, whole in ((TWELVE[:8], True), (TWELVE[:9], False)):
        found = asked(heads=heads, max_documents=64).sketch(
            TWELVE[0], DistributionRequest(SUPPRESSED)
        )
        assert (found.sampled is None) == whole
        assert ("hashed sample of 500 of" in str(found)) != whole


@pytest.mark.slow
@pytest.mark.parametrize("spool", [0, 10**9])
def test_the_distribution_of_a_sample_is_of_the_smallest_hashes(spool, asked, monkeypatch):
    monkeypatch.setattr(pair_requests, "SHARED_SAMPLE", 500)
    run = asked(heads=TWELVE, seed=5, spool=spool)
    for head in TWELVE[::5]:
        found = run.sketch(head, DistributionRequest(SUPPRESSED))
        reader = run.reader(head)
        sample = [pair[0] for pair in reader.sampled(500, 5, above_average=False)]
        assert (found.count, found.sampled) == (500, 500)
        assert found.pairs == len(list(reader.pairs(above_average=False)))
        assert found.mean == pytest.approx(sum(sample) / 500, abs=1e-8)
        assert (found.quantile(0), found.quantile(1)) == (min(sample), max(sample))


def test_a_sample_of_all_pairs_is_no_sample(asked):
    found = asked(heads=TWELVE, max_documents=64).sketch(TWELVE[0], DistributionRequest(SUPPRESSED))
    assert found.sampled is None


@pytest.mark.slow
@pytest.mark.parametrize("spool", [0, 10**9])
def test_where_the_pool_is_too_small_one_more_pass_tells(spool, asked, population, monkeypatch):
    monkeypatch.setattr(pair_requests, "SHARED_SAMPLE", 60)
    run = asked(heads=TWELVE, seed=4, spool=spool)
    requests = [
        SampledRequest(50, SUPPRESSED),
        SampledRequest(55, PLAIN),
        SampledRequest(58, SUPPRESSED),
    ]
    for request in requests:
        run.wish(TWELVE[0], request)
    found = {
        (head, request): listed(run.sketch(head, request))
        for request in requests
        for head in TWELVE
    }
    # Whatever number of heads and samples needs it.
    assert run.ran <= (1 if spool else 2) * len(population)
    for head in TWELVE[::5]:
        for request in requests:
            reader = run.reader(head, request.options)
            assert found[head, request] == reader.sampled(request.size, 4)


def test_a_sample_larger_than_the_pool_is_exact(asked, monkeypatch):
    monkeypatch.setattr(pair_requests, "SHARED_SAMPLE", 60)
    run = asked(seed=4)
    found = run.sketch(HEADS[0], SampledRequest(61, SUPPRESSED, above_average=False))
    assert listed(found) == run.reader(HEADS[0]).sampled(61, 4, above_average=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "request_", [SampledRequest(40, SUPPRESSED, None, False), DistributionRequest(SUPPRESSED)]
)
def test_heads_of_other_windows_beside_it_change_no_sample(request_, asked, monkeypatch):
    monkeypatch.setattr(pair_requests, "SHARED_SAMPLE", 300)
    monkeypatch.setattr(pair_requests, "WHOLE_HEADS", 0)
    monkeypatch.setattr(measurements, "WHOLE_HEADS", 0)
    windowed = HEADS[1]
    alone = asked("gpt-neo", heads=[windowed])
    beside = asked("gpt-neo", heads=HEADS)
    found, single = (run.sketch(windowed, request_) for run in (beside, alone))
    assert_same_sketch(found, single, request_)


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [7])
def test_some_documents_may_be_kept_and_others_run(batch_size, asked):
    # What readers hold was made beside a forward, or not.
    run = asked(spool=30_000, batch_size=batch_size)
    reference = asked(batch_size=batch_size)
    for statistic in STATISTICS:
        for head in HEADS:
            assert_same_figures(run.figure(head, statistic), reference.figure(head, statistic))
    for request in REQUESTS:
        for head in HEADS:
            found, other = (one.sketch(head, request) for one in (run, reference))
            assert_same_sketch(found, other, request)
    assert len(LENGTHS) < run.ran < len(LENGTHS) * (len(STATISTICS) + 3 * len(REQUESTS))


# Overviews.


@pytest.mark.slow
@ways
@pytest.mark.parametrize("spool", [0, 10**9])
def test_overviews_of_several_heads_and_numbers_come_of_one_pass(spool, name, asked):
    run = asked(name, spool=spool, seed=1)
    wanted = [
        (HEADS[0], SUPPRESSED, 20),
        (HEADS[1], PLAIN, 100),
        (HEADS[0], SUPPRESSED, 64),
        (HEADS[1], PLAIN, 100),
    ]
    found = run.passes.overviews(wanted, 15)
    assert run.ran == 128
    for (head, chosen, documents), one in zip(wanted, found, strict=True):
        first = set(run.document_pass.order()[:documents].tolist())
        whole = run.reader(head, chosen)
        reader = Reader(
            [text for text in whole.texts if text.number in first],
            chosen.suppress_first_token,
            chosen.min_query,
        )
        assert listed(one.ranked) == reader.ranked(15)
        assert listed(one.random) == reader.sampled(15, 1)
        assert one.count == len(list(reader.pairs()))


def test_overviews_of_kept_rows_need_no_run(asked, population):
    run = asked()
    run.figure(HEADS[0], STATISTICS[0])
    run.passes.overviews([(head, SUPPRESSED, 150) for head in HEADS], 5)
    assert run.ran == len(population)


def test_overviews_of_announced_and_other_heads_take_a_pass_each(asked):
    run = asked(spool=0)
    found = run.passes.overviews(
        [(head, SUPPRESSED, 64) for head in (HEADS[0], HeadName(2, 3), HEADS[1])], 5
    )
    assert run.ran == 2 * 64
    assert len({tuple(one.ranked.multiples.tolist()) for one in found}) == 3


def test_no_overviews_run_nothing(asked):
    run = asked()
    assert run.passes.overviews([], 5) == []
    assert run.ran == 0


# No way of asking changes an answer.

ASKED = [*STATISTICS, *REQUESTS]


def answers(run, order, step):
    """Return what each head says to each question, asked in an order and to some extent first."""
    found = {}
    for place in order:
        head, wanted = HEADS[place % 3], ASKED[place // 3]
        if wanted in STATISTICS:
            if step:
                run.figure(head, wanted, step)
            found[place] = run.figure(head, wanted)
        else:
            found[place] = run.sketch(head, wanted)
    return found


@pytest.fixture(scope="module")
def expected(loaded, population):
    """What every head says, asked one after the other of a model of each kind."""
    found = {}

    def of(name):
        if name not in found:
            run = Asked(loaded(name), population, HEADS, batch_size=32, max_documents=80)
            found[name] = answers(run, range(3 * len(ASKED)), None)
        return found[name]

    return of


@pytest.mark.slow
@ways
@FIXED
@given(
    st.lists(st.sampled_from(range(3 * len(ASKED))), min_size=1, max_size=6, unique=True),
    st.sampled_from([1, 7, 64]),
    st.sampled_from([0, 30_000, 10**9]),
    st.sampled_from([None, 64]),
    st.sets(st.integers(0, 3 * len(ASKED) - 1), max_size=6),
)
def test_batches_order_wishes_and_spool_change_nothing(
    name, loaded, population, expected, order, batch_size, spool, step, wished
):
    run = Asked(
        loaded(name),
        population,
        HEADS,
        batch_size=batch_size,
        spool=spool,
        max_documents=80,
    )
    for place in wished:
        run.wish(HEADS[place % 3], ASKED[place // 3])
    for place, found in answers(run, order, step).items():
        if hasattr(found, "numerators"):
            assert_same_figures(found, expected(name)[place])
        else:
            assert_same_sketch(found, expected(name)[place], ASKED[place // 3])
    run.document_pass.close()


def test_a_model_without_values_fails_only_who_asks_for_them(asked, monkeypatch):
    def refuse(model, layer):
        raise CaptureError(f"layer {layer} shows no values")

    monkeypatch.setattr(LoadedModel, "require_values", refuse)
    run = asked(spool=0)
    weighted = Mass(ht.previous, None, weights="value")
    run.wish(HEADS[0], weighted)
    assert len(run.figure(HEADS[0], STATISTICS[0])) > 0
    assert len(run.sketch(HEADS[0], REQUESTS[0])) == 20
    for _ in range(2):
        with pytest.raises(CaptureError, match="layer 0 shows no values"):
            run.figure(HEADS[0], weighted)
    assert len(run.figure(HEADS[1], STATISTICS[0])) > 0


def test_who_asks_for_values_after_a_pass_runs_it_once_more(asked, population):
    run = asked()
    weighted = Mass(ht.previous, None, weights="value")
    run.figure(HEADS[0], STATISTICS[0])
    assert run.ran == len(population)
    for head in HEADS:
        run.figure(head, weighted)
    run.figure(HEADS[0], Mass(ht.current, None, of=~ht.first, weights="value"))
    assert run.ran == 2 * len(population)
    # Whoever says so beforehand runs nothing twice.
    run = asked()
    run.wish(HEADS[0], weighted)
    for statistic in STATISTICS:
        run.figure(HEADS[0], statistic)
    assert run.ran == len(population)
