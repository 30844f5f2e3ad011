# pgvalet: the one front door.  `make help` lists what it can do.
#
# Everything is built under build/ (programs: build/bin/), everything that runs
# lives under .run/.  Targets install the Debian packages they need themselves.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := all
MAKEFLAGS += --no-print-directory

# What you may want to set: make PG_CONFIG=/usr/lib/postgresql/17/bin/pg_config
BUILD      ?= build
BUILD_TYPE ?= RelWithDebInfo
PG_CONFIG  ?=
JOBS       ?= $(shell nproc)
ROUNDS     ?= 200
SEED       ?=
prefix     ?= /usr/local
sysconfdir ?= /etc
mandir     ?= $(prefix)/share/man
bashcompletiondir ?= $(prefix)/share/bash-completion/completions
zshcompletiondir  ?= $(prefix)/share/zsh/site-functions

export PG_CONFIG

DEV     := deploy/dev
DEPS    := $(DEV)/install_deps.sh
# PGXS wants one; without PG_CONFIG the PATH decides.
PG_CONFIG_PROGRAM = $(or $(PG_CONFIG),pg_config)
# Debian's own: the drivers are installed for that one, whatever else the PATH offers.
PYTHON  := /usr/bin/python3
CMAKE_FLAGS ?=

.PHONY: all agent extension deps deps-test run demo test test-unit test-integration test-clients \
        test-extension test-chaos test-fuzz test-asan test-tsan test-compose test-regress test-matrix \
        lint format format-check bench install uninstall clean help

## Build

all: agent extension ## build the agent, the command line and the extension (default)

agent: deps ## build pgvaletd and pgvalet into build/bin/
	@cmake -S agent -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=$(BUILD_TYPE) \
	  -DBUILD_TESTING=$(if $(wildcard /usr/include/gtest/gtest.h),ON,OFF) $(CMAKE_FLAGS) -Wno-dev
	@ninja -C $(BUILD) -j$(JOBS) bin/pgvaletd bin/pgvalet

extension: deps ## build the extension against the server of PG_CONFIG
	@$(MAKE) -C extension PG_CONFIG=$(PG_CONFIG_PROGRAM)

deps: ## install the Debian packages that building needs
	@$(DEPS) $(DEV)/packages.txt

deps-test:
	@$(DEPS) $(DEV)/packages.txt $(DEV)/packages-test.txt

install: all ## install into PG_CONFIG's server, $(prefix)/bin and /etc/pgvalet
	$(MAKE) -C extension PG_CONFIG=$(PG_CONFIG_PROGRAM) install
	install -d $(DESTDIR)$(prefix)/bin $(DESTDIR)$(sysconfdir)/pgvalet
	install -m 755 $(BUILD)/bin/pgvaletd $(BUILD)/bin/pgvalet $(DESTDIR)$(prefix)/bin/
	@# To be started as PgBouncer, out of the way of PgBouncer's own program.
	install -d $(DESTDIR)$(prefix)/lib/pgvalet
	ln -sf ../../bin/pgvaletd $(DESTDIR)$(prefix)/lib/pgvalet/pgbouncer
	@# Manual pages and completions say what the programs say of themselves.
	install -d $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man8 \
	  $(DESTDIR)$(bashcompletiondir) $(DESTDIR)$(zshcompletiondir)
	$(BUILD)/bin/pgvalet manual > $(DESTDIR)$(mandir)/man1/pgvalet.1
	$(BUILD)/bin/pgvaletd --manual > $(DESTDIR)$(mandir)/man8/pgvaletd.8
	$(BUILD)/bin/pgvalet completion bash > $(DESTDIR)$(bashcompletiondir)/pgvalet
	$(BUILD)/bin/pgvalet completion zsh > $(DESTDIR)$(zshcompletiondir)/_pgvalet
	@# A configuration that is already there is the administrator's.
	test -e $(DESTDIR)$(sysconfdir)/pgvalet/pgvalet.toml || \
	  install -m 640 deploy/pgvalet.toml $(DESTDIR)$(sysconfdir)/pgvalet/pgvalet.toml
	test -e $(DESTDIR)$(sysconfdir)/pgvalet/userlist.txt || \
	  install -m 640 deploy/userlist.txt $(DESTDIR)$(sysconfdir)/pgvalet/userlist.txt

uninstall: ## remove what install put there; the configuration stays
	$(MAKE) -C extension PG_CONFIG=$(PG_CONFIG_PROGRAM) uninstall
	rm -f $(DESTDIR)$(prefix)/bin/pgvaletd $(DESTDIR)$(prefix)/bin/pgvalet
	rm -rf $(DESTDIR)$(prefix)/lib/pgvalet
	rm -f $(DESTDIR)$(mandir)/man1/pgvalet.1 $(DESTDIR)$(mandir)/man8/pgvaletd.8 \
	  $(DESTDIR)$(bashcompletiondir)/pgvalet $(DESTDIR)$(zshcompletiondir)/_pgvalet

## Run

run: all ## start a private PostgreSQL and the agent; Ctrl-C ends both
	@exec $(PYTHON) $(DEV)/run.py --build $(BUILD)

demo: all ## play a scene on them: 500 clients on 10 server connections
	@exec $(PYTHON) $(DEV)/demo.py --build $(BUILD)

## Test

test: deps-test ## all tests
	@exec $(PYTHON) tests/run.py --build $(BUILD) --jobs $(JOBS)

test-unit: deps-test ## unit tests: no sockets
	@exec $(PYTHON) tests/run.py --build $(BUILD) --jobs $(JOBS) unit

test-integration: deps-test ## the agent between libpq and a real PostgreSQL
	@exec $(PYTHON) tests/run.py --build $(BUILD) --jobs $(JOBS) integration

test-clients: deps-test ## real drivers through the agent
	@exec $(PYTHON) tests/run.py --build $(BUILD) --jobs $(JOBS) clients

test-faces: deps-test ## Prometheus, the OpenAPI file and more before a real agent
	@exec $(PYTHON) tests/run.py --build $(BUILD) --jobs $(JOBS) faces

test-extension: deps-test ## the extension's tests, with a short run of test-chaos
	@exec $(PYTHON) tests/run.py --build $(BUILD) --jobs $(JOBS) regress

test-chaos: deps-test ## random kills under load: make test-chaos ROUNDS=200 SEED=7
	@exec $(PYTHON) tests/chaos/chaos.py --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED))

test-fuzz: deps-test ## replay the fuzz corpus
	@exec $(PYTHON) tests/run.py --build $(BUILD) --jobs $(JOBS) fuzz

test-asan: deps-test ## unit and integration tests under AddressSanitizer and UBSan
	@exec $(PYTHON) tests/run.py --build $(BUILD)-asan --sanitize address --jobs $(JOBS) unit integration

test-tsan: deps-test ## unit and integration tests under ThreadSanitizer
	@exec $(PYTHON) tests/run.py --build $(BUILD)-tsan --sanitize thread --jobs $(JOBS) unit integration

test-compose: ## docker compose up, from outside the containers (needs Docker)
	@exec deploy/compose/test.sh

test-regress: all ## PostgreSQL's own regression suite through the agent (needs root, minutes)
	@exec $(PYTHON) tests/suite/run.py --build $(BUILD)

test-matrix: ## the extension's tests on PostgreSQL 17 and 18, in chroots (needs root)
	@$(DEPS) $(DEV)/packages-matrix.txt
	@exec tests/regress/matrix.sh

## Look after the code

lint: deps-test ## clang-tidy, cppcheck, shellcheck, pyflakes
	@$(DEPS) $(DEV)/packages-lint.txt
	@exec $(DEV)/lint.sh $(BUILD)

format: ## put all sources into the house form
	@$(DEPS) $(DEV)/packages-lint.txt
	@exec $(DEV)/format.sh fix

format-check: ## say which sources are not in the house form
	@$(DEPS) $(DEV)/packages-lint.txt
	@exec $(DEV)/format.sh check

bench: all ## side by side with PgBouncer and a direct connection
	@$(DEPS) $(DEV)/packages-bench.txt
	@exec $(PYTHON) tests/bench/run.py

clean: ## remove everything that was built; .run/ too when nothing runs in it
	@$(MAKE) -C extension PG_CONFIG=$(PG_CONFIG_PROGRAM) clean >/dev/null 2>&1 || true
	@rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan
	@$(DEV)/clean_run.sh

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^## / { printf "\n%s\n", substr($$0, 4) } \
	  /^[a-z][a-z-]*:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
