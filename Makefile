# `make` alone lists what there is.
PYTHON ?= python3
VENV := .venv
SCAN := .venv-scan
PY := $(VENV)/bin/python
SEED ?= 1
SETTINGS := DJANGO_SETTINGS_MODULE=tests.settings

.DEFAULT_GOAL := help
.PHONY: help install dev env demo test check format lint types arrows scan baseline audit messages screenshots album faults mutants bench clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.runtime ## make .venv with what running needs

dev: $(VENV)/.dev ## the same with what testing and checking need

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "There is no $(PYTHON) here: install Python 3.11 or newer, or name one with PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is too old: Python 3.11 or newer is needed; name one with PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv: install its venv package (python3-venv on Debian)."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The folder $(CURDIR)/$(VENV) can't be written."; exit 1; }

$(VENV)/.runtime: requirements.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV) …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV) …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.runtime

env: $(VENV)/.runtime ## make .env, with fresh keys, for running it for real
	@$(PY) -m config.keys

demo: $(VENV)/.runtime ## everything on loopback, against the sandbox; Ctrl-C ends it
	@$(PY) -m config.demo

test: $(VENV)/.dev ## the whole test suite
	@$(PY) -m pytest -q -n 2 --dist loadfile -m "not browser and not long"
	@$(PY) -m pytest -q -m browser

check: format lint types arrows ## what CI checks besides the tests
	@$(SETTINGS) $(PY) manage.py makemigrations --check --dry-run --verbosity 1
	@$(PY) tests/deploy_check.py

format: $(VENV)/.dev
	@$(VENV)/bin/ruff format --check --quiet . || { echo "Run: $(VENV)/bin/ruff format ."; exit 1; }

lint: $(VENV)/.dev
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/djlint --lint --quiet templates

types: $(VENV)/.dev
	@$(VENV)/bin/mypy

arrows: $(VENV)/.dev
	@$(VENV)/bin/lint-imports --no-cache

$(SCAN)/.done: requirements-scan.txt | $(VENV)/bin/python
	@echo "Installing into $(SCAN) …"
	@$(PY) -m venv $(SCAN)
	@$(SCAN)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-scan.txt
	@touch $@

SEMGREP := $(SCAN)/bin/semgrep scan --metrics=off --disable-version-check --quiet --config tests/security/semgrep/desk.yaml

scan: $(VENV)/.dev $(SCAN)/.done ## the scanners for holes, bad habits and secrets
	@$(VENV)/bin/ruff check --quiet .
	@$(SCAN)/bin/bandit --quiet --recursive --configfile pyproject.toml providers config cancellations manage.py
	@$(SEMGREP) --test tests/security/semgrep/desk.py >/dev/null || { echo "A rule of tests/security/semgrep does not find what it should."; exit 1; }
	@$(SEMGREP) --error providers config cancellations manage.py templates
	@git ls-files -z | xargs -0 $(SCAN)/bin/detect-secrets-hook --no-verify --baseline .secrets.baseline || { echo "If what it found opens nothing: make baseline"; exit 1; }
	@$(PY) tests/deploy_check.py

baseline: $(SCAN)/.done ## have the scanner know what looks like a secret and opens nothing
	@$(SCAN)/bin/detect-secrets scan --slim --no-verify --exclude-files '^.secrets.baseline$$' > .secrets.new && mv .secrets.new .secrets.baseline

audit: $(SCAN)/.done ## holes known in what we depend on; fails where it cannot look one up
	@$(SCAN)/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r requirements.txt

messages: $(VENV)/.dev ## collect the strings to translate (needs GNU gettext)
	@$(SETTINGS) $(PY) manage.py makemessages

screenshots: $(VENV)/.dev ## make the README's picture (needs Chromium)
	@$(PY) -m tests.browser.screenshots

album: $(VENV)/.dev ## photograph every page in every look, into data/album (needs Chromium); LOOKS=… chooses
	@$(PY) -m tests.browser.album --looks "$(LOOKS)"

faults: $(VENV)/.dev ## thousands of seeded faults on real services; takes an hour, SEED=… repeats one
	@$(PY) -m tests.faults --seed $(SEED) --faults 5000 --requests 10000
	@$(PY) -m tests.faults --seed $(SEED) --faults 1000 --requests 1000 --kind sqlite+spool
	@$(PY) -m tests.faults --seed $(SEED) --faults 500 --requests 1000 --kind postgres+rabbitmq
	@$(PY) -m tests.faults.deploys --seed $(SEED) --rows 10000 --restarts 50
	@$(PY) -m pytest -q -m long

mutants: $(VENV)/.dev ## known mistakes, one after the other: each must turn a campaign red; takes half an hour
	@$(PY) -m tests.faults.mutants

bench: $(VENV)/.dev ## the benchmarks, printed as tables
	@$(PY) -m tests.benchmarks

clean: ## forget the environment and the demo
	rm -rf $(VENV) $(SCAN) data
