"""Classes of tokens, as conditions on the key.

Patterns on the text of one token, in English where they are about words. They work with byte-level,
sentencepiece and WordPiece tokenizers.
"""

from headtests.expressions.conditions import key

__all__ = [
    "AFTER_COMMA",
    "AFTER_DETERMINER",
    "ALL_CAPITALS",
    "AUXILIARY",
    "CAPITAL",
    "CLOSING_BRACKET",
    "COLON",
    "COMMA",
    "CONJUNCTION",
    "CONTRACTION",
    "CURRENCY_OR_PERCENT",
    "DASH",
    "DETERMINER",
    "DIGIT",
    "FIRST_OCCURRENCE",
    "KEYWORD",
    "LONG_TOKEN",
    "LOWER_CASE",
    "MODAL",
    "MONTH",
    "NEGATION",
    "NEWLINE",
    "NUMBER",
    "NUMBER_WORD",
    "ONE_CHARACTER",
    "OPENING_BRACKET",
    "OPERATOR",
    "ORDINAL",
    "PREPOSITION",
    "PRONOUN",
    "PUNCTUATION",
    "QUESTION_MARK",
    "QUESTION_WORD",
    "QUOTE",
    "SENTENCE_END",
    "SLASH",
    "SPACE_BEFORE",
    "STOP_WORD",
    "UNDERSCORE",
    "WEEKDAY",
    "WHITE_SPACE",
]

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

ALL_CAPITALS = key.matches(r"^ ?[A-Z]{2,}$")
"""The key has two or more capital letters and nothing else."""
LOWER_CASE = key.matches(r"^ ?[a-z]")
"""The key begins with a small letter, and is no piece marked "##"."""
SPACE_BEFORE = key.matches(r"^\s*[ \t]\S")
"""The key begins with a space or a tab, and has more; no token of WordPiece does."""
WHITE_SPACE = key.matches(r"^\s+$")
"""The key is white space alone."""
ONE_CHARACTER = key.matches(r"^\s?(?:##)?[^\s\ufffd]$")
"""The key is one character, but for a space or WordPiece's mark before it."""
LONG_TOKEN = key.matches(r"^\s?(?:##)?[^\W\d_]{8,}$")
"""The key is eight or more letters, but for a space or WordPiece's mark before them."""
NUMBER = key.matches(r"^\s?(?:##)?\d+$")
"""The key has digits and nothing else, but for a space or WordPiece's mark before them."""
NUMBER_WORD = key.matches(
    r"(?i)^\s?(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|"
    r"fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|"
    r"ninety|hundred|thousand|million|billion)$"
)
"""The key is a whole number in words."""
ORDINAL = key.matches(
    r"(?i)^\s?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|"
    r"\d*(?:1st|2nd|3rd|\dth))$"
)
"""The key is an ordinal number, in words or digits."""
MONTH = key.matches(
    r"^\s?(?:(?:[Jj]anuary|[Ff]ebruary|[Aa]pril|[Jj]une|[Jj]uly|[Aa]ugust|[Ss]eptember|[Oo]ctober|"
    r"[Nn]ovember|[Dd]ecember)|March|May|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)$"
)
"""The key is a month or its abbreviation; "may" and "march" with a capital letter only."""
WEEKDAY = key.matches(
    r"^\s?(?:[Mm]onday|[Tt]uesday|[Ww]ednesday|[Tt]hursday|[Ff]riday|[Ss]aturday|[Ss]unday|"
    r"Mon|Tue|Tues|Wed|Thu|Thurs|Fri|Sat|Sun)$"
)
"""The key is a day of the week or its abbreviation; abbreviations with a capital letter only."""
PRONOUN = key.matches(
    r"(?i)^\s?(?:i|you|he|she|it|we|they|me|him|her|us|them|my|your|his|its|our|their|mine|yours|"
    r"hers|ours|theirs|myself|yourself|himself|herself|itself|ourselves|yourselves|themselves)$"
)
"""The key is a personal, possessive or reflexive pronoun."""
DETERMINER = key.matches(
    r"(?i)^\s?(?:the|a|an|this|that|these|those|each|every|some|any|all|both|another|either|"
    r"neither)$"
)
"""The key is an article or another determiner, or a word that may be one."""
PREPOSITION = key.matches(
    r"(?i)^\s?(?:of|in|to|for|with|on|at|by|from|about|into|through|during|before|after|above|"
    r"below|between|under|over|against|among|without|within|toward|towards|upon|across|behind|"
    r"beyond|near|since|until)$"
)
"""The key is a preposition, or a word that may be one."""
CONJUNCTION = key.matches(
    r"(?i)^\s?(?:and|or|but|nor|yet|because|although|though|while|if|unless|whereas|whether)$"
)
"""The key is a conjunction, or a word that may be one."""
AUXILIARY = key.matches(
    r"(?i)^\s?(?:am|is|are|was|were|be|been|being|have|has|had|having|do|does|did)$"
)
"""The key is a form of be, have or do."""
MODAL = key.matches(r"(?i)^\s?(?:can|could|may|might|must|shall|should|will|would)$")
"""The key is a modal verb; a month of May counts, too."""
NEGATION = key.matches(
    r"(?i)^\s?(?:not|no|never|none|nothing|nobody|nor|neither|cannot|without|n['\u2019]t)$"
)
"""The key is a word of negation."""
QUESTION_WORD = key.matches(r"(?i)^\s?(?:who|whom|whose|which|what|when|where|why|how)$")
"""The key is a word that may open a question or a relative clause."""
CONTRACTION = key.matches(r"(?i)^['\u2019](?:s|t|re|ve|ll|d|m)$")
"""The key is an apostrophe and the ending of a contraction or possessive."""
DASH = key.matches(r"^\s?[-\u2010-\u2015]+\s?$")
"""The key has only hyphens and dashes."""
SLASH = key.matches(r"^\s?[/\\]+$")
"""The key has only slashes, forward or backward."""
QUESTION_MARK = key.matches(r"\?")
"""The key contains a question mark."""
CURRENCY_OR_PERCENT = key.matches(r"^\s?[$%\u20ac\u00a3\u00a5]+$")
"""The key has only signs of currency or percent."""
KEYWORD = key.matches(
    r"^\s*(?:def|return|import|class|elif|else|lambda|raise|const|let|var|function|public|private|"
    r"static|void|int|struct|func|fn|typedef|include|null|None|True|False|self|this)$"
)
"""The key is a keyword or a fixed name of a common programming language."""
FIRST_OCCURRENCE = ~key.repeats & ~key.special
"""The key's token did not occur before in the document."""
AFTER_COMMA = key.follows(COMMA)
"""The token before the key begins with a comma."""
AFTER_DETERMINER = key.follows(DETERMINER)
"""The token before the key is a determiner."""
