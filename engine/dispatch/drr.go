package dispatch

func init() {
	RegisterOrder(OrderStrategy{
		Name:  "drr",
		Doc:   "tenants in turn, each its quantum (deficit round robin over x-fair-key)",
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

// drr is deficit round robin (Shreedhar, Varghese 1995). Tenants with ready
// messages stand in a list in the order in which they became backlogged. The
// head is granted quantum x weight once, when its turn starts; it sends while
// its oldest message costs no more than its deficit, and stays head, also
// across separate runs of the queue. If the message costs more the tenant goes
// to the tail and keeps its deficit; a tenant that runs empty leaves the list
// and forfeits it. A message costs 1, or its cost hint; without a hint, one
// quantum.
//
// The paper's O(1) is for grants that pay for a message. With smaller ones the
// list would be gone through again and again, so it is not. It is a ring that
// a pointer to the head runs around, and a round is one time around from the
// seam. How many grants a tenant needs says in which round it will send, and
// that stays true whatever others do; the least of (round, place in the ring)
// is next. The turns in between, in which nobody could pay, are booked when a
// tenant is next looked at. O(log t) for t backlogged tenants.
type drr struct {
	t       *Messages
	cfg     Config
	quantum int64
	tenants []drrTenant  // by number of the tenant
	ring    orderedRing  // of the backlogged ones
	senders heap[uint32] // of the same: who sends first
	place   []int32      // in senders
	head    uint32       // whose turn it is, or is next
	started bool         // the head's turn: it has its grant
	round   int64        // of that turn; it may wrap
	n       int
}

type drrTenant struct {
	list    ageList
	deficit int64 // with the grants of all turns before round next
	grant   int64
	next    int64 // a round
	sends   int64 // the round in which it can pay for its oldest message
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
	if d.list.peek(o.t) != oldest { // one came back that has another cost
		o.book(id)
		o.schedule(id)
	}
}

// enter puts a tenant at the tail of the list, which is before the head.
func (o *drr) enter(id uint32) {
	d := &o.tenants[id]
	d.grant = o.grant(id) // numbers are used again for other tenants
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

// book adds the grants of the turns that a tenant has had.
func (o *drr) book(id uint32) {
	next := o.round
	if o.ring.precedes(id, o.head) || id == o.head && o.started {
		next++ // this round's turn is over, or has started
	}
	o.tenants[id].bookUntil(next)
}

// bookUntil adds the grants of all turns before round next.
func (d *drrTenant) bookUntil(next int64) {
	d.deficit += (next - d.next) * d.grant
	d.next = next
}

// schedule works out when a tenant sends, from its deficit, which is up to date.
func (o *drr) schedule(id uint32) {
	d := &o.tenants[id]
	sends := d.next
	if lack := o.cost(d) - d.deficit; lack > 0 {
		sends += (lack - 1) / d.grant
	} else if id == o.head && o.started {
		sends = o.round // in the turn it has
	}
	d.sends = sends
	o.senders.fix(id)
}

// sooner orders tenants by when they send.
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

// leave takes the head, which ran empty, off the list.
func (o *drr) leave(id uint32) {
	o.senders.remove(id)
	o.head, o.started = o.ring.remove(id), false
	if !o.ring.precedes(id, o.head) {
		o.round++ // that was the last before the seam
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
