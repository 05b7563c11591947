import subprocess
import sys

HEAVY = "[name for name in ('torch', 'transformers', 'datasets') if name in sys.modules]"


def heavy_imports(statement):
    code = f"import sys\n{statement}\nprint({HEAVY})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_the_package_imports_nothing_heavy():
    assert heavy_imports("import headtests.corpora") == "[]"


def test_the_test_above_can_fail():
    assert heavy_imports("import torch") == "['torch']"
