# Everything starts here. Needs Python 3.11, 3.12 or 3.13 with venv, and a package index; nothing else.

.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,13))' 2>/dev/null && { echo $$p; break; }; done)
PYTEST := $(BIN)/pytest
WORKERS ?= 3
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed

.PHONY: help setup run test test-postgres test-slow lint format types bench chaos lock clean docs-check

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

setup: $(DEV) ## Make .venv with everything for running, testing and linting

run: $(RUNTIME) ## Run the whole product on this machine until Ctrl-C
	@exec $(PY) manage.py run_stack

test: $(DEV) ## Run the test suite on SQLite (DATABASE_URL=postgres://... for PostgreSQL)
	$(PYTEST) -n $(WORKERS) --dist loadgroup -m "not slow" $(ARGS)

# What no database is behind, or SQLite by its own choice, is left to `make test`.
ON_POSTGRES := tests/integration tests/corridor --ignore=tests/integration/simulator \
	--ignore=tests/integration/gateways --ignore=tests/integration/stack/test_run_stack_from_start_to_stop.py

test-postgres: $(DEV) ## Run what uses a database on PostgreSQL: yours, this machine's or a private one
	$(PY) -m tests.postgres $(PYTEST) -n 2 --dist loadgroup -m "not slow and not browser" \
		$(ON_POSTGRES) $(ARGS)

test-slow: $(DEV) ## Run the chaos, soak and load proofs
	$(PYTEST) -m slow --timeout=1800 $(ARGS)

lint: $(DEV) ## Check style, import direction and Django's own consistency
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	PETROSA_IGNORE_DOTENV=1 $(PY) manage.py makemigrations --check --dry-run
	PETROSA_IGNORE_DOTENV=1 $(PY) manage.py check --fail-level WARNING

format: $(DEV) ## Rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(DEV) ## Check types
	$(BIN)/mypy foundation audit exchanges trading signals_app petrosa_site benchmarks examples tests

bench: $(DEV) ## Measure latency and throughput; writes benchmarks/results
	$(PY) -m benchmarks $(ARGS)

chaos: $(DEV) ## Play faults on the whole product; a full run writes docs/reliability.md
	$(PY) -m tests.postgres $(PY) -m tests.chaos.table $(ARGS)

docs-check: $(DEV) ## Check compose, CI and hook files against their schemas, and links in the docs
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(PY) -m tests.docs_check

lock: $(DEV) ## Remake the locked requirements from the *.in files
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-embedded.in -o requirements-embedded.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt

clean: ## Remove caches and the virtual environment; var/ (your data) stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@test -n "$(PYTHON)" || { echo "Petrosa needs Python 3.11, 3.12 or 3.13; found: $$(python3 --version 2>&1). Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module. On Debian or Ubuntu: apt-get install $$(basename $(PYTHON))-venv" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.txt requirements-embedded.txt | $(PY)
	@echo "Installing what Petrosa runs on ..."
	@$(INSTALL) -r requirements.txt -r requirements-embedded.txt
	@touch $@

$(DEV): requirements-dev.txt | $(PY)
	@echo "Installing what tests and linters need ..."
	@$(INSTALL) -r requirements-dev.txt
	@touch $@ $(RUNTIME)
