# Everyday targets; meson and ninja do the work below. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# The flavours of the build, each in its own folder.
BUILD := build
FLAGS_build :=
FLAGS_build-asan := -Db_sanitize=address,undefined -Doptimization=1 -Dwerror=false
FLAGS_build-tsan := -Db_sanitize=thread -Doptimization=1 -Dwerror=false
FLAGS_build-fuzz := -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true -Doptimization=1 -Dwerror=false
CC_build-fuzz := CC=clang-14

# What `make run` passes on to the server, and `make api` to pytest.
ARGS ?=
PYTEST_ARGS ?=
FUZZ_SECONDS ?= 60

# What the API tests add under the sanitizers is the server's own code under load; the clients' side of them is not
# instrumented, so the suites that cover the doors and the storage are enough there.
ASAN_API := test_conventions or test_projects or test_tables or test_files or test_import or test_jobs or test_branches or test_s3_objects or test_grpc_every_command or test_pgwire_hostile
TSAN_API := test_conventions or test_tables or test_jobs or test_s3_hostile or test_pgwire_hostile

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-7s %s\n", $$1, $$2 }' Makefile

setup: ## install what the build needs; quick when it is there
	@deps/setup build

setup-%:
	@deps/setup build $*

# compile-FOLDER configures that flavour once and builds it.
compile-%: setup
	@test -f $*/build.ninja || $(CC_$*) meson setup $* $(FLAGS_$*) >$*.log 2>&1 || { cat $*.log; rm -rf $* $*.log; exit 1; }
	@rm -f $*.log
	@ninja -C $*

build: compile-build ## build the program into build/

run: build ## set up, build and start the server; ARGS="--port 9000"
	@exec $(BUILD)/duckdb-api serve --admin-api-key-file data/admin.key $(ARGS)

test: unit api rules ## run all tests

unit: build ## run the unit tests
	@tools/test unit build

api: build setup-test ## run the API tests with real clients; PYTEST_ARGS="-k s3"
	@tools/test api build $(PYTEST_ARGS)

soak: build setup-test ## run the tests that repeat for many minutes
	@tools/test api build -m soak $(PYTEST_ARGS)

rules: setup-test ## check the Prometheus rules and run their tests
	@tools/test rules build

asan: compile-build-asan setup-test ## unit and API tests under AddressSanitizer and UBSan
	@tools/test unit build-asan
	@tools/test api build-asan -m 'not slow and not soak' -k '$(ASAN_API)' $(PYTEST_ARGS)

tsan: compile-build-tsan setup-test ## unit and API tests under ThreadSanitizer
	@tools/test unit build-tsan
	@tools/test api build-tsan -m 'not slow and not soak' -k '$(TSAN_API)' $(PYTEST_ARGS)

fuzz: setup-fuzz compile-build-fuzz ## run every fuzzer for FUZZ_SECONDS (60)
	@tools/fuzz build-fuzz $(FUZZ_SECONDS)

lint: setup-lint build ## style and static checks
	@tools/lint build

fmt: setup-lint ## format the C files
	@git ls-files --cached --others --exclude-standard -z -- '*.c' '*.h' | xargs -0 -r clang-format-14 -i

bench: build setup-test ## measure the promised ratios
	@bench/run build

clean: ## remove the build folders
	rm -rf build build-*

.PHONY: help setup build run test unit api soak rules asan tsan fuzz lint fmt bench clean
