# `make` lists the targets. Each one makes the environments first where they are missing or out of date.
PYTHON ?= python3
RUN := .venv/bin/python -m
CHECKS := $(RUN) scanner_tasks.local.checks

.DEFAULT_GOAL := help
.PHONY: help setup fast test lint format docs demo migration bench lock package image deploy migrate integration-test dataset destroy

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

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

# Deployment: AWS credentials in the environment; VARS=my.tfvars names what to scan (terraform/README.md)

TERRAFORM := terraform -chdir=terraform
OUTPUT := $(TERRAFORM) output
VARS ?= terraform.tfvars
ARCH ?= x86_64
LAMBDA_PYTHON ?= 3.13
TAG ?= 0.1.0
CONTAINER := $(or $(shell command -v docker 2>/dev/null),$(shell command -v buildah 2>/dev/null))

package: setup ## the functions' zip files into dist/; ARCH=arm64, LAMBDA_PYTHON=3.13
	@$(RUN) scanner_tasks.local.package --python $(LAMBDA_PYTHON) --arch $(ARCH)

image: ## builds the workers' image; with PUSH=1 pushes it as TAG=… to the deployment's repository
	@test -n "$(CONTAINER)" || { echo "image: install docker or buildah." >&2; exit 1; }
	@$(CONTAINER) build $(if $(findstring buildah,$(CONTAINER)),--format docker )--platform linux/$(if $(filter arm64,$(ARCH)),arm64,amd64) $(if $(BASE),--build-arg BASE=$(BASE)) -t s3scan:$(TAG) .
	@$(if $(PUSH),sh terraform/push.sh "$(CONTAINER)" "s3scan:$(TAG)" "$$($(OUTPUT) -raw repository_url):$(TAG)",echo "built s3scan:$(TAG); PUSH=1 pushes it")

deploy: ## terraform init and apply; VARS=my.tfvars
	@$(TERRAFORM) init -input=false
	@$(TERRAFORM) apply -var-file="$(abspath $(VARS))"

migrate: setup ## after a deployment: secrets, the database's user, the schema, as one-off tasks
	@$(RUN) scanner_tasks.local.migrate

integration-test: setup ## after a deployment: uploads, scans and counts made-up values; BUCKET=my-bucket
	@$(RUN) scanner_tasks.local.integration --bucket "$(BUCKET)"

dataset: setup ## a large made-up data set; BUCKET=my-bucket OBJECTS=100000
	@$(RUN) scanner_tasks.local.dataset --bucket "$(BUCKET)" --objects "$(or $(OBJECTS),10000)"

destroy: ## terraform destroy, after deletion_protection = false and a deploy; VARS=my.tfvars
	@$(TERRAFORM) destroy -var-file="$(abspath $(VARS))"
