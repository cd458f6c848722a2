// Package dispatch decides which message of a queue goes out next and which
// consumer gets it.
//
// The two decisions are independent. A Selector chooses the consumer of the next
// message, always from the best consumer priority that has an eligible consumer; n is
// the number of consumers:
//
//	          idea                                          a message   when to use it
//	rr        in turn; a full consumer is skipped when      O(1)        as RabbitMQ's classic queues: the default
//	          its turn comes
//	rr-eager  in turn; a full consumer leaves the ring at   O(1)        as RabbitMQ's quorum queues
//	          once
//	fair      in turn among those with an idle slot         O(1)        long and short work mixed, acks after the work
//	adaptive  in turn, with a measured prefetch             O(1)        workers across a link, of unknown service time
//	jsq       the fewest messages outstanding               O(log n)    workers of unequal speed; work of equal size
//	lwl       the least work left, by cost hints            O(log n)    work of unequal size, known beforehand
//	po2       the less loaded of two random ones            O(log n)    many consumers: nearly jsq, with two look-ups
//	jiq       the longest idle, else a random one           O(log n)    many consumers, seldom all busy
//	random    a random one                                  O(log n)    the baseline that the others have to beat
//
// An Order chooses the next of the ready messages; m is the number of ready messages,
// t that of their tenants:
//
//	          idea                                          a message   when to use it
//	fifo      the oldest                                    O(1)        the default
//	priority  the highest priority, the oldest within       O(1)        a few messages are urgent; the default of
//	                                                                    queues with x-max-priority
//	aging     priority, raised by waiting                   O(1)        as priority, where no message may starve
//	sjf       the lowest cost                               O(log m)    the mean wait matters, and costs are known
//	drr       tenants in turn, a quantum each               O(log t)    tenants share a queue, and one floods it
//
// Every strategy is one file that registers itself. To add a selector, copy rr.go; to
// add an order, copy fifo.go. The conformance suite (dispatchtest), the benchmarks,
// the flags and the reports find it through [Selectors] and [Orders].
//
// Both kinds work on tables that the queue keeps: Messages, addressed by Ref, and
// Consumers, addressed by ConsumerID. A strategy holds references into the tables
// and no copies, so that a waiting message costs little more than its row.
//
// Nothing here reads a clock, starts a goroutine, iterates over a map or takes
// a lock: the time is an argument and random numbers come from a seed. Calls must not
// overlap. Only a Limiter may be shared between queues.
//
// The words: a Limiter is a channel's own prefetch, over all its consumers
// (RabbitMQ's rabbit_limiter). A roster lists the consumers of a table in
// subscription order and marks the eligible ones. A ring holds consumers in turn; an
// ordered ring can also compare the positions of two members. An AnswerLog holds the
// answers of probes and limiters to a queue, for a recording. The files table_*.go
// are the tables that the queue keeps, of consumers, channels and messages.
package dispatch

import "harelab/engine/internal/registry"

// Needs is the set of inputs that a strategy reads. A broker provides only these, and
// the suite (dispatchtest) checks that a strategy declares all it reads: its decisions
// must be the same when everything else is withheld.
type Needs uint8

// The inputs that a strategy may need.
const (
	NeedCost     Needs = 1 << iota // the cost hint of a message
	NeedTenant                     // the tenant of a message
	NeedPriority                   // the priority of a message
	NeedSlots                      // the number of slots of a consumer
	NeedTime                       // the time of a decision; without it, now may be any number
	NeedProbe                      // the answers of a consumer's Probe, read again after each delivery
)

// Config holds the settings of the strategies of one queue. The zero value is usable.
type Config struct {
	Seed          uint64           // random, po2, jiq: the seed of their random numbers
	MaxPriority   uint8            // priority, aging: greater priorities count as this one; 0 means 255
	AgingUS       int64            // aging: microseconds of waiting that raise a message by one priority; 0 means one second
	Quantum       int64            // drr: cost that a turn grants a tenant of weight 1; 0 means 1
	Weights       map[string]int64 // drr: by tenant; a missing tenant has weight 1; must not change
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

// LookupSelector returns the named selector. Its error lists the registered names.
func LookupSelector(name string) (SelectorStrategy, error) { return selectors.Get(name) }

// LookupOrder returns the named order. Its error lists the registered names.
func LookupOrder(name string) (OrderStrategy, error) { return orders.Get(name) }

// RegisterSelector makes a selector available under s.Name. Call it from an init
// function. It panics if the name is empty or taken.
func RegisterSelector(s SelectorStrategy) { selectors.Add(s.Name, s) }

// RegisterOrder makes an order available under o.Name. Call it from an init function.
// It panics if the name is empty or taken.
func RegisterOrder(o OrderStrategy) { orders.Add(o.Name, o) }

// A Selector chooses consumers. The queue updates the rows of Consumers first and
// calls the selector afterwards. Times are in microseconds and never go back.
type Selector interface {
	// Join adds a consumer, the last in subscription order. The consumers of a queue that
	// had another selector join one after the other, and may hold messages.
	Join(c ConsumerID)
	// Leave removes a consumer. Its row is still there.
	Leave(c ConsumerID)
	// Pick returns the consumer for the next message, or NoConsumer. It has taken the
	// consumer's credit (Consumers.Take), and the queue gives that consumer a message.
	Pick(now int64) ConsumerID
	// Changed reports that the row of c changed: c received a message, settled one, was
	// paused or resumed, or got another prefetch.
	Changed(c ConsumerID, now int64)
	// Return reports that c is eligible again, after the selector had set it aside
	// (Consumers.SetAside).
	Return(c ConsumerID)
}

// An Order holds the ready messages of a queue and chooses the next one. IDs rise in
// publish order, so the lowest ID is the oldest message.
type Order interface {
	// Push adds a published or requeued message. Its ID places it among the others.
	Push(r Ref)
	// Pop removes and returns the next message; only when Len is not zero.
	Pop(now int64) Ref
	// Peek returns the message that Pop would return, and changes nothing.
	Peek(now int64) Ref
	// Len returns the number of messages held.
	Len() int
}
