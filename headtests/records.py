"""The record of a run: one versioned JSON object from which everything shown can be drawn again.

The shape of the record, and how it is written and read. No measuring, no deciding and no HTML:
those who know a figure put it here, and the report draws what stands here and nothing else.
"""

import json
import os
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

from headtests.errors import RecordError
from headtests.upgrades import upgraded

FORMAT = "headtests-record"
VERSION = 4


class PairRecord(TypedDict):
    """One pair `(document, query, key)` with the row that it stands in."""

    document: int
    """The document's place in the population."""
    text: str
    """The id of the document's text."""
    query: int
    key: int
    token: str
    """The key's token."""
    multiple: float
    """`pattern[key]` times the number of keys that the row may attend to."""
    tokens: list[str]
    """The document's tokens, special ones included."""
    attendable: list[list[int]]
    """The positions that the row may attend to, as runs: the first and the last of each."""
    pattern: list[float]
    """The row: attention from the query to each token, in [0, 1], to six digits."""


class CounterexampleRecord(PairRecord):
    """A row that speaks against a claim which did not hold; its key is where it looked instead.

    Where the claim was that a figure is small, the key is the one that made it large.
    """

    claimed: list[int]
    """The positions that the statistic is about, of those that the row may attend to."""
    figure: float
    """What the statistic comes to in this row alone: of a rate of most attended keys, 1 or 0; of a
    rate of multiples, a precision and figures of pairs, the multiple of the pair."""


class MultiplesRecord(TypedDict):
    """How multiples are distributed on the pairs of a statistic, and on all others of its rows."""

    edges: list[float]
    """The edges of the bins, ascending: a bin holds what is at least the one and under the next,
    the last bin also its upper edge."""
    on: list[int]
    """Pairs of the statistic's relation in each bin."""
    others: list[int]
    """The other pairs of the same rows in each bin: the control. Of figures of ranked or random
    pairs, those of them that lie outside the relation."""
    threshold: float | None
    """The multiple that the claim turns on: of a mass, what the threshold is of the base rate; of a
    rate of multiples, the multiple from which on a pair counts. Null where there is none, as of a
    share of some of the attention."""


class HeadRecord(TypedDict):
    """One head on one model and corpus: its multiples, ranked and random."""

    key: str
    """What claims refer to it by; unique in the record."""
    session: str
    """The key of the session that it was measured in."""
    name: str
    """Such as `L1H3`."""
    documents: int
    """The first so many documents of the pass, which the pairs are from: as many as its claims
    needed."""
    above_average_pairs: int
    """How many pairs of those documents have a multiple over 1."""
    sink_share: float | None
    """What its rows leave, on average over those documents, to learned sinks that are no token;
    None of a model without them."""
    suppress_first_token: bool
    min_query: int
    ranked: list[PairRecord]
    random: list[PairRecord]


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


class ClaimRecord(TypedDict):
    """One comparison, what the evidence says of it, and what became of its test."""

    id: str
    """Unique in the record, fit for an anchor: letters, digits and hyphens."""
    test: str
    """The pytest node id; empty outside pytest."""
    outcome: str
    """`passed`, `failed`, `undecided`, `xfailed`, `xpassed`, `error`, `skipped`; empty outside
    pytest."""
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


class ModelRecord(TypedDict):
    """The model that was run."""

    name: str
    revision: str | None
    architecture: str
    layers: int
    heads: int
    bidirectional: bool
    dtype: str
    device: str
    weights_sha256: str
    tokenizer: str
    tokenizer_sha256: str
    capture: str
    """How the rows were read, such as `hook_pattern`."""


class CorpusRecord(TypedDict):
    """The documents that were run."""

    name: str
    description: str
    """The population in words, such as "the first 253 documents of demo"."""
    documents: int
    texts: int
    tokens: int
    max_length: int
    bos: str
    """The BOS policy: `model`, `always` or `never`."""
    bos_effect: str
    """What the policy did to each document, in words."""
    sha256: str
    """Of the exact token ids of every document, in order."""
    notes: list[str]
    """What was left out or replaced, each in a sentence."""


class SessionRecord(TypedDict):
    """One model over one corpus."""

    key: str
    model: ModelRecord
    corpus: CorpusRecord
    budget: int
    """Documents that the run was allowed to put through the model."""
    documents_run: int
    tokens_run: int
    tokens_run_twice: int
    results_kept: int
    """Figures and pairs that earlier runs had left on disk: no document ran for them."""
    seed: int
    alpha: float
    """How often each of its claims is decided falsely, at most."""


class UnmeasuredRecord(TypedDict):
    """A test marked with a head that ended without a single decided claim."""

    test: str
    outcome: str
    message: str


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
    unmeasured: list[UnmeasuredRecord]


def write_record(record: Record, path: Path) -> None:
    """Write the record as JSON that any reader accepts: no NaN, no lone surrogates.

    One line a session, a head, a claim and a test without one. Whoever reads the file finds the
    old one or the new one whole. Raises `ValueError` for a figure that is not finite, and
    `OSError` where the file cannot be written.
    """
    content = _in_lines(record)
    path.parent.mkdir(parents=True, exist_ok=True)
    place = path.resolve()
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        part.write_text(content, encoding="utf-8", newline="\n")
        part.replace(place)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def _in_lines(record: Record) -> str:
    """Return JSON with a line a field, and in a list of objects a line an item."""
    fields = []
    for name, value in record.items():
        shown = _compact(value)
        if isinstance(value, list) and value:
            shown = "[\n" + ",\n".join(map(_compact, value)) + "\n]"
        fields.append(f"{_compact(name)}:{shown}")
    return "{" + ",\n".join(fields) + "}\n"


def _compact(value: object) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=True, separators=(",", ":"))


def read_record(path: Path) -> Record:
    """Return the record in a file; one of an older version as this release would have written it.

    What an older version did not hold is null, empty or 0. Raises `RecordError` where there is no
    file, no JSON, no record of headtests, or one of a version that this release cannot read.
    """
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(
            f"cannot read {path}: {error.strerror}. "
            "Name the JSON file that a run of headtests wrote."
        ) from error
    except ValueError as error:
        raise RecordError(
            f"{path} is not JSON ({error}). Name the JSON file that a run of headtests wrote."
        ) from error
    except RecursionError as error:
        raise RecordError(
            f"{path} is nested too deeply to be a record of headtests. "
            "Name the JSON file that a run of headtests wrote."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise RecordError(
            f'{path} is not a record of headtests: expected "format": "{FORMAT}" at the top.'
        )
    version = content.get("version")
    if type(version) is not int or version < 1:
        raise RecordError(
            f"{path} is a record of version {version!r:.40}: expected a whole number from 1 to "
            f"{VERSION}. Name the JSON file as a run of headtests wrote it."
        )
    if version > VERSION:
        raise RecordError(
            f"{path} is a record of version {version}; this release reads those up to version "
            f"{VERSION}. Install a newer headtests."
        )
    return cast(Record, upgraded(content))


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the records that this release writes.

    >>> schema()["$id"]
    'urn:headtests:record:4'
    """
    file = resources.files("headtests").joinpath(f"record-{VERSION}.schema.json")
    return cast(dict[str, Any], json.loads(file.read_text(encoding="utf-8")))
