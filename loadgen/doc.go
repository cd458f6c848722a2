// Package loadgen turns a resolved scenario into load and measurements.
//
// It holds what the runners share: the [Plan] (which message is published when),
// the [Body] of a message, the [FailPolicy] of a worker and the [Features] of the
// format that runners carry out. The runners are subpackages: amqp drives any AMQP
// 0-9-1 broker in real time, sim drives harelab's broker in virtual time. Both
// return a [harelab/loadgen/run.Result]. In real time publishers and workers write
// a [Log], and [Merge] makes the result from the logs of all shares of a run.
//
// Load is open loop wherever the scenario says so: message n is due at its
// intended time even if the broker is slow, and its latency counts from that time,
// not from when it was sent. Otherwise a stalled broker would delay its own load
// and hide the stall (coordinated omission; G. Tene, "How NOT to Measure Latency").
package loadgen
