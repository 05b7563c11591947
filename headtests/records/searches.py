"""Searches for prompts that break a claim, in the record.

Types only: nothing is searched, decided or drawn here.
"""

from typing import Literal

from typing_extensions import TypedDict

from headtests.records.pairs import CounterexampleRecord


class BreakingRecord(TypedDict):
    """The smallest prompt that was found to break a claim."""

    ids: list[int]
    """Its token ids, as the model read them."""
    text: str | None
    """The text that was tokenised; null for a prompt made of ids."""
    row: CounterexampleRecord
    """The row that breaks the claim most. Its document is 0, its text `prompt`. Its key is the
    unclaimed key with the most attention; for a claim of at most so much, the claimed key with
    the most."""
    value: float
    """The statistic of that row, measured with the prompt alone."""
    margin: float
    """The value's distance from the threshold: negative."""
    how: Literal["kept", "unguided", "guided"]
    """Whether it is stored from an earlier run, drawn at random, or made by changing prompts that
    came near."""
    found_with: int
    """How many tokens it had when it was found."""
    is_smallest: bool
    """Whether no simpler prompt that was tried breaks the claim."""
    replay: str
    """A line of Python for a test that makes the claim about this prompt alone."""


class QuietRecord(TypedDict):
    """A prompt that broke a claim in an earlier run and no longer does."""

    ids: list[int]
    tokens: list[str]
    margin: float | None
    """Its distance from breaking the claim; null if it has no eligible row."""


class SearchRecord(TypedDict):
    """A claim about every prompt of a family, and the result of the search for one that breaks it.

    If none was found, that proves nothing about prompts that were not tried.
    """

    id: str
    """Unique among searches: letters, digits and hyphens."""
    test: str
    """The pytest node id; empty outside pytest."""
    outcome: str
    """As in a claim."""
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
    """Whether a row must reach the threshold; otherwise it must not exceed it."""
    suppress_first_token: bool
    min_query: int
    prompts: int
    """The number of different prompts of the family that were tried, stored ones not counted."""
    known: int
    """The number of prompts stored from earlier runs that were tried first."""
    unguided: int
    """The number of `prompts` that were drawn at random, without regard to earlier scores."""
    is_whole: bool
    """Whether every prompt of the family was tried."""
    passes: int
    """Passes through the model, in batches, including those that made the prompt smaller."""
    shrinking: int
    """Prompts that were tried to make it smaller."""
    worst: float | None
    """The smallest margin of a prompt that was tried; null if none had an eligible row."""
    breaking: BreakingRecord | None
    """Null if no prompt was found."""
    quiet: list[QuietRecord]
    """Stored prompts that no longer break the claim."""
    foreign: int
    """The number of stored prompts that the family no longer makes; they were not tried."""
