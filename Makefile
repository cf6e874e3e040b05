# Two commands need to be known: `make run` and `make test`. On a bare Debian 12 each installs what it misses.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.SUFFIXES:

PYTHON ?= python3
BIN := .venv/bin
SCRIPT := gateway/script
SDKS := tests/e2e/sdks
KAFKA := tests/integration/destinations/support/kafka
DLT := benchmarks/peer_dlt
DBT := tests/integration/warehouses/dbt
FAKESNOW := tests/integration/warehouses/support/fakesnow
BQEMULATOR := tests/integration/warehouses/support/bqemulator
FETCHED := $(SDKS)/node_modules/.installed $(KAFKA)/jars/.installed $(DBT)/.venv/.installed $(FAKESNOW)/.venv/.installed \
	$(BQEMULATOR)/.venv/.installed
PIP := $(BIN)/pip --disable-pip-version-check --no-input install --quiet --constraint constraints.txt
# Debian keeps nginx in /usr/sbin, which is not on everyone's path.
export PATH := $(PATH):/usr/sbin:/sbin

# PROGRAM:PACKAGE of what the tests use and Debian has.
TOOLS := chromium:chromium nginx:nginx caddy:caddy prometheus:prometheus promtool:prometheus wrk:wrk ps:procps \
	taskset:util-linux openssl:openssl curl:curl strace:strace systemd-analyze:systemd node:nodejs npm:npm \
	nats-server:nats-server java:default-jre-headless mvn:maven \
	/usr/lib/postgresql/15/bin/postgres:postgresql-15 \
	/usr/share/doc/webext-ublock-origin-firefox:webext-ublock-origin-firefox

.PHONY: help
help: ## Say what there is to make.
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

.PHONY: run
run: .venv/.run ## Install, then run the daemon with configs/quickstart.toml.
	@echo "Headwater is at http://127.0.0.1:8080, its demo page at http://127.0.0.1:8080/demo"
	@echo "Ask it from a second shell: $(BIN)/headwater sql \"select event, count(*) from tracks group by 1\""
	@exec $(BIN)/headwater run --config configs/quickstart.toml

.PHONY: test
test: tools check $(FETCHED) ## Install what the tests need, then run every check and test.
	@$(BIN)/pytest -m "not soak" tests/e2e/browser
	@$(BIN)/pytest -m "not soak" -n 2 --dist loadfile --ignore tests/e2e/browser

.PHONY: check
check: .venv/.dev $(SCRIPT)/node_modules/.installed ## Format, lint, types and the rooms' imports.
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@npm --prefix $(SCRIPT) run --silent check

.PHONY: unit
unit: tools .venv/.dev ## The unit tests: seconds.
	@$(BIN)/pytest tests/unit

.PHONY: soak
soak: tools .venv/.dev $(FETCHED) ## The long forms of the tests: hours.
	@$(BIN)/pytest tests/unit tests/integration --hypothesis-profile search
	@$(BIN)/pytest -m soak --timeout 14400

.PHONY: bench
bench: tools .venv/.dev ## Measure intake, the pipeline to DuckDB, memory, and twenty destinations on this machine.
	@for part in intake pipeline memory destinations; do $(BIN)/python benchmarks/$$part.py; done

.PHONY: bench-warehouses
bench-warehouses: tools .venv/.dev $(DLT)/.venv/.installed ## Measure loads into each warehouse, beside dlt.
	@$(BIN)/python benchmarks/warehouses.py

.PHONY: bench-script
bench-script: $(SCRIPT)/node_modules/.installed $(SDKS)/node_modules/.installed ## Print the browser script's size beside its peers.
	@node benchmarks/script_sizes.mjs

.PHONY: script
script: $(SCRIPT)/node_modules/.installed ## Build the browser script that the package ships.
	@npm --prefix $(SCRIPT) run --silent build

.PHONY: docs
docs: .venv/.dev ## Write the tables of settings into docs.
	@$(BIN)/python .ci/settings-tables

.PHONY: constraints
constraints: ## Resolve every dependency anew and write constraints.txt.
	@resolved=$$(.ci/resolve); echo "$$resolved" > constraints.txt

.PHONY: tools
tools:
	@.ci/require $(TOOLS)

.PHONY: clean
clean: ## Remove what was installed or built here; data/ stays.
	@rm -rf .venv $(DLT)/.venv $(DBT)/.venv $(FAKESNOW)/.venv $(BQEMULATOR)/.venv $(SCRIPT)/node_modules \
		$(SDKS)/node_modules $(KAFKA)/jars .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/.run: pyproject.toml constraints.txt
	@.ci/require $(PYTHON):python3 ensurepip:python3-venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Headwater needs Python 3.11 or newer")'
	@echo "Installing into .venv"
	@$(PYTHON) -m venv .venv
	@$(PIP) hatchling editables
	@$(PIP) --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.run
	@$(PIP) wheel
	@$(PIP) --no-build-isolation --editable '.[dev]'
	@touch $@

$(SCRIPT)/node_modules/.installed: $(SCRIPT)/package.json $(SCRIPT)/package-lock.json
	@.ci/require node:nodejs npm:npm
	@npm --prefix $(SCRIPT) ci --silent --no-audit --no-fund
	@touch $@

# What the packages want to run at installation is not needed for using them: it prints and it phones home.
$(SDKS)/node_modules/.installed: $(SDKS)/package.json $(SDKS)/package-lock.json
	@.ci/require node:nodejs npm:npm
	@npm --prefix $(SDKS) ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

# What has needs of its own has an environment of its own, for which the exact versions are told beside it.
%/.venv/.installed: %/requirements.txt
	@.ci/require $(PYTHON):python3 ensurepip:python3-venv
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip --disable-pip-version-check --no-input install --quiet --requirement $<
	@touch $@

# A real Kafka, for the tests of the destination.
$(KAFKA)/jars/.installed: $(KAFKA)/pom.xml
	@.ci/require java:default-jre-headless mvn:maven
	@mvn --batch-mode --quiet -Dstyle.color=never --file $< dependency:copy-dependencies
	@touch $@

# An emulator of Snowflake, for the tests of the warehouse: it needs an older driver than ours.
$(FAKESNOW)/.venv/.installed: $(FAKESNOW)/requirements.txt
	@$(PYTHON) -m venv $(FAKESNOW)/.venv
	@$(FAKESNOW)/.venv/bin/pip --disable-pip-version-check --no-input install --quiet --requirement $<
	@touch $@
