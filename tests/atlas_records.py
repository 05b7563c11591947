"""Handmade atlases: an ordinary one of any size, and odd ones."""

import math
import random
from typing import Any, cast

from headtests.records import (
    ATLAS_FORMAT,
    ATLAS_VERSION,
    AtlasCorpusRecord,
    AtlasHeadRecord,
    AtlasRecord,
    AtlasRoleRecord,
    PairRecord,
    RelationRecord,
    RelationSharesRecord,
    RoleSharesRecord,
    SessionRecord,
)
from tests.report import sample

RELATIONS = [
    ("ht.previous", "the previous token", "previous-token head"),
    ("ht.induction", "the tokens that followed the same token", "induction head"),
    ("ht.induction.latest", "the token that last followed the same token", "induction head"),
    ("ht.duplicate", "earlier occurrences of the same token", "duplicate-token head"),
    ("ht.current", "the token itself", "current-token head"),
    ("library.COMMA", "commas", ""),
    ("library.line_start", "the first token of a line", ""),
    ("ht.next_token", "the token that follows the query", "copying head"),
]  # fmt: skip
WORDS = [" the", " cat", " sat", "\n", " on", ",", " mat", " and", " then", "."]
DISTANCES = [[n, n] for n in range(9)] + [[9, 12], [13, 16], [17, 24], [25, 32], [33, 64]]


def relations(number: int) -> list[RelationRecord]:
    """Return as many relations, the well-known ones first."""
    named = RELATIONS + [
        (f"ht.offset(-{n})", f"the token {n} before it", "") for n in range(2, number)
    ]
    return [
        RelationRecord(
            expression=expression,
            name=name,
            role=role,
        )
        for expression, name, role in named[:number]
    ]


def pair(chance: random.Random, length: int = 128) -> PairRecord:
    """Return a random row of a causal model."""
    query = chance.randrange(length // 2, length)
    key = chance.randrange(1, query)
    attention = [chance.random() ** 8 for _ in range(query + 1)]
    attention[key] += 3
    whole = sum(attention) * 1.3
    pattern = [round(value / whole, 6) for value in attention] + [0.0] * (length - query - 1)
    tokens = [chance.choice(WORDS) for _ in range(length)]
    return PairRecord(
        document=chance.randrange(200),
        text="demo/if",
        query=query,
        key=key,
        token=tokens[key],
        multiple=pattern[key] * (query + 1),
        tokens=tokens,
        attendable=[[0, query]],
        pattern=pattern,
    )


def shares(value: float, uniform: float, distance: float) -> RoleSharesRecord:
    """Return a relation's figures on one half."""
    return RoleSharesRecord(
        documents=100,
        rows=12_700,
        share={"value": value, "low": value * 0.98, "high": min(1.0, value * 1.02)},
        uniform=uniform,
        distance=distance,
        part=value * 0.6,
    )


def role(relation: int = 0, value: float = 0.9, corpus: int = 0, **changes: Any) -> AtlasRoleRecord:
    """Return a confirmed role of L0H0."""
    expression = RELATIONS[relation][0] if relation < len(RELATIONS) else f"ht.offset(-{relation})"
    threshold = round(value * 0.8, 2)
    made = AtlasRoleRecord(
        corpus=corpus,
        relation=relation,
        expression=expression,
        english=f"are {RELATIONS[relation % len(RELATIONS)][1]}",
        claim=f"head.mass({expression}, of=~ht.first) >= {threshold}",
        threshold=threshold,
        chosen=shares(value * 0.99, 0.031, 0.08),
        measured=shares(value, 0.03, 0.08),
        verdict="holds",
        log_e=41.5,
        confirmed=True,
    )
    return cast(AtlasRoleRecord, {**made, **changes})


def session(layers: int, heads: int, name: str = "demo", **model: Any) -> SessionRecord:
    """Return the session of one corpus."""
    made = sample.session()
    made["key"] = name
    made["model"].update(layers=layers, heads=heads, **model)
    made["corpus"].update(name=name, description=f"the first 200 documents of {name}")
    return made


def atlas(
    layers: int = 2,
    heads: int = 4,
    relation_count: int = 8,
    corpora: tuple[str, ...] = ("demo",),
    rows: int = 2,
    seed: int = 0,
    **changes: Any,
) -> AtlasRecord:
    """Return a complete atlas; the same arguments give the same one."""
    chance = random.Random(seed)
    number = layers * heads
    content = AtlasRecord(
        format=ATLAS_FORMAT,
        version=ATLAS_VERSION,
        created="2026-02-03T04:05:06+00:00",
        complete=True,
        incomplete_reason="",
        environment={"headtests": "0.1.0", "Python": "3.11.9", "commit": "0123abc"},
        model=session(layers, heads)["model"],
        seed=0,
        alpha=0.001,
        level=0.05,
        relations=relations(relation_count),
        corpora=[
            _corpus(chance, session(layers, heads, name), number, relation_count)
            for name in corpora
        ],
        heads=[
            AtlasHeadRecord(
                name=f"L{place // heads}H{place % heads}",
                layer=place // heads,
                index=place % heads,
                roles=_roles(chance, relation_count, len(corpora)),
                ranked=[[pair(chance) for _ in range(rows)] for _ in corpora],
                random=[[pair(chance) for _ in range(rows)] for _ in corpora],
            )
            for place in range(number)
        ],
    )
    return cast(AtlasRecord, {**content, **changes})


def _corpus(
    chance: random.Random, of: SessionRecord, heads: int, relation_count: int
) -> AtlasCorpusRecord:
    def figures(power: float = 1.0) -> list[float | None]:
        return [chance.random() ** power for _ in range(heads)]

    return AtlasCorpusRecord(
        session=of,
        marker=repr(of["corpus"]["name"]),
        suppress_first_token=True,
        min_query=1,
        choose={"documents": 100, "texts": 80},
        measure={"documents": 100, "texts": 79},
        relations=[
            RelationSharesRecord(
                relation=relation,
                documents=100,
                rows=12_000,
                is_distance=relation in (0, 4) or relation >= len(RELATIONS),
                uniform=[0.03] * heads,
                shares=figures(4),
                distance=figures(6),
                parts=figures(6),
            )
            for relation in range(relation_count)
        ],
        resting=figures(),
        coverage=figures(),
        entropy=figures(),
        peak=figures(),
        distances=[list(ends) for ends in DISTANCES],
        profiles=[
            [chance.random() * math.exp(-place / 3) for place in range(len(DISTANCES))]
            for _ in range(heads)
        ],
    )


def _roles(chance: random.Random, relation_count: int, corpora: int) -> list[AtlasRoleRecord]:
    made = []
    for _ in range(chance.choice([0, 0, 1, 1, 2, 3])):
        relation = min(int(chance.random() ** 2 * relation_count), relation_count - 1)
        value, corpus = chance.uniform(0.2, 0.99), chance.randrange(corpora)
        made.append(role(relation, round(value, 4), corpus))
    if made and chance.random() < 0.2:
        made[-1].update(verdict=chance.choice(["undecided", "refuted"]), confirmed=False, log_e=0.3)
    return sorted(made, key=lambda one: (-one["confirmed"], -one["measured"]["part"]))


def real_size() -> AtlasRecord:
    """Return an atlas of the size of SmolLM2-135M over two corpora."""
    return atlas(30, 9, 85, ("demo", "repeated-random"))


def without_roles() -> AtlasRecord:
    """Return an atlas of even heads."""
    made = atlas()
    for head in made["heads"]:
        head["roles"] = []
    return made


def one_head() -> AtlasRecord:
    """Return an atlas of one head and one relation."""
    made = atlas(1, 1, 1)
    made["heads"][0]["roles"] = [role()]
    return made


def encoder() -> AtlasRecord:
    """Return an atlas of a bidirectional model, whose key 0 is a key like any other."""
    made = atlas()
    made["model"]["bidirectional"] = True
    for corpus in made["corpora"]:
        corpus["session"]["model"]["bidirectional"] = True
        corpus["suppress_first_token"] = False
        corpus["distances"] = [[-4, -2], [-1, -1], [0, 0], [1, 1], [2, 4]]
        corpus["profiles"] = [[0.1, None, 0.3, 0.2, 0.05] for _ in made["heads"]]
    return made


def incomplete() -> AtlasRecord:
    """Return an atlas that ended before a document was read: all of its figures are null."""
    made = without_roles()
    made.update(complete=False, incomplete_reason="interrupted")
    nothing: list[float | None] = [None] * len(made["heads"])
    for corpus in made["corpora"]:
        corpus["choose"] = corpus["measure"] = {"documents": 0, "texts": 0}
        corpus.update(resting=nothing, coverage=nothing, entropy=nothing, peak=nothing)
        corpus["profiles"] = [[None] * len(corpus["distances"]) for _ in made["heads"]]
        for measured in corpus["relations"]:
            measured.update(shares=nothing, distance=nothing, parts=nothing)
            measured.update(documents=0, rows=0, uniform=nothing)
    for head in made["heads"]:
        head["ranked"] = head["random"] = [[]]
    return made


def nothing() -> AtlasRecord:
    """Return an atlas that ended before any corpus was opened."""
    made = without_roles()
    made.update(complete=False, incomplete_reason="", relations=[], corpora=[], environment={})
    for head in made["heads"]:
        head["ranked"] = head["random"] = []
    return made


def endless() -> AtlasRecord:
    """Return an atlas in which every string is ten million characters long."""
    long = "x" * 10_000_000
    made = atlas(1, 2, 2, (long,), rows=1)
    made.update(complete=False, incomplete_reason=long, created=long, environment={long: long})
    made["corpora"][0]["marker"] = long
    for relation in made["relations"]:
        relation.update(expression=long, name=long, role="")
    for head in made["heads"]:
        head["roles"] = [role(0, expression=long, english=long, claim=long)]
        pair = head["ranked"][0][0]
        pair["tokens"][pair["key"]] = pair["tokens"][pair["query"]] = pair["text"] = long
    made["heads"][1]["roles"][0]["confirmed"] = False
    return made


def hostile() -> AtlasRecord:
    """Return an atlas in which every string and token is hostile."""
    poison = " ".join(sample.HOSTILE)
    made = atlas(relation_count=3, corpora=(poison, "second"))
    made.update(
        complete=False, incomplete_reason=poison, created=poison, environment={poison: poison}
    )
    for part in [made["model"], *(c["session"]["model"] for c in made["corpora"])]:
        for name, value in part.items():
            if isinstance(value, str):
                cast(Any, part)[name] = poison
    for relation in made["relations"]:
        relation.update(expression=poison, name=poison, role=poison)
    pairs = [
        {**sample.pair(tokens=sample.HOSTILE, query=9, key=k), "text": poison, "token": poison}
        for k in range(3)
    ]
    for head in made["heads"]:
        head["roles"] = [role(0, expression=poison, english=poison, claim=poison)]
        head["ranked"] = head["random"] = [cast(list[PairRecord], pairs), []]
    return made


ODD = {
    "without roles": without_roles,
    "one head": one_head,
    "encoder": encoder,
    "incomplete": incomplete,
    "nothing": nothing,
    "hostile": hostile,
}
