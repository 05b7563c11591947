"""The population: the first documents of a corpus, tokenised once.

Documents are written to a temporary file before any forward pass, so that their number, hash and
order are known. Memory holds only their offsets.
"""

import unicodedata
from array import array
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b, sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from headtests.corpora.documents import Document
from headtests.corpora.in_memory import GivenTexts
from headtests.corpora.sources import Reading, texts_of
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
"""The fewest tokens of a document: a single token can attend to itself only."""

_OF_TEXTS = 1
"""Hashed with the number of a text, so that texts are ordered differently from documents."""

Progress = Callable[[int, int], None]
"""Called with the number of documents so far and the number that is requested."""

_Piece = tuple[str, int, TokenIds, bytes]
"""The id of a text, the number of a piece in it, its ids, and the hash of the normalised text."""


@dataclass(eq=False)
class Index:
    """The text and piece of each document."""

    text_ids: list[str] = field(default_factory=list)
    """The ids of the texts, in order."""
    texts: "array[int]" = field(default_factory=lambda: array("q"))
    """For each document, the index of its text in `text_ids`."""
    pieces: "array[int]" = field(default_factory=lambda: array("q"))
    """For each document, the number of its piece, from 0."""
    hashes: list[bytes] = field(default_factory=list)
    """For each text, the hash of the normalised text; empty where it was never text."""

    def append(self, text_id: str, piece: int, content: bytes = b"") -> None:
        """Add a document; piece 0 begins a new text, of which `content` is the hash."""
        if piece == 0:
            self.text_ids.append(text_id)
            self.hashes.append(content)
        self.texts.append(len(self.text_ids) - 1)
        self.pieces.append(piece)


@dataclass(eq=False)
class Population:
    """The documents that claims are about; made by `build_population`.

    `len()` is their number, and `population[i]` reads a `Document` from disk. The temporary file is
    deleted by `close`, by garbage collection, and at the end of a `with` block.
    """

    spec: CorpusSpec | GivenTexts
    """The corpus that was requested."""
    vocabulary: Vocabulary
    """The text of token ids."""
    bos: BosPolicy
    """The BOS policy: `model`, `always` or `never`."""
    bos_effect: str
    """What the policy added to each document, in words."""
    max_length: int
    """The most tokens that a document can have, special ones included."""
    is_whole: bool
    """Whether these are all documents of the corpus."""
    notes: tuple[str, ...]
    """What was left out, cut or replaced, one sentence each."""
    spool: Spool
    """The file of the ids."""
    index: Index
    """The text and piece of each document."""
    cuts_last_text: bool = False
    """Whether the last text continues after the last document."""
    reading: Reading = field(default_factory=Reading)
    """The files and rows that these documents are from, and what was left out."""
    lengths: npt.NDArray[np.int64] = field(init=False)
    """The number of tokens of each document, shape `[documents]`."""

    def __post_init__(self) -> None:
        self.lengths = self.spool.lengths
        spool = self.spool
        # Not a method, since a population in a cycle would be collected late, with its file.
        self.vocabulary.count_tokens = lambda: spool.counts

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
        """Return the ids of a document, shape `[length]`; raises `IndexError` if there is none."""
        return self.spool.ids(number)

    def beginning(self, number: int, characters: int) -> str:
        """Return the first characters of a document, after the special tokens at its start.

        Raises `IndexError` if there is no such document.
        """
        ids = self.ids(number)
        start = int(np.argmin(self.vocabulary.is_special(ids)))
        # A character is at most four bytes, and no token is less than a byte.
        ids = ids[start : start + 4 * characters + 4]
        return self.vocabulary.running_text(ids)[:characters]

    def order(self, seed: int) -> npt.NDArray[np.int64]:
        """Return the document ids in hash order, shape `[documents]`.

        The relative order of two documents depends on the seed and their ids only.
        """
        return np.argsort(keyed_hash(seed, np.arange(len(self))), kind="stable").astype(np.int64)

    def text_order(self, seed: int) -> npt.NDArray[np.int64]:
        """Return the document ids with texts in hash order, shape `[documents]`.

        The documents of a text are adjacent, in the order of its pieces. Copies of earlier texts
        come last, since they do not count again. The relative order of two other texts depends on
        the seed and their numbers only.
        """
        hashes = keyed_hash(seed, _OF_TEXTS, np.arange(self.texts))
        texts = np.asarray(self.index.texts, dtype=np.int64)
        return np.lexsort((hashes[texts], self.is_copy[texts])).astype(np.int64)

    @property
    def sha256(self) -> str:
        """The hash of the lengths and ids of all documents, in order."""
        return self.spool.sha256

    @property
    def texts(self) -> int:
        """The number of texts that the documents are pieces of."""
        return len(self.index.text_ids)

    @cached_property
    def contents(self) -> npt.NDArray[np.int64]:
        """A number for each text, shape `[texts]`, equal for equal texts.

        Texts are equal if their documents have the same tokens, or if they differ only in case, in
        white space or in the form of their Unicode characters.
        """
        hashes = [sha256() for _ in range(self.texts)]
        for number, text in enumerate(self.index.texts):
            ids = self.ids(number)
            hashes[text].update(len(ids).to_bytes(8, "little") + ids.tobytes())
        known: dict[bytes, int] = {}
        numbers: list[int] = []
        for tokens, normalised in zip(hashes, self.index.hashes, strict=True):
            # Digests of tokens and of texts do not meet: their lengths differ.
            contents = [digest for digest in (tokens.digest(), normalised) if digest]
            found = next((known[one] for one in contents if one in known), len(numbers))
            known |= {one: known.get(one, found) for one in contents}
            numbers.append(found)
        return np.array(numbers, dtype=np.int64)

    @cached_property
    def is_copy(self) -> npt.NDArray[np.bool_]:
        """Whether each text equals an earlier one (`contents`), shape `[texts]`."""
        return np.asarray(self.contents != np.arange(self.texts))

    @property
    def tokens(self) -> int:
        """The number of tokens of all documents, special ones included."""
        return int(self.lengths.sum())

    @property
    def description(self) -> str:
        """The population in words, such as "the first 10,000 documents of my-corpus"."""
        plural = "" if len(self) == 1 else "s"
        number = f"{len(self):,} document{plural} of {self.spec.label}"
        return f"all {number}" if self.is_whole else f"the first {number}"

    def close(self) -> None:
        """Delete the temporary file; a second call does nothing."""
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
    """Tokenise the first `spec.first` documents of a corpus and write them to disk.

    Documents have at most `max_length` tokens, or `spec.max_length` if given, and at most the
    model's `context`. Texts are cut into pieces, and the last short piece is kept. `default_bos`
    is the policy if the spec has none. `vocab_size` is the number of the model's embeddings,
    `spool_folder` the folder of the temporary file (default: the system's), and `progress` is
    called for each document.

    Raises `CorpusError` for a corpus that cannot be read or has no document of at least 2 tokens,
    and for a token without an embedding; `SettingError` for a length that is too short, and for a
    BOS that the tokenizer does not have.
    """
    bos = spec.bos or default_bos
    requested = max_length if spec.max_length is None else spec.max_length
    limit = requested if context is None else min(requested, context)
    if limit < MIN_TOKENS:
        raise SettingError(
            f"max_length is {limit}: expected {MIN_TOKENS} or more, since a document of one token "
            "holds nothing to measure. Raise max_length."
        )
    reading = _DocumentReader(spec, tokenizer, bos, vocab_size)
    if isinstance(spec, CorpusSpec) and spec.name == REPEATED_RANDOM:
        pieces = reading.random_pieces(spec, requested, context)
    else:
        pieces = reading.text_pieces(limit)
        if limit < requested:
            reading.cut = (
                f"Documents are cut at the model's context of {limit} tokens; max_length "
                f"{requested} was asked for."
            )
    spool, index = Spool(spool_folder), Index()
    try:
        with closing(pieces):
            for text_id, piece, ids, content in pieces:
                index.append(text_id, piece, content)
                spool.append(ids)
                if progress is not None:
                    progress(len(spool), spec.first)
                if len(spool) == spec.first:
                    break
            # Before looking ahead, so that notes are about these documents only.
            notes, read = reading.notes, deepcopy(reading.reading)
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
        reading=read,
        spool=spool,
        index=index,
        cuts_last_text=following is not None and following > 0,
    )


class _DocumentReader:
    """A corpus while it is read: its documents, and notes about them."""

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
        self.reading = Reading()
        self.without_token = 0
        self.beginnings = 0
        self.surrogates = 0

    @property
    def notes(self) -> tuple[str, ...]:
        notes = [*self.reading.notes]
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
            yield text_id, 0, ids, b""

    def text_pieces(self, max_length: int) -> Generator[_Piece]:
        policy = TokenPolicy(self.vocabulary.tokenizer, self.bos)
        self.bos_effect = policy.effect
        for text_id, text in texts_of(self.spec, self.reading):
            readable, replaced = replace_lone_surrogates(text)
            self.surrogates += replaced
            documents = policy.documents_of(readable, max_length)
            self.without_token += not documents
            if isinstance(self.spec, GivenTexts):
                self.beginnings += len(documents) > 1
                documents = documents[:1]
            content = _hash_of(readable) if documents else b""
            for piece, ids in enumerate(documents):
                self._check_ids(text_id, ids)
                yield text_id, piece, ids, content

    def _check_ids(self, text_id: str, ids: TokenIds) -> None:
        highest = int(ids.max())
        if self.vocab_size is not None and highest >= self.vocab_size:
            raise CorpusError(
                f"corpus {self.spec.name!r}: text {text_id} holds token id {highest} "
                f"({self.vocabulary.text(highest)!r}), but the model has {self.vocab_size} "
                "embeddings. Use the tokenizer that belongs to the model."
            )


def _hash_of(text: str) -> bytes:
    """Return a hash of a text without its case, white space and forms of Unicode characters."""
    # Unicode 3.13, D146: some characters come apart as their case is taken away.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", text).casefold())
    normalised = " ".join(unicodedata.normalize("NFKD", folded.casefold()).split())
    return blake2b(normalised.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _following(pieces: Iterator[_Piece]) -> int | None:
    """Return the piece number of the next document, or None at the end of the corpus."""
    try:
        following = next(pieces, None)
    except CorpusError:
        # An unreadable row after the requested documents is no reason to fail.
        return 0
    return None if following is None else following[1]


def _check_documents(spec: CorpusSpec | GivenTexts, spool: Spool, reading: _DocumentReader) -> None:
    if not len(spool):
        notes = " ".join(["", *reading.notes])
        raise CorpusError(f"corpus {spec.name!r} is empty: it holds no text.{notes} Name another.")
    longest = int(spool.lengths.max())
    if longest < MIN_TOKENS:
        raise CorpusError(
            f"corpus {spec.name!r}: every document is too short: the longest has {longest} token "
            f"({reading.bos_effect}), and a row to measure needs at least {MIN_TOKENS}. Name "
            "another corpus or field."
        )
