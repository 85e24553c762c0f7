# `make run` opens the dashboard from a fresh clone; `make test` does all the rest.
# Needed beforehand: python3 (3.11 or later), make, git. What else is missing, root's apt-get brings.

PYTHON ?= python3
VENV   ?= .venv
BENCH  ?= .venv-bench
BIN    := $(VENV)/bin
LOCK   := .ci/requirements.lock
PIP    := -m pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run dev engines engines-down static test check bench lock clean distclean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 14

# --- the program -----------------------------------------------------------------------------

# Textual draws on stderr, so all three have to be the terminal.
run: $(VENV)/.installed ## open the dashboard; without a terminal, list what is there
	@if [ -t 0 ] && [ -t 1 ] && [ -t 2 ]; then exec $(BIN)/sandbox-tui; fi; \
	$(BIN)/sandbox-tui ls || [ $$? -eq 4 ] || exit 1; \
	echo; echo "No terminal here. In one, \`make run\` or $(BIN)/sandbox-tui opens the dashboard."

# --- environments: a stamp each, so that nothing is installed twice --------------------------

$(VENV)/bin/python $(BENCH)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is too old: sandbox-tui needs Python 3.11 (make PYTHON=python3.12 …)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || [ "$$(id -u)" != 0 ] || \
	  { apt-get -qq update && \
	    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install python3-venv >/dev/null; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make environments: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(@:/bin/python=)

$(VENV)/.installed: pyproject.toml $(LOCK) | $(VENV)/bin/python
	$(BIN)/python $(PIP) --constraint $(LOCK) --editable .
	@touch $@

# The lock first, so that the build tools are the locked ones too.
$(VENV)/.installed-dev: pyproject.toml $(LOCK) | $(VENV)/bin/python
	$(BIN)/python $(PIP) --requirement $(LOCK)
	$(BIN)/python $(PIP) --no-build-isolation --constraint $(LOCK) --editable '.[dev]'
	@touch $(VENV)/.installed $@

# Its own environment: the peers want other versions of the same libraries.
$(BENCH)/.installed: pyproject.toml .ci/requirements-bench.lock | $(BENCH)/bin/python
	$(BENCH)/bin/python $(PIP) --requirement .ci/requirements-bench.lock
	$(BENCH)/bin/python $(PIP) --no-deps --editable .
	@touch $@

dev: $(VENV)/.installed-dev ## make the development environment

# --- checks ----------------------------------------------------------------------------------

engines: ## bring up tmux, Docker, Podman and the test images
	tests/engines.sh up

engines-down: ## end what `make engines` started
	tests/engines.sh down

static: $(VENV)/.installed-dev ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --project pyproject.toml --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-logo

# In CI, whose machines have their moods, what fails beside other tests is tried once more by itself.
test: static engines ## every check and every test
	eval "$$(tests/engines.sh env)"; $(BIN)/python -m pytest -n 2 --dist loadfile || \
	  { [ $$? -eq 1 ] && [ -n "$$CI" ] && $(BIN)/python -m pytest -v --last-failed; }

check: static ## the quick loop: static checks and unit tests
	$(BIN)/python -m pytest -q tests/unit

bench: $(BENCH)/.installed engines ## measure against the peers
	eval "$$(tests/engines.sh env)"; $(BENCH)/bin/python -m benchmarks

# Plain `name==version` lines, the same for every supported Python.
lock: $(VENV)/bin/python ## renew the lock files
	$(BIN)/python $(PIP) uv
	$(BIN)/uv pip compile --quiet --upgrade --no-header --no-annotate --python-platform linux \
	  --python-version 3.11 --extra dev --output-file $(LOCK) pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade --no-header --no-annotate --python-platform linux \
	  --python-version 3.11 --extra bench --output-file .ci/requirements-bench.lock pyproject.toml

# --- tidying ---------------------------------------------------------------------------------

clean: ## remove caches and builds
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find sandbox_tui tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean ## remove caches, builds and the environments
	rm -rf $(VENV) $(BENCH)
