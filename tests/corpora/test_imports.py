"""What pytest imports to collect claims brings neither torch nor transformers nor datasets."""

import subprocess
import sys

CODE = """
import sys
import headtests.corpora, headtests.models.config

def heavy():
    return [name for name in ("torch", "transformers", "datasets") if name in sys.modules]

print(heavy())
# It would be noticed.
sys.modules["torch"] = sys
print(heavy())
"""


def test_what_collection_imports_is_light():
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["[]", "['torch']"]
