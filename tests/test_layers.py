"""The layers of the package, from the bottom up; a module imports from its own layer or below."""

import ast
from pathlib import Path

import pytest

import headtests

PACKAGE = Path(headtests.__file__).parent
LAYERS = (
    ("errors",),
    (
        "hashing",
        "head_names",
        "keys",
        "locations",
        "settings",
        "expressions",
        "statistics",
        "sketches",
        "typed",
    ),
    ("demo",),
    ("claims", "library", "prompts"),
    ("verdicts", "multiples", "patterns", "descriptions", "counterexamples"),
    ("evidence",),
    ("readings",),
    ("missing",),
    # A figure makes comparisons, and a comparison is made of figures.
    ("quantities", "comparisons"),
    ("estimates", "samples", "withstanding"),
    ("heads",),
    ("hub",),
    ("corpora", "models", "store"),
    ("masks", "capture"),
    ("sweep",),
    ("search",),
    ("records", "upgrades", "baselines"),
    ("explanations",),
    ("sessions",),
    ("recording", "report"),
    ("sides", "remembering", "tracing", "search_recording", "strategies"),
    ("opposing",),
    ("plugin", "notebook", "cli"),
    ("__main__",),
    ("__init__",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
TORCH_FREE = (*LAYERS[: RANK["heads"] + 1], ("records", "upgrades"))
SOURCES = sorted(PACKAGE.rglob("*.py"))


def module_of(source: Path) -> str:
    """Return the name of a file's module or package below `headtests`."""
    return source.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(source_text: str) -> list[str]:
    """Return the full names of everything that a source imports, wherever it does."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source_text)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            names.append("headtests.a_relative_import")
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def upward(module: str, source_text: str) -> list[str]:
    """Return the imports that go from a module to a layer above its own."""
    below = [name.split(".")[1] for name in imported(source_text) if name.startswith("headtests.")]
    return [name for name in below if RANK.get(name, len(LAYERS)) > RANK[module]]


def test_every_module_has_a_layer():
    assert {module_of(source) for source in SOURCES} == set(RANK)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_run_downward_only(source):
    if source == PACKAGE / "__init__.py":
        pytest.skip("the public names come from every layer, imported on first use")
    assert upward(module_of(source), source.read_text(encoding="utf-8")) == []


def test_an_upward_import_would_be_seen():
    assert upward("claims", "def late():\n    from headtests.measurement import Sweep\n") == [
        "sweep"
    ]
    assert upward("claims", "from .sweep import Sweep\n") == ["a_relative_import"]


def importers_of(package: str) -> set[str]:
    """Return the modules that import a package or something in it."""
    return {
        module_of(source)
        for source in SOURCES
        if any(
            name.split(".")[0] == package for name in imported(source.read_text(encoding="utf-8"))
        )
    }


def test_capture_alone_imports_transformer_lens():
    assert importers_of("transformer_lens") == {"capture"}


def test_the_plugin_alone_imports_pytest():
    assert importers_of("pytest") == {"plugin"}


def test_the_lower_layers_import_no_torch():
    lower = {name for names in TORCH_FREE for name in names} - {"demo"}
    assert not importers_of("torch") & lower
    assert not importers_of("transformers") & lower
