# `make serve` starts the gateway, `make test` runs the tests. Both install what they need into .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CONF ?= conf/gateway.conf
# The tests wait a good part of their time: one worker more than processors
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# In the order of the folders the small files come last, so that no worker is left alone with a long one
SIDE_BY_SIDE := -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help serve test faults realworld lint format docs bench clean
.DEFAULT_GOAL := help

help:
	@echo "make serve    install and start the gateway on $(CONF)"
	@echo "make test     install and run the tests (make faults: the long series of faults,"
	@echo "              make realworld: programs of others with their own clients)"
	@echo "make lint     formatting, lint, types, stale generated files"
	@echo "make bench    a living session beside a bare uvicorn"
	@echo "make docs     write the generated reference"

# The stamp is newer than pyproject.toml when everything in it is installed: the second time costs nothing.
$(STAMP): pyproject.toml
	@echo "Creating $(VENV) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (set PYTHON=…)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@echo "Installing the gateway and its tools (a minute the first time) …"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --quiet --editable '.[dev]'
	@touch $@
	@echo "Installed."

serve: $(STAMP)
	@exec $(BIN)/gateway serve $(CONF)

test: $(STAMP)
	$(BIN)/python -m pytest -m "not faults and not realworld" $(SIDE_BY_SIDE) $(PYTEST_ARGUMENTS)

faults: $(STAMP)
	$(BIN)/python -m pytest -m faults $(PYTEST_ARGUMENTS)

realworld: $(STAMP)
	$(BIN)/python -m pytest -m realworld $(SIDE_BY_SIDE) $(PYTEST_ARGUMENTS)

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/gateway directives --markdown - | cmp - docs/directives.md
	$(BIN)/gateway check $(CONF)

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP)
	$(BIN)/gateway directives --markdown

bench: $(STAMP)
	$(BIN)/python -m bench $(BENCH_ARGUMENTS)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
