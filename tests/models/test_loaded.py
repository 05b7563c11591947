"""A model's rows are Hugging Face's own, on every way to them and for every architecture."""

from dataclasses import replace

import pytest
import torch

from headtests.errors import CaptureError
from headtests.expressions.head_names import HeadName
from headtests.models import row_reading as reading_module
from headtests.models.loaded import LoadedModel
from headtests.models.loading import load_model
from headtests.models.row_reading import Portion
from headtests.settings import ModelSpec
from tests import tiny_models
from tests.models import architectures
from tests.models.architectures import (
    EAGER,
    HELD,
    HOOKS,
    LENGTHS,
    LONG,
    MAKERS,
    PATHS,
    STOCK,
    TOLERANCE,
    attentions_of,
    batch_for,
    documents_for,
    every_head,
    norms_alone,
)

pytestmark = pytest.mark.slow  # opens models of many architectures

EXACT = [name for name in PATHS if name not in MAKERS]
"""Models whose keys are attended to by some head wherever they may be."""


SHOW_VALUES = ["gpt2", "llama", "gemma3", "encoder", "gpt_neox", "gpt_oss"]
"""Bridges that are tried for values, beside the models that are opened as bridges anyway."""


def by_layer(model, rows):
    return rows.unflatten(0, (model.shape.layers, model.shape.heads))


def assert_own(model, truth, batch):
    """Check every head's rows against Hugging Face's, of each document alone."""
    rows = model.rows(batch, every_head(model))
    assert rows.dtype == torch.float32
    rows = by_layer(model, rows)
    for row, document in enumerate(batch.documents):
        length = len(document)
        inside = rows[:, :, row, :length, :length]
        torch.testing.assert_close(inside, truth[document.id], rtol=0, atol=TOLERANCE)
        outside = rows[:, :, row].clone()
        outside[..., :length, :length] = 0
        assert not outside.any()


@pytest.mark.parametrize(
    ("way", "name"),
    [*(("opened", name) for name in PATHS), *(("held", name) for name in HELD)],
)
def test_rows_are_those_of_hugging_face(name, way, opened, held, own_rows):
    model = opened(name) if way == "opened" else held(name)
    assert model.facts.path == (PATHS[name] if way == "opened" else HOOKS)
    documents = documents_for(name)
    # Padded together, and one by one.
    for group in (documents, *([document] for document in documents)):
        assert_own(model, own_rows(name), tiny_models.batch_of(group, model.pad_id))


def norms_of(model, batch):
    """Return the norms of every head's values on a batch, `[layer, head, document, position]`."""
    every = every_head(model)
    found = torch.full((len(every), *batch.ids.shape), torch.nan)
    given = []

    def give_values(heads, portion, norms):
        given.append(heads)
        for head, part in zip(heads, norms, strict=True):
            found[every.index(head), portion.start : portion.stop] = 0
            found[every.index(head), portion.start : portion.stop, : part.shape[1]] = part

    def give(heads, portion, rows):
        assert given.pop() == heads

    model.read(batch, every, model.portions(batch), give, give_values)
    assert not given
    return by_layer(model, found)


@pytest.mark.parametrize(
    ("way", "name"),
    [*(("opened", name) for name in PATHS), *(("held", name) for name in SHOW_VALUES)],
)
def test_norms_are_those_of_hugging_faces_values(name, way, opened, held, reference):
    model = opened(name) if way == "opened" else held(name)
    batch = batch_for(name, model)
    found = norms_of(model, batch)
    for row, document in enumerate(batch.documents):
        own = torch.tensor(norms_alone(reference(name), document))
        inside = found[:, :, row, : len(document)]
        torch.testing.assert_close(inside, own, rtol=1e-4, atol=TOLERANCE)
        assert not found[:, :, row, len(document) :].any()


@pytest.mark.parametrize("name", PATHS)
def test_hugging_faces_own_rows_are_the_same_where_they_are_padded(
    name, opened, reference, own_rows
):
    batch = batch_for(name, opened(name))
    padded = attentions_of(reference(name), batch.ids, batch.valid.long())
    for row, document in enumerate(batch.documents):
        inside = padded[:, row, :, : len(document), : len(document)]
        torch.testing.assert_close(inside, own_rows(name)[document.id], rtol=0, atol=TOLERANCE)


def test_all_three_ways_are_taken():
    assert set(PATHS.values()) == {STOCK, EAGER, HOOKS}


@pytest.mark.parametrize("name", EXACT)
def test_attendable_keys_are_those_that_are_attended_to(name, opened, own_rows):
    model = opened(name)
    batch = batch_for(name, model)
    for layer in range(model.shape.layers):
        attendable = model.attendable(batch.valid, layer)
        for row, document in enumerate(batch.documents):
            length = len(document)
            # Of any head, since a single one may put less on a key than a float can hold.
            attended = (own_rows(name)[document.id][layer] > 0).any(0)
            assert torch.equal(attendable[row, :length, :length], attended)
            assert int(attendable[row].sum()) == int(attended.sum())


def test_a_window_is_shorter_than_the_documents_of_these_tests(opened):
    assert max(LENGTHS) > 2 * tiny_models.WINDOW
    assert opened("mistral").shape.windows == (tiny_models.WINDOW,) * tiny_models.LAYERS
    (window,) = set(opened("long mistral").shape.windows)
    assert 128 < window < max(LONG) / 2
    assert len(set(opened("gemma3").shape.windows)) == 2


@pytest.mark.parametrize("way", ["opened", "held"])
def test_the_shares_of_sinks_are_left_out_of_rows(way, opened, held):
    model = {"opened": opened, "held": held}[way]("gpt_oss")
    assert model.facts.sinks
    batch = batch_for("gpt_oss", model)
    sums = model.rows(batch, every_head(model)).sum(-1)[:, batch.valid]
    assert float(sums.max()) <= 1 + 1e-5
    assert float(sums.min()) < 0.9
    assert not opened("gemma2").facts.sinks


@pytest.mark.parametrize("name", ["gpt2", "gemma2", "gpt-neo"])
def test_rows_come_in_the_order_of_the_asked_heads(name, opened):
    model = opened(name)
    batch = batch_for(name, model)
    heads = every_head(model)
    whole = model.rows(batch, heads)
    asked = [HeadName(1, 1), HeadName(0, 3), HeadName(1, 0)]
    found = model.rows(batch, asked)
    assert found.shape[0] == len(asked)
    for place, head in enumerate(asked):
        torch.testing.assert_close(found[place], whole[heads.index(head)], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["gpt2", "gemma2", "gpt-neo", "roberta"])
def test_portions_and_blocks_do_not_change_rows(name, opened, monkeypatch):
    model = opened(name)
    batch = batch_for(name, model)
    whole = model.rows(batch, every_head(model))
    assert len(model.portions(batch)) == 1
    longest = batch.ids.shape[1]
    # From a document and a head at a time to two of each, and to all.
    for elements in (1, 2 * longest**2, 3 * longest**2, 4 * longest**2):
        monkeypatch.setattr(reading_module, "CPU_ELEMENTS", elements)
        portions = model.portions(batch)
        assert [portion.start for portion in portions] == [
            0,
            *(portion.stop for portion in portions[:-1]),
        ]
        assert portions[-1].stop == len(batch)
        assert len(portions) > 1
        torch.testing.assert_close(model.rows(batch, every_head(model)), whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["gpt2", "gemma2", "gpt-neo"])
def test_a_block_holds_heads_of_a_layer_and_documents_of_a_portion(name, opened):
    model = opened(name)
    batch = batch_for(name, model)
    given = []

    def give(heads, portion, rows):
        assert rows.dtype == torch.float32
        assert rows.is_contiguous()
        longest = max(len(document) for document in batch.documents[portion.start : portion.stop])
        assert rows.shape == (len(heads), portion.stop - portion.start, longest, longest)
        given.append((heads, portion.start, portion.stop))

    portions = [Portion(0, 2), Portion(2, 5)]
    heads = [HeadName(1, 2), HeadName(0, 1), HeadName(0, 3)]
    model.read(batch, heads, portions, give)
    assert given == [
        ((HeadName(0, 1), HeadName(0, 3)), 0, 2),
        ((HeadName(0, 1), HeadName(0, 3)), 2, 5),
        ((HeadName(1, 2),), 0, 2),
        ((HeadName(1, 2),), 2, 5),
    ]


@pytest.mark.parametrize("name", ["gpt2", "gemma2", "gpt-neo"])
def test_heads_that_a_portion_was_read_for_are_not_given_again(name, opened):
    model = opened(name)
    batch = batch_for(name, model)
    given = []

    def give(heads, portion, rows):
        given.append((heads, portion.start))

    first, second, third = HeadName(0, 0), HeadName(0, 1), HeadName(1, 0)
    portions = [Portion(0, 2, {first, third}), Portion(2, 5)]
    model.read(batch, [first, second, third], portions, give)
    assert given == [((second,), 0), ((first, second), 2), ((third,), 2)]
    assert portions[0].read == portions[1].read == {first, second, third}
    # All of it was given: nothing comes twice.
    model.read(batch, [first, second, third], portions, give)
    assert len(given) == 3


@pytest.mark.parametrize("name", ["gpt2", "gemma2", "gpt-neo"])
def test_what_was_given_before_an_error_is_not_given_again(name, opened):
    model = opened(name)
    batch = batch_for(name, model)
    given = []

    def give(heads, portion, rows):
        if len(given) == 1 and not failed:
            failed.append(True)
            raise MemoryError
        given.append((heads, portion.start))

    failed = []
    heads = [HeadName(0, 0), HeadName(1, 1)]
    portions = [Portion(0, 2), Portion(2, 5)]
    with pytest.raises(MemoryError):
        model.read(batch, heads, portions, give)
    model.read(batch, heads, portions, give)
    assert sorted(given) == [
        ((heads[0],), 0),
        ((heads[0],), 2),
        ((heads[1],), 0),
        ((heads[1],), 2),
    ]


@pytest.mark.parametrize("name", ["gpt2", "gemma2", "gpt-neo"])
def test_heads_behind_an_error_are_still_to_be_given(name, opened, monkeypatch):
    model = opened(name)
    batch = batch_for(name, model)
    monkeypatch.setattr(reading_module, "CPU_ELEMENTS", 1)
    given = []

    def give(heads, portion, rows):
        given.append(heads)
        if len(given) == 2:
            raise MemoryError

    heads = [HeadName(0, index) for index in range(3)]
    portions = [Portion(0, len(batch))]
    with pytest.raises(MemoryError):
        model.read(batch, heads, portions, give)
    # The second was not taken in.
    assert portions[0].read == {heads[0]}
    model.read(batch, heads, portions, give)
    assert given == [(heads[0],), (heads[1],), (heads[1],), (heads[2],)]


@pytest.mark.parametrize("name", ["gpt2", "roberta", "gemma2", "gpt-neo"])
def test_the_longest_document_of_the_context_runs(name, opened):
    model = opened(name)
    documents = tiny_models.random_documents([model.shape.context], first_id=2)
    rows = model.rows(tiny_models.batch_of(documents, model.pad_id), [HeadName(0, 0)])
    torch.testing.assert_close(rows.sum(-1), torch.ones(1, 1, model.shape.context))


def test_an_id_behind_the_embeddings_is_no_padding(folder_of, opened):
    # A padding token that was added to the tokenizer, and the model never resized.
    from transformers import AutoTokenizer

    model = opened("gpt2")
    tokenizer = AutoTokenizer.from_pretrained(folder_of("gpt2"))
    tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    assert tokenizer.pad_token_id >= model.vocabulary_size
    widened = replace(model, tokenizer=tokenizer)
    batch = batch_for("gpt2", widened)
    torch.testing.assert_close(
        widened.rows(batch, [HeadName(1, 1)]), model.rows(batch, [HeadName(1, 1)])
    )


def test_a_layer_that_never_shows_its_rows_is_an_error(opened):
    model = opened("gpt2")

    class Silent:
        path = "none"
        network = model.capture.network

        def read(self, reading):
            pass

    silent = LoadedModel(
        model.spec,
        model.tokenizer,
        model.shape,
        model.device,
        model.dtype,
        model.facts,
        lambda: Silent(),
    )
    with pytest.raises(CaptureError, match="layer 1 never arrived"):
        silent.rows(batch_for("gpt2", model), [HeadName(2, 0), HeadName(1, 1)])


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("llama", "bfloat16"),
        ("gemma2", "bfloat16"),
        ("gpt_oss", "bfloat16"),
        ("gpt-neo", "bfloat16"),
        ("gpt2", "float16"),
        ("gemma3", "float16"),
        ("roberta", "float16"),
        ("gpt_oss", "float16"),
    ],
)
def test_half_precision_gives_float32_rows_near_those_of_float32(name, dtype, folder_of, opened):
    model = load_model(ModelSpec(folder_of(name), dtype=dtype), architectures.CPU)
    assert model.facts.path == PATHS[name]
    assert model.dtype == getattr(torch, dtype)
    assert next(model.capture.network.parameters()).dtype == model.dtype
    batch = batch_for(name, model)
    heads = every_head(model)
    found, exact = model.rows(batch, heads), opened(name).rows(batch, heads)
    assert found.dtype == torch.float32
    # bfloat16 has 8 bits: 3 decimal digits, and here an activation of a few hundred times that.
    torch.testing.assert_close(found, exact, rtol=0, atol=0.2)
    assert float((found - exact).abs().mean()) < 0.01
    assert not torch.equal(found, exact)
    if PATHS[name] == STOCK:
        # Softmax is of float32, whatever the model's precision.
        ones = torch.ones(len(heads), int(batch.valid.sum()))
        torch.testing.assert_close(found.sum(-1)[:, batch.valid], ones, rtol=0, atol=1e-5)


def test_directions_are_the_models_own(opened, held):
    for name in PATHS:
        expected = name in {"encoder", "roberta", "distilbert"}
        assert opened(name).bidirectional == expected
        if name in HELD:
            assert held(name).bidirectional == expected


def test_an_opened_model_and_a_held_one_have_one_shape(opened, held):
    for name in HELD:
        assert opened(name).shape == held(name).shape
        assert opened(name).vocabulary_size == held(name).vocabulary_size


def test_facts_are_plain(opened):
    facts = opened("gpt2").facts
    assert facts.to_dict() == {
        "architecture": "GPT2Model",
        "bidirectional": False,
        "vocabulary_size": tiny_models.VOCABULARY,
        "sinks": False,
        "weights_sha256": opened("gpt2").weights_sha256(),
        "path": STOCK,
    }
    assert len(facts.weights_sha256) == 64
