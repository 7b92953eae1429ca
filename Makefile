# One command each for what a person, or a continuous-integration machine, does with this project.
.PHONY: help run test tables format lint types contracts manifest suite validator bench weights reproduce screenshot libraries clean
.NOTPARALLEL:
.DEFAULT_GOAL := help

BIN := .venv/bin
# Extra arguments of pytest or of the benchmarks, e.g. make test ARGS="-k mask"
ARGS ?=
# Processes of pytest; 0 for none but its own, as a debugger needs it
WORKERS ?= 2
# Where `make run` writes its picture when there is no screen
SCREENSHOT ?= mrviewer-demo.png
# Only X11 and Wayland name their screen; elsewhere, as on macOS, there is one.
DISPLAYED := $(if $(filter Linux,$(shell uname)),$(DISPLAY)$(WAYLAND_DISPLAY),yes)

# Another installed Qt binding must not be picked.
export QT_API := pyside6

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/installed-%: pyproject.toml constraints.txt setup/environment.sh
	@setup/environment.sh $*

libraries:
	@setup/libraries.sh

run: .venv/installed-gui libraries  ## open the viewer on the sample study
ifneq ($(DISPLAYED),)
	$(BIN)/mrviewer demo
else
	@echo "There is no screen here (DISPLAY and WAYLAND_DISPLAY are unset): writing the same window to a picture."
	@setup/display.sh $(BIN)/mrviewer demo --screenshot "$(SCREENSHOT)"
	@echo "The window is in $(abspath $(SCREENSHOT))"
endif

test: .venv/installed-dev libraries tables format lint types contracts manifest suite  ## all checks and the whole suite; ARGS go to pytest

tables: .venv/installed-dev  ## write the tables of docs/ that are made from the code
	$(BIN)/python docs/tables.py

format: .venv/installed-dev  ## is every file formatted?
	$(BIN)/ruff format --check .

lint: .venv/installed-dev  ## what ruff finds
	$(BIN)/ruff check .

types: .venv/installed-dev  ## what mypy finds
	$(BIN)/mypy

contracts: .venv/installed-dev  ## who may import whom
	$(BIN)/lint-imports

manifest: .venv/installed-dev libraries  ## is napari's manifest sound?
	$(BIN)/npe2 validate plugins/mrviewer_napari/napari.yaml

validator:
	@setup/validator.sh

# More threads than cores only fight; a test that hangs holds up the others for 15 minutes and not for good.
suite: .venv/installed-dev libraries validator  ## the tests alone; ARGS go to pytest
	OMP_NUM_THREADS=1 setup/display.sh $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --timeout 900 $(ARGS)

bench: .venv/installed-dev libraries  ## measure speed; ARGS go to the benchmarks
	setup/display.sh $(BIN)/python -m benchmarks $(ARGS)

weights: .venv/installed-dev  ## train the shipped weights: make weights DATA=FOLDER
	@test -n "$(DATA)" || { echo "make weights needs the folder of training data: make weights DATA=FOLDER" >&2; exit 1; }
	PATH="$(abspath $(BIN)):$$PATH" models/train_shipped.sh "$(DATA)"

reproduce: .venv/installed-dev  ## run the papers' tables, write docs/reproduction.md; DATA=FOLDER adds real patients
	OMP_NUM_THREADS=1 $(BIN)/mrviewer reproduce --output runs/reproduction --page docs/reproduction.md $(if $(DATA),--data "$(DATA)") $(ARGS)

screenshot: .venv/installed-gui  ## draw docs/images/demo.png anew
	@mkdir -p docs/images
	@env -u DISPLAY -u WAYLAND_DISPLAY setup/libraries.sh
	env -u DISPLAY -u WAYLAND_DISPLAY OMP_NUM_THREADS=1 setup/display.sh $(BIN)/mrviewer demo --screenshot docs/images/demo.png

clean:  ## remove all that these commands made, the environment too
	rm -rf .venv build dist .ruff_cache .mypy_cache .hypothesis .import_linter_cache .pytest_cache .benchmarks $(SCREENSHOT)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
