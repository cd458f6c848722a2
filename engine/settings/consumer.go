package settings

import (
	"fmt"
	"slices"

	"harelab/engine/wire"
)

// Consumer holds the arguments of basic.consume.
type Consumer struct {
	Priority int32
	Slots    uint32 // number of messages the worker can work on at once; 0 unknown
}

// haFailover is an argument about mirrored queues, which this broker does not have.
const haFailover = "x-cancel-on-ha-failover"

// ForConsumer reads the arguments of a consumer and checks them against the queue's
// type (rabbit_amqqueue, check_consume_arguments/3). Its errors are RabbitMQ's texts,
// which call the queue resource.
func ForConsumer(args wire.Table, q *Queue, resource Resource) (Consumer, error) {
	var c Consumer
	if err := c.read(args, resource); err != nil {
		return Consumer{}, err
	}
	refused := []string{"x-stream-offset"}
	if q.Quorum {
		refused = append(refused, haFailover)
	} else if v, ok := args.Get(haFailover); ok && wire.TypeName(v) != "bool" {
		return Consumer{}, invalidArgument(haFailover, resource, unacceptable(v))
	}
	for _, f := range args {
		if slices.Contains(refused, f.Key) {
			return Consumer{}, q.wrongType(f.Key, resource)
		}
	}
	return c, nil
}

func (c *Consumer) read(args wire.Table, resource Resource) error {
	if v, ok := args.Get("x-priority"); ok {
		n, ok := wire.Integer(v)
		if !ok {
			return invalidArgument("x-priority", resource, expectedInteger(v))
		}
		c.Priority = int32(min(max(n, -1<<31), 1<<31-1))
	}
	if v, ok := args.Get("x-slots"); ok {
		n, ok := wire.Integer(v)
		switch {
		case !ok:
			return invalidArgument("x-slots", resource, expectedInteger(v))
		case n < 0:
			return invalidArgument("x-slots", resource, fmt.Sprintf("{value_negative,%d}", n))
		}
		c.Slots = uint32(min(n, 1<<31))
	}
	return nil
}
