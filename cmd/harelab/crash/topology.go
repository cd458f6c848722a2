package crash

import "math/rand/v2"

// A Queue is a queue of the topology.
type Queue struct {
	Name       string
	Priorities bool   // deliveries are in order for each priority
	DeadLetter string // queue that gets what consumers reject; empty: it is dropped
	Derived    bool   // it gets dead letters, which may come twice after a crash, in any order
}

// Names of the topology's objects.
const (
	Fanout = "crash.fanout"
	Topic  = "crash.topic"

	Short = "short" // has no consumers: its messages expire into Late
	Late  = "late"
	Dead  = "dead"
	Fence = "fence"
)

// Queues are the queues that have consumers.
var Queues = []Queue{
	{Name: "fan.1"},
	{Name: "fan.2"},
	{Name: "topic.orders", DeadLetter: Dead},
	{Name: "topic.all"},
	{Name: "ranked", Priorities: true},
	{Name: Dead, Derived: true},
	{Name: Late, Derived: true},
}

// A Route is where a message is published to, and the queues that must get it.
type Route struct {
	Exchange, Key string
	Priority      uint8
	To            []string
}

// MaxPriority is that of queue ranked.
const MaxPriority = 3

// RandomRoute draws a route.
func RandomRoute(r *rand.Rand) Route {
	switch r.IntN(5) {
	case 0:
		return Route{Exchange: Fanout, To: []string{"fan.1", "fan.2"}}
	case 1:
		return Route{Exchange: Topic, Key: "orders.new", To: []string{"topic.orders", "topic.all"}}
	case 2:
		return Route{Exchange: Topic, Key: "stock.low", To: []string{"topic.all"}}
	case 3:
		return Route{Key: Short, To: []string{Late}}
	}
	return Route{Key: "ranked", Priority: uint8(r.IntN(MaxPriority + 1)), To: []string{"ranked"}}
}
