"""The record of a run: one versioned JSON object from which every report is drawn.

The types of the record and of baselines, and how they are written, read and checked. No measuring,
no deciding and no HTML: `headtests.sessions.recording` fills a record in, and `headtests.report`
shows what is in it and nothing else.
"""

from headtests.records.claims import (
    AfterStopRecord,
    AgainstRecord,
    ClaimRecord,
    CourseRecord,
    DifferenceRecord,
    DriftRecord,
    EstimateRecord,
    FixedRecord,
    FixedSideRecord,
    MovedRecord,
    RankRecord,
    StaleRecord,
    UnmeasuredRecord,
)
from headtests.records.explanations import (
    BoundedRecord,
    CallRecord,
    DetectionRecord,
    ExplanationRecord,
    HalfRecord,
    SuggestionRecord,
)
from headtests.records.files import read_record, schema, write_record
from headtests.records.pairs import CounterexampleRecord, HeadRecord, MultiplesRecord, PairRecord
from headtests.records.run import FORMAT, VERSION, Record
from headtests.records.searches import BreakingRecord, QuietRecord, SearchRecord
from headtests.records.sessions import (
    CorpusRecord,
    FilesLeftOutRecord,
    ModelRecord,
    SampleRecord,
    SessionRecord,
)

__all__ = [
    "FORMAT",
    "VERSION",
    "AfterStopRecord",
    "AgainstRecord",
    "BoundedRecord",
    "BreakingRecord",
    "CallRecord",
    "ClaimRecord",
    "CorpusRecord",
    "CounterexampleRecord",
    "CourseRecord",
    "DetectionRecord",
    "DifferenceRecord",
    "DriftRecord",
    "EstimateRecord",
    "ExplanationRecord",
    "FilesLeftOutRecord",
    "FixedRecord",
    "FixedSideRecord",
    "HalfRecord",
    "HeadRecord",
    "ModelRecord",
    "MovedRecord",
    "MultiplesRecord",
    "PairRecord",
    "QuietRecord",
    "RankRecord",
    "Record",
    "SampleRecord",
    "SearchRecord",
    "SessionRecord",
    "StaleRecord",
    "SuggestionRecord",
    "UnmeasuredRecord",
    "read_record",
    "schema",
    "write_record",
]
