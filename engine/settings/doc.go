// Package settings turns the arguments of queues, exchanges and consumers into effective
// settings. It checks arguments as RabbitMQ does, and uses the broker's defaults for
// missing ones. It is pure: its results depend on its arguments alone.
//
// Its errors have RabbitMQ's texts and no reply code, since each is a failed
// precondition (406).
package settings
