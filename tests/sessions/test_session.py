"""A model over a corpus: figures equal those of double loops over the attention rows."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import headtests as ht
from headtests import key, query
from headtests.claims.definitions import Mass, Question, RowOptions
from headtests.corpora import CorpusSpec, GivenTexts
from headtests.errors import (
    ClaimError,
    HeadNameError,
    ModelError,
    ModelUnavailableError,
    NoEligibleRowError,
)
from headtests.expressions.head_names import HeadName
from headtests.models.loaded import LoadedModel
from headtests.sessions.session import Session
from headtests.settings import ModelSpec, Settings
from tests import oracles, tiny_models
from tests.measurement.blocks import text_of, texts_of
from tests.models import architectures
from tests.oracles import EVERY_ROW, FIRST, INDUCTION, ON_KEY, ON_PAIR, ON_QUERY, PREVIOUS, Reader

NEAR = 1e-6
LENGTHS = [3 + (number * 5) % 14 for number in range(70)]
SENTENCES = [
    "The cat sat on the mat. The cat left the mat, and the mat stayed.",
    "A dog",
    "We measured the attention of each head; none was surprised.",
    "Yes.",
    "The claim holds, the claim is refuted, or the claim is undecided.",
]


@pytest.fixture(scope="module")
def population():
    # Few different tokens, so that they repeat, special ones among them.
    documents = tiny_models.random_documents(LENGTHS, first_id=0, vocabulary=12)
    with tiny_models.population_of(documents) as made:
        yield made


@pytest.fixture(scope="module")
def few():
    """So few documents that double loops are done soon."""
    documents = tiny_models.random_documents(LENGTHS[:12], first_id=0, vocabulary=12)
    with tiny_models.population_of(documents) as made:
        yield made


@pytest.fixture
def session_of(loaded, population):
    """Return a function that opens a session on a loaded model and documents made by hand."""

    def make(name="gpt2", heads=(), **settings):
        chosen = Settings(device="cpu", **settings)
        model = loaded(name)
        session = Session(model.spec, CorpusSpec("by-hand"), heads=heads, settings=chosen)
        session.model, session.population = model, population
        return session

    return make


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A corpus of sentences in a file."""
    path = tmp_path_factory.mktemp("corpus") / "sentences.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in SENTENCES))
    return str(path)


def reader_of(session, name, suppress=True, window=None):
    blocks = session.document_pass.blocks(parsed(name))
    texts = texts_of(
        blocks, session.population.vocabulary, session.model.bidirectional, window=window
    )
    return Reader(texts, suppress, session.settings.min_query)


def parsed(name):
    layer, index = name[1:].split("H")
    return HeadName(int(layer), int(index))


# Figures of heads.

ON = [PREVIOUS, FIRST, INDUCTION, ~INDUCTION, ON_KEY["key special"], ON_PAIR["a function"]]
WHEN = [None, EVERY_ROW, ON_QUERY["query repeats"], ~ON_QUERY["query special"]]


def assert_estimate(estimate, expected):
    assert estimate.value == pytest.approx(expected.value, rel=NEAR, abs=NEAR)
    assert estimate.low == estimate.value == estimate.high
    assert estimate.documents == len(expected.documents)
    assert estimate.rows == sum(expected.rows)
    assert estimate.base_rate == pytest.approx(expected.base, rel=NEAR, abs=NEAR)
    assert estimate.resting_mass == pytest.approx(expected.resting, rel=NEAR, abs=NEAR)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "head"), [("gpt2", "L2H1"), ("mistral", "L1H3")])
@pytest.mark.parametrize("suppress", [True, False], ids=["suppressed", "plain"])
def test_statistics_of_a_random_model_are_those_of_a_double_loop(
    name, head, suppress, session_of, few
):
    session = session_of(name, heads=[head], suppress_first_token=suppress)
    session.population = few
    window = session.model.shape.windows[parsed(head).layer]
    reader, subject = reader_of(session, head, suppress, window), session.head(head)
    for on in ON:
        for when in WHEN:
            named = {} if when is None else {"when": when.expression}
            relation = on.expression
            assert_estimate(subject.mass(relation, **named), reader.mass(on, when))
            assert_estimate(subject.lift(relation, **named), reader.lift(on, when))
            assert_estimate(subject.top1_rate(relation, **named), reader.top1_rate(on, when))
            assert_estimate(
                subject.mass(relation, of=~ht.current, **named),
                reader.mass(on, when, ~oracles.CURRENT),
            )
            assert_estimate(
                subject.exceed_rate(1.5, relation, **named), reader.exceed_rate(1.5, on, when)
            )
            assert_estimate(
                subject.precision(relation, above=1.5, **named), reader.precision(on, 1.5, when)
            )


def by_hugging_face(session, name, folder):
    """Return the double loops of a head, over Hugging Face's own attention and values."""
    from transformers import AutoModel

    reference = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    head, vocabulary = parsed(name), session.population.vocabulary
    texts = []
    for number in range(len(session.population)):
        document = session.population[number]
        rows = architectures.alone(reference, document)[head.layer, head.index]
        text = text_of(
            document,
            rows,
            vocabulary,
            session.model.bidirectional,
            session.model.shape.windows[head.layer],
        )
        norms = architectures.norms_alone(reference, document)[head.layer][head.index]
        texts.append(replace(text, norms=norms))
    return Reader(texts, session.options().suppress_first_token, session.settings.min_query)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("gpt2", "L1H3"),
        ("llama", "L2H1"),
        ("gemma3", "L0H2"),
        ("gemma3", "L1H3"),
        ("encoder", "L1H7"),
        ("gpt-neo", "L1H2"),
    ],
)
def test_figures_of_rows_and_values_are_those_of_hugging_face(
    name, head, session_of, few, model_folder
):
    session = session_of(name, heads=[head], batch_size=5)
    session.population = few
    reader, subject = by_hugging_face(session, head, model_folder(name)), session.head(head)
    for when in WHEN:
        named = {} if when is None else {"when": when.expression}
        assert_estimate(subject.entropy(**named), reader.entropy(when))
        assert_estimate(subject.peak(**named), reader.peak(when))
        for on in ON[::2]:
            asked = {"weights": "value", **named}
            relation = on.expression
            assert_estimate(subject.mass(relation, **asked), reader.value_mass(on, when))
            assert_estimate(
                subject.mass(relation, of=~ht.current, **asked),
                reader.value_mass(on, when, ~oracles.CURRENT),
            )


@pytest.mark.slow
@pytest.mark.parametrize("head", ["L0H0", "L1H2", "L2H3"])
@pytest.mark.parametrize(
    "relation",
    [ht.previous, ht.induction, key.repeats, key.position < 4, ~ht.duplicate & key.special],
    ids=repr,
)
def test_a_relation_its_denial_and_first_share_all_of_the_attention(head, relation, session_of):
    subject = session_of(heads=["L*H*"], max_documents=20).head(head)
    parts = [subject.mass(on, when=ht.every_row).value for on in (relation, ~relation, ht.first)]
    assert sum(parts) == pytest.approx(1, abs=NEAR)
    assert parts[0] != pytest.approx(parts[1])


def test_rows_begin_at_the_smallest_query(session_of, population):
    session = session_of(heads=["L0H0"])
    for smallest in (0, 1, 4):
        found = session.head("L0H0", min_query=smallest).mass(ht.current, when=ht.every_row)
        assert found.rows == sum(max(0, length - smallest) for length in LENGTHS)
        assert found.documents == sum(length > smallest for length in LENGTHS)
    by_setting = session_of(heads=["L0H0"], min_query=4).head("L0H0")
    assert by_setting.mass(ht.current, when=ht.every_row).rows == found.rows


def test_multiples_of_a_head_are_those_of_a_double_loop(session_of):
    session = session_of(heads=["L1H2"], seed=3)
    reader, head = reader_of(session, "L1H2"), session.head("L1H2")

    def of(found):
        return [(pair.multiple, pair.document, pair.query, pair.key) for pair in found]

    relation, said = ON_KEY["key repeats"].expression, ON_KEY["key repeats"]
    assert of(head.ranked_multiples(20)) == reader.ranked(20)
    assert of(head.ranked_multiples(20, reverse=True)) == reader.ranked(20, reverse=True)
    assert of(head.ranked_multiples(20, on=relation)) == reader.ranked(20, on=said)
    assert of(head.random_multiples(20)) == reader.sampled(20, 3)
    assert of(head.random_multiples(20, on=relation)) == reader.sampled(20, 3, on=said)
    every = head.random_multiples(20, above_average=False)
    assert of(every) == reader.sampled(20, 3, above_average=False)
    assert any(pair.multiple <= 1 for pair in every)


def test_figures_of_multiples_are_of_those_pairs(session_of):
    session = session_of(heads=["L1H2"])
    head = session.head("L1H2")
    top = head.ranked_multiples(21)
    found = sorted(pair.multiple for pair in top)
    assert top.median.value == found[10]
    assert top.mean.value == pytest.approx(sum(found) / 21)
    inside = [pair.key == pair.query - 1 for pair in top]
    assert 0 < sum(inside) < 21
    assert top.fraction(ht.previous).value == sum(inside) / 21
    assert top.fraction(~ht.previous).value == 1 - sum(inside) / 21


def test_a_distribution_of_no_pairs_is_an_error_that_says_so(session_of):
    head = session_of(heads=["L0H0"], max_documents=5).head("L0H0")
    found = head.distribution(on=key.is_(" The") & ht.previous)
    with pytest.raises(NoEligibleRowError, match="L0H0 has no pairs") as caught:
        str(found)
    assert "by-hand" in str(caught.value)


def test_a_distribution_is_of_all_pairs_not_of_those_above_average(session_of):
    session = session_of(heads=["L0H0"])
    reader = reader_of(session, "L0H0")
    found = session.head("L0H0").distribution()
    assert found.count == len(list(reader.pairs(above_average=False)))
    assert found.quantile(0) < 1 < found.quantile(1)


def test_an_overview_is_the_ranked_the_random_and_their_number(session_of):
    session = session_of(heads=["L1H2"], seed=2)
    options = RowOptions(suppress_first_token=True)
    ((ranked, sampled, count),) = session.overviews([(parsed("L1H2"), options, 70)], 15)
    head = session.head("L1H2")
    assert ranked == list(head.ranked_multiples(15))
    assert sampled == list(head.random_multiples(15))
    assert count == len(list(reader_of(session, "L1H2").pairs()))


def test_an_overview_may_be_of_the_first_documents_of_the_pass_alone(session_of):
    session = session_of(heads=["L1H2"])
    options = RowOptions(suppress_first_token=True)
    ((ranked, sampled, count),) = session.overviews([(parsed("L1H2"), options, 5)], 1000)
    first = set(session.document_pass.order()[:5].tolist())
    everything = session.head("L1H2").ranked_multiples(100_000)
    assert list(ranked) == [pair for pair in everything if pair.document in first][:1000]
    assert {pair.document for pair in sampled} <= first
    assert count == sum(pair.document in first for pair in everything)


# As few documents as it takes.


def decided(session, claim):
    """Return what a claim on a head of a session came to."""
    asked = claim(session.head("L1H2"))
    verdict = asked.decide()
    return verdict, asked.left.documents, asked.documents_read, asked.left.value


@pytest.mark.slow
@pytest.mark.parametrize(
    "claim",
    [
        lambda head: head.mass(~ht.current) >= 0.4,
        lambda head: head.mass(ht.current) >= 0.2,
        lambda head: head.mass(~ht.first, beyond_corpus=True) >= 0.3,
        lambda head: head.lift(key.repeats) <= 3,
        lambda head: head.lift(ht.duplicate, over="distance") <= 4,
        lambda head: head.precision(key.repeats, above=1.2) >= 0.05,
        lambda head: head.mass(~ht.current, of=~ht.first) - head.mass(ht.current) >= 0.05,
    ],
)
def test_a_verdict_and_its_documents_are_the_same_whatever_the_batch_size(claim, session_of):
    found = [
        decided(session_of(heads=["L1H2"], batch_size=size, alpha=0.05), claim)
        for size in (1, 7, 64)
    ]
    assert found[0][:3] == found[1][:3] == found[2][:3]
    assert [value for *_, value in found] == pytest.approx([found[0][3]] * 3, abs=NEAR)


def test_a_clear_claim_runs_one_step(session_of, population):
    session = session_of(heads=["L1H2"], alpha=0.05)
    claim = session.head("L1H2").mass(~ht.current, when=ht.every_row) >= 0.1
    assert claim
    assert session.document_pass.documents_run == 64 < len(population)
    assert claim.left.documents < 64


def test_no_document_runs_for_a_statistic_without_eligible_rows(session_of):
    session = session_of(heads=["L1H2"])
    with pytest.raises(NoEligibleRowError):
        bool(session.head("L1H2").mass(ht.offset(-1000)) >= 0.1)
    assert session.document_pass.documents_run == 0


def test_a_lift_that_no_attention_reaches_is_refused_before_a_document_runs(session_of):
    session = session_of(heads=["L1H2"])
    with pytest.raises(ClaimError, match="can never reach"):
        bool(session.head("L1H2").lift(~ht.current) >= 50)
    assert session.document_pass.documents_run == 0


def test_what_another_claim_has_read_is_not_run_again(session_of):
    session = session_of(heads=["L1H2", "L0H0"])
    _ = session.head("L1H2").mass(ht.current).value
    ran = session.document_pass.tokens_run
    assert session.head("L0H0").mass(~ht.current, when=ht.every_row) >= 0.02
    assert session.document_pass.tokens_run == ran


def test_a_rank_is_among_all_heads_of_the_layers_that_are_read(session_of):
    session = session_of(heads=["L1H2", "L0H0"], rank=True)
    claim = session.head("L1H2").mass(ht.current) >= 0.001
    assert claim
    values = {
        f"L{layer}H{head}": session_of(heads=["L0H*", "L1H*"])
        .head(f"L{layer}H{head}")
        .mass(ht.current)
        for layer in (0, 1)
        for head in range(4)
    }
    read = claim.left.reading
    shares = {
        name: figure.reading.of(figure.reading.figures)
        .of_documents(read.eligible.documents[: read.documents])
        .average
        for name, figure in values.items()
    }
    better = sum(share > shares["L1H2"] for share in shares.values())
    assert (claim.left.rank.rank, claim.left.rank.of) == (1 + better, 8)


def test_a_text_that_the_population_cuts_is_no_unit_beyond_the_corpus(tmp_path):
    texts = ["one two three four " * 30, "five six seven eight " * 30, "nine ten " * 90]
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    whole = Session("demo", str(path), heads=["L0H2"], max_length=16)
    pieces = np.bincount(whole.population.index.texts)
    assert pieces.min() > 2
    first = int(pieces[:2].sum()) + 2
    with_part = Session("demo", str(path), heads=["L0H2"], max_length=16, first=first)
    without = Session("demo", str(path), heads=["L0H2"], max_length=16, first=first - 2)
    assert with_part.population.texts == 3
    found = [
        session.head("L0H2").mass(ht.previous, beyond_corpus=True)
        for session in (with_part, without)
    ]
    assert [estimate.texts for estimate in found] == [2, 2]
    assert found[0].value == pytest.approx(found[1].value, abs=NEAR)
    assert found[0].documents == found[1].documents


def test_the_matched_control_is_measured_on_matched_attention(session_of):
    session = session_of(heads=["L1H2"])
    claim = session.head("L1H2").mass(key.repeats) >= 0.001
    assert claim
    question = claim.left.question
    read = claim.left.reading.eligible.documents[: claim.left.documents]
    expected = session.matched(question, session.extents(False)[-1]).of_documents(read).average
    assert claim.left.matched_rate == pytest.approx(float(expected))
    assert claim.left.matched_rate != pytest.approx(claim.left.value, abs=1e-4)


def test_eligible_documents_of_either_order_are_known_apart(session_of):
    session = session_of(heads=["L0H0"])
    corpus, beyond = (
        Question(parsed("L0H0"), Mass(ht.current, None), RowOptions(True), flag)
        for flag in (False, True)
    )
    orders = [session.eligible(question).documents.tolist() for question in (corpus, beyond)]
    assert orders[0] == [
        d for d in session.document_pass.order(False).tolist() if d in set(orders[1])
    ]
    assert orders[1] == [
        d for d in session.document_pass.order(True).tolist() if d in set(orders[0])
    ]
    assert orders[0] != orders[1]


def test_eligible_documents_of_layers_with_other_windows_are_known_apart(session_of):
    session = session_of("gemma3", heads=["L*H*"])
    windows = session.model.shape.windows
    layers = [
        next(n for n, w in enumerate(windows) if (w is None) == whole) for whole in (False, True)
    ]
    far = ht.offset(-(tiny_models.WINDOW + 1))
    for layer, some in zip(layers, (False, True), strict=True):
        question = Question(HeadName(layer, 0), Mass(far, None), RowOptions(True))
        assert bool(len(session.eligible(question))) is some


def test_without_rank_nobody_else_is_measured(session_of):
    claim = session_of(heads=["L1H2", "L0H0"]).head("L1H2").mass(ht.current) >= 0.001
    assert claim
    assert claim.left.rank is None


# The pass.


def test_announced_heads_cost_one_pass_and_others_one_each(session_of, population):
    session = session_of(heads=["L0H*", parsed("L2H1")])
    for name in ("L0H0", "L0H3", "L2H1"):
        assert session.head(name).mass(ht.previous).value > 0
    assert (session.document_pass.tokens_run, session.document_pass.tokens_run_twice) == (
        population.tokens,
        0,
    )
    float(session.head("L1H1").mass(ht.previous))
    assert session.document_pass.tokens_run == 2 * population.tokens
    assert session.document_pass.tokens_run_twice == population.tokens


def test_heads_may_be_announced_before_the_pass(session_of, population):
    session = session_of(heads=["L0H0"])
    session.announce([parsed("L1H1")])
    for name in ("L0H0", "L1H1"):
        float(session.head(name).mass(ht.previous))
    assert session.document_pass.tokens_run == population.tokens


def test_a_question_is_measured_once(session_of, population):
    session = session_of(heads=["L0H0"], spool=0)
    head = session.head("L0H0")
    first = head.mass(ht.previous).value
    assert session.head("L0H0").mass(ht.offset(-1)).value == first
    assert session.document_pass.tokens_run == population.tokens
    float(head.mass(ht.previous, when=query.repeats))
    assert session.document_pass.tokens_run == 2 * population.tokens
    other = session.head("L0H0", suppress_first_token=False).mass(ht.previous).value
    assert session.document_pass.tokens_run == 3 * population.tokens
    assert other != first


def test_memory_that_ends_changes_no_result(session_of, monkeypatch):
    plain = session_of(heads=["L1H2"])
    expected = plain.head("L1H2").mass(ht.previous).value
    top = plain.head("L1H2").ranked_multiples(20)
    read = LoadedModel.read

    def limited(self, batch, heads, portions, give):
        if len(batch) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        read(self, batch, heads, portions, give)

    monkeypatch.setattr(LoadedModel, "read", limited)
    session = session_of(heads=["L1H2"], batch_size=16)
    head = session.head("L1H2")
    assert head.mass(ht.previous).value == pytest.approx(expected, abs=NEAR)
    assert [(pair.document, pair.query, pair.key) for pair in head.ranked_multiples(20)] == [
        (pair.document, pair.query, pair.key) for pair in top
    ]
    assert len(session.document_pass.notes) == 2
    assert "continued with 4" in session.document_pass.notes[-1]


def test_an_interruption_leaves_a_session_that_goes_on(session_of, population, monkeypatch):
    expected = session_of(heads=["L1H2"]).head("L1H2").mass(ht.previous)
    value = expected.value
    read, calls = LoadedModel.read, []

    def interrupted(self, batch, heads, portions, give):
        calls.append(len(batch))
        if len(calls) == 2:
            raise KeyboardInterrupt
        read(self, batch, heads, portions, give)

    monkeypatch.setattr(LoadedModel, "read", interrupted)
    session = session_of(heads=["L1H2"], batch_size=16)
    estimate = session.head("L1H2").mass(ht.previous)
    with pytest.raises(KeyboardInterrupt):
        float(estimate)
    assert session.document_pass.documents_run == 16
    assert estimate.value == pytest.approx(value, abs=NEAR)
    assert estimate.documents == expected.documents
    assert session.document_pass.tokens_run == population.tokens


def test_nothing_is_opened_before_something_is_measured():
    session = Session("/no/such/folder", "no-such-corpus.jsonl", heads=["L0H0"])
    assert not session.is_open
    assert str(session.spec) == "/no/such/folder"
    session.close()
    with pytest.raises(ModelUnavailableError, match="/no/such/folder"):
        session.head("L0H0")


def test_a_session_is_open_once_something_was_measured(session_of):
    session = session_of(heads=["L0H0"], max_documents=2)
    head = session.head("L0H0")
    assert not session.is_open
    float(head.mass(ht.previous))
    assert session.is_open


# Words, names and defaults.


def test_the_description_says_which_documents_were_measured(session_of, loaded):
    name = loaded("gpt2").spec.name
    assert session_of().description == f"{name} over all 70 documents of by-hand"
    cut = session_of(max_documents=20)
    assert cut.description == f"{name} over all 70 documents of by-hand"
    assert cut.budget_description == f"{name} over 20 of all 70 documents of by-hand"
    assert cut.head("L0H0").mass(ht.current).documents == 20


def test_the_first_documents_of_a_corpus_are_called_so(model_folder, corpus):
    session = Session(
        ModelSpec(model_folder("gpt2")), corpus, first=2, settings=Settings(device="cpu")
    )
    assert session.description.endswith(f"over the first 2 documents of {corpus}")


@pytest.mark.parametrize("name", ["5.1", "L1", "head 3", 3, None, ""])
def test_what_names_no_head_is_an_error(name, session_of):
    with pytest.raises(HeadNameError):
        session_of().head(name)


@pytest.mark.parametrize("name", ["L9H0", "L0H4", "L3H0"])
def test_a_head_that_the_model_lacks_is_an_error_that_says_its_size(name, session_of):
    with pytest.raises(HeadNameError, match="3 layers of 4 heads"):
        session_of().head(name)
    with pytest.raises(HeadNameError, match="3 layers of 4 heads"):
        float(session_of(heads=[name]).head("L0H0").mass(ht.current))


def test_several_heads_are_asked_for_one_at_a_time(session_of):
    with pytest.raises(ClaimError, match=r"'L1H\*', which names 4"):
        session_of().head("L1H*")


def test_decoders_suppress_the_first_token_and_encoders_do_not(session_of):
    decoder, encoder = session_of("gpt2"), session_of("encoder")

    def rests(head):
        """Return whether key 0 is excluded from relations other than `ht.first`."""
        return head.mass(ht.previous).question.options.suppress_first_token

    assert rests(decoder.head("L0H0"))
    assert not rests(encoder.head("L0H0"))
    assert not rests(decoder.head("L0H0", suppress_first_token=False))
    assert rests(encoder.head("L0H0", suppress_first_token=True))
    assert not rests(session_of("gpt2", suppress_first_token=False).head("L0H0"))
    by_setting = session_of("encoder", suppress_first_token=True)
    assert rests(by_setting.head("L0H0"))
    assert not rests(by_setting.head("L0H0", suppress_first_token=False))


def test_the_resting_mass_is_that_of_key_0_either_way(session_of):
    session = session_of(heads=["L0H0"])
    for suppress in (True, False):
        head = session.head("L0H0", suppress_first_token=suppress)
        rested = head.mass(ht.current, when=ht.every_row).resting_mass
        assert rested == pytest.approx(head.mass(ht.first, when=ht.every_row).value, abs=NEAR)


# The encoder.


@pytest.mark.slow
@pytest.mark.parametrize("head", ["L0H2", "L3H7"])
def test_a_delimiter_claim_on_the_encoder_is_what_a_double_loop_says(head, corpus):
    session = Session(
        tiny_models.encoder_folder(), corpus, heads=[head], settings=Settings(device="cpu")
    )
    separator = oracles.said(key.is_("[SEP]"), lambda text, q, k: text.texts[k] == "[SEP]")
    ordinary = ~ON_QUERY["query special"]
    reader = reader_of(session, head, suppress=False)
    found = session.head(head).mass(key.is_("[SEP]"), when=~query.special)
    assert_estimate(found, reader.mass(separator, ordinary))
    assert found.documents == len(SENTENCES)
    # One of a document's tokens is its separator, and every row may attend to it.
    lengths = [len(text.ids) for text in reader.texts]
    assert found.rows == sum(length - 2 for length in lengths)
    assert found.base_rate == pytest.approx(sum(1 / n for n in lengths) / len(lengths), abs=NEAR)
    # Later keys count, too: some of it lies behind the query.
    assert session.head(head).mass(ht.offset(1)).value > 0
    session.close()


# One prompt.


def hugging_face(folder, ids, head):
    from transformers import AutoModel

    reference = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.no_grad():
        attentions = reference(torch.tensor([ids]), output_attentions=True).attentions
    return attentions[head.layer][0, head.index].numpy()


PROMPT = "The cat sat on the mat"


@pytest.mark.parametrize("name", ["gpt2", "mistral", "encoder"])
def test_a_pattern_is_hugging_faces_own(name, model_folder, session_of):
    session = session_of(name)
    ids = session.model.tokenizer(PROMPT)["input_ids"]
    found = session.head("L1H2").pattern(ids)
    assert found.ids == tuple(ids)
    expected = hugging_face(model_folder(name), ids, parsed("L1H2"))
    np.testing.assert_allclose(found.attention, expected, rtol=0, atol=1e-5)
    assert np.array_equal(found.attendable, expected > 0)
    assert found[3, 1] == found.attention[3, 1]
    counts = found.attendable.sum(1)
    for q in range(len(ids)):
        for k in range(len(ids)):
            assert found.multiples[q, k] == float(found.attention[q, k]) * int(counts[q])
        assert found.top_key(q) == int(found.attention[q].argmax())


@pytest.mark.parametrize(
    ("bos", "prefix"), [("model", (0,)), ("always", (0,)), ("never", ())], ids=str
)
def test_a_prompt_is_framed_as_the_corpus_is(bos, prefix, model_folder, corpus):
    session = Session(
        ModelSpec(model_folder("gpt2")), corpus, settings=Settings(device="cpu", bos=bos)
    )
    plain = session.model.tokenizer(PROMPT, add_special_tokens=False)["input_ids"]
    head = session.head("L1H2")
    found = head.pattern(PROMPT)
    assert found.ids == (*prefix, *plain)
    assert session.population.ids(0)[: len(prefix)].tolist() == list(prefix)
    assert "".join(found.tokens[len(prefix) :]) == PROMPT
    np.testing.assert_array_equal(found.attention, head.pattern(list(found.ids)).attention)
    # Ids are run as they are.
    assert head.pattern(plain).ids == tuple(plain)
    session.close()


def test_the_marker_of_a_corpus_is_stronger_than_the_setting(model_folder, corpus):
    session = Session(
        ModelSpec(model_folder("gpt2")), corpus, bos="never", settings=Settings(device="cpu")
    )
    assert 0 not in session.head("L0H0").pattern(PROMPT).ids
    session.close()


def test_ids_may_be_an_array(session_of):
    head = session_of().head("L0H0")
    ids = [5, 9, 7]
    for given in (tuple(ids), np.array(ids), torch.tensor(ids)):
        assert head.pattern(given).ids == (5, 9, 7)


@pytest.mark.parametrize(
    ("prompt", "what"),
    [
        ("", "no tokens"),
        ([], "no tokens"),
        ([5] * (tiny_models.CONTEXT + 1), str(tiny_models.CONTEXT)),
        ("word " * 200, str(tiny_models.CONTEXT)),
        ([5, tiny_models.VOCABULARY], str(tiny_models.VOCABULARY)),
        ([5, -1], "-1"),
    ],
    ids=["empty text", "no ids", "too many ids", "too long a text", "unknown id", "negative id"],
)
def test_a_prompt_that_cannot_be_read_is_an_error(prompt, what, session_of):
    with pytest.raises(ClaimError, match=what):
        session_of().head("L0H0").pattern(prompt)


def test_a_prompt_as_long_as_the_context_is_read(session_of):
    assert len(session_of().head("L0H0").pattern([5] * tiny_models.CONTEXT).ids) == (
        tiny_models.CONTEXT
    )


def test_a_prompt_of_one_token_attends_to_itself(session_of):
    assert session_of().head("L0H0").pattern([5])[0, 0] == 1


@pytest.mark.parametrize("text", ["\ud800 lone", "\x00\x07", "שלום", "<script>alert(1)</script>"])
def test_a_hostile_prompt_is_a_prompt(text, session_of):
    found = session_of().head("L0H0").pattern(text)
    assert len(found.tokens) == len(found.ids) > 0


# Models that the user holds.


@pytest.mark.slow
def test_a_bridge_that_is_held_is_measured_like_its_folder(model_folder, corpus):
    from transformer_lens.model_bridge import TransformerBridge

    folder = model_folder("llama")
    bridge = TransformerBridge.boot_transformers(folder, device="cpu")
    chosen = Settings(device="cpu")
    held = Session(bridge, corpus, heads=["L1H1"], settings=chosen)
    named = Session(ModelSpec(folder), corpus, heads=["L1H1"], settings=chosen)
    assert held.population.sha256 == named.population.sha256
    assert held.model.capture.bridge is bridge
    for measure in (
        lambda head: head.mass(ht.previous).value,
        lambda head: head.lift(ht.induction).value,
        lambda head: [pair.multiple for pair in head.ranked_multiples(5)],
        lambda head: head.pattern(PROMPT).attention,
    ):
        # Read in two ways: of the bridge, and of the attention that transformers works out.
        expected = pytest.approx(measure(named.head("L1H1")), rel=1e-4, abs=1e-6)
        assert measure(held.head("L1H1")) == expected
    assert str(held.spec) in held.description
    held.close()
    named.close()


def test_what_is_no_model_is_an_error():
    with pytest.raises(ModelError, match="int"):
        Session(3).head("L0H0")


# The bundled model, through the public names alone.


def test_the_demo_model_over_repeated_random_tokens():
    session = ht.Session(
        heads=["L0H2", "L1H0"],
        corpus="repeated-random",
        documents=12,
        settings=ht.Settings(device="cpu"),
    )
    earlier, induction = session.head("L0H2"), session.head("L1H0")
    assert earlier.mass(ht.previous) >= 0.5
    assert induction.mass(ht.induction) >= 0.3
    assert not induction.mass(ht.previous) >= earlier.mass(ht.previous)
    assert induction.lift(ht.induction) >= 5
    session.close()


def test_learned_sinks_take_their_share(tmp_path):
    from transformers import GptOssConfig, GptOssForCausalLM

    torch.manual_seed(0)
    config = GptOssConfig(
        vocab_size=tiny_models.VOCABULARY,
        hidden_size=32,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        num_local_experts=2,
        num_experts_per_tok=1,
        sliding_window=4,
        initializer_range=0.3,
        max_position_embeddings=64,
        pad_token_id=0,
        eos_token_id=0,
    )
    folder = tiny_models.write_model(tmp_path / "sinks", GptOssForCausalLM(config).eval())
    session = Session(
        folder, "repeated-random", documents=6, period=5, settings=Settings(device="cpu")
    )
    head, options = parsed("L1H1"), RowOptions(suppress_first_token=True)
    session.head("L1H1").mass(ht.previous).summary()
    found = session.sink_share(head, options, 4)
    left = []
    for number in session.document_pass.order()[:4]:
        document = session.population[int(number)]
        rows = session.head("L1H1").pattern(document.ids.tolist()).attention
        left.append(np.mean([1 - rows[q].sum() for q in range(1, len(document))]))
    assert 0.01 < found == pytest.approx(np.mean(left), abs=1e-6)
    session.close()


def test_a_model_without_sinks_has_no_share_of_them(session_of):
    session = session_of(heads=["L0H0"])
    assert session.sink_share(parsed("L0H0"), RowOptions(suppress_first_token=True), 5) is None


def test_a_distribution_runs_nothing_again_before_its_examples_are_looked_at(session_of):
    session = session_of(heads=["L0H0"], spool=0)
    found = session.head("L0H0").distribution()
    assert found.mean > 0
    once = session.document_pass.tokens_run
    assert found.quantile(0.5) > 0
    assert session.document_pass.tokens_run_twice == 0
    assert found.bands[0].examples
    assert session.document_pass.tokens_run > once


def test_copies_of_a_text_are_no_further_draws():
    cat = SENTENCES[0] + " " + SENTENCES[0]
    code = "Return a copy of the object with each element converted by the given function."
    texts = [cat, code, cat.upper(), f"  {code}\n", cat] * 8
    settings = Settings(no_cache=True, device="cpu", alpha=0.05)
    session = Session("demo", GivenTexts.of(texts), heads=["L1H2"], settings=settings)
    head = session.head("L1H2")
    within = head.mass(ht.induction, when=ht.every_row)
    beyond = head.mass(ht.induction, when=ht.every_row, beyond_corpus=True)
    assert (within.documents, beyond.texts, beyond.merged_texts) == (40, 2, 38)
    claim = beyond > beyond.value
    assert claim.decide().value == "undecided"
    assert "without 38 texts equal to another" in claim.basis
    assert len(session.matched(beyond.question, 40)) == 2
