# make demo    set up, then edit a generated and a shipped picture; everything is written to out/
# make serve   set up, then open the page in a browser
# make test    set up, then lint, types and tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# the tests start a hundred processes: where this is set, each would compile all of regrow anew
unexport PYTHONDONTWRITEBYTECODE
FIND_BROWSER := for name in chromium chromium-browser google-chrome chrome; do command -v $$name >/dev/null && exit 0; done; exit 1

.PHONY: demo serve test browser setup clean

demo: setup
	$(BIN)/python -m regrow.interfaces.demo

serve: setup
	$(BIN)/regrow serve

test: setup browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright & types=$$!; \
		OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2; tests=$$?; \
		wait $$types && exit $$tests
	@($(FIND_BROWSER)) || echo "The browser tests were NOT run: there is no Chromium or Chrome here."

browser:
	@($(FIND_BROWSER)) || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || true

setup: $(VENV)/done

$(VENV)/done: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "regrow needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/pip install --quiet --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) out
