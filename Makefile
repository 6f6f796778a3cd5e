# Every target sets up what it needs; nothing has to be installed by hand but Python 3.11 or newer.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
STAMP := $(VENV)/.ready
# What mostly waits for a broker runs beside what mostly computes (tests/conftest.py).
TWO_AT_A_TIME := -n 2 --no-loadscope-reorder

.PHONY: help native setup demo test test-all check browser collector bench accuracy tools lock clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## Make .venv with everything: leaves .venv/bin/widget-streams

$(STAMP): pyproject.toml requirements-dev.lock
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer is needed, and none is on the PATH."; exit 1; fi
	@echo "Setting up $(VENV) with $(PYTHON) ..."
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || ( $(PYTHON) -m venv --without-pip $(VENV) && \
		$(PYTHON) -m pip --python $(BIN)/python install --quiet pip ) || ( \
		echo "$(PYTHON) can make no virtual environment: it has neither ensurepip nor pip."; exit 1 )
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	@touch $(STAMP)

demo: setup ## Kafka, topics, workers, gateway and simulated calls on this machine; Ctrl-C stops all of it
	@$(BIN)/widget-streams demo

test: setup browser ## Run the tests against a real Kafka (under 15 minutes on 2 cores)
	@$(BIN)/python -m pytest $(TWO_AT_A_TIME) -m "not slow"

test-all: setup browser ## Run every test, the slow ones too
	@$(BIN)/python -m pytest

check: setup ## Format, lint, types, imports, schemas
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/widget-streams schemas check

browser: setup ## Bring a Chromium for the tests in a browser, where there is none
	@$(BIN)/python -m tests.browser.bring

collector: ## Build the browser script from its source (needs node and npm)
	@mkdir -p .build/collector
	@cp streams/collector/package.json streams/collector/package-lock.json .build/collector/
	@cd .build/collector && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@cd streams/collector && PATH="$(CURDIR)/.build/collector/node_modules/.bin:$$PATH" npm run --silent check
	@cd streams/collector && PATH="$(CURDIR)/.build/collector/node_modules/.bin:$$PATH" npm run --silent build

native: setup ## Compile the worker's pure parts into .build/native (needs a C compiler; minutes, once per change)
	@$(BIN)/python -m deploy.native.build

bench: setup ## Measure speed, latency, recovery and memory, beside peers in the same run
	@$(BIN)/python -m deploy.native.build || echo "Only the build in plain Python is measured."
	@$(BIN)/python -m tests.bench

accuracy: setup ## Fold 100,000 simulated legs and compare the records with what really happened (ARGS=--page writes docs)
	@$(BIN)/python -m tests.accuracy $(ARGS)

tools: setup ## Bring helm, kubeconform, promtool and prometheus, which the tests of deploy/ use, into .build/tools
	@$(BIN)/python -m tests.deploy.operators

lock: setup ## Pin all requirements anew from pyproject.toml, with hashes and without addresses
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra embedded --group dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements-dev.lock
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --constraints requirements-dev.lock \
		--generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --group native-run --universal --python-version 3.11 --constraints requirements-dev.lock \
		--generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements-native.lock
	@$(BIN)/uv pip compile --group build --group native --universal --python-version 3.11 --constraints requirements-dev.lock \
		--generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements-build.lock

clean: ## Remove what the targets made here
	@rm -rf $(VENV) .build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
