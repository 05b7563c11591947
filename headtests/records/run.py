"""The whole record of a run, and its version.

Types only: the parts have their own modules, and `headtests.records.files` reads and writes.
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
    """Versions of headtests, Python, torch and other packages; the platform; the commit."""
    sessions: list[SessionRecord]
    heads: list[HeadRecord]
    claims: list[ClaimRecord]
    false_decisions: float
    """The most often that such a run decides any claim falsely: the sum of the claims' rates."""
    searches: list[SearchRecord]
    """Claims about every prompt of a family; the rate of false decisions does not include them."""
    unmeasured: list[UnmeasuredRecord]
    stale: list[StaleRecord]
    """Baselines of claims that are no longer made."""
    unrecorded: int
    """The number of claims without a baseline in folders that have baselines."""
    explanations: list[ExplanationRecord]
    """Descriptions of the heads of claims; no verdict depends on them."""
