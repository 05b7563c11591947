"""`Description`: the explanations of one head, as a value that prints itself.

Nothing is measured here.
"""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headtests.io.escaping import legible
from headtests.wording import against_null

WIDTH = 80


@dataclass(frozen=True, repr=False)
class Description:
    """The explanations of one head, the built-in explainer's first."""

    head: str
    """Such as `L1H3`."""
    explanations: Sequence[Mapping[str, Any]]
    """As `explanations` in a record."""

    @property
    def text(self) -> str:
        """The paragraph of the last explainer that has one; empty if none has."""
        texts = [str(explanation["text"]) for explanation in self.explanations]
        return next(filter(None, reversed(texts)), "")

    @property
    def suggestions(self) -> list[Mapping[str, Any]]:
        """The claims that were suggested and measured, each explainer's best first.

        With `expression`, `python`, `verdict`, `mass`, `lift` and more, as in a record.
        """
        return [
            suggestion
            for explanation in self.explanations
            for suggestion in explanation["suggestions"]
            if not suggestion["trouble"]
        ]

    @property
    def troubles(self) -> list[str]:
        """For each explainer that has no explanation, why, in a sentence."""
        return [str(each["trouble"]) for each in self.explanations if each["trouble"]]

    def to_json(self, indent: int | None = 2) -> str:
        """Return everything as JSON."""
        return json.dumps({"head": self.head, "explanations": self.explanations}, indent=indent)

    def __str__(self) -> str:
        return "\n\n".join("\n".join(_lines(explanation)) for explanation in self.explanations)

    def __repr__(self) -> str:
        return str(self)


def _lines(explanation: Mapping[str, Any]) -> Iterator[str]:
    who, server = explanation["explainer"], explanation["server"]
    yield f"{explanation['name']}, by {who}{f' at {server}' if server else ''}:"
    if explanation["trouble"]:
        yield from _wrapped(f"no explanation: {explanation['trouble']}")
    if explanation["text"]:
        yield from _wrapped(explanation["text"])
    for suggestion in explanation["suggestions"]:
        yield ""
        yield from _suggestion(suggestion)
    for score in explanation["detection"]:
        yield from _wrapped(_score(score))
    yield from _wrapped(_null(explanation["detection"]))
    halves = explanation["explain"], explanation["measure"]
    made, measured = (f"{half['documents']:,} of {half['texts']:,} texts" for half in halves)
    if explanation["text"]:
        yield from _wrapped(f"documents: made from {made}, measured on {measured}")


def _suggestion(record: Mapping[str, Any]) -> Iterator[str]:
    if record["trouble"]:
        yield from _wrapped(f"{record['said']!r} was suggested: {record['trouble']}")
        return
    yield f"  {record['verdict']:<9} {record['expression']}"
    lift = "" if record["lift"] is None else f", lift {_between(record['lift'])}"
    documents = f"{record['documents']:,} documents"
    yield f"            mass {_between(record['mass'])}{lift} over {documents}"


def _score(record: Mapping[str, Any]) -> str:
    names = {
        "explanation": "it",
        "shuffled": "it, shuffled,",
        "another head": f"that of {record['head']}",
    }
    name = names[record["of"]] if record["head"] else "that of another head"
    if record["balanced_accuracy"] is None:
        return f"detection: {name} was not scored: {record['trouble']}"
    accuracy = _between({**record, "value": record["balanced_accuracy"]})
    controls = record["same_query"] + record["same_distance"]
    return (
        f"detection: {name} tells {record['pairs']} pairs from {controls} controls with a balanced "
        f"accuracy of {accuracy}"
    )


def _null(scores: Sequence[Mapping[str, Any]]) -> str:
    """Return which null the explanation beats; empty if it has no score."""
    of = {score["of"]: score for score in scores}
    own, null = of.get("explanation", {}), of.get("another head", {})
    value = null.get("balanced_accuracy")
    head = null.get("head", "")
    return against_null(own.get("low"), None if value is None else (value, null["high"]), head)


def _between(figure: Mapping[str, Any]) -> str:
    if figure["low"] == figure["value"] == figure["high"]:
        return f"{figure['value']:.3g} (exact)"
    low = "0" if figure["low"] is None else f"{figure['low']:.3g}"
    high = "inf" if figure["high"] is None else f"{figure['high']:.3g}"
    return f"{figure['value']:.3g} [{low}, {high}]"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        legible(text), WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )
