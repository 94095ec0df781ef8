# Everything a developer or a build machine does, one command each. Needs nothing but Python 3.11 or newer:
# uv gets a virtual environment of its own in .tools/, the project one in .venv/ from the locks.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell command -v $(p) >/dev/null 2>&1 && $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
UV_VERSION := 0.13.9
UV := .tools/bin/uv
RUN := .venv/bin
INSTALLED := .venv/.installed-from-lock

# Rooms get their directory with their first content.
ROOMS := $(patsubst %/,%,$(wildcard schemas/ processors/ streams/ serving/ simulation/ evaluation/ attune/))
TYPED := $(ROOMS) $(wildcard benchmarks) tests/conftest.py tests/architecture tests/deploy \
	$(filter-out tests/integration/test_%,$(wildcard tests/integration/*.py))
STYLED := $(ROOMS) $(wildcard benchmarks) tests

# Real logs are used where they lie beside the checkout; an ATTUNE_DATA of one's own goes first.
ifndef ATTUNE_DATA
ifneq ($(wildcard ../shared/data/.),)
export ATTUNE_DATA := $(abspath ../shared/data)
endif
endif

.PHONY: help install demo test test-fast check format bench worlds faults lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

$(UV):
	@test -n "$(PYTHON)" || { echo "Attune needs Python 3.11 or newer; none was found on the PATH (set PYTHON=…)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments (Debian, Ubuntu: install python3-venv)." >&2; exit 1; }
	@echo "tools: uv $(UV_VERSION) into .tools/"
	@$(PYTHON) -m venv .tools && .tools/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"

$(INSTALLED): requirements-dev.lock pyproject.toml | $(UV)
	@test -x $(RUN)/python || $(UV) venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	@echo "environment: .venv/ from requirements-dev.lock"
	@$(UV) pip install --quiet --compile-bytecode --python $(RUN)/python --require-hashes -r requirements-dev.lock
	@$(UV) pip install --quiet --python $(RUN)/python --no-deps --no-build-isolation --editable .
	@touch $@

install: $(INSTALLED) ## make .venv from the lock (instant when nothing changed)

demo: install ## the whole system on this machine, no Docker, no Java: watch one person's list change
	@$(RUN)/attune demo $(ARGS)

# Two processes, each with a Kafka of its own; one where the broker is given, because tests wipe it.
test: install ## every test but faults, on a real Kafka where Java and Maven, or Docker, are there
	@$(RUN)/python -m pytest -m "not faults" $(if $(ATTUNE_TEST_BOOTSTRAP),,-n 3 --dist worksteal) $(ARGS)

test-fast: install ## no broker, in seconds
	@$(RUN)/python -m pytest -m "not kafka and not faults and not slow" -n auto -q $(ARGS)

check: install ## format, lint, types, imports, file lengths
	@$(RUN)/ruff format --check $(STYLED)
	@$(RUN)/ruff check $(STYLED)
	@$(RUN)/mypy $(TYPED)
	@$(RUN)/python -m tests.architecture.contracts
	@$(RUN)/python -m tests.architecture.length

format: install ## let ruff rewrite what it can
	@$(RUN)/ruff format $(STYLED)
	@$(RUN)/ruff check --fix $(STYLED)

bench: install ## measured figures as JSON and a table, each as a ratio to a no-op agent
	@$(RUN)/python -m benchmarks.spine $(ARGS)

worlds: install ## all policies in the simulated worlds, five seeds (many minutes; goes on where it was stopped)
	@$(RUN)/attune simulate --world jobs --users 300 --days 14 --seeds 1-5 --policy all $(ARGS)
	@$(RUN)/attune simulate --world shop --users 300 --days 14 --seeds 1-5 --policy all $(ARGS)

quality: install ## what docs/quality.md says about ranking, measured and written (hours; resumes; ARGS="--only bar")
	@$(RUN)/python -m benchmarks.quality --write docs/quality.md $(ARGS)

faults: install ## kills, stops, rebalances under load against an oracle (real Kafka; many minutes)
	@$(RUN)/python -m pytest -m faults --timeout 1800 $(ARGS)

COMPILE = $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) --quiet

lock: | $(UV) ## resolve the locks anew (UPGRADE=1: newest allowed versions)
	@$(COMPILE) pyproject.toml --output-file requirements.lock
	@$(COMPILE) pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock
	@$(COMPILE) --group build --constraint requirements-dev.lock --output-file requirements-build.lock

clean: ## remove environments and caches
	@rm -rf .venv .tools .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
