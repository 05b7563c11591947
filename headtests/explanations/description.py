"""What describing a head gives: what explainers say of it, each with what was measured of that.

A value that prints itself. What is in it is the explanations' own; nothing is measured here.
"""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 80


@dataclass(frozen=True, repr=False)
class Description:
    """What explainers say of one head, the built-in one first."""

    head: str
    """Such as `L1H3`."""
    explanations: Sequence[Mapping[str, Any]]
    """As in a record's `explanations`."""

    @property
    def text(self) -> str:
        """The paragraph of the last explainer that has one; empty where none has."""
        said = [one["text"] for one in self.explanations if one["text"]]
        return str(said[-1]) if said else ""

    @property
    def suggestions(self) -> list[Mapping[str, Any]]:
        """The claims that were suggested and measured, the best of each explainer first.

        As in a record's `explanations`: `expression`, `python`, `verdict`, `mass`, `lift` and more.
        """
        return [
            suggestion
            for one in self.explanations
            for suggestion in one["suggestions"]
            if not suggestion["trouble"]
        ]

    @property
    def troubles(self) -> list[str]:
        """Why explainers have no explanation, each in a sentence."""
        return [str(one["trouble"]) for one in self.explanations if one["trouble"]]

    def to_json(self, indent: int | None = 2) -> str:
        """Return everything as JSON."""
        return json.dumps({"head": self.head, "explanations": self.explanations}, indent=indent)

    def __str__(self) -> str:
        return "\n\n".join("\n".join(_lines(one)) for one in self.explanations)

    def __repr__(self) -> str:
        return str(self)


def _lines(explanation: Mapping[str, Any]) -> Iterator[str]:
    who, server = explanation["explainer"], explanation["server"]
    yield f"{explanation['name']}, by {who}{f' at {server}' if server else ''}:"
    if explanation["trouble"]:
        yield from _wrapped(f"no explanation: {explanation['trouble']}")
    if explanation["text"]:
        yield from _wrapped(explanation["text"])
    for one in explanation["suggestions"]:
        yield ""
        yield from _suggestion(one)
    for one in explanation["detection"]:
        yield from _wrapped(_score(one))
    halves = explanation["explain"], explanation["measure"]
    made, measured = (f"{half['documents']:,} of {half['texts']:,} texts" for half in halves)
    if explanation["text"]:
        yield from _wrapped(f"documents: made from {made}, measured on {measured}")


def _suggestion(one: Mapping[str, Any]) -> Iterator[str]:
    if one["trouble"]:
        yield from _wrapped(f"{one['said']!r} was suggested: {one['trouble']}")
        return
    yield f"  {one['verdict']:<9} {one['expression']}"
    lift = "" if one["lift"] is None else f", lift {_between(one['lift'])}"
    yield f"            mass {_between(one['mass'])}{lift} over {one['documents']:,} documents"


def _score(one: Mapping[str, Any]) -> str:
    of = {
        "explanation": "it",
        "shuffled": "it, shuffled,",
        "another head": f"that of {one['head']}",
    }
    who = of[one["of"]] if one["head"] else "that of another head"
    if one["balanced_accuracy"] is None:
        return f"detection: {who} was not scored: {one['trouble']}"
    found = {"value": one["balanced_accuracy"], "low": one["low"], "high": one["high"]}
    controls = one["same_query"] + one["same_distance"]
    return (
        f"detection: {who} tells {one['pairs']} pairs from {controls} controls with a balanced "
        f"accuracy of {_between(found)}"
    )


def _between(figure: Mapping[str, Any]) -> str:
    if figure["low"] == figure["value"] == figure["high"]:
        return f"{figure['value']:.3g} (exact)"
    low = "0" if figure["low"] is None else f"{figure['low']:.3g}"
    high = "inf" if figure["high"] is None else f"{figure['high']:.3g}"
    return f"{figure['value']:.3g} [{low}, {high}]"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        visible(text), WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )


def visible(text: str) -> str:
    """Return a text without what a terminal would obey."""
    return "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in text)
