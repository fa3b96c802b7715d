# Everything that one does with a checkout. Each target makes the Python environment by itself when it is needed.

VENV := .venv
READY := $(VENV)/.ready
PY := $(VENV)/bin/python
SCRIPT := PYTHONPATH=scripts:tests $(PY) -m
SITE := NO_MKDOCS_2_WARNING=1 $(SCRIPT) mkdocs build --strict --quiet
RESULTS := $(patsubst scripts/results/makers/%.py,results-%,$(wildcard scripts/results/makers/[a-z]*.py))
# Tests run side by side, one process a core; who is done takes over from the others, for some tests are long.
JOBS := $(shell nproc)
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16
	@echo '$(RESULTS)' | fmt | sed 's/^/results-NAME    measures docs\/results\/NAME.json again; there are: /'

setup: $(READY) ## the Python environment in .venv (made once)

$(READY): pyproject.toml constraints.txt scripts/setup.sh
	@scripts/setup.sh $(VENV)
	@touch $@

demo: $(READY) ## pictures to boxes through the simulated engine; the report is build/demo/report.html
	@$(PY) -m sterna.cli.demo

test: $(READY) ## the tests
	@$(PY) -m pytest -n $(JOBS) --dist worksteal

test-slow: $(READY) ## the long tests as well
	@$(PY) -m pytest -n $(JOBS) --dist worksteal -m "slow or not slow"

lint: $(READY) ## everything cheap: ruff, mypy, generated files up to date, Verilator's lint of a generated engine, links
	@$(PY) -m ruff check
	@$(PY) -m mypy
	@$(PY) -m mypy --python-version 3.13
	@$(PY) -m sterna.generate.spec.files --check
	@$(SCRIPT) notices --check
	@$(SCRIPT) lint_rtl
	@$(SCRIPT) documents.links
	@$(SITE)

mutate: $(READY) ## small errors in Python and RTL, one at a time, that tests must notice; takes long, goes on where it stopped
	@$(SCRIPT) mutation $(AREAS)

check-clock: $(READY) ## the compiler's cycle model against counted cycles, step by step
	@$(SCRIPT) check_clock

bench: $(READY) ## the speed of the simulation; `make bench CONFIG=arria10` for another engine
	@$(PY) scripts/bench_simulation.py --config $(or $(CONFIG),nano)

spec-files: $(READY) ## rewrites hw/rtl/sterna_pkg.sv and sw/include/sterna from the formats in python/sterna/spec
	@$(PY) -m sterna.generate.spec.files

notices: $(READY) ## rewrites THIRD_PARTY.md from the metadata of the installed packages
	@$(SCRIPT) notices

train-demo: $(READY) ## trains the model in models/ again, from its fixed seed; goes on after an interruption
	@$(SCRIPT) train_demo

$(RESULTS): results-%: $(READY)
	@$(SCRIPT) results.makers.$*

readme: $(READY) ## writes the tables of README.md from docs/results
	@$(SCRIPT) results.readme

docs: $(READY) ## the documentation site, in build/docs; built and read without network
	@$(PY) docs/diagrams
	@$(SITE)
	@echo build/docs/index.html

clean: ## removes what was built, but not the Python environment
	rm -rf build sim_build .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help setup demo test test-slow lint mutate check-clock bench spec-files notices train-demo readme docs clean $(RESULTS)
