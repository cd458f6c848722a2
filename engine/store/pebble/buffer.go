package pebble

import (
	"harelab/engine/store"
)

// A buffer gathers changes until the committer writes them as one batch. There are two:
// one is open to changes, the other is being written or empty.
type buffer struct {
	parity  slot // 0 or mark
	ops     []op
	msgs    []pending
	records map[string]recordChange // by kind and name
	sweeps  []span                  // ranges to delete before the changes
	arena   arena
	bytes   int // memory in use, about
}

// A pending message was handed over and is not written yet.
type pending struct {
	id         store.MessageID
	octets     []byte // in the arena
	first      int32  // the newest of its adds in ops, -1: none; they are linked by op.next
	holders    int32  // number of its adds that are not canceled
	handing    bool   // Done was not called yet
	shared     bool   // its octets get a key of their own
	overridden bool   // its only entry, which is being written, has been replaced
}

// An op is a change of entries or octets, in the order in which a batch gets them.
type op struct {
	kind    opKind
	entry   store.Entry
	queue   store.QueueID
	no      uint32 // of the queue, while it holds the message
	message store.MessageID
	upTo    store.MessageID // end of a drop
	msg     int32           // of an add: number of the pending message
	next    int32           // of an add: another add of the message; -1: none
}

type opKind uint8

const (
	opNone       opKind = iota // a change that was canceled
	opAdd                      // an entry of a pending message
	opAddBare                  // an entry whose octets have a key of their own
	opOverride                 // another value of an entry
	opRemove                   // deletes an entry with octets
	opRemoveBare               // deletes an entry without octets
	opRestore                  // deletes an override
	opFree                     // deletes octets
	opDrop                     // deletes a range of a queue's entries
)

// A span is a range of keys, without its end.
type span struct{ from, to []byte }

type recordChange struct {
	value   []byte // in the arena
	deleted bool
}

func newBuffer(parity slot) *buffer {
	return &buffer{parity: parity, records: make(map[string]recordChange)}
}

func (b *buffer) empty() bool {
	return len(b.ops) == 0 && len(b.msgs) == 0 && len(b.records) == 0 && len(b.sweeps) == 0
}

// clear empties the buffer and keeps some of its memory.
func (b *buffer) clear() {
	if cap(b.ops) > opsKept {
		b.ops = nil
	}
	if cap(b.msgs) > opsKept {
		b.msgs = nil
	}
	if len(b.records) > recordsKept {
		b.records = make(map[string]recordChange)
	}
	b.ops = b.ops[:0]
	clear(b.msgs)
	b.msgs = b.msgs[:0]
	clear(b.records)
	b.sweeps = nil
	b.arena.clear()
	b.bytes = 0
}

// What a buffer keeps for its next use.
const (
	opsKept     = 1 << 15
	recordsKept = 1 << 10
	blocksKept  = 16
)

func (b *buffer) add(o op) int32 {
	b.ops = append(b.ops, o)
	b.bytes += opBytes
	return int32(len(b.ops) - 1)
}

const opBytes = 72 // an op in memory, about

// An arena is memory that is freed all at once.
type arena struct {
	blocks [][]byte // full ones and, last, the one in use
	spare  [][]byte
}

const blockSize = 64 << 10

// copy returns a copy of a and b, joined.
func (r *arena) copy(a, b []byte) []byte {
	n := len(a) + len(b)
	if n > blockSize/4 {
		return append(append(make([]byte, 0, n), a...), b...)
	}
	if len(r.blocks) == 0 || cap(r.blocks[len(r.blocks)-1])-len(r.blocks[len(r.blocks)-1]) < n {
		r.grow()
	}
	block := &r.blocks[len(r.blocks)-1]
	start := len(*block)
	*block = append(append(*block, a...), b...)
	return (*block)[start:len(*block):len(*block)]
}

func (r *arena) grow() {
	if n := len(r.spare); n > 0 {
		r.blocks = append(r.blocks, r.spare[n-1])
		r.spare = r.spare[:n-1]
		return
	}
	r.blocks = append(r.blocks, make([]byte, 0, blockSize))
}

func (r *arena) clear() {
	for i, b := range r.blocks {
		if len(r.spare) < blocksKept {
			r.spare = append(r.spare, b[:0])
		}
		r.blocks[i] = nil
	}
	r.blocks = r.blocks[:0]
}
