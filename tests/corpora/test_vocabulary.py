import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from headtests.corpora import Vocabulary
from headtests.errors import ExpressionError

FIXED = settings(derandomize=True, deadline=None)


def said(tokenizer, text):
    return Vocabulary(tokenizer).texts(tokenizer.encode(text, add_special_tokens=False))


def test_a_word_keeps_its_space(demo, llama, unigram):
    assert said(demo, "the on") == ["the", " on"]
    assert said(llama, "the cat") == [" the", " cat"]
    assert " the" in said(unigram, "on the cat")


def test_the_space_alone_is_a_space(llama):
    assert said(llama, "cat  cat") == [" cat", " ", " cat"]


def test_a_space_inside_a_piece_is_a_space():
    pieces = ["<unk>", "\u2581the", "\n\u2581\u2581", "a\u2581b"]
    backend = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], 0, False))
    backend.decoder = decoders.Metaspace()
    vocabulary = Vocabulary(PreTrainedTokenizerFast(tokenizer_object=backend))
    assert vocabulary.texts(range(4)) == ["<unk>", " the", "\n  ", "a b"]


def test_a_wordpiece_keeps_its_mark(bert):
    assert said(bert, "embeddings") == ["em", "##bed", "##ding", "##s"]


def test_text_is_not_cleaned_up(bert):
    assert said(bert, "do n't .") == ["do", "n", "'", "t", "."]


def test_gpt2_says_what_the_literature_prints(gpt2):
    assert said(gpt2, "When Mary and John") == ["When", " Mary", " and", " John"]


def test_a_letter_that_looks_like_a_space_stays_a_letter(bare):
    assert not any(text.startswith(" ") for text in said(bare, "▁x"))


def test_where_the_mark_is_no_space_it_is_shown():
    backend = Tokenizer(models.WordLevel({"[UNK]": 0, "▁x": 1}, unk_token="[UNK]"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]")
    assert Vocabulary(tokenizer).text(1) == "▁x"


def test_bytes_that_are_no_character_are_shown(demo, llama):
    assert said(demo, "☃") == ["\ufffd"] * 3
    assert said(llama, "☃")[-3:] == ["\ufffd"] * 3


def test_special_tokens_are_shown(bert, demo):
    assert Vocabulary(bert).texts(bert("a")["input_ids"]) == ["[CLS]", "a", "[SEP]"]
    assert Vocabulary(demo).text(0) == "<|endoftext|>"


def test_every_id_has_a_text_and_those_beyond_say_that_they_are(tokenizer):
    vocabulary = Vocabulary(tokenizer)
    assert all(isinstance(text, str) for text in vocabulary.texts(range(len(tokenizer))))
    assert vocabulary.text(np.int64(len(tokenizer) + 3)) == f"<id {len(tokenizer) + 3}>"


def test_special_ids_are_those_that_the_tokenizer_calls_special(bert, demo, llama):
    assert Vocabulary(bert).special_ids == {0, 100, 101, 102, 103}
    assert Vocabulary(demo).special_ids == {0}
    turn = llama.convert_tokens_to_ids("<|turn|>")
    assert Vocabulary(llama).special_ids == {0, 1, 2, turn}, "added ones too"


def test_is_special_keeps_the_shape(bert):
    ids = np.array([[101, 1996, 102], [101, 102, 0]])
    expected = [[True, False, True], [True, True, True]]
    assert Vocabulary(bert).is_special(ids).tolist() == expected


def test_ordinary_ids_are_the_others(tokenizer):
    vocabulary = Vocabulary(tokenizer)
    ordinary = set(vocabulary.ordinary_ids.tolist())
    assert not ordinary & vocabulary.special_ids
    assert ordinary | vocabulary.special_ids == set(tokenizer.get_vocab().values())


def test_a_pattern_is_searched_for_in_each_token(demo):
    vocabulary = Vocabulary(demo)
    ids = np.array([demo("The value of x")["input_ids"]])
    expected = [["v" in text for text in vocabulary.texts(ids[0])]]
    assert vocabulary.matching("v", ids).tolist() == expected
    assert any(expected[0])
    assert not all(expected[0])


def test_a_pattern_sees_the_space_of_a_word(llama):
    vocabulary = Vocabulary(llama)
    ids = llama.encode("the cat ran", add_special_tokens=False)
    by_eye = [text.startswith(" ") for text in vocabulary.texts(ids)]
    assert vocabulary.matching(r"^ ", ids).tolist() == by_eye
    assert by_eye[0]


def test_special_tokens_match_by_their_text(bert):
    assert Vocabulary(bert).matching("SEP", [101, 1996, 102]).tolist() == [False, False, True]


def test_a_pattern_is_remembered_rightly_for_later_ids(demo):
    vocabulary = Vocabulary(demo)
    fresh = np.arange(len(demo))
    vocabulary.matching("e", fresh[:10])
    beyond = np.array([5, len(demo) + 7])
    assert vocabulary.matching("e", beyond).tolist() == ["e" in vocabulary.text(5), False]
    assert vocabulary.matching("id", beyond).tolist() == ["id" in vocabulary.text(5), True]
    expected = ["e" in text for text in vocabulary.texts(fresh)]
    assert vocabulary.matching("e", fresh).tolist() == expected


def test_no_ids_match_nothing(demo):
    assert Vocabulary(demo).matching("e", []).shape == (0,)


def test_a_pattern_that_is_none_is_refused(demo):
    with pytest.raises(ExpressionError, match=r"'\(' is no regular expression"):
        Vocabulary(demo).matching("(", [1])


def test_the_id_of_a_text_is_that_of_its_one_token(demo, llama, bert):
    for tokenizer in (demo, llama):
        vocabulary = Vocabulary(tokenizer)
        assert vocabulary.text(vocabulary.single_id(" the")) == " the"
    assert Vocabulary(bert).single_id("the") == 1996
    assert Vocabulary(bert).single_id(" The") == 1996, "as the tokenizer reads it"


def test_the_vocabularys_own_entries_have_an_id(bert, llama, demo):
    assert Vocabulary(bert).single_id("[SEP]") == 102
    assert Vocabulary(bert).single_id("##ing") == bert.convert_tokens_to_ids("##ing")
    assert Vocabulary(llama).single_id("\n") == llama.convert_tokens_to_ids("<0x0A>")
    assert Vocabulary(demo).single_id("<|endoftext|>") == 0


def test_a_piece_inside_a_word_is_not_taken_for_the_word(llama):
    vocabulary = Vocabulary(llama)
    inner, word = llama.convert_tokens_to_ids(["th", "▁the"])
    assert vocabulary.single_id("th") == inner
    assert vocabulary.single_id(" the") == word


@pytest.mark.slow
@pytest.mark.parametrize("token", [" ", "\n", "e", "\x00", "the", " the", "##s", "▁", "Ġ", "Ã"])
def test_an_id_that_is_found_never_says_another_text_but_in_the_tokenizers_spelling(
    tokenizer, token
):
    vocabulary = Vocabulary(tokenizer)
    try:
        found = vocabulary.single_id(token)
    except ExpressionError:
        return
    own_spelling = tokenizer.encode(token, add_special_tokens=False) == [found]
    assert vocabulary.text(found) == token or own_spelling


def test_a_text_of_several_tokens_is_refused_with_its_split(gpt2):
    with pytest.raises(ExpressionError) as caught:
        Vocabulary(gpt2).single_id(" Zyzzyva")
    assert str(caught.value) == (
        'key.is_(" Zyzzyva"): " Zyzzyva" is not one token of this tokenizer; it splits into '
        '" Zy", "zzy", "va". Name one of those, or use key.matches(...).'
    )


def test_a_long_split_is_cut(demo):
    with pytest.raises(ExpressionError, match=r'"z" and 12 more\. Name'):
        Vocabulary(demo).single_id("z" * 20)


def test_the_unknown_token_is_no_texts_but_its_own(bert):
    vocabulary = Vocabulary(bert)
    assert bert.encode("☃", add_special_tokens=False) == [bert.unk_token_id]
    with pytest.raises(ExpressionError, match=r"reads it as the unknown token \[UNK\]"):
        vocabulary.single_id("☃")
    assert vocabulary.single_id("[UNK]") == bert.unk_token_id


@pytest.mark.parametrize("text", ["", "\ud800"])
def test_a_text_of_no_token_is_refused(tokenizer, text):
    with pytest.raises(ExpressionError):
        Vocabulary(tokenizer).single_id(text)


@pytest.mark.slow
@FIXED
@given(st.text(max_size=12))
def test_any_text_has_an_id_or_an_error(demo, bert, text):
    for tokenizer in (demo, bert):
        vocabulary = Vocabulary(tokenizer)
        try:
            found = vocabulary.single_id(text)
        except ExpressionError:
            continue
        assert found != tokenizer.unk_token_id or text == tokenizer.unk_token


def test_the_hash_tells_tokenizers_apart_and_does_not_notice_padding(demo, bare, bert, byt5):
    hashes = [Vocabulary(tokenizer).sha256 for tokenizer in (demo, bare, bert, byt5)]
    assert len(set(hashes)) == 4, "bare differs from demo in its post-processor alone"
    demo(["a", "a b c"], padding=True, truncation=True, max_length=2)
    assert Vocabulary(demo).sha256 == hashes[0]
