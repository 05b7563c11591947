"""Classes of tokens, as conditions on the key.

Patterns on the text of one token that work with byte-level, sentencepiece and WordPiece tokenizers.
"""

from headtests.expressions import key

_FUNCTION_WORDS = (
    "a|about|all|an|and|are|as|at|be|been|but|by|can|could|do|for|from|had|has|have|he|her|"
    "him|his|i|if|in|into|is|it|its|me|my|no|not|of|on|or|our|she|so|than|that|the|their|"
    "them|then|there|they|this|to|up|was|we|were|what|when|which|who|will|with|would|you|"
    "your"
)

# U+FFFD stands for a part of a character, which may be a letter.
PUNCTUATION = key.matches(r"^\s*(?:[^\w\s\ufffd]|_)+\s*$")
"""The key has only punctuation signs, with optional spaces."""
COMMA = key.matches(r"^ ?,")
"""The key begins with a comma."""
SENTENCE_END = key.matches(r"[.!?\u2026][\"'\u201d\u2019)\]]*\s*$")
"""The key ends a sentence."""
COLON = key.matches(r"^ ?[:;]")
"""The key begins with a colon or a semicolon."""
NEWLINE = key.matches(r"[\r\n]")
"""The key contains a line break."""
OPENING_BRACKET = key.matches(r"[(\[{]") & ~key.special
"""The key contains an opening bracket."""
CLOSING_BRACKET = key.matches(r"[)\]}]") & ~key.special
"""The key contains a closing bracket."""
QUOTE = key.matches(r"^\W*[\"'\u201c\u201d\u2018\u2019\u00ab\u00bb]\W*$")
"""The key has a quotation mark or an apostrophe, and otherwise only signs."""
CAPITAL = key.matches(r"^ ?[A-Z]")
"""The key begins with a capital letter."""
DIGIT = key.matches(r"^ ?(?:##)?\d")
"""The key begins with a digit."""
STOP_WORD = key.matches(rf"(?i)^ ?(?:{_FUNCTION_WORDS})$")
"""The key is one of the commonest function words of English."""
UNDERSCORE = key.matches("_") & ~key.special
"""The key contains an underscore."""
OPERATOR = key.matches(r"^ ?[-+*/%=<>&|^~]+$")
"""The key has only operator signs of arithmetic and code."""
