"""Reference implementations of DESIGN.md in plain Python: double loops over tokens and attention.

Slow on purpose and written from the definitions alone: no formula here comes from the package, from
which only the nodes of expressions are imported.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

import headtests as ht
from headtests import key, query
from headtests.expressions import Expression


@dataclass(frozen=True)
class Text:
    """A document with one head's attention on it."""

    number: int
    ids: Sequence[int]
    texts: Sequence[str]
    special: Sequence[bool]
    attention: Sequence[Sequence[float]] = ()
    """Attention values, one list for each query."""
    bidirectional: bool = False
    window: int | None = None
    norms: Sequence[float] = ()
    """The norm of the value at each position."""

    def keys(self, q):
        """Return the keys that a row may attend to, in order."""
        return [
            k
            for k in range(len(self.ids))
            if (self.bidirectional or k <= q) and (self.window is None or q - k < self.window)
        ]

    def occurs(self, earlier, later):
        """Return whether one position is an earlier occurrence of another's token."""
        return (
            earlier < later
            and self.ids[earlier] == self.ids[later]
            and not self.special[earlier]
            and not self.special[later]
        )


# What a relation says of a pair is a list of alternatives (a disjunctive normal form): whether
# each holds, and whether it asks for position 0 in so many words.
Alternatives = Callable[[Text, int, int], list[tuple[bool, bool]]]


@dataclass(frozen=True)
class Said:
    """An expression of the package, and a function that evaluates it."""

    expression: Expression
    affirmed: Alternatives
    denied: Alternatives
    every_row: bool = False
    asks_for_first: bool = False

    def __and__(self, other):
        return Said(
            self.expression & other.expression,
            _each_with_each(self.affirmed, other.affirmed),
            _one_or_the_other(self.denied, other.denied),
            self.every_row or other.every_row,
            self.asks_for_first or other.asks_for_first,
        )

    def __or__(self, other):
        return Said(
            self.expression | other.expression,
            _one_or_the_other(self.affirmed, other.affirmed),
            _each_with_each(self.denied, other.denied),
            self.every_row or other.every_row,
            self.asks_for_first or other.asks_for_first,
        )

    def __invert__(self):
        return Said(
            ~self.expression, self.denied, self.affirmed, self.every_row, self.asks_for_first
        )

    def __repr__(self):
        return repr(self.expression)

    def holds(self, text, q, k, suppress):
        """Return whether a pair is in the relation; position 0 only where it is asked for."""
        return any(
            holds and (asks or k != 0 or not suppress) for holds, asks in self.affirmed(text, q, k)
        )

    def holds_of_row(self, text, q):
        """Return whether a condition on the query holds."""
        return self.holds(text, q, 0, suppress=False)


def _each_with_each(left, right):
    return lambda text, q, k: [
        (a and b, x or y) for (a, x), (b, y) in product(left(text, q, k), right(text, q, k))
    ]


def _one_or_the_other(left, right):
    return lambda text, q, k: left(text, q, k) + right(text, q, k)


def said(expression, holds, *, every_row=False, first=False):
    """Return a leaf that is evaluated by a function of text, query and key."""
    return Said(
        expression,
        lambda text, q, k: [(holds(text, q, k), first)],
        lambda text, q, k: [(not holds(text, q, k), False)],
        every_row,
        first,
    )


def _follows_last(text, q, k):
    earlier = [j for j in range(q) if text.occurs(j, q)]
    return bool(earlier) and k == earlier[-1] + 1


def _run_before(length):
    """Return whether the tokens up to q are those before k, one by one, and none is special."""
    return lambda text, q, k: all(
        k - 1 - back >= 0 and q - back >= 0 and text.occurs(k - 1 - back, q - back)
        for back in range(length)
    )


def _next_token(text, q, k):
    return k <= q and q + 1 < len(text.ids) and text.occurs(k, q + 1)


def _one_of(holds, choose):
    """Return whether a key is the least or the largest of those for which a function holds."""
    return lambda text, q, k: (
        k == choose((j for j in range(len(text.ids)) if holds(text, q, j)), default=None)
    )


@ht.relation
def same_parity(document):
    parity = document.ids % 2
    return parity[:, None] == parity[None, :]


@ht.relation
def key_is_special(document):
    return np.tile(document.special, (len(document), 1))


PREVIOUS = said(ht.previous, lambda text, q, k: k == q - 1)
CURRENT = said(ht.current, lambda text, q, k: k == q)
NEXT = said(ht.offset(1), lambda text, q, k: k == q + 1)
THREE_BACK = said(ht.offset(-3), lambda text, q, k: k == q - 3)
FIRST = said(ht.first, lambda text, q, k: k == 0, first=True)
DUPLICATE = said(ht.duplicate, lambda text, q, k: text.occurs(k, q))
INDUCTION = said(ht.induction, lambda text, q, k: k > 0 and text.occurs(k - 1, q))
LATEST = said(ht.induction.latest, _follows_last)
DUPLICATE_LATEST = said(ht.duplicate.latest, _one_of(lambda t, q, k: t.occurs(k, q), max))
DUPLICATE_EARLIEST = said(ht.duplicate.earliest, _one_of(lambda t, q, k: t.occurs(k, q), min))
EARLIEST = said(ht.induction.earliest, _one_of(_run_before(1), min))
PREFIX_2 = said(ht.induction.prefix(2), _run_before(2))
PREFIX_2_LATEST = said(ht.induction.prefix(2).latest, _one_of(_run_before(2), max))
PREFIX_3_EARLIEST = said(ht.induction.prefix(3).earliest, _one_of(_run_before(3), min))
NEXT_TOKEN = said(ht.next_token, _next_token)
NEXT_TOKEN_LATEST = said(ht.next_token.latest, _one_of(_next_token, max))
NEXT_TOKEN_EARLIEST = said(ht.next_token.earliest, _one_of(_next_token, min))
PARITY = said(same_parity, lambda text, q, k: text.ids[q] % 2 == text.ids[k] % 2)
SPECIAL_BY_FUNCTION = said(key_is_special, lambda text, q, k: text.special[k])
EVERY_ROW = said(ht.every_row, lambda text, q, k: True, every_row=True)


def _repeats(text, place):
    return any(text.occurs(j, place) for j in range(place))


def _capital(text, place):
    letters = text.texts[place].removeprefix(" ")
    return "A" <= letters[:1] <= "Z"


def conditions(side, name, place):
    """Return the conditions on one side; `place` picks its position of query and key."""
    at = {"<": lambda p: p < 3, "<=": lambda p: p <= 3, ">": lambda p: p > 3}
    at |= {">=": lambda p: p >= 3, "==": lambda p: p == 3, "!=": lambda p: p != 3}
    position = side.position
    compared = {
        "<": position < 3,
        "<=": position <= 3,
        ">": position > 3,
        ">=": position >= 3,
        "==": position == 3,
        "!=": position != 3,
    }

    def of_place(expression, holds):
        return said(expression, lambda text, q, k: holds(text, place(q, k)))

    return {
        f"{name} matches a capital": of_place(side.matches("^ ?[A-Z]"), _capital),
        f"{name} is one of two": of_place(
            side.is_(" the", ","), lambda text, p: text.texts[p] in (" the", ",")
        ),
        f"{name} repeats": of_place(side.repeats, _repeats),
        f"{name} follows": of_place(
            side.follows(side.is_(" the", ",") | (side.position < 1)),
            lambda text, p: p == 1 or (p > 0 and text.texts[p - 1] in (" the", ",")),
        ),
        f"{name} special": of_place(side.special, lambda text, p: text.special[p]),
    } | {
        f"{name} {sign} 3": of_place(compared[sign], lambda text, p, test=at[sign]: test(p))
        for sign in at
    }


ON_KEY = conditions(key, "key", lambda q, k: k)
ON_QUERY = conditions(query, "query", lambda q, k: q) | {"every row": EVERY_ROW}
ON_PAIR = {
    "previous": PREVIOUS,
    "current": CURRENT,
    "next": NEXT,
    "three back": THREE_BACK,
    "duplicate": DUPLICATE,
    "induction": INDUCTION,
    "latest": LATEST,
    "earliest": EARLIEST,
    "prefix of two": PREFIX_2,
    "latest prefix of two": PREFIX_2_LATEST,
    "earliest prefix of three": PREFIX_3_EARLIEST,
    "latest duplicate": DUPLICATE_LATEST,
    "earliest duplicate": DUPLICATE_EARLIEST,
    "next token": NEXT_TOKEN,
    "latest next token": NEXT_TOKEN_LATEST,
    "earliest next token": NEXT_TOKEN_EARLIEST,
    "a function": PARITY,
    "a function of special tokens": SPECIAL_BY_FUNCTION,
}
LEAVES = ON_KEY | ON_QUERY | ON_PAIR | {"first": FIRST}
"""Every leaf, by a name."""


@dataclass(frozen=True)
class Figure:
    """A statistic and what each document contributes to it."""

    documents: list[int]
    rows: list[int]
    shares: list[float]
    """What each document adds to the numerator."""
    value: float | None
    """None if no document counts, or if the denominator is 0."""
    base: float | None
    resting: float | None


@dataclass(frozen=True)
class Reader:
    """Computes statistics on one head's texts with plain loops."""

    texts: Sequence[Text]
    suppress: bool
    min_query: int = 1

    def rows(self, text, when=None):
        return [
            q
            for q in range(self.min_query, len(text.ids))
            if when is None or when.holds_of_row(text, q)
        ]

    def on(self, text, q, relation):
        return [k for k in text.keys(q) if relation.holds(text, q, k, self.suppress)]

    def multiple(self, text, q, k):
        return text.attention[q][k] * len(text.keys(q))

    def mass(self, on, when=None, of=None):
        def eligible(text):
            for q in self.rows(text, when):
                if self.on(text, q, on) or (when is not None and when.every_row):
                    yield q

        def numerator(text, q):
            keys = self.on(text, q, on)
            if of is not None:
                keys = [k for k in keys if k in self.on(text, q, of)]
            return (sum(text.attention[q][k] for k in keys), len(keys) / len(text.keys(q)))

        def denominator(text, q):
            if of is None:
                return 1.0, 1.0
            keys = self.on(text, q, of)
            return (sum(text.attention[q][k] for k in keys), len(keys) / len(text.keys(q)))

        return self._averaged(
            eligible,
            lambda text, rows: _pair_mean(numerator(text, q) for q in rows),
            lambda text, rows: _pair_mean(denominator(text, q) for q in rows),
        )

    def value_mass(self, on, when=None, of=None):
        """A mass of value-weighted attention, beside its plain resting mass."""
        weighted, even, plain = (
            replace(self, texts=list(map(change, self.texts))).mass(on, when, of)
            for change in (value_weighted, lambda text: value_weighted(even_attention(text)), _same)
        )
        return replace(weighted, base=even.value, resting=plain.resting)

    def entropy(self, when=None):
        def share(text, q):
            attention = [text.attention[q][k] for k in text.keys(q)]
            nats = -sum(share * math.log(share) for share in attention if share > 0)
            return nats / math.log(len(attention)), 1.0

        return self._of_rows(when, 2, share)

    def peak(self, when=None):
        def largest(text, q):
            return max(text.attention[q][k] for k in text.keys(q)), 1 / len(text.keys(q))

        return self._of_rows(when, 1, largest)

    def _of_rows(self, when, least, figure):
        def eligible(text):
            return [q for q in self.rows(text, when) if len(text.keys(q)) >= least]

        return self._averaged(
            eligible, lambda text, rows: _pair_mean(figure(text, q) for q in rows), _whole
        )

    def lift(self, on, when=None):
        mass = self.mass(on, when)
        value = None if not mass.base else mass.value / mass.base
        base = None if value is None else 1.0
        return Figure(mass.documents, mass.rows, mass.shares, value, base, mass.resting)

    def top1_rate(self, on, when=None):
        def eligible(text):
            for q in self.rows(text, when):
                if self.on(text, q, on) or (when is not None and when.every_row):
                    yield q

        def hit(text, q):
            best = text.keys(q)[0]
            for k in text.keys(q):
                if text.attention[q][k] > text.attention[q][best]:
                    best = k
            keys = self.on(text, q, on)
            return float(best in keys), len(keys) / len(text.keys(q))

        return self._averaged(
            eligible, lambda text, rows: _pair_mean(hit(text, q) for q in rows), _whole
        )

    def exceed_rate(self, multiple, on, when=None):
        def eligible(text):
            for q in self.rows(text, when):
                if len(text.keys(q)) >= multiple and self.on(text, q, on):
                    yield q

        def share(text, rows):
            found = [
                self.multiple(text, q, k) >= multiple for q in rows for k in self.on(text, q, on)
            ]
            return sum(found) / len(found), 1.0 if multiple <= 1 else 0.0

        return self._averaged(eligible, share, _whole)

    def precision(self, on, above, when=None):
        def pairs(text, q):
            asked = self.on(text, q, on)
            return [k for k in text.keys(q) if k != 0 or not self.suppress or k in asked]

        def eligible(text):
            for q in self.rows(text, when):
                if len(text.keys(q)) >= above and pairs(text, q):
                    yield q

        def counted(text, rows, limited):
            strong = every = wanted = 0
            for q in rows:
                for k in pairs(text, q):
                    inside = not limited or k in self.on(text, q, on)
                    every += 1
                    wanted += inside
                    strong += inside and self.multiple(text, q, k) >= above
            return strong / every, wanted / every

        return self._averaged(
            eligible,
            lambda text, rows: counted(text, rows, True),
            lambda text, rows: counted(text, rows, False),
        )

    def _averaged(self, eligible, numerator, denominator):
        """Every document counts alike; those without an eligible row do not count."""
        numbers, rows, above, below, resting = [], [], [], [], []
        for text in sorted(self.texts, key=lambda text: text.number):
            chosen = list(eligible(text))
            if not chosen:
                continue
            numbers.append(text.number)
            rows.append(len(chosen))
            above.append(numerator(text, chosen))
            below.append(denominator(text, chosen))
            resting.append(
                _mean([text.attention[q][0] if 0 in text.keys(q) else 0.0 for q in chosen])
            )
        if not numbers:
            return Figure([], [], [], None, None, None)
        value, base = (
            _mean([pair[side] for pair in above]) / divisor
            if (divisor := _mean([pair[side] for pair in below]))
            else None
            for side in (0, 1)
        )
        shares = [share for share, _ in above]
        return Figure(numbers, rows, shares, value, base, _mean(resting))

    def pairs(self, on=None, above_average=True) -> Iterator[tuple[float, int, int, int]]:
        """Yield `(multiple, document, query, key)` of the pairs that have a multiple."""
        for text in self.texts:
            for q in self.rows(text):
                for k in text.keys(q):
                    if on is None:
                        wanted = k != 0 or not self.suppress
                    else:
                        wanted = on.holds(text, q, k, self.suppress)
                    multiple = self.multiple(text, q, k)
                    if wanted and (multiple > 1 or not above_average):
                        yield multiple, text.number, q, k

    def ranked(self, size, reverse=False, on=None):
        sign = 1 if reverse else -1
        return sorted(self.pairs(on), key=lambda pair: (sign * pair[0], *pair[1:]))[:size]

    def sampled(self, size, seed, above_average=True, on=None):
        pairs = self.pairs(on, above_average)
        return sorted(pairs, key=lambda pair: split_mix(seed, *pair[1:]))[:size]


def follows_distance(text, suppress, min_query):
    """Return a text with the distance control's attention in place of its own."""
    rows = range(min_query, len(text.ids))
    keys = {q: [k for k in text.keys(q) if k != 0 or not suppress] for q in rows}
    at_distance = {}
    for q in rows:
        for k in keys[q]:
            at_distance.setdefault(q - k, []).append(text.attention[q][k])
    averages = {distance: _mean(found) for distance, found in at_distance.items()}
    attention = [[0.0] * len(text.ids) for _ in text.ids]
    for q in rows:
        resting = text.attention[q][0] if suppress and 0 in text.keys(q) else 0.0
        attention[q][0] = resting
        total = sum(averages[q - k] for k in keys[q])
        for k in keys[q]:
            attention[q][k] = (1 - resting) * averages[q - k] / total if total else 0.0
    return replace(text, attention=attention)


def even_attention(text):
    """Return a text with the same attention on every key of a row."""
    attention = [[0.0] * len(text.ids) for _ in text.ids]
    for q in range(len(text.ids)):
        for k in text.keys(q):
            attention[q][k] = 1 / len(text.keys(q))
    return replace(text, attention=attention)


def value_weighted(text):
    """Return a text with value-weighted attention in place of its own."""
    attention = [[0.0] * len(text.ids) for _ in text.ids]
    for q in range(len(text.ids)):
        total = sum(text.attention[q][k] * text.norms[k] for k in text.keys(q))
        for k in text.keys(q):
            weight = text.attention[q][k] * text.norms[k]
            attention[q][k] = weight / total if total else 0.0
    return replace(text, attention=attention)


def _same(text):
    return text


def _whole(text, rows):
    return 1.0, 1.0


def _mean(numbers):
    return sum(numbers) / len(numbers)


def _pair_mean(pairs):
    return tuple(_mean(column) for column in zip(*pairs, strict=True))


def split_mix(seed, *fields):
    """Return SplitMix64 over a seed and whole numbers, in Python's unbounded integers."""
    wrap = 2**64

    def finalise(z):
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % wrap
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % wrap
        return z ^ (z >> 31)

    state = finalise((seed + 0x9E3779B97F4A7C15) % wrap)
    for field in fields:
        state = finalise(((state ^ field) + 0x9E3779B97F4A7C15) % wrap)
    return state
