"""Sessions in the record: the model that was run, and the documents.

Shapes only: nothing is measured, decided or drawn here.
"""

from typing_extensions import TypedDict


class ModelRecord(TypedDict):
    """The model that was run."""

    name: str
    revision: str | None
    architecture: str
    layers: int
    heads: int
    bidirectional: bool
    dtype: str
    device: str
    weights_sha256: str
    tokenizer: str
    tokenizer_sha256: str
    capture: str
    """How the rows were read, such as `hook_pattern`."""


class CorpusRecord(TypedDict):
    """The documents that were run."""

    name: str
    description: str
    """The population in words, such as "the first 253 documents of demo"."""
    documents: int
    texts: int
    tokens: int
    max_length: int
    bos: str
    """The BOS policy: `model`, `always` or `never`."""
    bos_effect: str
    """What the policy did to each document, in words."""
    sha256: str
    """Of the exact token ids of every document, in order."""
    notes: list[str]
    """What was left out or replaced, each in a sentence."""


class SessionRecord(TypedDict):
    """One model over one corpus."""

    key: str
    model: ModelRecord
    corpus: CorpusRecord
    budget: int
    """Documents that the run was allowed to put through the model."""
    documents_run: int
    tokens_run: int
    tokens_run_twice: int
    results_kept: int
    """Figures and pairs that earlier runs had left on disk: no document ran for them."""
    seed: int
    alpha: float
    """How often each of its claims is decided falsely, at most."""
