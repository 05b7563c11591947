"""What a pass hands to its readers: some heads' attention rows on some documents.

Shapes and who may keep what. Which documents run is `forward`; what rows amount to is `measure`
and `pairs`.
"""

from dataclasses import dataclass
from typing import Protocol

import torch

from headtests.corpora import Batch
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.token_view import BatchTokens


@dataclass(frozen=True, eq=False)
class Block:
    """Some heads' rows on some documents."""

    tokens: BatchTokens
    """The documents, and which keys these heads' rows may attend to."""
    heads: tuple[HeadName, ...]
    """The heads, all of which may attend to the same keys."""
    rows: torch.Tensor
    """Float32 on the model's device, `[head, document, query, key]`; 0 where a row may not attend.

    Good until the reader returns: what it keeps, it copies.
    """

    @property
    def batch(self) -> Batch:
        """The documents."""
        return self.tokens.batch


class Reader(Protocol):
    """What takes from each block of a pass what it needs."""

    def read(self, block: Block) -> None:
        """Take in a block."""
