"""The parser: it agrees with Python, and every other text is one clear error."""

import operator
import re
import warnings
from functools import reduce

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import headtests as ht
from headtests import key, query
from headtests.errors import ExpressionError
from headtests.expressions import GRAMMAR, Expression, parse_expression, parsing
from tests.expressions.strategies import EXPRESSIONS, NAMES, same_parity

FIXED = settings(derandomize=True, deadline=None)
OWN = {"same_parity": same_parity}


def refusal(source, names=None):
    """Return the message with which a text is refused."""
    with pytest.raises(ExpressionError) as raised:
        parse_expression(source, names)
    return str(raised.value)


@pytest.mark.slow
@settings(FIXED, max_examples=400)
@example(key.is_("\ud800", "\u2028", '"', "\\u0041", "\n", "\x00"))
@example(~(key.position < 4) & (query.position == -1))
@example(~~~(ht.first | ~(ht.duplicate & ht.current)))
@example(reduce(operator.or_, [ht.offset(-number) for number in range(2, 32)]))
@example(key.is_("(" * 50, "~" * 50, "'" * 9, "#"))
@given(EXPRESSIONS)
def test_what_an_expression_prints_is_read_as_that_expression(expression):
    assume(len(repr(expression)) <= parsing.MAX_LENGTH)
    read = parse_expression(repr(expression), OWN)
    assert read == expression
    assert repr(read) == repr(expression)


SPACES = st.sampled_from(["", " ", "\t", "  "])
SIGNS = ["<", "<=", ">", ">=", "==", "!="]
NUMBERS = st.sampled_from(["0", "4", "-3", "+2", "1_000", "0x1F", "( 2 )", "-(5)"])
COUNTS = st.sampled_from(["1", "2", "+3", "1_0", "0x1F", "( 2 )"])
OCCURRENCES = ["duplicate", "induction", "next_token"]
WHICH = ["latest", "earliest"]
STRINGS = st.sampled_from(
    [
        "' the'",
        '"a"',
        r'r"^ ?[A-Z]"',
        r'"\d+"',
        r'"\\d"',
        "u'b'",
        '"a" "b"',
        "'''c\nd'''",
        r"'\x41'",
    ]
)
SIDES = st.sampled_from(["key", "query", "ht.key", "(query)"])
LEAVES = st.one_of(
    st.sampled_from(
        ["ht.previous", "ht.first", "ht.induction.latest", "ht . every_row", "(ht).current"]
    ),
    st.just("same_parity"),
    st.builds("ht.offset({})".format, NUMBERS),
    st.builds("ht.induction.prefix( {} ).{}".format, COUNTS, st.sampled_from(WHICH)),
    st.builds("(ht.induction.prefix)({})".format, COUNTS),
    st.builds("ht.{}({})".format, st.sampled_from(["rarest", "most_frequent"]), COUNTS),
    st.builds("ht.{} . {}".format, st.sampled_from(OCCURRENCES), st.sampled_from(WHICH)),
    st.builds("key.follows(key.is_({}) |key.follows(~key.special))".format, STRINGS),
    st.builds("query.follows((query.position {} {}))".format, st.sampled_from(SIGNS), NUMBERS),
    st.builds("{}.{}".format, SIDES, st.sampled_from(["repeats", "special"])),
    st.builds("{}.matches({})".format, SIDES, STRINGS),
    st.builds("{0}.is_({1}, {2},)".format, SIDES, STRINGS, STRINGS),
    st.builds("({}.position {} {})".format, SIDES, st.sampled_from(SIGNS), NUMBERS),
    st.builds(
        "({2} {1} {0}.position)".format,
        SIDES,
        st.sampled_from(SIGNS),
        NUMBERS,
    ),
)
SOURCES = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        # No parentheses: what binds more tightly is for Python to say.
        st.builds("{1}{0}&{0}{2}".format, SPACES, parts, parts),
        st.builds("{1}{0}|{0}{2}".format, SPACES, parts, parts),
        st.builds("~{}{}".format, SPACES, parts),
        st.builds("({0}{1}\n{0})".format, SPACES, parts),
    ),
    max_leaves=8,
)


@pytest.mark.slow
@settings(FIXED, max_examples=400)
@example("ht.first | ht.current & ~key.repeats | key.special & ht.previous")
@example(" \n ht.first # the (((( first's\n")
@given(SOURCES)
def test_what_is_read_is_what_python_makes_of_the_same_text(source):
    assume(len(source) <= parsing.MAX_LENGTH)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = eval(source.strip(), dict(NAMES))
    assert parse_expression(source, OWN) == made
    assert repr(parse_expression(source, OWN)) == repr(made)


PIECES = (
    "key query ht . .position .is_( .matches( ( ) [ ] { } & | ~ - < == 4 'a' \"( r'( \\ # \n , "
    "lambda : and not import = := * ** f'{ b'a' ... __class__ é \ud800 \x00 \uff4b\uff45\uff59 1e9"
)
WORDS = st.sampled_from(PIECES.split(" "))


@pytest.mark.slow
@settings(FIXED, max_examples=600)
@given(st.text(max_size=80) | st.lists(WORDS, max_size=25).map(" ".join) | SOURCES)
@example("key.matches('a{99999999999}')")
@example("key.matches('(?L)a')")
@example("key.matches(r'\\N{LATIN SMALL LETTER A')")
@example("key.is_('\\N{NO SUCH LETTER}')")
@example("1" * 450)
@example("key.position < " + "9" * 400)
def test_any_text_is_an_expression_or_one_clear_error(source):
    try:
        assert isinstance(parse_expression(source), Expression)
    except ExpressionError as error:
        message = str(error)
        assert message.startswith("expected ")
        assert len(message) < 600
        message.encode()
        assert "\n" not in message
        assert "\x00" not in message


@pytest.mark.parametrize(
    "source",
    [
        "(" * 10_000,
        "~" * 10_000,
        "-" * 10_000,
        "a&" * 10_000,
        "key.is_(" * 10_000,
        "x" * 100_000,
        " " * 100_000 + "ht.first",
        "(" * 450,
        "~" * 450 + "ht.first",
        "ht.offset(" + "-" * 450 + "1)",
        "- " * 240 + "1",
        "~(" * 11 + "ht.first" + ")" * 11,
        "[" * 21,
        "f(" * 240,
        "# '''\n" + "(" * 450 + "\n# '''",
        "key.is_('') # '\n" + "(" * 300,
        "f'{" + "(" * 450,
    ],
    ids=lambda source: f"{len(source)} of {source[:8]!r}",
)
def test_what_is_long_or_deep_is_refused_before_python_parses_it(source, monkeypatch):
    parsed = []
    with monkeypatch.context() as patched:
        patched.setattr(parsing.ast, "parse", lambda *arguments, **options: parsed.append(source))
        try:
            parse_expression(source)
            message = ""
        except Exception as error:
            message = str(error)
    assert not parsed
    assert "at most" in message or "f-string" in message
    assert len(message) < 250


def test_what_is_just_short_and_shallow_enough_is_read():
    assert parse_expression("(" * 20 + "ht.first" + ")" * 20) == ht.first
    both = "~" * 20 + "ht.first | ~" + "(" * 19 + "ht.current" + ")" * 19
    assert parse_expression(both) == eval(both, dict(NAMES))
    assert parse_expression("~ht.first&" * 49 + "ht.first") == reduce(
        operator.and_, [~ht.first] * 49 + [ht.first]
    )
    longest = "ht.first".ljust(parsing.MAX_LENGTH)
    assert parse_expression(longest) == ht.first
    assert "at most 500 characters but found 501" in refusal(longest + " ")


def test_brackets_and_signs_within_a_string_are_not_nesting():
    text = "(~" * 30
    assert parse_expression(f"key.is_('{text}')") == key.is_(text)
    assert parse_expression(f"key.is_('''{text}''', r'{text}')") == key.is_(text)


@pytest.mark.parametrize(
    ("source", "expected", "found"),
    [
        (None, "an expression as a string", "'None' (NoneType)"),
        (b"ht.first", "as a string", "(bytes)"),
        ("", 'a condition such as key.is_(" the")', "an empty text"),
        (" \n\t", "a relation such as ht.previous", "an empty text"),
        ("ht.first\x00", "printable characters", r"'\x00' at character 9"),
        ("ht.first\r\n", "printable characters", r"'\r'"),
        ("key.is_('\x1b[0m')", "as an escape within a string", r"'\x1b'"),
        ("key.is_('\ud800')", "as an escape within a string", r"'\ud800'"),
        ("import os", "such as ht.previous", "'import os', which Python cannot read"),
        ("ht.first; ht.first", "such as ht.previous", "which Python cannot read"),
        ("ht.first ht.first", "such as ht.previous", "which Python cannot read"),
        ("ht.first\nht.first", "such as ht.previous", r"'ht.first\nht.first'"),
        ("lambda: ht.first", "such as ht.previous", "(a lambda)"),
        ("(lambda: ht.first)()", "no calls but of ht.offset", "(a call)"),
        ("(x := ht.first)", "such as ht.previous", "'x := ht.first' (an assignment)"),
        ("ht.first if ht.first else ht.first", "such as ht.previous", "(a choice with if"),
        ("[ht.first]", "such as ht.previous", "(a list)"),
        ("ht.first,", "such as ht.previous", "(several things with commas)"),
        ("[x for x in ht.first]", "such as ht.previous", "(a comprehension)"),
        ("ht['first']", "such as ht.previous", "(an index)"),
        ("...", "such as ht.previous", "(a plain value)"),
        ("True", "such as ht.previous", "'True' (a plain value)"),
        ("5", "such as ht.previous", "'5' (a plain value)"),
        ("ht.first & 5", "such as ht.previous", "'5' (a plain value)"),
        ("'ht.first'", "such as ht.previous", "(a plain value)"),
        ("await ht.first", "such as ht.previous", "a form that this language does not have"),
        ("ht.first and ht.current", '& in place of "and"', "'ht.first and ht.current'"),
        ("ht.first or ht.current", '| in place of "or"', "'ht.first or ht.current'"),
        ("not ht.first", '~ in place of "not"', "'not ht.first'"),
        ("ht.first + ht.first", "joined by &, | and ~", "(arithmetic)"),
        ("ht.first ^ ht.first", "joined by &, | and ~", "(arithmetic)"),
        ("-ht.first", "joined by &, | and ~", "'-ht.first' (arithmetic)"),
        ("1 < key.position < 4", "two comparisons such as", "(a chain of comparisons)"),
        ("key.position < 4 & key.repeats", "parentheses around comparisons", "a combination"),
        ("key.repeats & key.position < 4", "parentheses around comparisons", "a combination"),
        ("ht.first == ht.first", "key.position or query.position", "no comparison of a position"),
        ("key.position in 4", "key.position or query.position", "no comparison of a position"),
        ("key.position is 4", "key.position or query.position", "no comparison of a position"),
        ("3 < 4", "key.position or query.position", "no comparison of a position"),
        ("key.position < query.position", "ht.offset(n) for a distance", "(two positions)"),
        ("key.position < 4.0", "a whole number such as -2", "'4.0'"),
        ("key.position < True", "a whole number such as -2", "'True'"),
        ("key.position < 2 ** 9", "parentheses", "'key.position < 2 ** 9'"),
        ("key.position < ~4", "a whole number such as -2", "'~4'"),
        ("key.position < --4", "a whole number such as -2", "'--4'"),
        ("key.position < 1000001", "at most 1000000 either way", "'1000001'"),
        ("ht.offset(-1000001)", "at most 1000000 either way", "'-1000001'"),
        ("ht.offset(None)", "a whole number such as -2", "'None'"),
        ("ht.offset('2')", "a whole number such as -2", "\"'2'\""),
        ("ht.offset(key.position)", "a whole number such as -2", "'key.position'"),
        ("ht.offset()", "one number: ht.offset(-2)", "(0 arguments)"),
        ("ht.offset(1, 2)", "one number: ht.offset(-2)", "(2 arguments)"),
        ("ht.offset(distance=1)", "arguments without a name", "(keyword arguments)"),
        ("ht.offset(**{})", "arguments without a name", "(keyword arguments)"),
        ("ht.offset", "ht.offset(-2), for example", "(without its argument)"),
        ("key.is_", 'key.is_(" the"), for example', "(without its argument)"),
        ("key.is_()", 'the text of a token such as " the"', "(no text)"),
        ("key.is_('a', '')", 'the text of a token such as " the"', "(no text)"),
        ("key.is_(1)", "a string in quotes", "'1' (no string)"),
        ("key.is_(*'ab')", "a string in quotes", "\"*'ab'\" (no string)"),
        ("key.is_('a' + 'b')", "a string in quotes", "(no string)"),
        ("key.is_(b'a')", "plain strings", "(bytes)"),
        ("key.is_(rB'a')", "plain strings", "(bytes)"),
        ("key.is_(f'{ht}')", "plain strings", "(an f-string)"),
        ("key.is_(Rf'''{ht}''')", "plain strings", "(an f-string)"),
        ("key.is_(t'{ht}')", "plain strings", "(another kind of string)"),
        ("key.matches('a', 'b')", "one regular expression", "(2 arguments)"),
        ("key.matches(pattern='a')", "arguments without a name", "(keyword arguments)"),
        ("key.matches('(')", "a regular expression", "unterminated subpattern"),
        ("key.matches('a{9999999999}')", "a regular expression", "repetition number is too large"),
        ("key.position", "a comparison with a whole number such as key.position < 4", "a position"),
        (
            "key",
            "key.is_, key.matches, key.follows, key.repeats, key.special",
            "'key' (no condition)",
        ),
        ("key.name", "key.is_, key.matches", "'key.name' (no condition)"),
        ("key.__class__", "key.is_, key.matches", "'key.__class__' (no condition)"),
        ("key.__class__.__mro__[1]", "such as ht.previous", "(an index)"),
        ("key.__class__.__subclasses__()", "no calls but of ht.offset", "(a call)"),
        ("key.repeats.side", "key.is_, key.matches", "'key.repeats.side'"),
        ("key.is_('a').texts", "key, query or ht.current", "(no name of this language)"),
        ("ht.first.english", "key, query or ht.current", "(no name of this language)"),
        ("ht.induction.latest.latest", "key, query or", "(no name of this language)"),
        ("ht.induction.prefix", "ht.induction.prefix(2), for example", "(without its argument)"),
        ("ht.rarest", "ht.rarest(1), for example", "(without its argument)"),
        ("ht.rarest(0)", "ht.rarest(1), for example", "(a number below 1)"),
        ("ht.most_frequent(-1)", "ht.most_frequent(1), for example", "(a number below 1)"),
        ("ht.rarest(True)", "a whole number such as", "'True'"),
        ("ht.rarest(2.5)", "a whole number such as", "'2.5'"),
        ("ht.rarest(1000001)", "at most 1000000 either way", "'1000001'"),
        ("ht.induction.prefix('2')", "a whole number such as", "\"'2'\""),
        ("ht.induction.prefix(0)", "ht.induction.prefix(2), for example", "(a number below 1)"),
        ("ht.induction.prefix(1, 2)", "one number: ht.induction.prefix(2)", "(2 arguments)"),
        ("ht.induction.prefix()", "one number: ht.induction.prefix(2)", "(0 arguments)"),
        ("ht.induction.prefix(length=2)", "arguments without a name", "(keyword arguments)"),
        ("ht.induction.latest.prefix(2)", "no calls but of ht.offset", "(a call)"),
        ("ht.duplicate.prefix(2)", "no calls but of ht.offset", "(a call)"),
        ("ht.induction.prefix(2).prefix(2)", "no calls but of ht.offset", "(a call)"),
        ("ht.induction.prefix(2).length", "key, query or", "(no name of this language)"),
        ("ht.induction.prefix(2).latest.earliest", "key, query or", "(no name of"),
        ("ht.offset(-1).latest", "ht.induction.prefix(2).latest", "(no .latest of this)"),
        ("key.follows", 'key.follows(key.is_(",")), for example', "(without its argument)"),
        ("key.follows()", "one condition: key.follows", "(0 arguments)"),
        ("key.follows(ht.previous)", "a condition on the key alone", "(another condition)"),
        ("key.follows(query.repeats)", "a condition on the key alone", "(another condition)"),
        ("query.follows(ht.every_row)", "a condition on the query alone", "(another condition)"),
        ("key.follows(',')", "such as ht.previous", "(a plain value)"),
        ("key.follows(key.position < 4 & key.repeats)", "parentheses", "a combination"),
        ("ht", "key, query or ht.current", "'ht' (no name of this language)"),
        ("ht.ht.first", "key, query or ht.current", "(no name of this language)"),
        ("ht.Session", "key, query or ht.current", "'ht.Session' (no name of this language)"),
        ("os", "ht.rarest(n), ht.most_frequent(n), same_parity but", "'os'"),
        ("ht.same_parity", "expected same_parity but", "(with ht. in front)"),
        ("same_parity.function", "key, query or", "(no name of this language)"),
        ("print(ht.first)", "no calls but of ht.offset", "(a call)"),
        ("__import__('os').system('true')", "no calls but of ht.offset", "(a call)"),
        ("ht.relation(ht.first)", "no calls but of ht.offset", "(a call)"),
    ],
    ids=lambda case: repr(case)[:50],
)
def test_what_is_not_of_the_language_is_refused_in_one_sentence(source, expected, found):
    message = refusal(source, OWN)
    assert message.startswith("expected ")
    before, after = message.split(" but found ", 1)
    assert expected in f"{before} but"
    assert found in after
    # One sentence, whatever stands in quotes in it.
    assert message.endswith(".")


def test_what_was_found_is_cut_and_escaped():
    message = refusal("lambda: '" + "<script>\u202e" * 40 + "'")
    assert "\u202e" not in message
    assert "…" in message
    assert len(message) < 250


def test_nothing_of_a_text_is_run(monkeypatch, tmp_path):
    trace = tmp_path / "run"
    for source in [
        f"open({str(trace)!r}, 'w')",
        f"ht.first & open({str(trace)!r}, 'w')",
        f"key.is_(open({str(trace)!r}, 'w'))",
        f"[open({str(trace)!r}, 'w') for x in 'a'][0]",
        f"ht.offset(open({str(trace)!r}, 'w'))",
    ]:
        refusal(source)
    assert not trace.exists()


def test_nothing_is_looked_up_on_what_names_stand_for():
    class Bait:
        def __getattr__(self, name):
            raise AssertionError(f"looked up {name}")

    refusal("bait.anything", {"bait": Bait()})
    refusal("bait.anything('a')", {"bait": Bait()})


def test_relations_may_go_without_the_module():
    assert parse_expression("previous | induction.latest & offset(-2)") == (
        ht.previous | ht.induction.latest & ht.offset(-2)
    )


def test_further_names_stand_for_what_they_are_given_for():
    names = {"capital": key.matches("^ ?[A-Z]"), "same_parity": same_parity}
    assert parse_expression("~capital & same_parity", names) == (
        ~key.matches("^ ?[A-Z]") & same_parity
    )
    assert "'capital' (no name of this language)" in refusal("capital")


def test_the_names_of_the_language_are_its_own():
    assert parse_expression("first", {"first": ht.current}) == ht.first


def test_warnings_of_a_text_trouble_nobody():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse_expression("key.matches('\\d')") == key.matches(r"\d")
        # Python warns of "[[" that a later version may read otherwise.
        parse_expression("key.matches('[[a-z]')")


def examples():
    """Return the examples that stand in the grammar, and the forms that it explains."""
    explained = GRAMMAR.split("Relations of query and key:")[1]
    forms, written = explained.split("Examples:")
    said = [re.split(r"  +", line.strip())[0] for line in forms.splitlines() if line[:2] == "  "]
    return said, [line.strip() for line in written.strip().splitlines()]


def test_every_example_of_the_grammar_is_read():
    said, written = examples()
    assert len(said) == 23
    assert len(written) >= 8
    for source in [*said, *written]:
        # Under a prompt stands what can be pasted, so each prints as it is written.
        assert eval(source, dict(NAMES)) == parse_expression(source)


def test_the_grammar_names_everything_that_is_read():
    said = " ".join(examples()[0])
    for name in parsing.NAMES:
        shown = name.replace("query.", "key.")
        assert re.search(rf"(ht\.)?\b{re.escape(shown)}(?![\w.])", said), name
    assert "query in place of key" in GRAMMAR


def test_the_grammar_fits_a_prompt():
    assert len(GRAMMAR.strip().splitlines()) <= 45
    assert max(len(line) for line in GRAMMAR.splitlines()) <= 100
    assert GRAMMAR.isascii()
