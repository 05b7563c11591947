"""What is shown, and how: HTML in a notebook, colours in a terminal, plain text elsewhere."""

import io
import math
import re
import subprocess
import sys
import types
from contextlib import redirect_stdout
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

import headtests as ht
from headtests.notebook import Row
from headtests.notebook.showing import show
from tests import seed_words
from tests.notebook.conftest import CPU, MIN_LENGTH

TIMES, LEFT, RIGHT = "\u00d7", "\u2039", "\u203a"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
HOSTILE = [
    '<script>alert("x")</script> & <b onmouseover="y">bold</b> \x1b[31m red \x1b[0m and more text',
    "</bdi></td></table><script src=//x></script> \u202e backwards \u202c <img src=x onerror=y>",
]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """A terminal, to which standard output is to be redirected."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return Terminal()


@pytest.fixture
def kernel(monkeypatch):
    """A stand-in for IPython in a kernel; returns what was displayed."""
    displayed = []
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    of_display = types.ModuleType("IPython.display")
    of_display.display = lambda data, raw: displayed.append((data, raw))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", of_display)
    return displayed


class Page(HTMLParser):
    """What a browser makes of HTML: the text, the elements, the titles."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.words, self.tags, self.attributes, self.open = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attributes]
        if tag not in ("wbr", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, words):
        self.words.append(words)

    @property
    def text(self):
        return "".join(self.words)

    @property
    def titles(self):
        return [value for _, name, value in self.attributes if name == "title"]


def total_of(by_hand, layer, head):
    return len(seed_words.above_average(by_hand, layer, head, MIN_LENGTH, True))


# Where.


def test_elsewhere_the_table_is_plain_text(data, capsys):
    rows = data.get_ranked_multiples(1, 2, num_multiples=3, display=True)
    printed = capsys.readouterr().out
    assert printed == str(rows) + "\n"
    assert "\x1b" not in printed
    lines = printed.splitlines()
    assert len(lines) == 4
    for row, line in zip(rows, lines[1:], strict=True):
        assert f"{row.multiple:.1f}{TIMES}" in line
        assert line.count("«") == line.count(LEFT) == 1


def test_a_terminal_gets_colours(data, terminal):
    with redirect_stdout(terminal):
        rows = data.get_ranked_multiples(1, 2, num_multiples=3, display=True)
    printed = terminal.getvalue()
    assert printed == rows.text(colour=True) + "\n"
    assert "\x1b[" in printed
    assert printed.count("\x1b[0m") == len(ANSI.findall(printed)) / 2, "every colour ends"
    bare = ANSI.sub("", printed)
    assert "«" not in bare
    for row, line in zip(rows, bare.splitlines()[1:], strict=True):
        said = "".join(row.tokens).replace(" ", "·").replace("\n", "↵")
        assert line.endswith(f"|  {said}")


def test_in_colour_the_key_is_bold_the_query_underlined_and_more_attention_is_redder(data):
    (row,) = rows = data.get_ranked_multiples(1, 2, num_multiples=1)
    left = rows.text(colour=True).partition("|  ")[2]
    codes = []
    for token in row.tokens:
        shown = re.escape(token.replace(" ", "\u00b7"))
        found = re.match(rf"(?:\x1b\[([\d;]+)m{shown}\x1b\[0m|{shown})", left)
        codes.append((found[1] or "").split(";"))
        left = left[found.end() :]
    assert left == ""
    places = range(len(row.tokens))
    assert [place for place in places if "1" in codes[place]] == [row.pair.key]
    assert [place for place in places if "4" in codes[place]] == [row.pair.query]
    reds = ["224", "217", "210", "203", "197"]
    red = [1 + reds.index(code[-1]) if "48" in code else 0 for code in codes]
    order = sorted(places, key=lambda place: row.pattern[place])
    assert [red[place] for place in order] == sorted(red)
    assert len(set(red)) > 2


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_that_wants_none_gets_no_colours(name, value, data, terminal, monkeypatch):
    monkeypatch.setenv(name, value)
    with redirect_stdout(terminal):
        data.get_ranked_multiples(1, 2, num_multiples=3, display=True)
        data.get_distribution(1, 2, display=True)
    assert terminal.getvalue()
    assert "\x1b" not in terminal.getvalue()


def test_an_empty_no_color_turns_nothing_off(data, terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "")
    with redirect_stdout(terminal):
        data.get_ranked_multiples(1, 2, num_multiples=3, display=True)
    assert "\x1b[" in terminal.getvalue()


def test_a_notebook_gets_html_and_the_text_beside_it(data, kernel, capsys):
    rows = data.get_ranked_multiples(1, 2, num_multiples=3, display=True)
    sample = data.get_random_multiples(1, 2, num_multiples=3, display=True)
    plot = data.get_distribution(1, 2, display=True).plot()
    expected = [
        ({"text/html": shown.html(), "text/plain": shown.text()}, True)
        for shown in (rows, sample, plot)
    ]
    assert kernel == expected
    assert capsys.readouterr().out == ""


def test_ipython_in_a_terminal_is_a_terminal(data, kernel, terminal):
    sys.modules["IPython"].get_ipython = lambda: types.SimpleNamespace()
    with redirect_stdout(terminal):
        data.get_ranked_multiples(1, 2, num_multiples=3, display=True)
    assert not kernel
    assert "\x1b[" in terminal.getvalue()


def test_ipython_that_was_imported_and_does_not_run_is_no_notebook(data, kernel, capsys):
    sys.modules["IPython"].get_ipython = lambda: None
    data.get_ranked_multiples(1, 2, num_multiples=3, display=True)
    assert not kernel
    assert capsys.readouterr().out


def test_what_was_shown_does_not_show_itself_again_at_the_end_of_its_cell(data, capsys):
    for ask in (data.get_ranked_multiples, data.get_random_multiples):
        quiet, shown = ask(1, 2, num_multiples=3), ask(1, 2, num_multiples=3, display=True)
        assert quiet._repr_html_() == shown.html()
        assert repr(quiet) == str(quiet) == str(shown)
        assert shown._repr_html_() is None
        assert repr(shown) == f"<{shown.title}>"
    assert data.get_distribution(1, 2)._repr_html_()
    shown = data.get_distribution(1, 2, display=True)
    assert shown._repr_html_() is None
    assert "\n" not in repr(shown)


WITHOUT_IPYTHON = """
import sys
sys.modules["IPython"] = None
import headtests as ht
data = ht.AttentionData("demo", ["a b c"], min_length=1, settings=ht.Settings(device="cpu"))
data.get_ranked_multiples(display=True)
print("torch" in sys.modules, sys.modules["IPython"])
"""


@pytest.mark.slow
def test_without_ipython_it_works_as_well():
    found = subprocess.run(
        [sys.executable, "-c", WITHOUT_IPYTHON], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    title, *_, last = found.stdout.splitlines()
    assert title.startswith("L0H0: ")
    assert last == "True None"


# The title.


@pytest.mark.parametrize(("layer", "head"), [(0, 2), (1, 0), (1, 3)])
def test_the_title_counts_the_above_average_pairs(layer, head, data, by_hand):
    total = total_of(by_hand, layer, head)
    assert total > 3
    name = f"L{layer}H{head}"
    ranked = data.get_ranked_multiples(layer, head, num_multiples=3)
    assert ranked.title == f"{name}: the 3 highest of {total:,} above-average multiples"
    lowest = data.get_ranked_multiples(layer, head, num_multiples=3, reverse=True)
    assert lowest.title == f"{name}: the 3 lowest of {total:,} above-average multiples"
    random = data.get_random_multiples(layer, head, num_multiples=3)
    assert random.title == f"{name}: 3 random ones of {total:,} above-average multiples"


def test_the_title_counts_thousands_with_commas(data, monkeypatch):
    rows = data.get_ranked_multiples(0, 0, num_multiples=2)
    monkeypatch.setattr(type(data), "_count", lambda *_: 4310)
    assert rows.title == "L0H0: the 2 highest of 4,310 above-average multiples"


def test_the_title_counts_those_of_a_token(data):
    every = data.get_ranked_multiples(1, 2, num_multiples=100_000)
    total = sum(row.token == " the" for row in every)
    assert 3 < total < len(every)
    found = data.get_ranked_multiples(1, 2, str_token=" the", num_multiples=3)
    limit = 'above-average multiples with keys whose token is " the"'
    assert found.title == f"L1H2: the 3 highest of {total} {limit}"
    whole = data.get_ranked_multiples(1, 2, str_token=" the", num_multiples=total)
    assert whole.title == f"L1H2: all {total} {limit}, highest first"


def test_the_title_says_when_that_is_all_of_them_or_none(data_of, data, by_hand):
    total = total_of(by_hand, 1, 0)
    every = data.get_ranked_multiples(1, 0, num_multiples=1000)
    assert every.title == f"L1H0: all {total} above-average multiples, highest first"
    every = data.get_ranked_multiples(1, 0, num_multiples=1000, reverse=True)
    assert every.title == f"L1H0: all {total} above-average multiples, lowest first"
    every = data.get_random_multiples(1, 0, num_multiples=1000)
    assert every.title == f"L1H0: all {total} above-average multiples"
    none = data_of(["A cat."], min_length=15).get_ranked_multiples(1, 0)
    assert none.title == str(none) == repr(none) == "L1H0: no above-average multiples"
    assert "<table" not in none.html()


def test_the_title_of_a_single_pair_is_in_the_singular(data):
    every = data.get_ranked_multiples(1, 0, num_multiples=1000)
    once = next(
        token
        for token in (row.token for row in every)
        if [r.token for r in every].count(token) == 1
    )
    found = data.get_ranked_multiples(1, 0, str_token=once)
    assert found.title.startswith("L1H0: the one above-average multiple with keys whose token is")


# The pattern.


def test_plain_text_marks_key_and_query_and_says_which_multiples_are_above_average(data):
    (row,) = data.get_ranked_multiples(1, 2, num_multiples=1)
    line = str(data.get_ranked_multiples(1, 2, num_multiples=1)).splitlines()[1]
    pattern = line.partition("|  ")[2]
    keys = len(row.tokens)
    expected = ""
    for place, (token, attention) in enumerate(zip(row.tokens, row.pattern, strict=True)):
        shown = token.replace(" ", "·")
        shown = f"{LEFT}{shown}{RIGHT}" if place == row.pair.query else shown
        shown = f"«{shown}»" if place == row.pair.key else shown
        expected += shown + (f"({attention * keys:.1f}{TIMES})" if attention * keys > 1 else "")
    assert pattern == expected


def test_html_shows_each_token_with_its_attention_and_multiple(data):
    rows = data.get_ranked_multiples(1, 2, num_multiples=4)
    page = Page(rows.html())
    assert not page.open
    assert page.titles == [
        f"{place}: {_share(attention)}, {_times(attention * len(row.tokens))}"
        for row in rows
        for place, attention in enumerate(row.pattern)
    ]
    assert rows.title in page.text
    for row in rows:
        assert "".join(row.tokens).replace(" ", "·") in page.text.replace("\n", "")


def test_html_shades_by_the_multiple_marks_key_and_query_and_fits_any_page(data):
    (row,) = rows = data.get_ranked_multiples(1, 2, num_multiples=1)
    tokens = [
        value
        for tag, name, value in Page(rows.html()).attributes
        if tag == "bdi" and name == "style"
    ]
    assert len(tokens) == len(row.tokens)
    assert [i for i, one in enumerate(tokens) if "bold" in one] == [row.pair.key]
    assert [i for i, one in enumerate(tokens) if "underline" in one] == [row.pair.query]
    shades = [
        float(found[1]) if (found := re.search(r",(\.?[\d.]+)\)", one)) else 0 for one in tokens
    ]
    order = sorted(range(len(shades)), key=lambda i: row.pattern[i])
    assert [shades[i] for i in order] == sorted(shades), "more attention is never paler"
    assert 0 < max(shades) <= 0.6, "what stands on it stays legible"
    # Nothing is set that a dark or a light page would have to fit.
    assert not re.search(r"(?<!background-)color:(?!inherit)", rows.html())


@pytest.mark.slow
def test_nothing_of_a_text_is_markup_or_obeyed_by_a_terminal(data_of):
    data = data_of(HOSTILE, min_length=1, max_length=60)
    shown = [
        data.get_ranked_multiples(layer, head, num_multiples=50)
        for layer in range(2)
        for head in range(4)
    ]
    allowed = {
        "div",
        "p",
        "strong",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "bdi",
        "wbr",
        "small",
    }
    for rows in shown:
        page = Page(rows.html())
        assert set(page.tags) <= allowed
        assert {name for _, name, _ in page.attributes} <= {"style", "title"}
        assert not page.open
        for text in (rows.html(), rows.text(), ANSI.sub("", rows.text(colour=True))):
            assert not set(text) & {"\x1b", "\u202e", "\u202c"}
    whole = "".join(rows.text() for rows in shown)
    assert "U+001B" in whole
    assert "script" in whole


def test_a_bidirectional_row_marks_a_query_in_its_middle(data_of):
    from tests import tiny_models

    data = data_of(["the cat sat on the mat"], tiny_models.encoder_folder(), min_length=1)
    rows = data.get_ranked_multiples(0, 0, num_multiples=100)
    row = next(row for row in rows if row.pair.key > row.pair.query)
    line = rows.text().splitlines()[1 + rows.index(row)]
    assert 0 < line.index(LEFT) < line.index("«")


def test_under_a_window_multiples_are_of_the_keys_in_it_and_the_others_are_said_to_be_none(
    data_of, model_folder
):
    data = data_of(model=model_folder("mistral"))
    (row,) = rows = data.get_ranked_multiples(0, 0, num_multiples=1)
    inside = row.pair.attendable
    assert 1 < len(inside) < len(row.tokens)
    assert Page(rows.html()).titles == [
        f"{place}: {_share(attention)}, {_times(attention * len(inside))}"
        if place in inside
        else f"{place}: not attendable"
        for place, attention in enumerate(row.pattern)
    ]


# The plot.


def bars_of(svg):
    space = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(svg)
    return root, [(rect, rect.find(f"{space}title").text) for rect in root.iter(f"{space}rect")]


def test_the_plot_has_a_bar_a_bin_with_how_many_pairs_it_holds(data):
    found = data.get_distribution(1, 2)
    plot = found.plot()
    root, bars = bars_of(plot.svg)
    counts = [int(re.search(r": ([\d,]+) pair", words)[1].replace(",", "")) for _, words in bars]
    assert counts == list(plot.counts)
    assert sum(counts) == found.pairs
    heights = [float(rect.get("height")) for rect, _ in bars]
    expected = [
        126 * math.log(2 * count) / math.log(2 * max(counts)) if count else 0 for count in counts
    ]
    assert heights == pytest.approx(expected, abs=0.11), "half a pair has no height"
    edges = [float(rect.get("x")) for rect, _ in bars]
    assert edges == sorted(set(edges))
    assert root.get("aria-label") == plot.title
    assert "L1H2: multiples of" in plot.title
    assert plot.html() == f"<div>{plot.svg}</div>" == found._repr_html_()


def test_the_plot_in_text_has_a_bar_an_octave(data):
    found = data.get_distribution(1, 2, str_token=" the")
    plot = found.plot()
    title, note, *lines = str(plot).splitlines()
    assert title == f'L1H2 with keys whose token is " the": {found}'
    assert "logarithm" in note
    counts = [int(line.split()[-2].replace(",", "")) for line in lines]
    assert sum(counts) == found.pairs
    lengths = [line.count("█") for line in lines]
    assert max(lengths) == 40
    order = sorted(range(len(counts)), key=lambda i: counts[i])
    assert [lengths[i] for i in order] == sorted(lengths)
    assert any(f"1{TIMES} to 2{TIMES}" in line for line in lines)
    assert repr(plot) == str(plot)


def test_the_text_of_a_limited_plot_is_escaped(data_of):
    data = data_of(["a b c b d b e b f"], min_length=1, suppress_first_token=False)
    plot = data.get_distribution(0, 0, str_token="<|endoftext|>").plot()
    assert "<" in plot.title
    assert bars_of(plot.svg)[0].get("aria-label") == plot.title


def test_a_plot_of_a_single_pair_can_be_drawn(data_of):
    data = data_of(["a b"], min_length=1, max_length=2)
    found = data.get_distribution(0, 0)
    assert found.pairs == 1
    assert len(bars_of(found.plot().svg)[1]) == 1
    assert str(found.plot())


def test_anything_with_html_and_text_can_be_shown(capsys):
    shown = types.SimpleNamespace(html=lambda: "<p>", text=lambda colour=False: f"colour {colour}")
    show(shown)
    assert capsys.readouterr().out == "colour False\n"


def test_a_row_made_by_hand_is_a_row(data):
    (row,) = data.get_ranked_multiples(num_multiples=1)
    assert Row.of(row.pair, is_bidirectional=False) == row
    assert ht.AttentionData("demo", ["a b c"], min_length=1, settings=CPU).session.settings == (
        data.session.settings.__class__(
            device="cpu",
            max_length=30,
            min_query=1,
            max_documents=1,
            suppress_first_token=True,
        )
    )


def _share(attention):
    if attention == 0:
        return "0"
    return f"{attention:.3f}" if attention >= 0.0005 else "<0.001"


def _times(multiple):
    return f"{multiple:.{1 if multiple >= 0.95 or multiple == 0 else 2}f}{TIMES}"
