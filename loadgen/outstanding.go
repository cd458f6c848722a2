package loadgen

import "sync"

// Outstanding tracks the copies of a run's messages whose work is not done. It
// signals when a run is drained and when the user of a closed loop may go on. Any
// number of goroutines may use it.
type Outstanding struct {
	mu       sync.Mutex
	messages map[int64]*copies // by number; messages with copies left
	left     int64             // number of copies left
	drained  chan struct{}     // signalled when left falls to zero
}

// copies are the copies of one message.
type copies struct {
	left    int32   // number of copies left
	user    int32   // the user who waits for the message; -1: none
	settled []int32 // queues whose copies are settled, if the message has several copies
}

// NewOutstanding returns a tracker without messages.
func NewOutstanding() *Outstanding {
	return &Outstanding{messages: map[int64]*copies{}, drained: make(chan struct{}, 1)}
}

// Add adds a message with n copies. Call it before the message is published. user
// waits for the message; -1: no user does.
func (o *Outstanding) Add(seq int64, n int, user int32) {
	if n == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.messages[seq] = &copies{left: int32(n), user: user}
	o.left += int64(n)
}

// Settle removes the copy of a message in a queue: its work is done, or will never
// be done. It returns the user to wake if that was the last copy, else -1. Settling
// a copy again changes nothing.
func (o *Outstanding) Settle(seq int64, queue int32) (user int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.messages[seq]
	if c == nil {
		return -1
	}
	if c.left > 1 || c.settled != nil {
		for _, q := range c.settled {
			if q == queue {
				return -1
			}
		}
		c.settled = append(c.settled, queue)
	}
	c.left--
	o.left--
	if c.left > 0 {
		return -1
	}
	return o.remove(seq, c)
}

// Drop removes all copies of a message that are left. It returns the user to wake,
// or -1.
func (o *Outstanding) Drop(seq int64) (user int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.messages[seq]
	if c == nil {
		return -1
	}
	o.left -= int64(c.left)
	return o.remove(seq, c)
}

func (o *Outstanding) remove(seq int64, c *copies) int32 {
	delete(o.messages, seq)
	if o.left == 0 {
		select {
		case o.drained <- struct{}{}:
		default:
		}
	}
	return c.user
}

// Left returns the number of copies whose work is not done.
func (o *Outstanding) Left() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.left
}

// Drained returns a channel that receives a value when the last copy is removed.
func (o *Outstanding) Drained() <-chan struct{} { return o.drained }
