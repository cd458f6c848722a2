// Package interop tests harelab serve with the clients that people use: pika, aio-pika,
// bunny, php-amqplib, amqp091-go with its own tests, Celery workers and amqp-tools. Most of
// them run on a real RabbitMQ, too, and what they print is compared line by line. It tests
// harelab run against a real RabbitMQ. These tests have the build tag interop, because they
// need programs besides Go; `make interop` runs them and reports missing programs.
//
// The answers of a real RabbitMQ to the conversations of testdata/differential.txt are
// recorded. Every go test checks the engine against them.
package interop
