package dispatch

func init() {
	registerOrder(OrderStrategy{
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
	return &drr{t: t, cfg: cfg, quantum: min(max(cfg.Quantum, 1), maxGrant), head: -1, tail: -1}
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
// O(1) while a grant pays for a message, as in the paper. With smaller grants it
// is linear in backlogged tenants: rounds in which nobody could pay are skipped
// in one pass over them.
type drr struct {
	t          *Messages
	cfg        Config
	quantum    int64
	tenants    []drrTenant // by number of the tenant
	head, tail int32       // of the backlogged ones; -1 none
	listed     int
	granted    bool // the head's turn has started
	n          int
}

type drrTenant struct {
	list    ageList
	deficit int64
	grant   int64
	next    int32
}

func (o *drr) Len() int { return o.n }

func (o *drr) Push(r Ref) {
	id := int32(o.t.At(r).Tenant)
	for int(id) >= len(o.tenants) {
		o.tenants = append(o.tenants, drrTenant{list: newAgeList()})
	}
	d := &o.tenants[id]
	if d.list.n == 0 {
		d.grant = o.grant(uint32(id)) // numbers are used again for other tenants
		o.append(id)
	}
	d.list.push(o.t, r)
	o.n++
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

func (o *drr) Pop(int64) Ref {
	for passed := 0; ; passed++ {
		if passed > 0 && passed%o.listed == 0 {
			o.skip()
		}
		d := &o.tenants[o.head]
		if !o.granted {
			d.deficit += d.grant
			o.granted = true
		}
		if cost := o.cost(d); cost <= d.deficit {
			d.deficit -= cost
			return o.send(d)
		}
		o.append(o.unlink())
	}
}

// send takes the head's oldest message; a tenant that runs empty leaves.
func (o *drr) send(d *drrTenant) Ref {
	r := d.list.pop(o.t)
	if d.list.n == 0 {
		d.deficit = 0
		o.unlink()
	}
	o.n--
	return r
}

// skip grants, at the end of a round in which nobody could pay, all the rounds
// at once in which nobody can.
func (o *drr) skip() {
	rounds := int64(maxCost)
	for id := o.head; id >= 0; id = o.tenants[id].next {
		rounds = min(rounds, o.tenants[id].rounds(o.cost(&o.tenants[id])))
	}
	for id := o.head; id >= 0; id = o.tenants[id].next {
		o.tenants[id].deficit += (rounds - 1) * o.tenants[id].grant
	}
}

// rounds is the number of grants after which a tenant can pay.
func (d *drrTenant) rounds(cost int64) int64 {
	return (max(cost-d.deficit, 0) + d.grant - 1) / d.grant
}

// Peek works out who sends next: whoever needs the fewest grants, the first in
// the list of those. It does not start a turn, as a tenant that becomes
// backlogged before the next Pop has a place in the list by then.
func (o *drr) Peek(int64) Ref {
	var best int32
	fewest := int64(maxCost) + 1
	for id := o.head; id >= 0 && fewest > 0; id = o.tenants[id].next {
		d := &o.tenants[id]
		rounds := d.rounds(o.cost(d))
		if id != o.head || !o.granted {
			rounds = max(rounds-1, 0) // its first turn is in this round
		}
		if rounds < fewest {
			best, fewest = id, rounds
		}
	}
	return o.tenants[best].list.peek(o.t)
}

func (o *drr) cost(d *drrTenant) int64 {
	if !o.cfg.CostByService {
		return 1
	}
	if cost := o.t.At(d.list.peek(o.t)).Cost; cost > 0 {
		return min(cost, maxCost)
	}
	return o.quantum
}

func (o *drr) append(id int32) {
	o.tenants[id].next = -1
	if o.head < 0 {
		o.head = id
	} else {
		o.tenants[o.tail].next = id
	}
	o.tail = id
	o.listed++
}

// unlink takes the head off the list, which ends its turn.
func (o *drr) unlink() int32 {
	id := o.head
	o.head = o.tenants[id].next
	o.listed--
	o.granted = false
	return id
}
