# The two commands that matter: make demo, make test.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build demo bench bench-venue check format test mutants simulate chaos drills exactly-once stop clean

BIN := .venv/bin
GRADLE := toolchain/gradle.sh

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: ## find or prepare the JDK 8 and the Python environment
	@toolchain/jdk8.sh >/dev/null
	@toolchain/python.sh

build: setup ## build and sign the CorDapps, the bridge and the tools that make a network
	@$(GRADLE) -q networkParts

demo: build ## set everything up and play examples/day-1 on a real network
	@$(BIN)/ippon demo

bench: setup ## settlements beside plain payments on the same warm nodes; then the demo, how soon and how long
	@$(GRADLE) -q benchParts
	@$(BIN)/ippon network down >/dev/null
	@$(BIN)/python -m ippon.bench
	@$(BIN)/python -m ippon.demo.bench --runs 1

bench-venue: ## orders a second of the venue's matching on one core; no network
	@toolchain/python.sh
	@$(BIN)/python -m ippon.venue.bench

check: ## format, lint, types and fast tests; no node, no Gradle
	@toolchain/python.sh
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/unit

format: ## put the Python into its format
	@toolchain/python.sh
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Kotlin first, Python after it whatever came of it; pytest has the last word on the screen, both decide.
chaos: build ## every fault at every point on the real network (about an hour); writes docs/reliability.md's table
	@toolchain/packet_filter.sh
	@mkdir -p build
	@rm -f build/chaos.jsonl
	@IPPON_CHAOS_RESULTS=$(CURDIR)/build/chaos.jsonl $(BIN)/pytest -v tests/chaos
	@cd tests && ../$(BIN)/python -m chaos.table ../build/chaos.jsonl ../docs/reliability.md

drills: build ## every node restored from its backup, and every node upgraded, on a network of their own
	@$(GRADLE) -q drillParts
	@IPPON_DRILLS=all $(BIN)/pytest -v tests/drills

exactly-once: build ## 500 fills sent 10,000 times more, in files, at the bridge and by fresh flows: 500 settlements
	@IPPON_ONCE_FILLS=500 IPPON_ONCE_RESENDS=10000 $(BIN)/pytest -v tests/network/test_exactly_once.py

test: setup ## every test, the real network's included
	@toolchain/packet_filter.sh
	@failed=0; \
	$(GRADLE) test networkParts drillParts liarParts --continue || failed=1; \
	$(BIN)/pytest || failed=1; \
	exit $$failed

mutants: setup ## show that each check in contracts and flows has a test that turns red without it (ONLY=part of a name, FRESH=1)
	@$(BIN)/python toolchain/mutants.py --only "$(ONLY)" $(if $(FRESH),--fresh)

simulate: ## the agents on a model ledger under seeded faults: make simulate SEEDS=5000
	@toolchain/python.sh
	@$(BIN)/python -m ippon.simulator --seeds $(or $(SEEDS),500) --jobs 2

stop: ## stop agents, bridges and nodes; the ledger stays
	@if [[ -x $(BIN)/ippon ]]; then $(BIN)/ippon network down; fi

clean: stop ## stop, and delete all that was built, the ledger included (keys in ~/.ippon stay)
	@rm -rf build .gradle */build cordapps/*/build .mypy_cache .pytest_cache .ruff_cache .hypothesis
