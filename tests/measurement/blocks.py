"""Attention rows made by hand, as blocks and as texts of the oracle."""

from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import torch
from hypothesis import strategies as st

from headtests.claims.definitions import RowOptions
from headtests.corpora import Document, Vocabulary
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.token_view import BatchTokens
from headtests.measurement.readers.document_figures import FigureReader
from tests import tiny_models
from tests.oracles import Text

HEAD = HeadName(0, 0)
"""The head whose rows these are."""
WORDS = [" the", ",", " The", "et", " a", "I"]
"""Words of the demo tokenizer, one token each; few, so that they repeat."""


def text_of(document, rows, vocabulary, bidirectional=False, window=None):
    """Return a document with the rows `[query, key]` of one head as the oracle reads it."""
    return Text(
        document.id,
        document.ids.tolist(),
        vocabulary.texts(document.ids),
        vocabulary.is_special(document.ids).tolist(),
        rows[: len(document), : len(document)].tolist(),
        bidirectional,
        window,
    )


def texts_of(blocks, vocabulary, bidirectional=False, window=None):
    """Return the documents of one head's blocks as the oracle reads them."""
    texts = []
    for block in blocks:
        for row, document in enumerate(block.batch.documents):
            text = text_of(document, block.rows[0, row], vocabulary, bidirectional, window)
            norms = () if block.norms is None else block.norms[0, row, : len(document)].tolist()
            texts.append(replace(text, norms=norms))
    return texts


@dataclass
class Measured:
    """The same rows twice: as blocks of two documents, and as texts of the oracle."""

    blocks: list[Block]
    texts: list[Text]
    shown: list = field(repr=True)


@cache
def vocabulary():
    """Return the words of the demo tokenizer."""
    return Vocabulary(tiny_models.demo_tokenizer())


@st.composite
def measured(draw, bidirectional=None, longest=6):
    """Draw documents with rows of small weights, so that ties and exact thresholds are many."""
    words = vocabulary()
    known = [0, *(words.single_id(word) for word in WORDS)]
    documents = tiny_models.documents_of(
        draw(
            st.lists(
                st.lists(st.sampled_from(known), min_size=1, max_size=longest),
                min_size=1,
                max_size=4,
            )
        )
    )
    if bidirectional is None:
        bidirectional = draw(st.booleans())
    window = None if bidirectional else draw(st.sampled_from([None, None, 2, 3]))
    texts, shown = [], []
    for document in documents:
        length = len(document)
        text = Text(document.id, document.ids.tolist(), (), (), (), bidirectional, window)
        rows = np.zeros((length, length), dtype=np.float32)
        for q in range(length):
            keys = text.keys(q)
            weights = draw(
                st.lists(st.integers(0, 3), min_size=len(keys), max_size=len(keys)).filter(any)
            )
            rows[q, keys] = np.array(weights, dtype=np.float32) / np.float32(sum(weights))
        texts.append(text_of(document, torch.from_numpy(rows), words, bidirectional, window))
        shown.append((text.ids, rows.tolist()))
    return Measured(list(_blocks(documents, texts)), texts, shown)


def by_hand(documents, attentions):
    """Return documents of words with the causal rows that are given, `None` for uniform ones."""
    words = vocabulary()
    made = tiny_models.documents_of([[words.single_id(w) for w in row] for row in documents])
    texts = []
    for document, given in zip(made, attentions, strict=True):
        rows = torch.zeros((len(document), len(document)))
        for q in range(len(document)):
            row = [1 / (q + 1)] * (q + 1) if given is None else given[q]
            rows[q, : len(row)] = torch.tensor(row)
        texts.append(text_of(document, rows, words))
    return Measured(list(_blocks(made, texts)), texts, [text.ids for text in texts])


def at_random(seed, lengths, bidirectional=False, window=None, ties=True):
    """Return documents with rows of small weights, so that ties and exact thresholds are many.

    Without `ties`, any two weights differ.
    """
    generator = np.random.default_rng(seed)
    words = vocabulary()
    known = [0, *(words.single_id(word) for word in WORDS)]
    documents = tiny_models.documents_of([generator.choice(known, size=n) for n in lengths])
    texts = []
    for document in documents:
        text = Text(document.id, document.ids, (), (), (), bidirectional, window)
        rows = np.zeros((len(document), len(document)), dtype=np.float32)
        for q in range(len(document)):
            keys = len(text.keys(q))
            weights = generator.integers(0, 4, size=keys) if ties else generator.random(keys) ** 4
            weights = weights.astype(np.float32)
            weights[-1] += not weights.any()
            rows[q, text.keys(q)] = weights / weights.sum()
        texts.append(text_of(document, torch.from_numpy(rows), words, bidirectional, window))
    return Measured(list(_blocks(documents, texts)), texts, [text.ids for text in texts])


def _blocks(documents, texts):
    for start in range(0, len(documents), 2):
        batch = tiny_models.batch_of(documents[start : start + 2])
        length = batch.ids.shape[1]
        rows = torch.zeros((len(batch), length, length))
        for row, document in enumerate(batch.documents):
            text = texts[document.id]
            rows[row, : len(document), : len(document)] = torch.tensor(text.attention)
        longest = texts[batch.documents[0].id]
        yield Block(BatchTokens(batch, allowed_of(longest)), (HEAD,), rows[None])


def alone(text):
    """Return a text as a block of its own."""
    document = Document(text.number, f"text-{text.number}", 0, np.array(text.ids, dtype=np.int32))
    rows = torch.tensor(text.attention)[None, None]
    norms = torch.tensor(text.norms)[None, None] if text.norms else None
    tokens = BatchTokens(tiny_models.batch_of([document]), allowed_of(text))
    return Block(tokens, (HEAD,), rows, norms)


def with_norms(made, few=True):
    """Return the same rows with the norms of values, which are whole numbers where they are few."""

    def norms(text):
        generator = np.random.default_rng(100 + text.number)
        length = len(text.ids)
        found = generator.integers(0, 4, length) if few else generator.random(length) * 3
        return found.astype(np.float32)

    texts = [replace(text, norms=norms(text).tolist()) for text in made.texts]
    blocks = []
    for block in made.blocks:
        of_values = torch.zeros((1, *block.batch.ids.shape))
        for row, document in enumerate(block.batch.documents):
            of_values[0, row, : len(document)] = torch.tensor(texts[document.id].norms)
        blocks.append(Block(block.tokens, block.heads, block.rows, of_values))
    return Measured(blocks, texts, made.shown)


def allowed_of(text):
    """Return the keys of each row of a text, boolean `[query, key]`."""
    length = len(text.ids)
    return np.array([[k in text.keys(q) for k in range(length)] for q in range(length)])


def figures_of(blocks, statistic, options=None, matched=False, places=None, head=HEAD):
    """Return a head's figures of blocks, by default in the order of the documents' ids."""
    places = np.arange(1000) if places is None else places
    options = options or RowOptions(suppress_first_token=True)
    reader = FigureReader(vocabulary(), statistic, options, matched)
    for block in blocks:
        reader.read(block)
    return reader.figures(head, places)
