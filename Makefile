# The whole interface: make setup | demo | test | lint | bench | faults | soak | fuzz | docs  (lock: after a change of pyproject.toml)
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/python .ci/uv.py
# Compiled bytecode makes Airflow start three times faster, so an exported ban is lifted here.
unexport PYTHONDONTWRITEBYTECODE

RUNTIME := $(VENV)/.runtime
DEV     := $(VENV)/.dev

.PHONY: setup demo test lint bench faults soak fuzz docs lock clean
.DEFAULT_GOAL := setup

setup: $(RUNTIME)

demo: $(RUNTIME)
	@$(BIN)/hub up

test: $(DEV)
	@$(BIN)/python -m pytest $(ARGS)

# 100,000 inputs that attack, and 10,000 wrong signatures; OMNIHUB_FUZZ_INPUTS=5000 make fuzz is shorter.
fuzz: $(DEV)
	@OMNIHUB_FUZZ=long $(BIN)/python -m pytest --dist=load tests/fuzz $(ARGS)

lint: $(DEV)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: $(DEV)
	@$(BIN)/hub bench

# 1,000 kills over all flows, at most 45 minutes; make faults ARGS="--kills 100" is shorter.
faults: $(DEV)
	@$(BIN)/hub certify --flows --kills 1000 --minutes 45 $(ARGS)

# 30 minutes in which every system fails in every way it can; make soak ARGS="--minutes 5" is shorter.
soak: $(DEV)
	@$(BIN)/hub certify --soak --minutes 30 $(ARGS)

docs: $(DEV)
	@$(BIN)/python -m hub.cli.docs

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"omnihub needs Python 3.11 to 3.13, {sys.executable} is {v[0]}.{v[1]}: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/uv
	@$(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/uv
	@$(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements-dev.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(RUNTIME)

COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --group build
lock: | $(BIN)/uv
	@$(COMPILE) --output-file requirements.lock
	@$(COMPILE) --group dev --constraint requirements.lock --output-file requirements-dev.lock

clean:
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
