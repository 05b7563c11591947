"""The options of a run: their names, help, and how each value is parsed.

Types and defaults are `headtests.settings`; the plugin reads the command line and the ini file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from headtests.errors import SettingError
from headtests.settings import BosPolicy, DriftOutcome, Dtype, Explain, Kept, Undecided, choice


def whole_number(name: str, value: object, least: int) -> int:
    """Return a whole number of at least `least`; raises `SettingError` for any other value.

    >>> whole_number("headtests_max_documents", "10_000", 1)
    10000
    """
    try:
        number = int(str(value).replace("_", ""))
    except ValueError:
        number = least - 1
    if number < least:
        raise SettingError(f"{name} is {value!r}, but it must be a whole number from {least} on.")
    return number


def byte_size(name: str, value: object) -> int:
    """Return a number of bytes, written as `4 GB`, `500MB` or `0`; raises `SettingError`.

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
    """Return a truth value, written as in an ini file; raises `SettingError` for any other value.

    >>> truth("headtests_rank", "yes")
    True
    """
    words = {"true": True, "1": True, "yes": True, "on": True}
    words |= {"false": False, "0": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    try:
        return words[str(value).strip().lower()]
    except KeyError:
        raise SettingError(f"{name} is {value!r}, but it must be true or false.") from None


def rate(name: str, value: object) -> float:
    """Return an error rate, over 0 and under 0.5; raises `SettingError` for any other value.

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
    """Return a margin from 0 to 1; raises `SettingError` for any other value.

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
    """One setting of a run, as in the ini file and on the command line."""

    name: str
    """Its field in `Settings`."""
    help: str
    metavar: str
    """The placeholder of its value in the help; empty for a flag, which takes no value."""
    read: Callable[[str, object], Any]
    """Parses the value, given the option's name and the text."""
    flag_means: object = True
    """The value of a flag that is given on the command line."""

    @property
    def ini(self) -> str:
        """Its name in the ini file."""
        return f"headtests_{self.name}"

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return f"--headtests-{self.name.replace('_', '-')}"


DEVICES = ("cpu", "cuda", "mps", "xpu", "hpu", "mtia", "xla", "maia", "meta", "privateuseone")
"""The device types of torch that can run a model."""


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


def _one_of(literal: Any) -> Callable[[str, object], str]:
    return lambda name, value: choice(name, value, get_args(literal))


def _whole(least: int) -> Callable[[str, object], int]:
    return lambda name, value: whole_number(name, value, least)


def seconds(name: str, value: object) -> float:
    """Return a number of seconds, over 0 and at most a day; raises `SettingError` otherwise.

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
    Option("dtype", "float32, float16 or bfloat16", "TYPE", _one_of(Dtype)),
    Option("bos", "model (what its tokenizer does), always or never", "POLICY", _one_of(BosPolicy)),
    Option(
        "max_documents",
        "the budget: maximum number of documents to run through the model",
        "N",
        _whole(1),
    ),
    Option("max_length", "maximum number of tokens per document", "N", _whole(2)),
    Option("batch_size", "documents per forward pass", "N", _whole(1)),
    Option("spool", "maximum size of stored attention rows, such as 4 GB", "SIZE", byte_size),
    Option("seed", "seed of the order of documents and of random multiples", "N", _whole(0)),
    Option("suppress_first_token", "exclude key 0 from multiples and relations", "BOOL", truth),
    Option("min_query", "the first query position that is a row", "N", _whole(0)),
    Option("alpha", "maximum rate of false decisions per claim", "RATE", rate),
    Option(
        "undecided",
        "fail or skip: outcome of a test whose claim is undecided at the end of the budget",
        "OUTCOME",
        _one_of(Undecided),
    ),
    Option("rank", "rank each statistic among all heads of the measured layers", "", truth),
    Option("cache", "folder of results cached between runs", "DIR", _named("a folder")),
    Option("cache_size", "maximum size of cached results, such as 500 MB", "SIZE", byte_size),
    Option("no_cache", "neither read nor write cached results", "", truth),
    Option(
        "explain",
        "explain the heads of claims that did not hold by a language model too; in the ini file "
        "failures, all (of every claim), built-in (no language model) or none",
        "",
        _one_of(Explain),
        flag_means="failures",
    ),
    Option("explain_model", "name of the language model", "NAME", _named("a model's name")),
    Option(
        "explain_url",
        "base URL of an OpenAI-compatible server",
        "URL",
        _named("a URL such as http://localhost:8000/v1"),
    ),
    Option("explain_calls", "maximum number of language-model calls per run", "N", _whole(0)),
    Option("explain_tokens", "maximum number of language-model tokens per run", "N", _whole(0)),
    Option("explain_timeout", "timeout of one attempt of a call, in seconds", "SECONDS", seconds),
    Option(
        "against",
        "measure every claim on another model as well: a folder, a GGUF file, a name with a slash, "
        "or a revision of each test's own model",
        "NAME",
        _named("a model or a revision"),
    ),
    Option(
        "against_dtype",
        "float32, float16 or bfloat16: type of that model; alone, the same model in this type",
        "TYPE",
        _one_of(Dtype),
    ),
    Option("record", "write a baseline of each claim, to compare later runs with", "", truth),
    Option(
        "drift",
        "fail, warn or off: outcome of a test whose figure moved since its baseline",
        "OUTCOME",
        _one_of(DriftOutcome),
    ),
    Option("drift_margin", "how far an unchanged figure may move", "SHARE", margin),
    Option(
        "search_prompts",
        "maximum number of prompts that are tried to break a claim about a family",
        "N",
        _whole(1),
    ),
    Option(
        "counterexamples",
        "keep (save prompts that break claims beside the tests), replay (saved ones) or none",
        "WHAT",
        _one_of(Kept),
    ),
)
"""Every setting of the ini file and the command line, in the order of the help."""
