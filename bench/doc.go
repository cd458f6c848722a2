// Package bench holds the benchmarks: topic matchers, dispatchers, the codec and
// the whole broker. Each reports a count that proves the work was done, and fails
// if the count is wrong. Names are made of key=value pairs that
//
//	go test -run=^$ -bench=. -count=10 ./bench | go tool benchstat -col /strategy -
//
// can put into rows and columns. The keys are scenario, strategy (of topic matchers),
// dispatch, order, target, workload, bindings, consumers, prefetch, body and procs. The units are those of
// the testing package and matches/op, B/binding, msgs, max-ns and cpu-ns/op.
//
// Absolute figures of a shared machine mean little: compare within one run, and
// interleave with -count rather than run one side after the other. Package
// matchlab does so by itself and draws the result; the module in peers puts
// other brokers' matchers beside ours.
package bench
