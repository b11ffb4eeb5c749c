# Every target sets up what it needs: Python 3.11+, make and git are enough to start.
PYTHON ?= python3
BIN := .venv/bin
CXX_FILES = $(wildcard src/chainrule/kernel/*.?pp tests/*.cpp tests/kernel/*.cpp)

.PHONY: demo test test-page test-slow sanitize fuzz check bench bench-quick clean

# Made again when what it is made from changes; `pip install` brings an existing one up to date.
.venv/ready: pyproject.toml constraints.txt CMakeLists.txt $(wildcard src/chainrule/kernel/*.?pp)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "chainrule needs Python 3.11 or newer, '$(PYTHON)' is $$($(PYTHON) --version 2>&1):" \
	  "name another one, as in 'make $(or $(MAKECMDGOALS),test) PYTHON=python3.12'" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt \
	  --only-binary :all: 'gymnasium[box2d]' || \
	  echo "no simulator of driving for this Python: its tests will be skipped" >&2
	@touch $@

demo: .venv/ready  ## train on real digits and show what was learnt
	@mkdir -p demo
	$(BIN)/chainrule train digits --out demo/digits.safetensors
	@echo "draw a digit and see this network read it: $(BIN)/chainrule look demo/digits.safetensors"

test: .venv/ready  ## all but the long tests, the examples in the documentation among them
	$(BIN)/pytest

# Debian's Chromium (apt-get install chromium), or the one that CHROMIUM names; without: skipped.
test-page: .venv/ready  ## the page of chainrule look in a browser
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt \
	  playwright axe-playwright-python
	$(BIN)/pytest -m page tests/web

# Long, each on one core, and watching no clock: two at a time.
SIDE_BY_SIDE = tests/learners tests/diagnosis tests/estimators tests/commands/test_own_code.py

test-slow: .venv/ready .venv-bench/ready sanitize  ## the long ones, with PyTorch, JAX, ONNX and sanitizers
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt onnx onnxruntime skl2onnx
	$(BIN)/pytest -m slow -n 2 --dist worksteal $(SIDE_BY_SIDE)
	$(BIN)/pytest -m slow $(SIDE_BY_SIDE:%=--ignore=%)
	.venv-bench/bin/pytest -m slow tests/test_peers.py

# The module is built apart for each sanitizer; Python itself is not, so its runtime goes in first.
sanitize: .venv/ready  ## the kernel's tests under AddressSanitizer with UBSan, and ThreadSanitizer
	CC="$(CC)" CXX="$(CXX)" sh tests/sanitize.sh $(BIN)

# Each run of hypothesis draws other networks, rows and threads.
fuzz: .venv/ready  ## altered files of each format, and random shapes in the kernel under sanitizers
	$(BIN)/python tests/fuzz.py --mutations $(or $(MUTATIONS),2000) --seed $(or $(SEED),0) --keep build/fuzz
	for round in 1 2 3; do CC="$(CC)" CXX="$(CXX)" sh tests/sanitize.sh $(BIN) -k agree || exit 1; done

check: .venv/ready  ## format, lint, types, import directions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/clang-format --dry-run -Werror $(CXX_FILES)
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_imports.py

# The peers have an environment of their own: they are many, and pinned for the figures' sake.
.venv-bench/ready: benchmarks/requirements.txt pyproject.toml CMakeLists.txt \
    $(shell find src -name '*.py' -o -name '*.?pp')
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt '.[test]'
	@touch $@

bench: .venv-bench/ready  ## chainrule, its peers and the machine's limit, measured in one run
	.venv-bench/bin/python -m benchmarks.run --out benchmarks/results

bench-quick: .venv-bench/ready  ## the short cases, in under 2 minutes
	.venv-bench/bin/python -m benchmarks.run --quick

clean:
	rm -rf .venv .venv-bench demo build
