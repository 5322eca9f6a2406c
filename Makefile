# Two commands do everything: `make demo` shows the main job, `make test` runs all tests.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CASES ?= tests/parity/cases
RECORDINGS ?= tests/parity/recordings
ARGO ?=
SEEDS ?= 1-200

.PHONY: help demo test parity played check cluster cluster-down test-cluster format docs clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/installed ## Watch a commit become a served model, and a revert bring the old one back
	@$(BIN)/gitwf demo

test: ## Run every test; as root on Debian or Ubuntu, install the packages it needs first
	@$(PYTHON) scripts/test.py

parity: $(VENV)/installed-dev ## Hold the local engine against recordings of Argo: CASES=folder RECORDINGS=folder
	@$(BIN)/python scripts/parity.py --cases $(CASES) --recordings $(RECORDINGS)

played: $(VENV)/installed-dev ## Hold its machine against random workflows on Argo's own code: ARGO=checkout SEEDS=1-200
	@$(BIN)/python scripts/played.py --argo "$(ARGO)" --seeds $(SEEDS)

check: $(VENV)/installed-dev ## Lint, types, imports and the fast tests: under a minute
	@$(BIN)/ruff check -q . && $(BIN)/ruff format -q --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest -q -n auto -m "not slow" tests
	@echo "check: lint, types, imports and fast tests passed"

cluster: $(VENV)/installed-dev ## Start a Kubernetes to test with and print its KUBECONFIG: kind, or processes of our own
	@$(BIN)/python -m tests.cluster up

cluster-down: $(VENV)/installed-dev ## Stop it, and leave nothing of it on the machine
	@$(BIN)/python -m tests.cluster down

test-cluster: $(VENV)/installed-dev ## Run the tests that need a Kubernetes
	@$(BIN)/pytest -q -m cluster tests

format: $(VENV)/installed-dev ## Format the code
	@$(BIN)/ruff check -q --fix . ; $(BIN)/ruff format -q .

docs: $(VENV)/installed-dev ## Write the generated parts of the docs and the schemas anew
	@$(BIN)/python scripts/docs.py

clean: ## Remove what was built
	@rm -rf $(VENV) .cache dist build

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) scripts/environment.py $(VENV)
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt
	@$(PYTHON) scripts/environment.py $(VENV) --dev
	@touch $@ $(VENV)/installed
