# Firedrill. 'make help' lists what there is.
GO      ?= go
SEEDS   ?= 20000
export AWS_EC2_METADATA_DISABLED = true

# Handlers: no cgo, no paths of this machine, no net/rpc in aws-lambda-go, time zones inside; the same bytes from the same sources.
HANDLER_FLAGS = -trimpath -buildvcs=false -tags lambda.norpc,timetzdata -ldflags '-s -w'
HANDLER_ARCH ?= arm64
STACK   ?= firedrill
SECRETS ?= firedrill/prod
FUNCTIONS     = start advance poll abort conclude notify chatops

.DEFAULT_GOAL := help
.PHONY: run demo test test-e2e deploy-aws clients check build generate simulate bench help clean

run: ## console on 127.0.0.1:8080, sandbox on 127.0.0.1:8081, nothing else needed (the first build fetches modules)
	@echo "building firedrill; the first time this fetches the Go modules (about 60 MB) and compiles them, 1-2 minutes"
	@$(GO) build -o build/firedrill ./deploy/local
	@exec build/firedrill up

demo: ## one drill on each service, with timelines, verdicts and reports
	@echo "building firedrill; the first time this fetches the Go modules (about 60 MB) and compiles them, 1-2 minutes"
	@$(GO) build -o build/firedrill ./deploy/local
	@exec build/firedrill demo

test: ## every test that needs Go alone
	$(GO) test -timeout 30m ./...

check: ## formatting, vet, staticcheck, race tests, import rules, tidy modules
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo 'not formatted:'; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff
	$(GO) test -race -timeout 40m ./...

test-e2e: ## template.yaml by cfn-lint and SAM, whole drills under AWS's own Lambda emulator; needs Python, installs the rest in a temporary folder
	@GO='$(GO)' deploy/e2e/run.sh

deploy-aws: build ## deploy template.yaml: make deploy-aws STACK=firedrill SECRETS=firedrill/prod (see deploy/aws/README.md)
	@test '$(HANDLER_ARCH)' = arm64 || { echo 'template.yaml wants arm64'; exit 1; }
	sam deploy --template-file template.yaml --stack-name '$(STACK)' --capabilities CAPABILITY_IAM --resolve-s3 --no-fail-on-empty-changeset \
		--parameter-overrides 'Secrets=$(SECRETS)' $(PARAMETERS)

clients: ## the vendors' own clients against the sandbox; needs the AWS CLI or Node
	@docs/clients/run.sh

build: $(FUNCTIONS:%=build/%/bootstrap) ## build/firedrill, and build/<function>/ with bootstrap and zip (HANDLER_ARCH=arm64 or amd64)
	$(GO) run ./deploy/pack $(FUNCTIONS:%=build/%)
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o build/firedrill ./deploy/local

.PHONY: $(FUNCTIONS:%=build/%/bootstrap)
$(FUNCTIONS:%=build/%/bootstrap): build/%/bootstrap:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(HANDLER_ARCH) $(GO) build $(HANDLER_FLAGS) -o $@ ./functions/$*/bootstrap

check-reproducible: build ## build a function again, from another folder and an empty cache, and compare the bytes
	@rm -rf build/again && mkdir -p build/again/src && cp -r go.mod go.sum events functions shared build/again/src
	cd build/again/src && CGO_ENABLED=0 GOOS=linux GOARCH=$(HANDLER_ARCH) GOCACHE=$(CURDIR)/build/again/cache $(GO) build $(HANDLER_FLAGS) -o ../start/bootstrap ./functions/start/bootstrap
	$(GO) run ./deploy/pack build/again/start
	cmp build/start/bootstrap build/again/start/bootstrap && cmp build/start/start.zip build/again/start/start.zip && rm -rf build/again

generate: ## write the Go code of the page templates again
	$(GO) tool templ generate

simulate: ## a long run of the simulator: make simulate SEEDS=20000
	$(GO) test ./shared/simulate -run 'TestSimulate' -count 1 -timeout 0 -v -args -seeds $(SEEDS)

bench: ## benchmarks; those under AWS's emulator: FIREDRILL_E2E_BENCH=15x make test-e2e (see docs/performance.md)
	$(GO) test -run '^$$' -bench . ./...

clean: ## remove build/ and .firedrill/
	rm -rf build .firedrill

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
