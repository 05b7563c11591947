"""Detection: how well an explanation tells the pairs that a head attends to from others.

Pairs and controls of the measuring half, and the score of a judge's answers; the judge itself is in
`llm_judge`. Detection scoring comes from Paulo et al. 2024, "Automatically Interpreting Millions of
Features in Large Language Models" (arXiv 2410.13928), and its library delphi. There a judge sees an
explanation and whole contexts, here an explanation and pairs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from headtests.explanations.sampled_rows import HeadRows
from headtests.records import DetectionRecord
from headtests.statistics.hashing import keyed_hash
from headtests.statistics.sketches import Pairs

PAIRS = 50
"""Pairs, and as many controls, if there are enough."""
_OF_CONTROLS, _OF_PLACES, _OF_SHUFFLE = 5, 6, 7
"""Parts of hash keys, which make the choices independent of each other."""
_Z = 1.959963984540054
"""The normal quantile of a two-sided 95% interval."""

Kind = Literal["pair", "same_query", "same_distance"]
Candidate = Literal["explanation", "shuffled", "another head"]
"""An explanation that is scored, or one of its controls."""


@dataclass(frozen=True, eq=False)
class Trial:
    """Pairs and controls, in the order in which they are judged."""

    pairs: Pairs
    kinds: tuple[Kind, ...]
    """The kind of each, in the same order."""

    def __len__(self) -> int:
        return len(self.kinds)

    def part(self, places: Sequence[int]) -> "Trial":
        """Return the pairs at the given places."""
        chosen = np.array(places, dtype=np.int64)
        return Trial(self.pairs.take(chosen), tuple(self.kinds[place] for place in places))


def trial_of(rows: HeadRows, size: int = PAIRS) -> Trial:
    """Return pairs drawn in proportion to a head's attention, and as many controls.

    All pairs are above average and all controls below it. Half of the controls have the query of a
    pair and another key, the other half are other pairs at the same distance, both drawn by hash.
    If there is no control of one kind (a head that looks one token back has none at the same
    distance), one of the other kind takes its place. The order is random. There are fewer of both
    if the head has fewer pairs.
    """
    drawn = rows.proportional(size)
    controls = _Controls(rows)
    chosen = [
        control
        for number in range(len(drawn))
        if (control := controls.find(drawn, number)) is not None
    ]
    places = np.array([place for *place, _ in chosen], dtype=np.int64).reshape(-1, 2)
    both = Pairs.concatenate([drawn, rows.at(places[:, 0], places[:, 1])])
    of_pairs: list[Kind] = ["pair"] * len(drawn)
    kinds = of_pairs + [kind for *_, kind in chosen]
    hashed = keyed_hash(rows.seed, _OF_PLACES, both.documents, both.queries, both.keys)
    order = np.argsort(hashed, kind="stable")
    return Trial(both.take(order), tuple(kinds[place] for place in order))


class _Controls:
    """Finds controls: below-average pairs with a given pair's query or distance, each used once."""

    def __init__(self, rows: HeadRows) -> None:
        self._queries = rows.queries
        self._places = {
            place: row
            for row, place in enumerate(
                zip(rows.documents.tolist(), rows.queries.tolist(), strict=True)
            )
        }
        keys = np.arange(rows.attention.shape[1])
        columns = rows.documents[:, None], rows.queries[:, None], keys
        self._hashes = keyed_hash(rows.seed, _OF_CONTROLS, *columns)
        self._free = rows.judged & (rows.multiples < 1)

    def find(self, drawn: Pairs, number: int) -> tuple[int, int, Kind] | None:
        """Return the row, the key and the kind of a control for a pair; None without any."""
        document, query, key = (
            int(column[number]) for column in (drawn.documents, drawn.queries, drawn.keys)
        )
        kinds: list[Kind] = ["same_distance", "same_query"]
        for kind in reversed(kinds) if number % 2 == 0 else kinds:
            if kind == "same_query":
                row = self._places[document, query]
                keys = np.flatnonzero(self._free[row])
                rows = np.full_like(keys, row)
            else:
                keys = self._queries - (query - key)
                rows = np.flatnonzero((keys >= 0) & (keys < self._free.shape[1]))
                rows = rows[self._free[rows, keys[rows]]]
                keys = keys[rows]
            if len(rows):
                best = int(self._hashes[rows, keys].argmin())
                place = int(rows[best]), int(keys[best])
                self._free[place] = False
                return *place, kind
        return None


def score(
    trial: Trial,
    answers: Sequence[bool | None],
    of: Candidate,
    head: str,
    explanation: str,
    trouble: str = "",
) -> DetectionRecord:
    """Return how well answers tell pairs from controls; None is no answer and counts as wrong.

    The balanced accuracy is the mean of the share of pairs that were found and the share of
    controls that were denied. Raises `ValueError` if there is not one answer for each pair.
    """
    if len(answers) != len(trial):
        raise ValueError(f"expected {len(trial)} answers but found {len(answers)}.")
    counts: dict[Kind, list[bool]] = {"pair": [], "same_query": [], "same_distance": []}
    for kind, answer in zip(trial.kinds, answers, strict=True):
        counts[kind].append(answer is not None and answer == (kind == "pair"))
    denied = counts["same_query"] + counts["same_distance"]
    score = balanced_accuracy(sum(counts["pair"]), len(counts["pair"]), sum(denied), len(denied))
    value, low, high = score or (None, None, None)
    return DetectionRecord(
        of=of,
        head=head,
        explanation=explanation,
        pairs=len(counts["pair"]),
        found=sum(counts["pair"]),
        same_query=len(counts["same_query"]),
        same_query_denied=sum(counts["same_query"]),
        same_distance=len(counts["same_distance"]),
        same_distance_denied=sum(counts["same_distance"]),
        unanswered=sum(answer is None for answer in answers),
        balanced_accuracy=value,
        low=low,
        high=high,
        trouble=trouble,
    )


def without_score(of: Candidate, head: str, explanation: str, why: str) -> DetectionRecord:
    """Return the record of an explanation without a score, and why."""
    return score(Trial(Pairs.empty(), ()), [], of, head, explanation, why)


def balanced_accuracy(
    found: int, pairs: int, denied: int, controls: int
) -> tuple[float, float, float] | None:
    """Return the balanced accuracy with a 95% interval; None without pairs or controls.

    The mean of two independent proportions is half their sum. Its interval is that of Newcombe
    1998, "Interval estimation for the difference between independent proportions", method 10
    (square and add), applied to a sum, on Wilson intervals.

    >>> [round(part, 3) for part in balanced_accuracy(50, 50, 50, 50)]
    [1.0, 0.95, 1.0]
    >>> balanced_accuracy(3, 4, 0, 0) is None
    True
    """
    if not pairs or not controls:
        return None
    first, second = found / pairs, denied / controls
    (low, high), (other_low, other_high) = wilson(found, pairs), wilson(denied, controls)
    middle = (first + second) / 2
    below = math.hypot(first - low, second - other_low) / 2
    above = math.hypot(high - first, other_high - second) / 2
    return middle, max(0.0, middle - below), min(1.0, middle + above)


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95% interval of a proportion (Wilson 1927).

    >>> [round(end, 4) for end in wilson(0, 10)]
    [0.0, 0.2775]
    """
    share, square = hits / trials, _Z**2
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = (
        _Z
        / (1 + square / trials)
        * math.sqrt(share * (1 - share) / trials + square / (4 * trials**2))
    )
    return max(0.0, middle - half), min(1.0, middle + half)


def shuffled_words(text: str, seed: int) -> str:
    """Return a text with its words in a random order, the same for the same seed.

    >>> sorted(shuffled_words("one token back", 0).split())
    ['back', 'one', 'token']
    """
    words = text.split()
    order = np.argsort(keyed_hash(seed, _OF_SHUFFLE, np.arange(len(words))), kind="stable")
    return " ".join(words[place] for place in order)


def shuffled_answers(answers: Sequence[bool | None], seed: int) -> list[bool | None]:
    """Return answers in a random order, the same for the same seed."""
    order = np.argsort(keyed_hash(seed, _OF_SHUFFLE, np.arange(len(answers))), kind="stable")
    return [answers[place] for place in order]
