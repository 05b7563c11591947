"""What a run may be told: its options, their kinds, defaults and the errors of bad ones.

Values only. Where a value comes from (command line, marker, ini file) is the plugin's; what it
does is that of the module it configures.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from headtests.errors import SettingError

BosPolicy = Literal["model", "always", "never"]
Precision = Literal["float32", "float16", "bfloat16"]
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
    dtype: Precision | None = None
    """None for the run's `headtests_dtype`."""
    device: str | None = None
    """None for the run's `headtests_device`."""
    missing: Literal["fail", "skip"] = "fail"
    """What becomes of a test whose model's files are not to be had."""

    def __str__(self) -> str:
        return self.name if self.revision is None else f"{self.name} at {self.revision}"

    @classmethod
    def of_marker(cls, positional: tuple[object, ...], named: Mapping[str, object]) -> "ModelSpec":
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
            choice("dtype of the model marker", values["dtype"], get_args(Precision))
        if "missing" in values:
            choice("missing of the model marker", values["missing"], ("fail", "skip"))
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for a whole run."""

    device: str = "auto"
    """`auto` (CUDA, then MPS, then CPU) or a name that torch knows, such as `cuda:1`."""
    dtype: Precision = "float32"
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
    against_dtype: Precision | None = field(default=None, repr=False)
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


def whole_number(name: str, value: object, least: int) -> int:
    """Return a whole number of at least so much; raises `SettingError` for another."""
    try:
        number = int(str(value).replace("_", ""))
    except ValueError:
        number = least - 1
    if number < least:
        raise SettingError(f"{name} is {value!r}, but it must be a whole number from {least} on.")
    return number


def byte_size(name: str, value: object) -> int:
    """Return a number of bytes, written like `4 GB`, `500MB` or `0`.

    >>> byte_size("headtests_spool", "1 kB")
    1000
    """
    units = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
    text = str(value).strip().lower()
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = text[len(digits) :].strip()
    try:
        size = float(digits) * units[unit]
    except (KeyError, ValueError):
        size = -1.0
    if not 0 <= size < float("inf"):
        raise SettingError(f"{name} is {value!r}, but it must be a size such as 4 GB or 500 MB.")
    return int(size)


def truth(name: str, value: object) -> bool:
    """Return a truth value, written as in an ini file; raises `SettingError` for another."""
    words = {"true": True, "1": True, "yes": True, "on": True}
    words |= {"false": False, "0": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    try:
        return words[str(value).strip().lower()]
    except KeyError:
        raise SettingError(f"{name} is {value!r}, but it must be true or false.") from None


def rate(name: str, value: object) -> float:
    """Return a rate of errors: over 0 and under 0.5; raises `SettingError` for another.

    >>> rate("headtests_alpha", "1e-3")
    0.001
    """
    try:
        number = float(str(value))
    except ValueError:
        number = 0.0
    if not 0 < number < 0.5:
        raise SettingError(f"{name} is {value!r}, but it must be a number over 0 and under 0.5.")
    return number


def margin(name: str, value: object) -> float:
    """Return how far a figure may move: from 0 to 1; raises `SettingError` for another.

    >>> margin("headtests_drift_margin", "0.05")
    0.05
    """
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise SettingError(f"{name} is {value!r}, but it must be a number from 0 to 1.")
    return number


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of a run, as the ini file and the command line know it."""

    name: str
    """Its field in `Settings`."""
    help: str
    metavar: str
    """What stands for its value in the help; empty for a flag, which takes none."""
    read: Callable[[str, object], Any]
    """From the option's name and its text to the value."""
    flag_means: object = True
    """What a flag on the command line stands for."""

    @property
    def ini(self) -> str:
        """Its name in the ini file."""
        return f"headtests_{self.name}"

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return f"--headtests-{self.name.replace('_', '-')}"


DEVICES = ("cpu", "cuda", "mps", "xpu", "hpu", "mtia", "xla", "maia", "meta", "privateuseone")
"""The kinds of device that torch has, but for those that run no model."""


def _device(name: str, value: object) -> str:
    text = str(value).strip()
    kind, _, number = text.partition(":")
    if text != "auto" and (kind not in DEVICES or not (number or "0").isdigit()):
        raise SettingError(f"{name} is {value!r}, but it must be auto, cpu, cuda, cuda:1, mps ...")
    return text


def _named(what: str) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        text = str(value).strip()
        if not text:
            raise SettingError(
                f"{name} is {value!r}, but it must be {what}. Name one, or leave it out."
            )
        return text

    return read


def seconds(name: str, value: object) -> float:
    """Return a time in seconds, over 0 and up to a day; raises `SettingError` for another.

    >>> seconds("headtests_explain_timeout", "2.5")
    2.5
    """
    try:
        number = float(str(value))
    except ValueError:
        number = 0.0
    if not 0 < number <= 86_400:
        raise SettingError(f"{name} is {value!r}, but it must be seconds, over 0 and up to a day.")
    return number


OPTIONS: tuple[Option, ...] = (
    Option("device", "auto (CUDA, then MPS, then CPU) or a torch device", "DEVICE", _device),
    Option(
        "dtype",
        "float32, float16 or bfloat16",
        "TYPE",
        lambda name, value: choice(name, value, get_args(Precision)),
    ),
    Option(
        "bos",
        "model (what its tokenizer does), always or never",
        "POLICY",
        lambda name, value: choice(name, value, get_args(BosPolicy)),
    ),
    Option(
        "max_documents",
        "the budget: documents that may go through the model",
        "N",
        lambda name, value: whole_number(name, value, 1),
    ),
    Option(
        "max_length",
        "tokens of a document at most",
        "N",
        lambda name, value: whole_number(name, value, 2),
    ),
    Option(
        "batch_size",
        "documents that go through the model at once",
        "N",
        lambda name, value: whole_number(name, value, 1),
    ),
    Option("spool", "attention rows kept for later comparisons, such as 4 GB", "SIZE", byte_size),
    Option(
        "seed",
        "keys the order of documents and the random multiples",
        "N",
        lambda name, value: whole_number(name, value, 0),
    ),
    Option("suppress_first_token", "take key 0 out of multiples and relations", "BOOL", truth),
    Option(
        "min_query",
        "the first query position that is a row",
        "N",
        lambda name, value: whole_number(name, value, 0),
    ),
    Option("alpha", "how often a claim may be decided falsely, at most", "RATE", rate),
    Option(
        "undecided",
        "fail or skip: what becomes of a test whose claim the budget leaves undecided",
        "OUTCOME",
        lambda name, value: choice(name, value, get_args(Undecided)),
    ),
    Option("rank", "rank each statistic among all heads of the layers that are read", "", truth),
    Option("cache", "folder of the results that are kept between runs", "DIR", _named("a folder")),
    Option("cache_size", "what kept results may take, such as 500 MB", "SIZE", byte_size),
    Option("no_cache", "keep no results between runs, and read none", "", truth),
    Option(
        "explain",
        "have a language model explain the heads of claims that did not hold; in the ini file "
        "failures, all (claims), built-in (no model is asked) or none",
        "",
        lambda name, value: choice(name, value, get_args(Explain)),
        flag_means="failures",
    ),
    Option("explain_model", "the language model that is asked", "NAME", _named("a model's name")),
    Option(
        "explain_url",
        "the OpenAI-compatible server that is asked",
        "URL",
        _named("a URL such as http://localhost:8000/v1"),
    ),
    Option(
        "explain_calls",
        "questions that a run may ask it",
        "N",
        lambda name, value: whole_number(name, value, 0),
    ),
    Option(
        "explain_tokens",
        "tokens that questions and answers may take",
        "N",
        lambda name, value: whole_number(name, value, 0),
    ),
    Option("explain_timeout", "seconds that one attempt may take", "SECONDS", seconds),
    Option(
        "against",
        "another model (a folder, or a name with a slash), or a revision of each test's own, that "
        "every claim is asked of, too",
        "NAME",
        _named("a model or a revision"),
    ),
    Option(
        "against_dtype",
        "float32, float16 or bfloat16, of that one; alone, the same model in that type",
        "TYPE",
        lambda name, value: choice(name, value, get_args(Precision)),
    ),
    Option("record", "write a baseline of each claim, to compare later runs with", "", truth),
    Option(
        "drift",
        "fail, warn or off: what becomes of a test whose figure moved since its baseline",
        "OUTCOME",
        lambda name, value: choice(name, value, get_args(DriftOutcome)),
    ),
    Option("drift_margin", "how far a figure may move and be called unchanged", "SHARE", margin),
    Option(
        "search_prompts",
        "prompts of a family that are tried, at most, to break a claim about them",
        "N",
        lambda name, value: whole_number(name, value, 1),
    ),
    Option(
        "counterexamples",
        "keep prompts that break claims beside the tests, replay those that are kept, or none",
        "WHAT",
        lambda name, value: choice(name, value, get_args(Kept)),
    ),
)
"""Every setting that an ini file or a command line may give, in the order of the help."""
