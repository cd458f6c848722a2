package dispatch

import "harelab/engine/internal/pages"

// A Ref addresses a message of a queue: a dense index into its table of messages. It
// is used again as soon as the message is gone.
type Ref = uint32

// NoRef addresses no message.
const NoRef Ref = 1<<32 - 1

// Meta holds the facts about a message that a publisher gives and dispatch uses.
type Meta struct {
	Published int64  // microseconds, not before that of the previous message; 0: the time of the Publish event
	Cost      int64  // expected service time in microseconds; 0: unknown; negative: the message costs nothing
	Tenant    string // for drr; kept as long as a message of the tenant is held
	Task      string // task name; predicts the cost if Cost is 0; kept as long as the queue lives
	Priority  uint8
}

// State is the state of a row.
type State uint8

// A row of the table is free, or its message is ready for a consumer, or was
// delivered and not settled.
const (
	Free State = iota
	Ready
	Unacked
)

// A Message is a row of a queue's table. It has 64 bytes and is all that a queue holds
// for a waiting message.
type Message struct {
	ID          uint64     // rises in publish order in this queue, from 1
	Published   int64      // microseconds
	Cost        int64      // microseconds, given or learned; 0 unknown, unless Costless
	Expires     int64      // microseconds, 0 never
	Tenant      uint32     // see Messages.Tenant; 0 when no strategy needs it
	Task        uint32     // the queue's number for the task name; 0 when no strategy needs costs
	Bytes       uint32     // size, for limits by size
	Consumer    ConsumerID // the consumer that holds the message, if Unacked
	next        Ref        // in its order's list, or in the free list
	Attempts    uint32     // number of times the message was requeued
	Priority    uint8
	State       State
	Redelivered bool
	Costless    bool // known to cost nothing
}

// Messages is the table of a queue's messages.
type Messages struct {
	rows    pages.Table[Message]
	free    Ref // most recently freed row, or NoRef
	used    Ref // rows from this one on were never used
	live    int // number of rows in use
	tenants tenants
}

// NewMessages returns an empty table.
func NewMessages() *Messages { return &Messages{free: NoRef} }

// At returns a row. It stays valid until the next call of Alloc.
func (t *Messages) At(r Ref) *Message { return t.rows.At(r) }

// Valid reports whether r addresses a row that has been used.
func (t *Messages) Valid(r Ref) bool { return r < t.used }

// Len returns the number of rows in use.
func (t *Messages) Len() int { return t.live }

// Rows returns the number of rows that have been used since the table was last empty.
func (t *Messages) Rows() int { return int(t.used) }

// Next returns the row that Alloc will return.
func (t *Messages) Next() Ref {
	if t.free != NoRef {
		return t.free
	}
	return t.used
}

// Alloc takes a row, the most recently freed one first. The caller fills it.
func (t *Messages) Alloc() Ref {
	t.live++
	if r := t.free; r != NoRef {
		t.free = t.At(r).next
		return r
	}
	r := t.used
	t.used++
	t.rows.Grow(r)
	return r
}

// Release frees a row. A table that becomes empty also frees the memory of a burst.
func (t *Messages) Release(r Ref) {
	m := t.At(r)
	t.tenants.release(m.Tenant)
	*m = Message{next: t.free}
	t.free = r
	t.live--
	if t.live == 0 {
		t.free, t.used = NoRef, 0
		t.rows.Trim()
	}
}

// Intern returns the number of a tenant and counts one message of it. Numbers are
// dense, from 1. A number is used again when the tenant's last message is gone.
func (t *Messages) Intern(tenant string) uint32 { return t.tenants.intern(tenant) }

// Retenant changes the tenant of a message.
func (t *Messages) Retenant(r Ref, tenant string) {
	id := t.Intern(tenant) // first, so that a tenant that stays keeps its number
	m := t.At(r)
	t.tenants.release(m.Tenant)
	m.Tenant = id
}

// Tenant returns the name of the tenant with a number that Intern returned.
func (t *Messages) Tenant(id uint32) string {
	if id == 0 {
		return ""
	}
	return t.tenants.rows[id-1].name
}

// tenants numbers the names of tenants, so that a message carries no string. It forgets
// a name with its last message, because strangers choose the names.
type tenants struct {
	ids  map[string]uint32
	rows []tenantRow
	free []uint32
}

type tenantRow struct {
	name     string
	messages int
}

func (t *tenants) intern(name string) uint32 {
	if id, ok := t.ids[name]; ok {
		t.rows[id-1].messages++
		return id
	}
	if t.ids == nil {
		t.ids = make(map[string]uint32)
	}
	var id uint32
	if n := len(t.free); n > 0 {
		id, t.free = t.free[n-1], t.free[:n-1]
	} else {
		t.rows = append(t.rows, tenantRow{})
		id = uint32(len(t.rows))
	}
	t.rows[id-1] = tenantRow{name: name, messages: 1}
	t.ids[name] = id
	return id
}

func (t *tenants) release(id uint32) {
	if id == 0 {
		return
	}
	row := &t.rows[id-1]
	if row.messages--; row.messages > 0 {
		return
	}
	delete(t.ids, row.name)
	row.name = ""
	t.free = append(t.free, id)
}
