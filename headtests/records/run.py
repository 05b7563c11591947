"""The whole record of a run, and its version.

Shapes only: the parts have their own modules, and `headtests.records.files` reads and writes.
"""

from typing_extensions import TypedDict

from headtests.records.claims import ClaimRecord, StaleRecord, UnmeasuredRecord
from headtests.records.explanations import ExplanationRecord
from headtests.records.pairs import HeadRecord
from headtests.records.searches import SearchRecord
from headtests.records.sessions import SessionRecord

FORMAT = "headtests-record"
VERSION = 1


class Record(TypedDict):
    """A whole run."""

    format: str
    version: int
    created: str
    """ISO 8601, UTC."""
    complete: bool
    incomplete_reason: str
    environment: dict[str, str]
    """What ran: versions of headtests, Python, torch and the rest; the platform; the commit."""
    sessions: list[SessionRecord]
    heads: list[HeadRecord]
    claims: list[ClaimRecord]
    false_decisions: float
    """How often a run like this decides any claim falsely, at most: the claims' rates, summed."""
    searches: list[SearchRecord]
    """Claims about every prompt of a family; no rate of false decisions is about them."""
    unmeasured: list[UnmeasuredRecord]
    stale: list[StaleRecord]
    """Baselines of claims that are no longer made."""
    unrecorded: int
    """How many claims have no baseline, where the folder of their tests has any."""
    explanations: list[ExplanationRecord]
    """What explainers say of the heads of claims; no verdict depends on it."""
