"""A result's key depends on everything that the result depends on, and on nothing else."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import headtests as ht
from headtests import query
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
from headtests.corpora import Document
from headtests.expressions.head_names import HeadName
from headtests.measurement.readers.rows_against import RowsAgainstRequest
from headtests.measurement.results.cache_keys import ResultKeys
from headtests.models.loading import load_model
from headtests.settings import ModelSpec, Settings
from headtests.statistics.sketches import Pairs
from tests import tiny_models
from tests.measurement.pretended import HEAD, OTHER, UNANNOUNCED, Model, sweep_of

SUPPRESSED, PLAIN, LATER = RowOptions(True), RowOptions(False), RowOptions(True, 2)
DOCUMENTS = tiny_models.random_documents([3 + number % 9 for number in range(100)])
PAIRS = Pairs.of([3, 3, 7], [2, 1, 2], [0, 0, 1], [1.5, 2.0, 3.0])


class Windowed(Model):
    """A model whose second layer looks three keys back."""

    def attendable(self, valid, layer):
        return super().attendable(valid, layer).triu(-2 if layer == 1 else -100)


@pytest.fixture(scope="module")
def populations():
    """Return a function that makes populations, and closes them in the end."""
    made = []

    def population(documents=DOCUMENTS, bos="model", tokenizer=None):
        found = tiny_models.population_of(documents, tokenizer)
        found.bos = bos
        made.append(found)
        return found

    yield population
    for found in made:
        found.close()


@pytest.fixture(scope="module")
def population(populations):
    return populations()


@pytest.fixture
def keys_of(population):
    def make(model="weights", documents=None, seed=0, run=None, **settings):
        found = documents or population
        document_pass = sweep_of(run or Model(), found, HEAD, OTHER, seed=seed, **settings)
        return ResultKeys(document_pass, model, seed)

    return make


def figure(keys, statistic=None, head=HEAD, options=SUPPRESSED, span=(0, 64), **asked):
    statistic = statistic or Mass(ht.previous, None)
    question = Question(head, statistic, options, asked.get("by_text", False))
    return keys.of_figures(question, asked.get("matched", False), *span)


def every_key(keys):
    """Return a key of each kind."""
    return [
        figure(keys),
        keys.of_pairs(HEAD, RankedRequest(5, SUPPRESSED), True),
        keys.of_pairs(HEAD, SampledRequest(5, SUPPRESSED, ht.previous), True),
        keys.of_pairs(HEAD, DistributionRequest(SUPPRESSED), True),
        keys.of_overview(HEAD, SUPPRESSED, 20, 5),
        keys.of_rows(HEAD, PAIRS),
        rows_against(keys),
    ]


def rows_against(
    keys,
    statistic=None,
    head=HEAD,
    options=SUPPRESSED,
    documents=range(20),
    operator=">=",
    threshold=0.4,
    size=10,
    by_text=False,
    stop=64,
):
    question = Question(head, statistic or Mass(ht.previous, None), options, by_text)
    ids = np.array(list(documents), dtype=np.int64)
    return keys.of_scrutinised(RowsAgainstRequest(question, ids, operator, threshold, size), stop)


def assert_all_differ(*keys):
    flat = [found for each in keys for found in each]
    assert len(set(flat)) == len(flat)
    assert all(len(found) == 64 for found in flat)


def test_keys_change_with_the_model(keys_of):
    assert_all_differ(*(every_key(keys_of(model)) for model in ("weights", "others")))


def test_keys_change_with_what_a_model_is_made_of(model_folder, tmp_path):
    folder = model_folder("gpt2")

    def identity(name, **named):
        chosen = Settings(device="cpu", cache=str(tmp_path / "cache"))
        return load_model(ModelSpec(name, **named), chosen).identity

    first = identity(folder)
    assert first == identity(folder)
    model = tiny_models.random_model(tiny_models.gpt2_config())
    same = identity(tiny_models.write_model(tmp_path / "same", model))
    weight = model.transformer.h[2].attn.c_attn.weight
    weight.data[3, 4] += 1e-3
    other = identity(tiny_models.write_model(tmp_path / "other", model))
    assert first == same != other
    assert identity(folder, dtype="bfloat16") not in (first, other)


@pytest.mark.parametrize(
    "changed",
    [
        {"documents": DOCUMENTS[:-1]},
        {
            "documents": [
                replace(one, ids=np.append(one.ids[:-1], one.ids[-1] % 1000 + 1).astype(np.int32))
                if one.id == 50
                else one
                for one in DOCUMENTS
            ]
        },
        {"bos": "always"},
        {"tokenizer": "bare"},
    ],
    ids=["documents", "a token", "BOS", "tokenizer"],
)
def test_keys_change_with_the_documents(changed, keys_of, populations):
    if changed.get("tokenizer"):
        changed = {"tokenizer": tiny_models.bare_tokenizer()}
    assert_all_differ(every_key(keys_of()), every_key(keys_of(documents=populations(**changed))))


@pytest.mark.parametrize("changed", [{"seed": 1}, {"max_documents": 80}], ids=repr)
def test_keys_change_with_seed_and_budget(changed, keys_of):
    assert_all_differ(every_key(keys_of()), every_key(keys_of(**changed)))


def test_keys_of_figures_change_with_what_is_asked(keys_of):
    keys = keys_of()
    statistics = [
        Mass(ht.previous, None),
        Mass(ht.current, None),
        Mass(ht.previous, query.repeats),
        Mass(ht.previous, None, of=~ht.first),
        Mass(ht.previous, None, weights="value"),
        Mass(ht.previous, None, of=~ht.first, weights="value"),
        Entropy(None),
        Entropy(query.repeats),
        Peak(None),
        Mass(~ht.first, None, of=ht.previous),
        Lift(ht.previous, None),
        Lift(ht.previous, None, "distance"),
        Top1Rate(ht.previous, None),
        ExceedRate(ht.previous, None, 1.5),
        ExceedRate(ht.previous, None, 1.75),
        Precision(ht.previous, None, 1.5),
        Precision(ht.previous, None, 1.75),
    ]
    assert_all_differ(
        [figure(keys, statistic) for statistic in statistics],
        [figure(keys, head=head) for head in (OTHER, HeadName(0, 1), HeadName(1, 0))],
        [figure(keys, options=options) for options in (PLAIN, LATER)],
        [figure(keys, span=span) for span in ((64, 100), (0, 100))],
        [figure(keys, matched=True), figure(keys, by_text=True)],
    )


def test_keys_of_scrutinies_change_with_what_is_asked(keys_of):
    keys = keys_of()
    statistics = [
        Mass(ht.previous, None),
        Mass(ht.current, None),
        Mass(ht.previous, query.repeats),
        Mass(ht.previous, None, of=~ht.first),
        Mass(ht.previous, None, weights="value"),
        Mass(ht.previous, None, of=~ht.first, weights="value"),
        Entropy(None),
        Entropy(query.repeats),
        Peak(None),
        Lift(ht.previous, None),
        Lift(ht.previous, None, "distance"),
        Top1Rate(ht.previous, None),
        ExceedRate(ht.previous, None, 1.5),
        ExceedRate(ht.previous, None, 1.75),
        Precision(ht.previous, None, 1.5),
    ]
    assert_all_differ(
        [rows_against(keys, statistic) for statistic in statistics],
        [rows_against(keys, head=head) for head in (OTHER, HeadName(0, 1))],
        [rows_against(keys, options=options) for options in (PLAIN, LATER)],
        [rows_against(keys, documents=some) for some in (range(19), range(1, 20), range(21))],
        [rows_against(keys, operator=operator) for operator in (">", "<=", "<")],
        [rows_against(keys, threshold=threshold) for threshold in (0.41, -0.4)],
        [rows_against(keys, size=0), rows_against(keys, by_text=True)],
        [rows_against(keys, stop=100)],
    )
    assert rows_against(keys, threshold=1) == rows_against(keys, threshold=1.0)


def test_a_scrutiny_is_known_by_the_masks_of_its_figures(keys_of, monkeypatch):
    keys = keys_of()
    figure(keys)
    figure(keys, span=(64, 100))
    monkeypatch.setattr(keys._document_pass, "tokens_between", None)
    assert rows_against(keys, stop=100) != rows_against(keys)


def test_keys_of_pairs_change_with_what_is_asked(keys_of):
    keys = keys_of()
    requests = [
        RankedRequest(5, SUPPRESSED),
        RankedRequest(6, SUPPRESSED),
        RankedRequest(5, SUPPRESSED, reverse=True),
        RankedRequest(5, PLAIN),
        RankedRequest(5, LATER),
        RankedRequest(5, SUPPRESSED, ht.previous),
        RankedRequest(5, SUPPRESSED, ht.current),
        SampledRequest(5, SUPPRESSED),
        SampledRequest(6, SUPPRESSED),
        SampledRequest(5, SUPPRESSED, above_average=False),
        SampledRequest(5, SUPPRESSED, ht.previous),
        DistributionRequest(SUPPRESSED),
        DistributionRequest(SUPPRESSED, ht.previous),
    ]
    assert_all_differ(
        [keys.of_pairs(HEAD, request, True) for request in requests],
        [keys.of_pairs(OTHER, requests[0], True), keys.of_pairs(HEAD, requests[-2], False)],
        [keys.of_overview(HEAD, options, 20, 5) for options in (SUPPRESSED, PLAIN, LATER)],
        [keys.of_overview(OTHER, SUPPRESSED, 20, 5), keys.of_overview(HEAD, SUPPRESSED, 21, 5)],
        [keys.of_overview(HEAD, SUPPRESSED, 20, 6)],
        [keys.of_rows(head, PAIRS) for head in (HEAD, OTHER)],
        [keys.of_rows(HEAD, PAIRS.take(np.array(order))) for order in ([0, 1], [1, 0, 2])],
    )


def test_keys_of_rows_do_not_depend_on_keys_and_multiples(keys_of):
    others = Pairs.of(PAIRS.documents, PAIRS.queries, 0, 9.0)
    assert keys_of().of_rows(HEAD, PAIRS) == keys_of().of_rows(HEAD, others)


@pytest.mark.parametrize(
    "changed",
    [
        {"batch_size": 1},
        {"batch_size": 7},
        {"spool": 0},
        {"alpha": 0.05},
        {"undecided": "skip"},
        {"rank": True},
        {"no_cache": True},
        {"run": Model(documents=100)},
    ],
    ids=lambda changed: " ".join(changed),
)
def test_keys_do_not_change_with_how_results_are_come_by(changed, keys_of):
    assert every_key(keys_of(**changed)) == every_key(keys_of())


def test_keys_do_not_change_with_the_order_of_asking(keys_of):
    keys, asked = keys_of(), keys_of()
    figure(asked, by_text=True)
    asked.of_pairs(OTHER, SampledRequest(3, LATER, ht.previous), False)
    figure(asked, span=(64, 100))
    assert every_key(asked) == every_key(keys)


def test_nothing_runs_for_a_key(keys_of):
    model = Model()
    every_key(keys_of(run=model))
    assert not model.tried


def test_numbers_are_told_by_their_value(keys_of):
    keys = keys_of()
    found = {
        figure(keys, ExceedRate(ht.previous, None, multiple))
        for multiple in (1.5, Fraction(3, 2), np.float32(1.5), np.float64(1.5))
    }
    assert len(found) == 1
    assert figure(keys, Precision(ht.previous, None, 2)) == figure(
        keys, Precision(ht.previous, None, 2.0)
    )


def test_figures_of_texts_change_with_the_texts(keys_of, populations):
    joined = [Document(one.id, f"text-{one.id // 2}", one.id % 2, one.ids) for one in DOCUMENTS]
    apart, together = keys_of(), keys_of(documents=populations(joined))
    # Of all documents, which texts they are of changes their order, and nothing else.
    assert figure(apart, span=(0, 100), by_text=True) != figure(
        together, span=(0, 100), by_text=True
    )
    assert figure(apart) == figure(together)


# Relations.


@ht.relation
def the_one_before(document):
    return np.eye(len(document), k=-1, dtype=bool)


def by_another_name(document):
    """Say the same, otherwise."""
    position = np.arange(len(document))
    return position[None, :] + 1 == position[:, None]


def edited(number, query, key):
    """Return the relation with one pair of one document changed."""

    @ht.relation
    def the_one_before(document):
        found = np.eye(len(document), k=-1, dtype=bool)
        if document.text_id == f"text-{number}":
            found[query, key] ^= True
        return found

    return the_one_before


def all_of(keys, relation):
    """Return keys of whatever takes a relation."""
    return [
        figure(keys, Mass(relation, None), span=(0, 100)),
        figure(keys, Lift(relation, ht.every_row), span=(0, 100)),
        figure(keys, Mass(ht.previous, ht.every_row, of=relation), span=(0, 100)),
        figure(keys, Mass(relation, None), span=(0, 100), by_text=True),
        rows_against(keys, Mass(relation, None), stop=100),
        rows_against(keys, Mass(ht.previous, ht.every_row, of=relation), stop=100),
        keys.of_pairs(HEAD, RankedRequest(5, SUPPRESSED, relation), True),
        keys.of_pairs(HEAD, SampledRequest(5, SUPPRESSED, relation), True),
        keys.of_pairs(HEAD, DistributionRequest(SUPPRESSED, relation), True),
    ]


def test_a_relation_is_known_by_what_it_holds_for(keys_of):
    keys = keys_of()
    expected = all_of(keys, ht.previous)
    for same in (the_one_before, ht.relation(by_another_name), ~~ht.offset(-1)):
        assert all_of(keys, same) == expected
        assert all_of(keys_of(), same) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "query", "key"),
    [(0, 2, 2), (0, 2, 1), (99, 2, 2), (50, 1, 1)],
    ids=["one more", "one less", "of the last document", "in its first row"],
)
def test_an_edited_relation_is_another(number, query, key, keys_of):
    keys = keys_of()
    before, after = all_of(keys, the_one_before), all_of(keys, edited(number, query, key))
    assert not set(before) & set(after)


def test_only_steps_with_the_edited_document_change(keys_of, population):
    keys = keys_of()
    first, last = (int(population.order(0)[place]) for place in (0, 99))
    for number, changed in ((first, [True, False]), (last, [False, True])):
        one, other = (
            [figure(keys, Mass(relation, None), span=span) for span in ((0, 64), (64, 100))]
            for relation in (the_one_before, edited(number, 2, 2))
        )
        assert [a != b for a, b in zip(one, other, strict=True)] == changed


@pytest.mark.parametrize(
    ("query", "key", "options"),
    [(1, 2, SUPPRESSED), (2, 0, SUPPRESSED), (0, 0, PLAIN)],
    ids=["a later key", "key 0, suppressed", "a position that is no row"],
)
def test_pairs_that_do_not_count_change_no_key(query, key, options, keys_of):
    keys = keys_of()
    other = edited(30, query, key)
    one, two = (
        figure(keys, Mass(relation, None), options=options, span=(0, 100))
        for relation in (the_one_before, other)
    )
    assert one == two


def test_a_condition_on_rows_is_known_by_what_it_holds_for(keys_of):
    keys = keys_of()
    one, same, other = (
        figure(keys, Mass(ht.previous, when))
        for when in (query.position >= 2, query.position > 1, query.position >= 3)
    )
    assert one == same != other


def test_rows_without_a_pair_in_the_relation_count_where_every_row_does(keys_of):
    keys = keys_of()
    # The same pairs, of more rows.
    assert figure(keys, Mass(ht.offset(-3), None)) != figure(
        keys, Mass(ht.offset(-3), ht.every_row)
    )


def test_layers_with_other_windows_are_hashed_apart(keys_of):
    keys = keys_of(run=Windowed())
    far = Mass(ht.offset(-4), None)
    plain = keys_of()
    # What a windowed head may not attend to is in no relation of its.
    assert figure(keys, far, OTHER) != figure(plain, far, OTHER)
    assert figure(keys, far, UNANNOUNCED) == figure(plain, far, UNANNOUNCED)
