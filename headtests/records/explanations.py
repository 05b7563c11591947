"""Explanations in the record: descriptions of heads by an explainer, and their measurements.

Types only: nothing is asked, measured or drawn here.
"""

from typing import Literal

from typing_extensions import TypedDict


class BoundedRecord(TypedDict):
    """A statistic of documents with its bounds."""

    value: float
    low: float | None
    high: float | None
    """Null if there is no such bound."""


class SuggestionRecord(TypedDict):
    """A claim that an explainer suggests, measured on the half of the texts that it did not see."""

    said: str
    """The suggestion as the explainer wrote it; for the built-in explainer, as Python."""
    trouble: str
    """Why it could not be measured, in a sentence; empty if it was."""
    english: str
    """A clause that follows "keys" and says which keys it is about; empty with trouble."""
    expression: str
    """The claim as Python, such as `L1H3.mass(ht.induction) >= 0.2`; empty with trouble."""
    python: str
    """A test to paste into a file; empty with trouble."""
    verdict: Literal["holds", "refuted", "undecided"] | None
    """Null with trouble, like all following fields."""
    threshold: float | None
    """The least mass that is claimed; chosen without the half that it is measured on."""
    mass: BoundedRecord | None
    """Bounds as in an estimate."""
    lift: BoundedRecord | None
    """The mass over the base rate."""
    base_rate: float | None
    """The mass under uniform attention, on every document of the measuring half."""
    share: BoundedRecord | None
    """Its share of the attention that does not rest on position 0; null if position 0 is a key like
    any other, and if all attention rests."""
    share_lift: BoundedRecord | None
    """That share over the share under uniform attention."""
    documents: int | None
    """The number of documents of the measuring half that were read for it."""
    rows: int | None


class DetectionRecord(TypedDict):
    """How well an explanation separates pairs that a head attends to from other pairs.

    Detection scoring (Paulo et al. 2024, "Automatically Interpreting Millions of Features in Large
    Language Models", arXiv 2410.13928): from the explanation, a judge says of each pair whether
    the head attends to it.
    """

    of: Literal["explanation", "shuffled", "another head"]
    """Which explanation was scored. The latter two are controls: the explanation with its words
    shuffled (for the built-in explainer, its findings on shuffled pairs), and the explanation of
    another head, which is the null."""
    head: str
    """The head that the explanation was made for, such as `L1H3`."""
    explanation: str
    """The explanation that was scored."""
    pairs: int
    """The number of pairs drawn in proportion to the head's attention: the positives."""
    found: int
    """Those that the judge assigns to the head: true positives."""
    same_query: int
    """The number of controls: the query of a pair with another key of below-average attention."""
    same_query_denied: int
    """Those that the judge does not assign to the head: true negatives."""
    same_distance: int
    """The number of controls at the distance of a pair, of below-average attention."""
    same_distance_denied: int
    unanswered: int
    """The number of pairs and controls without a usable answer of the judge; they count as
    wrong."""
    balanced_accuracy: float | None
    """The mean of the true positive rate and the true negative rate. What an explanation has to
    beat is not 0.5 but the score of another head's. Null if nothing was scored."""
    low: float | None
    high: float | None
    """A 95% interval (Newcombe 1998, the square-and-add method on Wilson intervals)."""
    trouble: str
    """Why it was not scored, or only in part; otherwise empty."""


class CallRecord(TypedDict):
    """One request to a language model, and its answer."""

    purpose: Literal["explanation", "repair", "detection"]
    messages: list[dict[str, str]]
    """The prompt: `role` and `content` of each message. For detection, only that of the first
    request for an explanation."""
    model: str
    parameters: dict[str, str | int | float]
    """Other parameters of the request, such as `temperature`."""
    answer: str
    error: str
    """What went wrong, in a sentence; otherwise empty."""
    cached: bool
    """Whether the answer is from the cache."""
    attempts: int
    """The number of requests sent, including retries; 0 for a cached answer."""
    prompt_tokens: int
    completion_tokens: int
    """As counted by the server; 0 if it does not say."""


class HalfRecord(TypedDict):
    """The part of one half of the texts that was read."""

    documents: int
    texts: int


class ExplanationRecord(TypedDict):
    """A description of a head by an explainer, and its measurement."""

    session: str
    head: str
    """The key of the head in `heads`."""
    name: str
    """Such as `L1H3`."""
    claims: list[str]
    """The ids of the claims for which it was asked."""
    explainer: str
    """`built-in`, or the name of a language model."""
    server: str
    """The address of the server, without credentials; empty for the built-in explainer."""
    trouble: str
    """Why there is no explanation, in a sentence; otherwise empty."""
    text: str
    """One paragraph. If a language model wrote it, only its suggestions and the detection are
    measured."""
    explain: HalfRecord
    """The half of the texts that it was made from."""
    measure: HalfRecord
    """The half of the texts that it was measured on."""
    resting_mass: BoundedRecord | None
    """The attention on position 0 over every row of the measuring half; null if position 0 is a key
    like any other, and if nothing was measured."""
    unexplained_mass: BoundedRecord | None
    """The attention of every row on keys that no measured suggestion is about, without position 0
    if it is suppressed."""
    suggestions: list[SuggestionRecord]
    """Best first: those that hold, by their mass; then undecided, refuted, and with trouble."""
    detection: list[DetectionRecord]
    """The explanation first, then its controls."""
    calls: list[CallRecord]
    """In the order of the requests."""
