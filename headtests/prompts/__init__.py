"""Families of prompts that a claim is made about: `prompts.repeated()`, `prompts.template(...)`.

What is in a family, and how its prompts are drawn. `headtests.prompts.search` searches a family for
a prompt that breaks a claim.
"""

from headtests.prompts.choices import (
    Choice,
    Chooser,
    Draw,
    Forced,
    Lexicon,
    Number,
    Simplest,
    TokenKind,
    TokenRun,
    from_json,
    to_json,
)
from headtests.prompts.families import (
    Family,
    Prompt,
    block_gap_block,
    edited,
    family,
    given,
    repeated,
    template,
)

__all__ = [
    "Choice",
    "Chooser",
    "Draw",
    "Family",
    "Forced",
    "Lexicon",
    "Number",
    "Prompt",
    "Simplest",
    "TokenKind",
    "TokenRun",
    "block_gap_block",
    "edited",
    "family",
    "from_json",
    "given",
    "repeated",
    "template",
    "to_json",
]
