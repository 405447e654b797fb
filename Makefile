# make demo       a sample log through the whole pipeline, from nothing but Python 3.11+ and make
# make test       every gate: ruff, mypy, import-linter, pytest (under 20 minutes on two cores)
# make test-slow  what does not fit: memory and speed on large logs
.DEFAULT_GOAL := help
.PHONY: help demo test test-slow format clean browser
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock
# The first Python from 3.11 on that can also make a virtual environment.
FIND_PYTHON := for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done

help:
	@sed -n 's/^# //p' Makefile

$(BIN)/python:
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then echo 'stillhunt needs Python 3.11 or newer with venv. On Debian or Ubuntu: apt-get install python3 python3-venv' >&2; exit 1; fi; \
	echo "making $(VENV) with $$python"; $$python -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python pyproject.toml requirements.lock
	@echo 'installing stillhunt into $(VENV) (exact versions of requirements.lock)'
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	@echo 'installing the test tools into $(VENV)'
	@$(INSTALL) --editable '.[test]'
	@touch $@

demo: $(VENV)/.installed
	@$(BIN)/stillhunt demo --out stillhunt-out

# The pages are looked at in a real browser, and the PDF is printed through Pango: Debian's, installed only if we may.
PANGO := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; \
	else echo 'the tests look at the pages in Chromium. Type: sudo apt-get update && sudo apt-get install -y chromium' >&2; exit 1; fi; }
	@$(BIN)/python -c 'import weasyprint' 2>/dev/null || { \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PANGO); \
	else echo 'the PDF of a report needs Pango. Type: sudo apt-get update && sudo apt-get install -y $(PANGO)' >&2; exit 1; fi; }

test: $(VENV)/.tested browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict pipeline & types=$$!; $(BIN)/lint-imports && wait $$types
	$(BIN)/python -m pytest -m 'not slow' --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Every kind of page is held against html-validate, which comes from npm.
HTML_VALIDATE := 10.17.0
$(VENV)/html-validate/.$(HTML_VALIDATE): $(VENV)/.tested
	@command -v npm >/dev/null || { \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm; \
	else echo 'the pages are checked with html-validate. Type: sudo apt-get update && sudo apt-get install -y nodejs npm' >&2; exit 1; fi; }
	@npm install --silent --no-audit --no-fund --prefix $(VENV)/html-validate html-validate@$(HTML_VALIDATE)
	@touch $@

test-slow: $(VENV)/.tested browser $(VENV)/html-validate/.$(HTML_VALIDATE)
	$(BIN)/python -m pytest -m slow

format: $(VENV)/.tested
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist stillhunt-out .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
