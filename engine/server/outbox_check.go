package server

import "harelab/engine/internal/invariants"

// unlock unlocks the outbox. If invariants are checked, its counts must be right then.
func (o *outbox) unlock() {
	if invariants.Enabled {
		o.check()
	}
	o.mu.Unlock()
}

// The functions below are called only if invariants.Enabled.

// check fails unless the unsent octets are those of its frames and those that the writer
// has taken. The outbox is locked.
func (o *outbox) check() {
	if o.lent.Get() {
		invariants.Failf("outbox: a buffer of begin was not given to end")
	}
	in := o.fill.check("fill") + o.ahead.check("ahead") + o.rest.check("rest")
	for i := range o.gates {
		in += o.gates[i].frames.check("a gate")
	}
	if taken := o.taken.Get(); taken < 0 || o.unsent != in+taken {
		invariants.Failf("outbox: %d octets are unsent, but its frames hold %d and its writer %d", o.unsent, in, taken)
	}
}

// check fails unless the segments hold size octets. It returns size.
func (f *frames) check(name string) int {
	n := 0
	for i := range f.segments {
		n += len(f.segments[i].octets)
	}
	if n != f.size {
		invariants.Failf("outbox: segments of %s hold %d octets, its size says %d", name, n, f.size)
	}
	return n
}

// checkBuffer fails unless buf, the argument of end, is the buffer that begin returned
// with octets appended, or a copy of it that append made for want of room.
func (o *outbox) checkBuffer(buf []byte) {
	if invariants.Planted("outbox") {
		o.unsent++
	}
	if !o.lent.Get() {
		invariants.Failf("outbox: end without begin")
	}
	o.lent.Set(false)
	fill := o.tail()
	switch last := fill.segments[len(fill.segments)-1].octets; {
	case len(buf) < len(last):
		invariants.Failf("outbox: end is given %d octets, there were %d already", len(buf), len(last))
	case len(buf) <= cap(last) && cap(last) > 0 && &buf[:1][0] != &last[:1][0]:
		invariants.Failf("outbox: end is given another buffer than begin returned")
	}
}
