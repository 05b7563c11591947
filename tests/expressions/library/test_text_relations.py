"""Relations of a document's text: examples, and comparison with loops over characters."""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtests.corpora import Vocabulary
from headtests.expressions.library import (
    bracket_partner,
    last_4,
    last_8,
    last_16,
    line_start,
    same_sentence,
    same_word,
    sentence_start,
    word_continuation,
    word_start,
)
from headtests.measurement.masks import Masks
from tests import tiny_models

FIXED = settings(derandomize=True, deadline=None, max_examples=300)
SPECIAL = ["<|endoftext|>", "[CLS]", "[SEP]", "<s>", "PAD", "<end of turn>", "<(>"]
OF_KEYS = [line_start, sentence_start, word_start, word_continuation]
OF_PAIRS = [bracket_partner, last_4, last_8, last_16, same_sentence, same_word]


@dataclass(frozen=True)
class Words:
    """A document of these tokens."""

    tokens: tuple[str, ...]

    @cached_property
    def special(self):
        return np.array([token in SPECIAL for token in self.tokens], dtype=bool)

    @cached_property
    def ids(self):
        known = sorted(set(self.tokens))
        return np.array([known.index(token) for token in self.tokens], dtype=np.int32)

    def of_texts(self, function):
        return np.array([function(token) for token in self.tokens], dtype=np.int64)

    def fact(self, find):
        return find(self)

    def __len__(self):
        return len(self.tokens)


def pairs(relation, tokens):
    """Return the pairs `(query, key)` of a relation, on tokens or on a text split at "|"."""
    document = Words(tuple(tokens.split("|") if isinstance(tokens, str) else tokens))
    found = relation.function(document)
    assert found.dtype == np.bool_
    if relation.scope == "key":
        assert found.shape == (len(document),)
        found = np.tile(found, (len(document), 1))
    assert found.shape == (len(document), len(document))
    return {(int(q), int(k)) for q, k in np.argwhere(found)}


def keys(relation, tokens):
    """Return the keys of a relation that is of keys alone, in order."""
    found = pairs(relation, tokens)
    count = len(tokens.split("|") if isinstance(tokens, str) else tokens)
    chosen = sorted({k for _, k in found})
    assert found == {(q, k) for q in range(count) for k in chosen}
    return chosen


@pytest.mark.parametrize(
    ("tokens", "starts"),
    [
        (["<s>", "One", "\n", "two", " 2", "\r\n", "three"], [1, 3, 6]),
        (["One", ".\n", "\n", "two"], [0, 2, 3]),
        # The first line's indentation belongs to the line break, or stands as its first token.
        (["if", ":\n    ", "go", "\n", "  ", " on"], [0, 2, 4]),
        (["a", "\n", "<s>", "b", "<s>", "c", "\n"], [0, 3]),
        (["<s>", "<s>"], []),
        (["a", "\r", "b", "\u2028", "c"], [0, 2]),
    ],
)
def test_a_line_starts_after_a_line_break(tokens, starts):
    assert keys(line_start, tokens) == starts


@pytest.mark.parametrize(
    ("tokens", "starts"),
    [
        ("[CLS]|he|left|.|she|did|not|!|?|why|[SEP]", [1, 4, 9]),
        ("He| left|.| She| did| not|...| Why", [0, 3, 7]),
        # What closes after the end belongs to the sentence before.
        ('He| said|:| "|Go|."| She', [0, 6]),
        ('He| said|:| "|Go|.|"| She', [0, 7]),
        ("(|He| left|.|)| She| (|she|.)| So", [0, 5, 9]),
        ("he|said|\u201c|go|.|\u201d|she", [0, 6]),
        # A straight quote with a space in front opens the next one.
        ('He| left|.| "|Go|!"', [0, 3]),
        ('He| left|.|\n|"|Go|!"', [0, 4]),
        ('"|Go|!"', [0]),
        (["He", " left", ".", "\n", "\n", "She"], [0, 5]),
        (["<s>", "A", ".", "<s>", "B"], [1, 4]),
        (["x", "<s>", "y"], [0]),
        ("Mr|.| Smith| has| 3|.|14|\u2026| Ha", [0, 2, 6, 8]),
        ("a|).|b|?|).|c", [0, 2, 5]),
        ("<s>", []),
    ],
)
def test_a_sentence_starts_after_what_ends_one(tokens, starts):
    assert keys(sentence_start, tokens) == starts


def test_tokens_of_one_sentence_are_each_others():
    #         0    1    2      3 4     5      6   7
    tokens = '<s>|He| left|.|"| She| did|<s>'
    first, second = {1, 2, 3, 4}, {5, 6}
    expected = {(q, k) for part in (first, second) for q in part for k in part}
    assert pairs(same_sentence, tokens) == expected


@pytest.mark.parametrize(
    ("tokens", "starts", "continuations"),
    [
        ("<s>|The| em|bed|ding|s| are| 3|D|.", [1, 2, 6, 7], [3, 4, 5, 8]),
        # A sign or a space between makes two words of it.
        (" it|_|was| f|(|x|)| co|-|op|\n|no", [0, 2, 3, 5, 7, 9, 11], []),
        (" don|'t| \u00fc|ber| \ufffd|\ufffd|ne", [0, 1, 2, 4], [3, 5, 6]),
        ("\u0928| |\u093f|\u0915|\u093e", [0, 2], [3, 4]),
        (" (x|y| z", [0, 2], [1]),
        (" a|<s>|b", [0, 2], []),
        (" a|PAD|b", [0, 2], []),
        (" a.|b|c", [0, 1], [2]),
        (" a|## |b", [0, 2], []),
        # WordPiece: no token has a space, and pieces say what they are.
        ("[CLS]|the|em|##bed|##ding|##s|are|3|##d|.|[SEP]", [1, 2, 6, 7], [3, 4, 5, 8]),
        ("the|cat|sat", [0, 1, 2], []),
        ("<end of turn>|the|cat", [1, 2], []),
        ("[CLS]|##ing|##s", [1], [2]),
        ("#|##|#|a", [3], []),
    ],
)
def test_a_word_is_letters_and_digits_in_a_row(tokens, starts, continuations):
    assert keys(word_start, tokens) == starts
    assert keys(word_continuation, tokens) == continuations


def test_pieces_of_one_word_are_each_others_and_not_their_own():
    tokens = "The| em|bed|ding|s| of|.|[CLS]"
    expected = {(q, k) for q in range(1, 5) for k in range(1, 5) if q != k}
    assert pairs(same_word, tokens) == expected
    assert pairs(same_word, "[CLS]|the|em|##bed|.|em|##bed") == {(2, 3), (3, 2), (5, 6), (6, 5)}


@pytest.mark.parametrize(
    ("tokens", "partners"),
    [
        ("f|(|x|)", {(3, 1)}),
        ("f|(|g|[|0|]|,| {|}|)", {(5, 3), (8, 7), (9, 1)}),
        # Several in one token, on either side.
        (" ((|a|)|b|)", {(2, 0), (4, 0)}),
        (" (|a|(|b|))", {(4, 2), (4, 0)}),
        ("([|a|])", {(2, 0)}),
        ("f|(|)|(|)", {(2, 1), (4, 3)}),
        # Opened and closed within a token: its own matter.
        ("(|a|()|b|)", {(4, 0)}),
        ("(|a|)(|b|)", {(2, 0), (4, 2)}),
        # Of another kind, or none to close.
        ("(|[|a|)|]", {(3, 0)}),
        ("(|a|]|)", {(3, 0)}),
        (")|(|a", set()),
        # Those of special tokens are no brackets.
        ("[CLS]|(|[SEP]|)|]", {(3, 1)}),
        ("(|<(>|)", {(2, 0)}),
    ],
)
def test_a_closing_bracket_looks_at_what_it_closes(tokens, partners):
    assert pairs(bracket_partner, tokens) == partners


@pytest.mark.parametrize(("relation", "count"), [(last_4, 4), (last_8, 8), (last_16, 16)])
def test_the_last_tokens_leave_out_the_query(relation, count):
    length = 40
    expected = {(q, k) for q in range(length) for k in range(length) if 1 <= q - k <= count}
    assert pairs(relation, ["a"] * length) == expected


PIECES = [" the", "the", "ing", "\u00e9", "3", ",", ".", "'", " ", "\n", " \n  ", "_", " (", "<s>"]
DOCUMENTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=12)


@pytest.mark.slow
@FIXED
@given(DOCUMENTS.filter(lambda tokens: any(" " in token for token in tokens)))
def test_words_are_those_that_a_pattern_finds_in_the_whole_text(tokens):
    pieces = ["\0" if token in SPECIAL else token for token in tokens]
    owner = [place for place, piece in enumerate(pieces) for _ in piece]
    words = [
        sorted({owner[index] for index in range(*found.span())})
        for found in re.finditer(r"[^\W_]+", "".join(pieces))
    ]
    assert keys(word_start, tokens) == [word[0] for word in words]
    assert keys(word_continuation, tokens) == [place for word in words for place in word[1:]]
    assert pairs(same_word, tokens) == {
        (q, k) for word in words for q in word for k in word if q != k
    }


@pytest.mark.slow
@FIXED
@given(DOCUMENTS)
def test_lines_and_sentences_are_those_of_a_loop(tokens):
    lines, sentences, line, sentence = [], [], True, True
    for place, token in enumerate(tokens):
        if token in SPECIAL:
            continue
        before = [other for other in tokens[:place] if other not in SPECIAL][-1:]
        if line:
            lines.append(place)
        line = token.strip(" ").endswith("\n")
        opens = token == "'" and (not before or before[0] in (" ", "\n", " \n  "))
        if token == ".":
            sentence = True
        elif not token.isspace() and (token != "'" or opens):
            if sentence:
                sentences.append(place)
            sentence = False
    assert keys(line_start, tokens) == lines
    # A document that begins with a full stop has no first token before it.
    assert keys(sentence_start, tokens) == sentences


@pytest.mark.slow
@FIXED
@given(st.lists(st.sampled_from("([{}])a"), max_size=14))
def test_partners_are_the_nearest_with_a_balanced_text_between(tokens):
    def is_balanced(text):
        while text != (text := re.sub(r"a|\(\)|\[\]|\{\}", "", text)):
            pass
        return not text

    document, kinds = "".join(tokens), {")": "(", "]": "[", "}": "{"}
    balanced = {
        (q, k)
        for q in range(len(document))
        for k in range(q)
        if kinds.get(document[q]) == document[k] and is_balanced(document[k + 1 : q])
    }
    found = pairs(bracket_partner, tokens) if tokens else set()
    # All of these, and in a text that is not balanced others, each closed once at most.
    assert balanced <= found
    assert all(kinds[document[q]] == document[k] for q, k in found)
    assert len({k for _, k in found}) == len({q for q, _ in found}) == len(found)
    if is_balanced(document):
        assert found == balanced


@pytest.mark.parametrize("relation", [*OF_KEYS, *OF_PAIRS], ids=repr)
def test_special_tokens_alone_are_of_nothing_but_a_distance(relation):
    found = pairs(relation, ["[CLS]", "<s>", "[SEP]"])
    assert found == (pairs(last_4, ["a"] * 3) if relation in (last_4, last_8, last_16) else set())


TEXT = 'He said: "Go (now)."\n    She did. x_1 = f(a[2])'


def said(tokenizer, relation):
    """Return the texts of the keys of a relation on one text, through the evaluator."""
    vocabulary = Vocabulary(tokenizer)
    batch = tiny_models.batch_of(tiny_models.documents_of([tokenizer(TEXT)["input_ids"]]))
    mask = Masks(batch, vocabulary, suppress_first_token=False).relation(relation)[0]
    return [vocabulary.text(batch.documents[0].ids[k]) for k in np.flatnonzero(mask.any(axis=0))]


def test_on_a_tokenizer_whose_words_have_spaces():
    tokenizer = tiny_models.demo_tokenizer()
    assert said(tokenizer, line_start) == ["H", " S"]
    assert said(tokenizer, sentence_start) == ["H", " S", " x"]
    assert said(tokenizer, bracket_partner) == [" (", "(", "["]
    starts = said(tokenizer, word_start)
    assert [text.strip()[0] for text in starts] == list("HsGnSdx1fa2")


def test_on_a_tokenizer_whose_pieces_have_marks():
    tokenizer = tiny_models.encoder_tokenizer()
    assert said(tokenizer, line_start) == ["he"]
    assert said(tokenizer, sentence_start) == ["he", "she", "x"]
    assert said(tokenizer, bracket_partner) == ["(", "(", "["]
    assert said(tokenizer, word_continuation) == []
    assert len(said(tokenizer, word_start)) == 11
