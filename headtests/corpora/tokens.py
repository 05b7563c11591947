"""Splits a text into documents: tokenises it, cuts it, and adds special tokens.

The BOS policies: `model` adds the special tokens that the tokenizer adds by default; `always` also
adds a BOS if the tokenizer adds none; `never` adds nothing. Which ids a tokenizer adds is found by
calling it, since its settings do not say.
"""

import re
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from headtests.corpora.vocabulary import Vocabulary
from headtests.errors import CorpusError, SettingError
from headtests.settings import BosPolicy

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TokenIds = npt.NDArray[np.int32]
"""Token ids, shape `[length]`."""

_PROBES = ("the", "a", "0", ".")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def replace_lone_surrogates(text: str) -> tuple[str, int]:
    """Return the text with surrogate code points replaced by U+FFFD, and their number.

    A Python string contains surrogates only if they are unpaired, and tokenizers reject those.

    >>> replace_lone_surrogates("a" + chr(0xD800))
    ('a\ufffd', 1)
    """
    return _LONE_SURROGATE.subn("\ufffd", text)


class TokenPolicy:
    """Splits texts into documents and adds special tokens, by a BOS policy.

    Raises `SettingError` for `always` with a tokenizer that has no BOS and no CLS token, and
    `CorpusError` for a tokenizer whose additions cannot be told apart from the text.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", bos: BosPolicy = "model") -> None:
        self.bos = bos
        """The policy."""
        self.vocabulary = Vocabulary(tokenizer)
        self._tokenizer = tokenizer
        self.prefix: tuple[int, ...] = ()
        """The ids that are added before each piece."""
        self.suffix: tuple[int, ...] = ()
        """The ids that are added after each piece."""
        if bos != "never":
            self.prefix, self.suffix = _additions(tokenizer)
        if bos == "always" and not set(self.prefix[:1]) & _beginnings(tokenizer):
            self.prefix = (beginning_id(tokenizer), *self.prefix)

    @property
    def effect(self) -> str:
        """What the policy adds to each document, in words."""
        return effect_of(self.vocabulary, self.prefix, self.suffix)

    def documents_of(self, text: str, max_length: int) -> list[TokenIds]:
        """Return the documents of a text, in order: arrays of at most `max_length` ids.

        The whole text is tokenised and then cut, so that cuts do not change tokens. The last
        document may be short; a text without tokens has no documents. Surrogates are replaced by
        U+FFFD. Text that spells a special token becomes that token, as in the tokenizer, and a
        piece that begins with BOS gets no second BOS. Raises `SettingError` if `max_length`
        leaves no room for a token of the text.
        """
        room = max_length - len(self.prefix) - len(self.suffix)
        if room < 1:
            taken = len(self.prefix) + len(self.suffix)
            raise SettingError(
                f"max_length is {max_length}, but {self.effect} takes {taken} of it: expected "
                f"{taken + 1} or more. Raise max_length."
            )
        ids = self.encode(text)
        return [self._framed(ids[start : start + room]) for start in range(0, len(ids), room)]

    def encode(self, text: str) -> list[int]:
        """Return the ids of the whole text, without special tokens."""
        return list(
            self._tokenizer(
                replace_lone_surrogates(text)[0], add_special_tokens=False, verbose=False
            )["input_ids"]
        )

    def _framed(self, piece: list[int]) -> TokenIds:
        doubled = next(
            (
                length
                for length in range(min(len(self.prefix), len(piece)), 0, -1)
                if self.prefix[-length:] == tuple(piece[:length])
            ),
            0,
        )
        return np.array([*self.prefix, *piece[doubled:], *self.suffix], dtype=np.int32)


def beginning_id(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return the id of BOS, or of CLS if there is no BOS.

    Raises `SettingError` if the tokenizer has neither.
    """
    for token_id in (tokenizer.bos_token_id, tokenizer.cls_token_id):
        if token_id is not None:
            return int(token_id)
    raise SettingError(
        f"the tokenizer {tokenizer.name_or_path!r} has no BOS and no CLS token to put before a "
        'document. Use bos="model" for what it adds by itself, or bos="never" for nothing.'
    )


def effect_of(vocabulary: Vocabulary, prefix: tuple[int, ...], suffix: tuple[int, ...]) -> str:
    """Return in words what is added to each document."""
    parts = [
        f"{' '.join(vocabulary.texts(ids))} {where}"
        for ids, where in ((prefix, "before"), (suffix, "after"))
        if ids
    ]
    return f"{' and '.join(parts)} each document" if parts else "nothing is added"


def _beginnings(tokenizer: "PreTrainedTokenizerBase") -> set[int]:
    return {
        token_id
        for token_id in (tokenizer.bos_token_id, tokenizer.cls_token_id)
        if token_id is not None
    }


def _additions(tokenizer: "PreTrainedTokenizerBase") -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the ids that the tokenizer adds before and after a text by default."""
    for probe in _PROBES:
        plain = tuple(tokenizer(probe, add_special_tokens=False)["input_ids"])
        framed = tuple(tokenizer(probe)["input_ids"])
        for start in range(len(framed) - len(plain) + 1):
            end = start + len(plain)
            if plain and framed[start:end] == plain:
                return framed[:start], framed[end:]
    raise CorpusError(
        f"cannot tell what the tokenizer {tokenizer.name_or_path!r} adds around a text: with and "
        f'without special tokens it reads {_PROBES[0]!r} differently. Use bos="never".'
    )
