# Everything a developer or CI runs. Needs Python 3.11 or newer, and make; the rest is installed into .venv from the
# lock files in requirements/. `make` alone lists the targets.

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ARGS ?=

# The version of the tool that writes the lock files; it is not part of any environment but its own.
PIP_TOOLS := pip-tools==7.6.2
LOCK := build/lock/bin/pip-compile --quiet --generate-hashes --strip-extras --newline=lf --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

.DEFAULT_GOAL := help
.PHONY: help demo test lint format types docs bench soak search lock clean distclean
.DELETE_ON_ERROR:

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-10s %s\n' "$$name" "$$text"; done

demo: $(VENV)/.run  ## a week of Micius over China: orbit to keys, with a report, into demo/
	$(BIN)/satqkd run micius-china-week -o demo/ --overwrite

test: $(VENV)/.dev  ## the whole test suite (ARGS="tests/orbit -k sun" for a part)
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.dev  ## style, formatting, docstrings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/check_docstrings.py

format: $(VENV)/.dev  ## bring the code into the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.dev  ## static types, strict
	$(BIN)/mypy --strict

docs: $(VENV)/.dev  ## documentation into docs/_build/html, warnings are errors
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "documentation: docs/_build/html/index.html"

bench: $(VENV)/.dev  ## benchmarks: every benchmarks/*.py in turn
	@set -e; for file in benchmarks/*.py; do \
		if [ -e "$$file" ]; then echo "== $$file"; $(BIN)/python "$$file" $(ARGS); fi; done

soak: $(VENV)/.dev  ## torture key distillation: 2,000 sessions, 1,000 packets per error rate (ten minutes)
	$(BIN)/python tools/soak.py $(ARGS)
	$(BIN)/python tools/soak_reconciliation.py

TURNS ?= 10
search: $(VENV)/.dev  ## property tests with new examples, TURNS=10 times
	@set -e; for turn in $$(seq $(TURNS)); do SATQKD_EXAMPLES=new $(BIN)/python -m pytest -m hypothesis $(ARGS); done

lock: build/lock/.ready  ## resolve the dependencies anew and write requirements/*.txt
	$(LOCK) --upgrade -o requirements/run.txt requirements/build.in pyproject.toml
	$(LOCK) --upgrade -o requirements/dev.txt --extra test --extra lint --extra docs --extra bench \
		--constraint requirements/run.txt requirements/build.in pyproject.toml

clean:  ## remove what the other targets made, except the environment
	rm -rf demo build dist docs/_build docs/reference/generated .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests docs benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## remove the environment too
	rm -rf $(VENV)

# The environments. A stamp file says what is installed; dev contains run.

$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/.made
	@echo "installing the run requirements into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/.made
	@echo "installing the development requirements into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(VENV)/.run $@

# The first Python that is new enough, or the one given as PYTHON=...
FIND_PYTHON = found=; for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
	if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then found="$$python"; break; fi; done; \
	if [ -z "$$found" ]; then \
	echo "error: satqkd needs Python 3.11 or newer (make PYTHON=/path/to/python names one)" >&2; exit 1; fi

$(VENV)/.made:
	@$(FIND_PYTHON); [ -x $(BIN)/python ] || "$$found" -m venv $(VENV)
	@touch $@

build/lock/.ready: Makefile
	@$(FIND_PYTHON); "$$found" -m venv build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check --quiet install "$(PIP_TOOLS)"
	@touch $@
