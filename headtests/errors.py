"""The errors that headtests raises, and the warnings that it issues.

One small hierarchy of errors; each message says what was found, what was expected and what to do.
An error is never a verdict: a claim that could not be measured, or that is
undecided, neither holds nor is refuted. What a message quotes from outside is made legible here,
wherever it is shown later.
"""

from headtests.io.escaping import legible


class HeadtestsError(Exception):
    """The base class of every error that headtests raises."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*map(_legible, arguments))


class SettingError(HeadtestsError):
    """An option, ini value or marker argument that is invalid."""


class HeadNameError(SettingError):
    """A head's name that cannot be read, or that names no head of the model."""


class ExpressionError(HeadtestsError):
    """A token expression or relation used where it has no meaning."""


class ClaimError(HeadtestsError):
    """A comparison or request that is meaningless or impossible."""


class NoEligibleRowError(ClaimError):
    """A statistic for which no document has an eligible row."""


class UndecidedError(HeadtestsError):
    """The truth value of a claim that the budget of documents left undecided."""


class CorpusError(HeadtestsError):
    """A corpus that cannot be read, or that has no document."""


class ModelError(HeadtestsError):
    """A model that cannot be run as requested."""


class ModelUnavailableError(ModelError):
    """A model whose files are not available: no such name, no network, or no access."""


class OutOfReachError(HeadtestsError):
    """A model or corpus that the Hugging Face hub could not provide now.

    The cause is an outage, a rate limit or a missing network; the same run may succeed later.
    """


class ModelOutOfReachError(ModelUnavailableError, OutOfReachError):
    """A model that the Hugging Face hub could not provide now."""


class CorpusOutOfReachError(CorpusError, OutOfReachError):
    """A corpus that the Hugging Face hub could not provide now."""


class CaptureError(ModelError):
    """Attention rows that are not probabilities over the attendable keys."""


class ObservationError(HeadtestsError, ValueError):
    """Multiples or pairs that cannot be summarised: not in range, or columns that do not fit."""


class RecordError(HeadtestsError):
    """A record of a run that cannot be read."""


class BaselineError(HeadtestsError):
    """A baseline that cannot be read, or that cannot be compared with this run."""


class CounterexampleError(HeadtestsError):
    """A file of saved counterexamples that cannot be read."""


class DriftError(HeadtestsError):
    """A claim whose figure moved since its baseline, if `headtests_drift` is `fail`."""


class DriftWarning(UserWarning):
    """A claim whose figure moved since its baseline, if `headtests_drift` is `warn`."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*map(_legible, arguments))


class CacheWarning(UserWarning):
    """A cached result that could not be used, or a result that could not be cached."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*map(_legible, arguments))


class ModelWarning(UserWarning):
    """Something in a model's folder that was not used, such as an adapter."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*map(_legible, arguments))


def _legible(argument: object) -> object:
    return legible(argument) if isinstance(argument, str) else argument
