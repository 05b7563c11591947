"""Sessions in the record: the model that was run, and the documents.

Types only: nothing is measured, decided or drawn here.
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
    """How attention rows were read, such as `hook_pattern`."""


class FilesLeftOutRecord(TypedDict):
    """Files of a corpus that were not read."""

    reason: str
    """What they are, such as "Hidden files"."""
    files: int
    names: list[str]
    """The names of the first of them."""


class SampleRecord(TypedDict):
    """How a document begins."""

    document: int
    text: str
    """The id of its text."""
    beginning: str
    """The first characters, after the special tokens at the start."""


class CorpusRecord(TypedDict):
    """The documents that were run."""

    name: str
    description: str
    """A description of the population, such as "the first 253 documents of demo"."""
    documents: int
    texts: int
    tokens: int
    max_length: int
    bos: str
    """The BOS policy: `model`, `always` or `never`."""
    bos_effect: str
    """The effect of the policy on each document, in words."""
    sha256: str
    """Of the token ids of every document, in order."""
    notes: list[str]
    """What was left out or replaced, one sentence each."""
    files: int
    """The number of files that the documents are from; 0 for a corpus that is not in files."""
    file_names: list[str]
    """The names of the first of these files."""
    files_after: int
    """The number of files that come after the last document, and were not read."""
    files_left_out: list[FilesLeftOutRecord]
    """The files of the corpus that are no part of it, by the reason."""
    rows: int
    """The number of rows, paragraphs or texts that were read, empty ones included."""
    samples: list[SampleRecord]
    """The first, the middle and the last document."""


class SessionRecord(TypedDict):
    """One model over one corpus."""

    key: str
    model: ModelRecord
    corpus: CorpusRecord
    budget: int
    """The most documents that the run may put through the model."""
    documents_run: int
    tokens_run: int
    tokens_run_twice: int
    results_kept: int
    """The number of results read from the cache on disk, for which no document ran."""
    seed: int
    alpha: float
    """The most often that each of its claims is decided falsely."""
