# Two commands for a newcomer: make demo, make test. The rest is for those who work on duecourse.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Two workers on two cores; fewer cores still work.
WORKERS ?= 2

.PHONY: help install demo demo-kafka test lint types contracts check wheel bench bench-import generate picture clean

help: ## list what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

install: $(STAMP) ## set up the virtual environment in .venv

demo: install ## found a ledger, play a card case, export it, verify it, forge it
	$(BIN)/duecourse demo

demo-kafka: install ## the same on an Apache Kafka broker that it starts itself (Java 17 and Maven)
	$(BIN)/duecourse demo --kafka

test: install ## every test that .ci/run makes, Kafka included where Java and Maven are there
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

lint: install ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install ## mypy --strict
	$(BIN)/mypy

contracts: install ## who may import whom
	$(BIN)/lint-imports

check: lint types contracts test ## all of the above

wheel: install ## build the wheel, install it in a clean environment, run the installed command there
	tests/wheel.sh

generate: install ## write schemas, pages and the SDK's case methods anew from the catalogue and the packs
	$(BIN)/python -m ledger.events.schemas --write
	$(BIN)/python -m ledger.events.pages --write
	$(BIN)/python -m ledger.sdk.generate --write
	$(BIN)/python -m ledger.rules.pages --write
	$(BIN)/python tests/unit/rules/make_pack_vectors.py --write

bench: install ## figures of the parts, with machine, commit and data
	$(BIN)/python tests/benchmarks/run.py

bench-import: install ## the real log end to end, embedded and on Kafka (needs ../shared/data)
	$(BIN)/python tests/benchmarks/bench_import.py

picture: install ## judge the real log by example-fines and draw it: docs/pictures (needs ../shared/data; minutes)
	$(BIN)/python tests/picture.py

clean: ## remove what was built; the virtual environment stays
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
