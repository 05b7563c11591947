"""Heads whose rule is known: a session over the bundled documents with constructed attention."""

from types import SimpleNamespace

import numpy as np
import torch

import headtests as ht
from headtests.expressions.head_names import HeadName
from headtests.models.config import ModelShape
from headtests.settings import Settings
from tests.measurement.pretended import Model

RESTS = 0.3
"""Attention on position 0 of every planted head."""
FOLLOWS = 0.6
"""Attention on the keys of its rule, if the row has any; the rest is uniform."""


BUILT = {}
"""Rows of attention by rule and token ids."""


class Planted(Model):
    """A model of one layer, whose heads each follow a rule `(tokens, ids) -> [query, key]`."""

    bidirectional = False
    identity = None
    capture = None

    def __init__(self, like, rules):
        super().__init__()
        self.rules = rules
        self.tokenizer = like.tokenizer
        self.vocabulary_size = like.vocabulary_size
        self.shape = ModelShape(1, len(rules), like.shape.context, (None,))
        self.facts = SimpleNamespace(sinks=False)
        self.texts = like.texts

    def built(self, rule, document):
        """Return the rows of a rule on a document, computed once for all tests."""
        key = rule, document.ids.tobytes()
        if key not in BUILT:
            BUILT[key] = attention(rule, self.texts(document.ids), document.ids)
        return BUILT[key]

    def read(self, batch, heads, portions, give):
        for portion in portions:
            documents = batch.documents[portion.start : portion.stop]
            wanted = [head for head in heads if head not in portion.read]
            length = max(map(len, documents))
            rows = torch.zeros((len(wanted), len(documents), length, length))
            for place, head in enumerate(wanted):
                for row, document in enumerate(documents):
                    size = len(document)
                    built = self.built(self.rules[head.index], document)
                    rows[place, row, :size, :size] = torch.from_numpy(built)
            if wanted:
                give(tuple(wanted), portion, rows)
                portion.read.update(wanted)
        self.calls.append([document.id for document in batch.documents])


def attention(rule, tokens, ids):
    """Return the rows of a planted head on a document, float32 `[query, key]`."""
    size = len(tokens)
    causal = np.tril(np.ones((size, size), dtype=bool))
    follows = np.asarray(rule(tokens, ids), dtype=bool) & causal
    follows[:, 0] = False
    rows = causal / causal.sum(-1, keepdims=True) * (1 - RESTS - FOLLOWS)
    rows[:, 0] += RESTS
    counts = follows.sum(-1)
    rows[:, 0] += np.where(counts, 0.0, FOLLOWS)
    rows += follows / np.maximum(counts, 1)[:, None] * FOLLOWS
    return rows.astype(np.float32)


def previous(tokens, ids):
    return np.eye(len(tokens), k=-1)


def induction(tokens, ids):
    """The key follows an earlier occurrence of the query's token, by a double loop."""
    size = len(tokens)
    found = np.zeros((size, size), dtype=bool)
    for q in range(size):
        for k in range(2, q + 1):
            found[q, k] = ids[k - 1] == ids[q] and k - 1 < q and ids[q] != ids[0]
    return found


def duplicate(tokens, ids):
    size = len(tokens)
    return [[k < q and ids[k] == ids[q] and k > 0 for k in range(size)] for q in range(size)]


def line_breaks(tokens, ids):
    return np.broadcast_to(["\n" in token for token in tokens], (len(tokens), len(tokens)))


def capitals(tokens, ids):
    is_capital = [token.strip()[:1].isupper() for token in tokens]
    return np.broadcast_to(is_capital, (len(tokens), len(tokens)))


def by_turns(tokens, ids):
    """Even rows attend to the previous token, odd rows to line breaks."""
    rows = np.arange(len(tokens))[:, None] % 2 == 0
    return np.where(rows, previous(tokens, ids), line_breaks(tokens, ids))


def nothing(tokens, ids):
    """Uniform attention, apart from position 0."""
    return np.ones((len(tokens), len(tokens)))


RULES = {
    "L0H0": previous,
    "L0H1": induction,
    "L0H2": duplicate,
    "L0H3": line_breaks,
    "L0H4": capitals,
    "L0H5": nothing,
}


def session(loaded=None, rules=RULES, corpus="demo", corpus_options=None, **settings):
    """Return a session of planted heads; one pass over the documents serves all of them."""
    chosen = Settings(**{"no_cache": True, "max_documents": 128} | settings)
    plain = ht.Session(
        "demo" if loaded is None else loaded, corpus, settings=chosen, **corpus_options or {}
    )
    population = plain.population
    like = SimpleNamespace(
        tokenizer=plain.model.tokenizer,
        vocabulary_size=plain.model.vocabulary_size,
        shape=plain.model.shape,
        texts=population.vocabulary.texts,
    )
    planted = ht.Session(plain.spec, plain.corpus, heads=rules, settings=chosen)
    planted.model, planted.population = Planted(like, list(rules.values())), population
    return planted


def name(text):
    """Return the name of a head of layer 0."""
    return HeadName(0, int(text.removeprefix("L0H")))
