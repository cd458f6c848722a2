package loadgen

import "sync"

// A Book knows which copies of the messages of a run are still to be worked on.
// It tells when a run is drained and when the user of a closed loop may go on.
// It may be used by any number of goroutines.
type Book struct {
	mu      sync.Mutex
	open    map[int64]*page // messages with copies left
	left    int64           // copies left
	changed chan struct{}   // signalled when left falls to zero
}

// A page is a message whose copies are not all settled.
type page struct {
	left    int32
	user    int32
	settled []int32 // queues, when the message has several copies
}

// NewBook returns an empty Book.
func NewBook() *Book {
	return &Book{open: map[int64]*page{}, changed: make(chan struct{}, 1)}
}

// Open enters a message that will have the given number of copies, before it is
// published. User is who waits for it, or -1.
func (b *Book) Open(seq int64, copies int, user int32) {
	if copies == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &page{left: int32(copies), user: user}
	b.open[seq] = p
	b.left += int64(copies)
}

// Settle strikes out the copy of a message in a queue: it was worked on, or never
// will be. It returns the user to wake when that was the last copy, else -1.
// Settling a copy again changes nothing.
func (b *Book) Settle(seq int64, queue int32) (user int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.open[seq]
	if p == nil {
		return -1
	}
	if p.left > 1 || p.settled != nil {
		for _, q := range p.settled {
			if q == queue {
				return -1
			}
		}
		p.settled = append(p.settled, queue)
	}
	p.left--
	b.left--
	if p.left > 0 {
		return -1
	}
	return b.strike(seq, p)
}

// Close strikes out all copies of a message that is left.
func (b *Book) Close(seq int64) (user int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.open[seq]
	if p == nil {
		return -1
	}
	b.left -= int64(p.left)
	return b.strike(seq, p)
}

func (b *Book) strike(seq int64, p *page) int32 {
	delete(b.open, seq)
	if b.left == 0 {
		select {
		case b.changed <- struct{}{}:
		default:
		}
	}
	return p.user
}

// Left returns how many copies are still to be worked on.
func (b *Book) Left() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left
}

// Changed is signalled whenever the last copy was struck out.
func (b *Book) Changed() <-chan struct{} { return b.changed }
