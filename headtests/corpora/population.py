"""The documents that a claim is about: the first `first` of a corpus, tokenised once.

They lie in a temporary file before any forward pass, so that their number, their hash and their
order are known, while memory holds only where each one lies.
"""

from array import array
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from headtests.corpora.documents import Document
from headtests.corpora.given import GivenTexts
from headtests.corpora.sources import LeftOut, texts_of
from headtests.corpora.specs import REPEATED_RANDOM, CorpusSpec
from headtests.corpora.spool import Spool
from headtests.corpora.synthetic import random_documents, random_prefix
from headtests.corpora.tokens import TokenIds, TokenPolicy, effect_of, replace_lone_surrogates
from headtests.corpora.vocabulary import Vocabulary
from headtests.errors import CorpusError, SettingError
from headtests.settings import BosPolicy
from headtests.statistics.hashing import keyed_hash

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MIN_TOKENS = 2
"""A document of one token has no row that could attend to anything but itself."""

_OF_TEXTS = 1
"""Goes into the hash of texts, so that their order is not that of documents."""

Progress = Callable[[int, int], None]
"""Told how many documents there are so far, and how many are wanted."""

_Piece = tuple[str, int, TokenIds]
"""A document on its way to the spool: its text's id, its number in the text, its ids."""


@dataclass(eq=False)
class Index:
    """Which text each document is a piece of."""

    text_ids: list[str] = field(default_factory=list)
    """The ids of the texts, in order."""
    texts: "array[int]" = field(default_factory=lambda: array("q"))
    """For each document, the place of its text in `text_ids`."""
    pieces: "array[int]" = field(default_factory=lambda: array("q"))
    """For each document, which piece of its text it is, from 0."""

    def append(self, text_id: str, piece: int) -> None:
        """Note a document; a piece numbered 0 begins a new text."""
        if piece == 0:
            self.text_ids.append(text_id)
        self.texts.append(len(self.text_ids) - 1)
        self.pieces.append(piece)


@dataclass(eq=False)
class Population:
    """The documents of a corpus that claims are about, made by `build_population`.

    `len()` is their number, `population[i]` one of them, read from disk. Closed, collected, or
    left as a context manager, it deletes its temporary file.
    """

    spec: CorpusSpec | GivenTexts
    """The corpus that was asked for."""
    vocabulary: Vocabulary
    """What the ids say."""
    bos: BosPolicy
    """The BOS policy: `model`, `always` or `never`."""
    bos_effect: str
    """What the policy did to each document, in words."""
    max_length: int
    """The most tokens that a document could have, special ones included."""
    is_whole: bool
    """Whether the corpus ends with these documents."""
    notes: tuple[str, ...]
    """What was left out, cut or replaced, each in a sentence."""
    spool: Spool
    """Where the ids lie."""
    index: Index
    """Which text each document is a piece of."""
    cuts_last_text: bool = False
    """Whether the last text goes on behind the last document."""
    lengths: npt.NDArray[np.int64] = field(init=False)
    """Tokens of each document, shape `[documents]`."""

    def __post_init__(self) -> None:
        self.lengths = self.spool.lengths

    def __len__(self) -> int:
        return len(self.spool)

    def __getitem__(self, number: int) -> Document:
        ids = self.ids(number)
        text_id = self.index.text_ids[self.index.texts[number]]
        return Document(id=int(number), text_id=text_id, piece=self.index.pieces[number], ids=ids)

    def __iter__(self) -> Iterator[Document]:
        return (self[number] for number in range(len(self)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def ids(self, number: int) -> TokenIds:
        """Return the ids of one document, shape `[length]`; `IndexError` where there is none."""
        return self.spool.ids(number)

    def order(self, seed: int) -> npt.NDArray[np.int64]:
        """Return the document ids in hash order, shape `[documents]`.

        Which of two documents comes first depends on the seed and their ids alone.
        """
        return np.argsort(keyed_hash(seed, np.arange(len(self))), kind="stable").astype(np.int64)

    def text_order(self, seed: int) -> npt.NDArray[np.int64]:
        """Return the document ids with texts in hash order, shape `[documents]`.

        The documents of a text stand together, in the order of its pieces. Which of two texts
        comes first depends on the seed and their numbers alone.
        """
        hashes = keyed_hash(seed, _OF_TEXTS, np.arange(self.texts))
        texts = np.asarray(self.index.texts, dtype=np.int64)
        return np.argsort(hashes[texts], kind="stable").astype(np.int64)

    @property
    def sha256(self) -> str:
        """The hash of every document's length and ids, in order."""
        return self.spool.sha256

    @property
    def texts(self) -> int:
        """How many texts the documents are pieces of."""
        return len(self.index.text_ids)

    @cached_property
    def contents(self) -> npt.NDArray[np.int64]:
        """A number for each text, `[texts]`: the same of texts whose documents are the same."""
        hashes = [sha256() for _ in range(self.texts)]
        for number, text in enumerate(self.index.texts):
            ids = self.ids(number)
            hashes[text].update(len(ids).to_bytes(8, "little") + ids.tobytes())
        known: dict[bytes, int] = {}
        numbers = [known.setdefault(one.digest(), len(known)) for one in hashes]
        return np.array(numbers, dtype=np.int64)

    @property
    def tokens(self) -> int:
        """How many tokens the documents have, special ones included."""
        return int(self.lengths.sum())

    @property
    def description(self) -> str:
        """The population in words, such as "the first 10,000 documents of my-corpus"."""
        plural = "" if len(self) == 1 else "s"
        number = f"{len(self):,} document{plural} of {self.spec.label}"
        return f"all {number}" if self.is_whole else f"the first {number}"

    def close(self) -> None:
        """Delete the temporary file; closing again does nothing."""
        self.spool.close()


def build_population(
    spec: CorpusSpec | GivenTexts,
    tokenizer: "PreTrainedTokenizerBase",
    *,
    max_length: int,
    default_bos: BosPolicy = "model",
    context: int | None = None,
    vocab_size: int | None = None,
    spool_folder: Path | None = None,
    progress: Progress | None = None,
) -> Population:
    """Return the first `spec.first` documents of a corpus, tokenised and on disk.

    Documents have at most `max_length` tokens, or the spec's own, and never more than the model's
    `context`; texts are cut, and the last short piece is kept. `default_bos` is the policy of a
    spec that has none. `vocab_size` is the number of the model's embeddings, `spool_folder` where
    the temporary file lies (the system's temporary folder), and `progress` is called for each
    document.

    Raises `CorpusError` for a corpus that cannot be read, that holds no text or no document of 2
    tokens, and for a token that the model has no embedding of; `SettingError` for a length that
    leaves no room, and for a BOS that the tokenizer does not have.
    """
    bos = spec.bos or default_bos
    wanted = max_length if spec.max_length is None else spec.max_length
    limit = wanted if context is None else min(wanted, context)
    if limit < MIN_TOKENS:
        raise SettingError(
            f"max_length is {limit}: expected {MIN_TOKENS} or more, since a document of one token "
            "holds nothing to measure. Raise max_length."
        )
    reading = _Reading(spec, tokenizer, bos, vocab_size)
    if isinstance(spec, CorpusSpec) and spec.name == REPEATED_RANDOM:
        pieces = reading.random_pieces(spec, wanted, context)
    else:
        pieces = reading.text_pieces(limit)
        if limit < wanted:
            reading.cut = (
                f"Documents are cut at the model's context of {limit} tokens; max_length {wanted} "
                "was asked for."
            )
    spool, index = Spool(spool_folder), Index()
    try:
        with closing(pieces):
            for text_id, piece, ids in pieces:
                index.append(text_id, piece)
                spool.append(ids)
                if progress is not None:
                    progress(len(spool), spec.first)
                if len(spool) == spec.first:
                    break
            # Before the look at what follows, which is not to be spoken of.
            notes = reading.notes
            following = _following(pieces)
        spool.seal()
        _check_documents(spec, spool, reading)
    except BaseException:
        spool.close()
        raise
    return Population(
        spec=spec,
        vocabulary=reading.vocabulary,
        bos=bos,
        bos_effect=reading.bos_effect,
        max_length=limit,
        is_whole=following is None,
        notes=notes,
        spool=spool,
        index=index,
        cuts_last_text=following is not None and following > 0,
    )


class _Reading:
    """A corpus while it is read: its documents, and what is to be said of them."""

    def __init__(
        self,
        spec: CorpusSpec | GivenTexts,
        tokenizer: "PreTrainedTokenizerBase",
        bos: BosPolicy,
        vocab_size: int | None,
    ) -> None:
        self.spec = spec
        self.vocabulary = Vocabulary(tokenizer)
        self.bos = bos
        self.vocab_size = vocab_size
        self.bos_effect = ""
        self.cut = ""
        self.left_out = LeftOut()
        self.without_token = 0
        self.beginnings = 0
        self.surrogates = 0

    @property
    def notes(self) -> tuple[str, ...]:
        notes = [*self.left_out.notes]
        if self.cut:
            notes.append(self.cut)
        if self.without_token:
            notes.append(
                f"Texts left out because the tokenizer makes no token of them: "
                f"{self.without_token:,}."
            )
        if self.beginnings:
            notes.append(
                "Texts of which only the beginning is read, since they are longer than max_length: "
                f"{self.beginnings:,}."
            )
        if self.surrogates:
            notes.append(f"Lone surrogates replaced by U+FFFD: {self.surrogates:,}.")
        return tuple(notes)

    def random_pieces(
        self, spec: CorpusSpec, max_length: int, context: int | None
    ) -> Generator[_Piece]:
        prefix = random_prefix(self.vocabulary, self.bos)
        self.bos_effect = effect_of(self.vocabulary, prefix, ())
        for text_id, ids in random_documents(
            spec, self.vocabulary, prefix, max_length, context, self.vocab_size
        ):
            yield text_id, 0, ids

    def text_pieces(self, max_length: int) -> Generator[_Piece]:
        policy = TokenPolicy(self.vocabulary.tokenizer, self.bos)
        self.bos_effect = policy.effect
        for text_id, text in texts_of(self.spec, self.left_out):
            readable, replaced = replace_lone_surrogates(text)
            self.surrogates += replaced
            documents = policy.documents_of(readable, max_length)
            self.without_token += not documents
            if isinstance(self.spec, GivenTexts):
                self.beginnings += len(documents) > 1
                documents = documents[:1]
            for piece, ids in enumerate(documents):
                self._check_ids(text_id, ids)
                yield text_id, piece, ids

    def _check_ids(self, text_id: str, ids: TokenIds) -> None:
        highest = int(ids.max())
        if self.vocab_size is not None and highest >= self.vocab_size:
            raise CorpusError(
                f"corpus {self.spec.name!r}: text {text_id} holds token id {highest} "
                f"({self.vocabulary.text(highest)!r}), but the model has {self.vocab_size} "
                "embeddings. Use the tokenizer that belongs to the model."
            )


def _following(pieces: Iterator[_Piece]) -> int | None:
    """Return which piece of its text comes next; None where none does."""
    try:
        following = next(pieces, None)
    except CorpusError:
        # What cannot be read lies behind the documents that were asked for: no reason to fail.
        return 0
    return None if following is None else following[1]


def _check_documents(spec: CorpusSpec | GivenTexts, spool: Spool, reading: _Reading) -> None:
    if not len(spool):
        said = " ".join(["", *reading.notes])
        raise CorpusError(f"corpus {spec.name!r} is empty: it holds no text.{said} Name another.")
    longest = int(spool.lengths.max())
    if longest < MIN_TOKENS:
        raise CorpusError(
            f"corpus {spec.name!r}: every document is too short: the longest has {longest} token "
            f"({reading.bos_effect}), and a row to measure needs at least {MIN_TOKENS}. Name "
            "another corpus or field."
        )
