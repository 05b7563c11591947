import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headtests.corpora import TokenPolicy, replace_lone_surrogates
from headtests.errors import SettingError

FIXED = settings(derandomize=True, deadline=None)

HOSTILE = [
    "\x00\x01\x07\x1b[31m\x7f",
    "\u05e9\u05dc\u05d5\u05dd \u202e\u05e2\u05d5\u05dc\u05dd\u202c \u0645\u0631\u062d\u0628\u0627",
    "<script>alert('x')</script>",
    "a\ud800b\udfffc",
    "e\u0301\u200d👩\u200d👩\u200d👧 ☃",
    "<|endoftext|>in the<|endoftext|> middle [SEP] [CLS] <s>",
    "\ufeff\r\n\t \u2028",
]
texts = st.one_of(
    st.text(st.characters(exclude_categories=[])),
    st.lists(st.sampled_from([*HOSTILE, "the cat ", "<|endoftext|>", "[CLS]"])).map("".join),
)
"""Any text at all, lone surrogates and special tokens' spellings among it."""


def leading(ids, token_id):
    count = 0
    while count < len(ids) and ids[count] == token_id:
        count += 1
    return count


@pytest.mark.parametrize(
    ("name", "bos", "prefix", "suffix", "effect"),
    [
        ("demo", "model", (0,), (), "<|endoftext|> before each document"),
        ("demo", "always", (0,), (), "<|endoftext|> before each document"),
        ("demo", "never", (), (), "nothing is added"),
        ("bare", "model", (), (), "nothing is added"),
        ("bare", "always", (0,), (), "<|endoftext|> before each document"),
        ("bert", "model", (101,), (102,), "[CLS] before and [SEP] after each document"),
        ("bert", "always", (101,), (102,), "[CLS] before and [SEP] after each document"),
        ("bert", "never", (), (), "nothing is added"),
        ("byt5", "model", (), (1,), "</s> after each document"),
        ("llama", "model", (1,), (), "<s> before each document"),
        ("llama", "always", (1,), (), "<s> before each document"),
        ("unigram", "model", (), (), "nothing is added"),
    ],
)
def test_a_policy_adds_what_it_says(request, name, bos, prefix, suffix, effect):
    policy = TokenPolicy(request.getfixturevalue(name), bos)
    assert (policy.bos, policy.prefix, policy.suffix) == (bos, prefix, suffix)
    assert policy.effect == effect
    document = policy.documents_of("the cat", 64)[0].tolist()
    assert document == [*prefix, *policy.encode("the cat"), *suffix]


def test_model_is_what_the_tokenizer_does_by_itself(tokenizer):
    expected = tokenizer("the cat on the mat")["input_ids"]
    assert TokenPolicy(tokenizer).documents_of("the cat on the mat", 99)[0].tolist() == expected


@pytest.mark.parametrize("name", ["byt5", "unigram"])
def test_always_without_a_bos_is_refused(request, name):
    with pytest.raises(SettingError, match=r'no BOS and no CLS .* bos="model"'):
        TokenPolicy(request.getfixturevalue(name), "always")


def test_a_text_is_cut_and_its_short_end_kept(demo):
    policy = TokenPolicy(demo)
    ids = policy.encode("one two three four five six seven")
    documents = policy.documents_of("one two three four five six seven", 5)
    assert [len(document) for document in documents[:-1]] == [5] * (len(documents) - 1)
    assert len(documents[-1]) == 1 + (len(ids) % 4 or 4)
    assert [token for document in documents for token in document[1:]] == ids
    assert documents[0].dtype == np.int32


def test_an_empty_text_has_no_document(tokenizer):
    assert TokenPolicy(tokenizer).documents_of("", 8) == []


@pytest.mark.slow
@FIXED
@given(text=texts, max_length=st.integers(3, 20))
@example(text="".join(HOSTILE), max_length=3)
def test_the_pieces_are_the_whole_texts_ids(demo, bert, bare, text, max_length):
    readable, _ = replace_lone_surrogates(text)
    for tokenizer in (demo, bert, bare):
        whole = tokenizer(readable, add_special_tokens=False, verbose=False)["input_ids"]
        never = TokenPolicy(tokenizer, "never").documents_of(text, max_length)
        assert [token for document in never for token in document.tolist()] == whole
        for bos in ("model", "always"):
            policy = TokenPolicy(tokenizer, bos)
            documents = policy.documents_of(text, max_length)
            room = max_length - len(policy.prefix) - len(policy.suffix)
            assert len(documents) == -(-len(whole) // room)
            for number, document in enumerate(documents):
                piece = whole[number * room : (number + 1) * room]
                ids = document.tolist()
                assert len(ids) <= max_length
                assert ids[: len(policy.prefix)] == list(policy.prefix)
                assert ids[len(ids) - len(policy.suffix) - len(piece) :] == [
                    *piece,
                    *policy.suffix,
                ]


@pytest.mark.slow
@FIXED
@given(text=texts, max_length=st.integers(3, 20))
@example(text="<|endoftext|>x", max_length=9)
@example(text="[CLS]x", max_length=9)
def test_bos_is_never_doubled(demo, bert, bare, text, max_length):
    for tokenizer, begin in ((demo, 0), (bare, 0), (bert, 101)):
        for bos in ("model", "always", "never"):
            policy = TokenPolicy(tokenizer, bos)
            room = max_length - len(policy.prefix) - len(policy.suffix)
            whole = policy.encode(text)
            for number, document in enumerate(policy.documents_of(text, max_length)):
                own = leading(whole[number * room : (number + 1) * room], begin)
                assert leading(document, begin) == max(own, len(policy.prefix))


def test_a_text_that_begins_with_bos_gets_no_second(demo):
    document = TokenPolicy(demo).documents_of("<|endoftext|>the", 8)[0]
    assert document.tolist() == [0, *TokenPolicy(demo).encode("the")]


def test_max_length_without_room_for_a_token_is_refused(bert, demo):
    with pytest.raises(
        SettingError, match=r"max_length is 2, but \[CLS\] .* takes 2 of it: expected 3 or more"
    ):
        TokenPolicy(bert).documents_of("a", 2)
    assert len(TokenPolicy(bert).documents_of("a a", 3)) == 2
    with pytest.raises(SettingError, match="expected 2 or more"):
        TokenPolicy(demo).documents_of("a", 1)


def test_a_long_text_is_tokenised_whole_without_a_warning(demo, monkeypatch):
    warned = []
    # Said once a tokenizer, so that an earlier test's warning would hide this one's.
    monkeypatch.setattr(demo, "deprecation_warnings", {})
    monkeypatch.setattr(
        "transformers.tokenization_utils_base.logger.warning", lambda *said: warned.append(said)
    )
    assert demo.model_max_length == 128
    documents = TokenPolicy(demo).documents_of("word " * 1000, 64)
    assert sum(map(len, documents)) > 1000
    assert warned == []
    demo("word " * 1000)
    assert warned, "the warning that this test is about"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_pass_unchanged_but_for_surrogates(demo, text):
    ids = TokenPolicy(demo, "never").documents_of(text, 10_000)[0]
    assert demo.decode(ids.tolist()) == replace_lone_surrogates(text)[0]


def test_each_lone_surrogate_is_replaced_and_counted():
    assert replace_lone_surrogates("a\ud800b\udfff\udfff") == ("a\ufffdb\ufffd\ufffd", 3)
    assert replace_lone_surrogates("😀") == ("😀", 0)
