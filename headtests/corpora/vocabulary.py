"""The vocabulary of a tokenizer: the text of each id, special ids, and the id of a text.

A wrapper around any Hugging Face tokenizer, fast or slow. Documents are tokenised in `tokens`.
"""

import json
import re
from collections.abc import Callable, Iterable
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from headtests.errors import ExpressionError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Number = TypeVar("Number", np.int8, np.int64)

_METASPACE = "▁"
_SHOWN_PIECES = 8


class Vocabulary:
    """The ids of a tokenizer and their texts; results are cached by id and pattern."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self.tokenizer = tokenizer
        self._texts: dict[int, str] = {}
        self._single_ids: dict[str, int] = {}
        self._matches: dict[str, Callable[[str], bool]] = {}
        self._values: dict[Callable[[str], int], tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]]
        self._values = {}
        self.count_tokens: Callable[[], npt.NDArray[np.int64]] | None = None
        """Returns how often each id occurs in the population, shape `[ids]`; None without one."""

    def text(self, token_id: int) -> str:
        """Return the text of one id, decoded alone, without clean-up of spaces.

        A token that begins a word keeps its space (" the") if the tokenizer encodes spaces, and a
        piece that continues a word keeps its mark ("##ing" in WordPiece). Bytes that are not a
        whole character become U+FFFD. An id that the tokenizer does not have, such as a padding
        row of the embedding, becomes "<id 50300>".
        """
        token_id = int(token_id)
        text = self._texts.get(token_id)
        if text is None:
            text = self._texts[token_id] = self._decode(token_id)
        return text

    def texts(self, token_ids: Iterable[int]) -> list[str]:
        """Return the text of each id, as `text` does."""
        return [self.text(token_id) for token_id in token_ids]

    def running_text(self, token_ids: Iterable[int]) -> str:
        """Return the text of ids that follow one another, special tokens included.

        Bytes of one character that are several tokens are that character, unlike in `texts`.
        """
        return str(
            self.tokenizer.decode(
                [int(token_id) for token_id in token_ids],
                skip_special_tokens=False,
                clean_up_tokenization_spaces=False,
            )
        )

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """The ids of special tokens: BOS, separators, padding, unknown, and added special ones."""
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
        """Return in which ids' texts the pattern is found, in the shape of `token_ids`.

        The pattern is searched for (`re.search`) in the text of each id. Special tokens have texts
        too, so "SEP" finds "[SEP]". Raises `ExpressionError` for an invalid regular expression.
        """
        if pattern not in self._matches:
            try:
                search = re.compile(pattern).search
            except re.error as error:
                raise ExpressionError(
                    f"{pattern!r} is no regular expression: {error}. Escape literal text with "
                    "re.escape()."
                ) from error
            self._matches[pattern] = lambda text: search(text) is not None
        return np.equal(self._of_texts(self._matches[pattern], token_ids, np.int8), 1)

    def of_texts(
        self, function: Callable[[str], int], token_ids: npt.ArrayLike
    ) -> npt.NDArray[np.int64]:
        """Return a function of each id's text, in the shape of `token_ids`.

        It is called once for each id that is seen, so that it must depend on the text alone.
        """
        return self._of_texts(function, token_ids, np.int64)

    def _of_texts(
        self, function: Callable[[str], int], token_ids: npt.ArrayLike, kind: type[Number]
    ) -> npt.NDArray[Number]:
        ids = np.asarray(token_ids, dtype=np.int64)
        values, known = self._values.get(function, (np.empty(0, kind), np.empty(0, np.bool_)))
        if (largest := int(ids.max(initial=-1))) >= len(values):
            more = max(len(self.tokenizer), largest + 1) - len(values)
            values = np.concatenate([values, np.zeros(more, kind)])
            known = np.concatenate([known, np.zeros(more, np.bool_)])
            self._values[function] = values, known
        unseen = ids[~known[ids]]
        if len(unseen):
            unseen = np.unique(unseen)
            values[unseen] = [function(self.text(token_id)) for token_id in unseen]
            known[unseen] = True
        found: npt.NDArray[Number] = values[ids]
        return found

    def occurrences(self, token_ids: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return how often each id occurs in the population, in the shape of `token_ids`.

        Raises `ExpressionError` if the vocabulary belongs to no population.
        """
        if self.count_tokens is None:
            raise ExpressionError(
                "ht.rarest(...) and ht.most_frequent(...) count the tokens of a corpus, and there "
                "is none here. Measure on a corpus, or use another relation."
            )
        counts, ids = self.count_tokens(), np.asarray(token_ids, dtype=np.int64)
        known = ids < len(counts)
        return np.where(known, counts[np.where(known, ids, 0)], 0)

    def single_id(self, text: str) -> int:
        """Return the id of a text that is exactly one token.

        In this order: the one token of the tokenised text, if its text is the same; the entry of
        the vocabulary with this text ("[SEP]", "##ing", a piece inside a word); the one token of
        the tokenised text in the tokenizer's spelling ("The" is "the" for an uncased tokenizer).
        The unknown token matches only its own text. Raises `ExpressionError`, which says how the
        text splits, if there is no such token.
        """
        if text not in self._single_ids:
            self._single_ids[text] = self._single_id(text)
        return self._single_ids[text]

    def _single_id(self, text: str) -> int:
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
        quoted = _quoted(text)
        if len(ids) == 1:
            raise ExpressionError(
                f"key.is_({quoted}): {quoted} is not one token of this tokenizer, which reads it "
                f"as the unknown token {self.text(unknown)}. Name a text that it knows, or use "
                "key.matches(...)."
            )
        if not ids:
            raise ExpressionError(
                f"key.is_({quoted}): the tokenizer makes no token of {quoted}. Name a token's "
                "text, or use key.matches(...)."
            )
        pieces = ", ".join(_quoted(piece) for piece in self.texts(ids[:_SHOWN_PIECES]))
        more = f" and {len(ids) - _SHOWN_PIECES} more" if len(ids) > _SHOWN_PIECES else ""
        raise ExpressionError(
            f"key.is_({quoted}): {quoted} is not one token of this tokenizer; it splits into "
            f"{pieces}{more}. Name one of those, or use key.matches(...)."
        )

    @cached_property
    def sha256(self) -> str:
        """The hash of the tokenizer's serialisation, or of its vocabulary if it has none.

        Without padding and truncation, which change when a tokenizer is called.
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
        # Tested by decoding, since a "▁" in the vocabulary may be an ordinary character.
        tokens = ["x", f"{_METASPACE}y"]
        try:
            return _METASPACE not in self.tokenizer.convert_tokens_to_string(tokens)
        # Tokenizers without such a piece raise different errors.
        except Exception:
            return False

    def _decode(self, token_id: int) -> str:
        # For an unknown id, some tokenizers return an empty text and others raise.
        if token_id not in self._known_ids:
            return f"<id {token_id}>"
        token = self.tokenizer.convert_ids_to_tokens(token_id)
        # Decoders drop spaces of the first token, inner ones too, and here each token is the first.
        if isinstance(token, str) and _METASPACE in token and self._has_metaspace:
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
                f"{text!r} contains a lone surrogate, which no token matches. Remove it."
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
