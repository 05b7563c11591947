"""A corpus of texts that the user passes in: validated and hashable.

Data only: nothing is tokenised or written here.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from headtests.errors import CorpusError
from headtests.settings import BosPolicy

_REMEDY = "Give a list of strings, one a text."


@dataclass(frozen=True)
class GivenTexts:
    """Texts in memory; each is one document, truncated to `max_length` tokens.

    Made by `of`, which validates the texts. Corpora of the same texts are equal.

    >>> print(GivenTexts.of(["one text", "another"]))
    2 texts given in memory
    """

    texts: tuple[str, ...] = field(repr=False)
    bos: BosPolicy | None = None
    """The policy for special tokens; None for the setting of the run."""
    max_length: int | None = None
    """The most tokens of a document, special ones included; None for the setting of the run."""
    sha256: str = field(init=False, compare=False)
    """The hash of the texts."""

    def __post_init__(self) -> None:
        # As JSON, which distinguishes ["a", "b"] from ["ab"] and can encode lone surrogates.
        content = json.dumps(self.texts).encode()
        object.__setattr__(self, "sha256", sha256(content).hexdigest())

    @classmethod
    def of(cls, texts: Iterable[str], bos: BosPolicy | None = None) -> Self:
        """Return the corpus of the texts of an iterable of strings.

        This can be a list, a tuple, a generator, or a column of pandas or of `datasets`. Raises
        `CorpusError` for a single string, a table, an item that is not a string, and no texts.
        """
        if isinstance(texts, str):
            raise CorpusError(f"expected several texts but found one string. {_REMEDY}")
        # Iterating over a table gives the names of its columns, which are strings too.
        if isinstance(texts, Mapping) or getattr(texts, "ndim", 1) != 1:
            raise CorpusError(
                f"expected texts but found a {type(texts).__name__}. Give one of its columns, or "
                "a list of strings, one a text."
            )
        try:
            items = tuple(texts)
        except TypeError:
            raise CorpusError(
                f"expected texts but found {texts!r} ({type(texts).__name__}). {_REMEDY}"
            ) from None
        if not items:
            raise CorpusError(f"expected texts but found none. {_REMEDY}")
        for place, text in enumerate(items):
            if not isinstance(text, str):
                raise CorpusError(
                    f"expected texts but item {place}, counted from 0, is {type(text).__name__}: "
                    f"{clipped(repr(text))}. {_REMEDY}"
                )
        return cls(items, bos)

    @property
    def name(self) -> str:
        """The name of the corpus, such as "2 texts given in memory"."""
        return f"{len(self.texts):,} text{'' if len(self.texts) == 1 else 's'} given in memory"

    @property
    def label(self) -> str:
        """The name, as in `CorpusSpec.label`."""
        return self.name

    @property
    def first(self) -> int:
        """The most documents that there can be: one per text."""
        return len(self.texts)

    def __str__(self) -> str:
        return self.name


def clipped(text: str, length: int = 80) -> str:
    """Return the text, shortened to at most `length` characters by an ellipsis.

    >>> clipped("a long text", 9)
    'a long...'
    """
    return text if len(text) <= length else text[: length - 3] + "..."
