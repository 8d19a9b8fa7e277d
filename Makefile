# One way to do each task; `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run test setup setup-dev lint fmt type arch unit contract soak generate man verify e2e images lock-images release release-check demo cluster cluster-down bench lock

help: ## list the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

EXAMPLE ?= search-with-prices
run: setup ## run an example on this machine, EXAMPLE=search-with-prices by default; Ctrl-C ends it
	@exec $(BIN)/python examples/start.py $(EXAMPLE)

test: setup-dev lint type arch verify ## everything that needs no cluster: lint, types, architecture, all tests
	$(BIN)/python -m pytest tests/unit tests/contract tests/soak

setup: ## make .venv with what running needs
	@scripts/setup requirements/run.txt

setup-dev: ## make .venv with what developing needs
	@scripts/setup requirements/dev.txt

lint: setup-dev ## style and likely mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

fmt: setup-dev ## format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

type: setup-dev ## types, strictly
	$(BIN)/mypy

arch: setup-dev ## who may import whom
	$(BIN)/lint-imports --no-logo

unit: setup-dev ## tests of pure code
	$(BIN)/python -m pytest tests/unit

fuzz: setup-dev ## what strangers send, in EXAMPLES=6000 values a test: templates, pages, signatures, bodies
	FUZZ_EXAMPLES=$(or $(EXAMPLES),6000) $(BIN)/python -m pytest -m hypothesis \
	  tests/unit/api/expressions tests/unit/runtime tests/contract/http

soak: setup-dev ## messages by the thousand while processes and the database are killed; an hour and more
	SOAK=long $(BIN)/python -m pytest tests/soak

contract: setup-dev ## tests on real sockets and a real kube-apiserver
	$(BIN)/python -m pytest tests/contract

generate: setup-dev ## write the CRDs, the chart's copy of them, the reference and golden files
	$(BIN)/python -m isthmus_api.crd crds
	$(BIN)/python -m isthmus_api.reference docs/reference
	$(BIN)/python tests/support/desired_cases.py tests/unit/operator/desired/golden
	$(BIN)/python scripts/chart.py .
	$(BIN)/python scripts/dashboards.py .
	$(BIN)/python scripts/argocd_cm.py .
	$(BIN)/python -m isthmus_operator.reference docs/reference
	$(BIN)/python tests/support/vendor_behaviours.py docs/reference
	$(BIN)/python -m isthmus_cli.manual.reference docs/reference

man: setup ## write pages for man into dist/man/man1; `man -M dist/man isthmus` shows them
	$(BIN)/python -m isthmus_cli.manual.man dist/man/man1

verify: setup-dev ## fail when a generated file is not what the models give
	@scripts/verify

e2e: setup-dev ## tests on a real cluster: that of KUBECONFIG, or one made on this machine (root)
	$(BIN)/python -m pytest tests/e2e

images: ## build localhost/isthmus-{runtime,operator,example,postgres}:dev
	@scripts/images

release: setup-dev ## make dist/VERSION of the commit: packages, images, chart, CRDs, bills of materials, checksums
	@PYTHONPATH=scripts $(BIN)/python -m release

release-check: setup-dev ## the same, made twice, from two folders; fails where the bytes differ
	@PYTHONPATH=scripts $(BIN)/python -m release --check

lock-images: setup-dev ## write images/debian.lock: the versions of Debian's packages that a release may have
	@PYTHONPATH=scripts $(BIN)/python -m release --lock

demo: ## cluster, images, operator and the example, then one Route scaled
	@scripts/demo

cluster: setup-dev ## a real Kubernetes on this machine; nothing to do when KUBECONFIG is set
	@scripts/cluster up

cluster-down: ## end that cluster and remove every trace of it
	@scripts/cluster down

bench: setup-dev ## speed and memory of messages and of the operator; ARGS="operator --quick" for a part, or less
	$(BIN)/python bench/run.py $(ARGS)

lock: ## pin requirements/*.in with hashes (needs uv)
	@for name in runtime run operator example dev; do \
	  uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url \
	    --no-header requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done
