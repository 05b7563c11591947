"""Several heads' rows made by hand, as blocks of several heads and as texts of the oracle."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from hypothesis import strategies as st

from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.blocks import Block
from headtests.measurement.passes.memo import Memo
from headtests.measurement.passes.token_view import BatchTokens
from tests import tiny_models
from tests.measurement.blocks import WORDS, text_of, vocabulary
from tests.oracles import Text

HEADS = (HeadName(0, 0), HeadName(0, 3), HeadName(1, 1))


@dataclass
class Several:
    """The same rows twice: as blocks, and as texts of each head."""

    blocks: list[Block]
    texts: dict[HeadName, list[Text]]
    window: int | None = None
    """The window of layer 1 alone."""


def several(
    seed,
    lengths,
    heads=HEADS,
    bidirectional=False,
    window=None,
    at_once=2,
    together=True,
    ties=True,
    remembered=0,
):
    """Return documents with rows of small weights, so that ties and exact thresholds are many.

    `at_once` documents stand in one block, and with `together` all heads of a layer. `window` is
    that of layer 1 alone. Without `ties`, any two weights differ. Of documents of one length, the
    same seed makes the same rows however they are divided.
    """
    generator = np.random.default_rng(seed)
    words = vocabulary()
    known = [0, *(words.single_id(word) for word in WORDS)]
    documents = tiny_models.documents_of([generator.choice(known, size=n) for n in lengths])
    texts = {
        head: [
            _with_norms(
                _text(generator, document, bidirectional, window if head.layer else None, ties),
                head,
                ties,
            )
            for document in documents
        ]
        for head in heads
    }
    blocks, memory = [], Memo(remembered)
    order = generator.permutation(len(documents)).tolist()
    for start in range(0, len(order), at_once):
        batch = tiny_models.batch_of([documents[i] for i in order[start : start + at_once]])
        for layer in sorted({head.layer for head in heads}):
            named = tuple(head for head in heads if head.layer == layer)
            allowed = _allowed(texts[named[0]][batch.documents[0].id])
            tokens = BatchTokens(batch, allowed, (start, layer), memory)
            for group in [named] if together else [(head,) for head in named]:
                own = [texts[head] for head in group]
                blocks.append(Block(tokens, group, _rows(batch, own), _norms(batch, own)))
    return Several(blocks, texts, window)


def _text(generator, document, bidirectional, window, ties):
    text = Text(document.id, document.ids, (), (), (), bidirectional, window)
    rows = np.zeros((len(document), len(document)), dtype=np.float32)
    for q in range(len(document)):
        keys = text.keys(q)
        count = len(keys)
        weights = generator.integers(0, 4, count) if ties else generator.random(count) ** 4
        weights = weights.astype(np.float32)
        weights[-1] += not weights.any()
        rows[q, keys] = weights / weights.sum()
    return text_of(document, torch.from_numpy(rows), vocabulary(), bidirectional, window)


def _with_norms(text, head, few):
    """Return a text with the norms of values, which are whole numbers where they are few."""
    generator = np.random.default_rng([head.layer, head.index, text.number])
    length = len(text.ids)
    norms = generator.integers(0, 4, length) if few else generator.random(length)
    return replace(text, norms=norms.astype(np.float32).tolist())


def _norms(batch, of_heads):
    norms = torch.zeros((len(of_heads), *batch.ids.shape))
    for place, texts in enumerate(of_heads):
        for row, document in enumerate(batch.documents):
            norms[place, row, : len(document)] = torch.tensor(texts[document.id].norms)
    return norms


def _allowed(text):
    allowed = np.zeros((len(text.ids), len(text.ids)), dtype=np.bool_)
    for q in range(len(text.ids)):
        allowed[q, text.keys(q)] = True
    return allowed


def _rows(batch, of_heads):
    length = batch.ids.shape[1]
    rows = torch.zeros((len(of_heads), len(batch), length, length))
    for place, texts in enumerate(of_heads):
        for row, document in enumerate(batch.documents):
            n = len(document)
            rows[place, row, :n, :n] = torch.tensor(texts[document.id].attention)
    return rows


@st.composite
def drawn(draw, longest=7):
    """Draw documents with several heads' rows, divided into blocks in some way."""
    return several(
        draw(st.integers(0, 10**6)),
        draw(st.lists(st.integers(1, longest), min_size=1, max_size=5)),
        bidirectional=(bidirectional := draw(st.booleans())),
        window=None if bidirectional else draw(st.sampled_from([None, 2, 3])),
        at_once=draw(st.integers(1, 3)),
        together=draw(st.booleans()),
        ties=draw(st.booleans()),
        remembered=draw(st.sampled_from([0, 10**6])),
    )


def read_by(reader, blocks):
    """Return a reader that has read blocks whose rows are then overwritten, as a pass does."""
    for block in blocks:
        rows = block.rows.clone()
        reader.read(Block(block.tokens, block.heads, rows, block.norms))
        rows.fill_(7.0)
    return reader


def listed(found):
    """Return pairs as the oracle gives them: `(multiple, document, query, key)`."""
    columns = (found.multiples, found.documents, found.queries, found.keys)
    return list(zip(*(column.tolist() for column in columns), strict=True))
