"""What the hub's silence means: whether it could be asked at all, and why not.

The only reader of the errors of the hub's client. What is asked for is `models`' and `corpora`'s.
"""

from collections.abc import Callable, Iterator
from http import HTTPStatus

SECONDS = 10.0
"""How long the hub may take to say whether it has something."""
_ASK_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


def out_of_reach(error: BaseException) -> str:
    """Return why the hub could not be asked, where an error says so; else empty.

    Of a name, revision or file that the hub does not have, and of a refused access, it is empty:
    those would be errors tomorrow, too.
    """
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    said = ""
    for one in _causes(error):
        if isinstance(one, HfHubHTTPError):
            return _said_of_status(one.response.status_code)
        if isinstance(one, LocalEntryNotFoundError | OfflineModeIsEnabled):
            # What led to it may say more.
            said = _said_of_silence(one)
        elif _is_of_transport(one):
            return _said_of_silence(one)
    return said


def ask(question: Callable[..., object], name: str) -> str:
    """Return why the hub cannot be asked about a name; empty where it answers, whatever it says.

    One request of at most `SECONDS`, and none with `HF_HUB_OFFLINE=1`. The libraries that load
    models ask again and again before they say that there is no network, for minutes.
    """
    try:
        question(name, timeout=SECONDS)
    except Exception as error:
        return out_of_reach(error)
    return ""


def ask_for_model(name: str) -> str:
    """Return why the hub cannot be asked about a model; empty where it answers."""
    from huggingface_hub import HfApi

    return ask(HfApi().model_info, name)


def why_missing(name: str, file: str, revision: str | None, silence: str) -> str:
    """Return why the hub cannot give a model's file, where it is not here either; else empty.

    `silence` is why the hub cannot be asked, as `ask_for_model` says it.
    """
    from huggingface_hub import hf_hub_download

    try:
        hf_hub_download(name, file, revision=revision, local_files_only=bool(silence))
    except Exception as error:
        return silence or out_of_reach(error)
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it, the outermost first."""
    while error is not None:
        yield error
        hidden = error.__suppress_context__ or error.__cause__ is not None
        error = error.__cause__ if hidden else error.__context__


def _said_of_status(status: int) -> str:
    if status not in _ASK_LATER and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return ""
    known = status in HTTPStatus._value2member_map_
    return f"the hub answers {status}{f' {HTTPStatus(status).phrase}' if known else ''}"


def _is_of_transport(error: BaseException) -> bool:
    """Return whether an error is one of a connection; whichever HTTP library made it."""
    return isinstance(error, ConnectionError | TimeoutError) or any(
        base.__name__ == "TransportError" and base.__module__.startswith("httpx")
        for base in type(error).__mro__
    )


def _said_of_silence(error: BaseException) -> str:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set, and it is not in the cache"
    message = " ".join(str(error).split()).rstrip(".")
    said = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return f"the hub does not answer ({said})"
