# The verbs a person needs. Each installs what is missing first and says what it is doing.
#   make demo          the controller on a real local API server, start to finish (KEEP=1 leaves it running)
#   make test          everything: unit, fault and integration tests, two real nodes (root), then sanitizers
#   make build         the release binary, build/release/bin/shutdown-auditor
#   make bench         benchmarks against a reference in the same run
#   make chart-test    Helm chart, manifests and image: rendering, checkers, rights on a real API server
#   make release       the files of a release with checksums, in build/dist
#   make fuzz          every fuzz target for FUZZ_SECONDS (600) with libFuzzer; `make test` replays their corpora
#   make e2e           the release on two real nodes: install, upgrade, failures, uninstall; needs root
#   make cluster       a local cluster with NODES (1) nodes that have IMAGES (OCI archives); make cluster-down stops it
SHELL := /bin/bash
.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)
NODES ?= 1
CLUSTER_DIR ?= $(CURDIR)/build/cluster
BIN := build/release/bin/shutdown-auditor

.PHONY: help demo test bench fuzz chart-test release e2e build cluster cluster-down deps deps-node tools

help:
	@sed -n 's/^#   //p' Makefile

deps:
	@tests/cluster/deps.sh

deps-node:
	@tests/cluster/deps.sh --with-node

tools: deps
	@tests/cluster/tools.sh

build: deps
	@echo "== building the release binary ($(BIN))"
	@cmake --preset release > build-release.log 2>&1 || { cat build-release.log; rm -f build-release.log; exit 1; }; rm -f build-release.log
	@cmake --build --preset release --parallel $(JOBS)

demo: build tools
	@examples/demo.sh $(if $(KEEP),--keep)

test: $(if $(filter skip,$(E2E)),deps,deps-node)
	@tests/run.sh

bench: build tools
	@tests/bench/run.sh

chart-test: build tools
	@tests/chart/run.sh $(BIN)

release: build
	@tests/chart/deps.sh
	@packaging/release.sh

fuzz: deps
	@tests/fuzz/run.sh

e2e: build deps-node
	@tests/cluster/tools.sh --with-node --quiet && tests/chart/tools.sh helm4
	@tests/e2e/run.sh $(BIN)

cluster: nodes = --nodes=$(NODES) $(IMAGES:%=--image=%)
cluster: $(if $(filter 0,$(NODES)),deps,deps-node)
	@tests/cluster/tools.sh $(if $(filter 0,$(NODES)),,--with-node)
	@tests/cluster/cluster.sh up "$(CLUSTER_DIR)" $(if $(filter 0,$(NODES)),--with-controller-manager,$(nodes))
	@echo "Use it:  export KUBECONFIG=$(CLUSTER_DIR)/kubeconfig; $$(tests/cluster/tools.sh --path)/kubectl get namespaces"
	@echo "Stop it: make cluster-down"

cluster-down:
	@tests/cluster/cluster.sh down "$(CLUSTER_DIR)"
