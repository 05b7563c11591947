"""What stands in a baseline: claims with the figures of their documents, and what these came from.

Values and their packing only. Reading and writing is `files`.
"""

import base64
import binascii

import numpy as np
from typing_extensions import TypedDict

from headtests.errors import BaselineError
from headtests.statistics.quanta import QUANTA, Int64s

FORMAT = "headtests-baseline"
VERSION = 1
DOCUMENTS = 600
"""Eligible documents that a claim's entry has figures of, at least, where there are so many."""
_BYTES = 4
"""Of a figure: a share in quanta fits."""


class BaselineContext(TypedDict):
    """What claims were measured on."""

    model: str
    revision: str | None
    weights_sha256: str
    dtype: str
    device: str
    corpus: str
    """The population in words."""
    corpus_sha256: str
    tokenizer_sha256: str
    bos: str
    seed: int
    """Which decides the order of the documents."""
    versions: dict[str, str]


class BaselineSide(TypedDict):
    """One statistic on the recorded documents."""

    expression: str
    """As Python, such as `L1H3.mass(ht.induction)`."""
    kind: str
    value: float
    documents: int
    """The first so many eligible documents of the pass; of pairs, 0."""
    documents_sha256: str
    """Of their ids; empty of pairs."""
    numerators: str
    """What each contributes, in quanta, packed; empty of pairs."""
    denominators: str
    """The same of what it is divided by, of a ratio; else empty."""
    base_rate: float | None
    """What a lift's mass is divided by, where that is one number of all documents."""


class BaselineClaim(TypedDict):
    """One claim, as it was when it was recorded."""

    test: str
    """The test's name in its file, as pytest has it."""
    claim: str
    """The claim as Python."""
    number: int
    """Which of equal claims of one test it is, from 0."""
    context: str
    """The key of what it was measured on."""
    verdict: str
    value: float
    """Of a claim about two statistics, the left one less the right one times its factor."""
    low: float | None
    high: float | None
    left: BaselineSide
    right: BaselineSide | None
    """The other statistic; null of a threshold."""
    factor: float
    suppress_first_token: bool
    min_query: int


class Baseline(TypedDict):
    """The baselines of one hypothesis file."""

    format: str
    version: int
    contexts: dict[str, BaselineContext]
    claims: list[BaselineClaim]
    """Sorted by test, claim and number."""


def packed(figures: Int64s) -> str:
    """Return figures in quanta, from 0 to 1, as text.

    >>> packed(np.array([0, QUANTA]))
    'AAAAAAAAAEA='
    """
    return base64.b64encode(figures.astype(f"<u{_BYTES}").tobytes()).decode()


def unpacked(text: str, where: str) -> Int64s:
    """Return the figures that were packed into a text.

    Raises `BaselineError`, which says where it stands, for a text that holds none.
    """
    try:
        content = base64.b64decode(text.encode("ascii"), validate=True)
        figures: Int64s = np.frombuffer(content, dtype=f"<u{_BYTES}").astype(np.int64)
    except (binascii.Error, ValueError) as error:
        raise BaselineError(
            f"{where} holds figures that cannot be read ({error}). Record it again with "
            "--headtests-record."
        ) from error
    if (figures > QUANTA).any():
        raise BaselineError(
            f"{where} holds a figure of {int(figures.max()) / QUANTA:.3g}, and figures of "
            "documents are shares from 0 to 1. Record it again with --headtests-record."
        )
    return figures
