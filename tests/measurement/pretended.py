"""A fake model whose rows a test can compute, and whose memory runs out where a test says."""

from collections import Counter

import torch

from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.runner import DocumentPass
from headtests.models.row_reading import Portion
from headtests.settings import ModelSpec, Settings

HEAD, OTHER, UNANNOUNCED = HeadName(0, 0), HeadName(1, 2), HeadName(2, 1)


class Model:
    """A causal model whose rows depend on the head and the document alone.

    It gives them as a model does: layer by layer, a few documents and a few heads at once, in a
    buffer that is overwritten, and each portion's heads once.
    """

    spec = ModelSpec("made-up")
    device = torch.device("cpu")
    pad_id = 0

    def __init__(self, documents=3, heads=2):
        self.documents = documents
        """Documents of a portion."""
        self.heads = heads
        """Heads of a block."""
        self.calls = []
        """The document ids of each call that was completed."""
        self.tried = []
        """The number of documents of each call, including failed calls."""
        self.asked = []
        """The heads of each call."""
        self.with_values = []
        """Whether each call was asked for values."""
        self.given = 0
        """How many blocks were given."""
        self.fails = lambda documents: None
        """A function that may raise before a call gives rows."""
        self.fails_at = lambda given, documents: None
        """A function that may raise before a block is given; takes the number of blocks so far."""

    def attendable(self, valid, layer):
        length = valid.shape[1]
        causal = torch.ones((length, length), dtype=torch.bool).tril()
        return causal & valid[:, :, None] & valid[:, None, :]

    def try_batch(self, batch, heads):
        return ""

    def portions(self, batch):
        starts = range(0, len(batch), self.documents)
        return [Portion(start, min(len(batch), start + self.documents)) for start in starts]

    def require_values(self, layer):
        pass

    def read(self, batch, heads, portions, give, give_values=None):
        self.with_values.append(give_values is not None)
        self.tried.append(len(batch))
        self.asked.append(tuple(heads))
        self.fails(batch.documents)
        for layer in sorted({head.layer for head in heads}):
            for portion in portions:
                documents = batch.documents[portion.start : portion.stop]
                named = [head for head in heads if head.layer == layer]
                wanted = [head for head in named if head not in portion.read]
                for first in range(0, len(wanted), self.heads):
                    group = tuple(wanted[first : first + self.heads])
                    self.fails_at(self.given, batch.documents)
                    rows = stacked(group, documents)
                    if give_values is not None:
                        give_values(group, portion, stacked_norms(group, documents))
                    give(group, portion, rows)
                    self.given += 1
                    portion.read.update(group)
                    rows.fill_(7.0)
        self.calls.append([document.id for document in batch.documents])

    def rows(self, batch, heads):
        length = batch.ids.shape[1]
        result = torch.zeros((len(heads), len(batch), length, length))

        def keep(given, portion, rows):
            for head, part in zip(given, rows, strict=True):
                longest = rows.shape[-1]
                documents = slice(portion.start, portion.stop)
                result[list(heads).index(head), documents, :longest, :longest] = part

        self.read(batch, heads, self.portions(batch), keep)
        return result

    @property
    def run(self):
        """The ids of all documents that ran, in order."""
        return [number for call in self.calls for number in call]


def stacked(heads, documents):
    """Return the rows of heads on documents, `[head, document, query, key]`."""
    length = max(len(document) for document in documents)
    rows = torch.zeros((len(heads), len(documents), length, length))
    for place, head in enumerate(heads):
        for row, document in enumerate(documents):
            rows[place, row, : len(document), : len(document)] = expected(head, document)
    return rows


def stacked_norms(heads, documents):
    """Return the norms of the values of heads on documents, `[head, document, key]`."""
    norms = torch.zeros((len(heads), len(documents), max(map(len, documents))))
    for place, head in enumerate(heads):
        for row, document in enumerate(documents):
            norms[place, row, : len(document)] = expected_norms(head, document)
    return norms


def expected_norms(head, document):
    """Return the norms `[key]` of the values of a head on a document; two heads share a value."""
    seed = document.id * 1000 + head.layer * 10 + head.index // 2
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(len(document), generator=generator)


def expected(head, document):
    """Return the rows `[query, key]` of a head on a document."""
    seed = document.id * 100 + head.layer * 10 + head.index
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand((len(document), len(document)), generator=generator).tril() + 1e-3
    scores = scores.tril()
    return scores / scores.sum(-1, keepdim=True)


class Witness:
    """A reader that checks every block and counts what it was given."""

    def __init__(self, fails=lambda read: None, values=False):
        self.values = values
        """Whether blocks have the norms of values."""
        self.given = Counter()
        """How often each head's rows on each document came."""
        self.read_at_all = 0
        self._fails = fails

    def read(self, block):
        self._fails(self.read_at_all)
        self.read_at_all += 1
        assert block.rows.is_contiguous()
        assert torch.equal(block.rows, stacked(block.heads, block.batch.documents))
        if self.values:
            assert torch.equal(block.norms, stacked_norms(block.heads, block.batch.documents))
        else:
            assert block.norms is None
        for head in block.heads:
            self.given.update((head, document.id) for document in block.batch.documents)


def sweep_of(model, population, *heads, progress=None, **settings):
    """Return a pass with these heads announced."""
    return DocumentPass(model, population, heads, Settings(**settings), progress)


def rows_of(document_pass, head=HEAD, start=0, stop=None, by_text=False):
    """Return each document's rows by its id, after checking each block."""
    found = {}
    for block in document_pass.blocks(head, start, stop, by_text):
        attendable = document_pass.model.attendable(block.batch.valid, head.layer)
        assert torch.equal(torch.from_numpy(block.tokens.attendable.copy()), attendable)
        assert block.tokens.counts.tolist() == attendable.sum(-1).clamp(min=1).tolist()
        assert block.heads == (head,)
        for row, document in enumerate(block.batch.documents):
            assert document.id not in found
            length = len(document)
            inside = block.rows[0, row, :length, :length]
            assert int((block.rows[0, row] != 0).sum()) == int((inside != 0).sum())
            found[document.id] = inside.clone()
    return found


def assert_right(found, population, head=HEAD, documents=None):
    """Fail unless these are the rows of `documents` documents, or of all of them."""
    assert len(found) == (len(population) if documents is None else documents)
    for number, rows in found.items():
        assert torch.equal(rows, expected(head, population[number]))


class Log:
    """Progress that records its calls."""

    def __init__(self):
        self.events = []

    def start(self, documents):
        self.events.append(("start", documents))

    def advance(self, documents, tokens):
        self.events.append(("advance", documents, tokens))

    def finish(self):
        self.events.append(("finish",))

    @property
    def starts(self):
        """The number of documents of each pass that was started."""
        return [event[1] for event in self.events if event[0] == "start"]
