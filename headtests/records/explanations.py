"""Explanations in the record: what an explainer says of a head, and what was measured of that.

Shapes only: nothing is asked, measured or drawn here.
"""

from typing import Literal

from typing_extensions import TypedDict


class BoundedRecord(TypedDict):
    """A figure of documents with its bounds."""

    value: float
    low: float | None
    high: float | None
    """Null where there is no such bound."""


class SuggestionRecord(TypedDict):
    """A claim that an explainer suggests, and what the half that it did not see says of it."""

    said: str
    """The suggestion as the explainer wrote it; of the built-in one, as Python."""
    trouble: str
    """Why it could not be measured, in a sentence; empty where it was."""
    english: str
    """Which keys it is about, in words, as a clause that follows "keys"; empty with trouble."""
    expression: str
    """The claim as Python, such as `L1H3.mass(ht.induction) >= 0.2`; empty with trouble."""
    python: str
    """A test to paste into a file; empty with trouble."""
    verdict: Literal["holds", "refuted", "undecided"] | None
    """Null with trouble, as all that follows."""
    threshold: float | None
    """What the mass was claimed to be at least: chosen without the half that it is measured on."""
    mass: BoundedRecord | None
    """Bounds as of an estimate."""
    lift: BoundedRecord | None
    """The mass over the base rate."""
    base_rate: float | None
    """What uniform attention would give, on every document of the measuring half."""
    share: BoundedRecord | None
    """Of the attention that does not rest on position 0, the share on it; null where position 0 is
    a key like any other, and where all attention rests."""
    share_lift: BoundedRecord | None
    """That share over what it would be of uniform attention."""
    documents: int | None
    """Documents of the measuring half that were read for it."""
    rows: int | None


class DetectionRecord(TypedDict):
    """How well an explanation tells the pairs that a head attends to from others.

    Detection scoring (Paulo et al. 2024, "Automatically Interpreting Millions of Features in Large
    Language Models", arXiv 2410.13928): whoever has the explanation says of each pair whether the
    head attends to it.
    """

    of: Literal["explanation", "shuffled", "another head"]
    """Whose explanation was scored; the latter two are controls that a good one has to beat: its
    own with the words shuffled (of the built-in one: its findings tried on shuffled pairs), and
    that of another head."""
    head: str
    """The head that the explanation was made for, such as `L1H3`."""
    explanation: str
    """What was scored."""
    pairs: int
    """Pairs in proportion to the head's attention: what is to be found."""
    found: int
    """Those of them that the judge takes for the head's."""
    same_query: int
    """Controls with the same query and another key, of below-average attention."""
    same_query_denied: int
    """Those of them that the judge does not take for the head's."""
    same_distance: int
    """Controls at the distance of a pair, of below-average attention."""
    same_distance_denied: int
    unanswered: int
    """Pairs and controls, of those above, that the judge said nothing usable of; they count as
    wrong."""
    balanced_accuracy: float | None
    """The mean of the shares of pairs found and controls denied; 0.5 by chance. Null where nothing
    was scored."""
    low: float | None
    high: float | None
    """A 95% interval (Newcombe 1998, the square-and-add method on Wilson intervals)."""
    trouble: str
    """Why it was not scored, or only in part; else empty."""


class CallRecord(TypedDict):
    """One request to a language model, and what came of it."""

    purpose: Literal["explanation", "repair", "detection"]
    messages: list[dict[str, str]]
    """The prompt: `role` and `content` of each message. Of detection, of the first request for an
    explanation alone."""
    model: str
    parameters: dict[str, str | int | float]
    """What else was asked for, such as `temperature`."""
    answer: str
    error: str
    """What went wrong, in a sentence; else empty."""
    cached: bool
    """Whether the answer was kept from an earlier run."""
    attempts: int
    """Requests that were sent, retries included; 0 of a kept answer."""
    prompt_tokens: int
    completion_tokens: int
    """As the server counts them; 0 where it does not say."""


class HalfRecord(TypedDict):
    """One half of the texts, as far as it was read."""

    documents: int
    texts: int


class ExplanationRecord(TypedDict):
    """What an explainer says of a head, and what the measurement says of that."""

    session: str
    head: str
    """The key of the head in `heads`."""
    name: str
    """Such as `L1H3`."""
    claims: list[str]
    """The ids of the claims that it was asked for."""
    explainer: str
    """`built-in`, or the name of a language model."""
    server: str
    """The address that was asked, without names and keys in it; empty of the built-in one."""
    trouble: str
    """Why there is no explanation, in a sentence; else empty."""
    text: str
    """One paragraph; a language model's is its own words, measured as far as the suggestions and
    the detection go."""
    explain: HalfRecord
    """The half that it was made from."""
    measure: HalfRecord
    """The half that it was measured on."""
    resting_mass: BoundedRecord | None
    """Attention on position 0, over every row of the measuring half; null where position 0 is a key
    like any other, and where nothing was measured."""
    unexplained_mass: BoundedRecord | None
    """Attention of every row on keys that no suggestion that was measured is about, position 0
    left out where it is suppressed."""
    suggestions: list[SuggestionRecord]
    """The best first: those that hold, by their mass; then undecided, refuted, in trouble."""
    detection: list[DetectionRecord]
    """The explanation first, then its controls."""
    calls: list[CallRecord]
    """In the order of asking."""
