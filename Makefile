# Sirenade. `make help` lists the targets. They keep everything in .venv and .local; a target
# that must write elsewhere announces it.
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
# The sizes of `make prove`, `make chaos` and `make soak`.
PHASE ?= 1
READS ?=
HOURS ?= 1
REPEATS ?= 5
KILLS ?= 20
ROWS ?= 20000
SEED ?=
# `make fuzz`: the number of cases of each kind. A twentieth of them goes through real servers.
EXAMPLES ?= 10000
# The benchmarks that `make bench` runs (ONLY="writer stock"), and the two files that
# `make bench-compare` compares.
ONLY ?=
A ?=
B ?=
# Containers: `make scale-reviewer N=12`, `make run C="status --once"`.
C ?= --help
SERVICES := fetcher writer reviewer operator console portal indexer
SCALED := fetcher writer reviewer portal
# Each has an image with its own packages.
IMAGES := fetcher writer reviewer operator portal simulator
# Two test processes run side by side, each with its own servers. Slow tests measure speed, so they
# run alone.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^#?[a-zA-Z-]+:.*## / {sub(/^#/, ""); printf "  \033[36mmake %-16s\033[0m %s\n", $$1, $$2}' Makefile

.PHONY: install
install: .venv/installed ## Make the environment in .venv; pip checks each hash

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

.PHONY: portal
portal: install ## Serve the last demo's pages and search, with its indexer; the address is printed
	@./sirenade search rebuild
	@SIRENADE_METRICS_PORT=0 ./sirenade portal run --with-index

.PHONY: console
console: install ## Serve the web console on the last demo's data; a one-time login is printed
	@SIRENADE_METRICS_PORT=0 ./sirenade console --one-time-login

.PHONY: simulator
simulator: install ## Run the INSEE simulator (PORT, ESTABLISHMENTS, REQUESTS_PER_MINUTE)
	@$(PY) -m services.simulator --port $(PORT) --establishments $(ESTABLISHMENTS) \
	  --requests-per-minute $(REQUESTS_PER_MINUTE)

.PHONY: servers
servers: install ## Fetch the servers and tools of the tests: RabbitMQ, PostgreSQL, Redis, promtool, amtool
	@$(PY) -m tests.servers prepare

.PHONY: test
test: servers ## Run unit and integration tests, and one system test that kills processes
	@$(PY) -m pytest $(SIDE_BY_SIDE)

.PHONY: test-full
test-full: servers ## Run all tests, also the slow ones (needs npm, and kubectl or kustomize)
	@$(PY) -m tests.servers prepare-slow
	@$(PY) -m pytest $(SIDE_BY_SIDE)
	@$(PY) -m pytest --as-roles tests/integration --ignore tests/integration/writer/restore
	@$(PY) -m pytest -m slow --ignore tests/benchmarks

.PHONY: test-browser
test-browser: install ## Look at portal and console in a real Chromium, and at its accessibility (needs npm)
	@$(PY) -m tests.servers prepare-slow
	@$(PY) -m pytest -m slow tests/browser

.PHONY: fuzz
fuzz: servers ## Send 10 000 spoiled answers and messages of each kind (EXAMPLES, SEED)
	@$(PY) -m pytest tests/fuzz -q --examples $(EXAMPLES) \
	  --hypothesis-seed $(or $(SEED),$(shell date +%s)) -p no:logging

.PHONY: lint
lint: install ## Check style, types, the import contracts, rooms and sentences
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@$(PY) -m pytest -q tests/lint

.PHONY: bench
bench: servers ## Measure each speed as a ratio to the machine's limit (ONLY=writer, QUICK=1, FULL=1)
	@$(PY) -m tests.benchmarks run --only "$(ONLY)" \
	  --size $(if $(QUICK),quick,$(if $(FULL),full,normal))

.PHONY: bench-table
bench-table: install ## Print the latest measurements as Markdown (A=FILE; GOALS=1: those with a goal)
	@$(PY) -m tests.benchmarks table --markdown --of "$(A)" $(if $(GOALS),--goals)

.PHONY: bench-compare
bench-compare: install ## Compare two measurements, by default the two latest (A=FILE, B=FILE)
	@$(PY) -m tests.benchmarks compare --a "$(A)" --b "$(B)"

.PHONY: prove
prove: servers ## Prove the promises at the true quota (PHASE=1, PHASE=2; READS=1: 50 readers beside)
	@./sirenade prove import $(if $(READS),--days 1 --reads 50,--phase $(PHASE))

.PHONY: chaos
chaos: servers ## Kill processes at random during an import, then compare the sets (KILLS, ROWS, SEED)
	@./sirenade prove chaos --kills $(KILLS) --rows $(ROWS) $(if $(SEED),--seed $(SEED))

.PHONY: prove-ha
prove-ha: servers ## Lose each node of RabbitMQ and the primary of PostgreSQL in an import (REPEATS=5)
	@./sirenade prove ha --repeats $(REPEATS)

.PHONY: soak
soak: servers ## Import, review and fetch deltas for hours; nothing may grow (HOURS=1)
	@./sirenade prove soak --hours $(HOURS)

.PHONY: dashboards
dashboards: install ## Write Grafana's dashboards from their code
	@$(PY) -m deploy.grafana

.PHONY: alerts
alerts: install ## Write Prometheus' alert rules from shared/alerts
	@$(PY) -m deploy.prometheus

.PHONY: manual
manual: install ## Write docs/settings.md from the code
	@$(PY) -m deploy.manual

.PHONY: texts-sample
texts-sample: install ## Write docs/texts-sample.md: sixty texts of the template
	@$(PY) -m tests.unit.reviewer.notices.texts_sample

.PHONY: check-dashboards
check-dashboards: servers ## Run all services and check that every panel has data
	@$(PY) -m pytest tests/system/test_dashboards.py --slow

.PHONY: stress-metrics
stress-metrics: install ## Record ten million values; memory must stay flat, and none may be lost
	@$(PY) -m pytest tests/benchmarks/test_stress_metrics.py -s --slow

.PHONY: check-fresh
check-fresh: ## Try demo and test in fresh clones: other users, folders, paths, Pythons
	@tests/proofs/check-fresh.sh

.PHONY: requirements
requirements: ## Pin the requirements again (needs uv)
	@uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	  --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements/runtime.txt
	@uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	  --no-emit-index-url --no-emit-find-links pyproject.toml --group local --group dev \
	  -c requirements/runtime.txt -o requirements/dev.txt
	@for service in $(IMAGES); do \
	  uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	    --no-emit-index-url --no-emit-find-links --group $$service \
	    -c requirements/runtime.txt -o requirements/$$service.txt || exit 1; done
	@for other in celery elasticsearch kubernetes openapi-client pynsee redis webhooks; do \
	  uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	    --no-emit-index-url --no-emit-find-links requirements/$$other.in \
	    -o requirements/$$other.txt || exit 1; done
	@uv pip compile --quiet --generate-hashes --no-deps --python-version 3.12 --no-header \
	  --no-emit-index-url --no-emit-find-links requirements/entreprises.in \
	  -o requirements/entreprises.txt

.PHONY: init
init: ## Write .env and random secrets for the containers (DEMO=1: the simulator as INSEE)
	@$(PYTHON) -m deploy.containers init $(if $(DEMO),--demo)

.PHONY: doctor
doctor: ## Say what this machine lacks for the containers
	@$(PYTHON) -m deploy.containers doctor

.PHONY: images-pin
images-pin: install ## Write the digests of images, from Docker's registry or REGISTRY=https://…
	@$(PY) -m deploy.images $(if $(REGISTRY),--registry "$(REGISTRY)") \
	  $(if $(CA_FILE),--ca-file "$(CA_FILE)")

.env:
	@echo "error: there is no .env yet: make init" >&2; exit 2

.PHONY: images
images: .env ## Build the images with this version as their tag, and print their sizes
	@version=$$($(PYTHON) -m deploy.containers version) && \
	  SIRENADE_VERSION=$$version SIRENADE_BUILD=$$version docker compose --profile '*' build --quiet
	@docker images --filter 'reference=sirenade/*' --format '{{.Repository}}:{{.Tag}} {{.Size}}' | sort

.PHONY: up
up: .env ## Start all containers and wait until they are healthy
	@deploy/containers/up.sh

.PHONY: down
down: .env ## Stop and remove all containers; the volumes stay
	@docker compose --profile '*' down

.PHONY: upgrade
upgrade: .env ## Build images of this version, migrate while the services run, replace them
	@$(PYTHON) -m deploy.containers upgrade

.PHONY: rollback
rollback: .env ## Start the version that ran before this one, on the schema as it is
	@$(PYTHON) -m deploy.containers rollback

.PHONY: ps
ps: .env ## List the containers and their health
	@docker compose ps --all

.PHONY: run
run: .env ## Run a command of ./sirenade in a container (C="import --departement 33")
	@docker compose run --rm --no-deps sirenade $(C)

UP := $(SERVICES:%=up-%)
.PHONY: $(UP)
#up-SERVICE: ## Start one service and what it needs: fetcher, writer, … portal
$(UP): up-%: .env
	@deploy/containers/up.sh $*

LOGS := $(SERVICES:%=logs-%)
PRINTED := docker compose run --rm --no-deps --no-TTY sirenade logs
.PHONY: logs $(LOGS)
logs: .env ## Follow the logs of all services, printed for people
	@docker compose logs --follow --tail 100 --no-log-prefix | $(PRINTED)
#logs-SERVICE: ## Follow the logs of one service
$(LOGS): logs-%: .env
	@docker compose logs --follow --tail 100 --no-log-prefix $* | $(PRINTED)

SCALE := $(SCALED:%=scale-%)
.PHONY: $(SCALE)
#scale-SERVICE: ## Set the number of fetchers, writers, reviewers or portals for good (N=3)
$(SCALE): scale-%: .env
	@$(PYTHON) -m deploy.containers scale $* '$(if $(filter file,$(origin N)),,$(N))'
	@docker compose up --detach --no-recreate $*

.PHONY: test-compose
test-compose: install ## Try the containers: start from nothing, scale in the middle of an import
	@$(PY) -m pytest -m compose tests/compose

.PHONY: clean
clean: ## Remove .local and .venv, and the folders that were announced outside
	@[ ! -x $(PY) ] || $(PY) -m tests.servers clean
	@rm -rf .local .venv
