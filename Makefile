# `make` lists the targets. Each one makes the environments first where they are missing or out of date.
PYTHON ?= python3
RUN := .venv/bin/python -m
CHECKS := $(RUN) scanner_tasks.local.checks

.DEFAULT_GOAL := help
.PHONY: help setup fast test lint format docs demo migration bench lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: ## the locked environments: .venv with all tools, .venv-emulator
	@$(PYTHON) demo.py setup

fast: setup ## pure tests, rules, doctests: no sockets, seconds
	@$(CHECKS) fast

test: setup ## lint, types, and every test but long storms and benchmarks
	@$(CHECKS) lint test

lint: setup ## ruff, mypy, import-linter
	@$(CHECKS) lint

format: setup ## let ruff rewrite what it can
	@$(RUN) ruff check --fix --quiet && $(RUN) ruff format

docs: setup ## run the Python blocks of the documents, check links and names
	@$(CHECKS) docs

demo: ## the whole pipeline on this machine; KEEP=1 leaves it running, FROM=DIR scans a folder
	@$(PYTHON) demo.py $(if $(KEEP),--keep) $(if $(FROM),--from "$(FROM)")

migration: setup ## m="what changes": the next migration, drafted from the models
	@$(RUN) scanner_tasks.local.migration "$(m)"

bench: setup ## the figures quoted in the documents
	@$(CHECKS) bench

lock: ## newest hashes into requirements/*.txt from pyproject.toml (needs uv)
	@sh requirements/lock.sh
