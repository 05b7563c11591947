"""Claims in the record: what was claimed, measured and decided, and the outcome of the test.

Types only: nothing is measured, decided or drawn here.
"""

from typing import Literal

from typing_extensions import TypedDict

from headtests.records.pairs import CounterexampleRecord, MultiplesRecord


class RankRecord(TypedDict):
    """The rank of a head's figure among all heads on the same documents."""

    rank: int
    """1 for the highest; heads with equal figures share the better rank."""
    of: int
    """The number of heads, itself included."""


class EstimateRecord(TypedDict):
    """The measurement of one statistic; a figure without a meaning is null.

    Measured on the shortest prefix of documents, in the order of the pass, that decided the claim.
    """

    expression: str
    """The statistic as Python, such as `L1H3.mass(ht.induction)`."""
    kind: str
    """`mass`, `entropy`, `peak`, `top1_rate`, `exceed_rate`, `precision`, `lift`, or a figure of
    ranked or random multiples: `fraction`, `median`, `mean`."""
    head: str
    """The key of its head in `heads`."""
    value: float
    """The figure where reading stopped. It lies beyond the true one on average where the claim was
    decided before the last document: `after_stop` of the claim is not biased."""
    low: float | None
    high: float | None
    """The bounds of a confidence sequence: both hold together with a probability of at least
    1 - 2 alpha, however often the figure was looked at. Null for pairs, and if there is no upper
    bound."""
    documents: int | None
    """The number of documents with an eligible row."""
    texts: int | None
    """The number of texts of these documents, if the claim goes beyond the corpus and texts are the
    units."""
    eligible: int | None
    """The number of documents of the population with an eligible row; null beyond the corpus."""
    merged_texts: int | None
    """If texts are the units: the number of eligible texts of the population that equal another and
    do not count again."""
    rows: int | None
    """The number of eligible rows of those documents."""
    pairs: int | None
    """The number of pairs of a figure of ranked or random multiples."""
    base_rate: float | None
    """The figure under uniform attention; for a value-weighted mass, on the same values."""
    denominator: float | None
    """What a ratio divides by, averaged over documents: the attention on `of=`, the share of pairs
    that reach `above=`, or what the control of a lift gives. Null for a plain average."""
    matched_rate: float | None
    """The figure under the head's own average attention at the same query-key distances in the same
    documents."""
    rank: RankRecord | None
    """Null if it was not requested."""
    resting_mass: float | None
    """Attention on position 0, averaged like the statistic."""
    rows_against: int | None
    """The number of rows that, taken alone, contradict the claim; null if rows were not examined
    one by one."""
    multiples: MultiplesRecord | None
    """Null if they were not read."""
    counterexamples: list[CounterexampleRecord]
    """For a claim that did not hold: in each document, the row that contradicts it most; the
    largest contradictions first. For figures of pairs, the pairs that contradict it."""


class DifferenceRecord(TypedDict):
    """For a claim about two statistics: left minus factor times right."""

    value: float
    low: float | None
    high: float | None
    """Null if there is no such bound, as for a lift over distance."""


class AfterStopRecord(TypedDict):
    """An estimate that does not depend on where reading stopped.

    The documents read after the one that decided stand for all that are left; the first ones count
    with their share of the population. Unbiased for averages, nearly so for ratios.
    """

    value: float
    """The statistic; for two, left minus factor times right."""
    units: int
    """The number of eligible documents after the stop, or of texts if these are the units."""


class FixedSideRecord(TypedDict):
    """One statistic on a fixed number of documents."""

    value: float
    low: float | None
    high: float | None
    """As in an estimate."""
    documents: int
    texts: int | None


class FixedRecord(TypedDict):
    """A claim's figures on a number of documents that does not depend on what was measured.

    Figures of several runs compare, as those where reading stopped do not.
    """

    left: FixedSideRecord
    right: FixedSideRecord | None
    """The other statistic; null for a threshold."""
    difference: DifferenceRecord | None
    """`left - factor * right`, for two statistics."""


class CourseRecord(TypedDict):
    """The confidence interval after some documents."""

    units: int
    """The number of eligible documents read until then, or of texts if these are the units."""
    value: float
    low: float | None
    high: float | None
    """As in an estimate, or in a difference if two statistics were compared."""


class MovedRecord(TypedDict):
    """A document whose contribution to a figure changed since the baseline was recorded.

    For a ratio, the contribution is the document's own ratio.
    """

    document: int
    """Its index in the population."""
    text: str
    """The id of its text."""
    before: float
    """Its contribution; the figure is the mean of all contributions."""
    now: float


class DriftRecord(TypedDict):
    """How far a claim's figure moved since its baseline was recorded: a difference, not a test."""

    status: Literal["unchanged", "drifted"]
    file: str
    """The file of the baseline."""
    before: float
    """The earlier figure on the recorded documents; for two statistics, their difference."""
    now: float
    """The same now; minus `before`, it is the mean of the documents' differences."""
    margin: float
    """The largest movement that counts as unchanged, as it was set."""
    is_relative: bool
    """Whether the margin is relative to the earlier figure, as for lifts and multiples."""
    room: float
    """How far the figure may move, in its own units: the margin of its size if it is relative. Of
    shares under 0.2, a part of the margin: 0.02 becomes a tenth of the share."""
    mean_absolute: float | None
    """The mean of the absolute differences of the documents' contributions. Null for figures of
    pairs."""
    traded_places: bool
    """Whether the documents moved far more than the figure may, which is unchanged."""
    documents: int | None
    """The number of recorded documents; null for figures of pairs."""
    moved: list[MovedRecord]
    """The documents that moved most, largest movements first."""
    differs: list[str]
    """Other differences from the recording, in words, such as the model's weights."""


class AgainstRecord(TypedDict):
    """The same claim about another model, on the same documents."""

    session: str
    """The key of the other model's session in `sessions`."""
    trouble: str
    """Why there is no result; otherwise empty."""
    verdict: Literal["holds", "refuted", "undecided"] | None
    """Null if there is no result, as are all figures."""
    value: float | None
    """The statistic; for two, left minus factor times right."""
    low: float | None
    high: float | None
    """Null where there is no such bound."""
    documents: int | None
    """The number of documents with an eligible row until its verdict; null for figures of pairs."""
    difference: float | None
    """The other model's figure minus this one's, on the documents that count for both: the mean of
    the paired differences. A difference, not a test."""
    difference_documents: int | None
    """The number of documents that count for both."""


class ClaimRecord(TypedDict):
    """One comparison, the evidence, and the outcome of its test."""

    id: str
    """Unique in the record and usable as an anchor: letters, digits and hyphens."""
    test: str
    """The pytest node id; empty outside pytest."""
    outcome: str
    """`passed`, `failed`, `undecided`, `xfailed`, `xpassed`, `error`, `skipped`, `could not run`
    (a hub could not give what the test needs); empty outside pytest."""
    reason: str
    """The reason of an xfail mark, or empty."""
    session: str
    heads: list[str]
    """Keys in `heads`."""
    verdict: Literal["holds", "refuted", "undecided"]
    sentence: str
    """The claim in English."""
    expression: str
    """The claim as Python."""
    operator: Literal[">=", ">", "<=", "<"]
    left: EstimateRecord
    right: EstimateRecord | float
    """A threshold or the other statistic."""
    factor: float
    """The factor of the right side; 1 except for claims such as `a >= 3 * b`."""
    offset: float
    """The constant added to the right side; 0 except for claims such as `a - b >= 0.1`."""
    difference: DifferenceRecord | None
    """`left - factor * right`, if the right side is a statistic of documents."""
    after_stop: AfterStopRecord | None
    """Null if the claim is undecided or exact, or if no document was read after the one that
    decided."""
    fixed: FixedRecord | None
    """Null unless the run is a checkpoint of `headtests trace`."""
    alpha: float | None
    """The most often that such a claim is decided falsely; null if it was compared exactly, as
    figures of pairs are."""
    e_value: float | None
    """The e-value for the claim, against its negation, at the document where reading stopped: 1 is
    no evidence, 1/alpha decides. The largest float if it is larger, or if no unread document could
    have changed the answer. Null if the claim was compared exactly."""
    e_value_against: float | None
    """The e-value for the negation, against the claim, at the same document: what refutes it. Null
    if there is none, as for two ratios."""
    e_bh: bool | None
    """Whether the claim is a discovery of e-BH at 0.05 over the run's claims."""
    more_documents: int | None
    """For an undecided claim: roughly how many more eligible documents (or texts, if these are the
    units) would decide it, as a median. Null if it is decided, and if no number is likely to."""
    more_documents_quartiles: list[int | None] | None
    """The lower and the upper quartile of that number; the upper is null if it is unlimited. Null
    where the number is."""
    remedy: str
    """Why an undecided claim is not decided, and what would decide it, in words; else empty."""
    read_before: bool
    """Whether the statistic's value was read before it was compared. The rate of false decisions
    covers a threshold that was read off it, but no choice among several heads or statistics."""
    basis: str
    """The population that the verdict is about, in words."""
    course: list[CourseRecord]
    """The intervals up to the document that decided; empty if nothing was decided by documents."""
    file: str
    line: int
    """The first line of the statement that compared; 0 if unknown."""
    source: str
    """The source of the statement; empty if it cannot be read."""
    function: str
    """The source of the function around the statement, including decorators, dedented. A long
    function is cut to the lines around the statement, between lines of `# ...`. Empty if there is
    no function."""
    function_line: int
    """The first line of that source in the file; 0 without a source."""
    span: list[int]
    """The comparison's place in `function`, or in `source` if there is no function: the index of
    its first character, and the index after its last. Empty if it is in neither."""
    baseline_seed: int | None
    """The seed of its baseline, if that is another than this run's."""
    drift: DriftRecord | None
    """Null if it has no baseline, or baselines were not read."""
    against: AgainstRecord | None
    """Null if there was no other model."""


class UnmeasuredRecord(TypedDict):
    """A test marked with a head that ended without a decided claim."""

    test: str
    outcome: str
    """As in a claim."""
    message: str


class StaleRecord(TypedDict):
    """A baseline of a claim that is no longer made."""

    file: str
    """The file of the baseline."""
    test: str
    """The recorded name of the test in its file."""
    claim: str
    """The recorded claim as Python."""
