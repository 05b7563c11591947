"""`AttentionData`: its figures are those of a few lines of NumPy, its errors say what to do."""

import copy
import pickle
import statistics

import numpy as np
import pytest
import torch

import headtests as ht
from headtests import key
from headtests.errors import (
    ClaimError,
    CorpusError,
    ExpressionError,
    HeadNameError,
    ModelError,
    NoEligibleRowError,
    SettingError,
)
from tests import seed_words, tiny_models
from tests.notebook.conftest import CPU, MAX_LENGTH, MIN_LENGTH, TEXTS

NEAR = 1e-4
EVERY = 100_000
HEADS = [(0, 2), (1, 0), (1, 3)]


def found_in(rows):
    """Return `(multiple, text, query, key)` of each row."""
    return [(row.multiple, int(row.pair.text), row.pair.query, row.pair.key) for row in rows]


def assert_same_pairs(found, expected):
    """Compare pairs of two computations, whose last digits may order near ties otherwise."""
    assert sorted(pair[1:] for pair in found) == sorted(pair[1:] for pair in expected)
    assert [pair[0] for pair in found] == pytest.approx([pair[0] for pair in expected], rel=NEAR)


# What is returned.


@pytest.mark.slow
@pytest.mark.parametrize(("layer", "head"), HEADS)
@pytest.mark.parametrize("suppressed", [True, False], ids=["suppressed", "plain"])
def test_ranked_multiples_are_attention_over_the_average_of_the_row(
    layer, head, suppressed, data_of, by_hand
):
    data = data_of(suppress_first_token=suppressed)
    rows = data.get_ranked_multiples(layer, head, num_multiples=EVERY)
    expected = seed_words.above_average(by_hand, layer, head, MIN_LENGTH, suppressed)
    assert len(expected) > 5
    assert_same_pairs(found_in(rows), expected)
    assert [row.multiple for row in rows] == sorted((row.multiple for row in rows), reverse=True)


def test_without_suppression_the_first_token_is_a_key_like_any_other(data_of):
    plain = data_of(suppress_first_token=False).get_ranked_multiples(1, 0, num_multiples=EVERY)
    assert any(row.pair.key == 0 for row in plain)
    suppressed = data_of().get_ranked_multiples(1, 0, num_multiples=EVERY)
    assert not any(row.pair.key == 0 for row in suppressed)


def test_a_row_unpacks_as_token_multiple_tokens_and_pattern(data, by_hand):
    rows = data.get_ranked_multiples(1, 0, num_multiples=5)
    assert len(rows) == 5
    for row in rows:
        token, multiple, tokens, pattern = row
        pair = row.pair
        reading = by_hand[int(pair.text)]
        assert (token, multiple) == (row.token, row.multiple)
        assert token == tokens[pair.key]
        assert len(tokens) == len(pattern) == pair.query + 1
        assert pattern == pytest.approx(
            reading.attention[1, 0, pair.query, : pair.query + 1], rel=NEAR, abs=1e-6
        )
        assert multiple == pytest.approx(pattern[pair.key] * (pair.query + 1), rel=NEAR)
        assert multiple != round(multiple, 1), "not rounded"
    assert "".join(tokens[1:]) in TEXTS[int(pair.text)]


def test_of_a_bidirectional_model_the_row_is_the_whole_text(data_of):
    data = data_of(["the cat sat on the mat", "a dog"], tiny_models.encoder_folder(), min_length=1)
    rows = data.get_ranked_multiples(0, 0, num_multiples=EVERY)
    assert {len(row.tokens) for row in rows} == {8, 4}
    assert all(row.tokens == row.pair.tokens for row in rows)
    assert all(sum(row.pattern) == pytest.approx(1) for row in rows)
    assert any(row.pair.key > row.pair.query for row in rows)


def test_reverse_gives_the_lowest_of_the_above_average_pairs_the_lowest_first(data, by_hand):
    rows = data.get_ranked_multiples(1, 0, num_multiples=9, reverse=True)
    expected = seed_words.above_average(by_hand, 1, 0, MIN_LENGTH, True)[::-1][:9]
    assert_same_pairs(found_in(rows), expected)
    assert rows[0].multiple == min(row.multiple for row in rows)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_token_limits_the_pairs_in_either_direction(reverse, data):
    every = data.get_ranked_multiples(1, 2, num_multiples=EVERY)
    expected = [row for row in every if row.token == " the"]
    assert len(expected) > 4
    expected = expected[::-1][:3] if reverse else expected[:3]
    rows = data.get_ranked_multiples(1, 2, str_token=" the", num_multiples=3, reverse=reverse)
    assert sorted(found_in(rows)) == sorted(found_in(expected))


def test_a_token_that_never_is_a_key_gives_no_rows(data):
    assert data.get_ranked_multiples(str_token=" class") == []


def test_a_text_that_is_not_one_token_is_an_error_that_says_how_it_splits(data):
    with pytest.raises(ExpressionError, match="is not one token of this tokenizer; it splits into"):
        data.get_ranked_multiples(str_token=" the cat")


def test_random_multiples_are_a_sample_of_the_above_average_pairs(data, by_hand):
    expected = seed_words.above_average(by_hand, 0, 2, MIN_LENGTH, True)
    rows = data.get_random_multiples(0, 2, num_multiples=20)
    places = [pair[1:] for pair in found_in(rows)]
    assert len(set(places)) == 20
    assert set(places) < {pair[1:] for pair in expected}
    assert all(row.multiple > 1 for row in rows)
    assert [row.multiple for row in rows] != sorted((row.multiple for row in rows), reverse=True)


def test_the_same_seed_gives_the_same_sample_and_another_seed_another(data, data_of):
    one = found_in(data.get_random_multiples(0, 2, num_multiples=15))
    assert one == found_in(data.get_random_multiples(0, 2, num_multiples=15))
    assert one == found_in(data_of().get_random_multiples(0, 2, num_multiples=15))
    assert one != found_in(data_of(seed=1).get_random_multiples(0, 2, num_multiples=15))


def test_fewer_pairs_than_asked_for_give_fewer_rows(data, by_hand):
    expected = len(seed_words.above_average(by_hand, 1, 0, MIN_LENGTH, True))
    for reverse in (False, True):
        rows = data.get_ranked_multiples(1, 0, num_multiples=EVERY, reverse=reverse)
        assert len(rows) == expected
    assert len(data.get_random_multiples(1, 0, num_multiples=EVERY)) == expected


def test_texts_too_short_for_a_row_have_none(data_of):
    data = data_of(["A cat.", "Yes."], min_length=15)
    assert data.get_ranked_multiples() == []
    assert data.get_random_multiples() == []
    with pytest.raises(NoEligibleRowError, match="L0H0 has no pairs"):
        data.get_distribution()


def test_rows_begin_at_the_query_of_min_length_and_texts_end_at_max_length(data_of):
    rows = data_of(min_length=7, max_length=12).get_ranked_multiples(0, 2, num_multiples=EVERY)
    assert {row.pair.query for row in rows} == set(range(7, 12))


def test_a_distribution_is_of_every_pair_with_those_of_a_token_if_asked(data, by_hand):
    multiples = [
        value
        for reading in by_hand
        for query, row in enumerate(seed_words.as_said(reading.attention[1, 2]))
        if query >= MIN_LENGTH
        for value in row[1 : query + 1]
    ]
    found = data.get_distribution(1, 2)
    assert found.pairs == found.count == len(multiples)
    assert found.mean == pytest.approx(statistics.fmean(multiples), rel=NEAR)
    assert found.quantile(0.9) == pytest.approx(np.quantile(multiples, 0.9), rel=0.05)
    limited = data.get_distribution(1, 2, str_token=" the")
    assert 0 < limited.pairs < found.pairs
    with pytest.raises(NoEligibleRowError, match='whose token is " class"'):
        data.get_distribution(1, 2, str_token=" class")


def test_its_session_makes_claims_of_the_same_rows(data, by_hand):
    mass = data.session.head("L0H2").mass(ht.previous, when=ht.every_row)
    expected = [
        np.mean([reading.attention[0, 2, q, q - 1] for q in range(MIN_LENGTH, len(reading.ids))])
        for reading in by_hand
        if len(reading.ids) > MIN_LENGTH
    ]
    assert mass.value == pytest.approx(np.mean(expected), rel=NEAR)


def test_rows_can_be_copied_and_kept(data):
    rows = data.get_ranked_multiples(1, 0, num_multiples=3)
    for again in (pickle.loads(pickle.dumps(rows)), copy.deepcopy(rows), copy.copy(rows)):
        assert again == rows
        assert [row.pair for row in again] == [row.pair for row in rows]


# How often the model runs.


def ask_everything(data, layers, heads):
    for layer in range(layers):
        for head in range(heads):
            for reverse in (False, True):
                str(data.get_ranked_multiples(layer, head, num_multiples=4, reverse=reverse))
            str(data.get_ranked_multiples(layer, head, str_token=" the", num_multiples=2))
            str(data.get_random_multiples(layer, head, num_multiples=7))
            str(data.get_distribution(layer, head))


def assert_ran_once(data):
    document_pass = data.session.document_pass
    assert document_pass.documents_run == len(data.session.population) == len(TEXTS)
    assert document_pass.tokens_run == data.session.population.tokens
    assert document_pass.tokens_run_twice == 0


@pytest.mark.slow
@pytest.mark.parametrize("model", ["demo", "llama"])
def test_one_head_after_another_runs_the_model_on_each_text_once(model, data_of, model_folder):
    data = data_of(model=model if model == "demo" else model_folder(model))
    shape = data.session.model.shape
    assert not data.session.is_open, "nothing runs before something is asked"
    ask_everything(data, shape.layers, shape.heads)
    assert_ran_once(data)


@pytest.mark.slow
def test_a_bridge_that_the_user_holds_serves_and_runs_once(data_of, by_hand, model_folder):
    from transformer_lens.model_bridge import TransformerBridge

    from headtests.demo import MODEL_FOLDER

    bridge = TransformerBridge.boot_transformers(str(MODEL_FOLDER), device="cpu")
    data = data_of(model=bridge)
    ask_everything(data, 2, 4)
    assert_ran_once(data)
    expected = seed_words.above_average(by_hand, 1, 0, MIN_LENGTH, True)
    assert_same_pairs(found_in(data.get_ranked_multiples(1, 0, num_multiples=EVERY)), expected)


def test_where_no_row_is_kept_titles_of_all_heads_cost_one_pass(data_of):
    data = data_of(settings=ht.Settings(device="cpu", spool=0))
    titles = [
        data.get_ranked_multiples(layer, head, num_multiples=1).title
        for layer in range(2)
        for head in range(4)
    ]
    roomy = data_of()
    assert titles == [
        roomy.get_ranked_multiples(layer, head, num_multiples=1).title
        for layer in range(2)
        for head in range(4)
    ]
    tokens = data.session.population.tokens
    rows_again = 8 * MAX_LENGTH
    assert tokens < data.session.document_pass.tokens_run <= 2 * tokens + rows_again


def test_more_texts_than_the_usual_budget_are_all_read(data_of):
    data = data_of(settings=ht.Settings(device="cpu", max_documents=2))
    data.get_ranked_multiples()
    assert data.session.document_pass.budget == len(TEXTS)


# What is wrong.


@pytest.mark.parametrize(
    ("layer", "head"),
    [(2, 0), (0, 4), (-1, 0), (0, -1), (0.0, 0), ("0", 0), (0, None), (True, 0)],
)
def test_a_head_that_is_none_is_an_error_that_names_the_range(layer, head, data):
    for ask in (data.get_ranked_multiples, data.get_random_multiples, data.get_distribution):
        with pytest.raises(HeadNameError, match="a layer from 0 to 1 and a head from 0 to 3") as e:
            ask(layer, head)
        assert f"layer={layer!r}, head={head!r}" in str(e.value)


def test_numbers_of_numpy_and_torch_name_heads(data):
    expected = data.get_ranked_multiples(1, 2)
    assert data.get_ranked_multiples(np.int64(1), torch.tensor(2)) == expected


@pytest.mark.parametrize("size", [0, -1, 2.5, "3", None])
def test_a_number_of_rows_that_is_none_is_an_error(size, data):
    for ask in (data.get_ranked_multiples, data.get_random_multiples):
        with pytest.raises(ClaimError, match="expected a number of pairs of 1 or more"):
            ask(num_multiples=size)


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        ((10, 10), "min_length is 10 and max_length 10, so that no text has a row"),
        ((-1, 10), "min_length is -1"),
        ((0, 1), "max_length is 1"),
        ((None, 10), "min_length is None"),
        ((1, 9.5), "max_length is 9.5"),
    ],
)
def test_lengths_that_leave_no_row_are_errors(lengths, said, data_of):
    with pytest.raises(SettingError, match=said):
        data_of(min_length=lengths[0], max_length=lengths[1])


@pytest.mark.parametrize("texts", ["one text", [], ["a", None], [3]])
def test_texts_that_are_none_are_errors_at_once(texts, data_of):
    with pytest.raises(CorpusError):
        data_of(texts)


def test_a_model_that_is_none_is_an_error_at_once(data_of):
    with pytest.raises(ModelError, match="found a Linear"):
        data_of(model=torch.nn.Linear(2, 2))


# What it says of itself.


def test_it_says_what_it_is_and_never_the_key(data_of):
    secret = "sk-very-secret"
    data = data_of(openai_model="gpt-4o", openai_api_key=secret)
    assert repr(data) == (
        "<AttentionData: demo over all 7 documents of 7 texts given in memory, of 24 tokens at "
        "most, rows from query 6 on>"
    )
    assert secret not in repr(vars(data))


def test_nothing_is_printed_that_was_not_asked_for(data_of, capfd):
    data = data_of()
    data.get_ranked_multiples(1, 0)
    data.get_random_multiples(1, 0)
    data.get_distribution(1, 0)
    assert capfd.readouterr() == ("", "")


def test_the_arguments_have_the_order_that_notebooks_use(data_of, by_hand):
    data = ht.AttentionData("demo", TEXTS, None, None, MIN_LENGTH, MAX_LENGTH, False, settings=CPU)
    rows = data.get_ranked_multiples(1, 3, " the", 2, True, False)
    expected = [
        pair
        for pair in seed_words.above_average(by_hand, 1, 3, MIN_LENGTH)[::-1]
        if data.session.population.vocabulary.text(by_hand[pair[1]].ids[pair[3]]) == " the"
    ]
    assert_same_pairs(found_in(rows), expected[:2])
    assert len(data.get_random_multiples(1, 3, 4, False)) == 4
    assert data.get_distribution(1, 3, " the", False).request.on == key.is_(" the")
