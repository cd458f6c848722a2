package dispatch

// DefaultSelector is the selector of a queue that names none. It is RabbitMQ's.
const DefaultSelector = "rr"

func init() {
	RegisterSelector(SelectorStrategy{
		Name: DefaultSelector,
		Doc:  "in turn, skipping full consumers (RabbitMQ's classic queues)",
		New:  func(_ Config, t *Consumers) Selector { return &roundRobin{t: t} },
	})
}

// roundRobin is the ring of RabbitMQ's classic queues (rabbit_queue_consumers). The
// head of the best priority's ring gets the message and goes to the tail. A full head
// is set aside, and the next consumer is tried. So a full consumer stays in the ring
// until its turn comes, and keeps its turn if its ack arrives first. A consumer that
// was set aside returns at the tail. O(1) amortised.
type roundRobin struct {
	t    *Consumers
	ring rings
}

func (s *roundRobin) Join(c ConsumerID)         { s.ring.join(c, s.t.At(c).Priority) }
func (s *roundRobin) Leave(c ConsumerID)        { s.ring.leave(c, s.t.At(c).Priority) }
func (s *roundRobin) Pick(int64) ConsumerID     { return s.ring.pick(s.t) }
func (s *roundRobin) Changed(ConsumerID, int64) {}
func (s *roundRobin) Return(c ConsumerID)       { s.ring.enter(c, s.t.At(c).Priority) }
