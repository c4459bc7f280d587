# `make serve` starts the gateway, `make test` runs the tests. Both install what they need into .venv first.

PYTHON ?= $(shell .ci/python)
VENV := .venv
BIN := $(VENV)/bin
SERVING := $(VENV)/.serves
STAMP := $(VENV)/.installed
CONF ?= conf/gateway.conf
# The tests wait a good part of their time: one worker more than processors
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# In the order of the folders the small files come last, so that no worker is left alone with a long one
SIDE_BY_SIDE = -n $(WORKERS) --dist loadfile --no-loadscope-reorder

COMMA := ,

# What is compiled, and the folder that it is built into
OUT := cgi-bin
PROGRAMS := $(OUT)/counter.cgi $(OUT)/counter.so $(OUT)/counter-cob.so
HELPERS := gateway/helpers
CFLAGS ?= -O2 -Wall -Wextra
COBC ?= cobc

.PHONY: help serve programs test running lanes faults languages realworld fuzz soak chaos lint format docs bench clean
.DEFAULT_GOAL := help

help:
	@echo "make serve    install and start the gateway on $(CONF)"
	@echo "make programs build the programs that are compiled, as far as their compilers are here"
	@echo "make test     install and run the tests (make faults: the long series of faults,"
	@echo "              make lanes: the black-box suite without the session lane,"
	@echo "              make running: commands, accounts, metrics, reloads,"
	@echo "              make languages: the suites in C, C++, Fortran, COBOL and Perl,"
	@echo "              make realworld: databases, browsers, programs of others)"
	@echo "make fuzz     a million inputs for everything that reads what others wrote (FUZZ_ARGUMENTS)"
	@echo "make soak     a million requests over sessions that come and go, for ten minutes (SOAK_ARGUMENTS)"
	@echo "make lint     formatting, lint, types, stale generated files"
	@echo "make bench    the gateway beside others, in ratios (BENCH_ARGUMENTS: which sections)"
	@echo "make chaos    every fault many times under load (CHAOS_ARGUMENTS: which, --times, --sessions, --seed)"
	@echo "make docs     write the generated pages, build the site in site/"

# A stamp is newer than pyproject.toml when everything in it is installed: the second time costs nothing.
$(VENV)/bin/python:
	@echo "Creating $(VENV) with $$($(PYTHON) -c 'import sys; print(sys.executable, sys.version.split()[0])') …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (set PYTHON=…)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# $(call install,WHAT,EXTRAS)
define install
@echo "Installing $(1) (a minute the first time) …"
@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --quiet --editable '.[$(2)]'
@touch $@
@echo "Installed."
endef

$(SERVING): pyproject.toml | $(VENV)/bin/python
	$(call install,the gateway,programs)

$(STAMP): pyproject.toml | $(VENV)/bin/python
	$(call install,the gateway and its tools,programs$(COMMA)dev$(COMMA)docs)

serve: $(SERVING)
	@$(MAKE) --no-print-directory --keep-going programs >/dev/null || echo "(Not every compiled program could be built; the others work.)"
	@exec $(BIN)/gateway serve $(CONF)

programs: $(PROGRAMS)
	@echo "Built: $(or $(wildcard $(PROGRAMS)),nothing)"

# $(call built,COMPILER,DEBIAN PACKAGES,ARGUMENTS): nothing but a word where the compiler is missing. A new file takes the
# place of the old one by its name, so that living sessions keep the file that they have mapped.
define built
@command -v $(firstword $(1)) >/dev/null || \
{ echo "$@ is not built: there is no $(firstword $(1)) (on Debian: apt-get install $(2))"; exit 0; }; \
new=$$(mktemp -d $(@D)/.build-XXXXXX) && trap 'rm -rf "$$new"' EXIT && echo "Building $@ …" && \
$(1) $(3) -o "$$new/$(@F)" $< && mv -f "$$new/$(@F)" $@
endef

$(OUT)/%.cgi: cgi-bin/%.c $(HELPERS)/htsession.h
	$(call built,$(CC),gcc libc6-dev,$(CFLAGS) -I $(HELPERS))

$(OUT)/%.so: cgi-bin/%.c $(HELPERS)/htsession.h
	$(call built,$(CC),gcc libc6-dev,$(CFLAGS) -I $(HELPERS) -shared -fPIC)

$(OUT)/%-cob.so: cgi-bin/%.cob
	$(call built,$(COBC),gnucobol,-m -O)

# Compiled once, not for each worker in each run
test running lanes faults languages realworld: export PYTHONDONTWRITEBYTECODE =

test: $(STAMP)
	$(BIN)/python -m pytest -m "not running and not faults and not languages and not realworld" $(SIDE_BY_SIDE) $(PYTEST_ARGUMENTS)

running: $(STAMP)
	$(BIN)/python -m pytest -m "running and not faults" $(SIDE_BY_SIDE) $(PYTEST_ARGUMENTS)

# The black-box suite through the other lane; `make test` takes the session lane
lanes: $(STAMP)
	SESSION_LANE=Off $(BIN)/python -m pytest -m "not faults" $(SIDE_BY_SIDE) $(PYTEST_ARGUMENTS) tests/blackbox

faults: $(STAMP)
	$(BIN)/python -m pytest -m faults $(PYTEST_ARGUMENTS)

languages: $(STAMP)
	$(BIN)/python -m pytest -m "languages and not faults" $(SIDE_BY_SIDE) $(PYTEST_ARGUMENTS)

realworld: $(STAMP)
	$(BIN)/python -m pytest -m realworld $(SIDE_BY_SIDE) $(PYTEST_ARGUMENTS)

fuzz: $(STAMP)
	$(BIN)/python -m tests.fuzz $(FUZZ_ARGUMENTS)

soak: $(STAMP)
	$(BIN)/python -m bench.soak $(SOAK_ARGUMENTS)

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=.ci $(BIN)/python -m manual --check
	$(BIN)/gateway check $(CONF)

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP)
	PYTHONPATH=.ci $(BIN)/python -m manual
	PYTHONPATH=.ci $(BIN)/zensical build --strict --clean

bench: $(STAMP)
	$(BIN)/python -m bench $(BENCH_ARGUMENTS)

chaos: $(STAMP)
	$(BIN)/python -m tests.chaos $(CHAOS_ARGUMENTS)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .cache site $(PROGRAMS) $(OUT)/.build-*
