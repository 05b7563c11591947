"""The largest run that the report is made for: 500 claims on 500 heads, none of which held.

Each head has an explanation, which is the default for claims that did not hold.
"""

import random
from typing import TypeVar

from headtests.records import CounterexampleRecord, PairRecord, Record
from tests.report import sample

CLAIMS = 500
COUNTEREXAMPLES = 10
RANKED = RANDOM = 20
LENGTH = 1024
"""Tokens of a document."""

_DOCUMENTS = 40
_WORDS = ("the", "model", "attends", "to", "a", "token", "that", "stands", "earlier", "in", "it")
_HEADS_A_LAYER = 20
_Row = TypeVar("_Row", PairRecord, CounterexampleRecord)


def record() -> Record:
    """Return the run; the heads share documents and rows, each in its own order."""
    chance = random.Random(0)
    documents = [_document(chance) for _ in range(_DOCUMENTS)]
    pairs = [_pair(chance, number, tokens) for number, tokens in enumerate(documents)]
    against = [_counterexample(pair) for pair in pairs]
    heads, claims, explanations = [], [], []
    for number in range(CLAIMS):
        name = f"L{number // _HEADS_A_LAYER}H{number % _HEADS_A_LAYER}"
        key = f"demo {name}"
        expression = f"{name}.mass(ht.induction)"
        ranked, rows = _turned(pairs, number, RANKED), _turned(against, number, COUNTEREXAMPLES)
        heads.append(
            sample.head(
                key,
                ranked=sorted(ranked, key=lambda pair: -pair["multiple"]),
                random=_turned(pairs, number + RANKED, RANDOM),
            )
        )
        claims.append(
            sample.claim(
                f"c{number}",
                test=f"hypotheses/test_all.py::test_induction[{name}]",
                outcome="undecided" if number % 4 == 0 else "failed",
                reason="",
                verdict="undecided" if number % 4 == 0 else "refuted",
                heads=[key],
                sentence=f"The share of {name}'s attention that goes to induction targets "
                "is at least 0.4.",
                expression=f"{expression} >= 0.4",
                left=sample.estimate(
                    expression=expression,
                    head=key,
                    value=round(0.01 + number / 2000, 4),
                    counterexamples=sorted(rows, key=lambda row: row["figure"]),
                ),
            )
        )
        explanations.append(sample.explanation(head=key, name=name, claims=[f"c{number}"]))
    return sample.record(heads=heads, claims=claims, explanations=explanations, false_decisions=0.5)


def _turned(items: list[_Row], start: int, number: int) -> list[_Row]:
    return [items[(start + step) % len(items)] for step in range(number)]


def _document(chance: random.Random) -> list[str]:
    return ["<|bos|>", *(f" {chance.choice(_WORDS)}" for _ in range(LENGTH - 1))]


def _pair(chance: random.Random, number: int, tokens: list[str]) -> PairRecord:
    query = chance.randrange(LENGTH // 2, LENGTH)
    key = chance.randrange(1, query)
    weights = [chance.random() for _ in range(query + 1)]
    weights[0], weights[key] = LENGTH / 2, LENGTH / 16
    total = sum(weights)
    pattern = [round(weight / total, 6) for weight in weights] + [0.0] * (LENGTH - query - 1)
    return {
        **sample.pair(query, key, tokens),
        "document": number,
        "text": f"text {number}",
        "multiple": pattern[key] * (query + 1),
        "pattern": pattern,
    }


def _counterexample(pair: PairRecord) -> CounterexampleRecord:
    earlier = [place for place in range(1, pair["query"], 100) if place != pair["key"]]
    return sample.counterexample(
        sum(pair["pattern"][place] for place in earlier), **pair, claimed=earlier
    )
