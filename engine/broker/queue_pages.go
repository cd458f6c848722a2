package broker

import (
	"slices"

	"harelab/engine/dispatch"
	"harelab/engine/internal/failstop"
	"harelab/engine/internal/pages"
	"harelab/engine/message"
	"harelab/engine/queue"
	"harelab/engine/store"
)

const (
	// aheadMessages and aheadOctets bound what a queue reads ahead.
	aheadMessages = 512
	aheadOctets   = 512 << 10
)

// A paged is what a queue knows of messages whose octets a store has. The queue's lock
// guards it. A message is away if its place in Queue.messages is nil and its stub is not 0.
type paged struct {
	stubs   pages.Table[stub] // by Ref
	away    int               // number of messages that are away
	ahead   int               // number of messages that were read ahead and are ready since
	order   []refList         // by priority: messages to read ahead, in order
	waiting []*Consumer       // consumers with deliveries that wait
	reading bool              // a goroutine reads for the queue
}

// A refList is a list of messages to read ahead. Some of them may be gone, or be in memory
// already, or their row may be another message's, which is then read early.
type refList struct {
	refs  []dispatch.Ref
	first int
}

// trim frees the memory of a burst, once the queue is empty.
func (p *paged) trim() {
	if p != nil {
		p.stubs.Trim()
		p.order = nil
	}
}

// list puts a message at the end of the list of its priority. A list of which most are gone
// is made anew.
func (q *Queue) list(r dispatch.Ref, level int) {
	for level >= len(q.paged.order) {
		q.paged.order = append(q.paged.order, refList{})
	}
	l := &q.paged.order[level]
	l.refs = append(l.refs, r)
	if len(l.refs) < 2*q.paged.away+1024 {
		return
	}
	left := slices.DeleteFunc(l.refs[l.first:], func(r dispatch.Ref) bool { return !q.isAway(r) })
	q.sortByAge(left)
	*l = refList{refs: slices.Clone(slices.Compact(left))}
}

// isAway reports whether a ready message is away.
func (q *Queue) isAway(r dispatch.Ref) bool {
	row, ok := q.machine.Message(r)
	return ok && row.State == dispatch.Ready && *q.messages.At(r) == nil && q.stub(r) != 0
}

// A held delivery is decided, and waits for octets or behind another one that does.
type waitingDelivery struct {
	decision queue.Decision
	msg      *message.Message // of a message without acknowledgement, which the queue no longer holds; nil: away
	stub     stub             // the same
}

// stub returns the stub of a message, 0 if no store has it for paging.
func (q *Queue) stub(r dispatch.Ref) stub {
	if q.paged == nil {
		return 0
	}
	return *q.paged.stubs.Grow(r)
}

// take empties the place of a message in the queue's table, and returns what was there.
func (q *Queue) take(r dispatch.Ref) (m *message.Message, s stub) {
	slot := q.messages.At(r)
	m, *slot = *slot, nil
	if q.paged == nil {
		return m, 0
	}
	at := q.paged.stubs.Grow(r)
	s, *at = *at, 0
	q.paged.leave(m, s)
	return m, s &^ stubAhead
}

// leave counts a message that leaves the queue's table.
func (p *paged) leave(m *message.Message, s stub) {
	if s&stubAhead != 0 {
		p.ahead--
	}
	if m == nil && s != 0 {
		p.away--
	}
}

// pageOut drops the octets of a message that was just enqueued, unless it was delivered at
// once. spillID is its identity in the spill store, 0 if it is not there.
func (q *Queue) pageOut(op *operation, r dispatch.Ref, m *message.Message, spillID store.MessageID) {
	row, ok := q.machine.Message(r)
	if *q.messages.At(r) != m || !ok || row.State != dispatch.Ready {
		return
	}
	s := stubOf(store.MessageID(m.StoreID()), 0)
	if m.StoreID() == 0 || q.storeID == 0 {
		if spillID == 0 {
			return
		}
		s = stubOf(spillID, stubSpilled)
	}
	if q.paged == nil {
		q.paged = new(paged)
	}
	p := q.paged
	if s.spilled() {
		if q.spillID == 0 {
			q.spillID = store.QueueID(op.broker.pager.queues.Add(1))
		}
		op.broker.pager.spill.Add(q.spillID, spillID, store.Entry{})
		op.spilled = true
	}
	*p.stubs.Grow(r) = s
	*q.messages.At(r) = nil
	op.release(m)
	p.away++
	level := 0
	if q.settings.Load().Order.Needs&dispatch.NeedPriority != 0 {
		level = int(row.Priority)
	}
	q.list(r, level)
	q.readAhead(op)
}

// dropOctets drops the octets of a message that the Sink has got, if a store has them.
func (q *Queue) dropOctets(op *operation, r dispatch.Ref) {
	if q.paged == nil {
		return
	}
	slot, s := q.messages.At(r), q.paged.stubs.Grow(r)
	if *s&stubAhead != 0 {
		*s &^= stubAhead
		q.paged.ahead--
	}
	if *s != 0 && *slot != nil {
		op.release(*slot)
		*slot = nil
		q.paged.away++
	}
}

// mustWait reports whether a delivery has to wait for octets, or behind one that does.
func (q *Queue) mustWait(c *Consumer, r dispatch.Ref) bool {
	return q.paged != nil && (*q.messages.At(r) == nil || len(c.waiting) > 0)
}

// wait puts a delivery into its consumer's list and pauses the consumer.
func (q *Queue) wait(op *operation, c *Consumer, d *queue.Decision) {
	w := waitingDelivery{decision: *d}
	if d.Done {
		w.msg, w.stub = q.take(d.Ref)
		op.held -= rowOctets
	} else if s := q.paged.stubs.Grow(d.Ref); *s&stubAhead != 0 {
		*s &^= stubAhead
		q.paged.ahead--
	}
	c.waiting = append(c.waiting, w)
	if len(c.waiting) == 1 {
		q.paged.waiting = append(q.paged.waiting, c)
		op.paused = append(op.paused, c.id)
	}
	q.readAhead(op)
}

// octets returns the message of a waiting delivery, or nil and its stub if it is away.
func (q *Queue) octets(w *waitingDelivery) (*message.Message, stub) {
	if w.decision.Done {
		return w.msg, w.stub
	}
	return *q.messages.At(w.decision.Ref), q.stub(w.decision.Ref)
}

// handOver sends a consumer its waiting deliveries up to the first whose octets are not
// there, and reports whether those were all.
func (q *Queue) handOver(op *operation, c *Consumer) (all bool) {
	n := 0
	for ; n < len(c.waiting); n++ {
		w := &c.waiting[n]
		m, _ := q.octets(w)
		if m == nil {
			break
		}
		q.send(op, c, m, &w.decision)
		if w.decision.Done {
			q.unstore(op, m, w.stub)
			op.release(m)
		} else {
			q.dropOctets(op, w.decision.Ref)
		}
	}
	c.waiting = slices.Delete(c.waiting, 0, n)
	if len(c.waiting) > 0 {
		return false
	}
	c.waiting = nil
	q.paged.waiting = slices.DeleteFunc(q.paged.waiting, func(o *Consumer) bool { return o == c })
	return true
}

// dropWaiting empties a consumer's list when its channel closes or the queue is deleted.
// It appends to refs the messages that have to be requeued; those without acknowledgement
// are lost, as they would be on the way to the client.
func (q *Queue) dropWaiting(op *operation, c *Consumer, refs []dispatch.Ref) []dispatch.Ref {
	for i := range c.waiting {
		w := &c.waiting[i]
		if !w.decision.Done {
			refs = append(refs, w.decision.Ref)
			continue
		}
		q.unstore(op, w.msg, w.stub)
		if w.msg != nil {
			op.release(w.msg)
		}
	}
	if c.waiting != nil {
		c.waiting = nil
		q.paged.waiting = slices.DeleteFunc(q.paged.waiting, func(o *Consumer) bool { return o == c })
	}
	return refs
}

// readAhead starts a goroutine that reads for the queue, if there is something to read.
func (q *Queue) readAhead(op *operation) {
	p := q.paged
	if p == nil || p.reading || !q.wantsOctets() || !op.broker.pager.begin() {
		return
	}
	p.reading = true
	b := op.broker
	go func() {
		defer failstop.Report(b.logger)
		defer b.pager.readers.Done()
		for goOn := true; goOn; {
			b.run(func(op *operation) { goOn = q.readOnce(op) })
		}
	}()
}

// wantsOctets reports whether deliveries wait, or too little is read ahead for consumers.
func (q *Queue) wantsOctets() bool {
	p := q.paged
	return len(p.waiting) > 0 || p.away > 0 && p.ahead < aheadMessages/2 && q.machine.Consumers() > 0 && p.listed()
}

func (p *paged) listed() bool {
	for i := range p.order {
		if p.order[i].first < len(p.order[i].refs) {
			return true
		}
	}
	return false
}

// A reading is a message that is read while the queue is not locked.
type reading struct {
	stub  stub
	ref   dispatch.Ref
	ahead bool      // nobody waits for it yet
	owner *Consumer // of a delivery without acknowledgement
	msg   *message.Message
	err   error
}

// readOnce reads the octets that deliveries wait for and some ahead, and hands them over. It
// reports whether there is more to read. It is called without a lock.
func (q *Queue) readOnce(op *operation) (goOn bool) {
	q.mu.Lock()
	if q.deleted || !q.wantsOctets() {
		q.paged.reading = false
		q.mu.Unlock()
		return false
	}
	var batch []reading
	for _, c := range q.paged.waiting {
		batch = q.missing(c, batch)
	}
	batch = q.nextAhead(batch)
	q.mu.Unlock()

	places := op.broker.pager.reading
	places <- struct{}{}
	op.broker.pager.readAll(op, batch)
	<-places

	q.mu.Lock()
	defer q.mu.Unlock()
	q.install(op, batch)
	if q.deleted {
		q.paged.reading = false
		return false
	}
	for _, c := range slices.Clone(q.paged.waiting) {
		if q.handOver(op, c) && !c.leaving && !c.isPaused() {
			q.step(op, &queue.Event{Kind: queue.Resume, Consumer: c.id})
		}
	}
	if q.wantsOctets() {
		return true
	}
	q.paged.reading = false
	return false
}

// missing appends what a consumer's deliveries wait for.
func (q *Queue) missing(c *Consumer, batch []reading) []reading {
	for i := range c.waiting {
		w := &c.waiting[i]
		if m, s := q.octets(w); m == nil {
			r := reading{stub: s, ref: w.decision.Ref}
			if w.decision.Done {
				r.owner = c
			}
			batch = append(batch, r)
		}
	}
	return batch
}

// nextAhead appends the next messages to read ahead and takes them off the lists.
func (q *Queue) nextAhead(batch []reading) []reading {
	p := q.paged
	n, octets := p.ahead, 0
	for level := len(p.order) - 1; level >= 0; level-- {
		l := &p.order[level]
		for ; l.first < len(l.refs) && n < aheadMessages && octets < aheadOctets; l.first++ {
			r := l.refs[l.first]
			if !q.isAway(r) {
				continue
			}
			batch = append(batch, reading{stub: q.stub(r), ref: r, ahead: true})
			row, _ := q.machine.Message(r)
			n, octets = n+1, octets+int(row.Bytes)
		}
		if l.first == len(l.refs) {
			l.refs, l.first = nil, 0
		}
	}
	return batch
}

// readAll reads a batch. No lock is held.
func (p *pager) readAll(op *operation, batch []reading) {
	for i := range batch {
		batch[i].msg, batch[i].err = p.read(op, batch[i].stub)
	}
}

// install puts messages that were read into their places, unless they have gone or were
// read by somebody else. Messages that cannot be read leave the queue, if a delivery waits
// for them; those that were only read ahead are tried again when it is their turn.
func (q *Queue) install(op *operation, batch []reading) {
	for i := range batch {
		r := &batch[i]
		switch {
		case q.deleted:
		case r.owner != nil:
			q.installDone(op, r)
		case *q.paged.stubs.Grow(r.ref) != r.stub || *q.messages.At(r.ref) != nil:
		case r.err == nil:
			*q.messages.At(r.ref), r.msg = r.msg, nil
			q.paged.away--
			if row, _ := q.machine.Message(r.ref); r.ahead && row.State == dispatch.Ready {
				*q.paged.stubs.Grow(r.ref) |= stubAhead
				q.paged.ahead++
			}
		case !r.ahead:
			q.lose(op, r)
		}
		if r.msg != nil {
			op.release(r.msg)
		}
	}
}

// installDone is install for a delivery without acknowledgement.
func (q *Queue) installDone(op *operation, r *reading) {
	i := slices.IndexFunc(r.owner.waiting, func(w waitingDelivery) bool { return w.stub == r.stub && w.msg == nil })
	switch {
	case i < 0:
	case r.err == nil:
		r.owner.waiting[i].msg, r.msg = r.msg, nil
	default:
		q.unreadable(op, r.stub, r.err)
		r.owner.waiting = slices.Delete(r.owner.waiting, i, i+1)
	}
}

// lose takes a message that cannot be read from the queue and from its consumer's list. The
// store keeps what it has of it.
func (q *Queue) lose(op *operation, r *reading) {
	q.unreadable(op, r.stub, r.err)
	for _, c := range q.paged.waiting {
		c.waiting = slices.DeleteFunc(c.waiting, func(w waitingDelivery) bool { return !w.decision.Done && w.decision.Ref == r.ref })
	}
	q.take(r.ref)
	op.held -= rowOctets
	q.step(op, &queue.Event{Kind: queue.Ack, Refs: []dispatch.Ref{r.ref}})
}

// unreadable logs that a message is lost.
func (q *Queue) unreadable(op *operation, s stub, err error) {
	op.broker.logger.Error("a message cannot be read from the store and is not delivered", "queue", q.vhost.queueResource(q.name).String(), "message", uint64(s.id()), "error", err)
}

// isPaused reports whether the consumer's Sink takes no more for now.
func (c *Consumer) isPaused() bool {
	c.channel.mu.Lock()
	defer c.channel.mu.Unlock()
	return c.paused
}

// resume resumes a consumer whose Sink takes messages again. If deliveries wait, the
// goroutine that reads their octets resumes it.
func (q *Queue) resume(op *operation, c *Consumer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.deleted && len(c.waiting) == 0 {
		q.step(op, &queue.Event{Kind: queue.Resume, Consumer: c.id})
	}
}

// part is leave for a consumer whose channel stays open: it gets the deliveries that wait
// for their octets first, as RabbitMQ's consumers get what was sent to their channel.
func (q *Queue) part(op *operation, c *Consumer, hold bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c.leaving = true
	for !q.deleted && len(c.waiting) > 0 {
		batch := q.missing(c, nil)
		q.mu.Unlock()
		op.broker.pager.readAll(op, batch)
		q.mu.Lock()
		q.install(op, batch)
		if !q.deleted {
			q.handOver(op, c)
		}
	}
	q.leaveLocked(op, c, hold)
}

// waitingWithoutAck appends the identities, in the spill store or the main one, of messages
// that the queue no longer holds and that wait to be delivered.
func (q *Queue) waitingWithoutAck(spilled bool, ids []store.MessageID) []store.MessageID {
	if q.paged == nil {
		return ids
	}
	for _, c := range q.paged.waiting {
		for _, w := range c.waiting {
			if w.decision.Done && w.stub != 0 && w.stub.spilled() == spilled {
				ids = append(ids, w.stub.id())
			}
		}
	}
	return ids
}
