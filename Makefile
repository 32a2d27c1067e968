# Two commands for a newcomer: `make lab` and `make test`. Everything is installed into .venv; nothing outside this folder.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
SOURCES := lab.py scenario templates simulator checker tests

.PHONY: lab setup dev check test explore bench docs docs-check pictures build stop clean

lab: setup  ## install, start the lab, print the assignment
	@$(BIN)/lab start

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] < (3, 14)))' || \
	  { echo "The lab needs Python 3.11, 3.12 or 3.13: make PYTHON=python3.12 lab" >&2; exit 3; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the lab into $(VENV) ..." >&2
	@$(PIP) install -c constraints.txt -e '.[aws]'
	@touch $@

dev: $(VENV)/.dev

$(VENV)/.dev: $(VENV)/.installed
	@echo "Installing what tests need ..." >&2
	@$(PIP) install -c constraints.txt $$($(BIN)/python -c 'import tomllib; print(*(chr(34) + d + chr(34) for d in tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"]))' | tr -d '"')
	@touch $@

check: dev  ## style, types, rooms, docs
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) docs-check

test: dev  ## everything there is to test
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

explore: dev  ## the same properties with many more examples: to be left alone for an hour or two
	HYPOTHESIS_PROFILE=explore $(BIN)/python -m pytest -q -n 2 -m hypothesis

bench: dev  ## the cost budget, as ratios measured side by side
	$(BIN)/python -m tests.bench

docs: dev  ## write generated parts of the documentation
	$(BIN)/cog -P -r README.md docs/*.md

docs-check: dev
	$(BIN)/cog -P --check README.md docs/*.md

pictures: dev  ## take the console's pictures anew
	$(BIN)/python -m tests.browser.pictures

build: dev  ## a wheel, installed into a fresh environment and tried there
	$(BIN)/python -m pip wheel -q --no-deps -w dist .

stop:
	@$(BIN)/lab stop

clean: 
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
