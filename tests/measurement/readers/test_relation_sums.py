"""Sums over signatures equal double loops over eager attentions, and the statistics."""

import numpy as np
import pytest
import torch

import headtests as ht
from headtests import key, query
from headtests.claims.definitions import Lift, Mass, RowOptions
from headtests.expressions import first
from headtests.expressions.head_names import HeadName
from headtests.expressions.library import LIBRARY
from headtests.measurement.masks import Masks
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.runner import DocumentPass
from headtests.measurement.passes.token_view import BatchTokens, allowed_keys
from headtests.measurement.readers.document_figures import FigureReader
from headtests.measurement.readers.relation_sums import RelationSums
from headtests.settings import Settings
from headtests.statistics import QUANTA
from tests import tiny_models
from tests.oracles import Text, follows_distance

NEAR = 1e-6
RELATIONS = [
    *(named.relation for named in LIBRARY),
    ht.first,
    ht.previous & query.repeats,
    key.repeats & ~ht.induction,
    ht.offset(-1) | key.is_("."),
    key.position >= 3,
]
LENGTHS = [1, 2, 3, 9, 24, 31, 40]


def documents_with_repeats(seed=0):
    """Return documents in which tokens repeat, some words and a line break among them."""
    generator = np.random.default_rng(seed)
    tokenizer = tiny_models.demo_tokenizer()
    known = tokenizer("The cat (a cat) sat.\nOn it, 12 mats!", add_special_tokens=False)[
        "input_ids"
    ]
    pool = [0, *known, *generator.integers(1, tiny_models.VOCABULARY, 6).tolist()]
    return tiny_models.documents_of([generator.choice(pool, size=length) for length in LENGTHS])


def sums_of(model, population, options, relations=RELATIONS, heads=None, batch_size=3):
    """Return each document's sums of each group of layers, and the heads of each group."""
    shape = model.shape
    every = [HeadName(layer, head) for layer in range(shape.layers) for head in range(shape.heads)]
    chosen = Settings(spool=0, batch_size=batch_size, no_cache=True)
    run = DocumentPass(model, population, every, chosen)
    groups = {}
    for head in heads or every:
        groups.setdefault(run.alike(head.layer), []).append(head)
    found = {layer: {} for layer in groups}
    readers = [
        RelationSums(
            heads,
            relations,
            population.vocabulary,
            options,
            0,
            lambda sums, layer=layer: found[layer].__setitem__(sums.plan.document, sums),
        )
        for layer, heads in groups.items()
    ]
    for _ in run.read_documents(every, readers, np.arange(len(population))):
        pass
    run.close()
    return [(groups[layer], found[layer]) for layer in groups]


def figures_of(model, population, options, relation):
    """Return the readers of the statistics that the sums should equal, after a pass."""
    shape = model.shape
    every = [HeadName(layer, head) for layer in range(shape.layers) for head in range(shape.heads)]
    run = DocumentPass(model, population, every, Settings(spool=0, no_cache=True))
    statistics = (
        Mass(relation, None),
        Lift(relation, None, "distance"),
        Mass(relation, None, of=~first),
    )
    readers = [FigureReader(population.vocabulary, each, options) for each in statistics]
    run.read(every, readers)
    run.close()
    return readers


@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma3", "encoder"])
@pytest.mark.parametrize("suppress", [True, False])
def test_sums_are_the_figures_of_the_statistics(loaded, name, suppress):
    model = loaded(name) if name != "encoder" else encoder()
    population = tiny_models.population_of(
        documents_with_repeats(), tiny_models.encoder_tokenizer() if name == "encoder" else None
    )
    options = RowOptions(suppress, 1)
    places = np.arange(len(population))
    groups = sums_of(model, population, options)
    assert sum(len(heads) for heads, _ in groups) == model.shape.layers * model.shape.heads
    for place, relation in enumerate(RELATIONS[::5]):
        place *= 5
        if suppress and relation == first:
            continue
        mass, lift, of = figures_of(model, population, options, relation)
        for heads, by_document in groups:
            for row, head in enumerate(heads):
                figures = mass.figures(head, places)
                controls, whole = lift.figures(head, places), of.figures(head, places)
                with_rows = figures.documents.tolist()
                for document, sums in by_document.items():
                    rows = np.count_nonzero(sums.plan.eligible[:, place])
                    assert (rows > 0) == (document in with_rows)
                    if not rows:
                        continue
                    at = with_rows.index(document)
                    members = sums.plan.signatures[:, place]
                    assert rows == figures.rows[at]
                    found = [
                        sums.attention[row, members].sum() / rows,
                        sums.control[row, members].sum() / rows,
                        sums.plan.uniform[members].sum() / rows,
                    ]
                    expected = [
                        figures.numerators[at] / QUANTA,
                        controls.denominators[at] / QUANTA,
                        figures.base_rates[at] / QUANTA,
                    ]
                    if suppress:
                        found.append(sums.off_rest[row, place] / rows)
                        expected.append(whole.denominators[at] / QUANTA)
                    assert found == pytest.approx(expected, abs=NEAR)


def encoder():
    """Return the real encoder."""
    from headtests.models.loading import load_model
    from headtests.settings import ModelSpec

    return load_model(ModelSpec(tiny_models.encoder_folder()), Settings(device="cpu"))


def by_loops(attention, document, model, layer, vocabulary, options, relation):
    """Return a relation's sums on one head's rows by double loops, and its rows.

    Attention, the distance control, uniform attention, and what does not rest in those rows.
    """
    length = len(document)
    allowed = allowed_keys(model, layer, length)
    masks = Masks(tiny_models.batch_of([document]), vocabulary, options.suppress_first_token)
    holds = masks.relation(relation)[0]
    text = Text(
        document.id,
        document.ids.tolist(),
        vocabulary.texts(document.ids),
        vocabulary.is_special(document.ids).tolist(),
        attention.tolist(),
        model.bidirectional,
        model.shape.windows[layer],
    )
    control = follows_distance(text, options.suppress_first_token, options.min_query).attention
    sums, rows = np.zeros(4), 0
    for q in range(options.min_query, length):
        keys = [k for k in range(length) if allowed[q, k] and holds[q, k]]
        if options.suppress_first_token:
            keys = [k for k in keys if k > 0]
        if keys:
            rows += 1
            resting = attention[q, 0] if options.suppress_first_token else 0.0
            sums[3] += 1 - resting
        for k in keys:
            sums += (attention[q, k], control[q][k], 1 / np.count_nonzero(allowed[q]), 0)
    return sums, rows


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_every_relation_is_the_double_loop_over_eager_attentions(loaded, model_folder, name):
    from transformers import AutoModel

    model = loaded(name)
    population = tiny_models.population_of(documents_with_repeats(1))
    options = RowOptions(True, 1)
    network = AutoModel.from_pretrained(model_folder(name), attn_implementation="eager").eval()
    # Alone, since the batch changes the last digits of a random model's rows.
    groups = sums_of(model, population, options, batch_size=1)
    for heads, by_document in groups:
        for document, sums in by_document.items():
            whole = population[document]
            with torch.inference_mode():
                ids = torch.from_numpy(whole.ids.astype(np.int64))[None]
                patterns = network(ids, output_attentions=True).attentions
            # Of each layer, a head that changes with the document.
            for layer in range(model.shape.layers):
                head = HeadName(layer, (document + layer) % model.shape.heads)
                row = heads.index(head)
                attention = patterns[layer][0, head.index].double().numpy()
                for place, relation in enumerate(RELATIONS):
                    expected, rows = by_loops(
                        attention, whole, model, layer, population.vocabulary, options, relation
                    )
                    members = sums.plan.signatures[:, place]
                    found = [
                        sums.attention[row, members].sum(),
                        sums.control[row, members].sum(),
                        sums.plan.uniform[members].sum(),
                        sums.off_rest[row, place],
                    ]
                    assert rows == np.count_nonzero(sums.plan.eligible[:, place])
                    assert found == pytest.approx(expected.tolist(), abs=NEAR * max(rows, 1))


def test_entropy_peak_and_distances_are_those_of_the_rows(loaded):
    model = loaded("gpt2")
    documents = [document for document in documents_with_repeats(2) if 1 < len(document) <= 9]
    population = tiny_models.population_of(tiny_models.documents_of([d.ids for d in documents]))
    ((heads, by_document),) = sums_of(model, population, RowOptions(True, 1))
    for document, sums in by_document.items():
        whole = population[document]
        rows = model.rows(tiny_models.batch_of([whole]), heads)[:, 0].double().numpy()
        length = len(whole)
        for head, attention in enumerate(rows):
            lines = attention[1:]
            entropies = [
                -sum(a * np.log(a) for a in line[: q + 1] if a > 0) / np.log(q + 1)
                for q, line in enumerate(lines, start=1)
            ]
            # Fewer rows than are read for it, so that it is of all of them.
            assert sums.entropy[head] == pytest.approx(np.mean(entropies), abs=NEAR)
            assert sums.peak[head] == pytest.approx(lines.max(-1).mean(), abs=NEAR)
            assert sums.resting[head] == pytest.approx(lines[:, 0].sum(), abs=10 * NEAR)
            for distance in range(length):
                pairs = [(q, q - distance) for q in range(1, length) if q - distance > 0]
                expected = float(sum(attention[q, k] for q, k in pairs))
                found = sums.distances[head, distance + length - 1]
                assert found == pytest.approx(expected, abs=10 * NEAR)
                assert sums.plan.apart[distance + length - 1] == len(pairs)


@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_sums_do_not_depend_on_the_batch(loaded, batch_size):
    model = loaded("llama")
    population = tiny_models.population_of(documents_with_repeats(3))
    (alone,), (together,) = (
        sums_of(model, population, RowOptions(True, 1), batch_size=size) for size in (batch_size, 4)
    )
    assert alone[1].keys() == together[1].keys()
    for document, sums in alone[1].items():
        other = together[1][document]
        for name in ("attention", "control", "off_rest", "resting", "distances", "entropy", "peak"):
            np.testing.assert_allclose(getattr(sums, name), getattr(other, name), atol=1e-5)


def test_some_heads_alone_have_the_same_sums(loaded):
    model = loaded("gpt2")
    population = tiny_models.population_of(documents_with_repeats(4))
    some = [HeadName(0, 1), HeadName(2, 0), HeadName(2, 3)]
    ((every, of_every),) = sums_of(model, population, RowOptions(True, 1))
    ((_, of_some),) = sums_of(model, population, RowOptions(True, 1), heads=some)
    places = [every.index(head) for head in some]
    for document, sums in of_some.items():
        whole = of_every[document].attention[places]
        np.testing.assert_allclose(sums.attention, whole, atol=1e-5)


@pytest.mark.parametrize("min_query", [0, 1, 2, 5])
def test_documents_without_a_row_give_nothing(loaded, min_query):
    population = tiny_models.population_of(documents_with_repeats())
    ((_, by_document),) = sums_of(loaded("gpt2"), population, RowOptions(True, min_query))
    assert sorted(by_document) == [n for n, length in enumerate(LENGTHS) if length > min_query]
    assert all(
        int(sums.plan.rows.sum()) == sums.plan.length - min_query for sums in by_document.values()
    )


def test_sums_are_of_whole_documents_only(loaded):
    """Rows of some layers alone give nothing."""
    model = loaded("gpt2")
    population = tiny_models.population_of(documents_with_repeats())
    given = []
    heads = [HeadName(0, 0), HeadName(1, 0)]
    reader = RelationSums(
        heads, RELATIONS, population.vocabulary, RowOptions(True, 1), 0, given.append
    )
    batch = tiny_models.batch_of([population[4], population[5]])
    tokens = BatchTokens(batch, allowed_keys(model, 0, batch.ids.shape[1]))
    rows = model.rows(batch, heads)
    reader.read(Block(tokens, (heads[0],), rows[:1]))
    assert not given
    reader.read(Block(tokens, (heads[1],), rows[1:]))
    assert [sums.plan.document for sums in given] == [d.id for d in batch.documents]


def test_learned_sinks_take_from_what_does_not_rest():
    """Rows that give attention to no token sum to less than 1."""
    document = tiny_models.random_documents([6])[0]
    population = tiny_models.population_of([document])
    batch = tiny_models.batch_of([document])
    rows = torch.full((1, 1, 6, 6), 0.1).tril()
    tokens = BatchTokens(batch, np.tril(np.ones((6, 6), dtype=np.bool_)))
    given = []
    reader = RelationSums(
        [HeadName(0, 0)],
        [ht.previous],
        population.vocabulary,
        RowOptions(True, 1),
        0,
        given.append,
        sinks=True,
    )
    reader.read(Block(tokens, (HeadName(0, 0),), rows))
    # Rows 2 to 5 have a previous token that is not position 0, and 0.1 for each key but that.
    assert given[0].off_rest[0, 0] == pytest.approx(0.2 + 0.3 + 0.4 + 0.5)
