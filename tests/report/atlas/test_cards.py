"""The card of a head."""

import ast
import math

import pytest

from headtests.report.atlas.cards import CardCaps, card
from tests import atlas_records
from tests.atlas_records import role

CAPS = CardCaps(rows=2, rows_without=0, profiles_without=False)
KEYS = {"induction head": "r1", "goes to commas": "r2", "previous-token head": "r3"}


def made(*roles, corpora=("demo",)):
    record = atlas_records.atlas(corpora=corpora, rows=3)
    record["heads"][0]["roles"] = list(roles)
    return card(record, record["heads"][0], KEYS, CAPS)


def test_a_head_with_roles_has_claims_to_paste():
    shown = made(role(1), role(5, 0.4), role(0, confirmed=False))
    assert shown.has_role
    assert shown.families == ["r1", "r2"]
    assert shown.words == "induction head, goes to commas"
    tree = ast.parse(shown.code)
    assert [type(node) for node in tree.body[0].body] == [ast.Assert, ast.Assert]
    assert '@pytest.mark.head("L0H0")' in shown.code
    assert "head.mass(ht.induction, of=~ht.first) >= 0.72" in shown.code


def test_the_corpus_of_a_claim_is_said_where_there_are_several():
    shown = made(role(1, corpus=1), corpora=("demo", "a\nb"))
    assert ast.parse(shown.code)
    assert shown.code.endswith(">= 0.72  # on a b")
    assert [one.name for one in shown.corpora] == ["demo", "a\nb"]


def test_a_head_without_a_role_shows_no_more_than_its_figures():
    shown = made(role(5, confirmed=False, verdict="undecided"))
    assert not shown.has_role
    assert shown.families == ["none"]
    (corpus,) = shown.corpora
    assert corpus.profile is None
    assert [(one.rows, one.left_out) for one in corpus.lists] == [
        ([], "3 rows in the record only")
    ] * 2
    assert [row.text.verdict for row in shown.roles] == ["undecided"]


def test_rows_are_cut_and_that_is_said():
    (corpus,) = made(role(1)).corpora
    assert [(len(one.rows), one.left_out) for one in corpus.lists] == [
        (2, "1 more in the record")
    ] * 2
    assert corpus.profile is not None


def test_a_role_shows_both_halves_and_both_controls():
    (row,) = made(role(1, 0.9)).roles
    assert (row.text.share, row.text.interval) == ("0.90", "[0.88, 0.92]")
    assert row.chosen.startswith("0.89 [")
    assert row.uniform == "0.03 (30.0\u00d7)"
    assert row.distance == "0.08 (11.2\u00d7)"
    assert row.threshold == "0.72"
    assert row.symbol == "\u2713"
    # A relation that is a distance has no control by distance.
    assert made(role(0)).roles[0].distance == "\u2013"


@pytest.mark.parametrize(
    ("log_e", "shown"),
    [(None, "exact"), (math.log(2600), "10^3.4"), (5000.0, "10^2171.4"), (-1.0, "10^-0.5")],
)
def test_e_values_of_any_size_are_powers_of_ten(log_e, shown):
    (row,) = made(role(1, log_e=log_e)).roles
    assert row.e_value == shown


def test_a_proposal_that_nothing_was_measured_for_has_no_figures():
    nothing = {"documents": 0, "rows": 0, "uniform": 0.0, "distance": 0.0, "part": 0.0}
    nothing["share"] = {"value": 0.0, "low": None, "high": None}
    (row,) = made(role(1, measured=nothing, verdict="undecided", confirmed=False, log_e=0.0)).roles
    assert (row.text.share, row.text.interval, row.text.over_uniform) == ("\u2013", "", "\u2013")
    assert (row.uniform, row.distance) == ("\u2013", "\u2013")
