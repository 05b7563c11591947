"""Claims in the record: what was claimed, measured and decided, and what became of the test.

Shapes only: nothing is measured, decided or drawn here.
"""

from typing import Literal

from typing_extensions import TypedDict

from headtests.records.pairs import CounterexampleRecord, MultiplesRecord


class RankRecord(TypedDict):
    """Where a head's figure stands among those of other heads on the same documents."""

    rank: int
    """1 for the highest; heads of equal figures share the better rank."""
    of: int
    """How many heads, itself included."""


class EstimateRecord(TypedDict):
    """What was measured of one statistic; a figure is null where it has no meaning.

    Over the shortest prefix of documents that decided the claim, in the order of the pass.
    """

    expression: str
    """The statistic as the Python that makes it, such as `L1H3.mass(ht.induction)`."""
    kind: str
    """`mass`, `top1_rate`, `exceed_rate`, `precision`, `lift`, or a figure of ranked or random
    multiples: `fraction`, `median`, `mean`."""
    head: str
    """The key of its head in `heads`."""
    value: float
    low: float | None
    high: float | None
    """Both bounds together hold but with probability 2 alpha, however often they were looked at;
    null for pairs, and where there is no upper bound."""
    documents: int | None
    """Documents with an eligible row."""
    texts: int | None
    """Texts that these are pieces of, where the claim goes beyond the corpus and texts are the
    units."""
    eligible: int | None
    """How many documents of the population have an eligible row; null beyond the corpus."""
    rows: int | None
    """Eligible rows of those documents."""
    pairs: int | None
    """For a figure of ranked or random multiples, how many pairs it is over."""
    base_rate: float | None
    """What uniform attention would give."""
    matched_rate: float | None
    """What the head's own average attention at the same query-key distances, in the same
    documents, would give."""
    rank: RankRecord | None
    """Null where nobody asked for it."""
    resting_mass: float | None
    """Attention on position 0, averaged like the statistic."""
    rows_against: int | None
    """How many of its rows, taken alone, lie on the side of the threshold that the claim denies;
    null where rows were not looked at by themselves."""
    multiples: MultiplesRecord | None
    """Null where they were not read."""
    counterexamples: list[CounterexampleRecord]
    """Of a claim that did not hold: the row of each document that speaks most against it, the
    furthest first. Of figures of pairs: the pairs that do."""


class DifferenceRecord(TypedDict):
    """Of a claim about two statistics: the left one less the right one, times its factor."""

    value: float
    low: float | None
    high: float | None
    """Null where there is no such bound, as of a lift over distance."""


class CourseRecord(TypedDict):
    """What the interval was after some documents."""

    units: int
    """How many eligible documents had been read, or texts where these are the units."""
    value: float
    low: float | None
    high: float | None
    """As of an estimate, or of a difference where two statistics were compared."""


class MovedRecord(TypedDict):
    """A document whose part in a figure changed since the baseline was recorded.

    Its own figures: of a ratio, its own ratio.
    """

    document: int
    """Its place in the population."""
    text: str
    """The id of its text."""
    before: float
    """What it contributed; the documents' contributions average the figure."""
    now: float


class DriftRecord(TypedDict):
    """How far a claim's figure has moved since its baseline was recorded: arithmetic."""

    status: Literal["unchanged", "drifted"]
    file: str
    """The file of the baseline."""
    before: float
    """The figure on the recorded documents, then; of two statistics, their difference."""
    now: float
    """The same now: less `before` it is the mean of the documents' differences."""
    margin: float
    """How far it may move and be called unchanged."""
    is_relative: bool
    """Whether the margin is a share of how large the figure was, as of lifts and multiples."""
    room: float
    """How far it may move, in its own units."""
    documents: int | None
    """The recorded documents, on which both are; null of figures of pairs."""
    moved: list[MovedRecord]
    """Those that moved most, the furthest first."""
    differs: list[str]
    """What else differs from when it was recorded, each in words, such as the model's weights."""


class AgainstRecord(TypedDict):
    """The same claim of another model, on the same documents."""

    session: str
    """The key of the other model's session in `sessions`."""
    trouble: str
    """Why there is nothing; else empty."""
    verdict: Literal["holds", "refuted", "undecided"] | None
    """Null, as are all figures, where there is nothing."""
    value: float | None
    """The statistic; of two, the left one less the right one, times its factor."""
    low: float | None
    high: float | None
    """Null where there is no such bound."""
    documents: int | None
    """Documents with an eligible row that its verdict took; null of figures of pairs."""
    difference: float | None
    """The other's figure less this one's, on the documents that both count: the mean of the paired
    differences. Arithmetic, and no inference."""
    difference_documents: int | None
    """How many documents both count."""


class ClaimRecord(TypedDict):
    """One comparison, what the evidence says of it, and what became of its test."""

    id: str
    """Unique in the record, fit for an anchor: letters, digits and hyphens."""
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
    """A threshold, or the other statistic."""
    factor: float
    """What the right side was multiplied by; 1 but for claims such as `a >= 3 * b`."""
    offset: float
    """What was added to the right side; 0 but for claims such as `a - b >= 0.1`."""
    difference: DifferenceRecord | None
    """`left - factor * right` where the right side is a statistic of documents."""
    alpha: float | None
    """How often such a claim is decided falsely, at most; null where it was compared exactly, as
    figures of pairs are."""
    e_value: float | None
    """The evidence for the claim against its being false, at the document where reading stopped:
    1 says nothing, 1/alpha decides. The largest float where nothing that was left to read could
    have changed the answer, or would be more. Null where it was compared exactly."""
    e_value_against: float | None
    """The evidence against the claim, were it true, at the same document, likewise: what refutes
    it. Null where there is none to say, as of two ratios."""
    e_bh: bool | None
    """Whether the claim is among the discoveries of e-BH at 0.05 over the run's claims."""
    more_documents: int | None
    """Of an undecided claim: about how many eligible documents, or texts where these are the
    units, more it would take. Null where it is decided, and where no number is likely to do."""
    read_before: bool
    """Whether somebody had read the statistic's value before it was compared, so that the threshold
    may have followed the data, which the rate of false decisions does not cover."""
    basis: str
    """What the verdict is about, in words."""
    course: list[CourseRecord]
    """How the interval closed, up to the document that decided; empty where nothing was decided
    by documents."""
    file: str
    line: int
    """The first line of the statement that asked; 0 where it is unknown."""
    source: str
    """The statement's source, or empty where it cannot be read."""
    function: str
    """The source of the function around the statement, its decorators included, without its
    indentation; of a long one, the lines around the statement, between lines of `# ...`. Empty
    where there is none."""
    function_line: int
    """The first line of that source in the file; 0 without."""
    span: list[int]
    """Where the comparison stands in `function`, or in `source` where there is none: the place of
    its first character and that behind its last. Empty where it stands in neither."""
    drift: DriftRecord | None
    """Null where there is no baseline of it, or none was looked at."""
    against: AgainstRecord | None
    """Null where no other model was asked."""


class UnmeasuredRecord(TypedDict):
    """A test marked with a head that ended without a single decided claim."""

    test: str
    outcome: str
    """As of a claim."""
    message: str


class StaleRecord(TypedDict):
    """A baseline of a claim that is no longer made."""

    file: str
    """The file of the baseline."""
    test: str
    """The test's name in its file, as it was."""
    claim: str
    """The claim as Python, as it was."""
