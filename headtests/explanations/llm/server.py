"""Which language model is asked, where and how patiently, and what must never be shown of that.

No request is made here.
"""

import logging
import os
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

OPENAI = "https://api.openai.com/v1"
"""Who is asked where nobody is named."""


PLACEHOLDER = "not-needed"
"""The key that is sent to a server which was named without one."""


LONGEST_WAIT = 8.0
"""Seconds that the SDK waits at most before a retry, unless the server asks for more."""


_SECRET = 8
"""From so many characters on, a key is replaced wherever it stands; a shorter one as a word."""


_NO_SECRET = 3
"""So short a key is none."""


_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, repr=False)
class Server:
    """Which model is asked, where, and how patiently."""

    model: str
    base_url: str | None = None
    """Null for the environment's OPENAI_BASE_URL, or else OpenAI's own."""
    key: str | None = None
    """Null for the environment's OPENAI_API_KEY."""
    timeout: float = 60.0
    """Seconds that one attempt may be silent, and that the body of an answer may take."""
    retries: int = 3
    """How often a request is sent again: after a 429, a 5xx, a lost connection, a silence."""
    parallel: int = 4
    """Requests at once."""

    def __repr__(self) -> str:
        return f"Server({self.model!r}, {self.address!r})"

    @property
    def url(self) -> str:
        """Where requests go, as it was named: not to be shown, see `address`."""
        return (self.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI).strip()

    @property
    def base(self) -> str:
        """The URL without user, password, query string and fragment.

        What is left out is sent by `headers` and `query`: errors of the network quote URLs.
        """
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def query(self) -> dict[str, str]:
        """What the URL says behind its question mark, which every request repeats."""
        return dict(parse_qsl(urlsplit(self.url).query))

    @property
    def headers(self) -> dict[str, str]:
        """What carries the URL's user and password, which then stand in for the key."""
        basic = self._basic
        return {"Authorization": f"Basic {_encoded(basic)}"} if basic else {}

    @property
    def _basic(self) -> str:
        """User and password of the URL, with a colon between them; empty where there are none."""
        parts = urlsplit(self.url)
        named = (unquote(parts.username or ""), unquote(parts.password or ""))
        return ":".join(named) if any(named) else ""

    @property
    def secret(self) -> str:
        """The key, from wherever it comes; empty where there is none."""
        return (self.key or os.environ.get("OPENAI_API_KEY") or "").strip()

    @property
    def named(self) -> bool:
        """Whether a server was named, so that it may do without a key."""
        return bool(self.base_url or os.environ.get("OPENAI_BASE_URL"))

    @property
    def limit(self) -> float:
        """Seconds after which an ask is given up, whatever still trickles in.

        `(retries + 1) * (timeout + 8)`: each attempt's time, and what may pass around it.
        """
        return (self.retries + 1) * (self.timeout + LONGEST_WAIT)

    @property
    def address(self) -> str:
        """The URL as it may be shown: without user, password, query string and key.

        >>> Server("m", "http://user:password@localhost:8000/v1?token=secret").address
        'http://localhost:8000/v1'
        """
        parts = _split(self.url)
        if parts is None:
            # Where one part ends and the next begins is unknown, so more is left out.
            scheme, mark, rest = self.url.rpartition("://")
            shown = scheme + mark + re.split(r"[?#]", rest.rpartition("@")[2])[0]
        else:
            shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        return Secrets([self.secret]).hidden(_UNPRINTABLE.sub(" ", shown))

    @property
    def trouble(self) -> str:
        """Why nothing can be asked of it, in a sentence; empty where it may be tried."""
        if not self.secret and not self.named:
            return (
                "there is no key and no server. Set OPENAI_API_KEY for OpenAI's, or "
                "OPENAI_BASE_URL for another; the built-in explainer needs neither."
            )
        if _split(self.url) is None:
            return (
                f"the address {self.address!r:.200} is none: expected one such as "
                "http://localhost:8000/v1. Correct headtests_explain_url or OPENAI_BASE_URL."
            )
        if not self.secret.isascii() or _UNPRINTABLE.search(self.secret):
            return (
                "the key holds characters that no key has, such as spaces. "
                "Correct OPENAI_API_KEY; it is sent as it stands."
            )
        return ""

    @property
    def secrets(self) -> "Secrets":
        """All that must not be shown: the key, and what the URL holds beside the address."""
        found = [self.secret]
        parts = _split(self.url)
        if parts is not None:
            basic, password = self._basic, parts.password or ""
            found += [basic, _encoded(basic), password, unquote(password)]
            found.append(parts.netloc.rpartition("@")[0])
            values = [value for _, value in parse_qsl(parts.query)]
            found += [parts.query, *(value for value in values if len(value) >= _SECRET)]
        return Secrets(found)


def _encoded(basic: str) -> str:
    return b64encode(basic.encode()).decode()


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL that a request can go to, or None."""
    if _UNPRINTABLE.search(url):
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


class Secrets:
    """Texts that are replaced by `[key]` wherever they stand.

    One under 8 characters is replaced where it stands as a word, and one of up to 3 is no secret.

    >>> Secrets(["sk-0123456"]).hidden("Bearer sk-0123456")
    'Bearer [key]'
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        longest_first = sorted({one for one in secrets if len(one) > _NO_SECRET}, key=len)[::-1]
        patterns = [
            re.escape(one) if len(one) >= _SECRET else rf"(?<!\w){re.escape(one)}(?!\w)"
            for one in longest_first
        ]
        self._pattern = re.compile("|".join(patterns)) if patterns else None

    def hidden(self, text: str) -> str:
        """Return a text without the secrets."""
        return text if self._pattern is None else self._pattern.sub("[key]", text)

    @contextmanager
    def out_of_logs(self) -> Iterator[None]:
        """Keep the secrets out of all that is logged in this process until the block ends."""
        with _LOCK:
            hiding = _Hiding(self, logging.getLogRecordFactory())
            logging.setLogRecordFactory(hiding)
        try:
            yield
        finally:
            with _LOCK:
                hiding.secrets = None
                # Where somebody came on top of it, it stays below and hides nothing.
                while isinstance(top := logging.getLogRecordFactory(), _Hiding) and top.is_over:
                    logging.setLogRecordFactory(top.below)


class _Hiding:
    """Makes records of logging without secrets.

    Records are the one place that all loggers share: some of the network's libraries make theirs
    only when they connect.
    """

    def __init__(self, secrets: Secrets, below: Callable[..., logging.LogRecord]) -> None:
        self.secrets: Secrets | None = secrets
        self.below = below

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to hide any more."""
        return self.secrets is None

    def __call__(self, *given: Any, **named: Any) -> logging.LogRecord:
        record, secrets = self.below(*given, **named), self.secrets
        if secrets is None:
            return record
        try:
            said = record.getMessage()
        # What cannot be formatted logging itself shows in pieces.
        except Exception:
            said = f"{record.msg} {record.args}"
        if secrets.hidden(said) != said:
            record.msg, record.args = secrets.hidden(said), None
        if record.exc_info and record.exc_info[0]:
            trace = logging.Formatter().formatException(record.exc_info)
            if secrets.hidden(trace) != trace:
                record.exc_text, record.exc_info = secrets.hidden(trace), None
        return record


_LOCK = Lock()


class Key(str):
    """A key, whose `repr` is not the key: what a traceback or a debugger shows of it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[key]"


def hidden(key: str | None) -> Key | None:
    """Return a key that tracebacks do not show; None for none.

    >>> hidden("sk-secret")
    [key]
    """
    return None if key is None else Key(key)
