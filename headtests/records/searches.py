"""Searches for prompts that break a claim, in the record.

Shapes only: nothing is searched, decided or drawn here.
"""

from typing import Literal

from typing_extensions import TypedDict

from headtests.records.pairs import CounterexampleRecord


class BreakingRecord(TypedDict):
    """The smallest prompt that was found to break a claim."""

    ids: list[int]
    """Its token ids, as the model read them."""
    text: str | None
    """The text that it was tokenised from; null of one that was made of ids."""
    row: CounterexampleRecord
    """The row that breaks the claim most. Its document is 0, its text `prompt`; its key is where it
    looked instead, or of a claim that it gives at most so much, the claimed key that got most."""
    value: float
    """What was claimed of that row, as measured with the prompt alone."""
    margin: float
    """Its distance from the threshold, below 0."""
    how: Literal["kept", "unguided", "guided"]
    """Whether it was kept from an earlier run, drawn at random, or made by changing prompts that
    came near."""
    found_with: int
    """How many tokens it had when it was found."""
    is_smallest: bool
    """Whether nothing that was tried is simpler and still breaks the claim."""
    replay: str
    """A line of Python for a test that claims it of this prompt alone."""


class QuietRecord(TypedDict):
    """A prompt that once broke a claim and no longer does."""

    ids: list[int]
    tokens: list[str]
    margin: float | None
    """How far it is from breaking it; null where it has no eligible row."""


class SearchRecord(TypedDict):
    """A claim about every prompt of a family, and what the search for one that breaks it found.

    That none was found proves nothing of prompts that were not tried.
    """

    id: str
    """Unique among searches: letters, digits and hyphens."""
    test: str
    """The pytest node id; empty outside pytest."""
    outcome: str
    """As of a claim."""
    reason: str
    """The reason of an xfail mark, or empty."""
    session: str
    """The key of its session in `sessions`."""
    head: str
    """The head's name, such as `L5H1`."""
    expression: str
    """The claim as Python."""
    sentence: str
    """The claim in English."""
    file: str
    line: int
    threshold: float
    is_least: bool
    """Whether a row must reach the threshold; else it must not exceed it."""
    suppress_first_token: bool
    min_query: int
    prompts: int
    """How many different prompts of the family were tried, besides kept ones."""
    known: int
    """How many prompts that are kept from earlier runs were tried before."""
    unguided: int
    """How many of them were drawn without looking at what was found before."""
    is_whole: bool
    """Whether that was every prompt of the family."""
    passes: int
    """Passes through the model, in batches; those that made the prompt smaller included."""
    shrinking: int
    """Prompts that were tried to make it smaller."""
    worst: float | None
    """The smallest margin of a prompt that was tried; null where none had an eligible row."""
    breaking: BreakingRecord | None
    """Null where no prompt was found."""
    quiet: list[QuietRecord]
    """Kept prompts that no longer break the claim."""
    foreign: int
    """How many kept prompts the family no longer makes, so that they were not tried."""
