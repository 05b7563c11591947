"""What a claim about prompts needs from a model: one pattern, or a search of a family.

A protocol, so that these claims import neither torch nor pytest; `headtests.sessions.session`
implements it.
"""

from collections.abc import Sequence
from typing import Protocol

from headtests.claims.definitions import RowOptions
from headtests.expressions.head_names import HeadName
from headtests.prompts.choices import Lexicon
from headtests.prompts.counterexamples import KnownPrompt, PromptClaim, Searched
from headtests.prompts.pattern import Pattern


class PromptEvidence(Protocol):
    """A model that reads prompts, one at a time or as a family."""

    def pattern(self, head: HeadName, prompt: str | Sequence[int], options: RowOptions) -> Pattern:
        """Return the head's attention on one prompt."""

    @property
    def lexicon(self) -> Lexicon:
        """The model's tokens, for families to draw from."""

    def search(
        self,
        head: HeadName,
        claim: PromptClaim,
        options: RowOptions,
        known: Sequence[KnownPrompt],
    ) -> Searched:
        """Return the result of searching a claim's prompts; known ones are tried first."""

    def margin(
        self, head: HeadName, claim: PromptClaim, options: RowOptions, prompt: str | Sequence[int]
    ) -> float:
        """Return the distance of one prompt from breaking a claim; inf without an eligible row."""
