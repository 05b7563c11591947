"""The tokens of each class, as GPT-2, sentencepiece and WordPiece tokenizers write them."""

import re
from pathlib import Path

import pytest

from headtests.corpora import Vocabulary
from headtests.expressions.conditions import Matches
from headtests.expressions.library import STOP_WORD, token_classes
from headtests.expressions.nodes import And
from headtests.measurement.masks import Masks
from tests import tiny_models

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
CLASSES = {
    name: expression
    for name in token_classes.__all__
    if isinstance(expression := getattr(token_classes, name), Matches)
    or (isinstance(expression, And) and isinstance(expression.parts[0], Matches))
}


def pattern_of(expression):
    """Return the one pattern of a class."""
    leaf = expression.parts[0] if isinstance(expression, And) else expression
    assert isinstance(leaf, Matches)
    assert leaf.side == "key"
    return leaf.pattern


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        (
            "PUNCTUATION",
            [".", " .", "...", ' "', "()", "_", "__", "##", "$", "\u2014", ".\n", "\u201c", "+"],
            ["a", " a", "a.", "'s", " ", "\n", "\ufffd", "3", "", "[CLS]", "\u00e9", "##s"],
        ),
        ("COMMA", [",", " ,", ',"', "),"[1:]], ["a,", ".", "),", "\uff0c"]),
        (
            "SENTENCE_END",
            [".", " .", "!", "?", "...", '."', ".)", ".\n\n", "!\u201d", "?'", "\u2026", "()."],
            [",", ".a", ".__", "a", '"', "\n", "[SEP]"],
        ),
        ("COLON", [":", " ;", ":\n", "::"], ["a:", "):", ","]),
        ("NEWLINE", ["\n", "\r", "\n    ", ".\n"], [" ", "\t", "n", "\\n"]),
        ("OPENING_BRACKET", ["(", " [", "f(", "({", "()"], [")", "a", "<"]),
        ("CLOSING_BRACKET", [")", " ]", ").", "})", "()"], ["(", "a", ">"]),
        (
            "QUOTE",
            ['"', " '", '."', "'", "\u201c", "\u2019", ' "(', "\u00ab"],
            ["'s", "a", '"a', "`", ".", "n't"],
        ),
        ("CAPITAL", ["The", " The", "I", " A1"], ["the", " the", "iPad", "[CLS]", "<S>", "##A"]),
        ("DIGIT", ["3", " 3", "1st", " 2020", "##4"], ["x1", "third", "##a1", "[unused1]", "-1"]),
        (
            "STOP_WORD",
            ["the", " the", " The", "THE", "of", " i", " by"],
            ["theory", " them.", "##the", "a\u00e9", " cat", "the "],
        ),
        ("UNDERSCORE", ["_", "__", "x_y", " _a"], ["-", "a"]),
        ("OPERATOR", ["+", " ==", "->", " **=", "<", "-", "--"], ["!", "a+", "()", "_", "<s>", ""]),
    ],
)
def test_a_class_has_what_it_says(name, inside, outside):
    search = re.compile(pattern_of(CLASSES[name])).search
    assert [text for text in inside if not search(text)] == []
    assert [text for text in outside if search(text)] == []


def gpt2():
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    folder = SHARED / "gpt2-tokenizer"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent")
    backend = Tokenizer(
        models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    )
    backend.decoder = decoders.ByteLevel()
    end = "<|endoftext|>"
    backend.add_special_tokens([end])
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=end, eos_token=end)


TOKENIZERS = {
    "demo": tiny_models.demo_tokenizer,
    "WordPiece": tiny_models.encoder_tokenizer,
    "GPT-2": gpt2,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", TOKENIZERS)
def test_every_tokenizer_has_tokens_of_every_class_and_no_special_one(kind):
    vocabulary = Vocabulary(TOKENIZERS[kind]())
    absent = {
        # No such word is one of its thousand tokens.
        "demo": {"MONTH", "WEEKDAY"},
        # Uncased, and without line breaks.
        "WordPiece": {
            "CAPITAL",
            "NEWLINE",
            "ALL_CAPITALS",
            "SPACE_BEFORE",
            "WHITE_SPACE",
            "CONTRACTION",
        },
    }.get(kind, set())
    special = sorted(vocabulary.special_ids)
    for name, expression in CLASSES.items():
        found = vocabulary.matching(pattern_of(expression), vocabulary.ordinary_ids)
        assert found.any() == (name not in absent), name
        batch = tiny_models.batch_of(tiny_models.documents_of([special]))
        assert not Masks(batch, vocabulary, False).relation(expression).any(), name


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_the_commonest_words_are_tokens_of_their_class(kind):
    vocabulary = Vocabulary(TOKENIZERS[kind]())
    texts = ["the", "of", "and"] if kind == "WordPiece" else [" the", " of", " and"]
    ids = [vocabulary.single_id(text) for text in texts]
    assert vocabulary.matching(pattern_of(STOP_WORD), ids).all()


def test_there_are_about_sixty_function_words():
    words = re.search(r"\(\?:([a-z|]+)\)", pattern_of(STOP_WORD))[1].split("|")
    assert 55 <= len(words) <= 75
    assert len(set(words)) == len(words)
