"""What token ids say: the text of each id alone, which ids are special, which id a text is.

One wrapper around any Hugging Face tokenizer, fast or slow. Nothing is tokenised for a model
here; that is `tokens`.
"""

import json
import re
from collections.abc import Iterable
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from headtests.errors import ExpressionError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_METASPACE = "▁"
_SHOWN_PIECES = 8


class Vocabulary:
    """The ids of a tokenizer and what each says.

    Results are remembered, so that asking for the same id or pattern again costs a look-up.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self.tokenizer = tokenizer
        self._texts: dict[int, str] = {}
        self._matches: dict[str, npt.NDArray[np.int8]] = {}

    def text(self, token_id: int) -> str:
        """Return what one id says, decoded alone and not cleaned up.

        A token that begins a word keeps its space (" the") where the tokenizer has one to keep,
        and a piece that continues a word keeps its mark ("##ing" of a WordPiece tokenizer). Bytes
        that are no whole character read as U+FFFD. An id that the tokenizer does not have, such
        as a padded row of the embedding, reads as "<id 50300>".
        """
        token_id = int(token_id)
        text = self._texts.get(token_id)
        if text is None:
            text = self._texts[token_id] = self._decode(token_id)
        return text

    def texts(self, token_ids: Iterable[int]) -> list[str]:
        """Return what each id says, as `text` does."""
        return [self.text(token_id) for token_id in token_ids]

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """The ids that the tokenizer calls special: BOS, separators, padding, unknown, added."""
        added = self.tokenizer.added_tokens_decoder
        return frozenset(self.tokenizer.all_special_ids) | {
            token_id for token_id, token in added.items() if token.special
        }

    @cached_property
    def ordinary_ids(self) -> npt.NDArray[np.int32]:
        """The ids of the vocabulary that are not special, ascending."""
        return np.array(sorted(self._known_ids - self.special_ids), dtype=np.int32)

    def is_special(self, token_ids: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return which ids are special, in the shape of `token_ids`."""
        return np.isin(np.asarray(token_ids), sorted(self.special_ids))

    def matching(self, pattern: str, token_ids: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return whose text the pattern is found in, in the shape of `token_ids`.

        The pattern is searched for (`re.search`) in what each id says alone. Special tokens have
        a text like any other, so that "SEP" finds "[SEP]". Raises `ExpressionError` for a pattern
        that is no regular expression.
        """
        ids = np.asarray(token_ids, dtype=np.int64)
        known = self._matches.get(pattern, np.empty(0, dtype=np.int8))
        size = max(len(self.tokenizer), int(ids.max(initial=-1)) + 1)
        if len(known) < size:
            known = np.concatenate([known, np.full(size - len(known), -1, dtype=np.int8)])
            self._matches[pattern] = known
        unseen = np.unique(ids[known[ids] < 0])
        if len(unseen):
            try:
                search = re.compile(pattern).search
            except re.error as error:
                raise ExpressionError(
                    f"{pattern!r} is no regular expression: {error}. Escape what is meant "
                    "literally with re.escape()."
                ) from error
            known[unseen] = [search(self.text(token_id)) is not None for token_id in unseen]
        return np.equal(known[ids], 1)

    def single_id(self, text: str) -> int:
        """Return the id of a text that is exactly one token.

        What counts is, in this order: the one token that the tokenizer makes of the text, if it
        says just that; the entry of the vocabulary that says just that ("[SEP]", "##ing", a
        piece inside a word); the one token that the tokenizer makes of it in its own spelling
        ("The" is "the" for an uncased tokenizer). The unknown token stands for no text but its
        own. Raises `ExpressionError` that says how the text splits.
        """
        ids = self._encode(text)
        if len(ids) == 1 and self.text(ids[0]) == text:
            return ids[0]
        vocabulary = self._vocabulary
        for spelling in self._spellings(text):
            token_id = vocabulary.get(spelling)
            if token_id is not None and self.text(token_id) == text:
                return token_id
        unknown = self.tokenizer.unk_token_id
        if len(ids) == 1 and ids[0] != unknown:
            return ids[0]
        said = _quoted(text)
        if len(ids) == 1:
            raise ExpressionError(
                f"key.is_({said}): {said} is not one token of this tokenizer, which reads it as "
                f"the unknown token {self.text(unknown)}. Claim on a text that it knows, or use "
                "key.matches(...)."
            )
        if not ids:
            raise ExpressionError(
                f"key.is_({said}): the tokenizer makes no token of {said}. Name a token's text, "
                "or use key.matches(...)."
            )
        pieces = ", ".join(_quoted(piece) for piece in self.texts(ids[:_SHOWN_PIECES]))
        more = f" and {len(ids) - _SHOWN_PIECES} more" if len(ids) > _SHOWN_PIECES else ""
        raise ExpressionError(
            f"key.is_({said}): {said} is not one token of this tokenizer; it splits into "
            f"{pieces}{more}. Claim on one of those, or use key.matches(...)."
        )

    @cached_property
    def sha256(self) -> str:
        """A hash of what the tokenizer does: its serialisation, or its vocabulary if it has none.

        Padding and truncation, which calling a tokenizer changes, are no part of it.
        """
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        if backend is not None:
            content = json.loads(backend.to_str())
            content.pop("padding", None)
            content.pop("truncation", None)
        else:
            content = sorted(self._vocabulary.items(), key=lambda entry: (entry[1], entry[0]))
        return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        return dict(self.tokenizer.get_vocab())

    @cached_property
    def _known_ids(self) -> frozenset[int]:
        return frozenset(self._vocabulary.values())

    @cached_property
    def _has_metaspace(self) -> bool:
        # Asked of what it does, since a "▁" in the vocabulary may be a letter like any other.
        tokens = ["x", f"{_METASPACE}y"]
        try:
            return _METASPACE not in self.tokenizer.convert_tokens_to_string(tokens)
        # Tokenizers that know no such piece refuse it each in a way of its own.
        except Exception:
            return False

    def _decode(self, token_id: int) -> str:
        # Asked of an id that it does not have, one tokenizer says nothing, and another raises.
        if token_id not in self._known_ids:
            return f"<id {token_id}>"
        token = self.tokenizer.convert_ids_to_tokens(token_id)
        # Decoders drop the space of the first token, which is every token that is decoded alone.
        if isinstance(token, str) and token.startswith(_METASPACE) and self._has_metaspace:
            return token.replace(_METASPACE, " ")
        return cast(
            str,
            self.tokenizer.decode(
                [token_id], skip_special_tokens=False, clean_up_tokenization_spaces=False
            ),
        )

    def _encode(self, text: str) -> list[int]:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ExpressionError(
                f"{text!r} holds a lone surrogate, which no token says. Leave it out."
            ) from error
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def _spellings(self, text: str) -> list[str]:
        spellings = [text]
        if self._has_metaspace:
            spellings.append(text.replace(" ", _METASPACE))
        if len(encoded := text.encode()) == 1:
            spellings.append(f"<0x{encoded[0]:02X}>")
        return spellings


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
