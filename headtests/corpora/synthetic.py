"""The corpus `repeated-random`: BOS, then a sequence of random tokens, repeated.

Induction and duplicate-token scores are usually measured on such sequences (Olsson et al. 2022,
"In-context learning and induction heads"). Documents are generated as ids, not as text, so that
tokenisation does not change where the sequence repeats.
"""

from collections.abc import Iterator

import numpy as np

from headtests.corpora.specs import CorpusSpec
from headtests.corpora.tokens import TokenIds, beginning_id
from headtests.corpora.vocabulary import Vocabulary
from headtests.errors import CorpusError, SettingError
from headtests.settings import BosPolicy


def random_prefix(vocabulary: Vocabulary, bos: BosPolicy) -> tuple[int, ...]:
    """Return the ids at the start of each document: BOS or else CLS; none for `never`.

    Raises `SettingError` if the tokenizer has neither, unless the policy is `never`.
    """
    return () if bos == "never" else (beginning_id(vocabulary.tokenizer),)


def random_documents(
    spec: CorpusSpec,
    vocabulary: Vocabulary,
    prefix: tuple[int, ...],
    max_length: int,
    context: int | None,
    vocab_size: int | None,
) -> Iterator[tuple[str, TokenIds]]:
    """Yield each document's text id and ids, shape `[len(prefix) + period * repeats]`.

    Tokens are drawn uniformly, with replacement, from the ids that are not special and have an
    embedding (`vocab_size` is the number of embeddings, if known). A document depends on the seed,
    the period and its number, not on how many documents there are. Raises `SettingError` if
    documents would be longer than `max_length` or the model's `context`, and `CorpusError` if
    there is no id to draw.
    """
    period, repeats, count = spec.period or 0, spec.repeats or 0, spec.documents or 0
    length = len(prefix) + period * repeats
    bos = " after BOS" if prefix else ""
    size = f"{spec.label}: {repeats} runs of {period} tokens{bos} make {length} tokens a document"
    if context is not None and length > context:
        raise SettingError(
            f"{size}, but the model's context is {context}. Lower period or repeats."
        )
    if length > max_length:
        raise SettingError(
            f"{size}, but max_length is {max_length}. Raise max_length to {length}, or lower "
            "period or repeats."
        )
    pool = vocabulary.ordinary_ids
    if vocab_size is not None:
        pool = pool[pool < vocab_size]
    if not len(pool):
        raise CorpusError(
            f"{spec.label}: the tokenizer has no token to draw that is not special. Name another "
            "corpus."
        )
    generator = np.random.default_rng(spec.seed)
    for number in range(count):
        run = pool[generator.integers(len(pool), size=period)]
        ids = np.concatenate([np.array(prefix, dtype=np.int32), np.tile(run, repeats)])
        yield f"random-{number}", ids.astype(np.int32)
