"""Every relation of the library once more, as loops over tokens in plain Python.

Written from the definitions, for one pair at a time; nothing of the package is used. `KEYS` has the
conditions on the key alone, `PAIRS` the others, by the English names of the library.
"""

import unicodedata
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from string import ascii_lowercase, ascii_uppercase, digits

LETTERS = ascii_lowercase + ascii_uppercase
SENTENCE_ENDS = ".!?\u2026"
CLOSERS = "\"')]}\u201d\u2019\u00bb"
CLOSED_BY = {"(": ")", "[": "]", "{": "}"}
QUOTED_BY = {'"': '"', "\u201c": "\u201d", "\u00ab": "\u00bb"}


def is_of_word(character):
    return (
        character.isalnum()
        or character == "\ufffd"
        or (character != "" and unicodedata.category(character)[0] == "M")
    )


@dataclass(frozen=True)
class Words:
    """A document as plain lists."""

    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    special: tuple[bool, ...]
    counts: tuple[int, ...]
    """How often each of its tokens occurs in the corpus."""

    def __len__(self):
        return len(self.tokens)

    @cached_property
    def real(self):
        """The places of tokens that are not special."""
        return [place for place in range(len(self)) if not self.special[place]]

    @cached_property
    def words(self):
        """The places of each word's pieces."""
        spaced = any(character.isspace() for place in self.real for character in self.tokens[place])
        words = []
        for place in self.real:
            token = self.tokens[place]
            joined = self.joins(place, spaced)
            if joined or is_of_word(token.strip()[:1]) or is_of_word(token[-1:]):
                if joined and words and words[-1][-1] == place - 1:
                    words[-1].append(place)
                else:
                    words.append([place])
        return words

    def joins(self, place, spaced=None):
        """Return whether a token continues the one before it."""
        if spaced is None:
            spaced = any(
                character.isspace() for place in self.real for character in self.tokens[place]
            )
        if place == 0 or self.special[place] or self.special[place - 1]:
            return False
        if not spaced:
            return self.tokens[place].startswith("##") and self.tokens[place] != "##"
        return is_of_word(self.tokens[place][:1]) and is_of_word(self.tokens[place - 1][-1:])

    def word(self, place):
        """Return the pieces of the word at a place; empty for none."""
        return next((word for word in self.words if place in word), [])

    def word_before(self, place):
        """Return the pieces of the last word before the word at a place, or before the place."""
        begin = self.word(place)[0] if self.word(place) else place
        return next((word for word in reversed(self.words) if word[-1] < begin), [])

    @cached_property
    def lines(self):
        lines = [[]]
        for place in self.real:
            lines[-1].append(place)
            if self.tokens[place].rstrip(" \t")[-1:] in ("\n", "\r"):
                lines.append([])
        return [line for line in lines if line]

    @cached_property
    def sentences(self):
        """The places of each sentence, with a first one of what closes none; it may be empty."""
        sentences, is_over, spaced = [[]], True, True
        for place in self.real:
            token = self.tokens[place]
            bare = token.strip()
            closes = all(character in SENTENCE_ENDS + CLOSERS for character in bare)
            opens = bare != "" and set(bare) <= set("\"'") and (spaced or token[:1].isspace())
            ends = token.rstrip().rstrip(CLOSERS)[-1:]
            ends = ends != "" and ends in SENTENCE_ENDS
            if is_over and not (closes and not opens):
                sentences.append([])
            sentences[-1].append(place)
            if ends or not closes or opens:
                is_over = ends
            spaced = token[-1:].isspace()
        return sentences

    @cached_property
    def paragraphs(self):
        """The places of each paragraph; the first is of white space, and may be empty."""
        paragraphs, between, seen = [[]], "", False
        for place in self.real:
            token = self.tokens[place]
            if token.strip():
                between += token[: len(token) - len(token.lstrip())]
                if not seen or between.count("\n") >= 2:
                    paragraphs.append([])
                seen = True
                between = token[len(token.rstrip()) :]
            else:
                between += token
            paragraphs[-1].append(place)
        return paragraphs

    def quote(self, place):
        """Return the place of the mark that opens the quotation around a place; None for none."""
        if self.special[place]:
            return None
        (paragraph,) = (part for part in self.paragraphs if place in part)
        before, after = (
            self._open_quote([other for other in paragraph if other < end])
            for end in (place, place + 1)
        )
        return before if before == after else None

    def _open_quote(self, places):
        opener = closing = None
        for place in places:
            for character in self.tokens[place]:
                if closing is None and character in QUOTED_BY:
                    opener, closing = place, QUOTED_BY[character]
                elif character == closing:
                    opener = closing = None
        return opener

    def brackets(self, end):
        """Return the brackets that are open before a place, and the pairs that were closed."""
        stack, closed = [], []
        for place in self.real:
            for character in self.tokens[place] if place < end else "":
                if character in CLOSED_BY:
                    stack.append((CLOSED_BY[character], place))
                elif character in CLOSED_BY.values():
                    while any(wanted == character for wanted, _ in stack):
                        wanted, opener = stack.pop()
                        if wanted == character:
                            closed.append((place, opener))
                            break
        return [place for _, place in stack], closed

    def occurs(self, earlier, later):
        return (
            earlier < later
            and self.ids[earlier] == self.ids[later]
            and not self.special[earlier]
            and not self.special[later]
        )

    def resembles(self, earlier, later):
        """Return whether a token is an earlier one, but for case and space."""
        if not earlier < later or self.special[earlier] or self.special[later]:
            return False
        left, right = self.tokens[earlier], self.tokens[later]
        if "\ufffd" in left + right:
            return self.ids[earlier] == self.ids[later]
        return folded(left) == folded(right)

    def follows_run(self, q, k, length):
        """Return whether the last tokens up to q are those before k."""
        return all(
            k - 1 - back >= 0 and self.occurs(k - 1 - back, q - back) for back in range(length)
        )

    def by_count(self, count, sign):
        """Return the places of the rarest tokens, or with -1 of the most frequent."""
        return sorted(self.real, key=lambda place: (sign * self.counts[place], place))[:count]


def folded(token):
    bare = token[2:] if token.startswith("##") else token
    return bare.strip().casefold() or token


def without_space(token):
    """Return a token without one space in front, or another white space character."""
    token = token[1:] if token[:1].isspace() else token
    return token.removesuffix("\n")


def without_mark(token):
    token = without_space(token)
    return token[2:] if token.startswith("##") else token


def consists_of(characters):
    return lambda token: (
        without_space(token) != "" and all(one in characters for one in without_space(token))
    )


def has(*characters):
    return lambda token: any(character in token for character in characters)


def one_of(words, *, cased=False):
    known = set(words.split())
    return lambda token: (without_space(token) if cased else without_space(token).lower()) in known


def begins_with(characters):
    return lambda token: (
        token.removeprefix(" ")[:1] != "" and (token.removeprefix(" ")[0] in characters)
    )


def is_punctuation(token):
    bare = token.strip()
    return bare != "" and all(
        character == "_"
        or not (character.isalnum() or character.isspace() or character == "\ufffd")
        for character in bare
    )


def is_sentence_end(token):
    bare = token.rstrip().rstrip("\"'\u201d\u2019)]")
    return bare[-1:] != "" and bare[-1] in SENTENCE_ENDS


def is_quote(token):
    return any(character in "\"'\u201c\u201d\u2018\u2019\u00ab\u00bb" for character in token) and (
        not any(character.isalnum() or character == "_" for character in token)
    )


ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
KEYWORDS = """
def return import class elif else lambda raise const let var function public private static void int
struct func fn typedef include null None True False self this"""


def is_ordinal(token):
    bare = without_space(token).lower()
    if bare in ORDINALS.split():
        return True
    number, ending = bare[:-2], bare[-2:]
    ends = {"st": "1", "nd": "2", "rd": "3"}.get(ending, digits if ending == "th" else "")
    return number.isdigit() and number[-1] in ends


MONTHS = "January February April June July August September October November December"
ABBREVIATED = " March May Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec"
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
FUNCTION_WORDS = """
a about all an and are as at be been but by can could do for from had has have he her him his i if
in into is it its me my no not of on or our she so than that the their them then there they this to
up was we were what when which who will with would you your"""

TOKENS = {
    "punctuation": is_punctuation,
    "commas": begins_with(","),
    "the ends of sentences": is_sentence_end,
    "colons and semicolons": begins_with(":;"),
    "line breaks": has("\n", "\r"),
    "opening brackets": has("(", "[", "{"),
    "closing brackets": has(")", "]", "}"),
    "quotation marks": is_quote,
    "capitalised tokens": begins_with(ascii_uppercase),
    "digits": lambda token: token.removeprefix(" ").removeprefix("##")[:1].isdigit(),
    "function words such as the and of": lambda token: (
        token.removeprefix(" ").lower() in FUNCTION_WORDS.split()
    ),
    "underscores": has("_"),
    "signs of arithmetic and code": lambda token: (
        token.removeprefix(" ") != "" and set(token.removeprefix(" ")) <= set("-+*/%=<>&|^~")
    ),
    "tokens in capital letters": lambda token: (
        len(token.removeprefix(" ")) >= 2 and set(token.removeprefix(" ")) <= set(ascii_uppercase)
    ),
    "tokens that begin with a small letter": begins_with(ascii_lowercase),
    "tokens that begin with a space": lambda token: (
        token.strip() != ""
        and token[: len(token) - len(token.lstrip())][-1:] in (" ", "\t")
        and token[:1].isspace()
    ),
    "white space": lambda token: token != "" and token.strip() == "",
    "tokens of one character": lambda token: (
        len(without_mark(token)) == 1
        and not without_mark(token).isspace()
        and without_mark(token) != "\ufffd"
    ),
    "tokens of eight or more letters": lambda token: (
        len(without_mark(token)) >= 8 and without_mark(token).isalpha()
    ),
    "tokens of digits alone": lambda token: without_mark(token).isdecimal(),
    "numbers in words": one_of(
        """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
        sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
        hundred thousand million billion"""
    ),
    "ordinal numbers": is_ordinal,
    "names of months": one_of(MONTHS + " " + MONTHS.lower() + ABBREVIATED, cased=True),
    "days of the week": one_of(
        DAYS + " " + DAYS.lower() + " Mon Tue Tues Wed Thu Thurs Fri Sat Sun", cased=True
    ),
    "pronouns": one_of(
        """i you he she it we they me him her us them my your his its our their mine yours hers ours
        theirs myself yourself himself herself itself ourselves yourselves themselves"""
    ),
    "determiners such as the and this": one_of(
        "the a an this that these those each every some any all both another either neither"
    ),
    "prepositions": one_of(
        """of in to for with on at by from about into through during before after above below
        between under over against among without within toward towards upon across behind beyond
        near since until"""
    ),
    "conjunctions": one_of(
        "and or but nor yet because although though while if unless whereas whether"
    ),
    "forms of be, have and do": one_of(
        "am is are was were be been being have has had having do does did"
    ),
    "modal verbs": one_of("can could may might must shall should will would"),
    "words of negation": one_of(
        "not no never none nothing nobody nor neither cannot without n't n\u2019t"
    ),
    "question words": one_of("who whom whose which what when where why how"),
    "endings of contractions": lambda token: (
        token[:1] in ("'", "\u2019") and token[1:].lower() in ("s", "t", "re", "ve", "ll", "d", "m")
    ),
    "hyphens and dashes": lambda token: consists_of("-\u2010\u2011\u2012\u2013\u2014\u2015")(
        token.rstrip() if token[-1:].isspace() and token.strip() else token
    ),
    "slashes": consists_of("/\\"),
    "question marks": has("?"),
    "signs of currency and percent": consists_of("$%\u20ac\u00a3\u00a5"),
    "keywords of code": lambda token: token.removesuffix("\n").lstrip() in KEYWORDS.split(),
}
"""Classes of tokens, from the text of one token."""
NEVER_SPECIAL = ("opening brackets", "closing brackets", "underscores")


def of_class(name):
    def holds(text, k):
        return TOKENS[name](text.tokens[k]) and not (name in NEVER_SPECIAL and text.special[k])

    return holds


def after_class(name):
    return lambda text, k: k > 0 and TOKENS[name](text.tokens[k - 1])


KEYS = {name: of_class(name) for name in TOKENS} | {
    "special tokens": lambda text, k: text.special[k],
    "the first four tokens of the document": lambda text, k: k < 4,
    "the first eight tokens of the document": lambda text, k: k < 8,
    "the first sixteen tokens of the document": lambda text, k: k < 16,
    "the first token of a line": lambda text, k: k in [line[0] for line in text.lines],
    "the first token of a sentence": lambda text, k: k in [part[0] for part in text.sentences[1:]],
    "the first token of a paragraph": lambda text, k: (
        k in [part[0] for part in text.paragraphs[1:]]
    ),
    "the first piece of a word": lambda text, k: bool(text.word(k)) and not text.joins(k),
    "later pieces of a word": lambda text, k: text.joins(k),
    "the last piece of a word": lambda text, k: (
        bool(text.word(k)) and not (k + 1 < len(text) and text.joins(k + 1))
    ),
    "tokens between quotation marks": lambda text, k: text.quote(k) is not None,
    "tokens inside brackets": lambda text, k: (
        not text.special[k]
        and bool(text.brackets(k)[0])
        and text.brackets(k)[0][:1] == text.brackets(k + 1)[0][:1]
    ),
    "tokens that occurred before in the document": lambda text, k: any(
        text.occurs(j, k) for j in range(k)
    ),
    "tokens that did not occur before in the document": lambda text, k: (
        not text.special[k] and not any(text.occurs(j, k) for j in range(k))
    ),
    "the rarest token of the document": lambda text, k: k in text.by_count(1, 1),
    "the four rarest tokens of the document": lambda text, k: k in text.by_count(4, 1),
    "the four most frequent tokens of the document": lambda text, k: k in text.by_count(4, -1),
    "tokens right after a comma": after_class("commas"),
    "tokens right after a determiner": after_class("determiners such as the and this"),
}


def at_distance(distance):
    return lambda text, q, k: k - q == distance


def within(count):
    return lambda text, q, k: 1 <= q - k <= count


def latest(holds):
    return lambda text, q, k: (
        k == max((j for j in range(len(text)) if holds(text, q, j)), default=None)
    )


def earliest(holds):
    return lambda text, q, k: (
        k == min((j for j in range(len(text)) if holds(text, q, j)), default=None)
    )


def duplicates(text, q, k):
    return text.occurs(k, q)


def follows(length):
    return lambda text, q, k: text.follows_run(q, k, length)


def comes_next(text, q, k):
    return k <= q and q + 1 < len(text) and text.occurs(k, q + 1)


def same(parts):
    return lambda text, q, k: any(q in part and k in part for part in getattr(text, parts))


def before(parts, *, last=False):
    def holds(text, q, k):
        found = getattr(text, parts)
        for part, following in pairwise(found):
            if q in following and k in part:
                return not last or k == part[-1]
        return False

    return holds


def own_start(parts, skip=0):
    return lambda text, q, k: any(
        q in part and k == part[0] for part in getattr(text, parts)[skip:]
    )


NUMBERS = ["two", "three", "four", "five", "six", "seven", "eight"]
PAIRS = {
    "the token itself": at_distance(0),
    "the previous token": at_distance(-1),
    **{
        f"the token {number} before it": at_distance(-distance)
        for distance, number in enumerate(NUMBERS, 2)
    },
    "the next token": at_distance(1),
    "the token two after it": at_distance(2),
    "the last two tokens before it": within(2),
    "the last four tokens before it": within(4),
    "the last eight tokens before it": within(8),
    "the last sixteen tokens before it": within(16),
    "the last thirty-two tokens before it": within(32),
    "earlier occurrences of the same token": duplicates,
    "the last earlier occurrence of the same token": latest(duplicates),
    "the first earlier occurrence of the same token": earliest(duplicates),
    "the tokens that followed earlier occurrences of the same token": follows(1),
    "the token that followed the last earlier occurrence of the same token": latest(follows(1)),
    "the token that followed the first earlier occurrence of the same token": earliest(follows(1)),
    "the tokens that followed earlier occurrences of the last two tokens": follows(2),
    "the tokens that followed earlier occurrences of the last three tokens": follows(3),
    "earlier tokens that differ at most in case and space": lambda text, q, k: text.resembles(k, q),
    "tokens after earlier ones that differ in case and space": lambda text, q, k: (
        k > 0 and text.resembles(k - 1, q)
    ),
    "tokens before earlier occurrences of the same token": lambda text, q, k: (
        k + 1 < len(text) and text.occurs(k + 1, q)
    ),
    "the second tokens after occurrences of the same token": lambda text, q, k: (
        2 <= k <= q and text.occurs(k - 2, q)
    ),
    "occurrences so far of the token that comes next": comes_next,
    "the last occurrence so far of the token that comes next": latest(comes_next),
    "tokens that have occurred once so far": lambda text, q, k: (
        k <= q and not text.special[k] and text.ids[: q + 1].count(text.ids[k]) == 1
    ),
    "other pieces of the same word": lambda text, q, k: q != k and k in text.word(q),
    "the first piece of its own word": lambda text, q, k: (
        text.joins(q) and bool(text.word(q)) and k == text.word(q)[0] and not text.joins(k)
    ),
    "the pieces of the word before it": lambda text, q, k: (
        not text.special[q] and k in text.word_before(q)
    ),
    "the last piece of the word before it": lambda text, q, k: (
        not text.special[q] and k in text.word_before(q)[-1:]
    ),
    "tokens of the same sentence": same("sentences"),
    "the first token of its own sentence": own_start("sentences", 1),
    "tokens of the sentence before": before("sentences"),
    "the last token of the sentence before": before("sentences", last=True),
    "tokens of the same line": same("lines"),
    "the first token of its own line": own_start("lines"),
    "tokens of the line before": before("lines"),
    "the last token of the line before": before("lines", last=True),
    "tokens of the same paragraph": same("paragraphs"),
    "tokens of the same quotation": lambda text, q, k: (
        text.quote(q) is not None and text.quote(q) == text.quote(k)
    ),
    "the mark that opens its quotation": lambda text, q, k: (
        text.quote(q) is not None and k == text.quote(q)
    ),
    "the opening bracket that it closes": lambda text, q, k: (
        q != k and (q, k) in text.brackets(q + 1)[1]
    ),
    "the innermost bracket that is open before it": lambda text, q, k: (
        not text.special[q] and k in text.brackets(q)[0][-1:]
    ),
}
