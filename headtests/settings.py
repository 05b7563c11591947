"""What a run may be told: its options, their kinds, defaults and the errors of bad ones.

Values only. Where a value comes from (command line, marker, ini file) is the plugin's; what it
does is that of the module it configures.
"""

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
    """Which model, as a marker names it."""

    name: str = "demo"
    """A hub name, a local folder, or `demo` for the bundled model."""
    revision: str | None = None
    """A branch, tag or commit of the hub's repository."""
    dtype: Dtype | None = None
    """None for the run's `headtests_dtype`."""
    device: str | None = None
    """None for the run's `headtests_device`."""
    missing: Literal["fail", "skip"] = "fail"
    """What becomes of a test whose model's files are not to be had."""

    def __str__(self) -> str:
        return self.name if self.revision is None else f"{self.name} at {self.revision}"

    @classmethod
    def from_marker(
        cls, positional: tuple[object, ...], named: Mapping[str, object]
    ) -> "ModelSpec":
        """Return what `pytest.mark.model(...)` says.

        Raises `SettingError` for arguments that it does not take.
        """
        takes = [taken.name for taken in fields(cls)]
        unknown = sorted(set(named) - set(takes))
        if unknown or len(positional) > 1 or (positional and "name" in named):
            found = ", ".join([*map(repr, positional), *(f"{key}=" for key in named)])
            raise SettingError(
                f"the model marker takes a name, revision=, dtype=, device= and missing= but found "
                f"{found}. Write pytest.mark.model(NAME, revision=...)."
            )
        values: dict[str, Any] = dict(named)
        if positional:
            values["name"] = positional[0]
        left_open = [taken.name for taken in fields(cls) if taken.default is None]
        for name, value in values.items():
            if value is None and name in left_open:
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
    """What holds for a whole run."""

    device: str = "auto"
    """`auto` (CUDA, then MPS, then CPU) or a name that torch knows, such as `cuda:1`."""
    dtype: Dtype = "float32"
    """The weights' and activations' type."""
    bos: BosPolicy = "model"
    """What stands before each document: `corpora.tokens` has the three meanings."""
    max_documents: int = 2000
    """The budget: how many documents a run may put through the model."""
    max_length: int | None = None
    """Tokens of a document at most; None for 256, or the model's context where that is shorter."""
    batch_size: int = 32
    """Documents that go through the model at once; halved where memory ends."""
    spool: int = 4 * 2**30
    """Bytes of attention rows kept in memory and on disk, to serve later comparisons."""
    seed: int = 0
    """Keys the order of documents and the random multiples."""
    suppress_first_token: bool | None = None
    """None: on for causal models, off for bidirectional ones."""
    min_query: int = 1
    """The first query position that is a row."""
    alpha: float = 0.001
    """How often a claim may be decided falsely, at most."""
    undecided: Undecided = "fail"
    """What becomes of a test whose claim the budget leaves undecided."""
    rank: bool = False
    """Whether each statistic is measured of every head of the layers that are read, as a rank."""
    # Where results are kept changes none, so what names a run by its settings leaves it out.
    cache: str | None = field(default=None, repr=False)
    """The folder of the results that are kept between runs; None for the user's cache folder."""
    cache_size: int = field(default=2 * 10**9, repr=False)
    """Bytes that the kept results may take; the longest unread are deleted first."""
    no_cache: bool = field(default=False, repr=False)
    """Whether no result is kept between runs, and none is read."""
    # No verdict depends on an explanation, so these name no run either.
    explain: Explain = field(default="built-in", repr=False)
    """Which claims have their heads explained: `built-in`, by the built-in explainer, those that
    did not hold; `failures`, these by a language model, too; `all`, every claim by both; `none`."""
    explain_model: str = field(default="gpt-4o-mini", repr=False)
    """The language model that is asked."""
    explain_url: str | None = field(default=None, repr=False)
    """Where it is asked; None for the environment's OPENAI_BASE_URL, or else OpenAI's own."""
    explain_calls: int = field(default=200, repr=False)
    """How many questions a run may ask it."""
    explain_tokens: int = field(default=500_000, repr=False)
    """How many tokens a run's questions and answers may take together."""
    explain_timeout: float = field(default=60.0, repr=False)
    """Seconds that one attempt at a question may take."""
    # Another model is asked after this one has decided.
    against: str | None = field(default=None, repr=False)
    """Another model, or a revision of each test's own, that every claim is asked of, too."""
    against_dtype: Dtype | None = field(default=None, repr=False)
    """The type of that one's weights; alone, the same model in another type."""
    # Baselines are looked at after a claim was decided.
    record: bool = field(default=False, repr=False)
    """Whether a baseline of each claim is written, in place of those that there are."""
    drift: DriftOutcome = field(default="warn", repr=False)
    """What becomes of a test whose claim's figure moved since its baseline was recorded."""
    drift_margin: float = field(default=0.02, repr=False)
    """How far a figure may move and be called unchanged: as a share of 1, and of what it was where
    it is a multiple."""
    # Prompts are searched beside the documents, which decide everything else.
    search_prompts: int = field(default=2000, repr=False)
    """How many prompts of a family are tried before it is said that none breaks a claim."""
    counterexamples: Kept = field(default="keep", repr=False)
    """Prompts that broke a claim: `keep` them beside the tests and try them first, `replay` those
    that are kept and keep no others, or `none`."""


def choice(name: str, value: object, choices: tuple[str, ...]) -> str:
    """Return a value that is one of a few words; raises `SettingError` for another."""
    if value not in choices:
        raise SettingError(f"{name} is {value!r}, but it must be one of {', '.join(choices)}.")
    return str(value)
