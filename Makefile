# make demo   which scheduler is best on real handwritten digits, and by how much
# make test   lint, format check, types, tests
# make docs   the documentation site, build/site/index.html
# make browser       every page that the commands write, used in a headless Chromium
# make dist          wheel and source archive: built, checked, installed elsewhere
# make cluster       a ranking on a Ray cluster of two nodes that loses one
# make libraries     examples for TorchRL, skrl, Tianshou, rl-zoo3; CleanRL's ppo.py, if given
# make rllib         RLlib under masks, through a connector, saved, restored, tuned
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
LIBRARIES := build/libraries
RAY := build/ray
SOURCES := mec_moe_env agents tests examples benchmarks docs

.PHONY: demo test browser docs foreign libraries cluster rllib suite-check results results-check \
	lock locked fuzz mutants matrix targets clean

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

# Ray tells its makers how it is used unless it is told not to.
cluster rllib: %: $(RAY)/stamp
	RAY_USAGE_STATS_ENABLED=0 PYTHONPATH=$(CURDIR) $(RAY)/bin/pytest tests/$*

# CLEANRL is a checkout of CleanRL, whose ppo.py no package holds.
libraries: $(LIBRARIES)/stamp
	CLEANRL=$(CLEANRL) PYTHONPATH=$(CURDIR) $(LIBRARIES)/bin/pytest tests/libraries

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

# Apart from the others: RLlib pins another Gymnasium than the one that all else is tested with.
# What is imported is compiled then; all of it, by pip, takes longer than the tests' imports do.
$(RAY)/stamp: pyproject.toml constraints.txt constraints-ray.txt
	$(PYTHON) -m venv $(RAY)
	{ grep -v '^gymnasium==' constraints.txt; cat constraints-ray.txt; } > $(RAY)/constraints.txt
	$(RAY)/bin/python -m pip install --quiet --no-compile --constraint $(RAY)/constraints.txt torch
	$(RAY)/bin/python -m pip install --quiet --no-compile --constraint $(RAY)/constraints.txt --editable '.[cli,ray,rllib]' hypothesis pytest
	touch $@

# Apart from the others: they want older releases of what is pinned for all else. All that they need
# is listed, so nothing is left to resolve.
$(LIBRARIES)/stamp: pyproject.toml constraints-libraries.txt
	$(PYTHON) -m venv $(LIBRARIES)
	$(LIBRARIES)/bin/python -m pip install --quiet --no-deps --requirement constraints-libraries.txt
	$(LIBRARIES)/bin/python -m pip install --quiet --no-deps --editable .
	$(LIBRARIES)/bin/python -m pip check
	touch $@

# torch first: its constraint must be met before another package asks for any torch.
.venv/test.stamp: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
