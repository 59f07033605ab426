# make setup, demo, test, lint: the first call sets everything up, later ones do not repeat it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up

# One thread per process: arrays are small, and two test processes share the cores.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

.PHONY: setup demo test lint docs gallery pictures clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 setup" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@missing=""; \
	command -v bwrap >/dev/null || missing="bubblewrap"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
		else \
			echo "not installed: $$missing. Isolated grading needs bubblewrap, the tests of nbgrader also chromium and postgresql" >&2; \
			echo "(Debian: sudo apt-get install $$missing)." >&2; \
		fi; \
	fi
	touch $(STAMP)

DEMO_OUT := demo-out

# The class, then what one of its students reads.
demo: $(STAMP)
	$(BIN)/python examples/demo.py $(DEMO_OUT)

test: $(STAMP)
	$(BIN)/python -m pytest -n 3 tests

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/grader build --check
	$(BIN)/grader verify

SITE := site

# Every warning is an error: a broken link or anchor, a page outside of the navigation, a name that is not documented.
docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --clean --site-dir $(SITE)

# Runs real wrong answers and the tutorial's commands, and writes what they print into docs/.
gallery: $(STAMP)
	$(BIN)/python docs/tools/gallery.py
	$(BIN)/python docs/tools/session.py --write docs/tutorial/first-topic.md

# Needs a Chromium (Debian: apt-get install chromium).
pictures: $(STAMP)
	$(BIN)/python docs/tools/pictures.py

clean:
	rm -rf $(VENV) $(DEMO_OUT) $(SITE)
