"""The types of a baseline: claims with the figures of their documents, and what was measured on.

Types, and figures packed as text. `baseline_files` reads and writes baselines.
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
"""The fewest eligible documents whose figures are recorded for a claim, if there are so many."""
_BYTES = 4
"""The size of a packed figure, a share in quanta."""


class BaselineContext(TypedDict):
    """The model and corpus that claims were measured on."""

    model: str
    revision: str | None
    weights_sha256: str
    dtype: str
    device: str
    corpus: str
    """A description of the population."""
    corpus_sha256: str
    tokenizer_sha256: str
    bos: str
    seed: int
    """Determines the order of the documents."""
    versions: dict[str, str]


class BaselineSide(TypedDict):
    """One statistic on the recorded documents."""

    expression: str
    """The statistic as Python, such as `L1H3.mass(ht.induction)`."""
    kind: str
    value: float
    documents: int
    """The number of recorded documents, the first eligible ones of the pass; 0 for pairs."""
    documents_sha256: str
    """Of their ids; empty for pairs."""
    numerators: str
    """The contribution of each document, in quanta, packed; empty for pairs."""
    denominators: str
    """For a ratio, the same for its denominator; otherwise empty."""
    base_rate: float | None
    """The base rate of a lift, where it is one number for all documents; otherwise null."""


class BaselineClaim(TypedDict):
    """One claim, as it was when the baseline was recorded."""

    test: str
    """The name of the test in its file, as in pytest's node id."""
    claim: str
    """The claim as Python."""
    number: int
    """The number of the claim among equal claims of one test, from 0."""
    context: str
    """The key of its context in `contexts`."""
    verdict: str
    value: float
    """For a claim about two statistics: left minus factor times right."""
    low: float | None
    high: float | None
    left: BaselineSide
    right: BaselineSide | None
    """The other statistic; null for a threshold."""
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


def pack(figures: Int64s) -> str:
    """Return figures in quanta, from 0 to 1, as text.

    >>> pack(np.array([0, QUANTA]))
    'AAAAAAAAAEA='
    """
    return base64.b64encode(figures.astype(f"<u{_BYTES}").tobytes()).decode()


def unpack(text: str, where: str) -> Int64s:
    """Return the figures that were packed into a text.

    Raises `BaselineError`, which begins with `where`, for a text that holds no figures.
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
