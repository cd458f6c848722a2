package dispatch

// DefaultSelector is the selector of a queue that does not choose its own: RabbitMQ's.
const DefaultSelector = "rr"

func init() {
	RegisterSelector(SelectorStrategy{
		Name: DefaultSelector,
		Doc:  "in turn, skipping whoever is full (RabbitMQ's classic queues)",
		New:  func(_ Config, t *Consumers) Selector { return &roundRobin{t: t} },
	})
}

// roundRobin is the ring of RabbitMQ's classic queues (rabbit_queue_consumers):
// the head of the best priority's ring gets the message and goes to the tail; a
// head that is full is set aside and the next one is looked at. So a consumer
// that became full stays in the ring until its turn comes, and keeps the turn
// if its ack comes first; once set aside it returns to the tail. O(1) amortised.
type roundRobin struct {
	t    *Consumers
	ring rings
}

func (s *roundRobin) Join(c ConsumerID)         { s.ring.join(c, s.t.At(c).Priority) }
func (s *roundRobin) Leave(c ConsumerID)        { s.ring.leave(c, s.t.At(c).Priority) }
func (s *roundRobin) Pick(int64) ConsumerID     { return s.ring.pick(s.t) }
func (s *roundRobin) Changed(ConsumerID, int64) {}
func (s *roundRobin) Return(c ConsumerID)       { s.ring.enter(c, s.t.At(c).Priority) }
