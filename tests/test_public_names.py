"""The public names: what `import headtests` promises, and that it brings nothing heavy."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import headtests
from headtests import expressions

# Names that the package itself uses and that users never write.
INTERNAL = {
    "GRAMMAR",
    "Expression",
    "parse_expression",
    "require_relation",
    "require_row_condition",
}


def test_names_are_listed_once_and_in_order():
    assert headtests.__all__ == sorted(set(headtests.__all__))


def test_type_checkers_and_users_see_the_same_objects():
    tree = ast.parse(Path(headtests.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imported = {
        alias.name: getattr(import_module(node.module), alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module != "headtests"
        for alias in node.names
    }
    assert imported == {name: getattr(headtests, name) for name in headtests.__all__}


@pytest.mark.parametrize("name", ["prompts", "strategies"])
def test_modules_that_users_name_are_found(name):
    assert getattr(headtests, name) is import_module(f"headtests.{name}")
    assert name in dir(headtests)


def test_every_name_of_the_expression_language_is_public():
    assert set(expressions.__all__) - INTERNAL <= set(headtests.__all__)


def test_dir_lists_each_public_name_once():
    for name in headtests.__all__:
        getattr(headtests, name)
    listed = headtests.__dir__()
    assert len(listed) == len(set(listed))
    assert set(headtests.__all__) <= set(listed)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'headtests' has no attribute 'no_such_name'"):
        _ = headtests.no_such_name
    assert not hasattr(headtests, "no_such_name")


def test_a_star_import_brings_every_public_name_and_nothing_else():
    brought = {}
    exec("from headtests import *", brought)
    assert set(brought) - {"__builtins__"} == set(headtests.__all__)


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


LIGHT = "import sys, headtests; {use}; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"


def test_expressions_and_errors_come_without_torch_and_numpy():
    found = python(LIGHT.format(use="headtests.induction & headtests.key.repeats"))
    assert found.returncode == 0, found.stderr


def test_the_test_above_can_fail():
    assert python(LIGHT.format(use="import numpy")).returncode == 1
