// Package dispatch decides which message of a queue goes out next and which
// consumer gets it.
//
// Two decisions, kept apart. A Selector says which consumer takes the next message;
// n is the number of consumers, and among consumer priorities the best that has an
// eligible consumer comes first:
//
//	          idea                                          a message   when to use it
//	rr        in turn; who is full is skipped when looked   O(1)        as RabbitMQ's classic queues: the default
//	          at
//	rr-eager  in turn; who is full leaves the ring at once  O(1)        as RabbitMQ's quorum queues
//	fair      in turn among those with an idle slot         O(1)        long and short work mixed, acks after the work
//	adaptive  in turn, with a measured prefetch             O(1)        workers across a link, of unknown service time
//	jsq       the fewest messages outstanding               O(log n)    workers of unlike speed; work of like size
//	lwl       the least work left, by cost hints            O(log n)    work of unlike size, known beforehand
//	po2       the lesser of two drawn                       O(log n)    many consumers: nearly jsq, with two looks
//	jiq       idle longest, else a drawn one                O(log n)    many consumers, seldom all busy
//	random    a drawn one                                   O(log n)    the baseline that the others have to beat
//
// An Order says which ready message is next; m is the number of ready messages, t
// that of tenants:
//
//	          idea                                          a message   when to use it
//	fifo      the oldest                                    O(1)        the default
//	priority  the highest priority, the oldest within       O(1)        some are urgent and never many; the default
//	                                                                    of queues with x-max-priority
//	aging     priority, which waiting raises                O(1)        as priority, where nobody may starve
//	sjf       the least cost                                O(log m)    the mean wait counts, and costs are known
//	drr       tenants in turn, each its quantum             O(log t)    tenants share a queue, and one floods it
//
// Every strategy is one file that registers itself. To add a selector, copy rr.go; to
// add an order, copy fifo.go. The conformance suite (dispatchtest), the benchmarks,
// the flags and the reports take it from [Selectors] and [Orders].
//
// Both work on tables that the queue keeps: Messages, addressed by Ref, and
// Consumers, addressed by ConsumerID. A strategy holds references into them and
// no copies, so that a queue of many messages costs one row for each.
//
// Nothing here reads a clock, starts a goroutine, iterates over a map or takes
// a lock: the time is an argument, random numbers come from a seed, and one
// caller at a time is the rule. Only a Limiter may be shared between queues.
//
// The words: a Limiter is a channel's own prefetch, over all its consumers
// (RabbitMQ's rabbit_limiter); a roster is a table's consumers in subscription
// order with those marked that are eligible; a ring holds consumers in turn, and
// an ordered ring also tells which of two members comes first; an AnswerLog is
// what a queue was answered by probes and limiters, for a recording. The files
// table_*.go are the tables that the queue keeps, of consumers, channels and
// messages.
package dispatch

import "harelab/engine/internal/registry"

// Needs says what a strategy reads. A broker finds out only what is needed, and the
// suite (dispatchtest) holds a strategy to what it says: its decisions are the same
// when all else is withheld.
type Needs uint8

// What a strategy may need.
const (
	NeedCost     Needs = 1 << iota // the cost hint of a message
	NeedTenant                     // the tenant of a message
	NeedPriority                   // the priority of a message
	NeedSlots                      // the number of slots of a consumer
	NeedTime                       // the time of a decision; else any time may be given
	NeedProbe                      // what a consumer's Probe says, after each single delivery
)

// Config is what the strategies of one queue can be told. The zero value is
// usable: each strategy says what it makes of a zero.
type Config struct {
	Seed          uint64           // random, po2, jiq
	MaxPriority   uint8            // priority, aging: greater ones count as this; 0 is 255
	AgingUS       int64            // aging: microseconds of waiting that weigh one priority; 0 is one second
	Quantum       int64            // drr: what a turn grants a tenant of weight 1; 0 is 1
	Weights       map[string]int64 // drr: by tenant; 1 where it says nothing; not to be changed
	CostByService bool             // drr: a message costs its Cost, not 1
}

// A SelectorStrategy is a registered way to choose a consumer.
type SelectorStrategy struct {
	Name, Doc string
	Needs     Needs
	New       func(Config, *Consumers) Selector
}

// An OrderStrategy is a registered way to choose a message.
type OrderStrategy struct {
	Name, Doc string
	Needs     Needs
	New       func(Config, *Messages) Order
}

var (
	selectors = registry.New[SelectorStrategy]("dispatch", "strategy")
	orders    = registry.New[OrderStrategy]("dispatch", "order")
)

// Selectors returns the selectors in order of their names.
func Selectors() []SelectorStrategy { return selectors.All() }

// Orders returns the orders in order of their names.
func Orders() []OrderStrategy { return orders.All() }

// LookupSelector returns the named selector; its error lists those there are.
func LookupSelector(name string) (SelectorStrategy, error) { return selectors.Get(name) }

// LookupOrder returns the named order; its error lists those there are.
func LookupOrder(name string) (OrderStrategy, error) { return orders.Get(name) }

// RegisterSelector makes a selector available under s.Name. It is called from init
// functions and panics if the name is taken.
func RegisterSelector(s SelectorStrategy) { selectors.Add(s.Name, s) }

// RegisterOrder makes an order available under o.Name. It is called from init
// functions and panics if the name is taken.
func RegisterOrder(o OrderStrategy) { orders.Add(o.Name, o) }

// A Selector chooses consumers. The queue calls it as the books in Consumers
// change; they are always up to date when it is called.
type Selector interface {
	// Join takes in a new consumer, last in subscription order.
	Join(c ConsumerID)
	// Leave forgets a consumer.
	Leave(c ConsumerID)
	// Pick returns the consumer for the next message, having taken its credit
	// (Consumers.Take), or NoConsumer. The queue always gives it a message.
	Pick(now int64) ConsumerID
	// Changed says that the books of c changed: it was given a message, one was
	// settled, it was paused, resumed or limited anew.
	Changed(c ConsumerID, now int64)
	// Return says that c, which the selector had set aside
	// (Consumers.SetAside), is eligible again.
	Return(c ConsumerID)
}

// An Order keeps the ready messages of a queue and says which is next. IDs are
// given in publish order: they are the age of a message.
type Order interface {
	// Push takes in a published or requeued message: its ID places it.
	Push(r Ref)
	// Pop removes and returns the next message; only when Len is not zero.
	Pop(now int64) Ref
	// Peek returns what Pop would and changes nothing.
	Peek(now int64) Ref
	// Len is the number of messages held.
	Len() int
}
