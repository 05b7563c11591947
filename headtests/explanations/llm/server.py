"""Which language model is asked, at which address and with which key; and how secrets are hidden.

No request is made here.
"""

import os
import re
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import SecretStr

OPENAI = "https://api.openai.com/v1"
"""The server that is asked if none is named."""
LONGEST_WAIT = 8.0
"""Seconds that the SDK waits at most before a retry, unless the server asks for more."""
_LONG = 8
"""A secret of this length or more is hidden anywhere, one of 4 or more as a word, others never."""
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, repr=False)
class Server:
    """A language model at an address, with the key and the limits of its use."""

    model: str
    base_url: str | None = None
    """None for the environment's OPENAI_BASE_URL, or else OpenAI's own."""
    key: SecretStr | str | None = None
    """None for the environment's OPENAI_API_KEY. Stored as a `SecretStr`."""
    timeout: float = 60.0
    """Seconds of silence after which one attempt fails, and seconds for the body of an answer."""
    retries: int = 3
    """How often the SDK repeats a request: after 408, 409, 429, 5xx, a lost connection, silence."""
    parallel: int = 4
    """Concurrent requests."""

    def __post_init__(self) -> None:
        if isinstance(self.key, str):
            object.__setattr__(self, "key", SecretStr(self.key))

    def __repr__(self) -> str:
        return f"Server({self.model!r}, {self.address!r})"

    @property
    def url(self) -> str:
        """Where requests go, as the user wrote it, with credentials; `address` can be shown."""
        return (self.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI).strip()

    @property
    def secret(self) -> str:
        """The key in plain text; empty if there is none."""
        key = self.key.get_secret_value() if isinstance(self.key, SecretStr) else self.key
        return (key or os.environ.get("OPENAI_API_KEY") or "").strip()

    @property
    def basic(self) -> str:
        """The URL's user and password, to be sent in place of the key; empty if it has none."""
        parts = urlsplit(self.url)
        pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        return b64encode(pair.encode("utf-8", "surrogatepass")).decode() if pair != ":" else ""

    @property
    def limit(self) -> float:
        """Seconds after which an ask fails: `(retries + 1) * (timeout + 8)`."""
        return (self.retries + 1) * (self.timeout + LONGEST_WAIT)

    @property
    def address(self) -> str:
        """The URL as it may be shown: without user, password, query string and key.

        >>> Server("m", "http://user:password@localhost:8000/v1?token=secret").address
        'http://localhost:8000/v1'
        """
        if (parts := _split(self.url)) is not None:
            return _replaced([self.secret], bare(parts))
        scheme, mark, rest = self.url.rpartition("://")
        shown = scheme + mark + re.split(r"[?#]", rest.rpartition("@")[2])[0]
        return _replaced([self.secret], _UNPRINTABLE.sub(" ", shown))

    @property
    def trouble(self) -> str:
        """Why the server cannot be asked, in a sentence; empty if it can be tried."""
        if not (self.secret or self.base_url or os.environ.get("OPENAI_BASE_URL")):
            return (
                "there is no key and no server. Set OPENAI_API_KEY for OpenAI's, or "
                "OPENAI_BASE_URL for another; the built-in explainer needs neither."
            )
        if _split(self.url) is None:
            return (
                f"the address {self.address!r:.200} is not a URL: expected one such as "
                "http://localhost:8000/v1. Correct headtests_explain_url or OPENAI_BASE_URL."
            )
        if not self.secret.isascii() or _UNPRINTABLE.search(self.secret):
            return (
                "the key contains characters that a request cannot carry, such as spaces. "
                "Correct OPENAI_API_KEY."
            )
        return ""

    def redact(self, text: str) -> str:
        """Return a text with `[key]` in place of the key and of the credentials in the URL.

        >>> Server("m", key="sk-0123456").redact("Bearer sk-0123456")
        'Bearer [key]'
        """
        secrets = [self.secret]
        if (parts := _split(self.url)) is not None:
            written = [parts.password or "", parts.netloc.rpartition("@")[0]]
            secrets += [*written, *map(unquote, written), self.basic, parts.query]
            secrets += [value for _, value in parse_qsl(parts.query) if len(value) >= _LONG]
        return _replaced(secrets, text)


def bare(parts: SplitResult) -> str:
    """Return a URL without user, password, query string and fragment."""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL that a request can be sent to, or None."""
    if _UNPRINTABLE.search(url):
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _replaced(secrets: list[str], text: str) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= 4:
            word = re.escape(secret)
            word = word if len(secret) >= _LONG else rf"(?<!\w){word}(?!\w)"
            text = re.sub(word, "[key]", text)
    return text
