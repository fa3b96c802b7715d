# Everything to do with a checkout. Each target makes the Python environment first if it is missing.

VENV := .venv
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready
PY := $(VENV)/bin/python
SCRIPT := PYTHONPATH=scripts:tests $(PY) -m
SITE := NO_MKDOCS_2_WARNING=1 $(SCRIPT) mkdocs build --strict --quiet
RESULTS := $(patsubst scripts/results/makers/%.py,results-%,$(wildcard scripts/results/makers/[a-z]*.py))
NATIVE := $(shell find sw -name '*.cpp' -o -name '*.h' -o -name CMakeLists.txt)
# Tests run in parallel, one process per core; idle processes take over waiting tests, as some tests are long.
JOBS := $(shell nproc)
.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16
	@echo '$(RESULTS)' | fmt | sed 's/^/results-NAME    measure docs\/results\/NAME.json again; names: /'

setup: $(READY) ## make the Python environment in .venv (once)

$(INSTALLED): pyproject.toml constraints.txt scripts/setup.sh
	@scripts/setup.sh $(VENV)
	@touch $@

$(READY): $(INSTALLED) $(NATIVE)
	@$(SCRIPT) build_native
	@touch $@

demo: $(READY) ## take images to boxes through the simulated engine; the report is build/demo/report.html
	@$(PY) -m sterna.cli.demo

test: $(READY) ## run the tests, except the long ones
	@$(PY) -m pytest -n $(JOBS) --dist worksteal

test-slow: $(READY) ## run all tests; takes Debian's packages tcl, device-tree-compiler, clang, llvm and libclang-rt-14-dev
	@$(PY) -m pytest -n $(JOBS) --dist worksteal -m "slow or not slow"

lint: $(READY) ## run all quick checks: ruff, mypy, generated files up to date, Verilator's lint of a generated engine, links
	@$(PY) -m ruff check
	@$(PY) -m mypy
	@$(PY) -m mypy --python-version 3.13
	@$(PY) -m sterna.generate.spec.files --check
	@$(SCRIPT) notices --check
	@$(SCRIPT) lint_rtl
	@$(SCRIPT) documents.links
	@$(SITE)

fuzz: $(READY) ## try random inputs on what reads packages, signatures, graphs, tapes and images: an hour, or FUZZ_SECONDS; takes clang
	@$(SCRIPT) fuzz --seconds $(or $(FUZZ_SECONDS),3600)

mutate: $(READY) ## put small errors into Python and RTL, one at a time, which tests must notice; takes long, resumes where it stopped
	@$(SCRIPT) mutation $(AREAS)

formal: $(READY) ## prove properties of the RTL; `make formal PROOFS=axi_writer` for one; resumes where it stopped
	@$(SCRIPT) formal $(PROOFS)

check-clock: $(READY) ## compare the compiler's cycle model with counted cycles, step by step
	@$(SCRIPT) check_clock

bench: $(READY) ## measure the speed of the simulation; `make bench CONFIG=arria10` for another engine
	@$(PY) scripts/bench_simulation.py --config $(or $(CONFIG),nano)

bitstream-ecp5: $(READY) ## place and route the engine for a ULX3S by open tools alone; the bitstream is in build/ecp5; takes an hour or more
	@$(SCRIPT) ecp5

dist: $(READY) ## build what is released, an sdist and a portable wheel, in build/dist
	@$(SCRIPT) release

spec-files: $(READY) ## rewrite hw/rtl/sterna_pkg.sv and sw/include/sterna from the formats in python/sterna/spec
	@$(PY) -m sterna.generate.spec.files

notices: $(READY) ## rewrite THIRD_PARTY.md from the metadata of the installed packages
	@$(SCRIPT) notices

train-demo: $(READY) ## train the model in models/ again, from its fixed seed; resumes after an interruption
	@$(SCRIPT) train_demo

$(RESULTS): results-%: $(READY)
	@$(SCRIPT) results.makers.$*

readme: $(READY) ## write the tables of README.md from docs/results
	@$(SCRIPT) results.readme

docs: $(READY) ## build the documentation site in build/docs; needs no network
	@$(PY) docs/diagrams
	@$(SITE)
	@echo build/docs/index.html

clean: ## remove what was built, except the Python environment
	rm -rf build sim_build .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help setup demo test test-slow lint fuzz mutate formal check-clock bench bitstream-ecp5 dist spec-files notices train-demo readme docs clean $(RESULTS)
