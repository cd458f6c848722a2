// Package crash kills harelab serve under load, again and again, and checks that it keeps
// what it promised. `make crash` runs 200 cycles; the gate runs 20.
//
// Publishers with confirms and consumers that ack, nack, reject and vanish load a broker
// with a folder of data. At a random moment the broker gets SIGKILL, also while it starts
// or shuts down, and starts again. A [Ledger] outside the broker writes down each step
// before or after it happens, whichever makes the weaker claim, and believes nothing that
// the broker says except its confirms.
//
// Two tests fill a disk of 64 MiB below the broker, up to --disk-free-limit and to the last
// octet: five times beside the kills, 100 times with `make diskfull`.
//
// # What AMQP promises
//
// A confirm says that the message is kept: it must be delivered until somebody settles it.
// An ack has no answer. A message that was acked just before the crash may come back, but
// then it must be flagged as redelivered. Only when a publish on the same channel, after
// the ack, is confirmed is the ack known to be durable, since changes become durable in
// their order.
package crash
