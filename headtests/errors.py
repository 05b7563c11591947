"""The errors that headtests raises on purpose.

One small hierarchy; each message says what was found, what was expected, and what to do. No
logic lives here. An error of this family is never a verdict: a claim that could not be measured,
or that its documents left open, is neither held nor refuted.
"""


class HeadtestsError(Exception):
    """What every deliberate error of headtests derives from."""


class SettingError(HeadtestsError):
    """An option, ini value or marker argument that cannot be used as it stands."""


class HeadNameError(SettingError):
    """A head's name that cannot be read, or that names no head of the model."""


class ExpressionError(HeadtestsError):
    """A token expression or relation used where it has no meaning."""


class ClaimError(HeadtestsError):
    """A comparison that claims nothing, or that cannot be asked for in this way."""


class NoEligibleRowError(ClaimError):
    """A statistic for which no document has a single row to measure."""


class UndecidedError(HeadtestsError):
    """The truth of a claim that the documents of the budget left undecided."""


class CorpusError(HeadtestsError):
    """A corpus that cannot be read, or that holds nothing to measure on."""


class ModelError(HeadtestsError):
    """A model that cannot be run as it was asked for."""


class ModelUnavailableError(ModelError):
    """A model whose files are not to be had: no such name, no network, no access."""


class OutOfReachError(HeadtestsError):
    """A model or corpus that the hub could not give now: an outage, a limit, no network.

    Says nothing of the model or corpus itself: the same run may go through an hour later.
    """


class CaptureError(ModelError):
    """Attention rows that are not probabilities over the keys that the row may attend to."""


class ObservationError(HeadtestsError, ValueError):
    """Multiples or pairs that cannot be summarised: not in range, or columns that do not fit."""


class RecordError(HeadtestsError):
    """A record of a run that cannot be read."""


class BaselineError(HeadtestsError):
    """A baseline that cannot be read, or that was recorded on something else than what ran."""


class CounterexampleError(HeadtestsError):
    """A file of kept prompts that cannot be read."""


class DriftError(HeadtestsError):
    """A claim whose figure moved since its baseline was recorded, where that fails its test."""
