package server

import (
	"runtime"

	"harelab/engine/wire"
)

// productRabbitMQ is the product on which clients branch: kombu, for example, sets the
// prefetch of a channel in another way if the product is not RabbitMQ.
const productRabbitMQ = "RabbitMQ"

// compatible is the release of RabbitMQ that this server behaves like.
const compatible = "3.10.8"

// capabilities names the extensions of AMQP 0-9-1 that the server supports.
var capabilities = []string{
	"publisher_confirms",
	"exchange_exchange_bindings",
	"basic.nack",
	"consumer_cancel_notify",
	"connection.blocked",
	"consumer_priorities",
	"authentication_failure_close",
	"per_consumer_qos",
	"direct_reply_to",
}

// properties returns the server-properties of connection.start.
func (s *Server) properties() wire.Table {
	var able, t wire.Table
	for _, name := range capabilities {
		able.Set(name, true)
	}
	t.Set("capabilities", able)
	t.Set("cluster_name", s.opts.Broker.NodeName())
	t.Set("information", "harelab, a lab for message routing and dispatch; it answers as RabbitMQ "+compatible+" does")
	t.Set("platform", "Go "+runtime.Version()[2:])
	t.Set("product", s.opts.Product)
	t.Set("version", compatible)
	t.Set("harelab", "1")
	return t
}
