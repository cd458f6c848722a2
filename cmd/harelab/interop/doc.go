// Package interop holds harelab serve against the clients people really use:
// pika, aio-pika, Celery workers and the amqp-tools, and harelab run against
// a real RabbitMQ. Those tests carry the build tag interop, because they need
// programs that a machine with Go alone does not have; `make interop` runs
// them and says what is missing.
//
// What a real RabbitMQ answered in the conversations of testdata/differential.txt
// is on record, and the engine is held to it by every go test.
package interop
