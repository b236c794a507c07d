# Every target prepares what it needs by itself, once; see deploy/setup/setup.sh. One profile for everything: --release.
SHELL := /bin/bash
export PATH := $(CURDIR)/.runtime/bin:$(PATH)

# Left at target/release/vigie whatever the caller's environment says.
cargo_flags := --release --locked --offline --target-dir target
setup := deploy/setup/setup.sh
# More words for the command, as in: make run ARGS="--repository /srv/models"
ARGS ?=
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 600

.DEFAULT_GOAL := help
.PHONY: help setup build run test test-training train lint fuzz soak bench bench-peers flame tour clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name what; do printf '  make %-15s %s\n' "$$name" "$$what"; done

setup: ## Prepare everything for building and testing, and try again what could not be had before
	@$(setup) all

build: ## Build the server and its command line at target/release/vigie
	@$(setup) build
	cargo build $(cargo_flags)

run: build ## Build and serve the shipped models: gRPC on 8001, admin on 8002
	target/release/vigie serve $(ARGS)

test: ## Run the tests (not the training's)
	@$(setup) test
	cargo test $(cargo_flags) --lib --test it $(ARGS)

test-training: ## Run the tests of the training: slow, and PyTorch is fetched first (about 3 GB)
	@$(setup) training
	.runtime/training/bin/python -m pytest -p no:cacheprovider tests/training $(ARGS)

train: ## Train both shipped versions anew, on two cores in less than half an hour
	@$(setup) training
	PYTHONPATH=models/adsafety .runtime/training/bin/python -m training $(ARGS)

lint: ## Check formatting, clippy and documentation, warnings denied
	@$(setup) lint
	cargo fmt --all --check
	cargo clippy $(cargo_flags) --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings --allow rustdoc::private_intra_doc_links" cargo doc $(cargo_flags) --no-deps --document-private-items

fuzz: ## Fuzz the borders, FUZZ_SECONDS a target
	@$(setup) fuzz
	nice tests/fuzz/run $(FUZZ_SECONDS)

soak: ## Run reloads, overload, cancellations, garbage and restarts together, SOAK_SECONDS long
	@$(setup) test
	VIGIE_SOAK_SECONDS=$(SOAK_SECONDS) cargo test $(cargo_flags) --test it -- --nocapture soak::

bench: ## Measure what the README's figures say, on this machine
	@$(setup) test
	cargo bench $(subst --release,--profile release,$(cargo_flags)) --bench figures -- $(ARGS)

bench-peers: build ## Measure MLServer, LitServe, BentoML and Triton beside the server; they are fetched first (about 1.4 GB)
	@$(setup) test
	@$(setup) peers
	cargo bench $(subst --release,--profile release,$(cargo_flags)) --bench figures -- export target/tmp/peers
	PYTHONPATH=tests .runtime/peers/load/bin/python -m peers --decode guide $(ARGS)
	PYTHONPATH=tests .runtime/peers/load/bin/python -m peers --decode half $(ARGS)

flame: ## Draw where a server under load spends its time: target/tmp/flame.svg
	@$(setup) flame
	deploy/flame/flame.sh

tour: build ## Run every command of the README's quick start, and check that it prints what is shown there
	python3 deploy/tour/tour.py $(ARGS)

clean: ## Remove what was built and fetched
	rm -rf target .runtime
