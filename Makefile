# Every target sets up what it needs: Python 3.11+, make and git are enough to start.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check clean

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: .venv/ready  ## train on real digits and show what was learnt
	$(BIN)/chainrule train digits --out demo/digits.safetensors

test: .venv/ready
	$(BIN)/pytest

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf .venv demo build
