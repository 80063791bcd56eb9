# One command each: `make demo`, `make test`. The environment is made on first use, in .venv.
#
#   make demo PYTHON=python3.12
#   make demo PIP_OPTIONS="--extra-index-url https://download.pytorch.org/whl/cpu"    (torch without CUDA)

PYTHON ?= python3
PIP_OPTIONS ?=
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
# Byte code is written when a module is first imported: most of what is installed never is.
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet --no-compile -c constraints.txt
NEEDS := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help env demo test test-slow bench docs clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "cloudchamber needs Python 3.11 or later: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp per set of packages. Each larger set holds the smaller ones, so it sets their stamps as well.
$(VENV)/.has-user: $(NEEDS) | $(BIN)/python
	@echo "Installing cloudchamber and what it needs (a few minutes, once)"
	$(INSTALL) $(PIP_OPTIONS) -e .
	@touch $@

$(VENV)/.has-dev: $(NEEDS) | $(BIN)/python
	@echo "Installing cloudchamber and what its tests need (a few minutes, once)"
	$(INSTALL) $(PIP_OPTIONS) -e '.[dev]'
	@touch $(VENV)/.has-user $@

$(VENV)/.has-docs: $(NEEDS) | $(BIN)/python
	$(INSTALL) $(PIP_OPTIONS) -e '.[dev,docs]'
	@touch $(VENV)/.has-user $(VENV)/.has-dev $@

env: $(VENV)/.has-dev ## make the environment .venv with all that the tests need

demo: $(VENV)/.has-user ## buried walls from simulated muons to a report, in minutes
	$(BIN)/cloudchamber demo walls

test: $(VENV)/.has-dev ## lint, formatting, types and the fast tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n $(WORKERS) --dist=worksteal

test-slow: $(VENV)/.has-dev ## the tests that take minutes, before a release
	$(BIN)/pytest -m slow

bench: $(VENV)/.has-dev ## every number that the documentation claims about speed and fidelity
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

docs: $(VENV)/.has-docs ## the documentation, into site/
	$(BIN)/mkdocs build --strict

clean: ## remove the environment, caches and what the demo made
	rm -rf $(VENV) site demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
