# harelab: every target is a line or two of go commands.
COUNT ?= 10
FUZZTIME ?= 20s
MIB ?= 1024
CYCLES ?= 200
FILLS ?= 100
READY ?= 2s

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

run: ## run the talk's before/after pair, predicted and measured, in one report
	go run ./cmd/harelab run

test: ## run every test that needs only Go
	go test ./...

race: ## the same tests under the race detector, with the engine's invariants checked
	go test -race -short -timeout 20m ./...

invariants: ## the tests of engine and load generators, with the engine's invariants checked
	go test -tags invariants -short ./engine/... ./loadgen/...

lint: ## gofmt, go mod tidy, vet, staticcheck, known vulnerabilities
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'gofmt would change the files above'; exit 1; }
	go mod tidy -diff && go mod verify && cd bench/peers && go mod tidy -diff && go vet ./...
	go vet ./... && go vet -tags interop,browser,crash,memory ./cmd/harelab/... && go tool staticcheck ./...
	go vet -tags interop,invariants ./... && go tool staticcheck -tags invariants ./engine/...
	cd .ci/vuln && go vet . && go run . ../..

fuzz: ## run every fuzz target for FUZZTIME
	@grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' . | sed 's|/[^/]*:func | |' | while read -r dir name; do \
	echo "$$dir $$name"; go test -tags invariants -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) "$$dir" || exit 1; done

truth: ## recompute what pages and sweeps say of 10,000 random pairs of variants
	go test -count 1 -v -timeout 30m -run 'TellTheTruth|CatchesLies' ./bench/lab -truth.pairs 10000

powerfail: ## 10,000 random histories with power cuts, an I/O error at every call of a script, a small disk filled 100 times
	go test -count 1 -v -timeout 60m -run 'Powerfail|ErrorAtEveryCall|SmallDisk' ./engine/store/pebble -powerfail.seeds 10000

bench: ## run every benchmark COUNT times into bench.txt; read it with go tool benchstat -col /strategy bench.txt
	go test -run '^$$' -bench . -timeout 0 -count $(COUNT) ./bench/... | tee bench.txt

interop: ## test harelab serve with real clients: pika, aio-pika, bunny, php-amqplib, amqp091-go, Celery, amqp-tools
	go test -tags interop,invariants -count 1 -v ./cmd/harelab/interop

browser: ## look at every kind of page in Chromium, wide and narrow, light and dark, with two families of fonts
	go test -tags browser -count 1 ./cmd/harelab/browser

crash: ## kill the broker CYCLES times under load and check that it keeps what it confirmed (ten minutes)
	go test -tags crash -count 1 -v -timeout 1h ./cmd/harelab/crash -args -crash.cycles $(CYCLES) -crash.ready $(READY)

diskfull: ## fill a disk of 64 MiB FILLS times below a served broker, up to its limit and to the last octet (needs mount)
	go test -tags crash -count 1 -v -timeout 2h -run DiskFull ./cmd/harelab/crash -args -diskfull.fills $(FILLS)

outcomes: ## run the talk ten times with real Celery on a real RabbitMQ and print what came out (five minutes)
	go test -tags interop -count 1 -v -run TestOutcomesOnRabbitMQ ./cmd/harelab/interop -args -outcomes 10

memory: ## measure the memory of a served broker with MIB mebibytes of data, and print the table
	go test -tags memory -count 1 -v -timeout 1h ./cmd/harelab/footprint -args -memory.mib $(MIB)

.PHONY: help run test race invariants lint fuzz truth powerfail bench interop browser crash diskfull memory outcomes
