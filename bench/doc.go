// Package bench has the benchmarks of topic matchers, dispatchers, the codec and the
// whole broker. Each reports a count that proves the work was done, and fails if the
// count is wrong. Names consist of key=value pairs, which benchstat puts into rows and
// columns:
//
//	go test -run=^$ -bench=. -count=10 ./bench | go tool benchstat -col /strategy -
//
// The keys are scenario, strategy (of topic matchers), dispatch, order, target,
// workload, bindings, consumers, prefetch, body and procs. The units are those of the
// testing package and matches/op, B/binding, msgs, msgs/s, max-ns and cpu-ns/op.
//
// Absolute figures of a shared machine mean little: compare within one run, and
// interleave the sides with -count. Package matchlab interleaves by itself and draws the
// result; the module in peers measures other brokers' matchers beside ours.
package bench
