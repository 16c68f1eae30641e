# The doors of this project. `make` alone names them.
# Everything they bring stays in this directory: .venv (Python packages), .tools (Pulumi CLI), build (results).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv/bin
STACK ?=
BASE ?=
HEAD ?=
ACK ?=

.PHONY: help
help:
	@echo 'make preview [STACK=name]  preview and update every stack on the stand-in cloud: tree, summary, build/preview'
	@echo 'make review BASE=main       what would change: text, and build/review/review.md and .html; BASE is a commit,'
	@echo '                           a stack export, or what `pulumi preview --json` wrote; ACK=… acknowledges'
	@echo 'make rehearse [STACK=name] the whole life of the environments on the stand-in cloud, faults included'
	@echo '     [FAULT=…]             instead, an `up` that meets this fault; docs/rehearsal.md'
	@echo 'make test                  lint, types and all tests'
	@echo 'make environment NAME=qa FROM=staging  a stack file for a new environment, validated and previewed'
	@echo '     [REGION=…] [TIER=…] [REGISTRY=own|shared] [JSON=file]'
	@echo 'make doctor STACK=name     before its first `pulumi up`: what is missing in machine, subscription, organisation'
	@echo 'make verify STACK=name     after it: that it works; [CHECK=name] for one thing alone'
	@echo 'make list-environment STACK=name [EXPORT=file]  once its stack is up: its line in the list of CD'
	@echo 'make retire STACK=name     takes an environment down: says what is lost, asks for its name (or ACK=name);'
	@echo '     [REHEARSE=1]          on the stand-in cloud'
	@echo 'make signing-certificate STACK=name  the certificate of the key that images are signed with'
	@echo 'make clean                 removes build and caches; .venv and .tools stay'

.PHONY: preview
preview: .venv/stamp
	@$(VENV)/python -m rehearsal preview $(STACK)

.PHONY: rehearse
rehearse: .venv/stamp
	@$(VENV)/python -m rehearsal rehearse $(STACK) $${FAULT:+--fault "$$FAULT"}

# Changes with nothing left to acknowledge (exit code 2) are no failure. make ends with 2 whatever else its command ended
# with, and names that: "Error 3" has something to acknowledge. Whoever needs the code itself calls python -m review.
.PHONY: review
review: .venv/stamp
	@[ -n '$(BASE)' ] || { echo 'error: make review BASE=<commit, stack export or preview>; see docs/review.md' >&2; exit 1; }
	@code=0; $(VENV)/python -m review $(BASE) $(if $(HEAD),--head $(HEAD)) $(if $(STACK),--stack $(STACK)) \
	  $(if $(ACK),--ack $(ACK)) || code=$$?; [ $$code = 2 ] || exit $$code

# What is given on the command line reaches the recipe by its environment, so that no quote in it means anything.
.PHONY: environment list-environment retire
environment: .venv/stamp
	@$(VENV)/python -m operations environment --name "$${NAME:-}" --from "$${FROM:-}" \
	  $${REGION+--region "$$REGION"} $${TIER+--tier "$$TIER"} $${REGISTRY+--registry "$$REGISTRY"} $${JSON+--json "$$JSON"}

# CHECK=name looks at one thing alone; ended with 1, something is amiss; with 3, something could not be looked at.
.PHONY: doctor verify
doctor verify: .venv/stamp
	@$(VENV)/python -m operations $@ --stack "$${STACK:-}" $${CHECK+--check "$$CHECK"} $${EXPORT+--export "$$EXPORT"}

list-environment: .venv/stamp
	@$(VENV)/python -m operations list-environment --stack "$${STACK:-}" $${EXPORT+--export "$$EXPORT"}

retire: .venv/stamp
	@$(VENV)/python -m operations retire --stack "$${STACK:-}" --ack "$${ACK:-}" $${REHEARSE:+--rehearse}

.PHONY: signing-certificate
signing-certificate: .venv/stamp
	@$(VENV)/python -m operations signing-certificate --stack "$${STACK:-}"

# Types and tests run side by side, one core each; the tests come last, so that their closing line does too.
.PHONY: test
test: .venv/stamp
	@$(VENV)/python -m rehearsal toolchain
	@echo 'ruff: lint and format'
	@$(VENV)/ruff check --quiet . && $(VENV)/ruff format --check --quiet . \
	  || { echo 'ruff: mend with .venv/bin/ruff check --fix . && .venv/bin/ruff format .' >&2; exit 1; }
	@echo 'mypy: in the background (a minute the first time), shown after the tests'
	@mkdir -p build
	@$(VENV)/mypy > build/mypy.txt 2>&1 & types=$$!; \
	tests=0; $(VENV)/pytest -n 2 --dist loadgroup --color=no | tee build/pytest.txt || tests=$$?; \
	wait $$types && typed=0 || typed=$$?; \
	echo "mypy: $$(tail -n 1 build/mypy.txt)"; \
	if [ $$typed != 0 ]; then cat build/mypy.txt; fi; \
	tail -n 1 build/pytest.txt; \
	exit $$(( tests > typed ? tests : typed ))

# Made again when requirements.txt changes. Where Python lacks venv (Debian: python3-venv), it says so itself.
.venv/stamp: requirements.txt operations/requirements.txt workload/requirements.txt workload/requirements-acceptance.txt workload/requirements-test.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: $(PYTHON) is not Python 3.11 or newer ($$($(PYTHON) --version 2>&1 || true)). Name one: make PYTHON=python3.12 …" >&2; exit 1; }
	@[ -x $(VENV)/python ] || { echo '.venv: made with $(PYTHON)'; $(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }; }
	@echo '.venv: packages of requirements.txt (a few minutes the first time)'
	@$(VENV)/python -m pip install --disable-pip-version-check --requirement requirements.txt \
	  | sed -u -n -E '/^(Collecting|Installing|Successfully)/s/^(.{0,100}).*/  \1/p' || { \
	  echo 'error: pip could not install requirements.txt; its messages are above' >&2; exit 1; }
	@touch $@

.PHONY: clean
clean:
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
	@echo 'clean: build and caches are gone; .venv and .tools stay'
