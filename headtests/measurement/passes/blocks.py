"""The unit that a pass gives to its readers: attention rows of some heads on some documents.

Shapes and lifetimes. `runner` chooses the documents; `headtests.measurement.readers` computes
figures and pairs from the rows.
"""

from dataclasses import dataclass
from typing import Protocol

import torch

from headtests.corpora import Batch
from headtests.expressions.head_names import HeadName
from headtests.measurement.passes.token_view import BatchTokens


@dataclass(frozen=True, eq=False)
class Block:
    """Attention rows of some heads on some documents."""

    tokens: BatchTokens
    """The documents, and the keys that these heads' rows may attend to."""
    heads: tuple[HeadName, ...]
    """The heads, all of one layer or of layers whose rows may attend to the same keys."""
    rows: torch.Tensor
    """Attention values, float32, on the model's device, `[head, document, query, key]`.

    0 where a row may not attend. The buffer is reused once the reader returns: a reader copies
    what it keeps.
    """
    norms: torch.Tensor | None = None
    """The Euclidean norms of the heads' value vectors, float32 `[head, document, key]`.

    None unless the pass reads them. Query heads that share a value have the same norms.
    """

    def of(self, heads: tuple[HeadName, ...]) -> "Block":
        """Return a block of some of the heads; the rows are copied."""
        places = [self.heads.index(head) for head in heads]
        norms = None if self.norms is None else self.norms[places]
        return Block(self.tokens, heads, self.rows[places], norms)

    def require_norms(self) -> torch.Tensor:
        """Return the norms; raises `ValueError` if the pass does not read values."""
        if self.norms is None:
            raise ValueError("the pass does not read values, which a value-weighted mass needs")
        return self.norms

    @property
    def batch(self) -> Batch:
        """The documents."""
        return self.tokens.batch


class Reader(Protocol):
    """An object that receives every block of a pass."""

    def read(self, block: Block) -> None:
        """Process a block."""
