"""Texts that the user holds in memory, as a corpus: checked, hashable, said in words.

A value only: nothing is tokenised here, and nothing is written but what `population` spools.
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
    """Texts in memory, each of them one document: its beginning, as far as `max_length` goes.

    Made by `of`, which looks at the texts. Two of the same texts are equal, and hash alike.

    >>> print(GivenTexts.of(["one text", "another"]))
    2 texts given in memory
    """

    texts: tuple[str, ...] = field(repr=False)
    bos: BosPolicy | None = None
    """Which special tokens frame a document; None leaves it to the run's setting."""
    max_length: int | None = None
    """The most tokens of a document, special ones included; None leaves it to the run's."""
    sha256: str = field(init=False, compare=False)
    """The hash of the texts, which stands for them where this is printed."""

    def __post_init__(self) -> None:
        # As JSON, which tells ["a", "b"] from ["ab"] and can write a lone surrogate.
        content = json.dumps(self.texts).encode()
        object.__setattr__(self, "sha256", sha256(content).hexdigest())

    @classmethod
    def of(cls, texts: Iterable[str], bos: BosPolicy | None = None) -> Self:
        """Return the texts of a list, or of anything else that gives one string after another.

        A tuple, a generator, a column of pandas or of `datasets`. Raises `CorpusError` for a
        single string, for a table, for something that is no string among the texts, and for none.
        """
        if isinstance(texts, str):
            raise CorpusError(f"expected several texts but found one string. {_REMEDY}")
        # Iterating over either gives names of columns, which are strings like any text.
        if isinstance(texts, Mapping) or getattr(texts, "ndim", 1) != 1:
            raise CorpusError(
                f"expected texts but found a {type(texts).__name__}. Give one of its columns, or "
                "a list of strings, one a text."
            )
        try:
            found = tuple(texts)
        except TypeError:
            raise CorpusError(
                f"expected texts but found {texts!r} ({type(texts).__name__}). {_REMEDY}"
            ) from None
        if not found:
            raise CorpusError(f"expected texts but found none. {_REMEDY}")
        for place, text in enumerate(found):
            if not isinstance(text, str):
                raise CorpusError(
                    f"expected texts but number {place}, from 0, is {type(text).__name__}: "
                    f"{_clipped(repr(text))}. {_REMEDY}"
                )
        return cls(found, bos)

    @property
    def name(self) -> str:
        """What the corpus is."""
        return f"{len(self.texts):,} text{'' if len(self.texts) == 1 else 's'} given in memory"

    @property
    def label(self) -> str:
        """What the corpus is, as a corpus that is read from somewhere says it, too."""
        return self.name

    @property
    def first(self) -> int:
        """How many documents at most: one a text."""
        return len(self.texts)

    def __str__(self) -> str:
        return self.name


def _clipped(text: str, length: int = 80) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
