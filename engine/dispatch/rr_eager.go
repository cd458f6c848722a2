package dispatch

func init() {
	RegisterSelector(SelectorStrategy{
		Name: "rr-eager",
		Doc:  "in turn among the consumers that are not full (RabbitMQ's quorum queues)",
		New:  func(_ Config, t *Consumers) Selector { return &eagerRing{t: t} },
	})
}

// eagerRing is the service queue of RabbitMQ's quorum queues (rabbit_fifo): a
// consumer leaves the ring when it becomes full and returns at the tail. If other
// queues use up its channel's limit, it leaves only when its turn comes, as in rr;
// RabbitMQ's quorum queues have no such limit. O(1).
type eagerRing struct {
	t    *Consumers
	ring rings
}

func (s *eagerRing) Join(c ConsumerID)     { s.ring.join(c, s.t.At(c).Priority) }
func (s *eagerRing) Leave(c ConsumerID)    { s.ring.leave(c, s.t.At(c).Priority) }
func (s *eagerRing) Pick(int64) ConsumerID { return s.ring.pick(s.t) }
func (s *eagerRing) Return(c ConsumerID)   { s.ring.enter(c, s.t.At(c).Priority) }

func (s *eagerRing) Changed(c ConsumerID, _ int64) {
	if s.t.Aside(c) == 0 && !s.t.Eligible(c) {
		s.ring.exit(c, s.t.At(c).Priority)
		s.t.SetAside(c)
	}
}
