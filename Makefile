# make demo    set up, then edit a generated and a shipped picture; everything is written to out/
# make serve   set up, then open the page in a browser
# make test    set up, then lint, types and tests
# make test-cluster  the tests that start a Ray cluster of two nodes here; they take minutes
# make docs    set up, then build the site in out/site; its tools get an environment of their own
# make page-types    check the types of the page's scripts; needs npm
# make licences      every dependency and every carried file of others, with its licence
# make release       build the wheel, the source archive and their bill of materials into dist/, and try the wheel
# make lock          write requirements/*.lock anew, after a change of constraints.txt or pyproject.toml
# make architecture  draw docs/pictures/architecture.svg from the imports
# With UNHASHED=1, packages are installed without checking their hashes: for a mirror that builds its own files.
PYTHON ?= python3
VENV := .venv
DOCS := .venv-docs
BIN := $(VENV)/bin
TOOLS := out/tools
LOCKED := install --quiet --no-deps --require-hashes -r
PAGE := tests/interfaces/page
# the tests start a hundred processes: where this is set, each would compile all of regrow anew
unexport PYTHONDONTWRITEBYTECODE
FIND_BROWSER := for name in chromium chromium-browser google-chrome chrome; do command -v $$name >/dev/null && exit 0; done; exit 1

.PHONY: demo serve test test-cluster docs page-types browser setup licences release lock architecture clean

demo: setup
	$(BIN)/python -m regrow.interfaces.demo

serve: setup
	$(BIN)/regrow serve

test: setup browser page-types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright & types=$$!; \
		OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2; tests=$$?; \
		wait $$types && exit $$tests
	@($(FIND_BROWSER)) || echo "The browser tests were NOT run: there is no Chromium or Chrome here."

test-cluster: setup
	REGROW_CLUSTER_TESTS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -rs tests/interfaces/test_batch_on_ray.py \
		tests/interfaces/server/test_executors_on_ray.py

docs: setup $(DOCS)/done
	$(BIN)/python runs/site/gather.py
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict --quiet
	@echo "The site is built: open out/site/index.html"

$(DOCS)/done: runs/site/requirements.txt
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/pip install --quiet --requirement runs/site/requirements.txt
	touch $@

page-types:
	@rm -rf $(PAGE)/types/js && ln -s ../../../../regrow/interfaces/page/js $(PAGE)/types/js
	@if command -v npm >/dev/null; then $(MAKE) --silent --no-print-directory $(PAGE)/node_modules/.package-lock.json && \
		$(PAGE)/node_modules/.bin/tsc --project $(PAGE); \
		else echo "The types of the page's scripts were NOT checked: there is no npm here."; fi

$(PAGE)/node_modules/.package-lock.json: $(PAGE)/package.json $(PAGE)/package-lock.json
	npm ci --prefix $(PAGE) --no-audit --no-fund --loglevel=error
	touch $@

browser:
	@($(FIND_BROWSER)) || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || true

setup: $(VENV)/done

$(VENV)/done: pyproject.toml constraints.txt requirements/dev.lock requirements/torch.lock requirements/torch-cpu.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "regrow needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
ifdef UNHASHED
	PIP_CONSTRAINT=constraints.txt $(BIN)/pip install --quiet --editable ".[dev]"
else
	$(BIN)/pip $(LOCKED) requirements/dev.lock
	@$(BIN)/pip $(LOCKED) requirements/torch-cpu.lock 2>/dev/null || { \
		echo "pip finds no CPU build of torch whose hash is known: taking the one on PyPI."; \
		$(BIN)/pip $(LOCKED) requirements/torch.lock; }
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/pip check
endif
	touch $@

$(TOOLS)/done: requirements/release.lock
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip $(LOCKED) requirements/release.lock
	touch $@

lock: $(TOOLS)/done
	$(TOOLS)/bin/python runs/write_locks.py

licences: setup $(TOOLS)/done
	$(TOOLS)/bin/python runs/list_licences.py --python $(BIN)/python

release: $(TOOLS)/done
	$(TOOLS)/bin/python runs/release.py

architecture: setup
	$(BIN)/python runs/draw_architecture.py

clean:
	rm -rf $(VENV) $(DOCS) out
