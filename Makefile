# make demo   which scheduler is best on real handwritten digits, and by how much
# make test   lint, format check, types, tests
# make docs   the documentation site, build/site/index.html
# make browser       every page that the commands write, used in a headless Chromium
# make dist          wheel and source archive: built, checked, installed elsewhere
# make cluster       a ranking on a Ray cluster of two nodes that loses one
# make suite-check   compute a sample of what is shipped with mec-moe-1 anew
# make foreign       Gymnasium's and Minigrid's own tests on our ids; clones both unless given
# make results       every table and figure of README and docs anew (hours)
# make results-check those of a minute or two, compared with the rows that are kept
# make lock          requirements.lock anew: hashes of all that constraints.txt names
# make locked        what was tested, installed in build/locked with every hash checked
# make fuzz          10^7 random steps and ten minutes of the state machine, noted in docs/trust.md
# make mutants       400 mutants of the code, and how many of them the tests kill (an hour or more)
# make matrix        the tests on each Python installed, with oldest and newest libraries (hours)
# make targets       golden trajectories on every instruction set that this processor has
PYTHON ?= python3
BIN := .venv/bin
CLUSTER := build/cluster
SOURCES := mec_moe_env agents tests examples benchmarks docs

.PHONY: demo test browser docs foreign suite-check results results-check lock locked fuzz \
	mutants matrix targets clean

demo: .venv/demo.stamp
	$(BIN)/mec-moe compare --scenario digits --agents all --seeds 20 --out runs/demo

test: .venv/test.stamp
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	@# A file's tests in one worker, so that what they compile is compiled once.
	@# Threads of BLAS in two workers wait for each other: 0.3 s for the eigenvalues of a 65 × 65 matrix.
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

browser: .venv/test.stamp
	$(BIN)/pytest tests/browser

docs: .venv/docs.stamp
	$(BIN)/python -m sphinx -q -W --keep-going docs build/site

FOREIGN ?= build/foreign
GYMNASIUM ?= $(FOREIGN)/Gymnasium
MINIGRID ?= $(FOREIGN)/Minigrid

foreign: .venv/test.stamp $(GYMNASIUM) $(MINIGRID)
	$(BIN)/python -m tests.foreign.run --gymnasium $(GYMNASIUM) --minigrid $(MINIGRID)

$(FOREIGN)/%:
	git clone --quiet --depth 1 https://github.com/Farama-Foundation/$* $@

dist: .venv/dist.stamp
	rm -rf build/dist
	$(BIN)/python -m build --outdir build/dist .
	$(BIN)/twine check --strict build/dist/*
	$(BIN)/pytest tests/distribution

cluster: $(CLUSTER)/stamp
	PYTHONPATH=$(CURDIR) $(CLUSTER)/bin/pytest tests/cluster

suite-check: .venv/demo.stamp
	$(BIN)/mec-moe suite check --sample 40

results: .venv/test.stamp
	$(BIN)/python docs/results/regenerate.py

results-check: .venv/demo.stamp
	$(BIN)/python docs/results/regenerate.py --quick --check

lock:
	.ci/lock

locked:
	$(PYTHON) -m venv build/locked
	build/locked/bin/python -m pip install --no-deps "$$(grep '^torch==' constraints.txt)"
	build/locked/bin/python -m pip install --no-deps --require-hashes --requirement requirements.lock
	build/locked/bin/python -m pip install --no-deps --no-build-isolation .

fuzz: .venv/test.stamp
	$(BIN)/python -m tests.fuzz --steps 1e7 --seed 1 --record
	$(BIN)/python -m tests.lifecycle --minutes 10 --seed 1 --record

mutants: .venv/test.stamp
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[mutants]'
	$(BIN)/python -m tests.mutants --count 400 --seed 1 --processes 2 --record

matrix: .venv/test.stamp
	$(BIN)/python -m tests.matrix --record

targets: .venv/test.stamp
	$(BIN)/python -m tests.targets --record

clean:
	rm -rf .venv runs build docs/generated

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mec-moe-env needs Python 3.11 or later")'
	$(PYTHON) -m venv .venv

.venv/demo.stamp: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[cli,digits]'
	touch $@

.venv/docs.stamp: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@

.venv/dist.stamp: .venv/test.stamp
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dist]'
	touch $@

# Apart from the others: Ray asks for versions of much that it does not need here.
$(CLUSTER)/stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(CLUSTER)
	$(CLUSTER)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[cli,digits,ray]' hypothesis pytest
	touch $@

# torch first: its constraint must be met before another package asks for any torch.
.venv/test.stamp: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
