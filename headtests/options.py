"""The options of a run: their names, help, and how each value is read from text.

The values themselves, with their defaults, are `headtests.settings`; where a text comes from
(command line, marker, ini file) is the plugin's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from headtests.errors import SettingError
from headtests.settings import BosPolicy, DriftOutcome, Dtype, Explain, Kept, Undecided, choice


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
        lambda name, value: choice(name, value, get_args(Dtype)),
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
        lambda name, value: choice(name, value, get_args(Dtype)),
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
