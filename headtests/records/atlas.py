"""The record of an atlas: every head by every relation, the roles that were found, their claims.

Types only: `headtests.atlas` measures and fills it in, and `headtests.report.atlas` shows it.
"""

from typing import Literal

from typing_extensions import TypedDict

from headtests.records.explanations import BoundedRecord, HalfRecord
from headtests.records.pairs import PairRecord
from headtests.records.sessions import ModelRecord, SessionRecord

ATLAS_FORMAT = "headtests-atlas"
ATLAS_VERSION = 1


class RelationRecord(TypedDict):
    """A relation of the library."""

    expression: str
    """As Python, such as `ht.induction.latest`."""
    name: str
    """A noun phrase that follows "goes to", such as "the previous token"."""
    role: str
    """What a head is called that mostly does this, such as "previous-token head"; may be empty."""


class RelationSharesRecord(TypedDict):
    """One relation for every head, on the second half of a corpus; lists are in order of heads.

    In rows that have such a key. A share is one of the attention that does not rest, as
    `head.mass(relation, of=~ht.first)` is; of all attention if key 0 is not suppressed. Null for a
    head without such attention, and for all heads if no document has such a row.
    """

    relation: int
    """Its place in `relations`."""
    documents: int
    """The number of documents with such a row."""
    rows: int
    is_distance: bool
    """Whether the relation is a distance in these documents: nearly every pair at the distances of
    its pairs lies in it. A head's own profile over distance is then no control of it, and an excess
    is over uniform attention; else it is over the larger of both."""
    uniform: list[float | None]
    """The shares that uniform attention would give; they differ between windows alone."""
    shares: list[float | None]
    distance: list[float | None]
    """The shares that each head's own average attention at the same distances would give."""
    parts: list[float | None]
    """The share of the attention of all rows, those without such a key included."""


class AtlasCorpusRecord(TypedDict):
    """What was measured of every head on one corpus; lists are in the order of `heads`."""

    session: SessionRecord
    marker: str
    """The arguments of the corpus marker that names it, as Python; empty for texts in memory."""
    suppress_first_token: bool
    min_query: int
    choose: HalfRecord
    """The half of the texts that relations and thresholds were chosen on."""
    measure: HalfRecord
    """The half that every figure here is measured on, and every claim is decided on."""
    relations: list[RelationSharesRecord]
    resting: list[float | None]
    """Attention on position 0, averaged over rows and documents; null without documents."""
    coverage: list[float | None]
    """The share of what does not rest that lies on keys of the head's confirmed relations."""
    entropy: list[float | None]
    """Row entropy over the logarithm of the number of keys, in [0, 1]."""
    peak: list[float | None]
    """The row's largest attention."""
    distances: list[list[int]]
    """The first and the last distance from query to key of each bin of `profiles`; negative
    distances are keys after the query."""
    profiles: list[list[float | None]]
    """For each head, average attention on a key at the distances of each bin; null for none."""


class RoleSharesRecord(TypedDict):
    """A role's relation on one half of the texts."""

    documents: int
    rows: int
    share: BoundedRecord
    """Of the attention that does not rest, in rows that have such a key."""
    uniform: float
    distance: float
    """The share that the head's own average attention at the same distances would give."""
    part: float
    """The share of the attention of all rows."""


class AtlasRoleRecord(TypedDict):
    """A relation that a head was found to attend to, and the claim that was made of it."""

    corpus: int
    """The place of its corpus in `corpora`."""
    relation: int
    """The place of its relation in `relations`."""
    expression: str
    """The keys as Python: those of the relation without those of roles found before it."""
    english: str
    """The same as a clause that follows "keys"."""
    claim: str
    """The comparison as Python, such as `head.mass(ht.induction, of=~ht.first) >= 0.4`."""
    threshold: float
    chosen: RoleSharesRecord
    """On the half that it was chosen on."""
    measured: RoleSharesRecord
    """On the other half."""
    verdict: Literal["holds", "refuted", "undecided"]
    """On the second half, at the rate `alpha`."""
    log_e: float | None
    """The natural logarithm of the e-value for the claim; null if it is infinite."""
    confirmed: bool
    """Whether it holds and is a discovery of e-BH over all proposals at `level`."""


class AtlasHeadRecord(TypedDict):
    """One head."""

    name: str
    layer: int
    index: int
    roles: list[AtlasRoleRecord]
    """Confirmed ones first, then by their share of all attention over their control, largest
    first. Empty for a head with nothing above the controls."""
    ranked: list[list[PairRecord]]
    """For each corpus, some of the head's highest multiples, each in its row."""
    random: list[list[PairRecord]]
    """For each corpus, random above-average multiples: the control."""


class AtlasRecord(TypedDict):
    """A whole atlas: one model over one corpus or several."""

    format: str
    version: int
    created: str
    """ISO 8601, UTC."""
    complete: bool
    incomplete_reason: str
    environment: dict[str, str]
    """Versions of headtests, Python, torch and other packages; the platform; the commit."""
    model: ModelRecord
    seed: int
    alpha: float
    """The most often that a claim is decided falsely, each by itself."""
    level: float
    """The false discovery rate of e-BH over all proposals."""
    relations: list[RelationRecord]
    corpora: list[AtlasCorpusRecord]
    heads: list[AtlasHeadRecord]
    """Every head of the model, layer by layer."""
