"""The record of an atlas in its file: how it is written, read and checked, and its schema.

Nothing is measured, decided or drawn here, and no shape is defined.
"""

import json
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, cast

from headtests.errors import RecordError
from headtests.records.atlas import (
    ATLAS_FORMAT,
    ATLAS_VERSION,
    AtlasCorpusRecord,
    AtlasHeadRecord,
    AtlasRecord,
)
from headtests.records.files import record_text
from headtests.records.json_files import FileFormat, read_json, write_text_atomically
from headtests.records.validation import first_problem, misplaced

DIGITS = 6
"""Significant digits of a figure in the file."""
_FILE = FileFormat(
    name=ATLAS_FORMAT,
    version=ATLAS_VERSION,
    noun="record of an atlas",
    remedy="Name the JSON file that headtests atlas wrote.",
    error=RecordError,
)


def write_atlas(record: AtlasRecord, path: Path) -> None:
    """Write an atlas as JSON, its figures rounded to `DIGITS` significant digits.

    Each relation, corpus and head has a line of its own. A reader finds the old file or the new
    one whole. Raises `ValueError` for a figure that is not finite, and `OSError` where the file
    cannot be written.
    """
    write_text_atomically(path, atlas_text(record))


def atlas_text(record: AtlasRecord) -> str:
    """Return an atlas as JSON, as `write_atlas` writes it; raises `ValueError` as it does."""
    return record_text(_rounded(record))


def _rounded(value: Any) -> Any:
    """Return JSON-like data with its floats rounded.

    >>> _rounded({"share": [0.123456789, None, 2, 1e-9]})
    {'share': [0.123457, None, 2, 1e-09]}
    """
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return value


def read_atlas(path: Path) -> AtlasRecord:
    """Return the atlas in a file, whole and checked.

    Raises `RecordError` where there is no file, no JSON, no atlas of headtests, or one of another
    version, and what `require_atlas` raises.
    """
    content = read_json(path, _FILE)
    if content is None:
        raise RecordError(f"cannot read {path}: there is no such file. {_FILE.remedy}")
    try:
        return require_atlas(cast(AtlasRecord, content))
    except RecordError as error:
        raise RecordError(f"{path} is {error}") from error


def require_atlas(content: AtlasRecord) -> AtlasRecord:
    """Return an atlas once its fields are known to be of their types and to fit together.

    Fields that the types do not name are let pass. Raises `RecordError` for the first field that
    is missing or of another type, for lists that are not of the heads, and for places outside of
    what they are places in.
    """
    problem = first_problem(content, AtlasRecord) or next(_misfits(content), "")
    if problem:
        raise RecordError(
            f"not a whole atlas of headtests: {problem}. Name the JSON file as it was written."
        )
    return content


def _misfits(content: AtlasRecord) -> Iterator[str]:
    """Yield what does not fit together in an atlas whose fields are all of their types."""
    layers, across = content["model"]["layers"], content["model"]["heads"]
    heads, relations = content["heads"], len(content["relations"])
    if min(layers, across) < 1 or len(heads) != layers * across:
        yield f"heads lists {len(heads)} heads of {layers} layers by {across}"
        return
    for place, head in enumerate(heads):
        layer, index = divmod(place, across)
        named = head["name"], head["layer"], head["index"]
        if named != (f"L{layer}H{index}", layer, index):
            yield f"heads[{place}] should be L{layer}H{index}, not {named[0]!r:.40}, {named[1:]}"
        for problem in _head_misfits(head, relations, len(content["corpora"])):
            yield f"heads[{place}].{problem}"
    for place, corpus in enumerate(content["corpora"]):
        for problem in _corpus_misfits(corpus, relations, len(heads)):
            yield f"corpora[{place}].{problem}"


def _head_misfits(head: AtlasHeadRecord, relations: int, corpora: int) -> Iterator[str]:
    for place, role in enumerate(head["roles"]):
        if not 0 <= role["relation"] < relations:
            yield f"roles[{place}].relation is {role['relation']} of {relations} relations"
        if not 0 <= role["corpus"] < corpora:
            yield f"roles[{place}].corpus is {role['corpus']} of {corpora} corpora"
        if role["confirmed"] and role["verdict"] != "holds":
            yield f"roles[{place}] is confirmed, and its verdict is {role['verdict']}"
    for name, lists in (("ranked", head["ranked"]), ("random", head["random"])):
        if len(lists) != corpora:
            yield f"{name} has {len(lists)} lists for {corpora} corpora"
        for corpus, pairs in enumerate(lists):
            for place, pair in enumerate(pairs):
                if problem := misplaced(pair):
                    yield f"{name}[{corpus}][{place}]: {problem}"


def _corpus_misfits(corpus: AtlasCorpusRecord, relations: int, heads: int) -> Iterator[str]:
    lists: list[tuple[str, Sequence[object]]] = [
        ("resting", corpus["resting"]),
        ("coverage", corpus["coverage"]),
        ("entropy", corpus["entropy"]),
        ("peak", corpus["peak"]),
        ("profiles", corpus["profiles"]),
    ]
    seen = set()
    for place, shares in enumerate(corpus["relations"]):
        relation = shares["relation"]
        if not 0 <= relation < relations or relation in seen:
            yield f"relations[{place}].relation is {relation}, again or outside {relations}"
        seen.add(relation)
        lists += [
            (f"relations[{place}].shares", shares["shares"]),
            (f"relations[{place}].uniform", shares["uniform"]),
            (f"relations[{place}].distance", shares["distance"]),
            (f"relations[{place}].parts", shares["parts"]),
        ]
    for name, values in lists:
        if len(values) != heads:
            yield f"{name} has {len(values)} entries for {heads} heads"
    for place, ends in enumerate(corpus["distances"]):
        if len(ends) != 2 or ends[0] > ends[1]:
            yield f"distances[{place}] is not a first and a last distance"
    for place, profile in enumerate(corpus["profiles"]):
        if len(profile) != len(corpus["distances"]):
            yield (
                f"profiles[{place}] has {len(profile)} entries for "
                f"{len(corpus['distances'])} bins of distances"
            )


def atlas_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the atlases that this release writes.

    >>> atlas_schema()["$id"]
    'urn:headtests:atlas:1'
    """
    file = resources.files("headtests").joinpath(f"atlas-{ATLAS_VERSION}.schema.json")
    return cast(dict[str, Any], json.loads(file.read_text(encoding="utf-8")))
