# Everyday targets. The build itself is meson and ninja; `make help` lists what is here.
.DEFAULT_GOAL := help

BUILD ?= build
PROGRAM := $(BUILD)/duckdb-api
PYTEST := PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest
# What `make run` passes on: make run ARGS="--port 9000"
ARGS ?=

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## install what the build needs (quick when it is there)
	@deps/setup build

build: setup ## build the program
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD)
	@ninja -C $(BUILD)

run: build ## set up, build and start the server
	@exec $(PROGRAM) serve $(ARGS)

unit: build ## run the unit tests
	@meson test -C $(BUILD) --no-rebuild --print-errorlogs --suite unit

clean: ## remove the build folders
	rm -rf build build-*

.PHONY: help setup build run unit clean
