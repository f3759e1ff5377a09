# make up      run Headway on this machine (embedded PostgreSQL and Temporal)
# make quick   the tests that need no database, no engine and no browser
# make test    run every test
# make check   everything that a change must pass; the last lines name what did not
# make screenshots   a picture of every page into screenshots/ (needs Chromium)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Kept bytecode halves the time to collect, also where Python is told to keep none.
TEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder

.PHONY: up quick test check screenshots format lock clean

up: $(VENV)/.app
	$(BIN)/headway up

quick: $(VENV)/.dev
	$(TEST) --numprocesses 2 -m quick

# Three, also on two cores: some of the tests wait for engines.
test: $(VENV)/.dev
	$(TEST) --numprocesses 3

# Every step runs, whatever the one before said: one run tells all that is wrong. pytest is the last
# and ends with the tests that failed; the steps that failed follow.
STEPS := "ruff format --check ." "ruff check ." "mypy" "lint-imports"
check: $(VENV)/.dev
	@failed=""; \
	for step in $(STEPS); do \
		echo "$$step"; $(BIN)/$$step || failed="$$failed, $$step"; \
	done; \
	$(TEST) --numprocesses 3 || failed="$$failed, pytest"; \
	if [ -n "$$failed" ]; then echo "make check failed: $${failed#, }"; exit 1; fi

screenshots: $(VENV)/.dev
	$(BIN)/python -m tests.kit.screenshots screenshots

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The locks carry hashes and no address: an index of your own serves as well as the public one.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
lock:
	$(PYTHON) -m pip install --quiet uv
	echo "setuptools>=80" | $(LOCK) pyproject.toml - -o requirements/app.lock
	echo "setuptools>=80" | $(LOCK) pyproject.toml --extra dev - -c requirements/app.lock -o requirements/dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Headway needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: requirements/app.lock pyproject.toml | $(BIN)/python
	$(INSTALL) --require-hashes -r requirements/app.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.app
	$(INSTALL) --require-hashes -r requirements/dev.lock
	@touch $@
