"""Texts held in memory: what is accepted, what is refused, and which documents they become."""

import dataclasses
import pickle

import datasets
import numpy as np
import pandas as pd
import pytest

from headtests.corpora import GivenTexts, TokenPolicy, build_population
from headtests.errors import CorpusError

TEXTS = ["the first text is short", "the second one is quite a bit longer than that", "a third"]


@pytest.mark.parametrize(
    "texts",
    [
        TEXTS,
        tuple(TEXTS),
        (text for text in TEXTS),
        pd.Series(TEXTS, index=[7, 8, 9]),
        np.array(TEXTS),
        datasets.Dataset.from_dict({"text": TEXTS})["text"],
    ],
    ids=["list", "tuple", "generator", "pandas", "numpy", "datasets"],
)
def test_anything_that_gives_one_string_after_another_is_texts(texts):
    assert list(GivenTexts.of(texts).texts) == TEXTS


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ("one text", "found one string"),
        ([], "found none"),
        (iter(()), "found none"),
        (["a", None], "item 1, counted from 0, is NoneType: None"),
        (["a", 3, None], "item 1, counted from 0, is int: 3"),
        ([["a", "b"]], r"item 0, counted from 0, is list: \['a', 'b'\]"),
        (["a", float("nan")], "item 1, counted from 0, is float: nan"),
        (b"bytes", "item 0, counted from 0, is int: 98"),
        ([b"x" * 200], r"item 0, counted from 0, is bytes: b'x{72,76}\.\.\."),
        (None, r"found None \(NoneType\)"),
        (5, r"found 5 \(int\)"),
        ({"text": "a"}, "found a dict. Give one of its columns"),
        (pd.DataFrame({"text": TEXTS}), "found a DataFrame. Give one of its columns"),
        (np.array([TEXTS]), "found a ndarray. Give one of its columns"),
        (datasets.Dataset.from_dict({"text": TEXTS}), "item 0, counted from 0, is dict"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_list_of_strings_is_an_error_that_says_what_is(texts, found):
    with pytest.raises(CorpusError, match=found) as caught:
        GivenTexts.of(texts)
    assert "one a text" in str(caught.value), "what to do"


def test_a_text_is_one_document_of_as_many_tokens_as_there_is_room_for(demo):
    spec = GivenTexts.of(TEXTS)
    with build_population(spec, demo, max_length=8) as population:
        policy = TokenPolicy(demo)
        expected = [policy.documents_of(text, 8)[0].tolist() for text in TEXTS]
        assert [document.ids.tolist() for document in population] == expected
        assert [(one.text_id, one.piece) for one in population] == [("0", 0), ("1", 0), ("2", 0)]
        longer = sum(len(policy.documents_of(text, 8)) > 1 for text in TEXTS)
        assert 0 < longer < 3
        assert population.notes == (
            "Texts of which only the beginning is read, since they are longer than max_length: "
            f"{longer}.",
        )
        assert population.description == "all 3 documents of 3 texts given in memory"
        assert population.is_whole
        assert population.sha256 == build_population(spec, demo, max_length=8).sha256
        assert not population.cuts_last_text


def test_texts_without_a_token_are_left_out_and_the_others_keep_their_numbers(bert):
    with build_population(GivenTexts.of(["", "one", " \n", "two"]), bert, max_length=8) as found:
        assert [document.text_id for document in found] == ["1", "3"]
        assert found.notes == (
            "Empty or missing texts left out: 1.",
            "Texts left out because the tokenizer makes no token of them: 1.",
        )
        assert found.is_whole


def test_texts_that_are_all_empty_are_an_error(demo):
    with pytest.raises(CorpusError, match="2 texts given in memory' is empty"):
        build_population(GivenTexts.of(["", ""]), demo, max_length=8)


def test_the_bos_policy_of_the_texts_is_kept(bare):
    always = build_population(GivenTexts.of(["a cat"], bos="always"), bare, max_length=8)
    never = build_population(GivenTexts.of(["a cat"]), bare, max_length=8)
    assert always.ids(0).tolist() == [bare.bos_token_id, *never.ids(0).tolist()]


def test_a_lone_surrogate_is_replaced_and_counted(demo):
    with build_population(GivenTexts.of(["a\ud800b", "c d"]), demo, max_length=8) as population:
        assert population.notes == ("Lone surrogates replaced by U+FFFD: 1.",)


def test_the_same_texts_are_equal_hash_alike_and_print_without_their_words():
    one, same, other = (GivenTexts.of(texts) for texts in (["ab"], ("ab",), ["a", "b"]))
    assert one == same
    assert hash(one) == hash(same)
    assert repr(one) == repr(same)
    assert one != other
    assert one.sha256 != other.sha256
    assert "'ab'" not in repr(one)
    assert one.sha256 in repr(one)
    assert (str(one), other.label) == ("1 text given in memory", "2 texts given in memory")
    assert GivenTexts.of(["\ud800"]).sha256 != GivenTexts.of(["\ufffd"]).sha256


def test_they_cannot_be_changed_and_can_be_pickled():
    texts = GivenTexts.of(TEXTS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        texts.texts = ()
    assert pickle.loads(pickle.dumps(texts)) == texts
