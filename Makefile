PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := authority verifier notebooks tests tools
# A lock is whole, so nothing is resolved: a newer release on the index changes nothing, and no pip reads more than the lock says.
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes

# Hundreds of processes read what the first of them has compiled, also where an image says that Python keeps nothing.
export PYTHONDONTWRITEBYTECODE :=

# One more than there are processors: at each moment some test waits for a database, a server or a browser.
PROCESSES = $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

# The window is tried in a process of its own: one in which a thousand tests ran may have more files open than Tk can count.
WINDOW_TESTS := .ci/in-memory $(BIN)/pytest tests/test_window.py --cov --cov-report= --cov-fail-under=0
OTHER_TESTS = .ci/in-memory $(BIN)/pytest --ignore=tests/test_window.py --numprocesses=$(PROCESSES) --dist=loadfile \
	--no-loadscope-reorder --cov --cov-append --cov-report=term

# The output of two that run side by side stands one after the other, where make can do that.
IN_TURN := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.DEFAULT_GOAL := help
.PHONY: help demo run test test-windows check check-locks check-long fuzz mutants notebooks gallery bench simulate docs kit format lock

help: ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Two stages: what it takes to run, and on top of it what it takes to develop. Both are locked, with digests.
$(VENV)/run.ready: pyproject.toml .ci/run.lock .ci/dev.lock
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -r .ci/run.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/pip check
	touch $@

# What of it is imported is compiled then: most of its files never are.
$(VENV)/dev.ready: $(VENV)/run.ready .ci/dev.lock
	$(INSTALL) --no-compile -r .ci/dev.lock
	$(BIN)/pip check
	touch $@

demo: $(VENV)/run.ready ## borrow, check without a network, return and revoke on this very machine
	@$(BIN)/carnet-authority demo

run: $(VENV)/run.ready ## serve the sample organization at http://127.0.0.1:8440
	@test -d var/authority/keys || $(BIN)/carnet-authority init --home var/authority --org "Sample Organization"
	@echo "sign in with the user name and password that the first run printed, at the URL below it says how"
	@echo "another password, which is asked for: $(BIN)/carnet-authority member set admin --password-file - --home var/authority"
	@echo "to begin anew: rm -r var/authority"
	@$(BIN)/carnet-authority serve --home var/authority

test: $(VENV)/dev.ready ## run the tests
	$(WINDOW_TESTS)
	$(OTHER_TESTS)

test-windows: $(VENV)/dev.ready ## run the verifier's tests on a real Windows Python, by Wine
	@$(BIN)/python -m tools.windows test

# What needs one processor each runs side by side, and the locks, which wait for the index most of the time; the tests take all there are.
check: $(VENV)/dev.ready ## everything that must hold: format, lint, types, walls, tests
	@$(MAKE) --no-print-directory --jobs=4 $(IN_TURN) check-code check-windows check-locks check-window
	$(OTHER_TESTS)
	$(BIN)/coverage report --include='verifier/*' --fail-under=97

.PHONY: check-code check-windows check-window
check-code:
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 --exclude "identity/(linux|macos|posix)" verifier
	$(BIN)/lint-imports

check-windows:
	@$(BIN)/python -m tools.windows test --where-possible

# What coverage counts here, the other tests add to.
check-window:
	$(WINDOW_TESTS)

check-locks: ## install the lock of what runs with the oldest pip of a supported Python, and with the newest
	.ci/check-locks $(PYTHON)

check-long: $(VENV)/dev.ready ## drive the organization against its model, 200,000 random steps
	CARNET_MODEL_STEPS=200000 $(BIN)/pytest -q tests/authority/stateful

# For Linux on x86-64 alone there is something to install: the lock is empty elsewhere, and the run says what that means.
$(VENV)/fuzz.ready: $(VENV)/dev.ready .ci/fuzz.lock
	$(INSTALL) -r .ci/fuzz.lock
	touch $@

# How long, for all parsers together: make fuzz SECONDS=60
SECONDS ?= 600
fuzz: $(VENV)/fuzz.ready ## give every parser of the verifier changed input for 10 minutes, led by coverage where that can be had
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

mutants: $(VENV)/dev.ready ## change the rules in small ways, and list the changes that no test notices
	$(BIN)/mutmut run
	$(BIN)/mutmut results

notebooks: $(VENV)/dev.ready ## open the analyst's notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

gallery: $(VENV)/dev.ready ## run the notebooks anew, and draw the gallery of the documentation, with the page of three logs in light and dark
	$(BIN)/python -m tools.notebooks

bench: $(VENV)/dev.ready ## measure speed, as ratios taken in one run
	$(BIN)/python -m tests.bench

kit: $(VENV)/dev.ready ## build the folder that installs carnet on machines without a package index
	@$(BIN)/python -m tools.kit

simulate: $(VENV)/dev.ready ## 10,000 years of honest machines, and what tricks with the clock gain
	$(BIN)/python -m tools.clocks

docs: $(VENV)/dev.ready ## write the pages of the documentation that come from the code
	$(BIN)/python -m tools.documentation
	$(BIN)/python -m tools.walk_picture
	$(BIN)/python -m tools.window_pictures
	$(BIN)/python -m tools.console_pictures

format: $(VENV)/dev.ready ## format the code
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

lock: $(VENV)/dev.ready ## write the lock files anew
	$(BIN)/uv pip compile pyproject.toml --extra authority --extra postgres --extra notebooks --extra qr --extra keyring --extra oidc --extra notices --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --quiet -o .ci/dev.lock
	$(BIN)/uv pip compile pyproject.toml --extra authority --extra qr --extra keyring --extra oidc --extra notices --group build --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --quiet --constraint .ci/dev.lock -o .ci/run.lock
	$(BIN)/uv pip compile --group pyproject.toml:fuzz --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --quiet -o .ci/fuzz.lock
