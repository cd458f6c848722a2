package server

import (
	"harelab/engine/broker"
	"harelab/engine/wire"
)

// A gate keeps frames back until a round of the store is durable: an answer that says that
// something was declared or committed, and all frames after it, so that their order is
// kept. Frames before the gate are sent meanwhile.
type gate struct {
	round  broker.Round
	sealed bool // round is set
	frames frames
}

// tail returns the frames to append to: those behind the last gate, or fill without gates.
// The caller holds o.mu.
func (o *outbox) tail() *frames {
	if n := len(o.gates); n > 0 {
		return &o.gates[n-1].frames
	}
	return &o.fill
}

// shut adds a gate, unless the last one is not sealed: frames appended from now on wait
// for the round that seal sets. The caller holds o.mu.
func (o *outbox) shut() {
	if n := len(o.gates); n == 0 || o.gates[n-1].sealed {
		o.gates = append(o.gates, gate{})
	}
}

// answer appends a method behind a gate, unless the outbox is finished.
func (o *outbox) answer(channel uint16, m wire.Method) {
	o.mu.Lock()
	o.shut()
	o.unlock()
	o.method(channel, m)
}

// seal sets the round that the frames behind the last gate wait for, 0 if they need not
// wait.
func (o *outbox) seal(r broker.Round) {
	o.mu.Lock()
	defer o.unlock()
	if n := len(o.gates); n > 0 && !o.gates[n-1].sealed {
		o.gates[n-1].round, o.gates[n-1].sealed = r, true
		o.pass()
	}
}

// open opens the gates for round r and for the rounds before it.
func (o *outbox) open(r broker.Round) {
	o.mu.Lock()
	defer o.unlock()
	o.opened = max(o.opened, r)
	o.pass()
}

// pass moves the frames behind open gates to fill, or drops all frames behind gates after
// lose. While the outbox is held it does nothing; release calls it again. The caller holds
// o.mu.
func (o *outbox) pass() {
	if o.holding {
		return
	}
	if o.lost {
		o.dropGates()
	}
	n := 0
	for n < len(o.gates) && o.gates[n].sealed && o.gates[n].round <= o.opened {
		o.fill.join(o.gates[n].frames)
		o.gates[n] = gate{}
		n++
	}
	o.gates = o.gates[:copy(o.gates, o.gates[n:])]
}

// lose drops the frames behind gates, now and later: the store has failed, so that their
// answers are not true. The connection is about to end.
func (o *outbox) lose() {
	o.mu.Lock()
	defer o.unlock()
	o.lost = true
	o.pass()
}

// hasLost reports whether lose was called.
func (o *outbox) hasLost() bool {
	o.mu.Lock()
	defer o.unlock()
	return o.lost
}

// dropGates drops all gates with their frames. The caller holds o.mu.
func (o *outbox) dropGates() {
	o.unsent -= o.behind()
	for i := range o.gates {
		o.gates[i].frames.release()
	}
	o.gates = nil
}

// behind returns the number of octets behind gates. The caller holds o.mu.
func (o *outbox) behind() (octets int) {
	for i := range o.gates {
		octets += o.gates[i].frames.size
	}
	return octets
}

// urgent appends a method of channel 0 before the gates.
func (o *outbox) urgent(m wire.Method) {
	o.mu.Lock()
	defer o.unlock()
	if !o.finished {
		o.unsent += o.fill.put(wire.AppendMethodFrame(o.fill.room(methodRoom), 0, m))
	}
}

// heartbeat appends a heartbeat before the gates, unless other octets are about to be
// written.
func (o *outbox) heartbeat() {
	o.mu.Lock()
	defer o.unlock()
	if !o.finished && o.unsent == o.behind() {
		o.unsent += o.fill.put(wire.AppendHeartbeat(o.fill.room(wire.FrameOverhead)))
	}
}
