# run, test, check, bench, scale-test, load-test, compat, screenshots, wheel, docs: each target sets up what it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DOCS := .cache/docs

.PHONY: run test scale-test load-test compat wheel check bench screenshots docs format clean

run: $(READY)  ## start the app on http://localhost:3000
	@echo "Starting the app: http://localhost:3000 (the first start builds the page, about 15 s)"
	@exec $(BIN)/reflex run

test: $(READY)  ## everything, browser tests included
	@sh scripts/ensure_test_programs.sh $(BIN) chromium redis-server
	@$(BIN)/python -m tests.interop.install || echo "The tests with these providers are skipped."
ifdef ARGS
	@$(BIN)/python -m pytest --ignore=tests/scale $(ARGS)
else  # those with a browser by themselves, since they have processes of their own
	@$(BIN)/python -m pytest -n 2 --dist loadfile --ignore=tests/scale --ignore=tests/e2e
	@$(BIN)/python -m pytest -n 2 --dist loadgroup tests/e2e
endif

scale-test: $(READY)  ## two backends behind nginx on one Redis, some of them killed or stopped
	@sh scripts/ensure_test_programs.sh $(BIN) chromium redis-server nginx
	@$(BIN)/python -m pytest tests/scale $(ARGS)

check: $(READY)  ## lint, formatting, types, import rules, private names
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/check_private_names.py

bench: $(READY)  ## measure the layer beside its peers, and race the Angular page: a table and bench.json
	@sh scripts/ensure_test_programs.sh $(BIN) chromium
	@$(BIN)/python -m tests.benchmarks $(ARGS)

load-test: $(READY)  ## a thousand tabs beside the same app without the auth layer (about eight minutes)
	@$(BIN)/python -m tests.load $(ARGS)

compat:  ## the library's tests on Python 3.11 to 3.14 and on the oldest versions (about an hour)
	@TESTS="$(TESTS)" sh scripts/compat.sh $(ARGS)

screenshots: $(READY)  ## pictures of every page in docs/screenshots/, in both themes and two sizes
	@sh scripts/ensure_test_programs.sh $(BIN) chromium
	@$(BIN)/python scripts/screenshots.py

wheel: $(READY)  ## build dist/reflex_oidc-*.whl, and the sdist
	@$(BIN)/python -m build --no-isolation

docs: $(DOCS)/.ready  ## build the documentation site in site/, with packages of its own
	@ln -sfn ../../app/auth $(DOCS)/reflex_oidc
	@NO_MKDOCS_2_WARNING=1 $(DOCS)/venv/bin/mkdocs build
	@echo "The site is in site/. To read it: python3 -m http.server --directory site"

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .cache dist site .web .states .data .mypy_cache .pytest_cache .ruff_cache

$(READY): requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed, and '$(PYTHON)' was not found. Set PYTHON=/path/to/python."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; '$(PYTHON)' is older."; exit 1; }
	@echo "Setting up $(VENV) from requirements.txt (about a minute, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(DOCS)/.ready: docs/requirements.txt
	@$(PYTHON) -m venv $(DOCS)/venv
	@$(DOCS)/venv/bin/python -m pip install --quiet --disable-pip-version-check -r docs/requirements.txt
	@touch $@
