"""docs/architecture.md is true: its picture is the layers contract, and its modules exist."""

import re
import tomllib

from tests.docs.pages import DOCS, ROOT, blocks

PAGE = DOCS / "architecture.md"


def contract():
    """Return the packages of each layer of the contract, from the highest to the lowest."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = (each["layers"] for each in contracts if each["type"] == "layers")
    return [set(re.split(r"\s*[|:]\s*", layer)) for layer in layers]


def picture():
    """Return the same of the picture."""
    (drawn,) = blocks(PAGE, "mermaid")
    parts = re.findall(r"subgraph (\w+) .*?\n(.*?)\n\s*end$", drawn.text, re.DOTALL | re.MULTILINE)
    (arrows,) = re.findall(r"^\s*(\w+(?: --> \w+)+)$", drawn.text, re.MULTILINE)
    assert [name for name, _ in parts] == arrows.split(" --> ")
    return [set(packages.split()) for _, packages in parts]


def test_the_picture_is_the_contract():
    assert picture() == contract()


def test_each_package_is_described():
    rows = re.findall(r"^\| (`.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    described = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert described == set().union(*contract()) - {"__main__"}


def test_each_module_that_it_names_exists():
    named = set(re.findall(r"`(headtests\.[a-z_.]+)`", PAGE.read_text(encoding="utf-8")))
    assert len(named) > 15
    for name in named:
        place = ROOT.joinpath(*name.split("."))
        assert place.with_suffix(".py").exists() or (place / "__init__.py").exists(), name
