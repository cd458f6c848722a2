package dispatch

func init() {
	RegisterOrder(OrderStrategy{
		Name:  "drr",
		Doc:   "tenants in turn, a quantum each (deficit round robin over x-fair-key)",
		Needs: NeedTenant | NeedCost,
		New:   newDRR,
	})
}

// maxGrant and maxCost keep deficits far from overflow: 2^40 us is twelve days.
const (
	maxGrant = 1 << 40
	maxCost  = 1 << 40
)

func newDRR(cfg Config, t *Messages) Order {
	o := &drr{t: t, cfg: cfg, quantum: min(max(cfg.Quantum, 1), maxGrant)}
	o.senders = heap[uint32]{place: &o.place, less: o.sooner}
	return o
}

// drr is deficit round robin (Shreedhar, Varghese 1995). Tenants with ready messages
// stand in a list in the order in which they became backlogged. When the turn of the
// head starts, its deficit grows by quantum x weight. The head sends while its oldest
// message costs no more than its deficit, and stays the head between runs of the
// queue. If the message costs more, the tenant goes to the tail and keeps its deficit.
// A tenant without messages leaves the list and loses its deficit. A message costs 1,
// or its cost hint; without a hint it costs one quantum.
//
// The paper is O(1) if each grant pays for a message. With smaller grants it would walk
// the list again and again. This order computes the result of those walks instead. The
// list is a ring, a pointer to the head moves around it, and a round begins when the
// pointer passes the seam. The number of grants that a tenant lacks determines the
// round in which it will send, and no other tenant can change it. The tenant with the
// least (round, position in the ring) is next. A tenant's skipped turns, in which it
// could not pay, are added to its deficit when the tenant is next visited. O(log t)
// for t backlogged tenants.
type drr struct {
	t       *Messages
	cfg     Config
	quantum int64
	tenants []drrTenant  // by number of the tenant
	ring    orderedRing  // the backlogged tenants, in the order of their turns
	senders heap[uint32] // the backlogged tenants; the one that sends first is the least
	place   []int32      // place table of senders
	head    uint32       // the tenant whose turn it is, or is next
	started bool         // the head's turn has started, and the head has its grant
	round   int64        // round of the head's turn; it may wrap
	n       int          // number of messages
}

type drrTenant struct {
	list    ageList
	deficit int64 // includes the grants of all turns before round next
	grant   int64 // quantum x weight
	next    int64 // first round whose grant is not in deficit
	sends   int64 // round in which the tenant can pay for its oldest message
}

func (o *drr) Len() int { return o.n }

func (o *drr) Push(r Ref) {
	o.n++
	id := o.t.At(r).Tenant
	for int(id) >= len(o.tenants) {
		o.tenants = append(o.tenants, drrTenant{list: newAgeList()})
		o.place = append(o.place, 0)
	}
	d := &o.tenants[id]
	if d.list.n == 0 {
		d.list.push(o.t, r)
		o.enter(id)
		return
	}
	oldest := d.list.peek(o.t)
	d.list.push(o.t, r)
	if d.list.peek(o.t) != oldest { // a requeued message, whose cost may differ, is the oldest now
		o.book(id)
		o.schedule(id)
	}
}

// enter puts a tenant at the tail of the list, which is before the head.
func (o *drr) enter(id uint32) {
	d := &o.tenants[id]
	d.grant = o.grant(id) // the number may have been another tenant's before
	d.deficit, d.next = 0, o.round+1
	if o.ring.n == 0 {
		o.head, o.started, o.round = id, false, d.next
	}
	o.ring.insert(id, o.head)
	o.schedule(id)
}

func (o *drr) grant(tenant uint32) int64 {
	weight, ok := o.cfg.Weights[o.t.Tenant(tenant)]
	if !ok {
		weight = 1
	}
	weight = max(weight, 1)
	if weight > maxGrant/o.quantum {
		return maxGrant
	}
	return o.quantum * weight
}

// book adds the grants of the turns that a tenant has had to its deficit.
func (o *drr) book(id uint32) {
	next := o.round
	if o.ring.precedes(id, o.head) || id == o.head && o.started {
		next++ // this round's turn is over, or has started
	}
	o.tenants[id].bookUntil(next)
}

// bookUntil adds the grants of all turns before round next to the deficit.
func (d *drrTenant) bookUntil(next int64) {
	d.deficit += (next - d.next) * d.grant
	d.next = next
}

// schedule computes the round in which a tenant sends. Its deficit must be up to date.
func (o *drr) schedule(id uint32) {
	d := &o.tenants[id]
	sends := d.next
	if lack := o.cost(d) - d.deficit; lack > 0 {
		sends += (lack - 1) / d.grant
	} else if id == o.head && o.started {
		sends = o.round // the tenant's turn has started, and it can pay
	}
	d.sends = sends
	o.senders.fix(id)
}

// sooner reports whether tenant a sends before tenant b.
func (o *drr) sooner(a, b uint32) bool {
	if d := o.tenants[a].sends - o.tenants[b].sends; d != 0 {
		return d < 0
	}
	return o.ring.precedes(a, b)
}

func (o *drr) Peek(int64) Ref { return o.tenants[o.senders.ids[0]].list.peek(o.t) }

func (o *drr) Pop(int64) Ref {
	id := o.senders.ids[0]
	d := &o.tenants[id]
	o.head, o.started, o.round = id, true, d.sends
	d.bookUntil(d.sends + 1)
	d.deficit -= o.cost(d)
	r := d.list.pop(o.t)
	o.n--
	if d.list.n == 0 {
		o.leave(id)
	} else {
		o.schedule(id)
	}
	return r
}

// leave removes the head, which has no messages left, from the list.
func (o *drr) leave(id uint32) {
	o.senders.remove(id)
	o.head, o.started = o.ring.remove(id), false
	if !o.ring.precedes(id, o.head) {
		o.round++ // id was the last one before the seam
	}
}

func (o *drr) cost(d *drrTenant) int64 {
	if !o.cfg.CostByService {
		return 1
	}
	m := o.t.At(d.list.peek(o.t))
	if m.Cost == 0 && !m.Costless {
		return o.quantum
	}
	return min(m.Cost, maxCost)
}
