package broker

import (
	"harelab/engine/dispatch"
	"harelab/engine/message"
	"harelab/engine/queue"
)

// messages holds the messages of a queue under the Refs of its state machine. It
// grows by pages, so that a backlog is never copied, and its first page starts
// small, for most queues are short.
type messages struct {
	pages [][]*message.Message
}

const (
	pageShift = 8
	pageSize  = 1 << pageShift
	firstPage = 8 // messages in the first page at first
	keepPages = 4 // of an empty queue
)

// at returns the place of a message.
func (p *messages) at(r dispatch.Ref) **message.Message {
	return &p.pages[r>>pageShift][r&(pageSize-1)]
}

// grow is at for a Ref that may be the first of its kind.
func (p *messages) grow(r dispatch.Ref) **message.Message {
	page, i := int(r>>pageShift), int(r&(pageSize-1))
	for page >= len(p.pages) {
		n := pageSize
		if len(p.pages) == 0 {
			n = firstPage
		}
		p.pages = append(p.pages, make([]*message.Message, n))
	}
	if i >= len(p.pages[page]) {
		larger := make([]*message.Message, pageSize)
		copy(larger, p.pages[page])
		p.pages[page] = larger
	}
	return p.at(r)
}

// each calls f for each message.
func (p *messages) each(f func(dispatch.Ref, *message.Message)) {
	for i, page := range p.pages {
		for j, m := range page {
			if m != nil {
				f(dispatch.Ref(i<<pageShift+j), m)
			}
		}
	}
}

// trim gives up the memory that a burst took once the queue is empty.
func (p *messages) trim(m *queue.Queue) {
	if len(p.pages) > keepPages && m.Ready() == 0 && m.Unacked() == 0 {
		p.pages = append(make([][]*message.Message, 0, keepPages), p.pages[:keepPages]...)
	}
}
