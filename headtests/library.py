"""Relations and token classes that attention heads are known for.

The built-in explainer tries them, and hypotheses import them: `from headtests.library import
line_start`. They are evaluated from tokens alone, for byte-level and sentencepiece tokenizers,
whose words begin with a space, and for WordPiece tokenizers, whose word continuations begin with
"##". With a tokenizer that drops line breaks, such as WordPiece, each document is one line. No
measuring here.
"""

import headtests.expressions.library as library
from headtests.expressions.library import *  # noqa: F403 - the names stand there, once.

__all__ = library.__all__
