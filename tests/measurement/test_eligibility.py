"""Eligible documents and their base rates equal those of a loop over every row."""

from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import headtests as ht
from headtests import key, query
from headtests.claims.definitions import (
    Entropy,
    ExceedRate,
    Lift,
    Mass,
    Peak,
    Precision,
    RelationStatistic,
    RowOptions,
    Top1Rate,
)
from headtests.errors import ClaimError
from headtests.expressions.head_names import HeadName
from headtests.measurement import eligibility as module
from headtests.measurement.eligibility import eligible
from headtests.measurement.masks import Masks
from headtests.measurement.passes.runner import DocumentPass
from headtests.settings import Settings
from headtests.statistics import QUANTA
from tests import tiny_models
from tests.measurement.blocks import WORDS, figures_of, vocabulary
from tests.oracles import (
    CURRENT,
    DUPLICATE,
    DUPLICATE_EARLIEST,
    EVERY_ROW,
    FIRST,
    INDUCTION,
    LATEST,
    NEXT,
    NEXT_TOKEN,
    NEXT_TOKEN_LATEST,
    ON_KEY,
    ON_QUERY,
    PARITY,
    PREFIX_2_LATEST,
    PREVIOUS,
    SPECIAL_BY_FUNCTION,
    Reader,
    Text,
)

FIXED = settings(derandomize=True, deadline=None, max_examples=100)
RELATIONS = [
    PREVIOUS,
    NEXT,
    FIRST,
    DUPLICATE,
    INDUCTION,
    LATEST,
    PARITY,
    SPECIAL_BY_FUNCTION & ~PREVIOUS,
    ON_KEY["key is one of two"],
    ON_KEY["key special"],
    ON_KEY["key == 3"] & ~FIRST,
    DUPLICATE & ON_KEY["key matches a capital"],
    INDUCTION & ~CURRENT,
    ~NEXT_TOKEN,
    NEXT_TOKEN_LATEST & ON_KEY["key follows"],
    PREFIX_2_LATEST | DUPLICATE_EARLIEST,
]
CONDITIONS = [
    None,
    EVERY_ROW,
    ON_QUERY["query special"],
    ON_QUERY["query == 3"],
    EVERY_ROW & ON_QUERY["query repeats"],
]
KINDS = ["causal", "windowed", "bidirectional"]
WINDOW = 3


def model_of(kind):
    """Return the one thing about a model that eligibility asks for."""

    def attendable(valid, layer):
        length = valid.shape[1]
        allowed = torch.ones((length, length), dtype=torch.bool)
        if kind != "bidirectional":
            allowed = allowed.tril()
        if kind == "windowed":
            allowed = allowed.triu(1 - WINDOW)
        return allowed & valid[:, :, None] & valid[:, None, :]

    return SimpleNamespace(attendable=attendable, pad_id=0)


def texts_of(documents, kind):
    """Return documents as the oracle reads them, with uniform attention."""
    window = WINDOW if kind == "windowed" else None
    texts = []
    for document in documents:
        text = Text(
            document.id,
            document.ids.tolist(),
            vocabulary().texts(document.ids),
            vocabulary().is_special(document.ids).tolist(),
            (),
            kind == "bidirectional",
            window,
        )
        rows = [
            [(k in text.keys(q)) / len(text.keys(q)) for k in range(len(text.ids))]
            for q in range(len(text.ids))
        ]
        texts.append(replace(text, attention=rows))
    return texts


def cases(on, when, multiple):
    """Return each kind of statistic, with the figure of a reader who computes it by hand."""
    relation, condition = on.expression, None if when is None else when.expression
    return [
        (Mass(relation, condition), lambda by_hand: by_hand.mass(on, when)),
        (Entropy(condition), lambda by_hand: by_hand.entropy(when)),
        (Peak(condition), lambda by_hand: by_hand.peak(when)),
        (Mass(relation, condition, weights="value"), lambda by_hand: by_hand.mass(on, when)),
        (Mass(relation, condition, ht.previous), lambda by_hand: by_hand.mass(on, when, PREVIOUS)),
        (Lift(relation, condition), lambda by_hand: by_hand.mass(on, when)),
        (Lift(relation, condition, "distance"), lambda by_hand: by_hand.mass(on, when)),
        (Top1Rate(relation, condition), lambda by_hand: by_hand.top1_rate(on, when)),
        (
            ExceedRate(relation, condition, multiple),
            lambda by_hand: by_hand.exceed_rate(multiple, on, when),
        ),
        (
            Precision(relation, condition, multiple),
            lambda by_hand: by_hand.precision(on, multiple, when),
        ),
    ]


@pytest.fixture
def small_prefixes(monkeypatch):
    """Look at few tokens first, and at few documents together."""
    monkeypatch.setattr(module, "PREFIXES", (2, 4))
    monkeypatch.setattr(module, "CELLS", 100)


def assert_eligible(documents, kind, on, when, multiple, chosen):
    by_hand = Reader(texts_of(documents, kind), chosen.suppress_first_token, chosen.min_query)
    order = np.random.default_rng(0).permutation(len(documents))
    with tiny_models.population_of(documents) as population:
        for statistic, figure in cases(on, when, multiple):
            expected = figure(by_hand)
            found = eligible(model_of(kind), population, order, 0, statistic, chosen)
            wanted = [number for number in order if number in expected.documents]
            assert found.documents.tolist() == wanted
            assert found.texts.tolist() == wanted
            if not (isinstance(statistic, Lift) and statistic.over == "uniform"):
                assert found.base_rates is None
                continue
            rates = dict(zip(expected.documents, expected.shares, strict=True))
            assert found.base_rates / QUANTA == pytest.approx([rates[n] for n in wanted], abs=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("on", RELATIONS, ids=repr)
def test_every_statistic_of_each_relation(on, small_prefixes):
    """Each relation with each kind of model; conditions and options in turn."""
    documents = documents_of_words(np.random.default_rng(1), [1, 2, 3, 4, 5, 7, 9, 3, 8, 2])
    place = RELATIONS.index(on)
    for number, kind in enumerate(KINDS, place):
        when = CONDITIONS[number % len(CONDITIONS)]
        multiple, first_row = [(1, 1), (5.0, 1), (1, 0)][number % 3]
        for suppress in (True, False):
            assert_eligible(documents, kind, on, when, multiple, RowOptions(suppress, first_row))


def test_the_rarest_token_of_a_document_may_be_its_last(small_prefixes):
    ids = [vocabulary().single_id(word) for word in WORDS[:3]]
    # The corpus has one of the third; among the first four tokens, the second is the rarest.
    rows = [[ids[0], ids[0], ids[1], ids[0], ids[0], ids[1], ids[2]], [ids[0], ids[1]] * 2]
    with tiny_models.population_of(tiny_models.documents_of(rows)) as population:
        for condition, expected in ((query.position < 4, [1]), (query.position == 6, [0])):
            statistic = Mass(ht.rarest(1), condition)
            found = eligible(
                model_of("causal"), population, np.arange(2), 0, statistic, RowOptions(True, 1)
            )
            assert found.documents.tolist() == expected


def documents_of_words(generator, lengths):
    known = [0, *(vocabulary().single_id(word) for word in WORDS)]
    return tiny_models.documents_of([generator.choice(known, size=n) for n in lengths])


@pytest.mark.slow
@FIXED
@given(
    documents=st.lists(
        st.lists(st.sampled_from([None, *WORDS]), min_size=1, max_size=9), min_size=1, max_size=5
    ),
    on=st.sampled_from(RELATIONS),
    when=st.sampled_from(CONDITIONS),
    kind=st.sampled_from(KINDS),
    multiple=st.sampled_from([0.5, 1, 2.0, 3.5, 6]),
    chosen=st.builds(RowOptions, st.booleans(), st.sampled_from([0, 1, 3, 6])),
)
def test_any_documents(documents, on, when, kind, multiple, chosen):
    made = tiny_models.documents_of(
        [[0 if word is None else vocabulary().single_id(word) for word in row] for row in documents]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PREFIXES", (2, 4))
        patch.setattr(module, "CELLS", 100)
        assert_eligible(made, kind, on, when, multiple, chosen)


@pytest.fixture(scope="module")
def population():
    documents = tiny_models.random_documents([3 + n * 5 % 30 for n in range(80)], vocabulary=60)
    with tiny_models.population_of(documents) as made:
        yield made


STATISTICS = [
    Mass(ht.duplicate, None),
    Mass(ht.duplicate, None, ht.previous),
    Lift(ht.duplicate, None),
    Lift(ht.induction, query.position >= 9),
    Lift(ht.duplicate, None, "distance"),
    Top1Rate(ht.induction.latest, None),
    ExceedRate(ht.duplicate, None, 3.5),
    Precision(ht.duplicate, query.repeats, 4),
]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gpt2", "mistral", "gemma3", "gpt-neo"])
def test_what_is_measured_is_what_was_eligible(name, loaded, population):
    """Document by document, in the order of the pass, with the same base rates to the last bit."""
    heads = [HeadName(layer, 0) for layer in range(2)]
    document_pass = DocumentPass(loaded(name), population, heads, Settings(batch_size=7))
    for by_text in (False, True):
        order = document_pass.order(by_text)
        places = np.argsort(order)
        for head, statistic, chosen in product(
            heads, STATISTICS, (RowOptions(True), RowOptions(False, 4))
        ):
            expected = eligible(
                document_pass.model, population, order, head.layer, statistic, chosen
            )
            blocks = document_pass.blocks(head, by_text=by_text)
            found = figures_of(blocks, statistic, chosen, places=places, head=head)
            assert 0 < len(found) < len(population)
            assert found.documents.tolist() == expected.documents.tolist()
            if expected.base_rates is not None:
                assert found.base_rates.tolist() == expected.base_rates.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_figures_are_the_same_whatever_the_extents_asked_in(batch_size, loaded, population):
    document_pass = DocumentPass(
        loaded("gpt2"), population, [HeadName(1, 2)], Settings(batch_size=batch_size)
    )
    order = document_pass.order()
    places = np.argsort(order)

    def figures(statistic, start, stop, matched):
        blocks = document_pass.blocks(HeadName(1, 2), start, stop)
        return figures_of(blocks, statistic, RowOptions(True), matched, places, HeadName(1, 2))

    for statistic in STATISTICS:
        for matched in (False, True):
            whole = figures(statistic, 0, None, matched)
            parts = [figures(statistic, 0, 64, matched), figures(statistic, 64, 80, matched)]
            for column in ("documents", "numerators", "rows", "base_rates", "resting", "sizes"):
                together = np.concatenate([getattr(part, column) for part in parts])
                assert together.tolist() == getattr(whole, column).tolist(), column


def test_few_tokens_are_looked_at_where_they_tell(population, monkeypatch):
    seen = []
    relation = Masks.relation

    def spied(masks, on):
        found = relation(masks, on)
        seen.append(found.shape)
        return found

    monkeypatch.setattr(Masks, "relation", spied)
    order = np.arange(len(population))
    arguments = (model_of("causal"), population, order, 0)
    assert len(eligible(*arguments, Mass(ht.previous, None), RowOptions(True))) == 80
    assert sum(shape[0] for shape in seen) == 80
    assert {shape[1] for shape in seen} <= set(range(17))
    seen.clear()
    # A function may say of a beginning what it does not say of the whole.
    eligible(*arguments, Mass(ht.previous & ~PARITY.expression, None), RowOptions(True))
    assert max(shape[1] for shape in seen) == population.lengths.max()
    assert sum(shape[0] for shape in seen) == 80


def test_a_function_sees_whole_documents_alone():
    @ht.relation
    def in_long_ones(document):
        return np.full((len(document), len(document)), len(document) > 20)

    documents = tiny_models.random_documents([18, 40, 20, 21])
    with tiny_models.population_of(documents) as population:
        for on, when in (
            (in_long_ones, None),
            (~(~in_long_ones | ht.first), None),
            (ht.previous & (key.special | in_long_ones), None),
        ):
            found = eligible(
                model_of("causal"), population, np.arange(4), 0, Mass(on, when), RowOptions(True)
            )
            assert found.documents.tolist() == [1, 3]


def test_texts_are_told_of_each_document():
    documents = tiny_models.random_documents([5] * 6)
    made = [
        type(document)(document.id, f"text-{document.id // 2}", document.id % 2, document.ids)
        for document in documents
    ]
    with tiny_models.population_of(made) as population:
        order = population.text_order(3)
        found = eligible(
            model_of("causal"), population, order, 0, Mass(ht.previous, None), RowOptions(True)
        )
    assert found.documents.tolist() == order.tolist()
    assert found.texts.tolist() == (order // 2).tolist()


def test_none_may_be_eligible(population):
    never = Lift(key.special & ~key.special, None)
    found = eligible(
        model_of("causal"), population, np.arange(len(population)), 0, never, RowOptions(True)
    )
    assert len(found) == len(found.texts) == len(found.base_rates) == 0


def test_a_statistic_of_no_known_kind_is_an_error(population):
    class Other(RelationStatistic):
        kind = "other"

        def english(self, head):
            return ""

    with pytest.raises(ClaimError, match="no measurement"):
        eligible(
            model_of("causal"),
            population,
            np.arange(len(population)),
            0,
            Other(ht.previous, None),
            RowOptions(True),
        )
