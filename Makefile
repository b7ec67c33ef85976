# One command for each thing there is to do. `make` alone lists them.
# PYTHON=...  the interpreter to make .venv with (3.11 or newer)
# DEMO_PORT, DEMO_DIR  where the demo listens (and on the next two ports) and keeps its state

VENV := .venv
BIN := $(VENV)/bin
CANDIDATES := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

# compiled modules are kept, whatever the shell says: the tests start the service some hundred times
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo demo-check test lint style conformance bench clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.service ## run the news site, the paywall service and the Stripe sandbox
	@exec $(BIN)/python -m paywall.demo --until-parent-ends

demo-check: $(VENV)/.service ## walk a reader's whole journey through all three, and stop
	@exec $(BIN)/python -m paywall.demo --until-parent-ends check

test: $(VENV)/.dev ## run the whole test suite
	@exec $(BIN)/python -m pytest -n 4 --dist worksteal

lint: style ## style, types, and the rules of the layout
	$(BIN)/python -m pytest -q tests/test_architecture.py

style: $(VENV)/.dev # what no test looks at
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

conformance: $(VENV)/.dev ## play purchases in every order, doubled, lost, raced and killed (STORIES=, RUNS=, SEED=, LIVES=)
	@$(if $(STORIES)$(ONLY)$(KINDS),true,LIVES=$(or $(LIVES),60) $(BIN)/python -m pytest -q -n 2 tests/journeys/test_state_machine.py \
		tests/journeys/test_time_zones.py tests/journeys/test_version_matrix.py)
	@exec $(BIN)/python -m tests.conformance $(if $(STORIES),--stories '$(STORIES)') $(if $(RUNS),--runs $(RUNS)) \
		$(if $(SEED),--seed $(SEED)) $(if $(KINDS),--kinds $(KINDS)) $(if $(ONLY),--only '$(ONLY)')

bench: $(VENV)/.dev ## measure verification, a hanging Stripe, the inbox, the reconciliation (PARTS="library lane")
	@exec $(BIN)/python -m tests.bench $(PARTS)

clean: ## remove .venv and caches, keep the demo's state
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# .venv is made anew when its Python is gone or too old, and filled again when a list of requirements changes.
# Nothing is compiled in advance: most modules are never imported, and those that are get compiled then and kept.
$(VENV)/.service: requirements.txt | python
	@echo "Installing requirements.txt into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt | python
	@echo "Installing requirements-dev.txt into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile -r requirements-dev.txt
	@touch $@ $(VENV)/.service

.PHONY: python
python:
	@if $(BIN)/python -c '$(NEW_ENOUGH)' 2>/dev/null; then exit 0; fi; \
	for python in $(CANDIDATES); do \
		if $$python -c '$(NEW_ENOUGH)' 2>/dev/null; then \
			echo "Making $(VENV) with $$($$python --version) ..."; \
			rm -rf $(VENV); \
			$$python -m venv $(VENV) || { echo "$$python cannot make a virtual environment; is its venv module installed?" >&2; exit 1; }; \
			exit 0; \
		fi; \
	done; \
	echo "This needs Python 3.11 or newer; found: $$(for p in $(CANDIDATES); do $$p --version 2>&1 | grep '^Python '; done | head -n 1 | grep . || echo none). Set PYTHON to a newer one." >&2; exit 1
