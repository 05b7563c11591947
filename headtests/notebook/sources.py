"""A description's suggestions as a test file, to be pasted into a suite.

Records and options in, Python out. Nothing of it is executed.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from headtests.claims.definitions import RowOptions
from headtests.settings import ModelSpec

_LISTED = ("holds", "undecided")
"""A claim that was refuted is none to start from."""


def claims_file(
    head: str,
    suggestions: Sequence[Mapping[str, Any]],
    *,
    model: ModelSpec,
    texts: str,
    max_length: int,
    options: RowOptions,
) -> str:
    """Return claims about a head as the source of a test file.

    `suggestions` are a description's; those that were refuted are left out. `texts` says what they
    were found and measured on.
    """
    listed = [one for one in suggestions if one["verdict"] in _LISTED]
    imports = dict.fromkeys(
        line
        for one in listed
        for line in one["python"].partition("\n\n")[0].splitlines()
        if line != "import pytest"
    )
    lines = [
        f'"""Claims about {head}, found on one half of {texts}, measured on the other."""',
        "",
        "import pytest",
        *sorted(imports, key=lambda line: (line.startswith("from "), line)),
        "",
        "pytestmark = [",
        f"    pytest.mark.model({_model(model)}),",
        f'    # pytest.mark.corpus("my-texts.jsonl", max_length={max_length}),',
        "]",
    ]
    for number, one in enumerate(listed, start=1):
        lines += ["", "", *_test(head, number, one, options)]
    if not listed:
        lines += ["", f"# Nothing that was found of {head} on one half held on the other."]
    return "\n".join([*lines, ""])


def _test(head: str, number: int, one: Mapping[str, Any], options: RowOptions) -> list[str]:
    measured = f"{one['mass']['value']:.3g} over {one['documents']:,} documents"
    if one["verdict"] == "undecided":
        measured += ", too few to decide it"
    marked = f'"{head}", suppress_first_token={options.suppress_first_token}'
    return [
        f"@pytest.mark.head({marked}, min_query={options.min_query})",
        f"def test_{head.lower()}_attends_to_what_was_suggested_{number}(head):",
        f"    # {one['verdict']}: {measured}",
        f"    assert {one['expression'].replace(f'{head}.', 'head.', 1)}",
    ]


def _model(model: ModelSpec) -> str:
    name = json.dumps(model.name)
    if model.revision is None:
        return name
    return f"{name}, revision={json.dumps(model.revision)}"
