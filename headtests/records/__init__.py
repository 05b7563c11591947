"""The records of a run and of an atlas: versioned JSON from which every report is drawn.

The types of the record and of baselines, and how they are written, read and checked. No measuring,
no deciding and no HTML: `headtests.sessions.recording` fills a record in, and `headtests.report`
shows what is in it and nothing else.
"""

from headtests.records.atlas import (
    ATLAS_FORMAT,
    ATLAS_VERSION,
    AtlasCorpusRecord,
    AtlasHeadRecord,
    AtlasRecord,
    AtlasRoleRecord,
    RelationRecord,
    RelationSharesRecord,
    RoleSharesRecord,
)
from headtests.records.atlas_files import atlas_schema, read_atlas, require_atlas, write_atlas
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
    "ATLAS_FORMAT",
    "ATLAS_VERSION",
    "FORMAT",
    "VERSION",
    "AfterStopRecord",
    "AgainstRecord",
    "AtlasCorpusRecord",
    "AtlasHeadRecord",
    "AtlasRecord",
    "AtlasRoleRecord",
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
    "RelationRecord",
    "RelationSharesRecord",
    "RoleSharesRecord",
    "SampleRecord",
    "SearchRecord",
    "SessionRecord",
    "StaleRecord",
    "SuggestionRecord",
    "UnmeasuredRecord",
    "atlas_schema",
    "read_atlas",
    "read_record",
    "require_atlas",
    "schema",
    "write_atlas",
    "write_record",
]
