"""What one row by itself says of a claim, in plain Python: loops over keys, one row at a time.

Slow on purpose, and written from the words of the record alone.
"""

import math
from dataclasses import dataclass

from tests.oracles import Reader, Said, follows_distance, value_weighted

QUANTUM = 2.0**-30


@dataclass(frozen=True)
class Claim:
    """A statistic compared with a threshold."""

    kind: str
    """`mass`, `value mass`, `lift`, `lift over distance`, `top1_rate`, `exceed_rate`, `precision`,
    `entropy` or `peak`."""
    on: Said
    operator: str
    threshold: float = 0.0
    when: Said | None = None
    of: Said | None = None
    number: float = 1.0
    """The multiple of a rate of multiples, or of a precision."""

    @property
    def is_of_rows(self):
        return self.kind in ("entropy", "peak")

    @property
    def is_over(self):
        return self.operator in (">=", ">")


@dataclass(frozen=True)
class Verdict:
    """What all rows say together."""

    rows_against: int
    on: list[float]
    """The multiples of the statistic's pairs, in any order."""
    others: list[float]
    """Those of all other pairs of the same rows."""
    counterexamples: list[tuple]
    """`(document, query, key, multiple, figure, claimed)`, the furthest first."""


class Judge(Reader):
    """Somebody who looks at every row of one head's texts."""

    def judge(self, claim, size, documents):
        against, on, others, furthest = 0, [], [], []
        for text in self.texts:
            if text.number not in documents:
                continue
            matched = None
            if claim.kind == "lift over distance":
                matched = follows_distance(text, self.suppress, self.min_query)
            worst = None
            for q in self.rows(text, claim.when):
                inside = self.inside(claim, text, q)
                if not self.counts(claim, text, q, inside):
                    continue
                beside = [self.multiple(text, q, k) for k in self.beside(text, q, inside)]
                on += beside if claim.is_of_rows else [self.multiple(text, q, k) for k in inside]
                others += [] if claim.is_of_rows else beside
                score, figure, key, denied = self.look(claim, text, q, inside, matched)
                against += denied
                far = round((score if claim.is_over else -score) / QUANTUM)
                if denied and (worst is None or far < worst[0]):
                    shown = (key, self.multiple(text, q, key), figure, inside)
                    worst = (far, text.number, q, *shown)
            if worst is not None:
                furthest.append(worst)
        shown = [found[1:] for found in sorted(furthest, key=lambda found: found[:3])[:size]]
        return Verdict(against, sorted(on), sorted(others), shown)

    def inside(self, claim, text, q):
        """Return the keys that the statistic is about."""
        if claim.is_of_rows:
            return []
        keys = self.on(text, q, claim.on)
        return keys if claim.of is None else [k for k in keys if k in self.on(text, q, claim.of)]

    def beside(self, text, q, inside):
        """Return the other keys that have a multiple."""
        return [k for k in text.keys(q) if k not in inside and (k != 0 or not self.suppress)]

    def counts(self, claim, text, q, inside):
        """Return whether the statistic counts a row."""
        if claim.is_of_rows:
            return len(text.keys(q)) >= (2 if claim.kind == "entropy" else 1)
        asked = self.on(text, q, claim.on)
        if claim.kind == "exceed_rate":
            return bool(asked) and len(text.keys(q)) >= claim.number
        if claim.kind == "precision":
            some = inside or self.beside(text, q, inside)
            return bool(some) and len(text.keys(q)) >= claim.number
        return bool(asked) or (claim.when is not None and claim.when.every_row)

    def look(self, claim, text, q, inside, matched):
        """Return a row's score, its figure, the key to show, and whether it speaks against."""
        row, n = text.attention[q], len(text.keys(q))
        if claim.kind in ("exceed_rate", "precision"):
            return self.look_at_pairs(claim, text, q, inside)
        if claim.kind == "top1_rate":
            others = [k for k in text.keys(q) if k not in inside]
            ahead = max([row[k] for k in inside], default=0.0)
            ahead -= max([row[k] for k in others], default=0.0)
            hit = self.first_of_largest(row, text.keys(q)) in inside
            key = self.shown(claim, text, q, inside)
            return ahead, float(hit), key, hit != claim.is_over
        if claim.kind == "value mass":
            text = value_weighted(text)
            row = text.attention[q]
        mass, control = sum_of(row, inside), 1.0
        if claim.kind == "peak":
            mass = max(row[k] for k in text.keys(q))
        elif claim.kind == "entropy":
            mass = -sum_of([p * math.log(p) if p else 0.0 for p in row], text.keys(q)) / math.log(n)
        if claim.of is not None:
            control = sum_of(row, self.on(text, q, claim.of))
        elif claim.kind == "lift":
            control = len(inside) / n
        elif matched is not None:
            control = sum_of(matched.attention[q], inside)
        score = mass - claim.threshold * control
        figure = mass / control if control else 0.0
        far = round(score / QUANTUM)
        denied = {">=": far < 0, ">": far <= 0, "<=": far > 0, "<": far >= 0}[claim.operator]
        return score, figure, self.shown(claim, text, q, inside), denied

    def look_at_pairs(self, claim, text, q, inside):
        """Return the same of the pair of a row that speaks most against the claim."""
        of = {k: self.multiple(text, q, k) for k in text.keys(q)}
        if claim.kind == "exceed_rate":
            extreme = min if claim.is_over else max
            found = extreme(of[k] for k in inside)
            key = next(k for k in inside if of[k] == found)
            return found - claim.number, found, key, (found < claim.number) == claim.is_over
        looked_at = self.beside(text, q, inside) if claim.is_over else inside
        strong = [k for k in looked_at if of[k] >= claim.number]
        if not strong:
            return 0.0, 0.0, 0, False
        key = self.first_of_largest(of, strong)
        return (-of[key] if claim.is_over else of[key]), of[key], key, True

    def shown(self, claim, text, q, inside):
        keys = [k for k in text.keys(q) if k not in inside] if claim.is_over else inside
        return self.first_of_largest(text.attention[q], keys or text.keys(q))

    @staticmethod
    def first_of_largest(values, keys):
        return next(k for k in keys if values[k] == max(values[j] for j in keys))


def sum_of(values, keys):
    total = 0.0
    for k in keys:
        total += values[k]
    return total
