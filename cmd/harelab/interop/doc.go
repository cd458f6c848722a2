// Package interop holds harelab serve against the clients people really use:
// pika, aio-pika, Celery workers and the amqp-tools, and harelab run against
// a real RabbitMQ. Its tests carry the build tag interop, because they need
// programs that a machine with Go alone does not have; `make interop` runs
// them and says what is missing.
package interop
