package server

import (
	"net"
	"sync"
	"time"
)

// maxParked bounds the connections that wait to be closed. Each of them holds a file
// descriptor and some hundred octets, and no goroutine.
const maxParked = 10_000

// A parking holds connections that were refused until their delay is over: whoever guesses
// passwords has to wait, and the server does no more than remember. What such a peer
// sends is not read.
type parking struct {
	mu     sync.Mutex
	closed bool
	timers map[net.Conn]*time.Timer
}

// park closes a connection after a delay, or at once if too many are parked already.
func (p *parking) park(socket net.Conn, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || delay <= 0 || len(p.timers) >= maxParked {
		socket.Close()
		return
	}
	if p.timers == nil {
		p.timers = make(map[net.Conn]*time.Timer)
	}
	p.timers[socket] = time.AfterFunc(delay, func() { p.leave(socket) })
}

func (p *parking) leave(socket net.Conn) {
	p.mu.Lock()
	delete(p.timers, socket)
	p.mu.Unlock()
	socket.Close()
}

// close closes all connections, and from now on each that is parked.
func (p *parking) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for socket, timer := range p.timers {
		timer.Stop()
		socket.Close()
	}
	clear(p.timers)
}
