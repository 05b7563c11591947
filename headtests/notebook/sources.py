"""The suggestions of a description as the source of a test file.

Records and options in, Python source out; it is not executed.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from headtests.claims.definitions import RowOptions
from headtests.settings import ModelSpec

_LISTED = ("holds", "undecided")
"""The verdicts of claims that are written; refuted claims are left out."""


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

    `suggestions` are those of a description; refuted ones are left out. `texts` names the texts
    that they were made from and measured on.
    """
    listed = [claim for claim in suggestions if claim["verdict"] in _LISTED]
    imports = dict.fromkeys(
        line
        for claim in listed
        for line in claim["python"].partition("\n\n")[0].splitlines()
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
    for number, claim in enumerate(listed, start=1):
        lines += ["", "", *_test(head, number, claim, options)]
    if not listed:
        lines += ["", f"# Nothing that was found of {head} on one half held on the other."]
    return "\n".join([*lines, ""])


def _test(head: str, number: int, claim: Mapping[str, Any], options: RowOptions) -> list[str]:
    measured = f"{claim['mass']['value']:.3g} over {claim['documents']:,} documents"
    if claim["verdict"] == "undecided":
        measured += ", too few to decide it"
    marked = f'"{head}", suppress_first_token={options.suppress_first_token}'
    return [
        f"@pytest.mark.head({marked}, min_query={options.min_query})",
        f"def test_{head.lower()}_attends_to_what_was_suggested_{number}(head):",
        f"    # {claim['verdict']}: {measured}",
        f"    assert {claim['expression'].replace(f'{head}.', 'head.', 1)}",
    ]


def _model(model: ModelSpec) -> str:
    name = json.dumps(model.name)
    if model.revision is None:
        return name
    return f"{name}, revision={json.dumps(model.revision)}"
