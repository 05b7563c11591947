"""The claims of an atlas as a file of tests that runs as it is.

A record in, Python out: confirmed claims as tests, the other proposals as comments with both
figures. Nothing is measured here.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence

from headtests.atlas.decide import LEVEL
from headtests.expressions import Expression
from headtests.expressions.library import NAMES, paste_imports
from headtests.io.escaping import legible
from headtests.records.atlas import AtlasHeadRecord, AtlasRecord, AtlasRoleRecord
from headtests.records.explanations import BoundedRecord
from headtests.wording import count

WIDTH = 100
_INDENT = "    "
_NAMED = {relation: name for name, relation in NAMES.items()}


def relation_source(relation: Expression) -> str:
    """Return a relation as Python: its name in the library if it has one.

    >>> from headtests.library import NEWLINE
    >>> relation_source(NEWLINE)
    'NEWLINE'
    """
    return _NAMED.get(relation, repr(relation))


def string(text: str) -> str:
    """Return a string as Python, in double quotes where no other is needed.

    >>> print(string("demo"), string('a "b"'))
    "demo" 'a "b"'
    """
    return f'"{repr(text)[1:-1]}"' if not {'"', "'"} & set(text) else repr(text)


def file_name(model: str) -> str:
    """Return the name of the file for a model.

    >>> file_name("openai-community/gpt2"), file_name("models/SmolLM2-135M.gguf")
    ('test_gpt2_atlas.py', 'test_smollm2_135m_atlas.py')
    """
    stem = re.split(r"[/\\]", model.rstrip("/\\"))[-1]
    stem = re.sub(r"\.gguf$", "", stem, flags=re.IGNORECASE).lower()
    return f"test_{re.sub(r'[^a-z0-9]+', '_', stem).strip('_') or 'model'}_atlas.py"


def hypotheses(record: AtlasRecord, library: Sequence[Expression]) -> str:
    """Return the file: one test for each head and corpus with a confirmed claim.

    `library` has the relations of the record, in its order.
    """
    tests = list(_tests(record))
    lines = [*_docstring(record), "", *_imports(record, library), "", *_markers(record), ""]
    for test in tests:
        lines += ["", *test, ""]
    others = list(_others(record))
    if others:
        lines += [
            "",
            *_comment(
                "Proposals that were not confirmed: the second half did not decide that they hold, "
                "or they are no discovery of e-BH."
            ),
            *others,
        ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _docstring(record: AtlasRecord) -> Iterator[str]:
    roles = [role for head in record["heads"] for role in head["roles"]]
    held = sum(role["confirmed"] for role in roles)
    model = _plain(record["model"]["name"])
    version = record["environment"].get("headtests", "")
    yield f'"""What the heads of {model} attend to, as an atlas proposed and confirmed it.'
    yield ""
    halves = "; ".join(
        f"{_plain(corpus['session']['corpus']['name'])}: "
        f"{count(corpus['choose']['documents'], 'document')} and "
        f"{corpus['measure']['documents']:,}"
        for corpus in record["corpora"]
    )
    yield from textwrap.wrap(
        "Relations and thresholds were chosen on one half of the texts, and each claim was then "
        f"decided on the other half ({halves}). Of {count(len(roles), 'proposal')}, {held} hold, "
        f"each falsely with a probability of at most {record['alpha']:g}, and are discoveries at a "
        f'false discovery rate of {LEVEL:g} over all of them: e-BH (Wang and Ramdas 2022, "False '
        'discovery rate control with e-values"); the first half chose, so that the e-values of the '
        "second are valid for what was chosen.",
        WIDTH,
    )
    yield ""
    if not record["complete"]:
        yield from textwrap.wrap(
            f"The atlas is incomplete: {_plain(record['incomplete_reason'])}.", WIDTH
        )
        yield ""
    yield from textwrap.wrap(
        f"Made by headtests {version} on {record['created'][:10]}, with seed {record['seed']}. A "
        "pattern is not a mechanism: these are claims about attention alone.",
        WIDTH,
    )
    yield '"""'


def _imports(record: AtlasRecord, library: Sequence[Expression]) -> Iterator[str]:
    lines = {"import pytest"}
    names: dict[str, set[str]] = {}
    for head in record["heads"]:
        for role in head["roles"]:
            if role["confirmed"]:
                relation = library[role["relation"]]
                needed = paste_imports(relation)
                if relation in _NAMED:
                    needed = f"from headtests.library import {_NAMED[relation]}"
                for line in needed.splitlines():
                    module, _, imported = line.partition(" import ")
                    if imported:
                        names.setdefault(module, set()).update(imported.split(", "))
                    else:
                        lines.add(line)
    if any("ht." in role["claim"] for head in record["heads"] for role in head["roles"]):
        lines.add("import headtests as ht")
    plain = sorted(lines, key=lambda line: line != "import pytest")
    yield plain[0]
    if len(plain) > 1 or names:
        yield ""
    yield from plain[1:]
    for module in sorted(names):
        imported = ", ".join(sorted(names[module], key=lambda name: (not name.isupper(), name)))
        line = f"{module} import {imported}"
        if len(line) <= WIDTH:
            yield line
        else:
            yield f"{module} import ("
            for name in sorted(names[module], key=lambda name: (not name.isupper(), name)):
                yield f"{_INDENT}{name},"
            yield ")"


def _markers(record: AtlasRecord) -> Iterator[str]:
    model = record["model"]
    revision = f", revision={string(model['revision'])}" if model["revision"] else ""
    dtype = f", dtype={string(model['dtype'])}" if model["dtype"] != "float32" else ""
    yield f"pytestmark = pytest.mark.model({string(model['name'])}{revision}{dtype})"
    for place, corpus in enumerate(record["corpora"]):
        marker = f"pytest.mark.corpus({corpus['marker']})"
        if not corpus["marker"]:
            marker = 'pytest.mark.skip(reason="the texts were in memory: name a corpus here")'
        yield f"{_corpus_name(place)} = {marker}"


def _corpus_name(place: int) -> str:
    return f"CORPUS_{place + 1}"


def _tests(record: AtlasRecord) -> Iterator[list[str]]:
    for place in range(len(record["corpora"])):
        for head in record["heads"]:
            roles = [
                role for role in head["roles"] if role["confirmed"] and role["corpus"] == place
            ]
            if roles:
                yield list(_test(record, head, roles, place))


def _test(
    record: AtlasRecord, head: AtlasHeadRecord, roles: list[AtlasRoleRecord], place: int
) -> Iterator[str]:
    corpus = record["corpora"][place]
    options = ""
    if corpus["min_query"] != 1:
        options = f", min_query={corpus['min_query']}"
    options += f", suppress_first_token={corpus['suppress_first_token']}"
    first = record["relations"][roles[0]["relation"]]
    slug = re.sub(r"[^a-z0-9]+", "_", (first["role"] or first["name"]).lower()).strip("_")[:40]
    suffix = f"_{place + 1}" if len(record["corpora"]) > 1 else ""
    yield f"@{_corpus_name(place)}"
    yield f'@pytest.mark.head("{head["name"]}"{options})'
    yield f"def test_{head['name'].lower()}_{slug.rstrip('_')}{suffix}(head):"
    for role in roles:
        relation = record["relations"][role["relation"]]
        measured, chosen = role["measured"], role["chosen"]
        yield from _comment(
            f"{_sentence(relation['name'])}: {_figure(measured['share'])} on the second half, "
            f"{chosen['share']['value']:.3g} on the first; uniform attention would give "
            f"{measured['uniform']:.3g}, the head's own profile over distance "
            f"{measured['distance']:.3g}.",
            _INDENT,
        )
        yield f"{_INDENT}assert {role['claim']}"


def _others(record: AtlasRecord) -> Iterator[str]:
    for head in record["heads"]:
        for role in head["roles"]:
            if not role["confirmed"]:
                corpus = record["corpora"][role["corpus"]]["session"]["corpus"]["name"]
                claim = role["claim"].replace("head.", f"{head['name']}.", 1)
                verdict = role["verdict"]
                why = "holds, but is no discovery" if verdict == "holds" else verdict
                yield from _comment(
                    f"{_plain(corpus)}: {claim} was {why}: {role['chosen']['share']['value']:.3g} "
                    f"on the first half, {_figure(role['measured']['share'])} on the second."
                )


def _figure(share: BoundedRecord) -> str:
    value = f"{share['value']:.3g}"
    if share["low"] is None or share["high"] is None:
        return value
    return f"{value} [{share['low']:.3g}, {share['high']:.3g}]"


def _comment(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        _plain(text),
        WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_on_hyphens=False,
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _plain(text: str) -> str:
    """Return a text that can stand in a comment or a docstring, in one line."""
    return " ".join(legible(text).replace("\\", r"\\").replace('"""', '\\"""').split())
