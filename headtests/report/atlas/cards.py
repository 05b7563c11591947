"""The card of a head: its roles, its profile over distance, and some of its rows.

Records in, words, charts and rows out; no HTML.
"""

from dataclasses import dataclass

from headtests.records import AtlasHeadRecord, AtlasRecord, RoleSharesRecord
from headtests.report.atlas.profiles import Profile, profile
from headtests.report.atlas.words import (
    NONE,
    RoleText,
    corpus_names,
    family_name,
    figure,
    figures_in_brief,
    is_distance,
    over,
    role_text,
    roles_in_brief,
    shown,
)
from headtests.report.words.claims import SYMBOLS
from headtests.report.words.heads import left_over
from headtests.report.words.token_rows import TokenRow, row
from headtests.wording import power_of_ten


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A line of a card's table of roles."""

    text: RoleText
    symbol: str
    family: str
    relation: str
    """The keys in English."""
    chosen: str
    uniform: str
    distance: str
    threshold: str
    e_value: str


@dataclass(frozen=True, slots=True)
class Rows:
    """One list of a head's rows."""

    name: str
    rows: list[TokenRow]
    left_out: str


@dataclass(frozen=True, slots=True)
class OnCorpus:
    """A head on one corpus."""

    name: str
    facts: str
    profile: Profile | None
    lists: list[Rows]


@dataclass(frozen=True, slots=True)
class HeadCard:
    """A head."""

    name: str
    words: str
    """Its roles in brief."""
    families: list[str]
    """The classes of its families, for the filter; `none` for a head without a confirmed role."""
    roles: list[RoleRow]
    code: str
    """Its confirmed claims as a test to paste; empty without any."""
    corpora: list[OnCorpus]

    @property
    def has_role(self) -> bool:
        """Whether any role is confirmed."""
        return bool(self.code)


@dataclass(frozen=True, slots=True)
class CardCaps:
    """How much a card shows."""

    rows: int
    """Rows of each list, of a head with a role."""
    rows_without: int
    """Rows of each list, of a head without one."""
    profiles_without: bool
    """Whether a head without a role shows its profiles."""
    is_narrow: bool = False


def card(
    record: AtlasRecord, head: AtlasHeadRecord, keys: dict[str, str], caps: CardCaps
) -> HeadCard:
    """Return the card of a head; `keys` has the class of each family that heads are in."""
    confirmed = [role for role in head["roles"] if role["confirmed"]]
    names = [family_name(record["relations"][role["relation"]]) for role in confirmed]
    rows = caps.rows if confirmed else caps.rows_without
    is_charted = bool(confirmed) or caps.profiles_without
    return HeadCard(
        name=head["name"],
        words=roles_in_brief(record, head),
        families=list(dict.fromkeys(keys[name] for name in names)) or ["none"],
        roles=[role_row(role_text(record, head, role), record) for role in head["roles"]],
        code=code(record, head),
        corpora=[
            _on_corpus(record, head, place, rows, is_charted, caps.is_narrow)
            for place in range(len(record["corpora"]))
        ],
    )


def role_row(text: RoleText, record: AtlasRecord) -> RoleRow:
    """Return a role as a line of a table."""
    role, measured = text.role, text.role["measured"]
    log_e = role["log_e"]
    return RoleRow(
        text=text,
        symbol=SYMBOLS[role["verdict"]],
        family=family_name(record["relations"][role["relation"]]),
        relation=role["english"],
        chosen=shown(role["chosen"]),
        uniform=_control(measured, measured["uniform"]),
        distance=NONE if is_distance(record, role) else _control(measured, measured["distance"]),
        threshold=f"{role['threshold']:g}",
        e_value="exact" if log_e is None else _e_value(log_e),
    )


def _control(shares: RoleSharesRecord, control: float) -> str:
    """Return a control, and how many times it the share is."""
    if not shares["documents"]:
        return NONE
    return f"{figure(control)} ({over(shares['share']['value'], control)})"


def _e_value(log_e: float) -> str:
    """Return an e-value of which the natural logarithm is given.

    >>> _e_value(41.5), _e_value(0.0), _e_value(2000.0)
    ('10^18', '1', '10^868.5')
    """
    tens = log_e / 2.302585092994046
    return power_of_ten(10.0**tens) if abs(tens) < 300 else f"10^{int(tens * 10) / 10:g}"


def code(record: AtlasRecord, head: AtlasHeadRecord) -> str:
    """Return a head's confirmed claims as a test function; empty without any."""
    confirmed = [role for role in head["roles"] if role["confirmed"]]
    if not confirmed:
        return ""
    several = len(record["corpora"]) > 1
    lines = [f'@pytest.mark.head("{head["name"]}")', f"def test_{head['name']}(head):"]
    for role in confirmed:
        name = corpus_names(record)[role["corpus"]]
        note = f"  # on {' '.join(name.split())}" if several else ""
        lines.append(f"    assert {role['claim']}{note}")
    return "\n".join(lines)


def _on_corpus(
    record: AtlasRecord,
    head: AtlasHeadRecord,
    place: int,
    most: int,
    is_charted: bool,
    is_narrow: bool,
) -> OnCorpus:
    corpus = record["corpora"][place]
    index = head["layer"] * record["model"]["heads"] + head["index"]
    lists = []
    for name, pairs in (
        ("Highest multiples", head["ranked"][place]),
        ("Random above-average multiples", head["random"][place]),
    ):
        drawn = [row(pair, is_narrow) for pair in pairs[:most]]
        if pairs:
            lists.append(Rows(name, drawn, left_over(len(pairs) - len(drawn), len(drawn))))
    return OnCorpus(
        name=corpus_names(record)[place],
        facts=figures_in_brief(corpus, index),
        profile=profile(corpus["distances"], corpus["profiles"][index]) if is_charted else None,
        lists=lists,
    )
