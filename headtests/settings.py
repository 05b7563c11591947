"""The settings of a run: their types and defaults.

Values only. The plugin reads them from the command line, markers and the ini file; the modules
that they configure act on them.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from headtests.errors import SettingError

BosPolicy = Literal["model", "always", "never"]
Dtype = Literal["float32", "float16", "bfloat16"]
Undecided = Literal["fail", "skip"]
Explain = Literal["built-in", "failures", "all", "none"]
DriftOutcome = Literal["fail", "warn", "off"]
Kept = Literal["keep", "replay", "none"]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model, as a marker names it.

    >>> print(ModelSpec("gpt2", revision="main"))
    gpt2 at main
    """

    name: str = "demo"
    """A local folder or GGUF file, a name on the hub, or `demo` for the bundled model."""
    revision: str | None = None
    """A branch, tag or commit of the repository on the hub."""
    dtype: Dtype | None = None
    """Type of the weights; None for the run's `headtests_dtype`."""
    device: str | None = None
    """Device of the model; None for the run's `headtests_device`."""
    missing: Literal["fail", "skip"] = "fail"
    """Outcome of a test whose model's files are not available."""

    def __str__(self) -> str:
        return self.name if self.revision is None else f"{self.name} at {self.revision}"

    @property
    def is_gguf(self) -> bool:
        """Whether the name is that of a GGUF file, or of a folder that is named like one."""
        return self.name.lower().endswith(".gguf")

    @property
    def is_local(self) -> bool:
        """Whether the model is of this machine, and has no revisions.

        >>> ModelSpec("gpt2").is_local, ModelSpec("models/gpt2.gguf").is_local
        (False, True)
        """
        folder = os.path.expanduser(self.name)
        return self.name == "demo" or self.is_gguf or os.path.isdir(folder)

    @classmethod
    def from_marker(
        cls, positional: tuple[object, ...], named: Mapping[str, object]
    ) -> "ModelSpec":
        """Return the model of the arguments of `pytest.mark.model(...)`.

        Raises `SettingError` for arguments that the marker does not take.

        >>> ModelSpec.from_marker(("gpt2",), {"revision": "main"}).revision
        'main'
        """
        unknown = set(named) - {argument.name for argument in fields(cls)}
        if unknown or len(positional) > 1 or (positional and "name" in named):
            arguments = ", ".join([*map(repr, positional), *(f"{key}=" for key in named)])
            raise SettingError(
                f"the model marker takes a name, revision=, dtype=, device= and missing= but found "
                f"{arguments}. Write pytest.mark.model(NAME, revision=...)."
            )
        values: dict[str, Any] = dict(named)
        if positional:
            values["name"] = positional[0]
        optional = [argument.name for argument in fields(cls) if argument.default is None]
        for name, value in values.items():
            if value is None and name in optional:
                continue
            if not isinstance(value, str) or not value:
                raise SettingError(
                    f"expected a string for {name} of the model marker but found {value!r} "
                    f"({type(value).__name__})."
                )
        if values.get("dtype") is not None:
            choice("dtype of the model marker", values["dtype"], get_args(Dtype))
        if "missing" in values:
            choice("missing of the model marker", values["missing"], ("fail", "skip"))
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a whole run.

    >>> Settings(alpha=0.01).max_documents
    2000
    """

    device: str = "auto"
    """`auto` (CUDA, then MPS, then CPU) or a torch device, such as `cuda:1`."""
    dtype: Dtype = "float32"
    """Type of weights and activations."""
    bos: BosPolicy = "model"
    """Whether documents begin with BOS: `headtests.corpora.tokens` describes the three policies."""
    max_documents: int = 2000
    """The budget: maximum number of documents that run through the model."""
    max_length: int | None = None
    """Maximum tokens per document; None for 256, or the model's context if that is shorter."""
    batch_size: int = 32
    """Documents per forward pass; halved when memory runs out."""
    spool: int = 4 * 2**30
    """Maximum bytes of attention rows stored in memory and on disk for later comparisons."""
    seed: int = 0
    """Seed of the order of documents and of the random multiples. The rate of false decisions
    counts each seed that was tried."""
    suppress_first_token: bool | None = None
    """Whether key 0 is excluded from multiples and relations; None: for causal models only."""
    min_query: int = 1
    """The first query position that is a row."""
    alpha: float = 0.001
    """Maximum rate of false decisions per claim."""
    undecided: Undecided = "fail"
    """Outcome of a test whose claim is undecided at the end of the budget."""
    rank: bool = False
    """Whether each statistic is ranked among all heads of the measured layers."""
    # The cache changes no result, so the settings that identify a run leave it out.
    cache: str | None = field(default=None, repr=False)
    """Folder of results cached between runs; None for the user's cache folder."""
    cache_size: int = field(default=2 * 10**9, repr=False)
    """Maximum bytes of cached results; the least recently used are deleted first."""
    no_cache: bool = field(default=False, repr=False)
    """Whether the cache is neither read nor written."""
    # No verdict depends on an explanation, so these do not identify a run either.
    explain: Explain = field(default="built-in", repr=False)
    """Which heads are explained: `built-in`, those of claims that did not hold, by the built-in
    explainer; `failures`, the same, by a language model too; `all`, those of every claim, by
    both; `none`."""
    explain_model: str = field(default="gpt-4o-mini", repr=False)
    """Name of the language model."""
    explain_url: str | None = field(default=None, repr=False)
    """Base URL of its server; None for the environment's OPENAI_BASE_URL, or else OpenAI's."""
    explain_calls: int = field(default=200, repr=False)
    """Maximum number of language-model calls per run."""
    explain_tokens: int = field(default=500_000, repr=False)
    """Maximum number of language-model tokens per run, of prompts and answers together."""
    explain_timeout: float = field(default=60.0, repr=False)
    """Timeout of one attempt of a call, in seconds."""
    # The other model is measured after this one has decided.
    against: str | None = field(default=None, repr=False)
    """Another model, or a revision of each test's own model, to measure every claim on as well."""
    against_dtype: Dtype | None = field(default=None, repr=False)
    """Type of the other model's weights; without `against`, the same model in this type."""
    # Baselines are compared after a claim was decided.
    record: bool = field(default=False, repr=False)
    """Whether a baseline of each claim is written, replacing existing ones."""
    drift: DriftOutcome = field(default="warn", repr=False)
    """Outcome of a test whose claim's figure moved since its baseline."""
    drift_margin: float = field(default=0.02, repr=False)
    """How far an unchanged figure may move: absolute for shares, relative for multiples and, from
    0.2 down, for shares."""
    # Searching prompts affects claims about prompts only.
    search_prompts: int = field(default=2000, repr=False)
    """Maximum number of prompts of a family that a search tries."""
    counterexamples: Kept = field(default="keep", repr=False)
    """Prompts that broke a claim: `keep` saves them beside the tests and tries them first, `replay`
    tries saved ones and saves no others, `none` does neither."""


def choice(name: str, value: object, choices: tuple[str, ...]) -> str:
    """Return a value that is one of `choices`; raises `SettingError` for another.

    >>> choice("headtests_undecided", "skip", ("fail", "skip"))
    'skip'
    """
    if value not in choices:
        raise SettingError(f"{name} is {value!r}, but it must be one of {', '.join(choices)}.")
    return str(value)
