"""Names of heads: `L5H1` is head 1 of layer 5, `L5H*` is every head of layer 5.

Parsing, printing, and checking names against a model's size.
"""

import re
from dataclasses import dataclass

from headtests.errors import HeadNameError

_PATTERN = re.compile(r"L(\d+|\*)H(\d+|\*)")
_EXPECTED = 'Heads are named like "L5H1" (head 1 of layer 5, both from 0) or "L5H*" (every head)'


@dataclass(frozen=True, slots=True, order=True)
class HeadName:
    """One head of a model; layers and heads count from 0."""

    layer: int
    index: int

    def __str__(self) -> str:
        return f"L{self.layer}H{self.index}"


@dataclass(frozen=True, slots=True)
class HeadSelector:
    """A selection of heads: one head, or all heads of a layer or model."""

    layer: int | None
    """None for every layer."""
    index: int | None
    """None for every head of the layer."""

    @property
    def name(self) -> HeadName | None:
        """The head, if exactly one is selected; else None."""
        if self.layer is None or self.index is None:
            return None
        return HeadName(self.layer, self.index)

    def within(self, layers: int, heads: int) -> list[HeadName]:
        """Return the selected heads of a model with `layers` layers of `heads` heads.

        Raises `HeadNameError` if the model has no such layer or head.
        """
        if (self.layer or 0) >= layers or (self.index or 0) >= heads:
            raise HeadNameError(
                f"{self} is no head of this model: it has {layers} layers of {heads} heads, "
                f"L0H0 to L{layers - 1}H{heads - 1}. Layers and heads count from 0."
            )
        return [
            HeadName(layer, index)
            for layer in (range(layers) if self.layer is None else [self.layer])
            for index in (range(heads) if self.index is None else [self.index])
        ]

    def __str__(self) -> str:
        layer = "*" if self.layer is None else self.layer
        return f"L{layer}H{'*' if self.index is None else self.index}"


def parse_head(text: object) -> HeadSelector:
    """Return the selection that a head's name makes.

    Raises `HeadNameError` for anything that is not of the form `L5H1`, `L5H*` or `L*H*`.

    >>> parse_head("L5H1").name
    HeadName(layer=5, index=1)
    """
    if not isinstance(text, str):
        raise HeadNameError(f"expected a head's name but found {text!r}. {_EXPECTED}.")
    match = _PATTERN.fullmatch(text)
    if match is None:
        numbers = re.fullmatch(r"\D*(\d+)\D+(\d+)\D*", text)
        meant = f'; did you mean "L{numbers[1]}H{numbers[2]}"?' if numbers else "."
        raise HeadNameError(f"{text!r} is not a head's name. {_EXPECTED}{meant}")
    layer, index = (None if part == "*" else int(part) for part in match.groups())
    return HeadSelector(layer, index)
