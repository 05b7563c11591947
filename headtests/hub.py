"""Whether the Hugging Face hub is reachable, and if not, why.

The only module that interprets errors of the hub's client. `headtests.models` and
`headtests.corpora` make the requests.
"""

from collections.abc import Callable, Iterator
from http import HTTPStatus

SECONDS = 10.0
"""The timeout of a request to the hub."""
_TRY_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


def out_of_reach(error: BaseException) -> str:
    """Return why the hub was not reachable, according to an error; otherwise an empty string.

    Empty for a name, revision or file that the hub does not have, and for a refused access:
    trying again later would not help.
    """
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    reason = ""
    for cause in _causes(error):
        if isinstance(cause, HfHubHTTPError):
            return _reason_of_status(cause.response.status_code)
        if isinstance(cause, LocalEntryNotFoundError | OfflineModeIsEnabled):
            # An error that led to this one may tell more.
            reason = _reason_of_no_answer(cause)
        elif _is_of_transport(cause):
            return _reason_of_no_answer(cause)
    return reason


def ask(question: Callable[..., object], name: str) -> str:
    """Return why the hub is not reachable, or an empty string if it answers anything.

    `question` is called once with the name, with a timeout of `SECONDS`; with `HF_HUB_OFFLINE=1`
    no request is sent. Libraries that load models retry for minutes before they give up.
    """
    try:
        question(name, timeout=SECONDS)
    except Exception as error:
        return out_of_reach(error)
    return ""


def ask_for_model(name: str) -> str:
    """Return why the hub cannot be asked about a model, or an empty string if it answers."""
    from huggingface_hub import HfApi

    return ask(HfApi().model_info, name)


def why_missing(name: str, file: str, revision: str | None, silence: str) -> str:
    """Return why a model's file is out of reach: neither cached nor available from the hub now.

    Empty if the file is available, or if the hub answers that it does not exist.

    `silence` is the result of `ask_for_model`: why the hub is not reachable, or empty.
    """
    from huggingface_hub import hf_hub_download

    try:
        hf_hub_download(name, file, revision=revision, local_files_only=bool(silence))
    except Exception as error:
        return silence or out_of_reach(error)
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes, the outermost first."""
    while error is not None:
        yield error
        hidden = error.__suppress_context__ or error.__cause__ is not None
        error = error.__cause__ if hidden else error.__context__


def _reason_of_status(status: int) -> str:
    if status not in _TRY_LATER and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return ""
    known = status in HTTPStatus._value2member_map_
    return f"the hub answers {status}{f' {HTTPStatus(status).phrase}' if known else ''}"


def _is_of_transport(error: BaseException) -> bool:
    """Return whether an error is a connection error, of any HTTP library."""
    return isinstance(error, ConnectionError | TimeoutError) or any(
        base.__name__ == "TransportError" and base.__module__.startswith("httpx")
        for base in type(error).__mro__
    )


def _reason_of_no_answer(error: BaseException) -> str:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set, and it is not in the cache"
    message = " ".join(str(error).split()).rstrip(".")
    shown = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return f"the hub does not answer ({shown})"
