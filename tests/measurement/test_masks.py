"""Expressions evaluate on documents as documented, including special tokens and key 0."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headtests as ht
from headtests import key, query
from headtests.corpora import Vocabulary
from headtests.errors import ExpressionError
from headtests.expressions.relations import key_relation
from headtests.measurement.masks import Masks
from tests import oracles, tiny_models
from tests.oracles import FIRST, LEAVES, ON_KEY, ON_QUERY, Text

FIXED = settings(derandomize=True, deadline=None, max_examples=150)
WORDS = [" the", ",", " The", "et", " a", "I"]
"""Words of the demo tokenizer, one token each; few, so that they repeat."""

both_settings = pytest.mark.parametrize("suppress", [True, False], ids=["suppressed", "plain"])


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary(tiny_models.demo_tokenizer())


def ids_of(words, vocabulary):
    """Return ids of words; None stands for the special token."""
    return [0 if word is None else vocabulary.single_id(word) for word in words]


def text_of(document, vocabulary):
    return Text(
        document.id,
        document.ids.tolist(),
        vocabulary.texts(document.ids),
        vocabulary.is_special(document.ids).tolist(),
    )


def masks_of(rows, vocabulary, suppress):
    batch = tiny_models.batch_of(tiny_models.documents_of(rows))
    return batch, Masks(batch, vocabulary, suppress)


def pairs_in(relation, words, vocabulary, suppress=False):
    """Return the pairs `(query, key)`, key up to query, that a relation has on one document."""
    _, masks = masks_of([ids_of(words, vocabulary)], vocabulary, suppress)
    found = np.tril(masks.relation(relation)[0])
    return {(int(q), int(k)) for q, k in np.argwhere(found)}


def assert_as_said(expression, rows, vocabulary, suppress):
    """Compare a relation with its oracle on every pair of every document."""
    batch, masks = masks_of(rows, vocabulary, suppress)
    found = masks.relation(expression.expression)
    assert found.dtype == np.bool_
    assert found.shape == (*batch.ids.shape, batch.ids.shape[1])
    for row, document in enumerate(batch.documents):
        text = text_of(document, vocabulary)
        for q in range(len(document)):
            for k in range(len(document)):
                assert bool(found[row, q, k]) == expression.holds(text, q, k, suppress), (q, k)


WORD = st.sampled_from([None, *WORDS])
DOCUMENTS = st.lists(st.lists(WORD, min_size=1, max_size=7), min_size=1, max_size=3)


def combined(leaves):
    """Return expressions of these leaves, nested, each with its oracle."""
    return st.recursive(
        leaves,
        lambda parts: (
            st.builds(lambda a, b: a & b, parts, parts)
            | st.builds(lambda a, b: a | b, parts, parts)
            | parts.map(lambda a: ~a)
        ),
        max_leaves=6,
    )


@both_settings
@pytest.mark.parametrize("name", LEAVES)
def test_each_leaf_means_what_it_says(name, suppress, vocabulary):
    rows = [
        ids_of([None, " the", ",", " the", ",", " The", None, " the", " the"], vocabulary),
        ids_of(["et", "et", None, None, "et", "I", "et"], vocabulary),
        ids_of([" a"], vocabulary),
        ids_of(["et", " a", ",", "et", " a", ",", " a", ",", "et", " a", ","], vocabulary),
    ]
    assert_as_said(LEAVES[name], rows, vocabulary, suppress)


@pytest.mark.slow
@FIXED
@given(
    documents=DOCUMENTS,
    expression=combined(st.sampled_from(list(LEAVES.values()))),
    suppress=st.booleans(),
)
def test_nested_expressions_mean_what_they_say(documents, expression, suppress, vocabulary):
    rows = [ids_of(words, vocabulary) for words in documents]
    assert_as_said(expression, rows, vocabulary, suppress)


@pytest.mark.slow
@FIXED
@given(documents=DOCUMENTS, condition=combined(st.sampled_from(list(ON_QUERY.values()))))
def test_conditions_on_rows_mean_what_they_say(documents, condition, vocabulary):
    batch, masks = masks_of(
        [ids_of(words, vocabulary) for words in documents], vocabulary, suppress=True
    )
    found = masks.rows(condition.expression)
    assert found.shape == batch.ids.shape
    for row, document in enumerate(batch.documents):
        text = text_of(document, vocabulary)
        expected = [condition.holds_of_row(text, q) for q in range(len(document))]
        assert found[row, : len(document)].tolist() == expected


def test_induction_and_duplicate_on_a_document_read_by_hand(vocabulary):
    #         0        1     2       3     4        5     6
    words = [" the", "et", " the", " a", " the", "et", " The"]
    assert pairs_in(ht.duplicate, words, vocabulary) == {(2, 0), (4, 0), (4, 2), (5, 1)}
    assert pairs_in(ht.induction, words, vocabulary) == {(2, 1), (4, 1), (4, 3), (5, 2)}
    assert pairs_in(ht.induction.latest, words, vocabulary) == {(2, 1), (4, 3), (5, 2)}
    assert pairs_in(ht.previous & query.repeats, words, vocabulary) == {(2, 1), (4, 3), (5, 4)}


def test_a_token_that_stands_twice_in_a_row_follows_itself(vocabulary):
    assert pairs_in(ht.induction, [" a", "et", "et"], vocabulary) == {(2, 2)}


def test_special_tokens_never_count_as_occurrences(vocabulary):
    #        0     1     2     3     4
    words = [None, "et", None, "et", None]
    assert pairs_in(ht.duplicate, words, vocabulary) == {(3, 1)}
    # The special token at 2 is no occurrence, yet it follows one.
    assert pairs_in(ht.induction, words, vocabulary) == {(3, 2)}
    assert pairs_in(ht.induction.latest, words, vocabulary) == {(3, 2)}
    assert pairs_in(ht.current & key.repeats, words, vocabulary) == {(3, 3)}
    assert pairs_in(ht.current & query.repeats, words, vocabulary) == {(3, 3)}
    assert pairs_in(ht.current & key.special, words, vocabulary) == {(0, 0), (2, 2), (4, 4)}


def test_padding_is_no_occurrence_of_the_padding_id(vocabulary):
    # Padded with the id of an ordinary token, as by a model without a padding token.
    the = vocabulary.single_id(" the")
    documents = tiny_models.documents_of([[the, the, the, the], [the, the]])
    batch = tiny_models.batch_of(documents, pad_id=the)
    masks = Masks(batch, vocabulary, suppress_first_token=False)
    for relation in (ht.duplicate, ht.induction):
        assert not masks.relation(relation)[1, :, 2:].any()
    for relation in (ht.duplicate, ht.induction, ht.induction.latest):
        assert not masks.relation(relation)[1, 2:].any()
    assert np.argwhere(masks.relation(ht.current & key.repeats)[1]).tolist() == [[1, 1]]
    assert not masks.relation(ht.current & key.special).any()


@pytest.mark.parametrize(
    ("relation", "keeps"),
    [
        (ht.first, True),
        (~~ht.first, True),
        (ht.first & query.repeats, True),
        (query.repeats & ht.first, True),
        (ht.previous | ht.first, True),
        (~(~ht.first & ~ht.previous), True),
        ((ht.previous | ht.first) & (query.position >= 1), True),
        (ht.previous, False),
        (~ht.previous, False),
        (~ht.first, False),
        (~~~ht.first, False),
        (key.position == 0, False),
        (key.position < 3, False),
        (ht.offset(-2), False),
        (ht.duplicate, False),
        (~ht.duplicate | ht.previous, False),
        (oracles.same_parity, False),
        (~oracles.same_parity, False),
    ],
    ids=repr,
)
def test_key_0_is_taken_out_of_every_relation_but_first(relation, keeps, vocabulary):
    words = [" the", " the", " the"]
    found = pairs_in(relation, words, vocabulary, suppress=True)
    assert any(k == 0 for _, k in found) == keeps
    plain = pairs_in(relation, words, vocabulary, suppress=False)
    assert {pair for pair in found if pair[1]} == {pair for pair in plain if pair[1]}


def test_key_0_comes_in_by_the_part_that_asks_for_it_alone(vocabulary):
    words = [" the", "et", " the", "et"]
    rows_of_first = {(q, 0) for q in range(4)}
    either = pairs_in(ht.previous | ht.first, words, vocabulary, suppress=True)
    assert either == rows_of_first | {(2, 1), (3, 2)}
    # Key 0 is previous to query 1, and asked for in rows that repeat.
    some = pairs_in(ht.previous | (ht.first & query.repeats), words, vocabulary, suppress=True)
    assert some == {(2, 0), (3, 0), (2, 1), (3, 2)}


def test_to_distribute_and_over_or_changes_nothing(vocabulary):
    words = [" the", "et", " the", "et"]
    even, late = oracles.same_parity, query.position >= 2
    left, right = (ht.first & late) | even, (ht.first & query.special) | (key.position < 2)
    whole = left & right
    spread = (
        (ht.first & late & ht.first & query.special)
        | (ht.first & late & (key.position < 2))
        | (even & ht.first & query.special)
        | (even & (key.position < 2))
    )
    expected = pairs_in(spread, words, vocabulary, suppress=True)
    assert pairs_in(whole, words, vocabulary, suppress=True) == expected


@pytest.mark.slow
@FIXED
@given(documents=DOCUMENTS, expression=combined(st.sampled_from(list(LEAVES.values()))))
def test_twice_denied_is_affirmed(documents, expression, vocabulary):
    rows = [ids_of(words, vocabulary) for words in documents]
    _, masks = masks_of(rows, vocabulary, suppress=True)
    once = masks.relation(expression.expression)
    assert np.array_equal(masks.relation(~~expression.expression), once)


@pytest.mark.slow
@FIXED
@given(documents=DOCUMENTS, expression=combined(st.sampled_from(list(LEAVES.values()))))
def test_suppression_touches_key_0_alone(documents, expression, vocabulary):
    rows = [ids_of(words, vocabulary) for words in documents]
    _, suppressed = masks_of(rows, vocabulary, suppress=True)
    _, plain = masks_of(rows, vocabulary, suppress=False)
    found, whole = (masks.relation(expression.expression) for masks in (suppressed, plain))
    assert np.array_equal(found[:, :, 1:], whole[:, :, 1:])
    assert not (found & ~whole).any()


@both_settings
def test_without_suppression_first_is_a_relation_like_any_other(suppress, vocabulary):
    assert pairs_in(key.position == 0, [" a"] * 3, vocabulary, suppress=False) == {
        (0, 0),
        (1, 0),
        (2, 0),
    }
    assert_as_said(~FIRST, [ids_of([" a", "et", ","], vocabulary)], vocabulary, suppress)


def test_the_last_occurrence_is_the_nearest_of_many(vocabulary):
    generator = np.random.default_rng(0)
    rows = [generator.choice(ids_of([None, *WORDS], vocabulary), size=60).tolist() for _ in "abc"]
    for leaf in ("latest", "query repeats", "key repeats"):
        assert_as_said(LEAVES[leaf], rows, vocabulary, suppress=False)


def test_what_is_evaluated_twice_comes_out_twice(vocabulary):
    """What one leaf works with is kept for the next, and must not be written to."""
    words = [" the", "et", " the", "et", " the"]
    _, masks = masks_of([ids_of(words, vocabulary)], vocabulary, suppress=True)
    for relation in (ht.duplicate, ht.induction, ht.induction.latest, ~ht.duplicate):
        first = masks.relation(relation).copy()
        masks.relation(ht.induction & ~ht.duplicate)
        assert np.array_equal(masks.relation(relation), first)


@pytest.mark.parametrize("distance", [-(10**30), -4, -3, -2, 2, 3, 4, 2**31, 10**30])
def test_a_distance_beyond_the_document_is_no_key(distance, vocabulary):
    words = [" the", "et", ","]
    found = pairs_in(ht.offset(distance) | ht.offset(-distance), words, vocabulary)
    assert found == {(q, k) for q in range(3) for k in range(q + 1) if q - k == abs(distance)}


def test_a_long_prefix_is_compared_as_a_whole(vocabulary):
    generator = np.random.default_rng(0)
    run = generator.choice(ids_of(WORDS, vocabulary), size=12).tolist()
    row = [0, *run, *run[:3], *run, *run[-9:], 0, *run[-5:]]
    _, masks = masks_of([row, row[5:]], vocabulary, suppress=False)
    for length in range(1, 20):
        found = masks.relation(ht.induction.prefix(length))
        for mask, ids in zip(found, [row, row[5:]], strict=True):
            assert {(int(q), int(k)) for q, k in np.argwhere(mask)} == {
                (q, k)
                for q in range(length - 1, len(ids))
                for k in range(length, q + 1)
                if ids[k - length : k] == ids[q - length + 1 : q + 1]
                and 0 not in ids[k - length : k]
            }
    assert not masks.relation(ht.induction.prefix(10**6)).any()


def counted(rows):
    """Return a population's documents in one batch, and its vocabulary, which counts them."""
    documents = tiny_models.documents_of(rows)
    population = tiny_models.population_of(documents)
    return tiny_models.batch_of(documents), population.vocabulary


@both_settings
def test_the_rarest_tokens_are_those_with_the_fewest_occurrences_in_the_corpus(suppress):
    generator = np.random.default_rng(1)
    # Many ties, special tokens anywhere, and a document of special tokens alone.
    rows = [generator.integers(0, 9, size=size).tolist() for size in (1, 2, 7, 15, 30)]
    rows.append([0, 0, 0])
    batch, vocabulary = counted(rows)
    masks = Masks(batch, vocabulary, suppress)
    everything = [id for row in rows for id in row]
    for count in (1, 2, 3, 100):
        rarest, frequent = masks.keys(ht.rarest(count)), masks.keys(ht.most_frequent(count))
        for found, sign in ((rarest, 1), (frequent, -1)):
            for mask, document in zip(found, batch.documents, strict=True):
                ids = document.ids.tolist()
                ordered = sorted(
                    (sign * everything.count(id), k) for k, id in enumerate(ids) if id != 0
                )
                expected = {k for _, k in ordered[:count]}
                assert set(np.flatnonzero(mask).tolist()) == expected
    for relation in (ht.rarest(3), ht.most_frequent(3)):
        expected = masks.keys(relation).copy()
        expected[:, 0] &= not suppress
        assert np.array_equal(masks.relation(relation)[:, -1], expected)


def test_tokens_that_the_corpus_does_not_have_are_the_rarest():
    _, vocabulary = counted([[5, 6, 6, 7]])
    batch = tiny_models.batch_of(tiny_models.documents_of([[6, 900, 5, 1023, 6]]))
    masks = Masks(batch, vocabulary, suppress_first_token=False)
    assert np.flatnonzero(masks.keys(ht.rarest(3))[0]).tolist() == [1, 2, 3]


def test_without_a_corpus_nothing_is_rare(vocabulary):
    _, masks = masks_of([ids_of([" the", "et"], vocabulary)], vocabulary, suppress=True)
    for relation in (ht.rarest(1), ht.most_frequent(1)):
        with pytest.raises(ExpressionError, match=r"ht\.rarest.*Measure on a corpus"):
            masks.relation(relation)


@both_settings
@pytest.mark.parametrize("name", ON_KEY)
def test_a_condition_on_keys_needs_no_row(name, suppress, vocabulary):
    rows = [
        ids_of([None, " the", ",", " the", "et"], vocabulary),
        ids_of([",", " The"], vocabulary),
    ]
    batch, masks = masks_of(rows, vocabulary, suppress)
    condition = ON_KEY[name].expression
    whole = masks.relation(condition & ~key.is_(" a"))
    keys = masks.keys(condition & ~key.is_(" a"))
    assert keys.shape == batch.ids.shape
    assert (whole == whole[:, :1]).all()
    assert np.array_equal(keys[:, 1:], whole[:, 0, 1:])
    assert np.array_equal(keys[:, 0] & (not suppress), whole[:, 0, 0])


def test_a_function_of_keys_is_one_row(vocabulary):
    @key_relation
    def odd(document):
        return document.ids % 2 == 1

    @key_relation
    def square(document):
        return np.zeros((len(document), len(document)), dtype=bool)

    rows = [[3, 4, 5], [7, 8]]
    _, masks = masks_of(rows, vocabulary, suppress=True)
    assert masks.keys(odd).tolist() == [[True, False, True], [True, False, False]]
    assert masks.relation(odd & ht.current)[0].tolist() == np.diag([False, False, True]).tolist()
    assert (ht.current & odd).scope == "pair"
    with pytest.raises(ExpressionError, match=r"\(3, 3\).*square|square.*\(3, 3\)") as caught:
        masks.relation(square)
    assert "[key]" in str(caught.value)
    assert "(3,)" in str(caught.value)


def test_a_function_sees_tokens_ids_and_special_ones(vocabulary):
    seen = []

    @ht.relation
    def looks(document):
        seen.append(document)
        return np.zeros((len(document), len(document)), dtype=bool)

    rows = [ids_of([None, " the", "et"], vocabulary), ids_of([" a"], vocabulary)]
    _, masks = masks_of(rows, vocabulary, suppress=True)
    assert not masks.relation(looks).any()
    first, second = seen
    assert first.tokens == ("<|endoftext|>", " the", "et")
    assert first.ids.tolist() == rows[0]
    assert first.special.tolist() == [True, False, False]
    assert (first.text_id, second.text_id) == ("text-0", "text-1")
    assert (len(first), len(second)) == (3, 1)


@pytest.mark.parametrize(
    ("returned", "found"),
    [
        (lambda length: np.zeros((length, length + 1), dtype=bool), r"\(3, 4\)"),
        (lambda length: np.zeros(length, dtype=bool), r"\(3,\)"),
        (lambda length: np.zeros((length, length)), "float64"),
        (lambda length: np.zeros((length, length), dtype=int), "int64"),
        (lambda length: None, "object"),
        (lambda length: True, r"\(\)"),
    ],
    ids=["too wide", "flat", "floats", "integers", "nothing", "one truth value"],
)
def test_a_function_that_returns_something_else_is_named(returned, found, vocabulary):
    @ht.relation
    def wrong(document):
        return returned(len(document))

    _, masks = masks_of([ids_of([" the", "et", ","], vocabulary)], vocabulary, suppress=True)
    with pytest.raises(ExpressionError, match=found) as caught:
        masks.relation(wrong)
    message = str(caught.value)
    assert "wrong" in message
    assert "document 0" in message
    assert "(3, 3)" in message


def test_a_text_that_is_no_token_says_how_it_splits(vocabulary):
    _, masks = masks_of([ids_of([" the"], vocabulary)], vocabulary, suppress=True)
    for side in (key, query):
        with pytest.raises(ExpressionError, match="splits into"):
            masks.relation(side.is_(" Zyzzyva") & ht.previous)


def test_the_special_tokens_of_an_encoder_are_its_own():
    tokenizer = tiny_models.encoder_tokenizer()
    vocabulary = Vocabulary(tokenizer)
    row = tokenizer("the cat saw the dog")["input_ids"]
    _, masks = masks_of([row], vocabulary, suppress=False)
    assert np.flatnonzero(masks.rows(query.special)[0]).tolist() == [0, len(row) - 1]
    separators = masks.relation(key.is_("[SEP]"))[0]
    assert separators[:, -1].all()
    assert not separators[:, :-1].any()
    # Of a bidirectional model, too, an occurrence is an earlier one.
    assert np.argwhere(masks.relation(ht.duplicate)[0]).tolist() == [[4, 1]]
