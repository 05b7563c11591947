"""Every relation of the library is what a loop over tokens says, for three kinds of vocabulary."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.corpora import Vocabulary
from headtests.expressions.library import LIBRARY
from headtests.measurement.masks import Masks
from tests import tiny_models
from tests.expressions.library.naive import KEYS, PAIRS, Words

FIXED = settings(derandomize=True, deadline=None, max_examples=60)
SPECIAL = "<s>"
ALL_WORDS = """
the The THE He a this em bed def return May may march March Mon monday first 21st 3 12 1,000 who and
not n't 's 't of is would twenty five embedding information nothing he It NASA x_1 mine self an'"""
WORDS = ALL_WORDS.split()
SIGNS = [*",.:;!?-/%$_+(){}[]'\"", "...", '."', ".)", '"(', "])", "((", "->", "//", "--", "\u201c"]
SIGNS += ["\u201d", "\u00ab", "\u00bb", "\u2026", "\u2014", "\u2019", '""', "()", "?!", "\u20ac"]
BLANKS = ["\n", "\n\n", "\n  ", " ", "   ", "\t", ".\n", ",\n", "\r\n", ".\n\n", "\n\nthe"]
PIECES = ["ing", "s", "bed", "ding", "\u00e9", "2"]


@cache
def vocabulary_of(kind):
    """Return a vocabulary of one kind: bytes with spaces, pieces with metaspaces, or WordPiece."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    texts = [*WORDS, *PIECES, *SIGNS]
    if kind == "WordPiece":
        texts = [*(text.lower() for text in texts), *(f"##{text}" for text in [*PIECES, "##", "."])]
    else:
        texts += [*BLANKS, *(f" {text}" for text in [*WORDS, *SIGNS[:20]])]
    texts = list(dict.fromkeys(texts))
    if kind == "bytes":
        spelling = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        pieces = [spelling.pre_tokenize_str(text)[0][0] for text in texts]
        # Each the first of two bytes of a character.
        pieces += ["\u00c3", "\u00c2"]
        known = {SPECIAL: 0, **{piece: id for id, piece in enumerate(pieces, 1)}}
        backend = Tokenizer(models.BPE(known, []))
        backend.decoder = decoders.ByteLevel()
        texts += ["\ufffd"] * 2
    elif kind == "sentencepiece":
        pieces = [SPECIAL, *(text.replace(" ", "\u2581") for text in texts)]
        backend = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], 0, False))
        backend.decoder = decoders.Metaspace()
    else:
        known = {text: id for id, text in enumerate([SPECIAL, *texts])}
        backend = Tokenizer(models.WordPiece(known, unk_token=SPECIAL))
        backend.decoder = decoders.WordPiece()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token=SPECIAL)
    vocabulary = Vocabulary(tokenizer)
    assert vocabulary.texts(range(len(texts) + 1)) == [SPECIAL, *texts]
    # Every fifth is as frequent, so that there are ties.
    counts = np.arange(len(texts) + 1, dtype=np.int64) % 5
    vocabulary.count_tokens = lambda: counts
    return vocabulary


def assert_as_a_loop_says(kind, rows, suppress=False):
    vocabulary = vocabulary_of(kind)
    batch = tiny_models.batch_of(tiny_models.documents_of(rows))
    masks = Masks(batch, vocabulary, suppress)
    for entry in LIBRARY:
        found = masks.relation(entry.relation)
        if entry.relation.scope == "key":
            assert np.array_equal(masks.keys(entry.relation)[:, suppress:], found[:, 0, suppress:])
        for mask, document in zip(found, batch.documents, strict=True):
            ids = document.ids.tolist()
            text = Words(
                tuple(vocabulary.texts(ids)),
                tuple(ids),
                tuple(id == 0 for id in ids),
                tuple(vocabulary.occurrences(ids).tolist()),
            )
            assert_mask(entry, mask, text, suppress)


def assert_mask(entry, mask, text, suppress):
    length = len(text)
    if entry.name in KEYS:
        expected = {
            (q, k)
            for k in range(suppress, length)
            if KEYS[entry.name](text, k)
            for q in range(length)
        }
    else:
        holds = PAIRS[entry.name]
        expected = {
            (q, k) for q in range(length) for k in range(suppress, length) if holds(text, q, k)
        }
    found = {(int(q), int(k)) for q, k in np.argwhere(mask[:length, :length])}
    assert found == expected, (entry.name, text.tokens)


KINDS = ["bytes", "sentencepiece", "WordPiece"]


def test_every_entry_has_its_loop_and_no_other():
    names = {entry.name for entry in LIBRARY}
    assert names == KEYS.keys() | PAIRS.keys()
    assert not KEYS.keys() & PAIRS.keys()
    assert len(names) >= 80
    for entry in LIBRARY:
        assert (entry.name in KEYS) == (entry.relation.scope == "key"), entry.name


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_each_token_alone_and_after_the_special_one(kind):
    """Every token of the vocabulary is of its classes, and a document may be one token."""
    rows = [[id] for id in range(1 + len(vocabulary_of(kind).ordinary_ids))]
    assert_as_a_loop_says(kind, [*rows, list(range(len(rows)))[:40]])


TEXTS = {
    "bytes": [
        '<s>|The|\n|The|.| "|this| em|bed|ding|.|"| It|,| who| may|\n\n| (|the|[|12|]|)| the',
        "<s>|the|\n|   |\n|a|.|<s>|.|)|the|\n  |an'| is| The|.\n\n|this",
        '\u201c|a|"|the|\u201d|the|\n\n|"|a| a|\n\n|the|"|a|"|\u00ab|2|\u00bb',
        " the|THE|the| The| the|\ufffd|\ufffd|a| the|\n|the",
        " em|bed|ding| em|bed|s| em|bed|ding",
    ],
    "sentencepiece": [
        "<s>| He|the| (| x_1|,| and|)|.| It| is|\n| March|\n| first|.\n\n| self| of| The",
        '"|(|the|[|a|}|)|s|]|)|(|"|<s>|the',
    ],
    "WordPiece": [
        '<s>|the|em|##bed|##ding|.|##s|##ing|"|who|?|"|<s>|##s|may|-|the|em|##bed',
        "(|he|[|12|)|]|x_1|(|a|)|he",
    ],
}


@pytest.mark.parametrize("suppress", [True, False], ids=["suppressed", "plain"])
@pytest.mark.parametrize("kind", KINDS)
def test_texts_that_were_picked_by_hand(kind, suppress):
    texts = ["<s>", *vocabulary_of(kind).texts(vocabulary_of(kind).ordinary_ids)]
    rows = [[texts.index(token) for token in text.split("|")] for text in TEXTS[kind]]
    assert_as_a_loop_says(kind, rows, suppress)


def test_parts_of_characters_resemble_themselves_alone():
    one = int(vocabulary_of("bytes").ordinary_ids[-1])
    vocabulary = vocabulary_of("bytes")
    assert vocabulary.texts([one - 1, one]) == ["\ufffd"] * 2
    assert_as_a_loop_says("bytes", [[one, one - 1, one, one, one - 1, 1, one]])


def test_every_relation_holds_for_a_pair_and_not_for_another():
    vocabulary = vocabulary_of("bytes")
    texts = ["<s>", *vocabulary.texts(vocabulary.ordinary_ids)]
    rows = [[texts.index(token) for token in text.split("|")] for text in TEXTS["bytes"]]
    rows.append(list(range(len(texts))))
    masks = Masks(tiny_models.batch_of(tiny_models.documents_of(rows)), vocabulary, False)
    for entry in LIBRARY:
        mask = masks.relation(entry.relation)
        assert mask.any(), entry.name
        assert not mask.all(), entry.name


@st.composite
def documents(draw, kind):
    """Draw documents of few different tokens, so that they repeat; special ones anywhere."""
    ordinary = vocabulary_of(kind).ordinary_ids.tolist()
    few = draw(st.lists(st.sampled_from(ordinary), min_size=1, max_size=8))
    token = st.sampled_from([*few, *few, 0])
    return draw(st.lists(st.lists(token, min_size=1, max_size=12), min_size=1, max_size=2))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@FIXED
@given(data=st.data())
def test_any_documents(kind, data):
    assert_as_a_loop_says(kind, data.draw(documents(kind)))
