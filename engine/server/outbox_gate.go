package server

import (
	"harelab/engine/broker"
	"harelab/engine/wire"
)

// A gate keeps frames back until a round of the store is durable: an answer that says
// something is declared or committed, and all that comes after it, so that the order
// stays. What was appended before it goes out meanwhile.
type gate struct {
	round  broker.Round
	sealed bool // round is known
	frames frames
}

// tail returns where frames are appended: behind the last gate. The caller holds o.mu.
func (o *outbox) tail() *frames {
	if n := len(o.gates); n > 0 {
		return &o.gates[n-1].frames
	}
	return &o.fill
}

// shut has what is appended from now on wait for the round that seal names. The caller
// holds o.mu.
func (o *outbox) shut() {
	if n := len(o.gates); n == 0 || o.gates[n-1].sealed {
		o.gates = append(o.gates, gate{})
	}
}

// answer appends a method that waits for the round that seal names, unless the outbox is
// finished.
func (o *outbox) answer(channel uint16, m wire.Method) {
	o.mu.Lock()
	o.shut()
	o.unlock()
	o.method(channel, m)
}

// seal names the round that the frames behind the last gate wait for, 0 if they need not
// wait.
func (o *outbox) seal(r broker.Round) {
	o.mu.Lock()
	defer o.unlock()
	if n := len(o.gates); n > 0 && !o.gates[n-1].sealed {
		o.gates[n-1].round, o.gates[n-1].sealed = r, true
		o.pass()
	}
}

// open lets frames go that wait for round r or one before it.
func (o *outbox) open(r broker.Round) {
	o.mu.Lock()
	defer o.unlock()
	o.opened = max(o.opened, r)
	o.pass()
}

// pass moves frames through gates that are open, or drops them. It does nothing while the
// outbox is held; release does it then. The caller holds o.mu.
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

// lose drops what waits behind gates, and will: the store has failed, so that the answers
// are not true. The connection is about to end.
func (o *outbox) lose() {
	o.mu.Lock()
	defer o.unlock()
	o.lost = true
	o.pass()
}

// dropGates drops what waits behind gates. The caller holds o.mu.
func (o *outbox) dropGates() {
	o.unsent -= o.behind()
	for i := range o.gates {
		o.gates[i].frames.release()
	}
	o.gates = nil
}

// behind returns how many octets gates keep back. The caller holds o.mu.
func (o *outbox) behind() (octets int) {
	for i := range o.gates {
		octets += o.gates[i].frames.size
	}
	return octets
}

// urgent appends a method of channel 0 that goes out past the gates.
func (o *outbox) urgent(m wire.Method) {
	o.mu.Lock()
	defer o.unlock()
	if !o.finished {
		o.unsent += o.fill.put(wire.AppendMethodFrame(o.fill.room(methodRoom), 0, m))
	}
}

// heartbeat appends a heartbeat that goes out past the gates, unless something is on its
// way to the peer already.
func (o *outbox) heartbeat() {
	o.mu.Lock()
	defer o.unlock()
	if !o.finished && o.unsent == o.behind() {
		o.unsent += o.fill.put(wire.AppendHeartbeat(o.fill.room(wire.FrameOverhead)))
	}
}
