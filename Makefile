# Sirenade. `make help` lists the targets; everything is kept in .venv and .local unless announced.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
PY := .venv/bin/python
# The demo's size: establishments to import.
N ?= 35000
# The simulator's options for `make simulator`.
PORT ?= 8021
ESTABLISHMENTS ?= 35000
REQUESTS_PER_MINUTE ?= 30
# What `make prove` and `make chaos` run.
PHASE ?= 1
KILLS ?= 20
ROWS ?= 20000
SEED ?=
# Each runs servers of its own; what is slow measures, and runs alone.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[36mmake %-14s\033[0m %s\n", $$1, $$2}' Makefile

.PHONY: install
install: .venv/installed ## Make the environment in .venv (hash-checked)

.venv/installed: requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
	  echo "error: Python 3.11 to 3.13 is needed: make PYTHON=python3.12 …" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "error: Python's venv module is missing: apt-get install python3-venv" >&2; exit 2; }
	@echo "making the environment in .venv"
	@$(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch .venv/installed

.PHONY: demo
demo: install ## Import a day from the simulator and write its texts (N=35000)
	@./sirenade demo --establishments $(N)

.PHONY: simulator
simulator: install ## Run the INSEE simulator (PORT, ESTABLISHMENTS, REQUESTS_PER_MINUTE)
	@$(PY) -m services.simulator --port $(PORT) --establishments $(ESTABLISHMENTS) \
	  --requests-per-minute $(REQUESTS_PER_MINUTE)

.PHONY: servers
servers: install ## Fetch what the tests' private RabbitMQ and PostgreSQL need
	@$(PY) -m deploy.local prepare

.PHONY: test
test: servers ## Run unit and integration tests and one system test with kills
	@$(PY) -m pytest $(SIDE_BY_SIDE)

.PHONY: test-full
test-full: servers ## Run all tests, the slow ones too
	@$(PY) -m pytest $(SIDE_BY_SIDE)
	@$(PY) -m pytest -m slow --ignore tests/benchmarks

.PHONY: lint
lint: install ## Check style, types and imports
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy
	@.venv/bin/lint-imports

.PHONY: bench
bench: install ## Measure against the machine's own limits, in ratios
	@$(PY) -m pytest tests/benchmarks -s --slow

.PHONY: prove
prove: servers ## Prove what is promised: a phase at the true quota (PHASE=1, 8 min; 2, 18 min)
	@./sirenade prove import --phase $(PHASE)

.PHONY: chaos
chaos: servers ## Kill at random in mid-import, then compare the sets (KILLS, ROWS, SEED)
	@./sirenade prove chaos --kills $(KILLS) --rows $(ROWS) $(if $(SEED),--seed $(SEED))

.PHONY: check-fresh
check-fresh: ## Try demo and test in fresh clones: other users, folders, paths, Pythons
	@deploy/local/check-fresh.sh

.PHONY: requirements
requirements: ## Pin the requirements anew (needs uv)
	@uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	  --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements/runtime.txt
	@uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	  --no-emit-index-url --no-emit-find-links pyproject.toml --group local --group dev \
	  -c requirements/runtime.txt -o requirements/dev.txt

.PHONY: clean
clean: ## Remove .local, .venv and what was announced outside
	@[ ! -x $(PY) ] || $(PY) -m deploy.local clean
	@rm -rf .local .venv
