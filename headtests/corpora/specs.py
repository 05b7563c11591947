"""Which corpus a test requests: a name and options, validated and hashable.

Data only, without expensive imports. Whether the corpus exists is checked in `sources`. A field
that is None was not given.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, cast, get_args

from headtests.errors import SettingError
from headtests.settings import BosPolicy

DEMO = "demo"
"""The name of the bundled texts; write `./demo` for a folder of that name."""
REPEATED_RANDOM = "repeated-random"
"""The name of the synthetic corpus of repeated sequences of random tokens."""
DEFAULT_FIRST = 10_000
DEFAULT_FIELD = "text"

BOS_POLICIES: tuple[BosPolicy, ...] = get_args(BosPolicy)

_RANDOM_DEFAULTS = {"period": 24, "repeats": 2, "documents": 256, "seed": 0}
_KINDS: dict[str, tuple[str, type]] = {
    "name": ("str", str),
    "config": ("str", str),
    "split": ("str", str),
    "field": ("str", str),
    "first": ("int", int),
    "max_length": ("int", int),
    "bos": ("str", str),
    "period": ("int", int),
    "repeats": ("int", int),
    "documents": ("int", int),
    "seed": ("int", int),
}
_POSITIVE = ("first", "max_length", "period", "repeats", "documents")


@dataclass(frozen=True)
class CorpusSpec:
    """A corpus and which of its documents are requested.

    Raises `SettingError` for a value of the wrong type, a count below 1, and an option that this
    corpus does not have. Specs that request the same documents are equal.

    >>> CorpusSpec("my-corpus/", field="body", first=1000)  # doctest: +ELLIPSIS
    CorpusSpec(name='my-corpus/', config=None, split=None, field='body', first=1000, ...)
    >>> print(CorpusSpec("my-corpus/", field="body", first=1000))
    my-corpus/ (field body), first 1,000
    """

    name: str = DEMO
    """`demo`, `repeated-random`, a hub name, or a local folder or file."""
    config: str | None = None
    """The configuration of a dataset that has several, such as `wikitext-2-raw-v1`."""
    split: str | None = None
    """The split of a dataset; None for `train`, or the only one."""
    field: str | None = None
    """The column of a dataset that holds the text; `text` by default."""
    first: int = DEFAULT_FIRST
    """The number of documents, from the start of the corpus."""
    max_length: int | None = None
    """The most tokens of a document, special ones included; None for the setting of the run."""
    bos: BosPolicy | None = None
    """The policy for special tokens; None for the setting of the run."""
    period: int | None = None
    """For `repeated-random`: the number of random tokens that are repeated."""
    repeats: int | None = None
    """For `repeated-random`: how often they occur in a document."""
    documents: int | None = None
    """For `repeated-random`: the number of documents."""
    seed: int | None = None
    """For `repeated-random`: the seed of the random tokens, at least 0."""

    def __post_init__(self) -> None:
        self._check_values()
        if self.name == REPEATED_RANDOM:
            self._refuse("config", "split", "field")
            self._fill(**_RANDOM_DEFAULTS)
        elif self.name == DEMO:
            self._refuse("config", "split", "field", *_RANDOM_DEFAULTS)
        else:
            self._refuse(*_RANDOM_DEFAULTS)
            self._fill(field=DEFAULT_FIELD)

    @classmethod
    def from_marker(cls, args: Sequence[object], kwargs: Mapping[str, object]) -> Self:
        """Return the spec that `pytest.mark.corpus(*args, **kwargs)` requests.

        The name, a string or a path, is the only positional argument and defaults to `demo`.
        Raises `SettingError` for other arguments.
        """
        if len(args) > 1:
            raise SettingError(
                f"corpus takes one positional argument, its name, but got {len(args)}: "
                f"{', '.join(map(repr, args))}. Give the others by keyword."
            )
        if args and "name" in kwargs:
            raise SettingError(
                f"corpus got two names, {args[0]!r} and name={kwargs['name']!r}. Give one."
            )
        known = [field.name for field in fields(cls)]
        for option in kwargs:
            if option not in known:
                raise SettingError(
                    f"corpus has no option {option!r}; expected one of {', '.join(known)}."
                )
        options = dict(zip(("name",), args, strict=False)) | dict(kwargs)
        if isinstance(options.get("name"), os.PathLike):
            options["name"] = os.fspath(cast("os.PathLike[str]", options["name"]))
        return cls(**cast("dict[str, Any]", options))

    @property
    def label(self) -> str:
        """The corpus in words, without how much of it is requested.

        >>> CorpusSpec("repeated-random", period=10).label
        'repeated-random (period 10, repeats 2, seed 0)'
        """
        options: dict[str, object] = {"config": self.config, "split": self.split}
        options |= {"period": self.period, "repeats": self.repeats}
        options["field"] = None if self.field == DEFAULT_FIELD else self.field
        options["seed"] = self.seed
        details = [f"{name} {value}" for name, value in options.items() if value is not None]
        return f"{self.name} ({', '.join(details)})" if details else self.name

    def __str__(self) -> str:
        parts = [self.label, f"first {self.first:,}"]
        if self.documents is not None:
            parts.append(f"documents {self.documents:,}")
        if self.max_length is not None:
            parts.append(f"max_length {self.max_length}")
        if self.bos is not None:
            parts.append(f"bos {self.bos}")
        return ", ".join(parts)

    def _check_values(self) -> None:
        for option, (expected, kind) in _KINDS.items():
            value = getattr(self, option)
            if value is None and option not in ("name", "first"):
                continue
            # True is an int in Python, but never a count.
            if not isinstance(value, kind) or isinstance(value, bool):
                raise SettingError(
                    f"corpus: expected {expected} but got {option}={value!r} "
                    f"({type(value).__name__})."
                )
            if kind is str and not value:
                raise SettingError(f"corpus: {option} is empty; name one, or leave it out.")
        for option in _POSITIVE:
            value = getattr(self, option)
            if value is not None and value < 1:
                raise SettingError(f"corpus: expected 1 or more but got {option}={value}.")
        if self.seed is not None and self.seed < 0:
            raise SettingError(f"corpus: expected 0 or more but got seed={self.seed}.")
        if self.bos is not None and self.bos not in BOS_POLICIES:
            raise SettingError(
                f"corpus: expected one of {', '.join(BOS_POLICIES)} but got bos={self.bos!r}."
            )

    def _refuse(self, *options: str) -> None:
        for option in options:
            if getattr(self, option) is not None:
                belongs = REPEATED_RANDOM if option in _RANDOM_DEFAULTS else "a dataset"
                raise SettingError(
                    f"corpus {self.name!r} has no {option}, but got "
                    f"{option}={getattr(self, option)!r}: it is an option of {belongs}. "
                    "Leave it out, or name the corpus that you mean."
                )

    def _fill(self, **defaults: object) -> None:
        for option, value in defaults.items():
            if getattr(self, option) is None:
                object.__setattr__(self, option, value)
