# Atrium. `make` lists what can be done here.

SHELL         := bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS     += --no-print-directory
.PHONY: help run build test lint fmt generate screenshots golden bench fault fuzz clean install

# One program, whether or not a C compiler is installed. The race detector wants CGO_ENABLED=1.
export CGO_ENABLED ?= 0

TOOL     := go tool -modfile=.ci/tools.mod
FULL     ?=
FUZZTIME ?= 20s

help: ## List these targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 16

run: install build ## Start Atrium with a demo firm on http://localhost:8080 (data in ./data)
	@exec bin/atrium demo --data ./data

# In somebody else's clone git refuses to name the commit: then the programs go without it.
build: ## Build the programs into bin/
	@mkdir -p bin
	@go build -trimpath -buildvcs=$$(git rev-parse -q HEAD &>/dev/null && echo auto || echo false) -o bin/ ./cmd/atrium $(wildcard ./cmd/atrium-verify)

test: install ## Run every test, on a throw-away Postgres and in a real browser
	@.ci/install-chromium
	@.ci/install-npm-packages
	@.ci/install-stripe-mock
	@.ci/install-strace
	@go run ./cmd/testpg -- go test -timeout 14m ./...

lint: ## Check the format, what may import what, and the usual mistakes
	@.ci/check-top-level
	@$(MAKE) generate && git diff --exit-code --stat -- '*_templ.go' || { echo 'Generated page components are stale: run make generate and commit.' >&2; exit 1; }
	@$(TOOL) golangci-lint run

fmt: ## Format the code
	@$(TOOL) gofumpt -l -w .

screenshots: install ## Make the pictures of the README from the demo
	@.ci/install-chromium
	@.ci/install-npm-packages
	@go test ./cmd/atrium -count=1 -run TestJourneys -screenshots $(CURDIR)/deploy/screenshots

generate: ## Write the Go files of the page components
	@$(TOOL) templ generate -log-level error

golden: ## Write the golden samples anew; read the difference before you commit it
	@go test $$(grep -rlE --include='*_test.go' '^func Test\w*Golden' . | xargs -n1 dirname | sort -u) -run Golden -update

bench: build ## Measure appends, replay and reads against their limits (FULL=1: full size)
	@for what in append replay visible read pages history audit scale; do bin/atrium bench $$what $(if $(FULL),--full); done

fault: install ## Kill, cut, fill and freeze everything under load, for forty minutes; deploy/faults.md has the figures
	@.ci/install-strace
	@.ci/install-npm-packages
	@ATRIUM_FAULT=long go run ./cmd/testpg -- go test -timeout 80m -count=1 -v -run 'Kill|Fault|Several|Frozen|Torn|Disk|Acknowledged|Histories|Winner|Crash|Clock|Idle|NodeJS|Failed|TwoProjectors|Lease|Writers|Comes|Outlives|Replaced|LostReply' \
		./cmd/atrium ./cmd/internal/eventnode ./cmd/internal/eventlog ./cmd/internal/feed ./cmd/internal/postgres ./projections | grep -E '^(=== RUN|---|\s+---|\s+\w+_test\.go|ok|FAIL|PASS)'

fuzz: ## Fuzz every decoder in turn (FUZZTIME=20s each)
	@grep -roE --include='*_test.go' '^func Fuzz\w+' . | while IFS=: read -r file func; do \
		go test "$$(dirname "$$file")" -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime $(FUZZTIME) </dev/null; \
	done

clean: ## Remove what was built; ./data stays
	@rm -rf bin coverage.out

install:
	@.ci/install-postgres
