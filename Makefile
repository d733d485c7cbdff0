# The commands of the project. Everything they make stays in the checkout (.venv, .cache, .demo, .dev, test-results)
# or is removed by `make demo-down`. ATELIER_VENV=<folder> uses an environment you already have.
PYTHON ?= python3
WORLD = PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m world
BIN = $${ATELIER_VENV:-.venv}/bin

.DEFAULT_GOAL := help
.PHONY: help dev demo demo-down demo-status check test soak bench bench-attack bench-check bench-launch bench-modules bench-toolbar hooks archives docs pins role watch clean python

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: sudo apt-get install python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12 ..."; exit 1; }

dev: python ## hub and desk without containers, reloaded when their code changes (ATTACH=desk to debug it)
	@$(WORLD) dev $(if $(ATTACH),--attach $(ATTACH)) $(ARGS)

demo: python ## the whole site on this machine (GITLAB_IMAGE=gitlab/gitlab-ce:<version> for the real GitLab)
	@$(WORLD) demo up

demo-down: python ## remove everything the demo made
	@$(WORLD) demo down

demo-status: python ## what of the demo runs
	@$(WORLD) demo status

check: python ## lint, types and quick unit tests: under 2 minutes, no container
	@$(WORLD) check

test: python ## everything: lint, types, unit, integration, molecule, end to end, chaos
	@$(WORLD) test $(ARGS)

soak: python ## what takes long by repetition, for hours; goes on where it was stopped (ARGS="-k kills", ARGS=--again)
	@$(WORLD) soak $(ARGS)

bench: python ## figures beside the stock parts, on a running demo
	@$(WORLD) bench

bench-attack: python ## the hub's answers under attack beside its quiet ones, no demo needed
	@$(WORLD) bench-attack

bench-launch: python ## launches through nginx and proxy beside ltiauthenticator, no demo needed
	@$(WORLD) bench-launch

bench-check: python ## checks of answers beside nbdime, no demo needed
	@$(WORLD) bench-check

bench-modules: python ## the modules for whole classes beside a loop of gitlab_user, no demo needed
	@$(WORLD) bench-modules

bench-toolbar: python ## the toolbar's save, pull and start beside stock parts; the demo is not needed
	@$(WORLD) bench-toolbar

role: python ## one molecule scenario, its server kept: R=nginx [STEP=converge|verify|login|destroy|...]
	@$(WORLD) role "$(R)" "$(STEP)"

watch: python ## the toolbar in a JupyterLab of its own, rebuilt whenever files/toolbar changes (no container)
	@$(WORLD) watch

archives: python ## the last commit as files to give away, the same bytes wherever they are made: the collection and the wheels
	@$(WORLD) archives

docs: python ## what is generated from the schema of courses and platforms: tables of keys, argument specifications
	@$(WORLD) docs

pins: python ## lock what is downloaded, with hashes (ARGS=--renew takes the newest versions)
	@$(WORLD) pins $(ARGS)

hooks: python ## git's hooks: linters before a commit and a push, the form of a commit's subject
	@$(WORLD) hooks

clean: python ## remove the demo and the state of make dev, and forget downloads and tools
	@$(WORLD) clean
