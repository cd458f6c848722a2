// Package settings turns the arguments of queues, exchanges and consumers into what
// holds for them: checked as RabbitMQ checks them, with the broker's defaults where
// they say nothing. It is pure: a function of its arguments, without a clock, lock or
// broker.
//
// Its errors carry RabbitMQ's texts and no reply code: what the package refuses is
// always a failed precondition (406).
package settings
