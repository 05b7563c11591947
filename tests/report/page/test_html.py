import base64
import hashlib
import json
import re
import subprocess
import sys
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any, cast

import pytest

from headtests.io.escaping import without_surrogates
from headtests.records import Record, read_record, write_record
from headtests.report import render_html, write_html
from tests.report import sample
from tests.report.parsed_page import Element, Page
from tests.report.snapshots import require_snapshot

RECORDS = {
    "a run": sample.record(),
    "a hostile run": sample.hostile_record(),
    "an empty run": sample.record(
        claims=[], heads=[], sessions=[], environment={}, complete=False, incomplete_reason=""
    ),
    "claims without their heads": sample.record(heads=[], sessions=[]),
    "a test without a verdict": sample.record(
        unmeasured=[{"test": "t.py::test", "outcome": "skipped", "message": "no network"}]
    ),
    "compared claims": sample.beside(),
}


@cache
def drawn(name: str) -> str:
    return render_html(RECORDS[name])


@cache
def parsed(name: str) -> Page:
    return Page(drawn(name))


def inside(element: Element, class_: str, tag: str = "") -> list[Element]:
    """Return what stands somewhere in an element, in the order of the page."""
    found = []
    for child in element.children:
        if (not class_ or class_ in child.classes()) and (not tag or child.tag == tag):
            found.append(child)
        found += inside(child, class_, tag)
    return found


@pytest.fixture(params=list(RECORDS))
def any_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.slow
def test_every_page_is_well_formed_and_loads_nothing(any_name: str) -> None:
    page = parsed(any_name)
    assert not page.all("img") + page.all("iframe") + page.all("object") + page.all("base")
    assert not page.all("image") + page.all("use") + page.all("foreignobject")
    for element in page.elements:
        assert not [name for name in element.attributes if name.startswith("on")]
        unwanted = {"src", "srcset", "action", "formaction", "style", "data", "xlink:href"}
        assert not unwanted & set(element.attributes)
        target = element.attributes.get("href")
        assert target is None or target == "data:," or target.startswith("#")
    (style,) = re.findall("<style>(.*?)</style>", drawn(any_name), re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.slow
def test_every_page_has_the_policy_that_it_is_valid_under(any_name: str) -> None:
    page = parsed(any_name)
    (policy,) = [e for e in page.all("meta") if "http-equiv" in e.attributes]
    (script,) = re.findall("<script>(.*?)</script>", drawn(any_name), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.attributes == {
        "http-equiv": "Content-Security-Policy",
        "content": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'sha256-{digest}'",
    }


def test_the_one_script_is_the_same_whatever_the_record(any_name: str) -> None:
    (ours,) = Page(render_html(sample.record(claims=[]))).all("script")
    (script,) = parsed(any_name).all("script")
    assert script.text == ours.text
    assert script.attributes == {}


def test_every_link_leads_to_one_place(any_name: str) -> None:
    page = parsed(any_name)
    identities = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(identities) == len(set(identities))
    for element in page.elements:
        for name in ("href", "aria-labelledby"):
            target = element.attributes.get(name) or "#overview_"
            if target != "data:,":
                assert target.removeprefix("#") in identities


def test_every_claim_is_in_the_overview_and_in_its_section(any_name: str) -> None:
    page = parsed(any_name)
    claims = RECORDS[any_name]["claims"]
    articles = page.all("article", "claim")
    assert len(articles) == len(claims)
    linked = [
        a.attributes["href"]
        for table in page.all("table", "overview")
        for row in inside(table, "", "tr")
        for header in row.children
        if header.attributes.get("scope") == "row"
        for a in header.children
        if a.tag == "a"
    ]
    assert linked == [f"#{article.attributes['id']}" for article in articles]
    for claim, article in zip(claims, articles, strict=True):
        assert claim["verdict"] in article.classes()
        (verdict,) = [e for e in article.children[0].children if "verdict" in e.classes()]
        # Word and symbol: colour alone says nothing.
        assert verdict.text.split() == [
            {"holds": "\u2713", "refuted": "\u2715", "undecided": "?"}[claim["verdict"]],
            claim["verdict"],
        ]


def test_the_same_record_is_the_same_page(any_name: str) -> None:
    again = cast(Record, json.loads(json.dumps(RECORDS[any_name])))
    assert drawn(any_name) == render_html(again)


def test_nothing_on_a_page_is_invisible_or_unwritable(any_name: str) -> None:
    page = drawn(any_name)
    assert page.encode("utf-8")
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", page
    )


def test_the_page_reads_as_its_snapshot() -> None:
    run = sample.beside()
    source = render_html(
        sample.searched_record(
            sessions=run["sessions"],
            claims=[run["claims"][0], run["claims"][3], run["claims"][5]],
            stale=run["stale"],
            unrecorded=2,
            unmeasured=[{"test": "t.py::test", "outcome": "skipped", "message": "no network"}],
            explanations=[sample.explanation(), sample.not_explained(calls=[])],
            complete=False,
            incomplete_reason="Ctrl-C at 64",
        )
    )
    body = source[source.index("<header") : source.index("<script>")]
    text = unescape(re.sub("<[^>]*>", " ", body))
    lines = (" ".join(line.split()) for line in text.splitlines())
    require_snapshot("report.txt", "\n".join(line for line in lines if line) + "\n")


def test_a_claim_about_two_statistics_shows_both() -> None:
    page = parsed("a run")
    table, _ = page.all("table", "sides")
    lines = [row.text for body in table.children[1:] for row in body.children]
    assert lines == [
        "L1H3.mass(ht.induction)L0H1.mass(ht.induction)",
        "Value0.120.03",
        "Intervalbetween 0.09 and 0.16between 0.01 and 0.07",
        "Measured on" + "64 of 217 eligible documents (4,310 rows)" * 2,
        "Uniform attention would give0.0210.021",
        "Average attention at the same distances would give0.310.02",
        "Rank on the same documents2nd of 12 heads (a rank, not a null distribution)"
        "11th of 12 heads (a rank, not a null distribution)",
        "Resting mass0.630.63",
        "Rows that contradict it, each taken alone" + "3,902 of 4,310" * 2,
    ]
    # What stands in the table is not said again beneath it.
    assert page.with_id("c2").text.count("Resting mass") == 1


def test_the_overview_has_interval_documents_and_evidence_and_names_them_on_a_phone() -> None:
    page = parsed("a run")
    (table,) = page.all("table", "overview")
    head, body = (part.children for part in table.children)
    labels = ["Estimate", "Documents", "E-value", "e-BH"]
    headers = ["Verdict", "Claim", "Against its threshold", *labels]
    assert [cell.text for cell in head[0].children] == headers
    for row in body:
        assert [cell.attributes.get("data-label") for cell in row.children[3:]] == labels
    assert [[cell.text for cell in row.children[3:]] for row in body] == [
        [
            "0.12 0.09 to 0.16 0.113 after the stop \u2265 0.40 claimed",
            "64 of 217",
            "10^3.1 against",
            "no",
        ],
        [
            "0.12 \u2265 3 \u00d7 0.03 = 0.09 claimed 0.004 to 0.07 (difference)",
            "64 of 217",
            "10^3.4 for",
            "discovery",
        ],
        ["0.62 \u2265 0.625 claimed", "50 pairs", "exact", "not counted"],
        ["0.61 0.57 to 0.65 \u2265 0.60 claimed", "64 of 217", "10^0.4 for", "no"],
        [
            "0.12 - 0.03 = 0.09 \u2265 0.05 claimed exact",
            "217 of 217",
            "exact",
            "discovery",
        ],
        [
            "5.70\u00d7 4.20\u00d7 or more \u2265 4\u00d7 claimed",
            "31 texts",
            "10^4.1 for",
            "discovery",
        ],
    ]
    assert [row.children[0].text for row in body] == [
        "\u2715 refuted xfailed",
        "\u2713 holds passed",
        "\u2715 refuted failed",
        "? undecided undecided",
        "\u2713 holds passed",
        "\u2713 holds passed",
    ]


def test_the_overview_draws_each_interval_against_its_threshold_and_says_so() -> None:
    page = parsed("a run")
    drawings = [svg for svg in page.all("svg", "strip") if "role" in svg.attributes]
    assert [svg.attributes["aria-label"] for svg in drawings][:3] == [
        "the estimate 0.12, interval 0.09 to 0.16; the claim holds to the right of 0.40",
        "the difference 0.03, interval 0.004 to 0.07 (difference); "
        "the claim holds to the right of 0",
        "the estimate 0.62; the claim holds to the right of 0.625",
    ]


def test_an_outline_is_drawn_whole_however_long_it_is() -> None:
    edges = [2.0 ** (place / 8) for place in range(-80, 81)]
    found = sample.multiples(edges=edges, on=list(range(160)), others=[1, 9] * 80)
    claim = sample.claim(left=sample.estimate(multiples=found))
    page = Page(render_html(sample.record(claims=[claim])))
    outlines = [path.attributes["d"] or "" for path in page.all("path")]
    assert max(map(len, outlines)) > 1500
    assert all(re.fullmatch(r"[MLHVhvZ0-9. -]+", outline) for outline in outlines)


def test_an_undecided_claim_says_how_many_documents_more_and_looks_like_no_other() -> None:
    source = drawn("a run")
    text = Page(source).with_id("c4").text
    assert "undecided: 0.61, between 0.57 and 0.65, over 64 of 217 eligible documents" in text
    assert "It would take about 120 eligible documents more (median; quartiles 40 and 310)." in text
    for other in ("c1", "c2"):
        assert "It would take" not in Page(source).with_id(other).text
    # Told from the others by its outline as well as by its colour.
    assert re.search(r"\.claim\.undecided {[^}]*dashed", source)
    assert re.search(r"\.verdict\.undecided {[^}]*dashed", source)


def test_a_figure_that_was_read_first_is_warned_of_in_both_places() -> None:
    page = parsed("a run")
    (warning,) = page.all("p", "warning")
    assert "The figure was read in full before it was compared." in warning.text
    assert "covers a threshold that was chosen from this one figure" in warning.text
    assert warning.text in page.with_id("c6").text
    (table,) = page.all("table", "overview")
    (caution,) = inside(table, "caution")
    assert "read before it was compared" in caution.text


def test_the_summary_states_the_rate_of_false_decisions_and_what_alpha_means() -> None:
    page = parsed("a run")
    (rate,) = page.all("div", "rate")
    words = " ".join(rate.text.split())
    assert words.startswith(
        "Rate of false decisions of this run: at most 0.005 (5 claims, 0.001 each). "
        "Seed 7, where 0 is the default. Each seed that was tried adds the rate of its run to the "
        "rate of false decisions. Alpha, here 0.001,"
    )
    assert not Page(render_html(sample.record(claims=[]))).all("div", "rate")
    pairs = sample.record(claims=[sample.claim(left=sample.fraction(), alpha=None)])
    (rate,) = Page(render_html(pairs)).all("div", "rate")
    assert "1 claim was compared exactly" in rate.text
    assert "Alpha" not in rate.text


def test_what_a_head_does_is_told_under_the_claim_that_it_was_asked_for() -> None:
    page = parsed("a run")
    (found,) = inside(page.with_id("c1"), "explained")
    text = " ".join(found.text.split())
    for said in (
        "What L1H3 does, measured on other texts",
        "Built-in explainer the baseline that a language model has to beat",
        sample.BUILT_IN_TEXT,
        "Made from 104 documents of 19 texts, measured on 96 documents of 18 other texts.",
        "\u2713 holds keys that are an earlier occurrence of the query's token Python to paste "
        "import pytest",
        "? undecided keys one position before the query",
        "Unexplained mass 0.06 0.04 to 0.09 Resting mass 0.63 0.60 to 0.67",
        "gpt-x at http://127.0.0.1:8000/v1",
        f"\u201c{sample.MODEL_TEXT}\u201d",
        "__import__('os').system('ls') It is no expression of headtests",
        "This explanation 4 of 180 got no usable answer and count as wrong. 0.825 0.76 to 0.88",
        "so the explanation of another head is the null, not 0.50.",
        "Asked: 6 calls: 5 requests sent",
        "You explain attention heads.",
        '{"explanation": "L1H3 looks back.", "claims": []}',
    ):
        assert said.replace(" ", "") in text.replace(" ", ""), said
    # After the rows that speak against it, before the head's multiples.
    parts = [name for part in page.with_id("c1").children for name in part.classes()]
    places = [parts.index(name) for name in ("against", "explained", "beside")]
    assert places == sorted(places)


def test_a_models_words_are_quoted_and_the_built_in_ones_are_not() -> None:
    page = parsed("a run")
    quoted = page.all("blockquote")
    assert [quote.text for quote in quoted] == [f"\u201c{sample.MODEL_TEXT}\u201d"] * 2
    assert sample.BUILT_IN_TEXT not in " ".join(quote.text for quote in quoted)


def test_another_claim_of_the_head_has_the_paragraph_the_best_and_a_link() -> None:
    page = parsed("a run")
    (found,) = inside(page.with_id("c3"), "explained")
    text = " ".join(found.text.split())
    assert sample.MODEL_TEXT in text
    assert "mass 0.31 0.25 to 0.40, lift 14.8\u00d7 11.2 to 19.1\u00d7; 0.84" in text
    (link,) = inside(found, "", "a")
    target = page.with_id((link.attributes["href"] or "").removeprefix("#"))
    assert target in inside(page.with_id("c1"), "explanation")
    assert not inside(found, "", "table")
    # And the head's card leads there.
    links = [
        a for part in inside(page.with_id("head_1"), "explained") for a in inside(part, "", "a")
    ]
    assert [a.text for a in links] == ["built-in explainer", "gpt-x", "gpt-x"]


def test_a_trouble_is_named_and_one_that_many_share_is_named_once() -> None:
    page = parsed("a run")
    assert "No explanation: The server answered 503" in page.with_id("c4").text
    many = [sample.not_explained(claims=[f"c{n}"]) for n in range(1, 5)]
    page = Page(render_html(sample.record(explanations=many)))
    assert page.with_id("trouble_1").text.startswith("4 explanations by gpt-x could not be made")
    told = [part for part in page.all("p", "trouble") if "503" in part.text]
    assert len(told) == 1
    for claim in ("c1", "c2", "c3", "c4"):
        (link,) = inside(inside(page.with_id(claim), "trouble")[0], "", "a")
        assert link.attributes["href"] == "#trouble_1"


def test_an_explanation_that_says_nothing_says_that() -> None:
    empty = sample.of_a_model(text="", suggestions=[], detection=[], calls=[])
    page = Page(render_html(sample.record(explanations=[empty])))
    assert "No explanation: the answer was empty." in page.with_id("c1").text


def test_nothing_that_a_model_says_becomes_markup() -> None:
    page = parsed("a hostile run")
    (_, told) = inside(page.with_id("claim_1"), "explanation")
    for part in ("blockquote", "pre", "code", "li", "h5"):
        assert any("<script>alert(1)</script>" in e.text for e in inside(told, "", part)), part
    assert not inside(told, "", "script") + inside(told, "", "img") + inside(told, "", "svg")


def test_prompts_and_answers_stand_there_whole() -> None:
    page = parsed("a run")
    shown = [
        pre.text
        for asked in inside(page.with_id("c1"), "asked")
        for pre in inside(asked, "", "pre")
    ]
    prompt = sample.call()["messages"][1]["content"]
    assert len(prompt) > 1_000
    assert prompt in shown
    long = sample.of_a_model(text="word " * 500)
    assert "word " * 500 in Page(render_html(sample.record(explanations=[long]))).text


def test_prompts_are_the_first_that_a_page_leaves_out() -> None:
    prompt = [{"role": "user", "content": "word " * 4_000}]
    talkative = sample.of_a_model(calls=[sample.call(messages=prompt) for _ in range(600)])
    source = render_html(sample.record(explanations=[talkative]))
    assert len(source.encode()) < 2e6
    assert "word word" not in source
    text = Page(source).with_id("c1").text
    assert "Prompts and answers are in the record only." in text
    assert "Asked: 600 calls" in text
    assert sample.MODEL_TEXT in text


@pytest.mark.slow
def test_many_explanations_keep_their_paragraph_and_the_best_suggestion() -> None:
    names = [f"L{layer}H{head}" for layer in range(40) for head in range(25)]
    many = [
        sample.explanation(claims=[], name=name, head=f"demo {name}", text=f"{name} looks back.")
        for name in names
    ]
    source = render_html(sample.record(explanations=many))
    assert len(source.encode()) < 10e6
    for name in names:
        assert f"{name} looks back." in source
    assert source.count("The rest is in the record only.") == 1000


def test_a_head_says_what_its_rows_leave_to_learned_sinks() -> None:
    plain = parsed("a run").with_id("head_1").text
    assert "sinks" not in plain
    record = sample.record()
    record["heads"][0]["sink_share"] = 0.3141
    assert "31.4% of its attention on learned sinks" in (
        Page(render_html(record)).with_id("head_1").text
    )


def test_a_head_is_drawn_once_and_its_claims_lead_there() -> None:
    page = parsed("a run")
    assert [head.attributes["id"] for head in page.all("article", "head")] == ["head_1", "head_2"]
    rows = [row for head in page.all("article", "head") for row in inside(head, "context")]
    assert len(rows) == 2 * 5
    assert [a.attributes["href"] for a in inside(page.with_id("c2"), "", "a")][:2] == [
        "#head_1",
        "#head_2",
    ]
    about = page.with_id("head_2").text
    assert "L1H3 attends to induction targets three times as much as L0H1." in about


def test_a_row_marks_query_and_key_in_words() -> None:
    page = parsed("a run")
    head = page.with_id("head_1")
    row, pair = inside(head, "context")[0], inside(head, "pair")[0]
    assert " ".join(pair.text.split()) == (
        "9.0\u00d7 attention 0.900 from Q \u00b7the at 9 to K \u00b7cat at 2 "
        'document 3, text "demo/if"'
    )
    (query,) = [e for e in row.children if "q" in e.classes()]
    (key,) = [e for e in row.children if "k" in e.classes()]
    assert query.text == "Q\u00b7the"
    assert key.text == "K\u00b7cat"
    (token,) = [e for e in key.children if e.tag == "bdi"]
    assert token.attributes == {
        "class": "s6",
        "title": "2: 0.900, 9.0\u00d7",
        "data-m": "9.0\u00d7",
    }
    # A row takes the focus, which shows what its tokens say.
    assert row.attributes["tabindex"] == "0"
    # What comes after the query is muted.
    assert row.children[-1].classes() == ["u"]
    # A newline is shown and breaks nothing.
    assert row.children[4].text == "\u21b5"


def test_every_token_is_isolated_from_its_neighbours() -> None:
    page = parsed("a hostile run")
    for context in page.all("p", "context"):
        for child in context.children:
            assert (
                child.tag == "bdi" or "fold" in child.classes() or child.children[-1].tag == "bdi"
            )
    style = drawn("a run")
    assert "bdi { unicode-bidi: isolate; }" in style


def test_rows_beyond_what_a_page_carries_are_counted() -> None:
    many = [sample.pair() for _ in range(60)]
    page = Page(render_html(sample.record(heads=[sample.head(ranked=many)])))
    assert len(inside(page.with_id("head_1"), "context")) == 50 + 2
    assert "44 more" in page.with_id("head_1").text
    assert "10 more in the record." in page.with_id("head_1").text


def test_an_incomplete_run_says_so_and_a_complete_one_does_not() -> None:
    page = Page(render_html(sample.record(complete=False, incomplete_reason="Ctrl-C at 64")))
    (banner,) = page.all(class_="banner")
    assert "This run is incomplete." in banner.text
    assert "Ctrl-C at 64" in banner.text
    assert not parsed("a run").all(class_="banner")


@pytest.mark.slow
def test_tests_that_ended_alike_share_their_message() -> None:
    tests = [
        {"test": f"t.py::test[{name}]", "outcome": outcome, "message": message}
        for name, outcome, message in (
            ("a", "skipped", "no network"),
            ("b", "passed", ""),
            ("c", "skipped", "no network"),
            ("d", "error", "no network"),
        )
    ]
    page = Page(render_html(sample.record(unmeasured=tests)))
    (listed,) = page.all("ul", "unmeasured")
    assert [" ".join(item.text.split()) for item in listed.children] == [
        "skipped t.py::test[a] skipped t.py::test[c] no network",
        "passed t.py::test[b]",
        "error t.py::test[d] no network",
    ]
    assert [e.text.split() for e in page.all("li", "unmeasured")] == [
        ["4", "tests", "without", "a", "claim"]
    ]


def test_the_header_counts_the_verdicts() -> None:
    page = parsed("a run")
    (tallies,) = page.all("ul", "tallies")
    counted = " ".join(tallies.text.split())
    assert counted == "3 \u2713 held 2 \u2715 refuted 1 ? undecided"
    assert "2026-02-03, 04:05 UTC" in page.text
    assert "6 claims about the heads of headtests/demo" in page.text


def test_markup_is_shown_as_it_was_written() -> None:
    page = parsed("a hostile run")
    article = page.all("article", "head")[-1]
    assert "<script>alert(1)</script>" in article.text
    assert "{{ 7 * 7 }}" in page.text
    assert "\\ud800 \\udfff" in page.text
    assert "U+202Egnp.exeU+202C" in page.text
    assert "10,000 characters" in article.text


def test_a_claim_named_as_a_part_of_the_page_is_no_part_of_it() -> None:
    names = ("claims", "heads", "overview", "provenance", "reading", "environment", "unmeasured")
    page = Page(render_html(sample.record(claims=[sample.claim(name) for name in names])))
    identities = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(identities) == len(set(identities))


def test_ids_that_are_no_anchors_or_stand_twice_still_lead_somewhere() -> None:
    page = parsed("a hostile run")
    anchors = [article.attributes["id"] for article in page.all("article", "claim")]
    assert anchors == ["claim_1", "twice", "claim_3"]


def test_a_page_survives_its_record(tmp_path: Path) -> None:
    for name, record in RECORDS.items():
        write_record(record, tmp_path / "a.json")
        write_html(without_surrogates(record), tmp_path / "made" / "a.html")
        drawn = (tmp_path / "made" / "a.html").read_text(encoding="utf-8")
        assert drawn == render_html(read_record(tmp_path / "a.json")), name


@pytest.mark.slow
def test_a_page_of_many_heads_stays_small() -> None:
    words = [f" word{position}" for position in range(1024)]
    pairs = [sample.pair(query=900, key=key, tokens=words) for key in range(100, 150)]
    heads: list[Any] = [sample.head(f"demo L{i}H0", ranked=pairs, random=pairs) for i in range(144)]
    assert len(render_html(sample.record(heads=heads)).encode()) < 10e6


@pytest.mark.slow
def test_drawing_imports_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, headtests.report, headtests.report.__main__;"
        "print(sorted({'torch', 'transformers', 'transformer_lens'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_drifted_claim_is_marked_and_says_how_far_and_what_moved() -> None:
    page = parsed("compared claims")
    card = page.with_id("c1")
    (over, *_) = card.children
    assert [part.text for part in inside(over, "mark")] == ["\u2260 drifted"]
    block = inside(card, "drift")[0]
    (table,) = inside(block, "moved", "table")
    rows = [[cell.text for cell in row.children] for row in table.children[2].children]
    assert rows[0] == ["31", "demo/0", "0.60", "0.10", "-0.50"]
    assert len(rows) == 4
    assert not inside(block, "", "details")


def test_an_unchanged_claim_says_so_in_its_card_alone_and_folds_what_moved() -> None:
    page = parsed("compared claims")
    card = page.with_id("c4")
    assert not inside(card.children[0], "mark")
    block = inside(card, "drift")[0]
    assert "Since its baseline \u2248 unchanged" in " ".join(block.text.split())
    assert "the same as when it was recorded" in block.text
    (folded,) = inside(block, "", "details")
    assert inside(folded, "moved", "table")


def test_the_same_claim_of_another_model_stands_beside_it() -> None:
    page = parsed("compared claims")
    block = inside(page.with_id("c1"), "drift")[1]
    (table,) = inside(block, "sides", "table")
    assert [[cell.text for cell in row.children] for row in table.children[2].children] == [
        ["Verdict", "\u2715 refuted", "\u2713 holds"],
        ["Estimate", "0.12", "0.47"],
        ["Interval", "between 0.09 and 0.16", "between 0.43 and 0.52"],
        ["Measured on", "64 of 217 eligible documents (4,310 rows)", "80 documents"],
    ]
    links = [link.attributes["href"] for link in inside(table, "", "a")]
    assert links == ["#session_1", "#session_2"]
    assert "different verdict" in block.text
    assert "other/model minus headtests/demo: +0.351 on average" in block.text
    same = inside(page.with_id("c6"), "drift")[1]
    assert "different verdict" not in same.text
    trouble = inside(page.with_id("c5"), "drift")[0]
    assert "Not compared: other/model has 1 layer" in trouble.text
    assert not inside(trouble, "", "table")


def test_the_overview_marks_what_drifted_and_what_another_model_decides_otherwise() -> None:
    page = parsed("compared claims")
    (table,) = page.all("table", "overview")
    told = [[part.text for part in inside(row, "told")] for row in table.children[1].children]
    assert told == [
        ["\u2260 drifted: 0.171, now 0.118", "\u2713 holds on other/model"],
        [],
        ["\u2260 drifted: 0.70, now 0.62"],
        [],
        [],
        [],
    ]
    tallies = [" ".join(item.text.split()) for item in page.all("ul", "tallies")[0].children]
    assert tallies[3:] == [
        "2 \u2260 of 5 claims drifted",
        "1 \u2260 of 5 with another verdict on the other model",
    ]


def test_a_run_that_was_compared_with_nothing_says_nothing_of_it() -> None:
    source = drawn("a run")
    page = Page(source)
    for class_ in ("drift", "told", "mark"):
        assert not page.all(class_=class_)
    ids = [element.attributes.get("id") for element in page.elements]
    assert not {"stale_", "filter-compared"} & set(ids)
    for section in ("overview_", "claims_", "provenance_"):
        assert "drifted" not in page.with_id(section).text


def test_a_model_that_nothing_was_claimed_of_is_none_to_filter_by() -> None:
    select = parsed("compared claims").with_id("filter-model")
    assert [option.text for option in select.children] == ["every model", "headtests/demo"]


def test_claims_that_all_stayed_have_no_tally() -> None:
    claims = [sample.claim(drift=sample.unchanged(), against=sample.against(verdict="refuted"))]
    page = Page(render_html(sample.record(claims=claims)))
    assert len(page.all("ul", "tallies")[0].children) == 3


def test_stale_baselines_are_listed_by_their_files() -> None:
    text = " ".join(parsed("compared claims").with_id("stale_").text.split())
    assert text.startswith("4 baselines of claims that are no longer made")
    assert "test_renamed[L1H2]: L1H2.mass(ht.previous) >= 0.4" in text
    assert "hypotheses/baselines/test_gone.json test_gone:" in text
    (one,) = [sample.STALE[0]]
    page = Page(render_html(sample.record(stale=[one])))
    assert "1 baseline of claims" in page.with_id("stale_").text


@pytest.mark.slow
def test_the_page_of_many_claims_that_drifted_stays_small() -> None:
    moved = [
        {"document": place, "text": f"text/{place}", "before": 0.5, "now": 0.1}
        for place in range(10)
    ]
    found = {"drift": sample.drift(moved=moved), "against": sample.against()}
    claims = [sample.claim(f"c{place}", **found) for place in range(600)]
    source = render_html(sample.record(claims=claims, explanations=[]))
    assert len(source.encode("utf-8")) < 10_000_000
    assert "7 more in the record." in source
