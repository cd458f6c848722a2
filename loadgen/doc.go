// Package loadgen turns a resolved scenario into load and measurements.
//
// It holds what the runners share: the [Plan] (which message is published when),
// the [Body] of a message, the [FailPolicy] of a worker, the [Features] of the
// format that are carried out. The runners are subpackages: amqp drives any AMQP
// 0-9-1 broker in real time, sim drives harelab's broker in virtual time. Both
// return a [harelab/loadgen/run.Result]. In real time publishers and workers record
// into a [Log], and [Merge] makes the result of the logs of all shares of a run.
//
// Load is open loop wherever the scenario says so: message n is due at its
// intended time whatever the broker does, and is measured from then, not from
// when it was sent. Otherwise a stalled broker would delay its own load and
// hide the stall (coordinated omission; G. Tene, "How NOT to Measure Latency").
package loadgen
